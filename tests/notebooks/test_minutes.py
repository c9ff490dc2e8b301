"""A notebook states the minutes that the formula of notebooks/minutes.py gives."""

from pathlib import Path
from runpy import run_path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
minutes = run_path(str(NOTEBOOKS / "minutes.py"))


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.rglob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_the_minutes_of_a_notebook_are_those_of_the_formula(path: Path):
    assert minutes["stated_minutes"](path) == minutes["estimate_minutes"](path)


def test_words_code_exercises_and_explorers_take_time(tmp_path):
    cells = [
        new_markdown_cell("word " * 600),  # 5 minutes
        new_code_cell("import torch\n\n" + "x = 1\n" * 60),  # 10
        new_markdown_cell("### Exercise 1.1 · Title · easy · 8 min"),  # 10
        new_code_cell("y = 2\n" * 60, metadata={"tags": ["exercise"]}),
        new_markdown_cell("<details>" + "word " * 600 + "</details>"),
        new_code_cell("DepthExplorer()"),  # 3
        new_markdown_cell("**Try it (optional).**"),
        new_code_cell("WiringExplorer()"),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_sample.ipynb")
    assert minutes["estimate_minutes"](tmp_path / "01_sample.ipynb") == 30  # 28 and a few words
