"""What every committed notebook keeps to. That its cells still show what they show is tested by `pytest notebooks`."""

from pathlib import Path
from runpy import run_path
from statistics import median

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

faults = run_path(str(NOTEBOOKS / "refresh.py"))["faults"]
each_notebook = pytest.mark.parametrize("path", sorted(NOTEBOOKS.rglob("*.ipynb")), ids=lambda path: path.stem)


@each_notebook
def test_a_notebook_is_committed_as_refresh_writes_it(path: Path):
    assert faults(path) == []


@each_notebook
def test_code_cells_are_short(path: Path):
    notebook = nbformat.read(path, as_version=4)
    lengths = [len(cell.source.splitlines()) for cell in notebook.cells if cell.cell_type == "code"] or [0]
    assert max(lengths) <= 25
    assert median(lengths) <= 6
