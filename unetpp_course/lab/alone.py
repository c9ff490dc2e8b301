"""Is a pruned L2 better than an L2 trained alone? The full network's head 2, and L2 for equal steps and equal seconds.

All at one learning rate, the best of the search in the experiment on architectures; no search for L2 alone.
"""

from dataclasses import replace
from itertools import product
from statistics import median

import pandas as pd

from unetpp_course.lab import architectures
from unetpp_course.lab.base import Experiment, Results, training_trial
from unetpp_course.lab.tables import across, as_text, each, interval
from unetpp_course.lab.timing import make_step, timing_trial
from unetpp_lib.engine import TrainConfig

DEPTH = 2
SEEDS = architectures.SEEDS
FULL = architectures.configuration("unetpp", architectures.BEST_RATE["unetpp"], 0)
L2 = replace(FULL, widths=FULL.widths[: DEPTH + 1])
# A training step of the full network takes 2.67 times as long as one of L2 (two cores, bf16; ``step-seconds`` measures
# it again): so many more epochs are equal seconds.
LONGER = replace(L2, epochs=round(2.67 * FULL.epochs))
ARMS: dict[str, TrainConfig] = {"full": FULL, "equal-steps": L2, "equal-seconds": LONGER}


def by_seed(results: Results) -> pd.DataFrame:
    """Return the membrane IoU of L2's head (test part, mean over its images): seeds × arms."""
    score = architectures.SCORES["membrane"]
    return across(results.frame, "variant", output=f"head {DEPTH}", score=score).reindex(columns=list(ARMS))


def table(results: Results) -> str:
    """Return what head 2 scores in each arm, its lead over L2 trained alone by seed, and the seconds of a step."""
    scores = by_seed(results)
    rows = []
    for arm, config in ARMS.items():
        lead = "" if arm == "full" else interval(scores["full"] - scores[arm])
        row = {"arm": arm, "epochs": config.epochs, "IoU": interval(scores[arm]), "by seed": each(scores[arm])}
        rows.append(row | {"cut from the full network minus this": lead})
    lines = [as_text(rows, "arm"), "membrane IoU of head 2, test part, mean over its images; mean [95 %, seeds]"]
    if "step-seconds" in results:
        full, alone = (median(results["step-seconds"][arm]) for arm in ("full", "equal-steps"))
        lines.append(f"a step of the full network takes {full / alone:.2f} times as long as one of L2")
    return "\n".join(lines)


TRAININGS = [
    training_trial(f"{arm}-seed{seed}", replace(ARMS[arm], seed=seed), columns={"variant": arm})
    for seed, arm in product(SEEDS, ARMS)
]
TIMED = {arm: ARMS[arm] for arm in ("full", "equal-steps")}
TIMING = timing_trial("step-seconds", make_step, TIMED, FULL, alone=L2.widths)

EXPERIMENT = Experiment(
    "alone", "Is a pruned L2 better than an L2 that was trained alone?", (*TRAININGS, TIMING), table
)
