"""How much do copies of the training images add to a score? A small U-Net, the same held-out copies known and unseen.

A seed takes eight images of the embedded set, four sources in each of two groups, A and B; no image serves two seeds.
Every source is copied with elastic deformations, as public reports do before they split. One network trains on copies
of A and is scored on further copies of A, whose sources it knows, and on copies of B, unseen; then A and B change
roles. So the same copies are scored once as known and once as unseen, and which group is harder cancels out.
"""

from collections.abc import Iterator, Mapping
from statistics import fmean

import torch
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Results, Trial
from unetpp_course.lab.loops import random_batches, train_steps
from unetpp_course.lab.results import unnest
from unetpp_course.lab.tables import across, interval
from unetpp_lib.data import SegmentationFolder, elastic_field, find_dataset, read_distractors, warp
from unetpp_lib.engine import choose_runtime
from unetpp_lib.engine.loop import seeded
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import UNet

GROUPS = ("A", "B")
SOURCES = 4  # a group
COPIES = 15  # of each source, itself included: a report's 14 and the slice
HELD_OUT = 3  # of each source's copies
SIDE, SIGMA = 128, 10.0  # pixels
WIDTHS = (8, 16, 32, 64)
BATCH, EPOCHS, RATE = 4, 12, 3e-3  # 12 steps an epoch, 144 in all: a notebook trains both directions
SEEDS = (0, 1, 2, 3, 4)
SCORES = {"white": "foreground", "membrane": "background"}
READ = (*SCORES, "distractors")


def draw_copies(group: str, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return a group's images, masks and distractor maps, (4, 15, 1, 128, 128) each: sources, their copies.

    Copy 0 is the middle of the source itself; each image has mean 0 and standard deviation 1 of its own.
    """
    folder = SegmentationFolder(find_dataset("membranes"))
    first = SOURCES * (len(GROUPS) * seed + GROUPS.index(group))
    generator = torch.Generator().manual_seed(first)
    parts = []
    for number in range(first, first + SOURCES):
        field = elastic_field(COPIES, SIDE, SIDE, 3, SIGMA, generator)
        field[0] = 0
        source = (*folder[number], read_distractors(folder.root, folder.names[number]))
        middle = [part[:, 64 : 64 + SIDE, 64 : 64 + SIDE].expand(COPIES, -1, -1, -1) for part in source]  # type: ignore[index]
        bent = warp(middle[0], field, "bilinear")
        normal = (bent - bent.mean((1, 2, 3), keepdim=True)) / bent.std((1, 2, 3), keepdim=True)
        parts.append((normal, *(warp(part, field, "nearest") for part in middle[1:])))
    images, masks, distractors = (torch.stack(part) for part in zip(*parts, strict=True))
    return images, masks, distractors


def train_epochs(images: Tensor, masks: Tensor, seed: int, epochs: int = EPOCHS, rate: float = RATE) -> Iterator[UNet]:
    """Train a U-Net on images and masks (N, 1, H, W), at a constant rate, and yield it after each epoch."""
    runtime = choose_runtime("cpu", "float32")
    with seeded(seed, runtime.device):
        network = UNet(widths=WIDTHS)
    runtime.place(network)
    batches = list(random_batches(images, masks, BATCH, epochs, seed))
    steps = train_steps(network, batches, lambda _: rate, runtime)
    for done, _ in enumerate(steps, start=1):
        if done % (len(batches) // epochs) == 0:
            yield network.eval()


@torch.inference_mode()
def segment(network: UNet, images: Tensor) -> Tensor:
    """Return a network's classes for images (N, 1, H, W), uint8, as many."""
    return torch.cat([classify(network(part)[0].sigmoid()) for part in torch.split(images, BATCH)])


def read_scores(labels: Tensor, masks: Tensor, distractors: Tensor) -> dict[str, float]:
    """Return the IoU of white and of membrane, pooled, and the share of the distractors that is called membrane."""
    counts = confusion_counts(labels, masks)
    scores = {name: iou(counts, of, "pooled") for name, of in SCORES.items()}  # type: ignore[arg-type]
    trapped = (labels[distractors > 0] == 0).float().mean().item()
    return {name: round(value, 5) for name, value in (scores | {"distractors": trapped}).items()}


def held_out(group: str, seed: int) -> list[Tensor]:
    """Return images, masks and distractor maps (12, 1, 128, 128) of the copies that no training sees."""
    return [part[:, -HELD_OUT:].flatten(0, 1) for part in draw_copies(group, seed)]


def train_on(group: str, seed: int) -> UNet:
    """Return the network of one direction, trained on a group's copies but for those held out."""
    images, masks, _ = (part[:, :-HELD_OUT].flatten(0, 1) for part in draw_copies(group, seed))
    *_, network = train_epochs(images, masks, seed)
    return network


def score_direction(network: UNet, group: str, seed: int) -> Outcome:
    """Return the scores of a network, trained on ``group``, on known and unseen copies, and of an all-white answer."""
    other = next(name for name in GROUPS if name != group)
    outcome = {}
    for reading, scored in {"known": group, "unseen": other}.items():
        images, masks, distractors = held_out(scored, seed)
        outcome[reading] = read_scores(segment(network, images), masks, distractors)
        outcome[f"{reading}, all white"] = read_scores(torch.ones_like(masks), masks, distractors)
    return outcome


def gain(outcome: Mapping[str, Outcome], score: str) -> float:
    """Return by how much a score is higher where the sources are known; mean over both directions."""
    return fmean(outcome[group]["known"][score] - outcome[group]["unseen"][score] for group in GROUPS)


def table(results: Results) -> str:
    """Return the scores by seed and direction and, from two seeds on, what known sources add."""
    lines = ["held-out copies, known and unseen: IoU of white, of membrane (pooled); distractors called membrane"]
    scores = across(results.frame, ["score", "output"], index=["seed", "group"])
    for (seed, group), row in scores.iterrows():
        cells = [f"{row[score, output]:.3f}" for score in READ for output in ("known", "unseen")]
        lines.append(f"seed{seed}  trained on {group}  " + "  ".join(cells))
    if len(results) > 1:
        lines.append("\nknown - unseen, mean of both directions: mean over seeds [95 % t-interval, seeds]")
        for score in READ:
            gains = (scores[score, "known"] - scores[score, "unseen"]).groupby("seed").mean()
            lines.append(f"{score:<13}{interval(gains)}")
    return "\n".join(lines)


def make_trial(seed: int) -> Trial:
    """Return one trial: both directions."""

    def measure() -> Outcome:
        return {group: score_direction(train_on(group, seed), group, seed) for group in GROUPS}

    settings = {
        "seed": seed, "sources": SOURCES, "copies": COPIES, "held_out": HELD_OUT, "side": SIDE, "sigma": SIGMA,
        "widths": WIDTHS, "batch": BATCH, "epochs": EPOCHS, "rate": RATE, "device": "cpu",
    }  # fmt: skip
    return Trial(f"seed{seed}", settings, measure, {"seed": seed}, lambda one: unnest(one, "group", "output", "score"))


QUESTION = "How much do copies of the training images add to a score?"
EXPERIMENT = Experiment("copies", QUESTION, tuple(map(make_trial, SEEDS)), table)
