"""What the experiments measured: one line of JSON per trial in data/results/NAME.jsonl, read as one tidy table.

While an experiment runs, each trial writes a file of its own, data/results/NAME/TRIAL.json, so that two processes never
write one file. `merge_results` moves these into the .jsonl; both are read.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from unetpp_course.shipped import course_files
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

Outcome = dict[str, Any]
"""What a trial measured; JSON."""

Record = dict[str, Any]
"""A trial's line: its command, settings, outcome, seconds and provenance; JSON."""

Row = dict[str, Any]
"""One measured number: its "value", and what it is the value of, such as "output" and "score"."""

COLUMNS = (
    "experiment", "trial", "network", "rate", "fold", "seed", "variant", "output", "score", "value", "commit",
    "processor",
)  # fmt: skip


def unnest(nested: Mapping[str, Any], *levels: str) -> Iterator[Row]:
    """Yield a row for every number in nested dictionaries; the keys of each level become the column named for it.

    >>> list(unnest({"head 1": {"iou": 0.5}}, "output", "score"))
    [{'output': 'head 1', 'score': 'iou', 'value': 0.5}]
    """
    level, *deeper = levels
    for key, value in nested.items():
        for row in unnest(value, *deeper) if deeper else [{"value": value}]:
            yield {level: key, **row}


def final_scores(outcome: Outcome) -> Iterator[Row]:
    """Yield the scores that a training has after its last step, by output and score."""
    return unnest(outcome["scores"]["scores"], "output", "score") if "scores" in outcome else iter(())


def rows_at(key: str, *levels: str) -> Callable[[Outcome], Iterator[Row]]:
    """Return a function from an outcome to the rows of its entry ``key``, as `unnest`."""
    return lambda outcome: unnest(outcome[key], *levels)


@dataclass(frozen=True)
class Trial:
    """One measurement of an experiment; its file has its name."""

    name: str
    settings: Mapping[str, Any]
    """Everything that its outcome depends on, seed included, as JSON has it: a tuple becomes a list."""
    measure: Callable[[], Outcome]
    columns: Row = field(default_factory=dict)
    """What tells it from the others in the table: network, rate, fold, seed, variant."""
    rows: Callable[[Outcome], Iterable[Row]] = final_scores
    """The numbers of an outcome that stand in the table."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", json.loads(json.dumps(self.settings)))


@dataclass(frozen=True)
class Experiment:
    """A question, the trials that answer it, and how their results become a table to read."""

    name: str
    question: str
    trials: tuple[Trial, ...]
    table: Callable[["Results"], str]
    """Given the results at hand, which may not be all yet."""


class Results(dict[str, Outcome]):
    """The outcomes of an experiment by trial; `frame` has their numbers as one tidy table."""

    def __init__(self, experiment: Experiment, records: Mapping[str, Record]) -> None:
        super().__init__({name: record["outcome"] for name, record in records.items()})
        self.experiment = experiment
        self.records = dict(records)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row for each number: COLUMNS, and what an experiment adds, such as the image; trials in their order."""
        rows: list[Row] = []
        for trial in self.experiment.trials:
            if trial.name in self:
                provenance = self.records[trial.name].get("provenance", {})
                known = {key: provenance.get(key) for key in ("commit", "processor")}
                known |= {"experiment": self.experiment.name, "trial": trial.name, **trial.columns}
                rows += [known | row for row in trial.rows(self[trial.name])]
        extra = dict.fromkeys(key for row in rows for key in row if key not in COLUMNS)
        frame = pd.DataFrame(rows, columns=[*COLUMNS, *extra], dtype=object)  # so that a seed stays a whole number
        return frame.astype({"value": float})


def load_experiment(name: str) -> Experiment:
    """Return the ``EXPERIMENT`` of the laboratory's module ``name``."""
    experiment: Experiment = import_module(f"unetpp_course.lab.{name}").EXPERIMENT
    return experiment


def results_folder() -> Path:
    """Return where the clone keeps all results; InputError where there is no clone."""
    return course_files("results")


def read_results(experiment: str | Experiment, folder: Path | None = None) -> Results:
    """Return the results of an experiment, given itself or its name, from ``folder``; by default the clone's.

    Raises InputError where there are none, or a file is damaged.
    """
    if isinstance(experiment, str):
        experiment = load_experiment(experiment)
    name, folder = experiment.name, folder or results_folder()
    records = read_records(name, folder)
    if not records:
        command = f"python -m unetpp_course experiment {name}"
        raise InputError(f"{folder} holds no results of {name}. Measure them with: {command}")
    return Results(experiment, records)


def read_records(name: str, folder: Path) -> dict[str, Record]:
    """Return all that is stored of an experiment's trials, sorted by trial: merged lines and single files.

    Raises InputError where a file is damaged, or where two of them tell different things of one trial.
    """
    found: dict[str, Record] = {}
    merged = folder / f"{name}.jsonl"
    if merged.exists():
        for number, line in enumerate(merged.read_bytes().splitlines(), start=1):
            record = _parse(line, f"{merged}, line {number},", "trial")
            found[record.pop("trial")] = record
    for path in part_files(name, folder):
        record = _parse(path.read_bytes(), str(path))
        if found.setdefault(path.stem, record) != record:
            raise InputError(f"{path} and {merged} differ in {path.stem}, which was measured twice. Move one away.")
    return dict(sorted(found.items()))


def part_files(name: str, folder: Path) -> list[Path]:
    """Return the files of trials that are not merged yet."""
    return sorted((folder / name).glob("*.json"))


def merge_results(name: str, folder: Path | None = None) -> int:
    """Move the files of single trials into the experiment's .jsonl; return how many trials it has now.

    A file is deleted once its line is on disk. Errors are those of `read_records`; then nothing is changed.
    """
    folder = folder or results_folder()
    parts, records = part_files(name, folder), read_records(name, folder)
    if parts:
        lines = [json.dumps({"trial": trial, **record}, ensure_ascii=False) for trial, record in records.items()]
        write_atomically(folder / f"{name}.jsonl", "\n".join(lines) + "\n")
    for path in parts:
        path.unlink()
    return len(records)


def _parse(text: bytes, where: str, *needed: str) -> Record:
    try:
        record = json.loads(text)
        if not {"settings", "outcome", *needed} <= record.keys():
            raise KeyError
    except (ValueError, AttributeError, KeyError) as error:  # no JSON, no dictionary, or not a result's
        message = f"{where} is no result of an experiment. Restore it, or delete it to measure again."
        raise InputError(message) from error
    return dict(record)
