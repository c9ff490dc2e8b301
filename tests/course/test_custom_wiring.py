"""Networks wired at will: the known ones cost what the library's own cost, and a wrong wire shows in the gradient."""

import pytest
import torch

from unetpp_course.custom_wiring import (
    WiredNetwork,
    cost,
    count_paths,
    cross,
    gradient_sizes,
    known_wires,
    possible_inputs,
)
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, profile
from unetpp_lib.models.graph import edges_of, read_graph

WIDTHS = (3, 4, 5)
NETWORKS = {
    "U-Net": UNet(widths=WIDTHS, norm=None),
    "UNet+": UNetPlusPlus(widths=WIDTHS, norm=None, deep_supervision=False, dense=False),
    "UNet++": UNetPlusPlus(widths=WIDTHS, norm=None, deep_supervision=False),
}
each_network = pytest.mark.parametrize("name", NETWORKS)


@each_network
def test_a_known_network_costs_what_the_librarys_own_costs(name):
    measured = profile(NETWORKS[name], 16, repeats=1)
    assert cost(known_wires(2)[name], WIDTHS, 16) == (measured.parameters, measured.macs)


@each_network
def test_a_wired_network_runs_as_it_is_wired(name):
    wires = known_wires(2)[name]
    assert read_graph(WiredNetwork(wires, WIDTHS)).inputs == wires


def test_a_wired_network_computes_what_the_library_computes():
    model = NETWORKS["UNet++"]
    wired = WiredNetwork(known_wires(2)["UNet++"], WIDTHS)
    for i, row in enumerate(model.nodes):
        for j, node in enumerate(row):
            wired.nodes[i][j].block.load_state_dict((node.block if j else node).state_dict())
            if j:
                wired.nodes[i][j].up[f"{j - 1}"].load_state_dict(node.up.state_dict())
    wired.heads.load_state_dict(model.heads.state_dict())
    image = torch.randn(1, 1, 8, 8)
    torch.testing.assert_close(wired(image), model(image))


def test_the_gradient_does_not_reach_below_a_wrong_wire():
    wires = known_wires(4)["UNet++"]
    wrong = cross(wires, (1, 2), right=(2, 1), wrong=(2, 0))
    assert edges_of(wires) - edges_of(wrong) == {((2, 1), (1, 2))}
    right, found = gradient_sizes(wires, (0, 3)), gradient_sizes(wrong, (0, 3))
    assert {node for node in right if right[node] and not found[node]} == {(2, 1), (3, 0)}
    assert cost(wires) == cost(wrong)


def test_the_random_state_is_left_alone():
    before = torch.get_rng_state()
    gradient_sizes(known_wires(2)["U-Net"], (0, 2))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("name", "paths"), [("U-Net", 3), ("UNet+", 4), ("UNet++", 5)])
def test_paths_are_counted(name, paths):
    assert count_paths(known_wires(2)[name], (0, 2)) == paths


@pytest.mark.parametrize(
    "wires",
    [
        {(0, 1): [(0, 0)]},
        {(0, 0): [], (0, 1): []},
        {(0, 0): [], (0, 1): [(1, 0)]},
        {(0, 0): [], (0, 1): [(0, 2)], (0, 2): [(0, 1)]},
    ],
)
def test_wires_that_cannot_be_are_refused(wires):
    with pytest.raises(InputError):
        WiredNetwork(wires, WIDTHS)


def test_inputs_come_from_earlier_columns_of_two_rows():
    assert possible_inputs((0, 2), 2) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert possible_inputs((1, 0), 2) == [(0, 0)]
    assert possible_inputs((0, 0), 2) == []
