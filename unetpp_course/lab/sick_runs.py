"""Three sick trainings beside a healthy one, looked at from the first step on: what their curves show of the cause.

A U-Net of depth 3 and widths 8 to 64, pieces of 128 × 128 pixels, four a step, 280 steps. Only the cause differs:
"over-fitting" trains on two images as they are, "rate too high" takes a hundred times the learning rate, and in
"labels with a bug" flips and turns reach the image and not its mask. At every look the network is read in evaluation
mode on up to four training images and on the validation images, with the masks as they are on disk.
Illustrations, three seeds each: another cause may draw the same curve. Beside them, whether a network can learn one
batch by heart is tried on a sound batch and on one with the bug.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from statistics import fmean

import torch
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Results, Row, Trial
from unetpp_course.lab.loops import Batch, TrainingPart, train_steps
from unetpp_course.lab.results import unnest
from unetpp_course.lab.tables import across, as_text, each, interval, pick
from unetpp_lib.data import Augmentation
from unetpp_lib.engine import choose_runtime
from unetpp_lib.engine.loop import Augment, learning_rate, seeded
from unetpp_lib.losses import bce_dice_loss
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork, UNet

SEEDS = (0, 1, 2)
LOOKED_AT = 4  # training images at most
BY_HEART = ("healthy", "labels with a bug")  # cases whose first batch is learned by heart
HEART_STEPS, HEART_RATE = 160, 1e-2
TURN = Augmentation(elastic_sigma=0, brightness=0, contrast=0, noise=0)


@dataclass(frozen=True)
class Case:
    """One training; the default is the healthy one."""

    images: int = 28  # of the training part, its first
    augment: bool = True
    lr: float = 3e-3
    turned_without_mask: bool = False  # flips and quarter turns reach the image alone
    seed: int = 0
    steps: int = 280
    look_every: int = 20
    patch: int = 128
    batch_size: int = 4
    widths: tuple[int, ...] = (8, 16, 32, 64)
    data: str = "membranes"


CASES = {
    "healthy": Case(),
    "over-fitting": Case(images=2, augment=False),
    "rate too high": Case(lr=0.3),
    "labels with a bug": Case(turned_without_mask=True),
}

RUNTIME = choose_runtime("cpu", "float32")

LETTERS = {"healthy": "healthy", "A": "labels with a bug", "B": "over-fitting", "C": "rate too high"}
"""The names under which a learner gets to see them first."""


def turn_without_mask(images: Tensor, masks: Tensor, generator: torch.Generator, then: Augment | None) -> Batch:
    """Flip and turn the images alone, which is the bug, and then augment images and masks as usual."""
    turned, _ = TURN(images, masks, generator)
    return (turned, masks) if then is None else then(turned, masks, generator)


def training_part(case: Case) -> TrainingPart:
    """Return what a case trains on, with its bug."""
    augment: Augment | None = Augmentation() if case.augment else None
    if case.turned_without_mask:
        augment = partial(turn_without_mask, then=augment)
    return TrainingPart(case.data, case.batch_size, case.patch, case.seed, augment, case.images)


def first_batch(name: str, seed: int = 0) -> Batch:
    """Return the first batch of a case as its network gets it: images and masks (4, 1, 128, 128)."""
    return next(training_part(replace(CASES[name], seed=seed)).batches(steps=1))


@torch.no_grad()
def look(model: SegmentationNetwork, images: Tensor, masks: Tensor) -> dict[str, float]:
    """Return the loss in evaluation mode, and the IoU of the membrane, pooled."""
    logits = torch.cat([model.eval()(image)[-1] for image in torch.split(images, 1)])
    score = iou(confusion_counts(classify(logits.sigmoid()), masks), of="background", average="pooled")
    return {"loss": round(bce_dice_loss(logits, masks).item(), 5), "iou": round(score, 5)}


def measure(case: Case) -> Outcome:
    """Return the looks of one training, and the loss of each of its steps."""
    part = training_part(case)
    parts = {"train": part.read(part.names[:LOOKED_AT]), "validation": part.read(part.split.validation)}
    with seeded(case.seed, RUNTIME.device):
        model = RUNTIME.place(UNet(widths=case.widths))

    rate = partial(learning_rate, steps=case.steps, highest=case.lr)
    steps = train_steps(model, part.batches(case.steps), rate, RUNTIME)
    losses: list[float] = []
    looks = []
    for step in range(case.steps + 1):
        if step:
            losses.append(round(next(steps).item(), 5))
        if step % case.look_every == 0:
            looks.append({"step": step} | {name: look(model, *pair) for name, pair in parts.items()})
    return {"losses": losses, "looks": looks}


def learn_by_heart(name: str, seed: int) -> Outcome:
    """Train on a case's first batch alone, always the same; return the loss and the membrane's IoU on it by step."""
    batch = first_batch(name, seed)
    with seeded(seed, RUNTIME.device):
        model = RUNTIME.place(UNet(widths=Case.widths, norm="group"))  # does the same in training and in evaluation
    steps = enumerate(train_steps(model, [batch] * HEART_STEPS, lambda _: HEART_RATE, RUNTIME), start=1)
    return {"looks_by_heart": {str(step): look(model, *batch) for step, _ in steps if step % 40 == 0}}


def curve(outcome: Outcome, part: str, what: str) -> dict[int, float]:
    """Return the "loss" or "iou" of a part, "train" or "validation", by step."""
    return {entry["step"]: entry[part][what] for entry in outcome["looks"]}


def symptoms(outcome: Outcome) -> dict[str, float]:
    """Return what tells the cases apart: losses, the IoUs at the end, and their gap.

    "loss" is the mean of the last 20 steps; "highest" is the highest loss on training images at any look.
    """
    found = {"loss": fmean(outcome["losses"][-20:]), "highest": max(curve(outcome, "train", "loss").values())}
    found |= {part: outcome["looks"][-1][part]["iou"] for part in ("train", "validation")}
    return found | {"gap": found["train"] - found["validation"]}


def symptom_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the symptoms of a training, or the membrane's IoU on the batch that was learned by heart."""
    if "looks_by_heart" in outcome:
        return iter([{"score": "by heart", "value": list(outcome["looks_by_heart"].values())[-1]["iou"]}])
    return unnest(symptoms(outcome), "score")


