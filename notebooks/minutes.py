"""How long each notebook takes to work through, by one formula: `python notebooks/minutes.py` prints it for all.

The formula counts what a reader reads, writes and tries. Its four numbers were chosen so that it gives the times that
careful readers of the first edition needed, within a quarter of an hour for eight of nine notebooks.
"""

import re
from pathlib import Path

import nbformat

WORDS_A_MINUTE = 120  # of prose; hints and solutions are left out
LINES_A_MINUTE = 6  # of code to understand; imports, blank lines and exercises are left out
FACTOR_OF_EXERCISES = 1.25  # the minutes in the headings are those of a reader who does not get stuck
MINUTES_AN_EXPLORER = 3  # those that the text calls optional are left out
STEP = 5  # minutes are rounded to
UNREAD = {"exercise", "colab"}  # tags of cells that are not read as code: exercises, and the folded one for Colab

EXERCISE = re.compile(r"^### Exercise .* · (\d+) min$", re.MULTILINE)
EXPLORER = re.compile(r"^(?:\w+ = )?\w+(?:Explorer|Game|Board)\(", re.MULTILINE)


def estimate_minutes(path: Path) -> int:
    """Return the minutes that a notebook takes, rounded to five."""
    words = lines = exercises = explorers = 0
    optional = False
    for cell in nbformat.read(path, as_version=4).cells:  # type: ignore[no-untyped-call]
        if cell.cell_type == "markdown" and "<details>" not in cell.source:
            words += len(re.findall(r"[A-Za-z']+", cell.source))
            exercises += sum(map(int, EXERCISE.findall(cell.source)))
            optional = "(optional)" in cell.source
        elif cell.cell_type == "code" and not UNREAD & {*cell.metadata.get("tags", [])}:
            code = [line for line in cell.source.splitlines() if line.strip()]
            lines += sum(not line.startswith(("from ", "import ")) for line in code)
            explorers += len(EXPLORER.findall(cell.source)) if not optional else 0
    minutes = words / WORDS_A_MINUTE + lines / LINES_A_MINUTE
    minutes += FACTOR_OF_EXERCISES * exercises + MINUTES_AN_EXPLORER * explorers
    return STEP * round(minutes / STEP)


def stated_minutes(path: Path) -> int:
    """Return the minutes that a notebook states in its first cell; 0 where it states none."""
    first = nbformat.read(path, as_version=4).cells[0].source  # type: ignore[no-untyped-call]
    found = re.search(r"\*\*Time:\*\* about (\d+) minutes", first)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    for path in sorted(Path(__file__).parent.rglob("[0-9]*.ipynb")):
        print(f"{path.stem:<28}{estimate_minutes(path):>4} min, stated {stated_minutes(path)}")
