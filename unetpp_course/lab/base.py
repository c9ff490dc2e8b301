"""How an experiment is run: each trial is measured once, and a stopped experiment goes on where it was."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from unetpp_course.lab.results import (
    Experiment,
    Outcome,
    Record,
    Results,
    Row,
    Trial,
    final_scores,
    read_records,
    read_results,
    results_folder,
)
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, read_split
from unetpp_lib.engine import Run, TrainConfig, choose_runtime, train
from unetpp_lib.engine.checkpoints import load_checkpoint
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.engine.runtime import provenance
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically, write_png
from unetpp_lib.models import SegmentationNetwork

__all__ = [
    "RUNS", "Experiment", "Outcome", "Results", "Row", "Trial", "copy_pairs", "last_network", "open_set",
    "read_answers", "read_results", "run_experiment", "stack_images", "trained", "training_trial", "write_pair",
]  # fmt: skip

RUNS = Path("runs", "experiments")

Answers = dict[str, dict[str, tuple[Tensor, Tensor]]]
"""By output and image: the probability and the mask, 1×1×H×W each."""


def run_experiment(experiment: Experiment, only: str = "*", folder: Path | None = None) -> Results:
    """Measure the trials that match ``only`` and are not in ``folder`` yet; return all results at hand.

    Stopped at any time, it goes on where it was: a finished trial is never measured again. Raises InputError where
    no trial matches, and where a result on disk was measured with other settings than the trial has now.
    """
    folder, name = folder or results_folder(), experiment.name
    chosen = [trial for trial in experiment.trials if fnmatchcase(trial.name, only)]
    if not chosen:
        names = ", ".join(trial.name for trial in experiment.trials)
        raise InputError(f"No trial of {name} matches {only!r}; it has {names}.")
    for number, trial in enumerate(chosen, start=1):
        if stored := read_records(name, folder).get(trial.name):
            _require_same_settings(name, trial, stored)
        else:
            print(f"{name}, trial {number} of {len(chosen)}: {trial.name}")
            result = {"command": f"python -m unetpp_course experiment {name} --only {trial.name}", **_measure(trial)}
            write_atomically(folder / name / f"{trial.name}.json", json.dumps(result, indent=1) + "\n")
    records = read_records(name, folder)
    at_hand = (trial.name for trial in experiment.trials if trial.name in records)
    return Results(experiment, {trial: records[trial] for trial in at_hand})


def _measure(trial: Trial) -> Record:
    start = time.perf_counter()
    outcome = trial.measure()
    seconds = round(time.perf_counter() - start, 1)
    runtime = choose_runtime(*(trial.settings.get(key, "auto") for key in ("device", "precision")))
    return {"settings": trial.settings, "outcome": outcome, "seconds": seconds, "provenance": provenance(runtime)}


def complete_settings(stored: Record, trial: Trial) -> dict[str, Any]:
    """Return the settings of a stored result; options that are younger than it had their defaults then."""
    defaults: dict[str, Any] = json.loads(TrainConfig().to_json())
    settings: dict[str, Any] = stored["settings"]
    return {key: defaults[key] for key in trial.settings if key in defaults} | settings


def _require_same_settings(name: str, trial: Trial, stored: Record) -> None:
    there = complete_settings(stored, trial)
    differ = [
        f"{key} is {trial.settings.get(key)} here and {there.get(key)} there"
        for key in {**there, **trial.settings}
        if trial.settings.get(key) != there.get(key)
    ]
    if differ:
        raise InputError(
            f"The stored result {trial.name} of {name} was measured with other settings: {'; '.join(differ)}. "
            "Move it away to measure again."
        )


def trained(config: TrainConfig, callback: Callable[[Trainer], None] | None = None) -> Run:
    """Return the finished run of ``config``, trained now or, where experiments share it, before.

    It is kept under runs/experiments/, named for the configuration. A stopped run is resumed, and calls ``callback``
    again only from the last checkpoint on: what that keeps belongs into the run's folder. Raises KeyboardInterrupt
    where Ctrl-C stopped the training; its state is saved.
    """
    out = RUNS / f"{Path(config.data).name}-{config.model}-{sha256(config.to_json().encode()).hexdigest()[:12]}"
    run = Run(out)
    if not run.is_finished:
        run = train(replace(config, out=out), resume=(out / "config.json").exists(), callback=callback)
    if not run.is_finished:
        raise KeyboardInterrupt
    return run


def training_trial(
    name: str,
    config: TrainConfig,
    read: Callable[[Run], Outcome] | None = None,
    callback: Callable[[Trainer], None] | None = None,
    write: Callable[[], None] | None = None,
    columns: Mapping[str, Any] | None = None,
    rows: Callable[[Outcome], Iterable[Row]] = final_scores,
    **settings: Any,
) -> Trial:
    """Return a trial that trains ``config``: its scores, its history, its seconds, and what ``read`` takes from it.

    The history has one entry per epoch, as `Run.history`; ``training_seconds`` is wall time without scoring and saving.
    ``write`` makes the data when the trial is measured; ``settings`` are what they depend on beyond the configuration.
    ``columns`` and ``rows`` are those of `Trial`; network, rate and seed are the configuration's unless given.
    """

    def measure() -> Outcome:
        if write:
            write()
        run = trained(config, callback)
        if "seconds" not in run.history[0]:
            raise InputError(f"{run.folder} was trained by an earlier version, in other steps. Move it away.")
        seconds = round(sum(epoch["seconds"] for epoch in run.history), 1)
        outcome: Outcome = {"scores": run.scores, "history": run.history, "training_seconds": seconds}
        return outcome | (read(run) if read else {})

    known = {"network": config.model, "rate": config.lr, "seed": config.seed, **(columns or {})}
    return Trial(name, json.loads(config.to_json()) | settings, measure, known, rows)


def read_answers(run: Run, names: Iterable[str], model: SegmentationNetwork | None = None) -> Answers:
    """Return what the run's network, or ``model``, says of images of the run's data, by output and image."""
    network, card = run.load_model()
    folder = SegmentationFolder(find_dataset(run.config.data), run.config.channels)
    runtime = choose_runtime(run.config.device, run.config.precision)
    network = runtime.place(network if model is None else model).eval()
    answers: Answers = {}
    for name in names:
        image, mask = folder[folder.index_of[name]]
        for output, probability in read_image_heads(network, image, card, runtime).items():
            answers.setdefault(output, {})[name] = probability.float(), mask[None]
    return answers


def open_set(data: str) -> tuple[SegmentationFolder, Split]:
    """Return a data set and the split that stands in its folder."""
    folder = SegmentationFolder(find_dataset(data))
    return folder, read_split(folder.root / "split.json")


def stack_images(folder: SegmentationFolder, names: Iterable[str]) -> tuple[Tensor, Tensor]:
    """Return images of one size and their masks: (N, C, H, W) in [0, 1] and (N, 1, H, W)."""
    images, masks = zip(*(folder[folder.index_of[name]] for name in names), strict=True)
    return torch.stack(images), torch.stack(masks)


def last_network(run: Run) -> SegmentationNetwork:
    """Return the network at the end of a run, whichever epoch scored best."""
    model, _ = run.load_model()
    model.load_state_dict(load_checkpoint(run.checkpoint)["model"])
    return model


def copy_pairs(source: Path, folder: Path) -> None:
    """Copy the images and masks of a data set."""
    for part in ("images", "masks"):
        copytree(source / part, folder / part, dirs_exist_ok=True)


def write_pair(folder: Path, name: str, image: Tensor, mask: Tensor) -> None:
    """Write an image (C, H, W) in [0, 1] and its mask (1, H, W) of 0 and 1 as PNG files of a data set."""
    for part, pixels in (("images", image), ("masks", mask.float())):
        grey = (pixels * 255).round().to(torch.uint8).permute(1, 2, 0).squeeze(2).numpy()
        write_png(folder / part / f"{name}.png", Image.fromarray(grey))
