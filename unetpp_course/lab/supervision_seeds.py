"""Whether deep supervision shortens training, at one learning rate and with twelve seeds.

Declared before the first trial ran:

- **Networks**: UNet++ of laptop width with deep supervision and without, as `supervision` trains them (drawn set, 140
  steps, a look at the validation part every seven), at the rate .01, where both did best with three seeds.
- **Primary contrast**: the first step at which the deepest head reaches a membrane IoU of .60 (validation part,
  pooled), with supervision minus without, paired by seed. A run that never reaches it counts as one look after its end.
- **Unit**: the seed, which draws weights, order, patches and augmentation. The images are the same for all: the
  interval says nothing about other images.
- **Analysis**: mean of the twelve differences with Student's 95 % interval. If it lies within ± one look, no gain that
  these looks could show; if it excludes 0, a gain or a loss; otherwise not resolved.
- **Exploratory**: the last IoU of the deepest head, and of the mean of all heads against the plain network's only one.
"""

import pandas as pd

from unetpp_course.lab.base import Experiment, Results, training_trial
from unetpp_course.lab.supervision import ARMS, HEAD, configuration, curve_rows, curves, steps_to
from unetpp_course.lab.tables import as_text, interval
from unetpp_lib.engine.evaluation import MEAN

RATE = 1e-2
SEEDS = tuple(range(12))
TARGET = 0.60
LOOK = 7  # steps between two looks


def first_step(curve: "pd.Series[float]") -> int:
    """Return the first step at the target; one look after the end where there is none."""
    return steps_to(TARGET, curve) or int(curve.index[-1]) + LOOK


def pairs(results: Results, output: str = HEAD) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the curves with supervision, as ``output`` has them, and without, of the seeds that have both."""
    supervised, plain = curves(results, "supervised", RATE, output), curves(results, "plain", RATE)
    seeds = supervised.columns.intersection(plain.columns)
    return supervised[seeds], plain[seeds]


def table(results: Results) -> str:
    """Return every seed's steps and last scores, and the paired differences."""
    supervised, plain = (curves.apply(first_step) for curves in pairs(results))
    steps = "  ".join(f"{one}-{other}" for one, other in zip(supervised, plain, strict=True))
    compared = {f"steps to {TARGET:.2f}, {HEAD} (primary)": (supervised, plain)}
    for output in (HEAD, MEAN):
        one, other = pairs(results, output)
        compared[f"last IoU, {output}"] = one.iloc[-1], other.iloc[-1]
    rows = [
        {"": name, "with supervision": one.mean(), "without": other.mean(), "difference": interval(one - other)}
        for name, (one, other) in compared.items()
    ]
    lines = [f"membrane IoU, validation, pooled; {len(plain)} seeds; steps to {TARGET:.2f}, seed by seed: {steps}"]
    return "\n".join([*lines, as_text(rows, "")])


EXPERIMENT = Experiment(
    name="supervision_seeds",
    question="Does deep supervision shorten training, at one learning rate and with twelve seeds?",
    trials=tuple(
        training_trial(
            f"{arm}-lr{RATE:g}-seed{seed}",
            configuration(arm, RATE, seed),
            columns={"variant": arm},
            rows=curve_rows,
        )
        for seed in SEEDS
        for arm in ARMS
    ),
    table=table,
)
