"""Every student has a final project of their own, the same each time it is drawn."""

import functools
import shlex

import pytest

from unetpp_course.__main__ import main
from unetpp_course.teaching.project import QUESTIONS, variant_of, write_project
from unetpp_lib import cli
from unetpp_lib.data import SegmentationFolder
from unetpp_lib.errors import InputError

STUDENTS = [f"student {number}" for number in range(100)]


def test_students_have_different_images_and_share_the_questions():
    variants = [variant_of(student, "2027") for student in STUDENTS]
    assert len({variant.images for variant in variants}) == len(STUDENTS)
    assert {variant.question for variant in variants} == {question for question, *_ in QUESTIONS}


def test_a_project_is_the_same_each_time_and_another_in_another_class():
    assert variant_of("ada", "2027") == variant_of("ada", "2027") != variant_of("ada", "2028")


def test_the_folder_holds_the_images_and_the_task(tmp_path, capsys):
    folder = tmp_path / "ada"
    main(["project", str(folder), "--student", "ada", "--count", "5", "--size", "64"])
    sheet = (folder / "PROJECT.md").read_text(encoding="utf-8")
    variant = variant_of("ada", "")
    assert SegmentationFolder(folder).sizes == ((64, 64),) * 5
    assert variant.question in sheet
    assert variant.question in capsys.readouterr().out
    assert str(variant.images) in sheet


@pytest.mark.parametrize("question", QUESTIONS)
def test_its_commands_exist(question, monkeypatch):
    called = []
    stub = functools.wraps(cli.train)(lambda *args, **options: called.append(args or options))
    monkeypatch.setattr(cli, "train", stub)
    for network in question[1:]:
        with pytest.raises(SystemExit) as end:
            cli.main(shlex.split(f"train --data . {network} --seed 3"))
        assert not end.value.code
    assert len(called) == 2
    assert called[0] != called[1]


def test_a_folder_that_is_used_and_a_nameless_student_are_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not an empty folder"):
        write_project(tmp_path, "ada")
    with pytest.raises(InputError, match="Give the student's name"):
        write_project(tmp_path / "new", " ")
