"""A file is written whole or not at all."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from unetpp_lib.errors import InputError
from unetpp_lib.files import replacing, write_atomically, write_png


def test_a_new_file_takes_the_place_of_the_old_one_in_one_step(tmp_path):
    path = tmp_path / "new folder" / "file.txt"
    write_atomically(path, "first")
    before = path.stat().st_ino
    write_atomically(path, "sécond")
    assert path.read_text(encoding="utf-8") == "sécond"
    assert path.stat().st_ino != before  # another file, renamed: at no moment was this one half written
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]


def test_what_a_killed_process_left_does_not_stand_in_the_way(tmp_path):
    (tmp_path / "file.txt.tmp").write_text("half")
    write_atomically(tmp_path / "file.txt", b"whole")
    assert (tmp_path / "file.txt").read_bytes() == b"whole"
    assert {file.name for file in tmp_path.iterdir()} == {"file.txt", "file.txt.tmp"}  # it may be another writer's


def test_many_writers_of_one_file_leave_what_one_of_them_wrote(tmp_path):
    texts = [f"{number}" * 10_000 for number in range(8)]

    def write(text):
        for _ in range(20):
            write_atomically(tmp_path / "file.txt", text)

    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(write, texts))  # raises what a writer raised
    assert (tmp_path / "file.txt").read_text() in texts
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_file_has_the_permissions_of_a_new_one_or_of_the_one_that_it_replaces(tmp_path):
    (tmp_path / "plain").write_text("")
    path = tmp_path / "file.txt"
    write_atomically(path, "new")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    path.chmod(0o640)
    write_atomically(path, "replaced")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_block_that_fails_leaves_the_file_that_was_there_and_no_other(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("good")

    def stop_half_way():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    assert path.read_text() == "good"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        InputError, match=r"file/below cannot be written: .*choose another folder".replace("/", r"[/\\]")
    ):
        write_atomically(tmp_path / "file" / "below", "y")


def test_a_picture_comes_back_as_it_was(tmp_path):
    write_png(tmp_path / "a.png", Image.new("L", (3, 2), 77))
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.size, picture.getpixel((1, 1))) == ((3, 2), 77)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows makes links for administrators only")
def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    target, link = tmp_path / "disk" / "file.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert [file.name for file in target.parent.iterdir()] == ["file.txt"]


def test_a_file_may_have_the_longest_name_that_there_is(tmp_path):
    path = tmp_path / ("a" * 251 + ".txt")
    write_atomically(path, "whole")
    assert path.read_text() == "whole"


@pytest.mark.parametrize(
    ("system", "refusals", "stays"), [("win32", 3, "new"), ("win32", 99, "old"), ("linux", 1, "old")]
)
def test_on_windows_a_file_that_another_program_reads_is_waited_for(tmp_path, monkeypatch, system, refusals, stays):
    path, left, waited, rename = tmp_path / "file.txt", [None] * refusals, [], Path.replace
    path.write_text("old")

    def busy(source, target):
        if left:
            left.pop()
            raise PermissionError(13, "used by another process", str(source), None, str(target))
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(time, "sleep", waited.append)
    if stays == "new":
        write_atomically(path, "new")
    else:
        with pytest.raises(InputError, match="used by another process"):
            write_atomically(path, "new")
    assert path.read_text() == stays
    assert sum(waited) < 1.1
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("other", ["gone.txt", "no_picture.png"])
def test_an_error_of_the_block_about_another_file_is_its_own(tmp_path, other):
    (tmp_path / "no_picture.png").write_text("text")

    def open_half_way():
        with replacing(tmp_path / "file.txt") as temporary:
            temporary.write_text("half")
            Image.open(tmp_path / other)

    with pytest.raises(OSError, match=other):
        open_half_way()
    assert [file.name for file in tmp_path.iterdir()] == ["no_picture.png"]
