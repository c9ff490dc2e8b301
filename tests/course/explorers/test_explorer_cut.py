"""The explorer of notebook 00 shows what each pruned network predicts, and how much of the network is left."""

import pytest
import torch

from unetpp_course import CutExplorer
from unetpp_lib.engine import Card
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import UNet, UNetPlusPlus, prune

CARD = Card(mean=(0.4,), std=(0.3,))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=(2, 3, 4, 5)).train()
    model(torch.randn(4, 1, 32, 32))
    return model.eval()


@pytest.fixture(scope="module")
def pairs():
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(1, *size, generator=generator) for size in ((24, 40), (33, 21))]
    return images, [(image > 0.4).to(torch.uint8) for image in images]


@pytest.fixture
def explorer(model, pairs):
    return CutExplorer(model, CARD, *pairs, names=["a", "b"])


@pytest.fixture(scope="module")
def used(model, pairs):
    """An explorer whose controls may stand anywhere."""
    return CutExplorer(model, CARD, *pairs)


@pytest.mark.parametrize("shown", [0, 1])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_score_is_that_of_the_pruned_network(used, model, pairs, depth, shown):
    used.depth.value, used.image.value = depth, shown
    image, mask = (part[shown] for part in pairs)
    with torch.inference_mode():
        found = classify(prune(model, depth)(CARD.normalise(image)[None])[-1].sigmoid())
    assert used.score == iou(confusion_counts(found, mask[None]), of="background")


def test_the_status_says_how_much_of_the_network_is_left(explorer, model):
    whole, left = (sum(p.numel() for p in network.parameters()) for network in (model, prune(model, 1)))
    assert repr(explorer).startswith(f"CutExplorer: Depth 3 of 3: {whole:,} of {whole:,} parameters (100%). Image a: ")
    explorer.depth.value, explorer.image.value = 1, 1
    assert f"Depth 1 of 3: {left:,} of {whole:,} parameters ({left / whole:.0%}). Image b: " in explorer.status
    assert explorer.status.endswith(f"IoU of the membrane {explorer.score:.3f}.")


def test_every_control_changes_picture_and_status(explorer):
    seen = {(explorer.png, explorer.status)}
    for control, value in ((explorer.depth, 2), (explorer.depth, 1), (explorer.image, 1)):
        control.value = value
        seen.add((explorer.png, explorer.status))
    assert len({png for png, _ in seen}) == len({status for _, status in seen}) == 4


def test_what_does_not_fit_is_refused(model, pairs):
    images, masks = pairs
    with pytest.raises(InputError, match="2 images and 1 masks"):
        CutExplorer(model, CARD, images, masks[:1])
    for network in (UNet(widths=(2, 3)), UNetPlusPlus(widths=(2, 3), deep_supervision=False)):
        with pytest.raises(InputError):
            CutExplorer(network.eval(), CARD, images, masks)
