"""Which IoU of nuclei is 0.84, and which 0.92? U-Net and UNet++ on `dsb2018`, by every definition of notebook 07.

The first arm, "small", goes the way of a much-used re-implementation (4uiiurz1's pytorch-nested-unet, whose README has
IoU .839 for U-Net, .842 for UNet++ and .843 with supervision): every image squeezed to 96×96, a random fifth held out,
batches of 16. That fifth is also what its epoch is chosen by, so both are read here, the best epoch and the last. Ours
are the widths (8 to 128), Adam at 3e-3 with a warm-up and a cosine, our augmentation, ½·BCE + Dice on every head. The
second arm, "whole", trains on patches of the images as they are, and scores whole images.

The seed draws the held-out fifth as well as the training. Images of one experiment may stand on both sides, for the
files do not say which belong together; so it is in the work that is compared with.
"""

from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from unetpp_course.lab import architectures, base
from unetpp_course.lab.architectures import DEEPEST
from unetpp_course.lab.base import RUNS, Experiment, Outcome, Results, Trial
from unetpp_course.lab.results import rows_at
from unetpp_course.lab.tables import across, as_text, each, interval
from unetpp_lib.data import SegmentationFolder, find_dataset, split_by_image, write_split
from unetpp_lib.engine import PRESETS, Run
from unetpp_lib.metrics import classify, confusion_counts, iou, score_table

SOURCE = "dsb2018"
NETWORKS = {name: architectures.NETWORKS[name] for name in ("unet", "unetpp_plain", "unetpp")}
REPORTED = {"unet": (0.839, 0.9077), "unetpp_plain": (0.842, 0.9263), "unetpp": (0.843, 0.9252)}
"""The IoU of the re-implementation, and of the paper (DLMIA 2018, table 3)."""
SEEDS = (0, 1, 2)
HELD_OUT = 0.2
SIDE, BATCH = 96, 16
IN_BATCHES = "iou/foreground/batches"
DEFINITIONS = {
    "IoU of nuclei, pooled in batches of 16": IN_BATCHES,
    "IoU of nuclei, mean of images": "iou/foreground/image",
    "IoU of nuclei, pooled": "iou/foreground/pooled",
    "IoU, mean of both classes, mean of images": "iou/classes/image",
    "IoU, mean of both classes, pooled": "iou/classes/pooled",
    "IoU of background, mean of images": "iou/background/image",
    "IoU of background, pooled": "iou/background/pooled",
    "Dice of nuclei, mean of images": "dice/foreground/image",
    "Dice of nuclei, pooled": "dice/foreground/pooled",
    "Dice, mean of both classes, pooled": "dice/classes/pooled",
    "share of right pixels": "pixel_accuracy/pooled",
}
COMMON = replace(PRESETS["laptop"], channels=3, evaluate_every=1, checkpoint_seconds=600)
ARMS = {
    "small": replace(COMMON, epochs=30, patch=SIDE, batch_size=BATCH),
    "whole": replace(COMMON, epochs=2, patch=128, batch_size=8),  # as many pixels as 35 epochs of the small images
}


def data_folder(arm: str, seed: int) -> Path:
    """Return where the images of an arm stand, with the split of a seed."""
    return RUNS / "nuclei" / f"{SOURCE}-{arm}-seed{seed}"


