"""Which IoU of nuclei is 0.84, and which 0.92? U-Net and UNet++ on `dsb2018`, by every definition of notebook 07.

The first arm, "small", goes the way of a much-used re-implementation (4uiiurz1's pytorch-nested-unet, whose README has
IoU .839 for U-Net, .842 for UNet++ and .843 with supervision): every image squeezed to 96×96, a random fifth held out,
batches of 16. That fifth is also what its epoch is chosen by, so both are read here, the best epoch and the last. Ours
are the widths (8 to 128), Adam at 3e-3 with a warm-up and a cosine, our augmentation, ½·BCE + Dice on every head. The
second arm, "whole", trains on patches of the images as they are, and scores whole images.

The seed draws the held-out fifth as well as the training. Images of one experiment may stand on both sides, for the
files do not say which belong together; so it is in the work that is compared with.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import copytree
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from unetpp_course.lab.architectures import deepest
from unetpp_course.lab.base import RUNS, Experiment, Outcome, Trial, training_trial
from unetpp_course.lab.intervals import t_interval
from unetpp_lib.data import SegmentationFolder, find_dataset, split_by_image, write_split
from unetpp_lib.engine import PRESETS, Run, choose_runtime
from unetpp_lib.engine.checkpoints import load_checkpoint
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.files import write_png
from unetpp_lib.metrics import classify, confusion_counts, iou, score_table

SOURCE = "dsb2018"
NETWORKS = {
    "unet": {"model": "unet"},
    "unetpp_plain": {"model": "unetpp", "deep_supervision": False},
    "unetpp": {"model": "unetpp"},
}
REPORTED = {"unet": (0.839, 0.9077), "unetpp_plain": (0.842, 0.9263), "unetpp": (0.843, 0.9252)}
"""The IoU of the re-implementation, and of the paper (DLMIA 2018, table 3)."""
SEEDS = (0, 1, 2)
HELD_OUT = 0.2
SIDE, BATCH = 96, 16
EPOCHS = ("best", "last")
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


def trial_name(arm: str, network: str, seed: int) -> str:
    """Return the name of one training."""
    return f"{arm}-{network}-seed{seed}"


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
        for part in ("images", "masks"):
            copytree(source / part, folder / part, dirs_exist_ok=True)
    else:
        nuclei = SegmentationFolder(source, channels=3)
        for number, name in enumerate(nuclei.names):
            for part, pixels in zip(("images", "masks"), squeeze(*nuclei[number]), strict=True):
                values = (pixels * 255).round().to(torch.uint8).permute(1, 2, 0).squeeze(2).numpy()
                write_png(folder / part / f"{name}.png", Image.fromarray(values))
    names = SegmentationFolder(folder, channels=3).names
    # held out as the validation part: the engine then looks at it after each epoch, and keeps the best network as well
    write_split(split_by_image(names, validation=HELD_OUT, test=0, seed=seed), folder / "split.json")


def batch_mean(counts: Tensor) -> float:
    """Return the foreground IoU pooled in each batch of 16 images, then averaged, as the re-implementation has it."""
    batches = torch.split(counts, BATCH)
    return sum(iou(batch, "foreground", "pooled") for batch in batches) / len(batches)


def read_epochs(run: Run) -> Outcome:
    """Return every score of the held-out images, by epoch (best, last) and reading."""
    model, card = run.load_model()
    folder = SegmentationFolder(find_dataset(run.config.data), run.config.channels)
    runtime = choose_runtime(run.config.device, run.config.precision)
    states = {"best": model.state_dict(), "last": load_checkpoint(run.checkpoint)["model"]}
    outcome: Outcome = {}
    for epoch, state in {name: {k: v.clone() for k, v in state.items()} for name, state in states.items()}.items():
        model.load_state_dict(state)
        model = runtime.place(model).eval()
        counts: dict[str, list[Tensor]] = {}
        for name in run.split.validation:
            image, mask = folder[folder.index_of[name]]
            for reading, probability in read_image_heads(model, image, card, runtime).items():
                counts.setdefault(reading, []).append(confusion_counts(classify(probability), mask[None]))
        joined = {reading: torch.cat(parts) for reading, parts in counts.items()}
        outcome[epoch] = {
            reading: {key: round(value, 5) for key, value in (score_table(c) | {IN_BATCHES: batch_mean(c)}).items()}
            for reading, c in joined.items()
        }
    return {"epochs": outcome}


def make_trial(arm: str, network: str, seed: int) -> Trial:
    """Return one trial: its images are written when it is measured."""
    config = replace(ARMS[arm], **NETWORKS[network], data=data_folder(arm, seed).as_posix(), seed=seed)  # type: ignore[arg-type]
    write = partial(write_data, arm, seed)
    return training_trial(trial_name(arm, network, seed), config, read_epochs, write=write, held_out=HELD_OUT)


def score(outcome: Outcome, key: str, epoch: str = "last") -> float:
    """Return one score of the held-out images, of the deepest head."""
    readings = outcome["epochs"][epoch]
    return float(readings[deepest(readings)][key])


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return every definition's value for each network, and how far UNet++ is ahead by it."""
    lines = []
    for arm in ARMS:
        found = {n: [s for s in SEEDS if trial_name(arm, n, s) in outcomes] for n in NETWORKS}
        at_hand = {network: seeds for network, seeds in found.items() if seeds}
        if not at_hand:
            continue
        header = "".join(f"{f'{network} ({len(seeds)})':>18}" for network, seeds in at_hand.items())
        lines.append(f"{f'{arm} images, deepest head (seeds)':<42}{header}")
        lines.append(f"{'epoch':<42}" + "".join(f"{epoch:>9}" for _ in at_hand for epoch in EPOCHS))
        for label, key in DEFINITIONS.items():
            means = [
                fmean(score(outcomes[trial_name(arm, network, seed)], key, epoch) for seed in seeds)
                for network, seeds in at_hand.items()
                for epoch in EPOCHS
            ]
            lines.append(f"{label:<42}" + "".join(f"{mean:>9.3f}" for mean in means))
        for network, seeds in at_hand.items():
            points = [f"{score(outcomes[trial_name(arm, network, seed)], IN_BATCHES):.3f}" for seed in seeds]
            lines.append(f"first row, last epoch, by seed: {network:<14}{'  '.join(points)}")
        lines.append("")
        for network in ("unetpp_plain", "unetpp"):
            seeds = sorted({*found[network]} & {*found["unet"]})
            if len(seeds) > 1:
                lines.append(f"last epoch, {network} less unet, paired by seed: mean [95 % t-interval, seeds]")
                for label, key in DEFINITIONS.items():
                    one, other = (
                        [score(outcomes[trial_name(arm, n, s)], key) for s in seeds] for n in (network, "unet")
                    )
                    lines.append(f"{label:<42}{t_interval([a - b for a, b in zip(one, other, strict=True)])}")
                lines.append("")
    reported = "; ".join(f"{network} {one:.3f} and {paper:.4f}" for network, (one, paper) in REPORTED.items())
    return "\n".join([*lines, f"reported by the re-implementation, and by the paper: {reported}"])


EXPERIMENT = Experiment(
    name="nuclei",
    question="Which IoU of nuclei is 0.84, and which 0.92?",
    trials=tuple(make_trial(arm, network, seed) for arm in ARMS for seed in SEEDS for network in NETWORKS),
    table=table,
)
