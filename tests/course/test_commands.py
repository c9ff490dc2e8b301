"""The course's own commands say what they did, and wrong input is one message."""

import pytest

from unetpp_course.__main__ import main
from unetpp_lib.data import SegmentationFolder


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


def test_copy_says_how_many_notebooks_are_new(capsys, tmp_path):
    for new in ("15 new notebooks", "0 new notebooks"):
        main(["copy", str(tmp_path / "mine")])
        assert new in capsys.readouterr().out


@pytest.mark.parametrize("command", [[], ["experiment"], ["copy"], ["draw"]])
def test_every_command_has_help(capsys, command):
    assert status_of(*command, "--help") == 0
    assert "usage: python -m unetpp_course" in capsys.readouterr().out
