"""The learner's copy starts without outputs, and is the learner's from then on."""

from pathlib import Path

import nbformat

from unetpp_course.learners_copy import copy_notebooks

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_the_copies_have_the_cells_and_no_outputs(tmp_path):
    copies = copy_notebooks(tmp_path / "my_course")
    assert {path.name for path in copies} == {path.name for path in NOTEBOOKS.glob("*.ipynb")}
    for path in copies:
        mine, reference = (nbformat.read(p, as_version=4) for p in (path, NOTEBOOKS / path.name))
        assert [cell.source for cell in mine.cells] == [cell.source for cell in reference.cells]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in mine.cells)


def test_the_learners_work_is_never_written_over(tmp_path):
    mine = tmp_path / "00_start_here.ipynb"
    mine.write_text("my answers")
    assert mine not in copy_notebooks(tmp_path)
    assert mine.read_text() == "my answers"
    assert copy_notebooks(tmp_path) == []
