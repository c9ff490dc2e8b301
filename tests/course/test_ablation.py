"""One faded edge: the same as the network computed by hand with that map scaled, and nothing stays behind."""

import pytest
import torch

from unetpp_course.ablation import descendants, faded_edge, maps_with_faded_edge
from unetpp_course.custom_wiring import WiredNetwork, known_wires
from unetpp_course.probes import node_maps
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus
from unetpp_lib.models.graph import read_graph

WIDTHS = (3, 4, 5)
IMAGE = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=[UNet, UNetPlusPlus])
def model(request):
    torch.manual_seed(0)
    return request.param(widths=WIDTHS).eval()


@torch.inference_mode()
def test_a_faded_skip_is_that_skip_scaled():
    model = UNetPlusPlus(widths=WIDTHS).eval()
    node, grid = model.nodes, model.node_features(IMAGE)
    top = node[0][2]([0.25 * grid[0][0], grid[0][1]], grid[1][1])
    with faded_edge(model, ((0, 0), (0, 2)), 0.25):
        assert torch.equal(model(IMAGE)[1], model.heads[1](top))
    below = node[0][1]([grid[0][0]], 0 * grid[1][0])
    with faded_edge(model, ((1, 0), (0, 1)), 0.0):
        assert torch.equal(model(IMAGE)[0], model.heads[0](below))


def test_every_edge_can_be_faded_and_only_what_it_feeds_is_computed_anew(model):
    wires, maps = read_graph(model).inputs, node_maps(model, IMAGE)
    for target, sources in wires.items():
        for source in sources:
            changed = maps_with_faded_edge(model, IMAGE, maps, wires, (source, target), 0.5)
            assert changed.keys() == descendants(wires, target)
            with faded_edge(model, (source, target), 0.5):
                whole = node_maps(model, IMAGE)
            assert all(torch.equal(whole[node], changed.get(node, maps[node])) for node in maps)
            some = {node: maps[node] for node in list(maps)[::2]}
            found = maps_with_faded_edge(model, IMAGE, some, wires, (source, target), 0.5)
            assert found.keys() == changed.keys() | (maps.keys() - some.keys())
            assert all(torch.equal(found[node], changed.get(node, maps[node])) for node in found)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert all(torch.equal(again, maps[node]) for node, again in node_maps(model, IMAGE).items())


def test_what_a_node_feeds_is_found_through_others():
    wires = known_wires(3)["UNet++"]
    assert descendants(wires, (1, 1)) == {(1, 1), (1, 2), (0, 2), (0, 3)}


def test_a_node_that_takes_its_inputs_otherwise_is_refused():
    model = WiredNetwork(known_wires(2)["UNet++"], WIDTHS)
    with pytest.raises(InputError, match="cannot be faded"), faded_edge(model, ((0, 0), (0, 1)), 0.5):
        model(IMAGE)
