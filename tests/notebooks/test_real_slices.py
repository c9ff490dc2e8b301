"""Cells that show real slices run where the slices are, and committed notebooks never show them."""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest

from unetpp_course import show_images
from unetpp_course.exercises.notebook_01 import split_stack
from unetpp_course.real_data import real_slices

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_images_and_masks.ipynb"


def cell_of_notebook_01() -> nbformat.NotebookNode:
    (cell,) = (cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if "real_slices()" in cell.source)
    return cell


@pytest.fixture
def slices(monkeypatch):
    monkeypatch.delenv("UNETPP_REAL_IMAGES", raising=False)
    found = real_slices()
    if found is None:
        pytest.skip("isbi2012 has not been downloaded")
    return found


def test_without_real_slices_there_are_none(monkeypatch, tmp_path):
    monkeypatch.delenv("UNETPP_REAL_IMAGES", raising=False)
    monkeypatch.setenv("UNETPP_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert real_slices() is None


def test_what_is_committed_or_tested_does_not_show_them_even_where_they_are(monkeypatch):
    monkeypatch.setenv("UNETPP_REAL_IMAGES", "never")
    assert real_slices() is None
    assert "have not been downloaded" in cell_of_notebook_01().outputs[0].text
    for name in ("refresh.py", "conftest.py"):
        assert "UNETPP_REAL_IMAGES" in (NOTEBOOK.parent / name).read_text(encoding="utf-8")


def test_no_cell_opens_the_real_slices_in_another_way():
    for path in sorted(NOTEBOOK.parent.rglob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            assert cell.cell_type != "code" or 'isbi2012"' not in cell.source, path.name


@pytest.mark.slow
def test_the_learners_split_runs_on_the_real_slices(slices, capsys):
    assert len(slices) == 30
    exec(cell_of_notebook_01().source, {"split": split_stack, "show_images": show_images})
    training, validation = capsys.readouterr().out.splitlines()
    assert validation.split()[1:] == list(slices.names[12:18])
    assert set(training.split()[1:]) == {*slices.names[:11], *slices.names[19:]}
    assert [axis.get_title() for axis in plt.gcf().axes][1] == f"left out: {slices.names[18]}"
    plt.close("all")
    assert os.environ.get("UNETPP_REAL_IMAGES") != "never"
