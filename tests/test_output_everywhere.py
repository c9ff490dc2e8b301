"""Every command can print wherever it is run: on Windows, a pipe has the encoding of the country, which lacks "≥"."""

import io
import sys

import pytest

from unetpp_course import __main__ as course
from unetpp_lib import cli

SLOW = ("cp1252", "cp1251", "cp932", "gbk")
ENCODINGS = ["ascii", *(pytest.param(encoding, marks=pytest.mark.slow) for encoding in SLOW)]
LIBRARY = ["data", "data list", "data download", "data check", "train", "evaluate", "predict", "prune", "profile"]
HELPS = [(cli.main, [*command.split(), "--help"]) for command in ["", *LIBRARY, "export"]]
HELPS += [(course.main, [*command.split(), "--help"]) for command in ["", "copy", "draw", "experiment"]]
TINY = ["--widths", "4", "6", "8", "--patch", "32", "--epochs", "1"]


class Terminal(io.TextIOWrapper):
    """An output that is looked at, not piped."""

    def isatty(self) -> bool:
        return True


def printed(monkeypatch, main, args, encoding, kind=io.TextIOWrapper) -> str:
    """Return what a command that must succeed prints, with "?" for what the encoding lacks."""
    out = kind(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    status = 0
    try:
        main([str(arg) for arg in args])
    except SystemExit as ended:
        status = ended.code or 0
    assert status == 0
    out.flush()
    return out.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("kind", [io.TextIOWrapper, Terminal], ids=["piped", "terminal"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_help_is_printed(monkeypatch, encoding, kind):
    for main, args in HELPS:
        assert "usage" in printed(monkeypatch, main, args, encoding, kind)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_commands_print_is_printed(monkeypatch, tiny_set, tmp_path, encoding):
    image = tiny_set / "images" / "disc_00.png"
    for command in (
        "data list",
        f"data check {tiny_set}",
        f"evaluate unetpp_membranes --data {tiny_set}",
        f"predict unetpp_membranes {image} --out {tmp_path / 'out'}",
        f"prune unetpp_membranes --depth 1 --out {tmp_path / 'small.safetensors'}",
        "profile unet_membranes --size 32",
    ):
        assert printed(monkeypatch, cli.main, command.split(), encoding)
    for command in (f"copy {tmp_path / 'mine'}", f"draw {tmp_path / 'drawn'} --count 3 --size 64", "experiment alone"):
        assert printed(monkeypatch, course.main, command.split(), encoding)


@pytest.mark.slow
def test_training_and_export_print_in_plain_ascii(monkeypatch, tiny_set, tmp_path):
    train = ["train", "--data", tiny_set, "--out", tmp_path / "run", "--device", "cpu", *TINY]
    assert "never seen" in printed(monkeypatch, cli.main, train, "ascii")
    export = ["export", tmp_path / "run", "--out", tmp_path / "network.pt2"]
    assert "(N, 1, H, W)" in printed(monkeypatch, cli.main, export, "ascii")


def test_a_device_that_is_not_there_is_refused_in_one_line(capsys, tiny_set, tmp_path):
    for command in (
        f"train --data {tiny_set} --out {tmp_path / 'run'}",
        f"evaluate unetpp_membranes --data {tiny_set}",
        f"predict unetpp_membranes {tiny_set / 'images' / 'disc_00.png'} --out {tmp_path / 'out'}",
        "profile unet_membranes",
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main([*command.split(), "--device", "meta"])
        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith("unetpp: device is 'meta', but PyTorch sees 0 META devices here.")
    assert not (tmp_path / "run").exists()


def test_what_an_encoding_lacks_becomes_a_question_mark(monkeypatch, tiny_set):
    check = ["data", "check", tiny_set]
    assert "48×48" in printed(monkeypatch, cli.main, check, "cp1252")
    assert "48?48" in printed(monkeypatch, cli.main, check, "ascii")
