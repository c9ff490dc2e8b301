"""Is a pruned L2 better than an L2 trained alone? The full network's head 2, and L2 for equal steps and equal seconds.

All at one learning rate, the best of the search in the experiment on architectures; no search for L2 alone.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from unetpp_course.lab import architectures
from unetpp_course.lab.base import Experiment, Outcome, Trial, training_trial
from unetpp_course.lab.intervals import t_interval
from unetpp_course.lab.timing import time_training_steps
from unetpp_lib.engine import TrainConfig

DEPTH = 2
SEEDS = architectures.SEEDS
SCORE = architectures.SCORES["membrane"]
HEAD = f"head {DEPTH}"
ROUNDS = 15
FULL = architectures.configuration("unetpp", architectures.BEST_RATE["unetpp"], 0)
L2 = replace(FULL, widths=FULL.widths[: DEPTH + 1])
# A training step of the full network takes 2.67 times as long as one of L2 (two cores, bf16; ``step-seconds`` measures
# it anew): so many more epochs are equal seconds.
ARMS: dict[str, TrainConfig] = {
    "full": FULL,
    "equal-steps": L2,
    "equal-seconds": replace(L2, epochs=round(2.67 * FULL.epochs)),
}


def trial_name(arm: str, seed: int) -> str:
    """Return the name of one training."""
    return f"{arm}-seed{seed}"


def scores(outcomes: Mapping[str, Outcome], arm: str) -> list[float]:
    """Return the membrane IoU of L2's head in an arm, test part, one value a seed."""
    names = (trial_name(arm, seed) for seed in SEEDS)
    return [architectures.score(outcomes[name], SCORE, HEAD) for name in names if name in outcomes]


def leads(outcomes: Mapping[str, Outcome], arm: str) -> list[float]:
    """Return by how much the pruned L2 is ahead of an arm's, one value a seed that both have."""
    pairs = [(outcomes.get(trial_name("full", seed)), outcomes.get(trial_name(arm, seed))) for seed in SEEDS]
    return [
        architectures.score(full, SCORE, HEAD) - architectures.score(other, SCORE, HEAD)
        for full, other in pairs
        if full and other
    ]


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return what head 2 scores in each arm, its lead over L2 trained alone by seed, and the seconds of a step."""
    found = {arm: scores(outcomes, arm) for arm in ARMS}
    lines = [
        f"{arm:<16}{ARMS[arm].epochs:>4} epochs  {t_interval(values)}  " + " ".join(f"{value:.3f}" for value in values)
        for arm, values in found.items()
        if len(values) > 1
    ]
    for arm in ("equal-steps", "equal-seconds"):
        if len(ahead := leads(outcomes, arm)) > 1:
            lines.append(f"pruned from the full network, less L2 alone for {arm}: {t_interval(ahead)}")
    lines.append("membrane IoU of head 2, test part, mean over its images; mean [95 % t-interval over the seeds]")
    if "step-seconds" in outcomes:
        full, alone = (median(outcomes["step-seconds"][arm]) for arm in ("full", "equal-steps"))
        lines.append(f"a step of the full network takes {full / alone:.2f} times as long as one of L2")
    return "\n".join(lines)


def _timing_settings() -> dict[str, object]:
    return dict(json.loads(FULL.to_json())) | {"rounds": ROUNDS, "alone": list(L2.widths)}


EXPERIMENT = Experiment(
    name="alone",
    question="Is a pruned L2 better than an L2 that was trained alone?",
    trials=(
        *(
            training_trial(trial_name(arm, seed), replace(config, seed=seed))
            for seed in SEEDS
            for arm, config in ARMS.items()
        ),
        Trial(
            "step-seconds",
            _timing_settings(),
            lambda: time_training_steps({arm: ARMS[arm] for arm in ("full", "equal-steps")}, ROUNDS),
        ),
    ),
    table=table,
)
