"""The check of the machine: says yes where all is there, and what to do where something is not."""

import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from unetpp_course import check_machine, describe_machine, machine, shipped_model
from unetpp_lib.data import catalog
from unetpp_lib.engine import Card, save_model
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNetPlusPlus


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The embedded images are at hand, and the shipped weights' folder, returned, holds one trained network."""
    monkeypatch.setenv("UNETPP_DATA", str(catalog.shipped_data()))
    for module in ("unetpp_lib.data.catalog", "unetpp_lib.engine.weights"):
        monkeypatch.setattr(f"{module}.shipped_data", lambda: tmp_path)
    monkeypatch.setattr("unetpp_lib.data.catalog.user_cache", lambda: tmp_path / "cache")
    network = UNetPlusPlus(widths=(2, 4))
    save_model(network, tmp_path / "weights" / "unetpp_membranes.safetensors", Card(threshold=0.4))
    return tmp_path / "weights"


def failures(capsys: pytest.CaptureFixture[str]) -> str:
    """Run the check; return its failed lines with their remedies."""
    check_machine()
    lines = capsys.readouterr().out.splitlines()
    return "\n".join(line for line in lines if not line.startswith("[OK]"))


def test_a_machine_that_has_everything_is_ready(weights: Path, capsys: pytest.CaptureFixture[str]):
    assert failures(capsys) == "Your machine is ready."


def test_success_reads_the_same_on_every_machine(weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    check_machine()
    here = capsys.readouterr().out
    real = importlib.metadata.version
    monkeypatch.setattr(machine, "version", lambda name: real(name) + ".post9")
    monkeypatch.setattr("platform.python_version", lambda: "3.12.1")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=8e12))
    check_machine()
    assert capsys.readouterr().out == here
    assert str(weights.parent) not in here


def missing(name: str) -> Callable[[str], str]:
    def version(asked: str) -> str:
        if asked == name:
            raise importlib.metadata.PackageNotFoundError(name)
        return importlib.metadata.version(asked)

    return version


@pytest.mark.parametrize("name", ["torch", "matplotlib", "scikit-image"])
def test_a_missing_package_comes_with_its_command(weights: Path, capsys, monkeypatch, name: str):
    monkeypatch.setattr(machine, "version", missing(name))
    assert f'→ {name} is missing. In a new cell run: %pip install "{name}>=' in failures(capsys)


def test_a_package_that_is_too_old_is_named_with_its_version(weights: Path, capsys, monkeypatch):
    monkeypatch.setattr(machine, "version", lambda name: "1.9.1" if name == "torch" else "99")
    text = failures(capsys)
    assert "[FAIL] packages of the library" in text
    assert '→ torch 1.9.1 does not fit. In a new cell run: %pip install "torch>=' in text
    assert text.endswith("1 to repair: follow the arrows, choose Kernel → Restart Kernel, and run this cell again.")


def test_a_package_that_does_not_import_is_called_damaged(weights: Path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    assert "is damaged (" in failures(capsys)


def test_a_package_that_breaks_in_an_unknown_way_is_a_failure_with_a_remedy(weights: Path, capsys, monkeypatch):
    def break_down():
        raise RuntimeError("two copies of libomp")

    monkeypatch.setattr(machine, "_load_network", break_down)
    text = failures(capsys)
    assert "→ It failed with RuntimeError: two copies of libomp. Repair what the lines above name" in text


def test_a_machine_without_packaging_is_told_so(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    text = failures(capsys)
    assert "[FAIL] the package packaging\n       → It is missing or damaged" in text
    assert "%pip install packaging" in text


def test_missing_images_and_weights_are_told_apart(weights: Path, capsys, monkeypatch):
    (weights / "unetpp_membranes.safetensors").unlink()
    monkeypatch.delenv("UNETPP_DATA")
    text = failures(capsys)
    assert "[FAIL] the embedded images: membranes\n       → The data set 'membranes' is not at hand" in text
    assert "[FAIL] a trained network: unetpp_membranes\n       → " in text
    assert "git checkout" not in text
    assert text.count("or make a new clone") == 2
    assert "2 to repair" in text


def test_damaged_weights_are_a_failure(weights: Path, capsys):
    path = weights / "unetpp_membranes.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "is not a complete safetensors file" in failures(capsys)


def test_exercises_that_cannot_be_read_are_a_failure(weights: Path, capsys, monkeypatch):
    def read(notebook: int):
        raise SyntaxError("invalid syntax (notebook_04.py, line 7)")

    monkeypatch.setattr("unetpp_course.exercises.registry.exercises_of", read)
    text = failures(capsys)
    assert "[FAIL] the exercises of all notebooks\n       → It failed with SyntaxError" in text
    assert "notebook_04.py, line 7" in text


def test_a_full_disk_is_a_failure(weights: Path, capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0.2e9))
    assert "[FAIL] 1 GB of free disk space\n       → Only 0.2 GB are free" in failures(capsys)


def test_an_environment_without_the_library_is_told_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setattr(machine, "requires", lambda name: missing("unetpp")(name))
    assert "make lab" in failures(capsys)


def test_widgets_need_their_half_in_the_browser(weights: Path, capsys, monkeypatch):
    monkeypatch.setattr(machine, "version", missing("jupyterlab_widgets"))
    text = failures(capsys)
    assert "[FAIL] sliders and buttons in JupyterLab" in text
    assert "%pip install --force-reinstall ipywidgets jupyterlab_widgets" in text


def test_the_machine_is_described_by_its_versions_and_its_device(capsys):
    describe_machine()
    text = capsys.readouterr().out
    assert importlib.metadata.version("torch") in text
    assert "Networks run on c" in text  # cpu or cuda


def test_a_shipped_network_comes_with_its_card_ready_to_be_asked(weights: Path):
    model, card = shipped_model("unetpp_membranes")
    assert not model.training
    assert card.threshold == 0.4


def test_a_network_that_is_not_shipped_is_answered_with_those_that_are(weights: Path):
    with pytest.raises(InputError, match="No network 'unet_membranes' comes with unetpp; these do: unetpp_membranes"):
        shipped_model("unet_membranes")
