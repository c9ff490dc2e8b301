"""What does it take to do better on real tissue? U-Net on the blocked folds of `folds`, trained four times as long.

Tried: the longer schedule, with and without augmentation; the average of the weights after each epoch of the schedule's
last quarter; the mean over the image's flips and turns at test time. In each fold the validation slices choose among
them, as they chose the learning rate and choose the threshold; so the row "chosen" is what anyone gets who does the
same, and the rows above it are no choice. The start is U-Net as `folds` has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Trial, read_results, training_trial
from unetpp_course.lab.folds import FOLDS, LAPTOP, SCORES, intervals, score_reading, values_of, write_fold
from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import Run, TrainConfig, choose_runtime, load_model, predict, save_model
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork

NETWORK = "unet"
EPOCHS = 32
AVERAGED = EPOCHS // 4
ARMS = {"long": {}, "long, not augmented": {"augment": False}}
SEEDS = (0, 1, 2)
START, CHOSEN = "start: U-Net of folds", "chosen"
PAIRS = (
    ("long, last weights", START),
    (CHOSEN, START),
    ("long, not augmented, last weights", "long, last weights"),
    ("long, last weights, flips", "long, last weights"),
    ("long, average of weights", "long, last weights"),
)
COMPARED = ("white", "membrane", "v_rand")


def trial_name(arm: str, fold: int, seed: int) -> str:
    """Return the name of one training."""
    return f"{arm.replace(', ', '-').replace(' ', '-')}-fold{fold}-seed{seed}"


def configuration(arm: str, fold: int, seed: int) -> TrainConfig:
    """Return the configuration of one training: that of `folds`, but for the schedule and what the arm changes."""
    start = LAPTOP.configuration(NETWORK, fold, seed)
    return replace(start, epochs=EPOCHS, evaluate_every=EPOCHS, **ARMS[arm])  # type: ignore[arg-type]


def keep_weights(training: Trainer) -> None:
    """Keep the weights after each epoch of the schedule's last quarter, in the run's folder; say how far it is."""
    epoch, step = divmod(training.step, training.plan.steps_per_epoch)
    if step == 0:
        print(f"epoch {epoch} of {EPOCHS}, loss {training.history.last_loss:.3f}", flush=True)
    if step == 0 and epoch > EPOCHS - AVERAGED:
        save_model(training.model, training.run.folder / f"epoch{epoch}.safetensors", training.card)


def average_weights(run: Run) -> SegmentationNetwork:
    """Return a network whose weights, and running statistics, are the mean over the epochs that were kept."""
    networks = [load_model(path)[0] for path in sorted(run.folder.glob("epoch*.safetensors"))]
    average, states = networks[0], [network.state_dict() for network in networks]
    average.load_state_dict({key: torch.stack([s[key].double() for s in states]).mean(0) for key in states[0]})
    return average


def score_readings(run: Run) -> Outcome:
    """Return the scores of both networks, with and without flips, as `folds` has them, and their validation IoU."""
    last, card = run.load_model()
    folder = SegmentationFolder(find_dataset(run.config.data))
    runtime = choose_runtime(run.config.device, run.config.precision)
    readings = {}
    for name, model in {"last weights": last, "average of weights": average_weights(run)}.items():
        for flips in (False, True):
            found: dict[str, tuple[Tensor, Tensor]] = {}
            for slice_name in (*run.split.validation, *run.split.test):
                image, mask = folder[folder.index_of[slice_name]]
                probability = predict(model, image, card, average_flips=flips, runtime=runtime)
                found[slice_name] = probability[None], mask[None]
            looks = [confusion_counts(classify(found[n][0]), found[n][1]) for n in run.split.validation]
            validation = round(iou(torch.cat(looks), "background", "pooled"), 5)
            readings[name + ", flips" * flips] = score_reading(found, run.split) | {"validation": validation}
    return {"readings": readings}


def make_trial(arm: str, fold: int, seed: int) -> Trial:
    """Return one trial: its fold is written when it is measured."""
    name, config, write = trial_name(arm, fold, seed), configuration(arm, fold, seed), partial(write_fold, fold)
    return training_trial(name, config, score_readings, keep_weights, write, averaged=AVERAGED)


def complete_seeds(outcomes: Mapping[str, Outcome]) -> list[int]:
    """Return the seeds of which all trainings are at hand."""
    return [s for s in SEEDS if all(trial_name(arm, fold, s) in outcomes for arm in ARMS for fold in FOLDS)]


def choices(outcomes: Mapping[str, Outcome], seed: int) -> list[tuple[str, str]]:
    """Return, by fold, the arm and reading with the best membrane IoU (pooled) on the fold's validation slices."""
    chosen = []
    for fold in FOLDS:
        found = {
            (arm, reading): scores["validation"]
            for arm in ARMS
            for reading, scores in outcomes[trial_name(arm, fold, seed)]["readings"].items()
        }
        chosen.append(max(found, key=lambda pair: found[pair]))
    return chosen


