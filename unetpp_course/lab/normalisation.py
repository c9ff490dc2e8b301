"""Batch norm or group norm, one image a step or four? U-Net on the embedded set, every network read in both modes.

Half the laptop preset's epochs, so that every training sees the same images as often; with one image a step it makes
four times as many steps. All arms have one learning rate, which may suit one better than another. No epoch is chosen:
the last network counts. Each network is then read several times, always with the same weights: as one uses it
(evaluation mode), in training mode with one image at a time and with four together, and in evaluation mode after its
running averages were taken anew.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from itertools import product

import pandas as pd
import torch
from torch import Tensor, nn

from unetpp_course.lab.base import Experiment, Outcome, Results, stack_images, training_trial
from unetpp_course.lab.loops import Batch
from unetpp_course.lab.results import rows_at
from unetpp_course.lab.tables import across, as_text, each, interval
from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import PRESETS, Run, TrainConfig, choose_runtime
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork, probabilities

NORMS = ("batch", "group")
BATCHES = (1, 4)
RATE = 3e-3  # the preset's
SEEDS = (0, 1, 2)
EPOCHS = 20
READINGS = ("evaluation", "training, one by one", "training, four together", "evaluation, averages anew")
EVALUATION, TRAINING, _, ANEW = READINGS

Reading = tuple[str, int, str]
"""The norm, the batch size, and how the network is read."""


def configuration(norm: str, batch: int, seed: int) -> TrainConfig:
    """Return the configuration of one training."""
    return replace(
        PRESETS["laptop"], model="unet", norm=norm, batch_size=batch, lr=RATE, seed=seed,  # type: ignore[arg-type]
        epochs=EPOCHS, evaluate_every=EPOCHS, checkpoint_seconds=600,
    )  # fmt: skip


@torch.no_grad()
def membrane_iou(model: SegmentationNetwork, images: Tensor, masks: Tensor, together: int = 1) -> float:
    """Return the membrane's IoU (pooled) of ``model`` in the mode that it is in, ``together`` images at a time."""
    p = torch.cat([probabilities(model(part)) for part in torch.split(images, together)])
    return iou(confusion_counts(classify(p), masks), of="background", average="pooled")


@torch.no_grad()
def take_averages_anew(model: SegmentationNetwork, images: Tensor, together: int) -> SegmentationNetwork:
    """Return a copy of ``model`` whose batch norms hold the plain means over all batches of ``images``."""
    model = deepcopy(model).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain mean, in place of one that forgets
    for part in torch.split(images, together):
        model(part)
    return model.eval()


def read_modes(run: Run) -> Outcome:
    """Return the membrane's IoU on the test images by reading, and on the validation images in evaluation mode."""
    model, card = run.load_model()
    model = choose_runtime("cpu", "float32").place(model)
    folder = SegmentationFolder(find_dataset(run.config.data))

    def read(names: Iterable[str]) -> Batch:
        images, masks = stack_images(folder, names)
        return card.normalise(images), masks

    test, in_training = read(run.split.test), deepcopy(model).train()  # a pass in training mode moves the averages
    anew = take_averages_anew(model, read(run.split.train)[0], run.config.batch_size)
    scores = [membrane_iou(model.eval(), *test)]
    scores += [membrane_iou(in_training, *test, together) for together in (1, 4)] + [membrane_iou(anew, *test)]
    validation = membrane_iou(model, *read(run.split.validation))
    return {"readings": dict(zip(READINGS, scores, strict=True)), "validation": validation}


def by_seed(results: Results) -> pd.DataFrame:
    """Return the membrane's IoU on the test images: seeds × (norm, batch, reading)."""
    found = across(results.frame, ["norm", "batch", "output"])
    return found.reindex(columns=list(product(NORMS, BATCHES, READINGS)))


COMPARED: dict[str, tuple[Reading, Reading]] = {
    "batch norm, batch 1: training mode less evaluation": (("batch", 1, TRAINING), ("batch", 1, EVALUATION)),
    "batch norm, batch 4: training mode less evaluation": (("batch", 4, TRAINING), ("batch", 4, EVALUATION)),
    "batch norm, batch 1: averages anew less as they were": (("batch", 1, ANEW), ("batch", 1, EVALUATION)),
    "batch 1, evaluation: group norm less batch norm": (("group", 1, EVALUATION), ("batch", 1, EVALUATION)),
    "batch 4, evaluation: group norm less batch norm": (("group", 4, EVALUATION), ("batch", 4, EVALUATION)),
    "batch norm, evaluation: batch 4 less batch 1": (("batch", 4, EVALUATION), ("batch", 1, EVALUATION)),
}
"""What is compared in pairs of a seed: the first minus the second."""


def table(results: Results) -> str:
    """Return every arm's scores by reading; then the differences, paired by seed."""
    scores = by_seed(results)
    rows = [
        {"arm": f"{norm} norm, batch {batch}", "read": reading, "by seed": each(found), "mean": found.mean()}
        for (norm, batch, reading), found in scores.dropna(axis=1, how="all").items()
    ]
    pairs = [
        {"pair": title, "by seed": each(apart, "+.3f"), "mean [95 % t-interval, seeds]": interval(apart)}
        for title, (one, other) in COMPARED.items()
        if (apart := (scores[one] - scores[other]).dropna()).size > 1
    ]
    parts = ["membrane IoU, test images, pooled", as_text(rows, "arm", "read"), "\npaired differences"]
    return "\n".join([*parts, as_text(pairs, "pair")])


TRIALS = tuple(
    training_trial(
        f"{norm}-batch{batch}-lr{RATE:g}-seed{seed}", configuration(norm, batch, seed), read_modes,
        columns={"norm": norm, "batch": batch}, rows=rows_at("readings", "output"),
    )
    for seed, norm, batch in product(SEEDS, NORMS, BATCHES)
)  # fmt: skip

EXPERIMENT = Experiment("normalisation", "Batch norm or group norm, one image a step or four?", TRIALS, table)
