"""The network in JavaScript, in Chromium, gives the logits that PyTorch gives with the same folded, rounded weights."""

import base64

import numpy as np
import pytest
import torch
from lab_page import require_browser

from unetpp_course import shipped_model
from unetpp_course.live.bundle import joined
from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import Card
from unetpp_lib.engine.network_file import network_bytes, stored_network
from unetpp_lib.models import UNet, UNetPlusPlus, prune

SIZES = [(1, 1), (16, 32), (37, 70), (5, 64), (33, 17)]
WIDTHS = {"4, 8, 12 …": (4, 8, 12, 16, 20), "5, 3, 7 …": (5, 3, 7, 2, 9)}
LIMIT = 1e-4  # relative to max(1, |logit|)
LOAD = """async (text) => {
    window.network = await readNetwork(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
}"""
RUN = """([text, height, width, depth]) => {
    const numbers = new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
    const image = [];
    for (let at = 0; at < numbers.length; at += height * width) image.push(numbers.slice(at, at + height * width));
    return run(window.network, image, height, width, depth ?? undefined).map((head) => {
        let letters = "";
        for (const byte of new Uint8Array(head.buffer)) letters += String.fromCharCode(byte);
        return btoa(letters);
    });
}"""

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    page.add_script_tag(content=joined("network_file.js", "network.js"))
    yield page
    page.close()


def trained(model):
    """Give a network weights and statistics as after a training: no two channels alike."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "norm" in name:
                value.copy_(torch.randn_like(value) * 0.1 + (1 if "weight" in name else 0))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1  # its statistics become those of the images below, as after a long training
        model.train()(torch.randn(8, model.in_channels, 64, 64))
    return model.eval()


def card_of(model):
    return Card(mean=(0.4, 0.5, 0.6)[: model.in_channels], std=(0.2, 0.3, 0.1)[: model.in_channels])


def differences(page, model, card, image, depth=None):
    """Return for each head the largest difference from PyTorch, relative to max(1, |logit|)."""
    height, width = image.shape[1:]
    packed = base64.b64encode(image.numpy().astype("<f4").tobytes()).decode()
    found = page.evaluate(RUN, [packed, height, width, depth])
    with torch.inference_mode():
        expected = [head[0].numpy() for head in model(card.normalise(image)[None])]
    assert len(found) == len(expected)
    heads = [np.frombuffer(base64.b64decode(text), "<f4").reshape(expected[0].shape) for text in found]
    return [
        float(np.max(np.abs(one - other) / np.maximum(1, np.abs(other))))
        for one, other in zip(heads, expected, strict=True)
    ]


def load(page, model, card):
    """Give the page the network's file; return what PyTorch is to be compared with."""
    page.evaluate(LOAD, base64.b64encode(network_bytes(model, card)).decode())
    return stored_network(model)


@pytest.mark.parametrize("dense", [True, False], ids=["UNet++", "UNet+"])
@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_every_head_equals_pytorch_at_every_size(page, depth, widths, dense, record_property):
    model = trained(UNetPlusPlus(widths=WIDTHS[widths][: depth + 1], dense=dense))
    stored = load(page, model, card_of(model))
    worst = np.zeros(depth)
    for height, width in SIZES:
        image = torch.rand(1, height, width, generator=torch.Generator().manual_seed(height))
        worst = np.maximum(worst, differences(page, stored, card_of(model), image))
    record_property("shown", f"JavaScript and PyTorch, depth {depth}, widths {widths}, dense={dense}: {worst}")
    assert worst.max() <= LIMIT


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_cut_network_equals_the_one_that_prune_returns(page, depth):
    model = trained(UNetPlusPlus(widths=WIDTHS["4, 8, 12 …"]))
    stored = load(page, model, card_of(model))
    image = torch.rand(1, 37, 70, generator=torch.Generator().manual_seed(0))
    assert max(differences(page, prune(stored, depth), card_of(model), image, depth)) <= LIMIT


OTHERS = {
    "U-Net": lambda: UNet(widths=(4, 6, 8)),
    "U-Net of three channels and three classes": lambda: UNet(in_channels=3, num_classes=3, widths=(4, 6, 8, 10)),
    "UNet++ of three channels and four classes": lambda: UNetPlusPlus(in_channels=3, num_classes=4, widths=(3, 5, 4)),
    "without normalisation": lambda: UNetPlusPlus(widths=(4, 6, 8), norm=None),
    "without deep supervision": lambda: UNetPlusPlus(widths=(4, 6, 8), deep_supervision=False, dropout=0.5),
    "pruned, padded as the whole": lambda: prune(UNetPlusPlus(widths=(4, 6, 8, 10)), 2),
    "depth 6": lambda: UNetPlusPlus(widths=(2, 3, 2, 3, 2, 3, 2)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_networks_equal_pytorch_too(page, kind):
    model = trained(OTHERS[kind]())
    stored = load(page, model, card_of(model))
    for height, width in SIZES[1:4]:
        image = torch.rand(model.in_channels, height, width, generator=torch.Generator().manual_seed(height))
        assert max(differences(page, stored, card_of(model), image)) <= LIMIT


@pytest.mark.parametrize("name", ["unetpp_membranes", "unetpp_plain_membranes", "unet_membranes"])
def test_the_courses_networks_equal_pytorch_on_a_whole_image(page, name, record_property):
    model, card = shipped_model(name)
    image = SegmentationFolder(find_dataset("membranes"))[34][0]
    found = differences(page, load(page, model, card), card, image)
    record_property("shown", f"JavaScript and PyTorch, {name}, 256 × 256, by head: {[f'{d:.1e}' for d in found]}")
    assert max(found) <= LIMIT


def test_the_numbers_that_only_float16_has_are_read(page):
    values = torch.tensor([0.0, -0.0, 2**-24, -(2**-24), 1000 * 2**-24, 2**-14, 65504, -65504, 1 / 3]).half()
    text = base64.b64encode(values.numpy().astype("<f2").tobytes()).decode()
    found = page.evaluate("(text) => [...readHalf(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)]", text)
    assert found == values.tolist()


def test_a_file_of_something_else_is_refused_with_words(page):
    said = page.evaluate("() => readNetwork(new Uint8Array([1, 2, 3])).then(() => '', (error) => error.message)")
    assert said
