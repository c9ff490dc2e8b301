"""The learner's progress: a small file beside their notebooks, and the board that shows it.

Where the environment variable UNETPP_PROGRESS is "memory", no file is read or written: the notebooks that are committed
must show the same on every machine.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from unetpp_course.checks.base import Exercise
from unetpp_course.checks.verdict import Mark
from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

FILE = "progress.json"
PATIENCE = 2.0  # seconds after which a lock is left over; a mark is written in milliseconds


@dataclass
class Progress:
    """The marks and the predictions, by the exercises' numbers."""

    marks: dict[str, Mark] = field(default_factory=dict)
    predictions: dict[str, str] = field(default_factory=dict)


_of_this_kernel = Progress()  # all there is where the file cannot be used


def read_progress() -> Progress:
    """Return what the file says, and above it what happened since this kernel started."""
    saved = _saved()
    return Progress(saved.marks | _of_this_kernel.marks, saved.predictions | _of_this_kernel.predictions)


def record_mark(number: str, mark: Mark) -> None:
    """Keep how an exercise stands; one that was solved stays solved, and one that was revealed stays revealed."""
    with _locked():
        progress = read_progress()
        if progress.marks.get(number) not in (Mark.PASSED, Mark.REVEALED):
            _of_this_kernel.marks[number] = progress.marks[number] = mark
            _save(progress)


def record_prediction(number: str, letter: str) -> None:
    """Keep a prediction."""
    with _locked():
        progress = read_progress()
        _of_this_kernel.predictions[number] = progress.predictions[number] = letter
        _save(progress)


@contextmanager
def _locked() -> Iterator[None]:
    """Let no other kernel read or write the file within the block, so that no mark of two at once is lost."""
    path = _file()
    if path is None:
        yield
        return
    lock = path.with_name(f"{FILE}.lock")
    made = _make_lock(lock)
    try:
        yield
    finally:
        if made:
            with suppress(OSError):
                lock.unlink()


def _make_lock(lock: Path) -> bool:
    """Make the lock as soon as no other kernel has it; False where the folder cannot be written, so nothing is lost."""
    while True:
        try:
            lock.touch(exist_ok=False)
            return True
        except FileExistsError:
            time.sleep(0.01)
        except OSError:
            return False
        try:
            if abs(time.time() - lock.stat().st_mtime) > PATIENCE:  # a killed kernel left it
                lock.unlink()
        except FileNotFoundError:
            continue  # the other kernel has finished
        except OSError:
            return False


def _file() -> Path | None:
    return None if os.environ.get("UNETPP_PROGRESS") == "memory" else Path(FILE)


def _saved() -> Progress:
    path = _file()
    if path is None:
        return Progress()
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        marks = {str(number): Mark(mark) for number, mark in stored["marks"].items()}
        predictions = {str(number): str(letter) for number, letter in stored["predictions"].items()}
    except FileNotFoundError:
        return Progress()
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        print(f"{FILE} is damaged and is left out: your progress starts anew. Your notebooks are not touched.")
        return Progress()
    return Progress(marks, predictions)


def _save(progress: Progress) -> None:
    path = _file()
    if path is None:
        return
    content = {"marks": progress.marks, "predictions": progress.predictions}
    try:
        write_atomically(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    except (InputError, OSError):
        print(f"{FILE} cannot be written in this folder: your progress is kept until the kernel stops.")


@dataclass(frozen=True)
class Board:
    """How all exercises stand, one row a notebook; JupyterLab shows the table, anything else the text."""

    rows: Mapping[int, Sequence[tuple[Exercise, Mark]]]

    @property
    def summary(self) -> str:
        """How many exercises are done: solved, or predicted and compared with the result."""
        marks = [mark for row in self.rows.values() for _, mark in row]
        done = sum(mark in (Mark.PASSED, Mark.REVEALED) for mark in marks)
        return f"{done} of {len(marks)} exercises done"

    def __repr__(self) -> str:
        lines = [
            "  ".join([f"{notebook:02}", *(f"{mark} {exercise.number}" for exercise, mark in row)])
            for notebook, row in self.rows.items()
        ]
        return "\n".join([*lines, self.summary])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row">{notebook:02}</th><td style="text-align: left">'
            + "<br>".join(f"{mark} {exercise.number} {escape(exercise.title)}" for exercise, mark in row)
            + "</td></tr>"
            for notebook, row in self.rows.items()
        )
        return f"<table><caption>{self.summary}</caption>{rows}</table>"


def progress_board() -> Board:
    """Return the board of all exercises.

    ⬜ not attempted, ✅ solved, ❌ checked and not right yet, 🔎 predicted otherwise, and revealed.
    """
    marks = read_progress().marks
    return Board(
        {
            notebook: [
                (exercise, marks.get(number, Mark.NOT_ATTEMPTED)) for number, exercise in exercises_of(notebook).items()
            ]
            for notebook in notebooks_with_exercises()
        }
    )
