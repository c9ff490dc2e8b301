"""Three sick trainings beside a healthy one, looked at from the first step on: what their curves show of the cause.

A U-Net of depth 3 and widths 8 to 64, pieces of 128 × 128 pixels, four a step, 280 steps. Only the cause differs:
"over-fitting" trains on two images as they are, "rate too high" takes a hundred times the learning rate, and in
"labels with a bug" flips and turns reach the image and not its mask. At every look the network is read in evaluation
mode on up to four training images and on the validation images, with the masks as they are on disk.
Illustrations, three seeds each: another cause may draw the same curve. Beside them, whether a network can learn one
batch by heart is tried on a sound batch and on one with the bug.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice, product
from statistics import fmean

import torch
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Trial
from unetpp_course.lab.intervals import t_interval
from unetpp_lib.data import Augmentation, SegmentationFolder, find_dataset, read_split
from unetpp_lib.engine import Card, choose_runtime
from unetpp_lib.engine.batches import BatchPlan, Patches, channel_statistics, derived_seed, load_batches
from unetpp_lib.engine.loop import learning_rate, make_optimizer, prepare_batch, seeded, training_step
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

    images: int = 28
    """Training images: the first of the split."""
    augment: bool = True
    lr: float = 3e-3
    turned_without_mask: bool = False
    """Flips and quarter turns reach the image alone."""
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


def turn_without_mask(
    images: Tensor, masks: Tensor, generator: torch.Generator, then: Augmentation | None
) -> tuple[Tensor, Tensor]:
    """Flip and turn the images alone, which is the bug, and then augment images and masks as usual."""
    turned, _ = TURN(images, masks, generator)
    return (turned, masks) if then is None else then(turned, masks, generator)


class Bench:
    """What a training is made from, put together from the library's parts."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.folder = SegmentationFolder(find_dataset(case.data))
        split = read_split(self.folder.root / "split.json")
        self.train, self.validation = split.train[: case.images], split.validation
        indices = [self.folder.index_of[name] for name in self.train]
        mean, std = channel_statistics(self.folder, indices)
        self.card = Card(mean, std)
        patches = Patches(self.folder, indices, case.patch)
        plan = BatchPlan(patches, case.batch_size, case.steps, case.seed)  # an epoch has a step at least
        self.loader = load_batches(patches, plan, workers=0, pin=False)
        usual = Augmentation() if case.augment else None
        self.augment = partial(turn_without_mask, then=usual) if case.turned_without_mask else usual

    def prepare(self, images: Tensor, masks: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Return a batch as the network gets it: normalised, augmented, and with the case's bug."""
        seed = derived_seed(self.case.seed, step, 0)  # as the engine's first process
        return prepare_batch(images, masks, self.card, self.augment, seed)

    def read(self, names: tuple[str, ...]) -> tuple[Tensor, Tensor]:
        """Return whole images, normalised, and masks as they are on disk: (N, 1, H, W) each."""
        images, masks = zip(*(self.folder[self.folder.index_of[name]] for name in names), strict=True)
        return self.card.normalise(torch.stack(images)), torch.stack(masks)


def first_batch(name: str, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return the first batch of a case as its network gets it: images and masks (4, 1, 128, 128)."""
    bench = Bench(_seeded(name, seed))
    images, masks = next(iter(bench.loader))
    return bench.prepare(images, masks, step=0)


@torch.no_grad()
def look(model: SegmentationNetwork, images: Tensor, masks: Tensor) -> dict[str, float]:
    """Return the loss in evaluation mode, and the IoU of the membrane, pooled."""
    logits = torch.cat([model.eval()(image)[-1] for image in torch.split(images, 1)])
    score = iou(confusion_counts(classify(logits.sigmoid()), masks), of="background", average="pooled")
    return {"loss": round(bce_dice_loss(logits, masks).item(), 5), "iou": round(score, 5)}


def measure(case: Case) -> Outcome:
    """Return the looks of one training, and the loss of each of its steps."""
    bench = Bench(case)
    parts = {"train": bench.read(bench.train[:LOOKED_AT]), "validation": bench.read(bench.validation)}
    with seeded(case.seed, RUNTIME.device):
        model = RUNTIME.place(UNet(widths=case.widths))
    optimizer = make_optimizer(model)
    losses: list[float] = []
    looks: list[dict[str, object]] = []

    def note() -> None:
        looks.append({"step": len(losses)} | {part: look(model, *pair) for part, pair in parts.items()})

    note()
    for step, (images, masks) in enumerate(islice(bench.loader, case.steps)):
        images, masks = bench.prepare(images, masks, step)
        rate = learning_rate(step, case.steps, case.lr)
        loss = training_step(model.train(), optimizer, images, masks, rate, RUNTIME)
        losses.append(round(loss.item(), 5))
        if len(losses) % case.look_every == 0:
            note()
    return {"losses": losses, "looks": looks}


def learn_by_heart(name: str, seed: int) -> Outcome:
    """Train on a case's first batch alone, always the same; return the loss and the membrane's IoU on it by step.

    Group norm, so that training and evaluation do the same, and a constant rate.
    """
    images, masks = first_batch(name, seed)
    with seeded(seed, RUNTIME.device):
        model = RUNTIME.place(UNet(widths=Case.widths, norm="group"))
    optimizer = make_optimizer(model)
    looks = {}
    for step in range(1, HEART_STEPS + 1):
        training_step(model.train(), optimizer, images, masks, HEART_RATE, RUNTIME)
        if step % 40 == 0:
            looks[str(step)] = look(model, images, masks)
    return {"looks_by_heart": looks}


def curve(outcome: Outcome, part: str, what: str) -> dict[int, float]:
    """Return the "loss" or "iou" of a part, "train" or "validation", by step."""
    return {entry["step"]: entry[part][what] for entry in outcome["looks"]}


def symptoms(outcome: Outcome) -> dict[str, float]:
    """Return what tells the cases apart: losses, the IoUs at the end, and their gap.

    "loss" is the mean of the last 20 steps; "highest" is the highest loss on training images at any look.
    """
    last = outcome["looks"][-1]
    found = {part: last[part]["iou"] for part in ("train", "validation")}
    return {
        "loss": fmean(outcome["losses"][-20:]),
        "highest": max(curve(outcome, "train", "loss").values()),
        **found,
        "gap": found["train"] - found["validation"],
    }


def lettered(outcomes: Mapping[str, Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each case, seed by seed, under its letter; fewer where trainings are missing."""
    names = {letter: [trial_name(name, seed) for seed in SEEDS] for letter, name in LETTERS.items()}
    return {letter: [outcomes[name] for name in found if name in outcomes] for letter, found in names.items()}


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return the symptoms of every run, and their means over seeds."""
    lines = ["loss: last 20 steps, highest at a look; membrane IoU at the end: training, validation, gap"]
    for name in CASES:
        found = [symptoms(outcomes[trial]) for seed in SEEDS if (trial := trial_name(name, seed)) in outcomes]
        lines += [f"{name:<19}" + "  ".join(f"{value:8.3f}" for value in one.values()) for one in found]
        if len(found) > 1:
            gap = t_interval([one["gap"] for one in found])
            lines.append(f"{'':<19}gap, mean [95 % t-interval, seeds]: {gap}")
    for name in BY_HEART:
        names = (heart_name(name, seed) for seed in SEEDS)
        ends = [list(outcomes[trial]["looks_by_heart"].values())[-1]["iou"] for trial in names if trial in outcomes]
        if ends:
            lines.append(f"{name}, first batch by heart, membrane IoU: " + "  ".join(f"{end:.3f}" for end in ends))
    return "\n".join(lines)


def trial_name(name: str, seed: int) -> str:
    """Return the name of one training."""
    return f"{name.replace(' ', '-')}-seed{seed}"


def heart_name(name: str, seed: int) -> str:
    """Return the name of the training that learns a case's first batch by heart."""
    return f"by-heart-{trial_name(name, seed)}"


def _seeded(name: str, seed: int) -> Case:
    return Case(**asdict(CASES[name]) | {"seed": seed})


def make_trial(name: str, seed: int) -> Trial:
    """Return one trial."""
    case = _seeded(name, seed)
    settings = json.loads(json.dumps(asdict(case))) | {"device": "cpu"}
    return Trial(trial_name(name, seed), settings, lambda: measure(case))


def make_heart_trial(name: str, seed: int) -> Trial:
    """Return the trial that learns a case's first batch by heart."""
    settings = json.loads(json.dumps(asdict(_seeded(name, seed)))) | {
        "device": "cpu",
        "steps": HEART_STEPS,
        "lr": HEART_RATE,
        "one_batch": True,
    }
    return Trial(heart_name(name, seed), settings, lambda: learn_by_heart(name, seed))


EXPERIMENT = Experiment(
    name="sick_runs",
    question="What do the curves of a sick training show of the cause?",
    trials=(
        *(make_trial(name, seed) for seed, name in product(SEEDS, CASES)),
        *(make_heart_trial(name, seed) for seed, name in product(SEEDS, BY_HEART)),
    ),
    table=table,
)
