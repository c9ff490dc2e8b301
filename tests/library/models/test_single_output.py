"""Ordinary PyTorch code works with a wrapped network: usual losses, loops, state dicts and containers."""

import copy

import pytest
import torch
from torch import nn

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import Card, Predictor, choose_runtime, evaluate, export_model, save_model
from unetpp_lib.errors import InputError
from unetpp_lib.losses import bce_dice_loss
from unetpp_lib.models import SingleOutput, UNet, UNetPlusPlus, probabilities, profile, prune

IMAGES = torch.rand(2, 1, 24, 40, generator=torch.Generator().manual_seed(0))
MASKS = (IMAGES > 0.5).float()


def network() -> UNetPlusPlus:
    torch.manual_seed(0)
    return UNetPlusPlus(widths=(4, 6, 8)).eval()


@pytest.mark.parametrize(("depth", "index"), [(None, -1), (2, 1), (1, 0)])
def test_it_returns_the_logits_of_one_head(depth, index):
    model = network()
    assert torch.equal(SingleOutput(model, depth)(IMAGES), model(IMAGES)[index])


def test_it_returns_the_only_head_of_a_unet():
    model = UNet(widths=(4, 6)).eval()
    assert torch.equal(SingleOutput(model)(IMAGES), model(IMAGES)[0])


@pytest.mark.parametrize("num_classes", [1, 3])
def test_an_ordinary_loop_trains_the_network_itself(num_classes):
    torch.manual_seed(0)
    inner = UNetPlusPlus(num_classes=num_classes, widths=(4, 8), deep_supervision=False)
    model = SingleOutput(inner).train()
    loss_of = nn.BCEWithLogitsLoss() if num_classes == 1 else nn.CrossEntropyLoss()
    target = MASKS if num_classes == 1 else MASKS[:, 0].long()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = loss_of(model(IMAGES), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert torch.equal(model.eval()(IMAGES), inner(IMAGES)[0])
    assert bce_dice_loss(model(IMAGES), MASKS.byte()).item() < 1


def test_wrapper_and_network_load_each_others_weights():
    model, other = network(), UNetPlusPlus(widths=(4, 6, 8)).eval()
    wrapped = SingleOutput(model)
    assert list(wrapped.state_dict()) == list(model.state_dict())
    other.load_state_dict(wrapped.state_dict())
    assert torch.equal(other(IMAGES)[-1], wrapped(IMAGES))
    fresh = SingleOutput(UNetPlusPlus(widths=(4, 6, 8)).eval())
    weights = model.state_dict()
    names = list(weights)
    fresh.load_state_dict(weights)
    assert torch.equal(fresh(IMAGES), wrapped(IMAGES))
    assert list(weights) == names  # what is given is left as it is
    with pytest.raises(RuntimeError, match="size mismatch"):
        SingleOutput(UNetPlusPlus(widths=(4, 6, 9))).load_state_dict(weights)
    with pytest.raises(RuntimeError, match="Missing key"):
        fresh.load_state_dict({})


def test_within_another_module_its_state_dict_comes_back(tmp_path):
    outer = nn.Sequential(nn.Conv2d(1, 1, 1), SingleOutput(network()))
    assert "1.nodes.0.0.conv1.weight" in outer.state_dict()
    torch.save(outer.state_dict(), tmp_path / "w.pt")
    again = nn.Sequential(nn.Conv2d(1, 1, 1), SingleOutput(UNetPlusPlus(widths=(4, 6, 8)).eval()))
    again.load_state_dict(torch.load(tmp_path / "w.pt"))
    assert torch.equal(again(IMAGES), outer(IMAGES))


@pytest.mark.slow
def test_copies_and_compiled_ones_answer_alike():
    wrapped = SingleOutput(network())
    copied = copy.deepcopy(wrapped)
    assert list(copied.state_dict()) == list(wrapped.state_dict())
    for other in (copied, torch.compile(wrapped, backend="eager")):
        torch.testing.assert_close(other(IMAGES), wrapped(IMAGES))


@pytest.mark.parametrize("depth", [0, 3, -1, 1.0, True])
def test_a_depth_without_a_head_is_named(depth):
    with pytest.raises(InputError, match=f"depth is {depth}; (there are heads 1 to 2|it must be a whole number)"):
        SingleOutput(network(), depth)


@pytest.mark.parametrize("model", [nn.Linear(1, 1), None, "unet"])
def test_what_is_no_network_is_named(model):
    with pytest.raises(InputError, match=f"model is {type(model).__name__}: give a UNet or UNetPlusPlus"):
        SingleOutput(model)


def test_the_library_asks_for_the_network_inside(tiny_set, tmp_path):
    wrapped = SingleOutput(network())
    cpu = choose_runtime("cpu", "float32")
    for use in (
        lambda: Predictor(wrapped, Card(), runtime=cpu),
        lambda: evaluate(wrapped, SegmentationFolder(tiny_set), Card(), runtime=cpu),
        lambda: prune(wrapped, 1),
        lambda: profile(wrapped, 32),
        lambda: export_model(wrapped, tmp_path / "a.pt2", Card()),
        lambda: SingleOutput(wrapped),
    ):
        with pytest.raises(InputError, match="model is SingleOutput: give the network inside it"):
            use()
    with pytest.raises(InputError, match="Save the network itself, without a wrapper"):
        save_model(wrapped, tmp_path / "a.safetensors")


def test_one_tensor_is_no_list_of_heads():
    with pytest.raises(InputError, match="heads is one tensor; give the list"):
        probabilities(SingleOutput(network())(IMAGES))
