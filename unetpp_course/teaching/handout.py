"""Copies of the notebooks for a class, without hints and solutions: `python -m unetpp_course handout FOLDER`."""

import re
from pathlib import Path

from nbformat import NotebookNode

from unetpp_course.learners_copy import NOTEBOOKS, copy_notebooks

# what is folded away below an exercise; other folded passages, such as tables, stay
HELP = re.compile(r"<details>\s*<summary>(?:Hint \d|Solution)</summary>.*?</details>\s*", re.DOTALL)


def write_handout(target: Path, source: Path = NOTEBOOKS) -> list[Path]:
    """Copy the notebooks of ``source`` that ``target`` lacks, without outputs, hints and solutions.

    Raises InputError as `copy_notebooks` does.
    """
    return copy_notebooks(target, source, change=remove_help)


def remove_help(notebook: NotebookNode) -> None:
    """Remove the hints and solutions from a notebook, and the cells that then have nothing left."""
    kept = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and HELP.search(cell.source):
            cell.source = HELP.sub("", cell.source).strip()
            if not cell.source:
                continue
        kept.append(cell)
    notebook.cells = kept
