"""What choosing the epoch on the test images adds to their score.

A small U-Net trains on the embedded set's training images, cut in four, at the constant rate of a public report, and
the twelve images that it never sees (validation and test) are scored after each epoch. Afterwards every subset of a
size plays the test part: the epoch is chosen by its best score there, and the same network is scored on the others.
Over all subsets each image stands on both sides equally often, so no side is easier.
"""

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Results, Row, Trial, open_set, stack_images
from unetpp_course.lab.copies import BATCH, SCORES, WIDTHS, segment, train_epochs
from unetpp_course.lab.tables import across, interval
from unetpp_lib.data import SegmentationFolder
from unetpp_lib.metrics import confusion_counts, iou

SEEDS = (0, 1, 2, 3, 4)
EPOCHS, RATE = 20, 1e-3
SIZES = (1, 2, 4, 6)  # images of a test part


def read_images(folder: SegmentationFolder, names: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return images, each with mean 0 and standard deviation 1, and masks (N, 1, H, W)."""
    images, masks = stack_images(folder, names)
    return (images - images.mean((1, 2, 3), keepdim=True)) / images.std((1, 2, 3), keepdim=True), masks


def quarters(batch: Tensor) -> Tensor:
    """Cut images (N, 1, H, W) in four: (4N, 1, H/2, W/2)."""
    return torch.cat([half for rows in batch.chunk(2, dim=2) for half in rows.chunk(2, dim=3)])


def measure(seed: int) -> Outcome:
    """Return the IoU of each held-out image after each epoch, by score: a list of epochs, each a list of images."""
    folder, split = open_set("membranes")
    train_images, train_masks = (quarters(part) for part in read_images(folder, split.train))
    images, masks = read_images(folder, (*split.validation, *split.test))
    outcome: dict[str, list[list[float]]] = {name: [] for name in SCORES}
    for network in train_epochs(train_images, train_masks, seed, EPOCHS, RATE):
        counts = confusion_counts(segment(network, images), masks)
        for name, of in SCORES.items():
            outcome[name].append([round(iou(one[None], of), 5) for one in counts])  # type: ignore[arg-type]
    return outcome


def choose_epoch(epochs: NDArray[np.float64], test: Sequence[int]) -> tuple[float, float]:
    """Choose of a score (epochs, images) the epoch that is best on ``test``; return its mean there and elsewhere."""
    on_test = epochs[:, list(test)].mean(axis=1)
    best = int(on_test.argmax())
    return float(on_test[best]), float(np.delete(epochs[best], list(test)).mean())


def optimism(epochs: Sequence[Sequence[float]], size: int) -> float:
    """Return by how much the chosen epoch's score is too high; mean over all test parts of ``size`` images."""
    scores = np.asarray(epochs)
    pairs = [choose_epoch(scores, test) for test in combinations(range(scores.shape[1]), size)]
    return float(np.mean([reported - honest for reported, honest in pairs]))


def choice_rows(outcome: Outcome) -> list[Row]:
    """Return what choosing adds by score and size of the test part, in images."""
    cells = product(SCORES, SIZES)
    return [{"score": score, "images": size, "value": optimism(outcome[score], size)} for score, size in cells]


def table(results: Results) -> str:
    """Return what choosing adds, by score and size of the test part."""
    text = "epoch chosen on the test part: its score there - on the other images, by run; mean [95 % t-interval, runs]"
    for (score, size), values in across(results.frame, ["score", "images"]).items():
        runs = "  ".join(f"{value:+.3f}" for value in values)
        text += f"\n{score:<10}{size} images  {runs}   {interval(values)}".rstrip()
    return text


def make_trial(seed: int) -> Trial:
    """Return one run."""
    settings = {"seed": seed, "epochs": EPOCHS, "rate": RATE, "widths": WIDTHS, "batch": BATCH, "patch": 128}
    return Trial(f"seed{seed}", settings | {"device": "cpu"}, lambda: measure(seed), {"seed": seed}, choice_rows)


QUESTION = "What does choosing the epoch on the test images add to their score?"
EXPERIMENT = Experiment("epoch_choice", QUESTION, tuple(map(make_trial, SEEDS)), table)