def lettered(results: Results) -> dict[str, list[Outcome]]:
    """Return the outcomes of each case, seed by seed, under its letter; fewer where trainings are missing."""
    runs = pick(results.frame, score="gap")
    return {letter: [results[trial] for trial in pick(runs, variant=case)["trial"]] for letter, case in LETTERS.items()}


def table(results: Results) -> str:
    """Return the symptoms of every run, and their means over seeds."""
    frame, rows = results.frame, []
    for case in CASES:
        found = across(frame[frame["score"] != "by heart"], "score", variant=case)
        for seed, row in found.iterrows():
            rows.append({"case": case, "seed": seed, **row[["loss", "highest", "train", "validation", "gap"]]})
        if len(found) > 1:
            rows.append({"case": case, "seed": "mean [95 %, seeds]", "gap": interval(found["gap"])})
    lines = ["loss: last 20 steps, highest at a look; membrane IoU at the end: training, validation, gap; by seed"]
    lines.append(as_text(rows, "case", "seed"))
    for case, found in across(frame, "variant", score="by heart").items():
        lines.append(f"{case}, first batch by heart, membrane IoU: {each(found)}")
    return "\n".join(lines)


def make_trial(name: str, seed: int, by_heart: bool = False) -> Trial:
    """Return one training of a case, or the training that learns the case's first batch by heart."""
    case = replace(CASES[name], seed=seed)
    settings, columns = asdict(case) | {"device": "cpu"}, {"variant": name, "seed": seed}
    trial = f"{name.replace(' ', '-')}-seed{seed}"
    if not by_heart:
        return Trial(trial, settings, lambda: measure(case), columns, symptom_rows)
    settings |= {"steps": HEART_STEPS, "lr": HEART_RATE, "one_batch": True}
    return Trial(f"by-heart-{trial}", settings, lambda: learn_by_heart(name, seed), columns, symptom_rows)


TRIALS = [make_trial(name, seed) for seed, name in product(SEEDS, CASES)]
TRIALS += [make_trial(name, seed, by_heart=True) for seed, name in product(SEEDS, BY_HEART)]

EXPERIMENT = Experiment("sick_runs", "What do the curves of a sick training show of the cause?", tuple(TRIALS), table)
