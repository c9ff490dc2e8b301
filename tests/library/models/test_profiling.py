"""What a network costs, against the counts of the papers and sums by hand."""

import numpy as np
import pytest
import torch

from unetpp_lib.errors import InputError
from unetpp_lib.models import (
    Profile,
    UNet,
    UNetPlusPlus,
    choose_depth,
    compute_matched_unet,
    profile,
    profile_depths,
    prune,
    wide_unet,
)
from unetpp_lib.models.profiling import PeakMemory


@pytest.mark.parametrize(
    ("make", "gigamacs"),
    [
        (UNet, 48.1),
        (wide_unet, 57.6),
        (lambda: UNetPlusPlus(deep_supervision=False), 119.0),
        (lambda: prune(UNetPlusPlus(), 1), 13.9),
        (lambda: prune(UNetPlusPlus(), 2), 35.5),
        (lambda: prune(UNetPlusPlus(), 3), 69.7),
        (compute_matched_unet, 122.2),
        (lambda: UNet(widths=tuple(50 * 2**i for i in range(5))), 117.4),
        (lambda: UNetPlusPlus(upsample="bilinear"), 137.8),
    ],
)
def test_multiply_accumulates_agree_with_the_count_by_hand(make, gigamacs):
    # every convolution scales with the pixels, so 32×32 stands for 512×512
    assert profile(make(), 32, repeats=1).macs * 256 / 1e9 == pytest.approx(gigamacs, rel=0.01)


def test_peak_memory_counts_what_is_alive_at_once():
    x = torch.zeros(1000)
    with PeakMemory([x]) as memory:
        a = x + 1
        b = a + 1
        del a
        c = b + 1  # alive: x, b, c
        c.view(10, 100).add_(1)
    assert memory.peak == 3 * 4000


def test_profile_leaves_the_network_as_it_was():
    model = UNet(widths=(2, 4)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    cost = profile(model, (20, 30), repeats=1)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert cost.parameters == sum(p.numel() for p in model.parameters())
    assert cost.latency > 0
    assert cost.peak_memory > 20 * 30 * 4


def test_each_depth_costs_more_than_the_one_before():
    costs = profile_depths(UNetPlusPlus(widths=(4, 8, 16, 32, 64)), 64, repeats=1)
    assert list(costs) == [1, 2, 3, 4]
    for smaller, larger in [(1, 2), (2, 3), (3, 4)]:
        assert costs[smaller].parameters < costs[larger].parameters
        assert costs[smaller].macs < costs[larger].macs
        assert costs[smaller].peak_memory < costs[larger].peak_memory


COSTS = {depth: Profile(10**depth, 10**depth, 0, latency=depth / 10) for depth in (1, 2, 3, 4)}
SCORES = {1: 0.60, 2: 0.80, 3: 0.86, 4: 0.85}


@pytest.mark.parametrize(
    ("budget", "depth"),
    [
        ({}, 3),
        ({"max_iou_drop": 0.07}, 2),
        ({"max_iou_drop": 0.5}, 1),
        ({"max_latency": 0.25}, 2),
        ({"max_latency": 0.25, "max_iou_drop": 0.3}, 1),
        ({"max_latency": 1.0}, 3),
    ],
)
def test_the_smallest_network_that_keeps_the_budget(budget, depth):
    assert choose_depth(COSTS, SCORES, **budget) == depth


def test_budgets_that_nothing_keeps_are_refused():
    with pytest.raises(InputError, match=r"max_latency=0.05 s; the fastest takes 0.1 s"):
        choose_depth(COSTS, SCORES, max_latency=0.05)
    with pytest.raises(InputError, match="max_iou_drop is -1"):
        choose_depth(COSTS, SCORES, max_iou_drop=-1)
    with pytest.raises(InputError, match=r"depths \[1, 2, 3, 4\] and scores for depths \[1\]"):
        choose_depth(COSTS, {1: 0.5})


def test_a_size_of_nothing_is_refused():
    with pytest.raises(InputError, match="size=0"):
        profile(UNet(widths=(2, 4)), 0)


def test_a_size_of_numpy_is_a_number_of_pixels():
    model = UNet(widths=(2, 4))
    assert profile(model, np.int64(32), repeats=1).macs == profile(model, (32, 32), repeats=1).macs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": True}, "size is True; it must be a whole number"),
        ({"size": 32.0}, r"size is 32\.0; it must be a whole number"),
        ({"size": (32, "32")}, "size is '32'; it must be a whole number"),
        ({"repeats": 1.5}, r"repeats is 1\.5; it must be a whole number"),
    ],
)
def test_a_size_or_repeats_that_is_no_whole_number_is_named(options, message):
    with pytest.raises(InputError, match=message):
        profile(UNet(widths=(2, 4)), **options)
