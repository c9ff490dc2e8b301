"""Pruning keeps what the full network says, bit for bit, in a network that stands alone."""

from functools import cache

import pytest
import torch

from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, probabilities, prune

SMALL = (4, 6, 8, 10, 12)


def trained(**options) -> UNetPlusPlus:
    """Return a network with statistics of batch norm that are not the initial ones."""
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=SMALL, **options)
    model(torch.randn(4, 1, 32, 32))
    return model.eval()


@cache
def model_and_answers(dense: bool, norm: str | None, upsample: str) -> tuple[UNetPlusPlus, list]:
    """Return a network, and images of several sizes with its logits."""
    model = trained(dense=dense, norm=norm, upsample=upsample)
    images = [torch.randn(2, 1, *size) for size in [(32, 32), (33, 47), (5, 3), (1, 1)]]
    return model, [(x, model(x)) for x in images]


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("norm", ["batch", "group", "instance", None])
@pytest.mark.parametrize("upsample", ["transpose", "bilinear"])
def test_the_heads_that_stay_are_bit_for_bit_the_same(depth, dense, norm, upsample):
    model, answers = model_and_answers(dense, norm, upsample)
    pruned = prune(model, depth)
    for x, full in answers:
        cut = pruned(x)
        assert len(cut) == depth
        assert all(torch.equal(a, b) for a, b in zip(full, cut, strict=False))
        for mode in ("accurate", "fast"):
            assert torch.equal(probabilities(full, mode, depth), probabilities(cut, mode))


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_it_holds_in_channels_last_and_in_bf16(precision):
    model = trained().to(memory_format=torch.channels_last).to(precision)
    x = torch.randn(2, 1, 40, 56, dtype=precision)
    for depth in (1, 2, 3):
        pruned = prune(model, depth).to(memory_format=torch.channels_last)
        assert all(torch.equal(a, b) for a, b in zip(model(x), pruned(x), strict=False))


@pytest.mark.parametrize(("depth", "parameters"), [(1, 100_961), (2, 511_138), (3, 2_205_027), (4, 9_041_700)])
def test_pruned_networks_have_the_papers_parameters(depth, parameters):
    pruned = prune(UNetPlusPlus(norm=None), depth)
    assert sum(p.numel() for p in pruned.parameters()) == parameters


@pytest.mark.parametrize(("depth", "parameters"), [(1, 100_961), (2, 501_889), (3, 2_140_449)])
def test_pruned_unet_plus_has_its_parameters(depth, parameters):
    pruned = prune(UNetPlusPlus(norm=None, dense=False), depth)
    assert sum(p.numel() for p in pruned.parameters()) == parameters + 33 * (depth - 1)


def test_the_pruned_network_owns_its_weights_and_trains():
    model = trained()
    before = model.state_dict()["nodes.0.0.conv1.weight"].clone()
    pruned = prune(model, 2).train()
    optimizer = torch.optim.SGD(pruned.parameters(), lr=0.1)
    sum(logits.square().mean() for logits in pruned(torch.randn(2, 1, 32, 32))).backward()
    assert all(p.grad is not None for p in pruned.parameters())
    optimizer.step()
    assert torch.equal(model.state_dict()["nodes.0.0.conv1.weight"], before)
    assert not torch.equal(pruned.state_dict()["nodes.0.0.conv1.weight"], before)


def test_a_pruned_network_can_be_pruned_again():
    model = trained()
    x = torch.randn(1, 1, 21, 35)
    assert torch.equal(prune(prune(model, 3), 1)(x)[0], model(x)[0])


def test_training_mode_and_dtype_are_kept():
    model = trained().double()
    assert not prune(model, 1).training
    assert prune(model.train(), 1).training
    assert next(prune(model, 1).parameters()).dtype == torch.float64


@pytest.mark.parametrize("model", [UNetPlusPlus(widths=SMALL, deep_supervision=False), UNet(widths=SMALL)])
def test_a_network_with_one_head_cannot_be_pruned(model):
    with pytest.raises(InputError, match=r"only its deepest head.*deep_supervision=True"):
        prune(model, 1)


@pytest.mark.parametrize("depth", [0, 5, -1])
def test_a_depth_out_of_range_is_named(depth):
    with pytest.raises(InputError, match=f"depth is {depth}; .* 1 to 4"):
        prune(UNetPlusPlus(widths=SMALL), depth)


@pytest.mark.parametrize("depth", ["1", 1.0, True, None])
def test_a_depth_that_is_no_whole_number_is_named(depth):
    with pytest.raises(InputError, match=f"depth is {depth!r}; it must be a whole number"):
        prune(UNetPlusPlus(widths=SMALL), depth)


def test_accurate_is_the_mean_of_the_heads_and_fast_is_one():
    torch.manual_seed(0)
    heads = [torch.randn(2, 1, 4, 4) for _ in range(3)]
    mean = (1 / (1 + (-heads[0]).exp()) + 1 / (1 + (-heads[1]).exp())) / 2
    torch.testing.assert_close(probabilities(heads, depth=2), mean)
    torch.testing.assert_close(probabilities(heads, "fast"), 1 / (1 + (-heads[2]).exp()))


@pytest.mark.parametrize(
    ("logits", "result"),
    [(torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64, torch.float64)],
)
def test_probabilities_have_at_least_float32(logits, result):
    heads = [torch.tensor([[[[value]]]], dtype=logits) for value in (0.3, -2.1, 1.7)]
    answer = probabilities(heads)
    assert answer.dtype == result
    torch.testing.assert_close(answer, torch.stack([head.to(result) for head in heads]).sigmoid().mean(0))


def test_probabilities_of_several_classes_sum_to_one():
    torch.manual_seed(0)
    heads = [torch.randn(2, 5, 4, 4) for _ in range(3)]
    torch.testing.assert_close(probabilities(heads).sum(1), torch.ones(2, 4, 4))


def test_probabilities_names_a_wrong_depth_and_mode():
    heads = [torch.zeros(1, 1, 2, 2)] * 4
    with pytest.raises(InputError, match="depth is 5; there are heads 1 to 4"):
        probabilities(heads, depth=5)
    with pytest.raises(InputError, match="mode is 'slow'; choose \"accurate\""):
        probabilities(heads, "slow")  # type: ignore[arg-type]
