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

from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from unetpp_course.lab.architectures import deepest
from unetpp_course.lab.base import RUNS, Experiment, Outcome, Results, Trial, read_answers, training_trial, write_pair
from unetpp_course.lab.results import Row
from unetpp_course.lab.tables import across, as_text
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, write_split
from unetpp_lib.engine import PRESETS, Run

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
        image, mask = (interpolate(pixels[None].float(), (SIDE, SIDE), mode="bilinear")[0] for pixels in slices[number])
        write_pair(folder, name, image, mask >= 0.5)
    held_out = sorted(np.random.default_rng(0).permutation(slices.names)[fold::FOLDS].tolist())
    train = tuple(name for name in slices.names if name not in held_out)
    write_split(Split(train, tuple(held_out), ()), folder / "split.json")  # last: all is there


def score(run: Run) -> Outcome:
    """Return the soft Dice of the slices held out, their mean, after the last step."""
    answers = read_answers(run, run.split.validation)
    return {"dice": round(mean(soft_dice(p[0], mask[0]) for p, mask in answers[deepest(answers)].values()), 5)}


def dice_rows(outcome: Outcome) -> list[Row]:
    """Return the soft Dice and the seconds of a training."""
    return [{"score": score, "value": outcome[score]} for score in ("dice", "training_seconds")]


def make_trial(steps: int, fold: int, source: str = "isbi2012", **changes: Any) -> Trial:
    """Return one training; its slices are written when it is measured. ``changes`` are options of the training."""
    folder = RUNS / "vendor_dice" / f"{Path(source).name}-fold{fold}"
    epochs = round(steps / (24 / CONFIG.batch_size))  # 24 slices learn, each one patch
    config = replace(CONFIG, data=folder.as_posix(), epochs=epochs, evaluate_every=epochs, seed=fold)
    return training_trial(
        f"steps{steps}-fold{fold}", replace(config, **changes), score, write=partial(write_fold, source, folder, fold),
        columns={"steps": steps, "fold": fold}, rows=dice_rows, side=SIDE, folds=FOLDS,
    )  # fmt: skip


def table(results: Results) -> str:
    """Return, for each number of steps, the mean Dice of its folds, their range, and the mean seconds of a fold."""
    rows = []
    for steps in results.frame["steps"].unique():
        found = across(results.frame, "score", index="fold", steps=steps)
        dice, seconds = found["dice"], found["training_seconds"]
        row = {"steps": steps, "folds": len(dice), "Dice": dice.mean()}
        row |= {"range": f"{dice.min():.3f} to {dice.max():.3f}", "seconds per fold": f"{seconds.mean():.0f}"}
        rows.append(row | {f"{CLAIM:.3f}": "reached" if len(dice) == FOLDS and dice.mean() >= CLAIM else ""})
    end = "Neighbouring slices stand on both sides: these scores are no measure of new tissue."
    return f"{as_text(rows, 'steps')}\n{end}"


QUESTION = "In how many seconds does a U-Net of widths 64 to 1024 reach NVIDIA's Dice, 0.890 by its own definition?"
TRIALS = tuple(make_trial(steps, fold) for steps, fold in product(STEPS, range(FOLDS)))

EXPERIMENT = Experiment("vendor_dice", QUESTION, TRIALS, table)
