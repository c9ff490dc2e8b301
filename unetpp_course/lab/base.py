"""An experiment: a list of trials, each measured once and kept as one JSON file, and a table of what they say."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from unetpp_course.shipped import course_files
from unetpp_lib.engine import Run, TrainConfig, choose_runtime, train
from unetpp_lib.engine.runtime import provenance
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

Outcome = dict[str, Any]
"""What a trial measured; JSON."""

RUNS = Path("runs", "experiments")


@dataclass(frozen=True)
class Trial:
    """One measurement of an experiment."""

    name: str
    """Also the name of its file."""
    settings: Mapping[str, Any]
    """Everything that its outcome depends on, seed included; JSON."""
    measure: Callable[[], Outcome]
    """Makes the measurement."""


@dataclass(frozen=True)
class Experiment:
    """A question, the trials that answer it, and how their outcomes become a table."""

    name: str
    question: str
    trials: tuple[Trial, ...]
    table: Callable[[Mapping[str, Outcome]], str]
    """Given the outcomes at hand by trial, which may not be all yet."""


def results_folder(name: str) -> Path:
    """Return where the clone keeps an experiment's results; InputError where there is no clone."""
    return course_files("results") / name


def read_results(name: str, folder: Path | None = None) -> dict[str, Outcome]:
    """Return the outcomes of an experiment by trial, as they stand in ``folder`` (default: the clone's results).

    Raises InputError where there are none, or a file is damaged.
    """
    folder = folder or results_folder(name)
    outcomes = {path.stem: _read(path)["outcome"] for path in sorted(folder.glob("*.json"))}
    if not outcomes:
        raise InputError(f"{folder} holds no results. Measure them with: python -m unetpp_course experiment {name}")
    return outcomes


def run_experiment(experiment: Experiment, only: str = "*", folder: Path | None = None) -> dict[str, Outcome]:
    """Measure the trials that match ``only`` and are not in ``folder`` yet; return all outcomes at hand by trial.

    Stopped at any time, it goes on where it was: a finished trial is never measured again. Raises InputError where
    no trial matches, and where a result on disk was measured with other settings than the trial has now.
    """
    folder = folder or results_folder(experiment.name)
    chosen = [trial for trial in experiment.trials if fnmatchcase(trial.name, only)]
    if not chosen:
        raise InputError(f"No trial of {experiment.name} matches {only!r}; it has {_names(experiment)}.")
    for number, trial in enumerate(chosen, start=1):
        path = folder / f"{trial.name}.json"
        if path.exists():
            _require_same_settings(trial, path)
            continue
        print(f"{experiment.name}, trial {number} of {len(chosen)}: {trial.name}")
        start = time.perf_counter()
        outcome = trial.measure()
        result = {
            "command": f"python -m unetpp_course experiment {experiment.name} --only {trial.name}",
            "settings": trial.settings,
            "outcome": outcome,
            "seconds": round(time.perf_counter() - start, 1),
            "provenance": provenance(
                choose_runtime(trial.settings.get("device", "auto"), trial.settings.get("precision", "auto"))
            ),
        }
        write_atomically(path, json.dumps(result, indent=1) + "\n")
    at_hand = {trial.name: folder / f"{trial.name}.json" for trial in experiment.trials}
    return {name: _read(path)["outcome"] for name, path in at_hand.items() if path.exists()}


def trained(config: TrainConfig, watch: Callable[[Trainer], None] | None = None) -> Run:
    """Return the finished run of ``config``, trained now or, where experiments share it, before.

    ``watch`` looks at the training after each step. What it keeps belongs into the run's folder, for a resumed run
    calls it again only from the last checkpoint on.

    The run is kept under runs/experiments/, named for the configuration, and a stopped one is resumed.
    Raises KeyboardInterrupt where Ctrl-C stopped the training; its state is saved.
    """
    out = RUNS / f"{Path(config.data).name}-{config.model}-{sha256(config.to_json().encode()).hexdigest()[:12]}"
    run = Run(out)
    if not run.is_finished:
        run = train(replace(config, out=out), resume=(out / "config.json").exists(), watch=watch)
    if not run.is_finished:
        raise KeyboardInterrupt
    return run


def training_trial(
    name: str,
    config: TrainConfig,
    read: Callable[[Run], Outcome] | None = None,
    watch: Callable[[Trainer], None] | None = None,
    write: Callable[[], None] | None = None,
    **settings: Any,
) -> Trial:
    """Return a trial that trains ``config``: its scores, its history, its seconds, and what ``read`` takes from it.

    The history has one entry an epoch, as `Run.history`; ``training_seconds`` is wall time, without scoring and saving.
    ``write`` makes the data when the trial is measured; ``settings`` are what they depend on beyond the configuration.
    """

    def measure() -> Outcome:
        if write is not None:
            write()
        run = trained(config, watch)
        if "seconds" not in run.history[0]:
            raise InputError(f"{run.folder} was trained by an earlier version, in other steps. Move it away.")
        seconds = round(sum(epoch["seconds"] for epoch in run.history), 1)
        outcome: Outcome = {"scores": run.scores, "history": run.history, "training_seconds": seconds}
        return outcome | (read(run) if read else {})

    everything = asdict(config) | settings
    del everything["out"]
    return Trial(name, json.loads(json.dumps(everything)), measure)


def _names(experiment: Experiment) -> str:
    return ", ".join(trial.name for trial in experiment.trials)


def _require_same_settings(trial: Trial, path: Path) -> None:
    there = _read(path)["settings"]
    differ = [
        f"{key} is {trial.settings.get(key)} here and {there.get(key)} there"
        for key in {**there, **trial.settings}
        if trial.settings.get(key) != there.get(key)
    ]
    if differ:
        raise InputError(f"{path} was measured with other settings: {'; '.join(differ)}. Move it away to measure anew.")


def _read(path: Path) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if not {"settings", "outcome"} <= result.keys():
            raise KeyError
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError, KeyError) as error:
        raise InputError(f"{path} is no result of an experiment. Restore it, or delete it to measure anew.") from error
    return dict(result)
