"""Folding takes batch norm out of a network and leaves its answers."""

import pytest
import torch
from torch import nn

from unetpp_lib.engine import Card, load_model, save_model
from unetpp_lib.models import UNet, UNetPlusPlus, fold_batch_norm, prune

SMALL = (4, 6, 8, 10, 12)


def trained(make=UNetPlusPlus, **options):
    """Return a network whose batch norm is not what it starts as: other weights, biases and statistics."""
    torch.manual_seed(0)
    model = make(widths=SMALL, **options).double()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
    model(torch.randn(4, 1, 32, 32, dtype=torch.float64))
    return model.eval()


@pytest.mark.parametrize("make", [UNet, UNetPlusPlus])
@pytest.mark.parametrize("upsample", ["transpose", "bilinear"])
def test_the_folded_network_has_no_batch_norm_and_gives_the_same_logits(make, upsample):
    model = trained(make, upsample=upsample)
    folded = fold_batch_norm(model)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded.modules())
    for size in [(32, 32), (33, 47), (1, 1)]:
        x = torch.randn(2, 1, *size, dtype=torch.float64)
        for before, after in zip(model(x), folded(x), strict=True):
            torch.testing.assert_close(after, before)


def test_a_pruned_network_pads_as_before_once_it_is_folded():
    pruned = prune(trained(), 2)
    x = torch.randn(1, 1, 21, 35, dtype=torch.float64)
    torch.testing.assert_close(fold_batch_norm(pruned)(x)[1], pruned(x)[1])


def test_folding_leaves_the_network_as_it_was():
    model = trained().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    folded = fold_batch_norm(model)
    assert (model.training, model.norm) == (True, "batch")
    assert (folded.training, folded.norm) == (False, None)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("norm", ["group", "instance", None])
def test_a_network_without_batch_norm_is_copied(norm):
    model = trained(norm=norm)
    x = torch.randn(2, 1, 40, 24, dtype=torch.float64)
    folded = fold_batch_norm(model)
    assert folded.norm == norm
    assert all(torch.equal(a, b) for a, b in zip(model(x), folded(x), strict=True))


def test_a_folded_network_can_be_saved_and_loaded(tmp_path):
    folded = fold_batch_norm(trained().float())
    save_model(folded, tmp_path / "folded.safetensors", Card())
    again, _ = load_model(tmp_path / "folded.safetensors")
    x = torch.randn(1, 1, 32, 32)
    assert all(torch.equal(a, b) for a, b in zip(folded(x), again(x), strict=True))
