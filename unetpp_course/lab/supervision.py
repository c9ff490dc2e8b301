"""Does deep supervision shorten training? UNet++ with and without it, at three learning rates and three seeds."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from statistics import fmean, median

import torch
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Trial, trained, training_trial
from unetpp_course.lab.intervals import t_interval
from unetpp_course.lab.timing import first_batch, time_training_steps
from unetpp_lib.engine import PRESETS, TrainConfig
from unetpp_lib.engine.evaluation import MEAN
from unetpp_lib.losses import bce_dice_loss
from unetpp_lib.models import SegmentationNetwork

ARMS = {"supervised": True, "plain": False}
RATES = (1e-3, 3e-3, 1e-2)
SEEDS = (0, 1, 2)
UNTRAINED_SEEDS = (0, 1, 2, 3, 4)
TARGETS = (0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70)  # membrane IoU of the validation part, pooled; none is chosen
HEAD = "head 4"  # the deepest, which both arms have
SCORE = "iou/background/pooled"  # the membrane's
ROUNDS = 15

RULES: dict[str, Callable[[list[float]], float]] = {"height": fmean, "last": itemgetter(-1)}
"""What makes a learning rate the best: a curve that lies high, mean over its epochs, or that ends high."""

# half the laptop preset's epochs, and a look at the validation part after each
CONFIG = replace(PRESETS["laptop"], epochs=20, evaluate_every=1, checkpoint_seconds=600)


def configuration(arm: str, rate: float, seed: int) -> TrainConfig:
    """Return the configuration of one training."""
    return replace(CONFIG, deep_supervision=ARMS[arm], lr=rate, seed=seed)


STEPS = {arm: configuration(arm, CONFIG.lr, 0) for arm in ARMS}  # whose time is taken


def trial_name(arm: str, rate: float, seed: int) -> str:
    """Return the name of one training."""
    return f"{arm}-lr{rate:g}-seed{seed}"


def curve(outcome: Outcome, reading: str = HEAD) -> dict[int, float]:
    """Return the membrane IoU (pooled) of the validation part by training step, as ``reading`` has it."""
    return {entry["step"]: entry["validation"][reading][SCORE] for entry in outcome["history"]}


def curves(outcomes: Mapping[str, Outcome], arm: str, rate: float, reading: str = HEAD) -> list[dict[int, float]]:
    """Return the curves of an arm at one rate, seed by seed; fewer where trainings are missing."""
    names = (trial_name(arm, rate, seed) for seed in SEEDS)
    return [curve(outcomes[name], reading) for name in names if name in outcomes]


def readings(arm: str) -> tuple[str, ...]:
    """Return the ways to read an arm's networks that are compared: the deepest head, and the mean of several heads."""
    return (HEAD, MEAN) if ARMS[arm] else (HEAD,)


def steps_to(target: float, points: Mapping[int, float]) -> int | None:
    """Return the first step at which the curve is at ``target`` or above; None where it never is."""
    return next((step for step, score in points.items() if score >= target), None)


def best_rate(outcomes: Mapping[str, Outcome], arm: str, reading: str = HEAD, rule: str = "height") -> float:
    """Return the learning rate at which an arm does best, mean over seeds, by one of RULES."""
    judge = RULES[rule]
    scores = {rate: [judge(list(points.values())) for points in curves(outcomes, arm, rate, reading)] for rate in RATES}
    return max(RATES, key=lambda rate: fmean(scores[rate]))


def paired_curves(
    outcomes: Mapping[str, Outcome], reading: str = HEAD, rule: str = "height"
) -> tuple[list[dict[int, float]], list[dict[int, float]]]:
    """Return the curves with supervision, as ``reading`` has them, and without, each arm at its own best rate."""
    with_it = curves(outcomes, "supervised", best_rate(outcomes, "supervised", reading, rule), reading)
    return with_it, curves(outcomes, "plain", best_rate(outcomes, "plain", rule=rule))


def step_ratio(outcomes: Mapping[str, Outcome]) -> float:
    """Return how many times as long a step takes with supervision as without: the median over the rounds."""
    seconds = outcomes["step-seconds"]
    return float(median(one / other for one, other in zip(seconds["supervised"], seconds["plain"], strict=True)))


def head_gradients(model: SegmentationNetwork, images: Tensor, masks: Tensor) -> Tensor:
    """Return the gradient of each head's loss by the parameters of X^{0,0}, ``(heads, parameters)``, in training mode.

    Shape: normalised images ``(N, C, H, W)``, masks ``(N, 1, H, W)``.
    """
    parameters = list(model.nodes[0][0].parameters())  # type: ignore[union-attr,index]
    rows = []
    for head in model.train()(images):
        gradients = torch.autograd.grad(bce_dice_loss(head, masks), parameters, retain_graph=True)
        rows.append(torch.cat([gradient.flatten() for gradient in gradients]))
    return torch.stack(rows)


