"""NVIDIA's U-Net example says Dice 0.890, by its own definition: in how many seconds is it reached here.

The example (DeepLearningExamples, TensorFlow 2, U-Net medical; its README and code) shrinks the 30 slices to 388×388,
draws five folds among the shuffled slices, and after 6400 steps in batches of 8 scores the soft Dice of both classes,
squares below the line, as the mean over the six slices held out: 0.8902 in 8.6 minutes a fold, on one A100 in mixed
precision. Neighbouring slices stand on both sides of such folds, and background counts as much as cells do.

Ours are its widths, sizes, folds of such a kind, batches and score; the rest is this library's `full` preset: padded
convolutions (the example's are not, so it computes on 572×572), batch norm, ½·BCE + Dice, our augmentation, a cosine.
A training that is to be shorter gets a shorter cosine: so each number of steps is a training of its own.
A GPU's work: 6400 steps of 5.6 TFLOP. On two CPU cores one fold takes days.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from unetpp_course.lab.architectures import deepest
from unetpp_course.lab.base import RUNS, Experiment, Outcome, Trial, training_trial
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, write_split
from unetpp_lib.engine import PRESETS, Run, choose_runtime
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.files import write_png

SIDE, FOLDS = 388, 5
STEPS = (400, 1600, 6400)
CLAIM = 0.890
CONFIG = replace(
    PRESETS["full"], model="unet", widths=(64, 128, 256, 512, 1024), patch=SIDE, batch_size=8, compiled=True,
    checkpoint_seconds=600,
)  # fmt: skip


def soft_dice(foreground: Tensor, target: Tensor) -> float:
    """Return 2·Σpt / (Σp² + Σt²), the mean of both classes, of an image's probabilities and its truth, (1, H, W)."""
    p = torch.cat([1 - foreground, foreground]).double().flatten(1)
    t = torch.cat([1 - target, target]).double().flatten(1)
    return ((2 * (p * t).sum(1) + 1e-6) / ((p * p + t * t).sum(1) + 1e-6)).mean().item()


def write_fold(source: str, folder: Path, fold: int) -> None:
    """Write the slices at 388×388 and which of them the fold holds out."""
    if (folder / "split.json").exists():
        return
    slices = SegmentationFolder(find_dataset(source))
    for number, name in enumerate(slices.names):
        for part, pixels in zip(("images", "masks"), slices[number], strict=True):
            small = interpolate(pixels[None].float(), (SIDE, SIDE), mode="bilinear")[0, 0]
            grey = small if part == "images" else (small >= 0.5).float()
            write_png(folder / part / f"{name}.png", Image.fromarray((grey * 255).round().to(torch.uint8).numpy()))
    order = np.random.default_rng(0).permutation(len(slices.names))
    held_out = {slices.names[place] for place in order[fold::FOLDS]}
    train = tuple(name for name in slices.names if name not in held_out)
    write_split(Split(train, tuple(sorted(held_out)), ()), folder / "split.json")  # last: all is there


def score(run: Run) -> Outcome:
    """Return the soft Dice of the slices held out, their mean, after the last step."""
    model, card = run.load_model()
    folder = SegmentationFolder(find_dataset(run.config.data))
    runtime = choose_runtime(run.config.device, run.config.precision)
    model, scores = runtime.place(model).eval(), []
    for name in run.split.validation:
        image, mask = folder[folder.index_of[name]]
        readings = read_image_heads(model, image, card, runtime)
        scores.append(soft_dice(readings[deepest(readings)][0], mask))
    return {"dice": round(mean(scores), 5)}


def make_trial(steps: int, fold: int, source: str = "isbi2012", **changes: Any) -> Trial:
    """Return one training; its slices are written when it is measured. ``changes`` are options of the training."""
    folder = RUNS / "vendor_dice" / f"{Path(source).name}-fold{fold}"
    epochs = round(steps / (24 / CONFIG.batch_size))  # 24 slices learn, each one patch
    config = replace(CONFIG, data=folder.as_posix(), epochs=epochs, evaluate_every=epochs, seed=fold)
    write = partial(write_fold, source, folder, fold)
    name = f"steps{steps}-fold{fold}"
    return training_trial(name, replace(config, **changes), score, write=write, side=SIDE, folds=FOLDS)


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return, for each number of steps, the mean Dice of its folds, their range, and the mean seconds of a fold."""
    lines = ["steps   folds   Dice    range           seconds a fold"]
    for steps in STEPS:
        found = [outcomes[name] for fold in range(FOLDS) if (name := f"steps{steps}-fold{fold}") in outcomes]
        if found:
            dice = [outcome["dice"] for outcome in found]
            seconds = mean(outcome["training_seconds"] for outcome in found)
            reached = f", {CLAIM:.3f} reached" * (len(found) == FOLDS and mean(dice) >= CLAIM)
            span = f"{min(dice):.3f} to {max(dice):.3f}"
            lines.append(f"{steps:<8}{len(found):<8}{mean(dice):<8.3f}{span:<16}{seconds:.0f}{reached}")
    return "\n".join([*lines, "Neighbouring slices stand on both sides: these scores are no measure of new tissue."])


EXPERIMENT = Experiment(
    name="vendor_dice",
    question="In how many seconds does a U-Net of widths 64 to 1024 reach NVIDIA's Dice, 0.890 by its own definition?",
    trials=tuple(make_trial(steps, fold) for steps in STEPS for fold in range(FOLDS)),
    table=table,
)
