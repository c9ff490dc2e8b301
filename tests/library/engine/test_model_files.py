"""A saved network answers as before, and no other file is taken for one."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from unetpp_lib.engine import Card, choose_runtime, load_model, save_model
from unetpp_lib.engine.ready import prepare
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, fold_batch_norm, prune

SMALL = (4, 6, 8, 10, 12)
CARD = Card((0.4,), (0.2,), 0.35, ("membrane", "interior"), {"seed": 7, "scores": {"iou": 0.5}})


def with_tied_heads():
    model = UNetPlusPlus(widths=SMALL)
    model.heads[1] = model.heads[0]
    return model


@pytest.mark.parametrize(
    "model",
    [
        UNet(widths=SMALL, norm="group"),
        UNetPlusPlus(3, 2, SMALL, "instance", "bilinear", dense=False),
        UNetPlusPlus(widths=SMALL, norm=None, deep_supervision=False),
        prune(UNetPlusPlus(widths=SMALL), 2),
        fold_batch_norm(UNet(widths=SMALL)),
        with_tied_heads(),
        UNet(np.int64(1), np.int32(2), np.array(SMALL), dropout=np.float32(0.25)),
        UNetPlusPlus(widths=np.array(SMALL), deep_supervision=np.True_, dense=np.False_, pad_multiple=np.int64(32)),
    ],
)
def test_a_loaded_network_answers_as_the_saved_one(model, tmp_path):
    given = CARD if model.in_channels == 1 else Card((0.4,) * 3, (0.2,) * 3)
    save_model(model, tmp_path / "model.safetensors", given)
    loaded, card = load_model(tmp_path / "model.safetensors")
    assert card == given
    assert loaded.head_depths == model.head_depths
    x = torch.randn(1, model.in_channels, 21, 35)
    assert all(torch.equal(a, b) for a, b in zip(model.eval()(x), loaded(x), strict=True))


class Mine(UNet):
    """A network of a learner's own."""


def with_another_head():
    model = UNet(widths=SMALL)
    model.heads[0] = torch.nn.Conv2d(4, 5, 1)
    return model


RUNTIME = choose_runtime("cpu", "float32")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Mine(widths=SMALL), "model is a Mine, and load_model can build only UNet and UNetPlusPlus"),
        (type("UNet", (UNet,), {})(widths=SMALL), "model is a UNet, and load_model can build only"),
        (torch.compile(UNet(widths=SMALL), backend="eager"), "model is a OptimizedModule.*without a wrapper"),
        (torch.nn.Conv2d(1, 1, 1), "model is a Conv2d, and load_model"),
        (with_another_head(), r"heads\.0\.bias has shape \(5,\), and \(1,\) in a new UNet"),
        (UNet(3, widths=SMALL), r"card has 1 channels, model 3; give this network's card\."),
        (UNet(widths=SMALL).to("meta"), "model is on the device meta, where it has no weights"),
        (prepare(UNetPlusPlus(widths=SMALL), None, RUNTIME), "was changed after it was made"),
    ],
)
def test_a_network_that_could_not_be_loaded_is_not_saved(tmp_path, model, message):
    with pytest.raises(InputError, match=message):
        save_model(model, tmp_path / "model.safetensors", CARD)
    assert not list(tmp_path.iterdir())


CIRCULAR: dict[str, object] = {}
CIRCULAR["self"] = CIRCULAR