def by_slice(outcomes: Mapping[str, Outcome], picks: Sequence[tuple[str, str]], seed: int, score: str) -> list[float]:
    """Return a score of each slice of the stack, in its order, given each fold's arm and reading."""
    found = [(outcomes[trial_name(arm, fold, seed)], reading) for fold, (arm, reading) in enumerate(picks)]
    return [value for outcome, reading in found for value in values_of(outcome, score, reading)]


def start_by_slice(score: str, seeds: Sequence[int]) -> NDArray[np.float64]:
    """Return what `folds` stores of U-Net, (seeds, 30)."""
    return LAPTOP.by_slice(read_results(LAPTOP.name), NETWORK, score, seeds=seeds)


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return the scores of all that was tried and of what was chosen, and what each step adds, slice by slice."""
    seeds = complete_seeds(outcomes)
    if not seeds:
        return "no seed has all folds yet"
    readings = list(outcomes[trial_name("long", 0, seeds[0])]["readings"])
    rows = {f"{arm}, {reading}": [[(arm, reading)] * len(FOLDS)] * len(seeds) for arm in ARMS for reading in readings}
    rows[CHOSEN] = [choices(outcomes, seed) for seed in seeds]
    values = {START: {score: start_by_slice(score, seeds) for score in SCORES}}
    for row, picks in rows.items():
        values[row] = {
            score: np.array([by_slice(outcomes, pick, seed, score) for pick, seed in zip(picks, seeds, strict=True)])
            for score in SCORES
        }
    lines = [f"{f'mean over the 30 slices; seeds: {len(seeds)}':<50}" + "".join(f"{score:<12}" for score in SCORES)]
    lines += [
        f"{row:<50}" + "".join(f"{found.mean():<12.3f}" for found in scores.values()) for row, scores in values.items()
    ]
    lines += ["", "paired: mean [95 %: t over the folds] [t over the seeds, from two on] [blocks of slices]"]
    lines += [
        f"{score:<10}{one}, less {other}:  {intervals(values[one][score] - values[other][score])}"
        for score in COMPARED
        for one, other in PAIRS
        if one in values
    ]
    picked = [(fold, *pick, seed) for seed in seeds for fold, pick in enumerate(choices(outcomes, seed))]
    best = [outcomes[trial_name(a, fold, seed)]["readings"][r]["best"]["v_rand"] for fold, a, r, seed in picked]
    lines += ["", f"chosen, with the best threshold of each fold's test slices: V_rand {fmean(best):.3f}"]
    return "\n".join([*lines, *(f"seed {seed}, fold {fold}: {arm}, {reading}" for fold, arm, reading, seed in picked)])


EXPERIMENT = Experiment(
    name="best_model",
    question="What does it take to do better on real tissue?",
    trials=tuple(make_trial(arm, fold, seed) for seed in SEEDS for fold in FOLDS for arm in ARMS),
    table=table,
)
