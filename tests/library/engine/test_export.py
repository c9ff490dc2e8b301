"""An exported network answers as this library does, at any size, without it."""

import json
from copy import deepcopy

import numpy as np
import pytest
import torch

from unetpp_lib.cli import main
from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import Card, choose_runtime, evaluate, export_model, predict, save_model
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, probabilities, prune

CARD = Card(mean=(0.4,), std=(0.2,), classes=("membrane", "interior"))
SIZES = [(1, 37, 70), (2, 16, 24), (1, 1, 9)]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return UNetPlusPlus(widths=(4, 6, 8)).eval()


def answer_of_onnx(path, images):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["probabilities"], {"image": images.numpy()})[0])


def answer_of_program(path, images):
    return torch.export.load(path).module()(images)


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "answer"), [("onnx", answer_of_onnx), ("pt2", answer_of_program)])
def test_a_pruned_network_answers_as_before_at_any_size(network, tmp_path, ending, answer):
    pytest.importorskip("onnxscript")
    path = tmp_path / f"network.{ending}"
    export_model(network, path, CARD, mode="fast", depth=1)
    sizes = SIZES if ending == "onnx" else SIZES[:2]  # torch.export checks the sizes that it was traced for
    for n, height, width in sizes:
        images = torch.rand(n, 1, height, width, generator=torch.Generator().manual_seed(height))
        expected = torch.stack([predict(prune(network, 1), image, CARD, mode="fast") for image in images])
        np.testing.assert_allclose(answer(path, images).detach(), expected, atol=1e-4)


@pytest.mark.slow
def test_the_command_exports_classes_and_takes_the_card_along(tmp_path, capsys):
    onnx = pytest.importorskip("onnx")
    torch.manual_seed(0)
    model = UNet(in_channels=3, num_classes=3, widths=(4, 6), norm="instance", upsample="bilinear").eval()
    card = Card(mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.1), classes=("a", "b", "c"))
    save_model(model, tmp_path / "network.safetensors", card)
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(tmp_path / "network.safetensors"), "--out", str(tmp_path / "network.onnx")])
    assert not stopped.value.code
    assert "(N, 3, H, W)" in capsys.readouterr().out
    image = torch.rand(3, 21, 30, generator=torch.Generator().manual_seed(0))
    found = answer_of_onnx(tmp_path / "network.onnx", image[None])[0]
    np.testing.assert_allclose(found, predict(model, image, card), atol=1e-4)
    about = {prop.key: prop.value for prop in onnx.load(tmp_path / "network.onnx").metadata_props}
    assert Card(**json.loads(about["unetpp"])) == card


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: UNet(widths=(4, 6, 8)),
        lambda: UNet(in_channels=3, num_classes=3, widths=(4, 6), norm="instance", upsample="bilinear"),
        lambda: UNetPlusPlus(widths=(4, 6, 8)),
        lambda: UNetPlusPlus(widths=(4, 6, 8), norm="group", deep_supervision=False),
        lambda: UNetPlusPlus(widths=(4, 6, 8), norm=None, dense=False),
        lambda: prune(UNetPlusPlus(widths=(4, 6, 8, 10)), 2),
    ],
    ids=["U-Net", "U-Net of classes, instance norm, bilinear", "UNet++", "one head, group norm", "UNet+", "pruned"],
)
def test_a_network_that_was_placed_and_is_frozen_in_part_is_exported_as_it_answers(make, tmp_path):
    torch.manual_seed(0)
    model = choose_runtime("cpu", "float32").place(make()).train()
    model.heads[0].requires_grad_(False)
    channels = model.in_channels
    card = Card((0.4,) * channels, (0.2,) * channels)
    export_model(model, tmp_path / "network.pt2", card)
    images = torch.rand(2, channels, 37, 70, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = probabilities(model.eval()(card.normalise(images)))
    found = answer_of_program(tmp_path / "network.pt2", images).detach()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_network_that_was_scored_is_exported(network, tiny_set, tmp_path):
    evaluate(network, SegmentationFolder(tiny_set), CARD, runtime=choose_runtime("cpu", "float32"))
    export_model(network, tmp_path / "network.pt2", CARD)
    images = torch.rand(1, 1, 40, 56, generator=torch.Generator().manual_seed(0))
    found = answer_of_program(tmp_path / "network.pt2", images)[0].detach()
    torch.testing.assert_close(found, predict(network, images[0], CARD), atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("precision", [torch.float64, torch.bfloat16])
def test_a_network_of_another_precision_is_exported_in_float32(network, tmp_path, precision):
    converted = deepcopy(network).to(precision)
    export_model(converted, tmp_path / "network.pt2", CARD)
    images = torch.rand(1, 1, 40, 56, generator=torch.Generator().manual_seed(0))
    found = answer_of_program(tmp_path / "network.pt2", images)[0].detach()
    torch.testing.assert_close(found, predict(deepcopy(converted).float(), images[0], CARD), atol=1e-4, rtol=0)
    assert next(converted.parameters()).dtype == precision


def test_nothing_is_overwritten_and_wrong_arguments_are_named(network, tmp_path):
    (tmp_path / "there.onnx").write_text("mine")
    with pytest.raises(InputError, match=r"there\.onnx exists already"):
        export_model(network, tmp_path / "there.onnx", CARD)
    assert (tmp_path / "there.onnx").read_text() == "mine"
    with pytest.raises(InputError, match=r"ends in '\.pb'; end it in \.onnx, \.pt2 or \.bin"):
        export_model(network, tmp_path / "network.pb", CARD)
    with pytest.raises(InputError, match="mode is 'slow'"):
        export_model(network, tmp_path / "network.onnx", CARD, mode="slow")
    with pytest.raises(InputError, match="depth"):
        export_model(network, tmp_path / "network.onnx", CARD, depth=3)
