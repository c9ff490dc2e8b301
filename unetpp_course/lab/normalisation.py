"""Batch norm or group norm, one image a step or four? U-Net on the embedded set, every network read in both modes.

Half the laptop preset's epochs, so that every training sees the same images as often; with one image a step it makes
four times as many steps. All arms have one learning rate, which may suit one better than another. No epoch is chosen:
the last network counts. Each network is then read several times, always with the same weights: as one uses it
(evaluation mode), in training mode with one image at a time and with four together, and in evaluation mode after its
running averages were taken anew.
"""

from copy import deepcopy
from dataclasses import replace
from itertools import product

import pandas as pd
import torch
from torch import Tensor, nn

from unetpp_course.lab.base import Experiment, Outcome, Results, Trial, stack_images, training_trial
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
    test, validation, train = (
        (card.normalise(images), masks)
        for images, masks in (
            stack_images(folder, part) for part in (run.split.test, run.split.validation, run.split.train)
        )
    )
    in_training = deepcopy(model).train()  # a pass in training mode moves the running averages
    anew = take_averages_anew(model, train[0], run.config.batch_size)
    scores = (
        membrane_iou(model.eval(), *test),
        membrane_iou(in_training, *test),
        membrane_iou(in_training, *test, together=4),
        membrane_iou(anew, *test),
    )
    return {"readings": dict(zip(READINGS, scores, strict=True)), "validation": membrane_iou(model, *validation)}


def by_seed(results: Results) -> pd.DataFrame:
    """Return the membrane's IoU on the test images: seeds × (norm, batch, reading)."""
    found = across(results.frame, ["norm", "batch", "output"])
    return found.reindex(columns=list(product(NORMS, BATCHES, READINGS)))


COMPARED: dict[str, tuple[tuple[str, int, str], tuple[str, int, str]]] = {
    "batch norm, batch 1: training mode less evaluation": (
        ("batch", 1, "training, one by one"),
        ("batch", 1, "evaluation"),
    ),
    "batch norm, batch 4: training mode less evaluation": (
        ("batch", 4, "training, one by one"),
        ("batch", 4, "evaluation"),
    ),
    "batch norm, batch 1: averages anew less as they were": (
        ("batch", 1, "evaluation, averages anew"),
        ("batch", 1, "evaluation"),
    ),
    "batch 1, evaluation: group norm less batch norm": (("group", 1, "evaluation"), ("batch", 1, "evaluation")),
    "batch 4, evaluation: group norm less batch norm": (("group", 4, "evaluation"), ("batch", 4, "evaluation")),
    "batch norm, evaluation: batch 4 less batch 1": (("batch", 4, "evaluation"), ("batch", 1, "evaluation")),
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


def make_trial(norm: str, batch: int, seed: int) -> Trial:
    """Return the trial that trains one network and reads it in all modes."""
    name, columns = f"{norm}-batch{batch}-lr{RATE:g}-seed{seed}", {"norm": norm, "batch": batch}
    rows = rows_at("readings", "output")
    return training_trial(name, configuration(norm, batch, seed), read_modes, columns=columns, rows=rows)


EXPERIMENT = Experiment(
    name="normalisation",
    question="Batch norm or group norm, one image a step or four?",
    trials=tuple(make_trial(norm, batch, seed) for seed, norm, batch in product(SEEDS, NORMS, BATCHES)),
    table=table,
)
