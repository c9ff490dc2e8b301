"""Give the learner their own copy of the notebooks: `python notebooks/learners_copy.py my_course`."""

import sys
from pathlib import Path

import nbformat


def copy_notebooks(source: Path, target: Path) -> list[Path]:
    """Copy the notebooks of ``source`` that ``target`` lacks, outputs cleared; return the copies.

    What stands in ``target`` is the learner's work: it is never written over.
    """
    target.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in sorted(source.glob("*.ipynb")):
        copy = target / path.name
        if copy.exists():
            continue
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, copy)
        copies.append(copy)
    return copies


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(
        f"{len(copy_notebooks(Path(__file__).parent, folder))} new notebooks in {folder}; yours are as you left them."
    )
