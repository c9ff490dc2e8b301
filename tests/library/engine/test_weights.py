"""A user names weights by a run folder, a file, or the name of a network that comes with unetpp."""

from pathlib import Path

import pytest

from unetpp_lib.data import shipped_data
from unetpp_lib.engine import find_weights, load_model, shipped_networks
from unetpp_lib.errors import InputError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(name: str | Path) -> str:
    with pytest.raises(InputError) as error:
        find_weights(name)
    return str(error.value)


@pytest.mark.parametrize("name", ["unet_membranes", "unetpp_membranes", "unetpp_nuclei", "unetpp_plain_membranes"])
def test_a_shipped_network_is_found_by_its_name(name):
    assert find_weights(name) == find_weights(Path(name)) == shipped_data() / "weights" / f"{name}.safetensors"
    load_model(find_weights(name))


def test_every_shipped_network_has_a_name():
    assert list(shipped_networks()) == ["unet_membranes", "unetpp_membranes", "unetpp_nuclei", "unetpp_plain_membranes"]


def test_a_file_of_that_name_comes_first(here):
    (here / "unet_membranes").touch()
    assert find_weights("unet_membranes") == Path("unet_membranes")


def test_a_run_folder_of_that_name_comes_first(here):
    (here / "unet_membranes").mkdir()
    (here / "unet_membranes" / "best.safetensors").touch()
    assert find_weights("unet_membranes") == Path("unet_membranes", "best.safetensors")


def test_a_folder_without_weights_that_hides_a_shipped_network_says_so(here):
    for name in ("unet_membranes", "mine"):
        (here / name).mkdir()
    assert "rename the folder" in refusal("unet_membranes")
    message = refusal("mine")
    assert "mine has no best.safetensors" in message
    assert "rename" not in message


@pytest.mark.parametrize("name", ["unetp_membranes", "UNETPP_membranes", "unetpp_membranes.safetensors"])
def test_a_misspelt_name_gets_a_guess_and_all_that_there_is(name):
    message = refusal(name)
    assert f"{name}: there is no such file" in message
    assert "no such file or run folder (`unetpp train` writes one)" in message
    assert "these do: unet_membranes, unetpp_membranes, unetpp_nuclei, unetpp_plain_membranes" in message
    assert "Did you mean 'unetpp_membranes'?" in message


def test_a_name_like_no_other_gets_no_guess():
    assert "Did you mean" not in refusal("runs/isbi2012-7")


def test_networks_that_are_lost_are_told_from_a_wrong_name(here, monkeypatch):
    monkeypatch.setattr("unetpp_lib.engine.weights.shipped_data", lambda: here)
    message = refusal("unetpp_membranes")
    assert f"are not in {here / 'weights'}" in message
    assert "--force-reinstall" in message
