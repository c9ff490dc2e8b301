"""Does deep supervision shorten training? UNet++ with and without it, at three learning rates and three seeds."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from statistics import median

import pandas as pd
import torch
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Results, Row, Trial, trained, training_trial
from unetpp_course.lab.results import final_scores
from unetpp_course.lab.tables import across, as_text, each, interval, pick
from unetpp_course.lab.timing import first_batch, make_step, timing_trial
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
READINGS = {"supervised": (HEAD, MEAN), "plain": (HEAD,)}  # the outputs that are compared
SCORE = "iou/background/pooled"  # the membrane's
RULES = ("height", "last")
"""What makes a learning rate the best: curves that lie high, mean over their epochs, or that end high."""

# half the laptop preset's epochs, and a look at the validation part after each
CONFIG = replace(PRESETS["laptop"], epochs=20, evaluate_every=1, checkpoint_seconds=600)


def configuration(arm: str, rate: float, seed: int) -> TrainConfig:
    """Return the configuration of one training."""
    return replace(CONFIG, deep_supervision=ARMS[arm], lr=rate, seed=seed)


def curve_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield a training's final scores, and the membrane IoU (pooled) of the validation part by step and output."""
    yield from final_scores(outcome)
    for entry in outcome["history"]:
        for output, scores in entry["validation"].items():
            yield {"step": entry["step"], "output": output, "score": "validation", "value": scores[SCORE]}


def curves(results: Results, arm: str, rate: float, output: str = HEAD) -> pd.DataFrame:
    """Return the curves of an arm at one rate, as ``output`` has them: steps × seeds."""
    where = {"variant": arm, "rate": rate, "output": output, "score": "validation"}
    return across(results.frame, "seed", index="step", **where)


def steps_to(target: float, curve: "pd.Series[float]") -> int | None:
    """Return the first step at which the curve is at ``target`` or above; None where it never is."""
    reached = curve.index[curve >= target]
    return int(reached[0]) if len(reached) else None


def best_rate(results: Results, arm: str, output: str = HEAD, rule: str = "height") -> float:
    """Return the learning rate at which an arm does best, mean over seeds, by one of RULES."""
    found = {rate: curves(results, arm, rate, output).mean(axis=1) for rate in RATES}
    return max(RATES, key=lambda rate: found[rate].mean() if rule == "height" else found[rate].iloc[-1])


def paired_curves(results: Results, output: str = HEAD, rule: str = "height") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the curves with supervision, as ``output`` has them, and without, each arm at its own best rate."""
    supervised = curves(results, "supervised", best_rate(results, "supervised", output, rule), output)
    return supervised, curves(results, "plain", best_rate(results, "plain", rule=rule))


def step_ratio(results: Results) -> float:
    """Return how many times as long a step takes with supervision as without: the median over the rounds."""
    seconds = results["step-seconds"]
    return float(median(one / other for one, other in zip(seconds["supervised"], seconds["plain"], strict=True)))


def head_gradients(model: SegmentationNetwork, images: Tensor, masks: Tensor) -> Tensor:
    """Return the gradient of each head's loss by the parameters of X^{0,0}, in training mode: (heads, parameters)."""
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

    state = "trained" if after else "untrained"
    return Trial(f"gradients-{state}-seed{seed}", json.loads(config.to_json()) | {"after": after}, measure)


def table(results: Results) -> str:
    """Return all steps to all targets; then each arm at its best rate, paired by seed; then the time of a step."""
    rows = []
    for (arm, outputs), rate in product(READINGS.items(), RATES):
        for output in outputs:
            found = curves(results, arm, rate, output)
            if len(found):
                row = {"arm": arm, "rate": f"{rate:g}", "output": output}
                row |= {f"{target:.2f}": _steps(target, found) for target in TARGETS}
                rows.append(row | {"last": interval(found.iloc[-1]) or each(found.iloc[-1])})
    title = "first step at a membrane IoU (validation, pooled) of …, by seed; last score: mean [95 % interval, seeds]"
    lines = [title, as_text(rows, "arm", "rate", "output")]
    if pick(results.frame, score="validation").groupby(["variant", "rate"]).ngroups == len(ARMS) * len(RATES):
        for rule, output in product(RULES, READINGS["supervised"]):
            lines += ["", *_differences(results, output, rule)]
    if "step-seconds" in results:
        lines += ["", f"a step with supervision takes {step_ratio(results):.3f} times as long as one without"]
    return "\n".join(lines)


def _steps(target: float, found: pd.DataFrame) -> str:
    return " ".join(str(steps_to(target, found[seed]) or "–") for seed in found)


def _differences(results: Results, output: str, rule: str) -> list[str]:
    """Return lines on supervised minus plain, each arm at its best rate, paired by seed."""
    supervised, plain = paired_curves(results, output, rule)
    rates = [best_rate(results, arm, name, rule) for arm, name in (("supervised", output), ("plain", HEAD))]
    title = f"supervised ({output}) minus plain, best rates by {rule} {rates[0]:g} and {rates[1]:g}"
    lines = [f"{title}, paired by seed: mean [95 % interval, seeds]"]
    apart = (supervised - plain).dropna(axis=1)
    for target in TARGETS:
        steps = [(steps_to(target, supervised[seed]), steps_to(target, plain[seed])) for seed in apart]
        gains = [one - other for one, other in steps if one and other]
        found = interval(gains) if len(gains) == len(steps) else "not reached by all"
        lines.append(f"  steps to {target:.2f}: {found}")
    lines += [f"  IoU at step {step}: {interval(apart.loc[step])}" for step in apart.index[4::5]]
    return lines


TIMED = {arm: configuration(arm, CONFIG.lr, 0) for arm in ARMS}

TRAININGS = [
    training_trial(
        f"{arm}-lr{rate:g}-seed{seed}", configuration(arm, rate, seed), columns={"variant": arm}, rows=curve_rows
    )
    for seed, rate, arm in product(SEEDS, RATES, ARMS)
]
GRADIENTS = [gradients_trial(False, seed) for seed in UNTRAINED_SEEDS] + [gradients_trial(True, seed) for seed in SEEDS]
TIMING = timing_trial("step-seconds", make_step, TIMED, CONFIG)

EXPERIMENT = Experiment(
    "supervision", "Does deep supervision shorten training?", (*TRAININGS, *GRADIENTS, TIMING), table
)
