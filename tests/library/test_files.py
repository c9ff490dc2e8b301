"""A file is written whole or not at all."""

import pytest
from PIL import Image

from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically, write_png


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
