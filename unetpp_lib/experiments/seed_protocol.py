"""The seed report's own protocol as one command: it leaks, and `leakage` and notebook 08 say how and how much.

30 slices of 512×512, 14 elastic copies of each, then a random fifth of the 450 held out; batch 1, Adam at 1e-3, ten
epochs, networks of full width. What the report leaves open is ours: group norm, for batch norm would train and score
with different statistics at batch 1; ½·BCE + Dice on every head; a warm-up before the rate and a cosine after it; no
further augmentation. The held-out fifth is scored after each epoch, which costs time but changes no weight.
A GPU's work: 3600 steps of 714 GFLOP for UNet++, 289 for U-Net. On two CPU cores it takes hours.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from unetpp_lib.data import SegmentationFolder, elastic_field, find_dataset, split_by_image, warp, write_split
from unetpp_lib.engine import PRESETS
from unetpp_lib.experiments.base import RUNS, Experiment, Outcome, Trial, training_trial
from unetpp_lib.experiments.leakage import copy_name
from unetpp_lib.files import write_png

NETWORKS = ("unet", "unetpp")
SEEDS = (0, 1, 2)
COPIES = 14
HELD_OUT = 0.2
CLAIM = {"unet": 0.953, "unetpp": 0.978}  # IoU of white, as the report gives it
WHITE, MEMBRANE = "iou/foreground/pooled", "iou/background/pooled"
CONFIG = replace(
    PRESETS["full"], norm="group", epochs=10, batch_size=1, patch=512, lr=1e-3, augment=False, evaluate_every=1
)


def trial_name(network: str, seed: int) -> str:
    """Return the name of one training."""
    return f"{network}-seed{seed}"


def write_copies(source: str, folder: Path, seed: int) -> None:
    """Write every slice and its copies, as 8-bit images and masks, and the random split over all of them."""
    if (folder / "split.json").exists():
        return
    slices = SegmentationFolder(find_dataset(source))
    for number, name in enumerate(slices.names):
        image, mask = slices[number]
        field = elastic_field(COPIES, image.shape[1], image.shape[2], 3, 10.0, torch.Generator().manual_seed(number))
        images = torch.cat([image[None], warp(image.expand(COPIES, -1, -1, -1), field, "bilinear")])
        masks = torch.cat([mask[None], warp(mask.expand(COPIES, -1, -1, -1), field, "nearest")])
        for part, pixels in (("images", images), ("masks", masks.float())):
            for copy, grey in enumerate((pixels[:, 0] * 255).round().to(torch.uint8).numpy()):
                write_png(folder / part / f"{copy_name(name, copy)}.png", Image.fromarray(grey))
    names = [copy_name(name, copy) for name in slices.names for copy in range(COPIES + 1)]
    write_split(
        split_by_image(names, validation=HELD_OUT, test=0, seed=seed), folder / "split.json"
    )  # last: all is there


def make_trial(network: str, seed: int, source: str = "isbi2012", **changes: Any) -> Trial:
    """Return one trial, its copies drawn when it is measured; ``changes`` are options of its training."""
    folder = RUNS / "seed_protocol" / f"{Path(source).name}-seed{seed}"
    config = replace(CONFIG, data=folder.as_posix(), model=network, seed=seed)  # type: ignore[arg-type]
    write = partial(write_copies, source, folder, seed)
    name = trial_name(network, seed)
    return training_trial(name, replace(config, **changes), write=write, copies=COPIES, held_out=HELD_OUT)


def epoch_scores(outcome: Outcome, key: str) -> list[float]:
    """Return a score of the held-out fifth after each epoch: UNet++ answers with its deepest head, as U-Net does."""
    epochs = [epoch["validation"] for epoch in outcome["history"]]
    return [readings[[row for row in readings if row.startswith("head")][-1]][key] for readings in epochs]


def seconds_until(outcome: Outcome, network: str) -> float | None:
    """Return the seconds of training, scoring left out, to the report's own IoU; None where it is not reached."""
    history = outcome["history"]
    images = history[0]["step"] * CONFIG.batch_size  # of one epoch
    seconds: float = 0
    for epoch, score in zip(history, epoch_scores(outcome, WHITE), strict=True):
        seconds += images / epoch["images_per_second"]
        if score >= CLAIM[network]:
            return seconds
    return None


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return each training's scores after its last epoch, its seconds, and those to the report's IoU."""
    lines = [f"{'':16}white   membrane  all white  seconds  to the report's IoU of white"]
    for network in NETWORKS:
        for name in [trial_name(network, seed) for seed in SEEDS if trial_name(network, seed) in outcomes]:
            outcome = outcomes[name]
            white, membrane = (epoch_scores(outcome, key)[-1] for key in (WHITE, MEMBRANE))
            trivial = outcome["scores"]["scores"]["all foreground"][WHITE]
            reached = seconds_until(outcome, network)
            verdict = "not reached" if reached is None else f"{reached:.0f} s"
            cells = f"{white:<8.3f}{membrane:<10.3f}{trivial:<11.3f}{outcome['training_seconds']:<9.0f}"
            lines.append(f"{name:<16}{cells}{CLAIM[network]:.3f}: {verdict}")
    return "\n".join([*lines, "Copies of every slice stand on both sides: these scores are no measure of new tissue."])


EXPERIMENT = Experiment(
    name="seed_protocol",
    question="What do the report's own steps give, copies before the split included, and in how many seconds?",
    trials=tuple(make_trial(network, seed) for seed in SEEDS for network in NETWORKS),
    table=table,
)