def compare_gradients(gradients: Tensor) -> Outcome:
    """Return each head's norm, its share of the sum (shares add up to 1), their cosines, the norm of the sum."""
    total = gradients.sum(0)
    unit = gradients / gradients.norm(dim=1, keepdim=True)
    return {
        "norms": gradients.norm(dim=1).tolist(),
        "shares": (gradients @ total / total.square().sum()).tolist(),
        "cosines": (unit @ unit.T).tolist(),
        "total_norm": total.norm().item(),
    }


def gradients_trial(after: bool, seed: int) -> Trial:
    """Return the trial that compares the heads' gradients before a supervised training, or after it."""
    config = configuration("supervised", 3e-3, seed)

    def measure() -> Outcome:
        torch.manual_seed(seed)
        model = trained(config).load_model()[0] if after else config.build_model()
        return compare_gradients(head_gradients(model, *first_batch(config)))

    return Trial(f"gradients-{'trained' if after else 'untrained'}-seed{seed}", _settings(config, after=after), measure)


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return all steps to all targets; then each arm at its best rate, paired by seed; then the time of a step."""
    lines = [
        "first step at a membrane IoU (validation, pooled) of …, by seed; last score: mean [95 % interval, seeds]",
        " " * 34 + "".join(f"{target:<14.2f}" for target in TARGETS) + "last",
    ]
    for arm in ARMS:
        for rate in RATES:
            for reading in readings(arm):
                found = curves(outcomes, arm, rate, reading)
                if found:
                    lines.append(f"{arm:<11}lr {rate:<6g}{reading:<14}" + _row(found))
    if all(curves(outcomes, arm, rate) for arm in ARMS for rate in RATES):
        for rule in RULES:
            for reading in readings("supervised"):
                lines += ["", *_differences(outcomes, reading, rule)]
    if "step-seconds" in outcomes:
        lines += ["", f"a step with supervision takes {step_ratio(outcomes):.3f} times as long as one without"]
    return "\n".join(lines)


def _row(found: Sequence[Mapping[int, float]]) -> str:
    reached = [[steps_to(target, points) for points in found] for target in TARGETS]
    cells = [" ".join(str(step or "–") for step in steps) for steps in reached]
    last = [list(points.values())[-1] for points in found]
    return "".join(f"{cell:<14}" for cell in cells) + (f"{t_interval(last)}" if len(last) > 1 else f"{last[0]:.3f}")


def _differences(outcomes: Mapping[str, Outcome], reading: str, rule: str) -> list[str]:
    """Return lines on supervised less plain, each arm at its best rate, paired by seed."""
    supervised, plain = paired_curves(outcomes, reading, rule)
    rates = " and ".join(
        f"{best_rate(outcomes, arm, name, rule):g}" for arm, name in (("supervised", reading), ("plain", HEAD))
    )
    lines = [
        f"supervised ({reading}) less plain, best rates by {rule} {rates}, pairs of a seed: mean [95 % interval, seeds]"
    ]
    pairs = list(zip(supervised, plain, strict=False))
    if len(pairs) < 2:
        return lines
    for target in TARGETS:
        steps = [(steps_to(target, one), steps_to(target, other)) for one, other in pairs]
        apart = [one - other for one, other in steps if one and other]
        said = str(t_interval(apart)) if len(apart) == len(pairs) else "not reached by all"
        lines.append(f"  steps to {target:.2f}: {said}")
    for step in list(pairs[0][0])[4::5]:
        lines.append(f"  IoU at step {step}: {t_interval([one[step] - other[step] for one, other in pairs])}")
    return lines


def _settings(config: TrainConfig, **more: object) -> dict[str, object]:
    settings = json.loads(config.to_json()) | more
    return dict(settings)


EXPERIMENT = Experiment(
    name="supervision",
    question="Does deep supervision shorten training?",
    trials=(
        *(
            training_trial(trial_name(arm, rate, seed), configuration(arm, rate, seed))
            for seed in SEEDS
            for rate in RATES
            for arm in ARMS
        ),
        *(gradients_trial(False, seed) for seed in UNTRAINED_SEEDS),
        *(gradients_trial(True, seed) for seed in SEEDS),
        Trial("step-seconds", _settings(CONFIG, rounds=ROUNDS), lambda: time_training_steps(STEPS, ROUNDS)),
    ),
    table=table,
)