@pytest.mark.parametrize(("details", "reason"), [({"mean": torch.zeros(1)}, "Tensor"), (CIRCULAR, "recursion")])
def test_details_that_are_not_json_are_named(tmp_path, details, reason):
    with pytest.raises(InputError, match=rf"details cannot be written as JSON.*{reason}"):
        save_model(UNet(widths=SMALL), tmp_path / "model.safetensors", Card(details=details))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mean": (0.5, 0.5)}, r"mean is \(0\.5, 0\.5\) and std is \(1\.0,\); give one number each"),
        ({"mean": 0.5}, "mean is 0.5; give a finite number for each channel"),
        ({"mean": ()}, r"mean is \(\); give a finite number"),
        ({"std": (float("nan"),)}, r"std is \(nan,\); give a finite number"),
        ({"std": ("wide",)}, "std is .*wide.*; give a finite number"),
        ({"std": (0.0,)}, r"std is \(0\.0,\); images are divided by it, so give numbers greater than 0"),
        ({"std": (-1.0,)}, r"std is \(-1\.0,\)"),
        ({"threshold": 0}, "threshold is 0; it must be greater than 0 and less than 1"),
        ({"threshold": 50}, "threshold is 50"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"classes": "membrane"}, "classes is 'membrane'; give the names of the classes, such as"),
        ({"classes": (0, 1)}, r"classes is \(0, 1\)"),
        ({"classes": None}, "classes is None; give the names"),
        ({"classes": 5}, "classes is 5; give the names"),
        ({"classes": {"a", "b"}}, "classes is .*; give the names"),
        ({"threshold": "0.5"}, "threshold is '0.5'; it must be greater than 0 and less than 1"),
        ({"threshold": None}, "threshold is None; it must be"),
        ({"threshold": [0.5]}, r"threshold is \[0\.5\]; it must be"),
        ({"threshold": np.array([0.5])}, r"threshold is array\(\[0\.5\]\); it must be"),
        ({"threshold": True}, "threshold is True; it must be"),
        ({"mean": (10**400,)}, "; give a finite number for each channel"),
        ({"mean": "12"}, "mean is '12'; give a finite number for each channel"),
        ({"std": "12"}, "std is '12'; give a finite number for each channel"),
        ({"mean": (True,)}, r"mean is \(True,\); give a finite number"),
        ({"mean": ("0.5",)}, r"mean is \('0\.5',\); give a finite number"),
        ({"std": (1e-50,)}, r"std is \(1e-50,\); images normalised in this way do not fit into float32"),
        ({"mean": (1e300,), "std": (1e300,)}, "mean is .*; give a finite number"),
        ({"details": "x"}, "details is 'x'; give a dictionary"),
        ({"details": None}, "details is None; give a dictionary"),
        ({"details": [1]}, r"details is \[1\]; give a dictionary"),
    ],
)
def test_a_card_that_no_image_can_be_normalised_with_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Card(**values)


def test_a_card_takes_numbers_of_arrays_and_tensors():
    card = Card(
        mean=np.array([0.25, 0.5]), std=torch.tensor([0.5, 0.25]), classes=["a", "b"], threshold=np.float64(0.3)
    )
    assert card == Card((0.25, 0.5), (0.5, 0.25), 0.3, ("a", "b"))
    assert {type(value) for value in (*card.mean, *card.std, card.threshold)} == {float}


def test_a_file_with_a_faulty_card_is_named(tmp_path):
    path = tmp_path / "model.safetensors"
    model = UNet(widths=SMALL)
    about = {"format": 1, "network": "UNet", "arguments": model.arguments, "card": {"std": [0]}}
    save_file(model.state_dict(), path, metadata={"unetpp": json.dumps(about)})
    with pytest.raises(InputError, match=r"model\.safetensors: std is \(0\.0,\)"):
        load_model(path)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(1, 2, 4, 4, dtype=torch.uint8), r"images are torch\.uint8; give floating-point numbers"),
        (torch.zeros(1, 1, 4, 4), r"images have shape \(1, 1, 4, 4\) and the card has 2 channel"),
        (torch.zeros(4, 4), r"images have shape \(4, 4\)"),
    ],
)
def test_normalising_refuses_images_that_the_card_is_not_for(images, message):
    with pytest.raises(InputError, match=message):
        Card((0.5, 0.0), (0.5, 2.0)).normalise(images)


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
    with pytest.raises(InputError, match=r"model\.safetensors is not a complete safetensors file"):
        load_model(path)


@pytest.mark.parametrize("path", ["", "folder"])
def test_a_path_that_is_a_folder_is_named(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        save_model(UNet(widths=SMALL), path)
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "model.safetensors"
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="is not a complete safetensors file"):
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
