"""What the page of the wiring explorer adds together is what the library counts, also for wirings of one's own."""

import pytest
import torch

from unetpp_course.custom_wiring import cost, known_wires
from unetpp_course.live.wiring_facts import about_wiring
from unetpp_lib.models.graph import edges_of


@pytest.fixture(scope="module")
def about():
    return about_wiring()


def cost_on_page(about, wires):
    parts = [about["head"]]
    for fact in about["nodes"]:
        if fact["node"] in wires:
            sources = zip(fact["possible"], fact["each"], strict=True)
            parts += [fact["fixed"], *(each for source, each in sources if source in wires[fact["node"]])]
    return tuple(map(sum, zip(*parts, strict=True)))


def test_the_networks_have_the_wires_and_costs_of_the_library(about):
    for network in about["networks"]:
        wires = known_wires(about["depth"])[network["name"]]
        assert set(network["wires"]) == edges_of(wires)
        assert cost_on_page(about, wires) == cost(wires)


@pytest.mark.parametrize("seed", range(5))
def test_a_wiring_of_ones_own_costs_the_sum_of_its_parts(about, seed):
    generator = torch.Generator().manual_seed(seed)
    wires = {(0, 0): []}
    for fact in about["nodes"][1:]:
        there = [source for source in fact["possible"] if source in wires]
        chosen = [source for source in there if fact["node"][1] == 0 or torch.rand((), generator=generator) < 0.6]
        if chosen:
            wires[fact["node"]] = chosen
    assert cost_on_page(about, wires) == cost(wires)
