"""What does the full network reach on real tissue, and what does it cost? One fold of ISBI 2012, one seed, 20 passes.

Declared before the first trial ran:

- **Networks**: UNet++ with deep supervision and U-Net at the paper's widths, 32 to 512, by the preset `full` (Adam,
  rate .001, patches of 256×256), but with two patches per step and 20 passes over the 21 training slices of fold 0,
  840 steps in all, scored on the three validation slices every two passes. bf16 where the processor has it.
- **What is told**: of UNet++ the curve, the minutes, and the IoU of membrane and of interior on the six test slices,
  with the last weights; of U-Net the same for scale.
- **What it cannot show**: which network is better. It is one fold and one seed, and `converged` asks that. No interval
  is given, for there is nothing to take it over.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pandas as pd

from unetpp_course.lab.architectures import DEEPEST
from unetpp_course.lab.base import Experiment, Outcome, Results, Trial, training_trial
from unetpp_course.lab.blocked_folds import fold_folder, score_slices, write_fold
from unetpp_course.lab.converged import CURVE, long_rows
from unetpp_course.lab.results import Row
from unetpp_course.lab.tables import across, as_text, pick, titled
from unetpp_lib.engine import PRESETS, TrainConfig
from unetpp_lib.engine.config import ModelName

FOLD, SEED, PASSES, LOOK = 0, 0, 20, 2
MODELS: tuple[ModelName, ...] = ("unetpp", "unet")


def configuration(network: ModelName) -> TrainConfig:
    """Return the configuration of one training."""
    start = replace(PRESETS["full"], model=network, data=fold_folder(FOLD).as_posix(), seed=SEED)
    return replace(start, batch_size=2, epochs=PASSES, evaluate_every=LOOK)


def full_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the rows of a training of `converged`, and its steps."""
    yield from long_rows(outcome)
    yield {"score": "steps", "value": outcome["history"][-1]["step"]}


def trials() -> Iterator[Trial]:
    """Yield a training for each network."""
    for network in MODELS:
        yield training_trial(
            f"{network}-fold{FOLD}-seed{SEED}",
            configuration(network),
            partial(score_slices, last=True),
            write=partial(write_fold, FOLD),
            columns={"fold": FOLD},
            rows=full_rows,
        )


def curves(results: Results) -> pd.DataFrame:
    """Return the validation IoU of membrane: passes × networks."""
    return across(results.frame, "network", index="pass", output=CURVE).rename(index=int)


def summary(results: Results) -> str:
    """Return steps, minutes and scores of each network; scores are means over the test slices."""
    rows = []
    for network, found in results.frame.groupby("network", sort=False):
        of_deepest = pick(found, output=DEEPEST)
        scores = {score: pick(of_deepest, score=score)["value"].mean() for score in ("membrane", "white", "v_rand")}
        steps, seconds = (pick(found, score=name)["value"].item() for name in ("steps", "training seconds"))
        rows.append({"network": network, "steps": f"{steps:.0f}", "minutes": f"{seconds / 60:.0f}", **scores})
    return as_text(rows, "network")


def table(results: Results) -> str:
    """Return `summary` and the curves."""
    shown = [{"pass": number, **row} for number, row in curves(results).iterrows()]
    parts = {
        f"{PASSES} passes, fold {FOLD}, seed {SEED}; mean over the test slices": summary(results),
        "validation IoU of membrane (pooled)": as_text(shown, "pass"),
    }
    return titled(parts)


EXPERIMENT = Experiment(
    name="full_width",
    question="What does the full network reach on real tissue, and what does it cost?",
    trials=tuple(trials()),
    table=table,
)
