"""A class's progress becomes one table, and what was handed in is checked again."""

import csv
import json

import nbformat
import pytest

from unetpp_course.__main__ import main
from unetpp_course.learners_copy import NOTEBOOKS
from unetpp_course.teaching import marks
from unetpp_course.teaching.marks import collect_marks, rows_of, summary, was_answered
from unetpp_lib.errors import InputError

NAME = "07_iou.ipynb"


def hand_in(learner, stored: dict[str, str], answers: list[str] | None = None) -> None:
    learner.mkdir(parents=True)
    content = {"marks": stored, "predictions": {"7.8": "b"}}
    (learner / "progress.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    if answers is not None:
        cells = [nbformat.v4.new_code_cell("from unetpp_course import check")]
        cells += [nbformat.v4.new_code_cell(answer, metadata={"tags": ["exercise"]}) for answer in answers]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), learner / NAME)


def of_exercise(rows, number):
    (row,) = (row for row in rows if row.exercise == number)
    return row


def test_progress_files_become_one_table(tmp_path, capsys):
    hand_in(tmp_path / "class" / "ada", {"7.1": "✅", "7.2": "❌"})
    hand_in(tmp_path / "class" / "=grace", {"7.8": "🔎"})
    (tmp_path / "class" / "linus").mkdir()
    main(["marks", str(tmp_path / "class"), "--out", str(tmp_path / "marks.csv"), "--only", "07"])
    with (tmp_path / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    marks_of = {(row["learner"], row["exercise"]): row["stored"] for row in rows}
    assert marks_of["ada", "7.1"] == "solved"
    assert marks_of["ada", "7.2"] == "wrong"
    assert marks_of["'=grace", "7.8"] == "predicted otherwise"  # and no formula for a spreadsheet
    assert marks_of["linus", "7.1"] == "not attempted"
    assert {row["remark"] for row in rows if row["learner"] == "linus"} == {"no progress.json"}
    assert {row["rechecked"] for row in rows} == {""}
    assert "ada: 1 of 8 exercises stored as done" in capsys.readouterr().out


def test_a_damaged_progress_file_is_remarked(tmp_path):
    hand_in(tmp_path / "ada", {})
    (tmp_path / "ada" / "progress.json").write_text("{")
    assert {row.remark for row in rows_of(tmp_path / "ada", only="07")} == {"progress.json cannot be read"}


def test_a_notebook_that_was_not_handed_in_is_remarked_and_an_unanswered_one_gets_no_mark(tmp_path):
    hand_in(tmp_path / "eve", {"7.1": "✅"})
    (row, *_) = rows_of(tmp_path / "eve", recheck=True, only="07")
    assert (row.rechecked, row.remark) == ("", f"{NAME} was not handed in")
    nbformat.write(nbformat.read(NOTEBOOKS / NAME, as_version=4), tmp_path / "eve" / NAME)
    (row, *_) = rows_of(tmp_path / "eve", recheck=True, only="07")
    assert (row.stored, row.rechecked, row.remark) == ("solved", "no mark", "")


def test_only_what_was_answered_is_run(tmp_path):
    original = NOTEBOOKS / NAME
    notebook = nbformat.read(original, as_version=4)
    copy = tmp_path / NAME
    nbformat.write(notebook, copy)
    assert not was_answered(copy, original)
    next(cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])).source = 'check("7.1", 3)'
    nbformat.write(notebook, copy)
    assert was_answered(copy, original)
    copy.write_text("no notebook")
    assert not was_answered(copy, original)


@pytest.mark.slow
def test_a_mark_that_was_written_into_the_file_does_not_come_out_again(tmp_path):
    letter = 'check("7.2", "no such answer")'
    hand_in(tmp_path / "eve", {"7.1": "✅", "7.2": "✅"}, ["1 / 0", letter])
    rows = collect_marks(tmp_path, recheck=True, only="07")
    assert of_exercise(rows, "7.2").stored == "solved"
    assert of_exercise(rows, "7.2").rechecked == "wrong"
    assert of_exercise(rows, "7.1").rechecked == "no mark"  # its cell failed before it was checked
    assert of_exercise(rows, "7.3").rechecked == "no mark"
    assert "they differ in 7.1, 7.2" in summary(rows)
    assert sorted(path.name for path in (tmp_path / "eve").iterdir()) == [NAME, "progress.json"]


@pytest.mark.slow
def test_a_notebook_that_ends_its_kernel_is_remarked(tmp_path):
    hand_in(tmp_path / "eve", {}, ["import os; os._exit(1)"])
    assert "did not run to its end" in of_exercise(collect_marks(tmp_path, recheck=True, only="07"), "7.1").remark


def test_a_folder_without_learners_and_a_file_that_exists_are_refused(tmp_path):
    with pytest.raises(InputError, match="contains no folders"):
        collect_marks(tmp_path)
    (tmp_path / "marks.csv").touch()
    with pytest.raises(InputError, match="already exists"):
        marks.write_csv(tmp_path / "marks.csv", [])
