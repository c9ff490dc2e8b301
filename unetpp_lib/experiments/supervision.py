"""Does deep supervision shorten training? UNet++ with and without it, at three learning rates and three seeds."""

from collections.abc import Mapping
from dataclasses import replace

from unetpp_lib.engine import PRESETS
from unetpp_lib.engine.evaluation import MEAN
from unetpp_lib.experiments.base import Experiment, Outcome, training_trial
from unetpp_lib.experiments.intervals import t_interval

ARMS = {"supervised": True, "plain": False}
RATES = (1e-3, 3e-3, 1e-2)
SEEDS = (0, 1, 2)
TARGETS = (0.50, 0.55, 0.60, 0.65, 0.70)  # membrane IoU of the validation part, pooled

# half the laptop preset's epochs, and a look at the validation part after each
CONFIG = replace(PRESETS["laptop"], epochs=20, evaluate_every=1, checkpoint_seconds=600)


def trial_name(arm: str, rate: float, seed: int) -> str:
    """Return the name of one training."""
    return f"{arm}-lr{rate:g}-seed{seed}"


def curve(outcome: Outcome, reading: str) -> dict[int, float]:
    """Return the membrane IoU (pooled) of the validation part by training step, as ``reading`` has it."""
    return {entry["step"]: entry["validation"][reading]["iou/background/pooled"] for entry in outcome["history"]}


def readings(outcome: Outcome) -> list[str]:
    """Return the deepest head and, where there are several, the mean of the heads."""
    names = [name for name in outcome["history"][0]["validation"] if name.startswith("head")]
    return [names[-1]] + ([MEAN] if len(names) > 1 else [])


def steps_to(target: float, points: Mapping[int, float]) -> int | None:
    """Return the first step at which the curve is at ``target`` or above; None where it never is."""
    return next((step for step, score in points.items() if score >= target), None)


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return the steps to each target and the last score, by arm, reading and learning rate."""
    lines = ["first step at a membrane IoU (validation, pooled) of …, by seed; last score: mean [95 % interval, seeds]"]
    lines.append(f"{'':34}" + "".join(f"{target:<18.2f}" for target in TARGETS) + "last")
    for arm in ARMS:
        for rate in RATES:
            found = [outcomes[name] for seed in SEEDS if (name := trial_name(arm, rate, seed)) in outcomes]
            for reading in readings(found[0]) if found else ():
                curves = [curve(outcome, reading) for outcome in found]
                reached = [[steps_to(target, points) for points in curves] for target in TARGETS]
                cells = [" ".join(str(step or "–") for step in steps) for steps in reached]
                last = [list(points.values())[-1] for points in curves]
                end = f"{t_interval(last)}" if len(last) > 1 else f"{last[0]:.3f}"
                lines.append(f"{arm:<11}lr {rate:<6g}{reading:<14}" + "".join(f"{cell:<18}" for cell in cells) + end)
    return "\n".join(lines)


EXPERIMENT = Experiment(
    name="supervision",
    question="Does deep supervision shorten training?",
    trials=tuple(
        training_trial(trial_name(arm, rate, seed), replace(CONFIG, deep_supervision=supervised, lr=rate, seed=seed))
        for seed in SEEDS
        for rate in RATES
        for arm, supervised in ARMS.items()
    ),
    table=table,
)
