"""The course's own commands say what they did, and wrong input is one message."""

from pathlib import Path

import nbformat
import pytest

from unetpp_course.__main__ import main
from unetpp_course.learners_copy import NOTEBOOKS, ORIGINAL
from unetpp_lib.data import SegmentationFolder

ROOT = Path(__file__).parents[2]


def status_of(*args) -> int:
    """Return the exit status of a command."""
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return ended.value.code or 0


def test_draw_writes_a_set_that_the_library_reads_and_never_writes_into_one(capsys, tmp_path):
    main(["draw", str(tmp_path / "drawn"), "--count", "3", "--size", "64"])
    assert "Drew 3 images of 64×64 pixels" in capsys.readouterr().out
    assert SegmentationFolder(tmp_path / "drawn").sizes == ((64, 64),) * 3
    assert status_of("draw", tmp_path / "drawn", "--count", 3) == 2
    assert "is not an empty folder" in capsys.readouterr().err


@pytest.mark.slow
def test_copy_says_how_many_notebooks_are_new(capsys, tmp_path):
    count = len(list(NOTEBOOKS.rglob("*.ipynb")))
    for new in (f"{count} new notebooks", "0 new notebooks"):
        main(["copy", str(tmp_path / "mine")])
        assert new in capsys.readouterr().out


@pytest.mark.slow
def test_copy_says_which_originals_have_changed_and_what_to_do(capsys, tmp_path):
    main(["copy", str(tmp_path)])
    for name in ("03_unet", "07_iou"):
        path = tmp_path / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata[ORIGINAL] = "of an earlier version"
        nbformat.write(notebook, path)
    capsys.readouterr()
    main(["copy", str(tmp_path)])
    said = capsys.readouterr().out
    assert "has changed since you copied 03_unet.ipynb, 07_iou.ipynb." in said
    assert "rename yours (to 03_unet_mine.ipynb, say) and run this command again" in said
    path.rename(tmp_path / "07_iou_mine.ipynb")
    main(["copy", str(tmp_path)])
    said = capsys.readouterr().out
    assert "1 new notebook in" in said
    assert "copied 03_unet.ipynb. To get" in said


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "Your working folder, such as my_course"),
        (["a", "b"], "b"),
        (["README.md"], "README.md is a file"),
        (["notebooks"], "holds the originals"),
    ],
)
def test_wrong_arguments_of_copy_are_told_clearly(capsys, monkeypatch, args, words):
    monkeypatch.chdir(ROOT)
    assert status_of("copy", *args) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not {"a", "b"} & {path.name for path in ROOT.iterdir()}


@pytest.mark.parametrize("command", [[], ["experiment"], ["copy"], ["draw"]])
def test_every_command_has_help(capsys, command):
    assert status_of(*command, "--help") == 0
    assert "usage: python -m unetpp_course" in capsys.readouterr().out
