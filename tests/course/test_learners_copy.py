"""The learner's copy starts without outputs, and is the learner's from then on."""

import errno
import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from unetpp_course.learners_copy import copy_notebooks, outdated_copies
from unetpp_lib.errors import InputError

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_the_copies_have_the_cells_and_no_outputs(tmp_path):
    copies = copy_notebooks(tmp_path / "my_course")
    assert {path.name for path in copies} == {path.name for path in NOTEBOOKS.rglob("*.ipynb")}
    for path in copies:
        mine, reference = (nbformat.read(p, as_version=4) for p in (path, next(NOTEBOOKS.rglob(path.name))))
        assert [cell.source for cell in mine.cells] == [cell.source for cell in reference.cells]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in mine.cells)


def test_the_learners_work_is_never_written_over(tmp_path):
    mine = tmp_path / "00_start_here.ipynb"
    mine.write_text("my answers")
    assert mine not in copy_notebooks(tmp_path)
    assert mine.read_text() == "my answers"
    assert copy_notebooks(tmp_path) == []
    assert outdated_copies(tmp_path) == []  # what is no notebook tells nothing


@pytest.fixture
def source(tmp_path) -> Path:
    """A course of two notebooks."""
    (tmp_path / "course").mkdir()
    for name in ("00_first", "01_second"):
        write(tmp_path / "course" / f"{name}.ipynb", "x = 1")
    return tmp_path / "course"


def write(path: Path, *sources: str, **metadata: str) -> None:
    outputs = [new_output("stream", text="1")]
    cells = [new_code_cell(source, outputs=outputs, execution_count=1) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)


def test_a_copy_is_outdated_where_its_originals_text_or_code_has_changed(tmp_path, source):
    mine = tmp_path / "mine"
    first, second = copy_notebooks(mine, source)
    assert outdated_copies(mine, source) == []
    write(source / second.name, "x = 2")
    assert outdated_copies(mine, source) == [second]
    write(source / second.name, "x = 1")  # new outputs and cell ids alone
    assert outdated_copies(mine, source) == []
    write(source / first.name, "x = 1", "y = 2")
    assert outdated_copies(mine, source) == [first]


def test_what_the_learner_writes_does_not_make_a_copy_outdated(tmp_path, source):
    first, _ = copy_notebooks(tmp_path / "mine", source)
    notebook = nbformat.read(first, as_version=4)
    notebook.cells[0].source = "my_answer = 7"
    nbformat.write(notebook, first)
    assert outdated_copies(tmp_path / "mine", source) == []


def test_a_copy_that_does_not_tell_what_it_was_made_from_is_left_out(tmp_path, source):
    (tmp_path / "mine").mkdir()
    write(tmp_path / "mine" / "00_first.ipynb", "from an earlier version of the course")
    assert outdated_copies(tmp_path / "mine", source) == []


def test_copies_need_a_folder_of_the_learners_own(tmp_path, source):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file is a file; name a folder"):
        copy_notebooks(tmp_path / "file", source)
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        copy_notebooks(tmp_path / "file" / "mine", source)
    with pytest.raises(InputError, match="course holds the originals; name another folder"):
        copy_notebooks(tmp_path / "mine" / ".." / "course", source)


def test_a_full_disk_leaves_no_half_a_notebook(tmp_path, source, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="cannot be written: No space left"):
            copy_notebooks(tmp_path / "mine", source)
    assert list((tmp_path / "mine").iterdir()) == []
    assert len(copy_notebooks(tmp_path / "mine", source)) == 2