def squeeze(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return an image (C, H, W) and its mask (1, H, W) at 96×96: smoothed alike, and the mask cut at a half.

    The nearest pixel would move the mask by up to half a pixel against the image, which flips turn to either side.
    """
    both = torch.cat([image, mask.float()])[None]
    small = interpolate(both, (SIDE, SIDE), mode="bilinear", antialias=True)[0]
    return small[:-1], (small[-1:] >= 0.5).float()


def write_data(arm: str, seed: int) -> None:
    """Write the images of one arm, and which fifth of them the seed holds out."""
    folder, source = data_folder(arm, seed), find_dataset(SOURCE)
    if (folder / "split.json").exists():
        return
    if arm == "whole":
        base.copy_pairs(source, folder)
    else:
        nuclei = SegmentationFolder(source, channels=3)
        for number, name in enumerate(nuclei.names):
            base.write_pair(folder, name, *squeeze(*nuclei[number]))
    names = SegmentationFolder(folder, channels=3).names
    # held out as the validation part: the engine then looks at it after each epoch, and keeps the best network as well
    write_split(split_by_image(names, validation=HELD_OUT, test=0, seed=seed), folder / "split.json")


def batch_mean(counts: Tensor) -> float:
    """Return the foreground IoU pooled in each batch of 16 images, then averaged, as the re-implementation has it."""
    batches = torch.split(counts, BATCH)
    return sum(iou(batch, "foreground", "pooled") for batch in batches) / len(batches)


def read_epochs(run: Run) -> Outcome:
    """Return every score of the held-out images, by epoch (best, last) and output."""
    outcome: Outcome = {}
    for epoch, model in {"best": None, "last": base.last_network(run)}.items():
        outcome[epoch] = {}
        for output, answers in base.read_answers(run, run.split.validation, model).items():
            counts = torch.cat([confusion_counts(classify(p), mask) for p, mask in answers.values()])
            scores = score_table(counts) | {IN_BATCHES: batch_mean(counts)}
            outcome[epoch][output] = {key: round(value, 5) for key, value in scores.items()}
    return {"epochs": outcome}


def make_trial(arm: str, network: str, seed: int) -> Trial:
    """Return one trial: its images are written when it is measured."""
    config = replace(ARMS[arm], **NETWORKS[network], data=data_folder(arm, seed).as_posix(), seed=seed)
    columns = {"network": network, "variant": arm}
    return base.training_trial(
        f"{arm}-{network}-seed{seed}", config, read_epochs, write=partial(write_data, arm, seed), columns=columns,
        rows=rows_at("epochs", "epoch", "output", "score"), held_out=HELD_OUT,
    )  # fmt: skip


def by_seed(results: Results, arm: str, key: str, epoch: str = "last") -> pd.DataFrame:
    """Return a score of the held-out images, of the deepest head: seeds × networks."""
    found = across(results.frame, "network", variant=arm, epoch=epoch, output=DEEPEST, score=key)
    return found.reindex(columns=list(NETWORKS))


def table(results: Results) -> str:
    """Return every definition's value for each network, and how far UNet++ is ahead by it."""
    lines = []
    for arm in results.frame["variant"].unique():
        means, leads = [], []
        for label, key in DEFINITIONS.items():
            found = {epoch: by_seed(results, arm, key, epoch) for epoch in ("best", "last")}
            cells = {f"{network}, {epoch}": found[epoch][network].mean() for network, epoch in product(NETWORKS, found)}
            means.append({"score": label, **cells})
            last = found["last"]
            ahead = {f"{name} minus unet": interval(last[name] - last["unet"]) for name in NETWORKS if name != "unet"}
            leads.append({"score": label, **ahead})
        last = by_seed(results, arm, IN_BATCHES)
        points = "; ".join(f"{network} {each(values.dropna())}" for network, values in last.items())
        counts = ", ".join(f"{network} {count}" for network, count in last.count().items())
        lines += [f"{arm} images, deepest head, best and last epoch: mean over seeds ({counts})"]
        lines += [as_text(means, "score"), f"first row, last epoch, by seed: {points}", ""]
        lines += [f"{arm} images, last epoch, paired by seed: mean [95 %, seeds]", as_text(leads, "score"), ""]
    reported = "; ".join(f"{network} {one:.3f} and {paper:.4f}" for network, (one, paper) in REPORTED.items())
    return "\n".join([*lines, f"reported by the re-implementation, and by the paper: {reported}"])


TRIALS = tuple(make_trial(arm, network, seed) for arm, seed, network in product(ARMS, SEEDS, NETWORKS))

EXPERIMENT = Experiment("nuclei", "Which IoU of nuclei is 0.84, and which 0.92?", TRIALS, table)
