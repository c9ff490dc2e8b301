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

from collections.abc import Mapping, Sequence

from unetpp_course.lab.base import Experiment, Outcome, training_trial
from unetpp_course.lab.intervals import t_interval
from unetpp_course.lab.supervision import ARMS, HEAD, configuration, curve, steps_to, trial_name
from unetpp_lib.engine.evaluation import MEAN

RATE = 1e-2
SEEDS = tuple(range(12))
TARGET = 0.60
LOOK = 7  # steps between two looks


def pairs(outcomes: Mapping[str, Outcome], reading: str = HEAD) -> list[tuple[dict[int, float], dict[int, float]]]:
    """Return for each seed that has both the curve with supervision, as ``reading`` has it, and the one without."""
    names = [[trial_name(arm, RATE, seed) for arm in ARMS] for seed in SEEDS]
    return [
        (curve(outcomes[supervised], reading), curve(outcomes[plain]))
        for supervised, plain in names
        if supervised in outcomes and plain in outcomes
    ]


def first_step(points: Mapping[int, float]) -> int:
    """Return the first step at the target; one look after the end where there is none."""
    return steps_to(TARGET, points) or max(points) + LOOK


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return every seed's steps and last scores, and the paired differences."""
    found = pairs(outcomes)
    lines = [f"membrane IoU, validation, pooled; {len(found)} seeds; with supervision, without, difference"]
    steps = [(first_step(one), first_step(other)) for one, other in found]
    lines += [f"steps to {TARGET:.2f}, seed by seed: {'  '.join(f'{a}-{b}' for a, b in steps)}"]
    rows: dict[str, Sequence[tuple[float, float]]] = {f"steps to {TARGET:.2f}, {HEAD} (primary)": steps}
    for reading in (HEAD, MEAN):
        rows[f"last IoU, {reading}"] = [
            (list(one.values())[-1], list(other.values())[-1]) for one, other in pairs(outcomes, reading)
        ]
    for name, values in rows.items():
        if len(values) > 1:
            means = [sum(side) / len(values) for side in zip(*values, strict=True)]
            interval = t_interval([one - other for one, other in values])
            lines.append(f"{name:<34}{means[0]:>9.3f}{means[1]:>9.3f}   {interval}")
    return "\n".join(lines)


EXPERIMENT = Experiment(
    name="supervision_seeds",
    question="Does deep supervision shorten training, at one learning rate and with twelve seeds?",
    trials=tuple(
        training_trial(trial_name(arm, RATE, seed), configuration(arm, RATE, seed)) for seed in SEEDS for arm in ARMS
    ),
    table=table,
)
