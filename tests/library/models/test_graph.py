"""What is read from a network is what it does: its wires, right or wrong, its channels and its heads."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import max_pool2d

from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, prune
from unetpp_lib.models.graph import edges_of, grid_graph, grid_nodes, node_inputs, read_graph

WIDTHS = (2, 3, 5, 7, 11, 13, 17)


def equation_1(depth: int, dense: bool = True) -> dict:
    """Return what feeds each node by equation 1 of the 2018 paper."""
    inputs = {}
    for i in range(depth + 1):
        inputs[i, 0] = [(i - 1, 0)] if i else []
        for j in range(1, depth - i + 1):
            inputs[i, j] = [*((i, k) for k in range(0 if dense else j - 1, j)), (i + 1, j - 1)]
    return inputs


class WrongWire(UNetPlusPlus):
    """X^{1,2} is fed from X^{2,0} instead of X^{2,1}, as in a public report's own network."""

    def node_features(self, x):
        grid = []
        for i, row in enumerate(self.nodes):
            x = row[0](max_pool2d(x, 2) if i else x)
            grid.append([x])
        for j in range(1, self.depth + 1):
            for i in range(self.depth - j + 1):
                below = grid[2][0] if (i, j) == (1, 2) else grid[i + 1][j - 1]
                grid[i].append(self.nodes[i][j](grid[i], below))
        return grid


class HeadsInOnePlace(UNetPlusPlus):
    """Every head reads the deepest node."""

    def head_features(self, x):
        return [self.node_features(x)[0][-1]] * self.depth


class SharedNode(UNetPlusPlus):
    """X^{0,1}'s block does the work of X^{0,2} as well."""

    def node_features(self, x):
        top = self.nodes[0][0](x)
        middle = self.nodes[1][0](max_pool2d(top, 2))
        bottom = self.nodes[2][0](max_pool2d(middle, 2))
        first = self.nodes[0][1]([top], middle)
        return [[top, first, self.nodes[0][1]([first], self.nodes[1][1]([middle], bottom))]]


@pytest.mark.parametrize("depth", range(1, 7))
@pytest.mark.parametrize("dense", [True, False], ids=["UNet++", "UNet+"])
@pytest.mark.parametrize("upsample", ["transpose", "bilinear"])
def test_a_nested_network_is_wired_as_equation_1_says(depth, dense, upsample):
    model = UNetPlusPlus(widths=WIDTHS[: depth + 1], dense=dense, upsample=upsample)
    assert read_graph(model).inputs == equation_1(depth, dense)


@pytest.mark.parametrize("depth", range(1, 7))
def test_unet_is_the_outer_triangle(depth):
    inputs = {(i, 0): [(i - 1, 0)] if i else [] for i in range(depth + 1)}
    inputs |= {(i, depth - i): [(i, 0), (i + 1, depth - i - 1)] for i in range(depth)}
    assert read_graph(UNet(widths=WIDTHS[: depth + 1])).inputs == inputs


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("dense", [True, False])
def test_a_pruned_network_is_a_smaller_triangle(depth, dense):
    assert read_graph(prune(UNetPlusPlus(widths=WIDTHS[:5], dense=dense), depth)).inputs == equation_1(depth, dense)


@pytest.mark.parametrize("depth", range(1, 7))
@pytest.mark.parametrize("dense", [True, False])
def test_the_wiring_is_stated_as_in_equation_1(depth, dense):
    expected = equation_1(depth, dense)
    assert {node: node_inputs(node, dense) for node in grid_nodes(depth)} == expected
    assert edges_of(expected) == {(source, node) for node in expected for source in expected[node]}


@pytest.mark.parametrize("depth", range(1, 7))
def test_every_node_stands_after_those_that_feed_it(depth):
    nodes = grid_nodes(depth)
    assert all(nodes.index(source) < nodes.index(node) for node in nodes for source in node_inputs(node))


@pytest.mark.parametrize("options", [{}, {"dense": False}, {"deep_supervision": False}])
def test_the_stated_graph_is_the_one_that_the_network_runs(options):
    model = UNetPlusPlus(widths=WIDTHS[:4], **options)
    assert grid_graph(model.widths, model.dense, model.head_depths) == read_graph(model)


def test_a_wrong_wire_is_found():
    wrong = equation_1(4) | {(1, 2): [(1, 0), (1, 1), (2, 0)]}
    assert read_graph(WrongWire(widths=WIDTHS[:5])).inputs == wrong


def test_a_node_that_is_used_twice_feeds_itself_and_one_that_never_runs_is_not_there():
    inputs = read_graph(SharedNode(widths=WIDTHS[:3], dense=False)).inputs
    assert inputs[0, 1] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert (0, 2) not in inputs


@pytest.mark.parametrize("norm", ["batch", "group", "instance", None])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_every_norm_and_number_of_channels_can_be_read(norm, in_channels):
    model = UNetPlusPlus(in_channels=in_channels, widths=WIDTHS[:4], norm=norm, dropout=0.1)
    assert read_graph(model).inputs == equation_1(3)


def test_channels_are_those_of_the_convolutions():
    assert read_graph(UNet(widths=WIDTHS[:3])).channels == {(0, 0): 2, (0, 2): 2, (1, 0): 3, (1, 1): 3, (2, 0): 5}


def test_channels_follow_a_changed_convolution():
    model = UNetPlusPlus(widths=WIDTHS[:3], norm=None, upsample="bilinear")
    model.nodes[2][0].conv2 = nn.Conv2d(5, 6, 3, padding=1)
    model.nodes[1][1].block.conv1 = nn.Conv2d(3 + 6, 3, 3, padding=1)
    assert read_graph(model).channels == {(0, 0): 2, (0, 1): 2, (0, 2): 2, (1, 0): 3, (1, 1): 3, (2, 0): 6}


def test_heads_are_found_on_the_nodes_that_they_read():
    assert read_graph(UNetPlusPlus(widths=WIDTHS[:4])).heads == {(0, 1): [1], (0, 2): [2], (0, 3): [3]}
    assert read_graph(UNetPlusPlus(widths=WIDTHS[:4], deep_supervision=False)).heads == {(0, 3): [1]}
    assert read_graph(UNet(widths=WIDTHS[:4])).heads == {(0, 3): [1]}


def test_heads_that_read_one_node_are_found_there():
    assert read_graph(HeadsInOnePlace(widths=WIDTHS[:4])).heads == {(0, 3): [1, 2, 3]}


@pytest.mark.parametrize("mode", [True, False], ids=["training", "evaluation"])
def test_reading_leaves_the_network_and_chance_alone(mode):
    model = UNetPlusPlus(widths=WIDTHS[:3], dropout=0.1).train(mode)
    before, chance = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    with torch.no_grad():
        read_graph(model)
    assert model.training is mode
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), chance)
    assert not any(module._forward_hooks for module in model.modules())


def test_frozen_and_bf16_networks_can_be_read():
    model = UNetPlusPlus(widths=WIDTHS[:3]).requires_grad_(False).to(torch.bfloat16)
    assert read_graph(model).inputs == equation_1(2)


def test_another_module_is_refused():
    with pytest.raises(InputError, match=r"model is Sequential: give a network with nodes\[i\]\[j\]"):
        read_graph(nn.Sequential(nn.Conv2d(1, 1, 3)))
