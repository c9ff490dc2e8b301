"""The learner's progress: a small file beside their notebooks, and the board that shows it.

If the environment variable UNETPP_PROGRESS is "memory", no file is read or written, because the committed notebooks
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
PATIENCE = 2.0  # seconds after which a lock counts as abandoned; writing a mark takes milliseconds


@dataclass
class Progress:
    """Marks and predictions by the number of the exercise."""

    marks: dict[str, Mark] = field(default_factory=dict)
    predictions: dict[str, str] = field(default_factory=dict)


_of_this_kernel = Progress()  # the only record if the file cannot be used


def read_progress() -> Progress:
    """Return the contents of the file, updated by what has happened since this kernel started."""
    saved = _saved()
    return Progress(saved.marks | _of_this_kernel.marks, saved.predictions | _of_this_kernel.predictions)


def record_mark(number: str, mark: Mark) -> None:
    """Record the mark of an exercise; a solved or revealed exercise stays solved or revealed."""
    with _locked():
        progress = read_progress()
        if progress.marks.get(number) not in (Mark.PASSED, Mark.REVEALED):
            _of_this_kernel.marks[number] = progress.marks[number] = mark
            _save(progress)


def record_prediction(number: str, letter: str) -> None:
    """Record a prediction."""
    with _locked():
        progress = read_progress()
        _of_this_kernel.predictions[number] = progress.predictions[number] = letter
        _save(progress)


@contextmanager
def _locked() -> Iterator[None]:
    """Keep other kernels from reading or writing the file within the block, so that no mark is lost."""
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
    """Make the lock as soon as no other kernel holds it; return False if the folder cannot be written anyway."""
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
    if os.environ.get("UNETPP_PROGRESS") == "memory":
        return None
    try:
        folder = Path.cwd().name
    except FileNotFoundError:  # deleted meanwhile
        folder = ""
    return Path("..", FILE) if folder == "extra" else Path(FILE)  # the extras lie one folder further down


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
        print(f"{FILE} is damaged and is ignored: your progress starts again. Your notebooks are not touched.")
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
        print(f"{FILE} cannot be written in this folder: your progress is kept only until the kernel stops.")


@dataclass(frozen=True)
class Board:
    """The marks of all exercises, one row per notebook; JupyterLab shows a table, other programs show text."""

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

    ⬜ not attempted, ✅ solved, ❌ checked and not yet right, 🔎 predicted something else, and revealed.
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
