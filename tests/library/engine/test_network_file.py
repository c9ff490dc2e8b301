"""network.bin describes UNet and UNetPlusPlus with folded batch norm, and says why it does not describe another."""

import pytest
import torch

from unetpp_lib.cli import main
from unetpp_lib.data import SegmentationFolder, find_dataset, read_split, shipped_data
from unetpp_lib.engine import Card, export_model, load_model
from unetpp_lib.engine.network_file import network_bytes, pack, stored_network, unpack
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import UNet, UNetPlusPlus, probabilities, prune

CARD = Card(mean=(0.4,), std=(0.2,), threshold=0.3, classes=("membrane", "interior"))


def test_what_is_packed_is_unpacked_and_always_the_same():
    packed = pack({"a": [1, 2]}, b"12345")
    assert unpack(packed) == ({"a": [1, 2]}, b"12345")
    assert packed == pack({"a": [1, 2]}, b"12345")


@pytest.mark.parametrize("content", [b"no gzip", pack({}, b"")[:10], b""])
def test_another_file_is_refused(content):
    with pytest.raises(InputError, match=r"This is no network\.bin"):
        unpack(content)


@pytest.mark.parametrize(
    ("model", "inputs", "heads"),
    [
        (UNetPlusPlus(widths=(2, 3, 4)), {(0, 2): [[0, 0], [0, 1], [1, 1]]}, [[0, 1], [0, 2]]),
        (UNetPlusPlus(widths=(2, 3, 4), dense=False), {(0, 2): [[0, 1], [1, 1]]}, [[0, 1], [0, 2]]),
        (UNet(widths=(2, 3, 4)), {(1, 1): [[1, 0], [2, 0]], (0, 2): [[0, 0], [1, 1]]}, [[0, 2]]),
    ],
    ids=["UNet++", "UNet+", "U-Net"],
)  # fmt: skip
def test_the_file_says_which_nodes_feed_which(model, inputs, heads):
    about, payload = unpack(network_bytes(model, CARD))
    wires = {tuple(entry["node"]): entry["inputs"] for entry in about["nodes"]}
    assert inputs.items() <= wires.items()
    assert about["heads"] == heads
    assert about["card"] == {"mean": [0.4], "std": [0.2], "threshold": 0.3, "classes": ["membrane", "interior"]}
    assert len(payload) == 2 * sum(p.numel() for p in stored_network(model).parameters())


def test_rounding_to_float16_changes_little():
    torch.manual_seed(0)
    model, images = UNetPlusPlus(widths=(4, 6, 8)).eval(), torch.rand(1, 1, 40, 56)
    with torch.inference_mode():
        whole, stored = (probabilities(network(CARD.normalise(images))) for network in (model, stored_network(model)))
    assert 0 < (whole - stored).abs().max() < 2e-3


@pytest.mark.slow
def test_rounding_to_float16_costs_the_courses_network_no_iou():
    model, card = load_model(shipped_data() / "weights" / "unetpp_membranes.safetensors")
    root = find_dataset("membranes")
    folder = SegmentationFolder(root)
    images, masks = zip(*(folder[folder.index_of[name]] for name in read_split(root / "split.json").test), strict=True)
    scores = []
    for network in (model, stored_network(model)):
        with torch.inference_mode():
            heads = network(card.normalise(torch.stack(images)))
        counts = (confusion_counts(classify(head.sigmoid(), 0.5), torch.stack(masks)) for head in heads)
        scores.append(torch.tensor([iou(of_head, "background") for of_head in counts]))
    assert (scores[0] - scores[1]).abs().max() < 3e-4  # what `network_bytes` states


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (UNetPlusPlus(widths=(2, 3), norm="group"), 'norm="group", which depends on each image'),
        (UNet(widths=(2, 3), norm="instance"), 'norm="instance", which depends on each image'),
        (UNet(widths=(2, 3), upsample="bilinear"), 'upsample="bilinear"; network.bin only describes "transpose"'),
    ],
)
def test_networks_that_it_cannot_describe_are_refused_with_the_reason(tmp_path, model, words):
    with pytest.raises(InputError, match=words):
        export_model(model, tmp_path / "network.bin", CARD)
    assert not (tmp_path / "network.bin").exists()


def test_weights_beyond_float16_are_refused():
    model = UNet(widths=(2, 3), norm=None)
    torch.nn.init.constant_(model.heads[0].weight, 1e5)
    with pytest.raises(InputError, match=r"heads\.0\.weight contains 100000, and float16 ends at 65504"):
        network_bytes(model, CARD)


def test_the_command_writes_the_courses_network_also_pruned(tmp_path, capsys):
    for depth, options in ((4, []), (2, ["--depth", "2"])):
        path = tmp_path / f"{depth}.bin"
        with pytest.raises(SystemExit) as stopped:
            main(["export", "unetpp_membranes", "--out", str(path), *options])
        assert not stopped.value.code
        assert f"Wrote {path}: {path.stat().st_size / 1e6:.2f} MB" in capsys.readouterr().out
        assert len(unpack(path.read_bytes())[0]["heads"]) == depth
    assert (tmp_path / "4.bin").stat().st_size < 1_100_000


def test_a_pruned_network_is_stored_as_the_pruned_one():
    model = UNetPlusPlus(widths=(2, 3, 4))
    about, _ = unpack(network_bytes(prune(model, 1), CARD))
    assert about["pad_multiple"] == 4
    assert [entry["node"] for entry in about["nodes"]] == [[0, 0], [1, 0], [0, 1]]
