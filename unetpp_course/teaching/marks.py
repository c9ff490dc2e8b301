"""The marks of a class as one table: `python -m unetpp_course marks CLASS --out marks.csv`.

The class is a folder with one folder for each learner, which holds what they handed in: notebooks and progress.json.
With `--recheck`, every notebook in which something was answered is run, in a copy, and its answers are checked again.
**That runs the learners' code with your rights.** Do it where it can do no harm.
"""

import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient

from unetpp_course.checks.verdict import Mark
from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises
from unetpp_course.learners_copy import NOTEBOOKS, originals
from unetpp_course.progress import FILE
from unetpp_lib.errors import InputError

CELL_SECONDS = 120
WORDS = {
    Mark.NOT_ATTEMPTED: "not attempted",
    Mark.PASSED: "solved",
    Mark.FAILED: "wrong",
    Mark.REVEALED: "predicted otherwise",
}
NO_MARK = "no mark"  # nothing was answered, or the cell failed before it was checked
# what the kernel prints once the notebook has run; a marker, because learners print too
REPORT, MARKER = "unetpp_report", "the marks of this run: "
ASK = f"""\
import json as {REPORT}_json
from unetpp_course.progress import read_progress as {REPORT}
print({MARKER!r} + {REPORT}_json.dumps({REPORT}().marks))"""


@dataclass(frozen=True)
class Row:
    """One learner and one exercise; ``rechecked`` is empty where nothing was run."""

    learner: str
    notebook: str
    exercise: str
    title: str
    stored: str
    rechecked: str = ""
    prediction: str = ""
    remark: str = ""


def collect_marks(folder: Path, recheck: bool = False, only: str = "") -> list[Row]:
    """Return the marks of every learner and exercise; ``only`` is how the names of notebooks begin.

    Raises InputError where the folder holds no learner's folder.
    """
    learners = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not learners:
        raise InputError(f"{folder} contains no folders: give a folder with one folder for each learner.")
    return [row for learner in learners for row in rows_of(learner, recheck, only)]


def rows_of(learner: Path, recheck: bool = False, only: str = "") -> Iterator[Row]:
    """Yield a learner's marks, exercise by exercise."""
    marks, predictions, remark = stored_progress(learner / FILE)
    for original in originals(NOTEBOOKS):
        number = int(original.stem[:2]) if original.stem[:2].isdigit() else -1
        if number not in notebooks_with_exercises() or not original.stem.startswith(only):
            continue
        found, said = recheck_notebook(learner / original.relative_to(NOTEBOOKS), original) if recheck else (None, "")
        problem = "; ".join(filter(None, [remark, said]))
        for name, exercise in exercises_of(number).items():
            stored = WORDS[marks.get(name, Mark.NOT_ATTEMPTED)]
            again = "" if found is None else WORDS[found[name]] if name in found else NO_MARK
            yield Row(
                learner.name, original.stem, name, exercise.title, stored, again, predictions.get(name, ""), problem
            )


def recheck_notebook(path: Path, original: Path) -> tuple[dict[str, Mark] | None, str]:
    """Return the marks that a notebook gets when it is run, or None, and what kept it from getting them."""
    if not path.is_file():
        return None, f"{path.name} was not handed in"
    if not was_answered(path, original):
        return {}, ""
    return run_again(path)


def stored_progress(path: Path) -> tuple[dict[str, Mark], dict[str, str], str]:
    """Return the marks and predictions of a progress file, and what is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        marks = {str(number): Mark(mark) for number, mark in content["marks"].items()}
        return marks, {str(number): str(letter) for number, letter in content["predictions"].items()}, ""
    except FileNotFoundError:
        return {}, {}, f"no {FILE}"
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}, {}, f"{FILE} cannot be read"


def was_answered(path: Path, original: Path) -> bool:
    """Return whether the cell of an exercise differs from the one that the course gave out."""
    try:
        return exercise_cells(path) - exercise_cells(original) != set()
    except Exception:  # no notebook: nbformat has no one error
        return False


def exercise_cells(path: Path) -> set[str]:
    """Return the code of a notebook's exercises, without blanks at the ends of lines."""
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    sources = [cell.source for cell in cells if "exercise" in cell.metadata.get("tags", [])]
    return {re.sub(r"[ \t]+$", "", source.strip(), flags=re.MULTILINE) for source in sources}


def run_again(path: Path) -> tuple[dict[str, Mark] | None, str]:
    """Run a copy of a notebook, going on after cells that fail; return its marks, and what kept it from its end."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, UNETPP_PROGRESS="memory", OMP_NUM_THREADS="1"):
        shutil.copy(path, folder)
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=CELL_SECONDS, allow_errors=True, resources=resources)
        client.interrupt_on_timeout = True
        try:
            client.execute()
        except Exception as error:  # whatever a kernel dies of
            return None, f"{path.name} did not run to its end ({type(error).__name__})"
    printed = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    if MARKER not in printed:
        return None, f"{path.name} did not report its marks"
    marks = json.loads(printed.rpartition(MARKER)[2].splitlines()[0])
    return {number: Mark(mark) for number, mark in marks.items()}, ""


def write_csv(path: Path, rows: list[Row]) -> None:
    """Write the rows as CSV, in UTF-8 with a mark that spreadsheets look for; an existing file is not overwritten."""
    if path.exists():
        raise InputError(f"{path} already exists: name a new file.")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows({name: as_text(value) for name, value in asdict(row).items()} for row in rows)


def as_text(value: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: a learner chooses the name of their folder."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t") else value


def summary(rows: list[Row]) -> str:
    """Return a line for each learner: what is stored, what came out again, and where the two disagree."""
    done = (WORDS[Mark.PASSED], WORDS[Mark.REVEALED])
    lines = []
    for learner in dict.fromkeys(row.learner for row in rows):
        own = [row for row in rows if row.learner == learner]
        again = [row for row in own if row.rechecked]
        line = f"{learner}: {sum(row.stored in done for row in own)} of {len(own)} exercises stored as done"
        if again:
            line += f", {sum(row.rechecked in done for row in again)} of {len(again)} again when checked"
            differ = [row.exercise for row in again if (row.stored in done) != (row.rechecked in done)]
            line += f"; they differ in {', '.join(differ)}" if differ else ""
        lines.append(line)
    return "\n".join(lines)
