"""The learner's own copy of the notebooks: `python -m unetpp_course copy my_course`."""

from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def copy_notebooks(target: Path, source: Path = NOTEBOOKS) -> list[Path]:
    """Copy the notebooks of ``source`` that ``target`` lacks, without outputs; return the copies.

    Files that exist in ``target`` are the learner's work and are never overwritten.
    """
    target.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in sorted(source.glob("*.ipynb")):
        copy = target / path.name
        if copy.exists():
            continue
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, copy)  # type: ignore[no-untyped-call]
        copies.append(copy)
    return copies
