"""Progress is kept beside the notebooks, survives the kernel, and never stops a learner."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unetpp_course import check, commit, progress_board
from unetpp_course.checks.verdict import Mark
from unetpp_course.progress import record_mark

FILE = Path("progress.json")


@pytest.fixture
def solved(capsys):
    check("99.3", "a")
    check("99.4", ...)
    check("99.5", 7)
    commit("99.6", "b")
    check("99.3", "b")
    capsys.readouterr()


@pytest.fixture(autouse=True)
def _board_of_samples(monkeypatch):
    monkeypatch.setattr("unetpp_course.progress.notebooks_with_exercises", lambda: [0, 99])


START = "00  ⬜ 0.1  ⬜ 0.2  ⬜ 0.3  ⬜ 0.4  ⬜ 0.5  ⬜ 0.6  ⬜ 0.7  ⬜ 0.8"
FRESH = f"{START}\n99  ⬜ 99.1  ⬜ 99.2  ⬜ 99.3  ⬜ 99.4  ⬜ 99.5  ⬜ 99.6\n0 of 14 exercises done"
SOLVED = f"{START}\n99  ⬜ 99.1  ⬜ 99.2  ✅ 99.3  ⬜ 99.4  ❌ 99.5  ⬜ 99.6\n1 of 14 exercises done"


def test_the_board_of_a_new_learner_is_empty():
    assert repr(progress_board()) == FRESH
    assert not FILE.exists()


def test_progress_survives_the_kernel(solved, restart_kernel, capsys):
    assert repr(progress_board()) == SOLVED
    restart_kernel()
    assert repr(progress_board()) == SOLVED
    check("99.6")
    assert capsys.readouterr().out.startswith("✅ 99.6")


def test_the_extras_share_the_file_of_the_course(solved, restart_kernel, monkeypatch):
    Path("extra").mkdir()
    monkeypatch.chdir("extra")
    restart_kernel()
    assert repr(progress_board()) == SOLVED
    check("99.6")
    assert not FILE.exists()


def test_what_is_solved_stays_solved(solved, restart_kernel):
    restart_kernel()
    check("99.3", "c")
    assert repr(progress_board()) == SOLVED


def test_the_file_holds_marks_and_predictions_and_nothing_else(solved):
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert stored == {"marks": {"99.3": "✅", "99.5": "❌"}, "predictions": {"99.6": "b"}}
    assert list(Path().iterdir()) == [FILE]


def test_the_board_as_a_table_names_the_exercises(solved):
    table = progress_board()._repr_html_()
    assert "1 of 14 exercises done" in table
    assert "✅ 99.3 A head<br>⬜ 99.4 Decide: p &gt; ½" in table
    assert table.count("<tr>") == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"marks": {}}',
        b'{"marks": {"0.1": "?"}, "predictions": {}}',
        b"\xff\xfe",
        b"{}",
        b'{"marks": []}',
    ],
)
def test_a_damaged_file_costs_one_line(content, restart_kernel, capsys):
    FILE.write_bytes(content)
    check("99.3", "b")
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("✅")
    assert "✅ 99.3" in repr(progress_board())
    assert capsys.readouterr().out == ""
    restart_kernel()
    assert "✅ 99.3" in repr(progress_board())


def test_a_damaged_file_is_told_once(capsys):
    FILE.write_text("{")
    check("99.3", "b")
    assert capsys.readouterr().out.count("progress.json is damaged") == 1


def test_a_file_that_cannot_be_written_costs_one_line_and_no_progress(capsys):
    FILE.mkdir()
    check("99.3", "b")
    shown = capsys.readouterr().out
    assert shown.startswith("✅ 99.3")
    assert shown.count("progress.json cannot be written") == 1
    assert "✅ 99.3" in repr(progress_board())


def in_a_read_only_file_system(monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    monkeypatch.setattr("unetpp_course.progress.write_atomically", refuse)


def in_a_deleted_folder(monkeypatch):
    Path("gone").mkdir()
    monkeypatch.chdir("gone")
    Path("../gone").rmdir()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no folder that is in use")
@pytest.mark.parametrize("place", [in_a_read_only_file_system, in_a_deleted_folder])
def test_where_no_lock_can_be_made_a_check_answers_and_says_so(place, monkeypatch, capsys):
    place(monkeypatch)
    check("99.3", "b")
    shown = capsys.readouterr().out
    assert shown.startswith("✅ 99.3")
    assert shown.count("progress.json cannot be written in this folder") == 1
    assert "✅ 99.3" in repr(progress_board())


def leave_a_lock(seconds_ago):
    Path("progress.json.lock").touch()
    os.utime("progress.json.lock", (time.time() - seconds_ago,) * 2)


KERNEL = """
import sys
from unetpp_course.progress import Mark, record_mark, record_prediction
print("ready", flush=True)
input()
for number in range(10):
    record_mark(f"{sys.argv[1]}.{number}", Mark.PASSED)
record_prediction(f"{sys.argv[1]}.10", "a")
"""


@pytest.mark.slow
@pytest.mark.parametrize("killed_kernel", [False, True])
def test_marks_that_several_kernels_make_at_once_are_all_kept(killed_kernel):
    if killed_kernel:
        leave_a_lock(seconds_ago=1.5)  # they all wait until it is old enough
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    kernels = [subprocess.Popen([sys.executable, "-c", KERNEL, str(kernel)], **options) for kernel in range(3)]
    assert [kernel.stdout.readline() for kernel in kernels] == ["ready\n"] * 3
    for kernel in kernels:
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    for kernel in kernels:
        assert kernel.communicate() == ("", None)
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert sorted(stored["marks"]) == [f"{kernel}.{number}" for kernel in range(3) for number in range(10)]
    assert sorted(stored["predictions"]) == ["0.10", "1.10", "2.10"]
    assert list(Path().iterdir()) == [FILE]


def test_a_lock_that_a_killed_kernel_left_is_taken_away(monkeypatch):
    monkeypatch.setattr("unetpp_course.progress.PATIENCE", 0.05)
    Path("progress.json.lock").touch()
    record_mark("99.3", Mark.PASSED)
    assert list(json.loads(FILE.read_text(encoding="utf-8"))["marks"]) == ["99.3"]
    assert list(Path().iterdir()) == [FILE]


def test_the_lock_of_another_kernel_is_left_to_it(monkeypatch):
    def unwritable(*_, **__):
        raise PermissionError(13, "Permission denied")

    leave_a_lock(seconds_ago=0)
    monkeypatch.setattr("pathlib.Path.touch", unwritable)
    record_mark("99.3", Mark.PASSED)
    assert Path("progress.json.lock").exists()


def test_committed_notebooks_neither_read_nor_write_a_file(solved, restart_kernel, monkeypatch):
    restart_kernel()
    before = FILE.read_bytes()
    monkeypatch.setenv("UNETPP_PROGRESS", "memory")
    assert repr(progress_board()) == FRESH
    check("99.2", 5)
    assert "✅ 99.2" in repr(progress_board())
    assert FILE.read_bytes() == before
