"""A saved network answers as before, and no other file is taken for one."""

import json

import pytest
import torch
from safetensors.torch import save_file

from unetpp_lib.engine import Card, load_model, save_model
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, prune

SMALL = (4, 6, 8, 10, 12)
CARD = Card((0.4,), (0.2,), 0.35, ("membrane", "interior"), {"seed": 7, "scores": {"iou": 0.5}})


@pytest.mark.parametrize(
    "model",
    [
        UNet(widths=SMALL, norm="group"),
        UNetPlusPlus(3, 2, SMALL, "instance", "bilinear", dense=False),
        UNetPlusPlus(widths=SMALL, norm=None, deep_supervision=False),
        prune(UNetPlusPlus(widths=SMALL), 2),
    ],
)
def test_a_loaded_network_answers_as_the_saved_one(model, tmp_path):
    save_model(model, tmp_path / "model.safetensors", CARD)
    loaded, card = load_model(tmp_path / "model.safetensors")
    assert card == CARD
    assert loaded.head_depths == model.head_depths
    x = torch.randn(1, model.in_channels, 21, 35)
    assert all(torch.equal(a, b) for a, b in zip(model.eval()(x), loaded(x), strict=True))


def test_the_file_says_what_it_holds(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(prune(UNetPlusPlus(widths=SMALL), 2), path)
    header = path.read_bytes()
    length = int.from_bytes(header[:8], "little")
    about = json.loads(json.loads(header[8 : 8 + length])["__metadata__"]["unetpp"])
    assert about["network"] == "UNetPlusPlus"
    assert about["head_depths"] == [1, 2]
    assert about["pad_multiple"] == 16


def test_normalising_uses_the_cards_numbers_per_channel():
    card = Card((0.5, 0.0), (0.5, 2.0))
    images = torch.ones(3, 2, 4, 4)
    torch.testing.assert_close(card.normalise(images)[:, 0], torch.ones(3, 4, 4))
    torch.testing.assert_close(card.normalise(images)[:, 1], torch.full((3, 4, 4), 0.5))


def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(UNet(widths=SMALL), path)
    return path


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.safetensors: there is no such file"):
        load_model(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("length", [0, 5, 200, -1])
def test_a_file_that_is_cut_short_is_named(tmp_path, length):
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"model\.safetensors is not a whole safetensors file"):
        load_model(path)


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "model.safetensors"
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="is not a whole safetensors file"):
        load_model(path)


def test_weights_without_a_description_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"other\.safetensors does not say which network"):
        load_model(path)


def test_a_later_format_is_refused(tmp_path):
    path = tmp_path / "later.safetensors"
    save_file({"weight": torch.zeros(1)}, path, metadata={"unetpp": json.dumps({"format": 99})})
    with pytest.raises(InputError, match="format 99; this version reads format 1"):
        load_model(path)


def test_weights_of_another_architecture_are_refused_with_the_first_difference(tmp_path):
    path = tmp_path / "mixed.safetensors"
    model = UNet(widths=(4, 8))
    about = {"format": 1, "network": "UNet", "arguments": {**model.arguments, "widths": (4, 9)}, "card": {}}
    save_file(model.state_dict(), path, metadata={"unetpp": json.dumps(about)})
    with pytest.raises(InputError, match=r"another architecture: decoder.0.up.weight has shape \(8, 4, 2, 2\) there"):
        load_model(path)


def test_a_full_disk_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    path = saved(tmp_path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"model\.safetensors cannot be written: No space left on device\. Free some"):
        save_model(UNet(widths=SMALL), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
