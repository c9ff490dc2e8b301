"""Wire it yourself: from U-Net to UNet++ by switching inputs on, and the hidden wrong wire."""

import base64

import pytest
from torch import nn

from unetpp_course.custom_wiring import known_wires
from unetpp_course.explorers.wiring import FAULTS, HiddenWire, WiringExplorer
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, read_graph


@pytest.fixture(scope="module")
def explorer():
    return WiringExplorer()


def test_the_start_is_drawn_and_costed(explorer):
    explorer.start.value = "U-Net"
    assert explorer.status.startswith("U-Net: 12 wires, 7.76 M parameters, 48.1 G")
    assert repr(explorer) == repr(WiringExplorer())
    bundle = explorer._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")


def test_switching_inputs_on_makes_unetpp_of_unet(explorer):
    explorer.start.value = "U-Net"
    wanted = known_wires(4)["UNet++"]
    for node in sorted(wanted, key=lambda node: (node[1], -node[0])):
        if node[1]:
            explorer.node.value = node
            for source in wanted[node]:
                explorer.inputs[source].value = True
    assert explorer.kind == "UNet++"
    assert explorer.wires == wanted
    assert "119.0 G" in explorer.children[-1].value


def test_a_node_without_inputs_is_left_out(explorer):
    explorer.start.value = "UNet+"
    explorer.node.value = (0, 1)
    for button in explorer.inputs.values():
        button.value = False
    assert (0, 1) not in explorer.wires
    assert explorer.wires[0, 2] == [(1, 1)]
    assert explorer.kind == "your own wiring"


def test_a_click_on_a_wire_switches_it_and_one_on_a_node_chooses_it(explorer):
    explorer.start.value = "U-Net"
    explorer._click.value = "0,0,0,1 1"
    assert explorer.node.value == (0, 1)
    assert explorer.wires[0, 1] == [(0, 0)]
    explorer._click.value = "0,0,0,1 2"
    assert (0, 1) not in explorer.wires
    explorer._click.value = "1,3,1,3 3"
    assert explorer.node.value == (1, 3)
    assert explorer.kind == "U-Net"


def test_every_wire_of_unetpp_can_be_clicked(explorer):
    explorer.start.value = "U-Net"
    for node, sources in known_wires(4)["UNet++"].items():
        for source in sources if node[1] else []:
            click = f'data-wire="{source[0]},{source[1]},{node[0]},{node[1]}"'
            assert click in explorer.children[-1].value
            if source not in explorer.wires.get(node, []):
                explorer.switch(source, node)
    assert explorer.kind == "UNet++"


def test_a_wire_that_cannot_be_is_refused(explorer):
    for source, node in [((0, 2), (0, 1)), ((0, 0), (1, 0)), ((2, 0), (0, 1)), ((0, 0), (7, 7))]:
        with pytest.raises(InputError, match="cannot feed"):
            explorer.switch(source, node)


def test_the_picture_and_its_words_follow(explorer):
    explorer.start.value = "U-Net"
    before = explorer.children[-1].value
    explorer.start.value = "UNet+"
    assert explorer.children[-1].value != before
    assert "alt=" in before
    assert 'role="status"' in before


@pytest.mark.parametrize("puzzle", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, len(FAULTS)))])
def test_the_hidden_wire_can_be_found_from_what_the_gradient_reaches(puzzle):
    hidden = HiddenWire(puzzle)
    i, j = FAULTS[puzzle]
    hidden.reader.value = (0, i + j)
    assert f"X{i + 1},{j - 1}" in hidden.children[-1].value.split("does not reach:")[1]
    hidden.guess.value = next(other for other in FAULTS if other != (i, j))
    assert "wired as it should be" in hidden.status
    hidden.guess.value = (i, j)
    assert f"Yes: X{i},{j} " in hidden.status


def test_a_network_of_ones_own_is_where_it_begins():
    explorer = WiringExplorer(UNetPlusPlus(widths=(2, 3, 4), dense=False))
    assert explorer.start.value == "your network"
    assert explorer.kind == "UNet+"
    assert explorer.wires == read_graph(UNetPlusPlus(widths=(2, 3, 4), dense=False)).inputs


def test_the_chosen_node_is_shown_with_its_inputs_in_words(explorer):
    explorer.start.value, explorer.node.value = "UNet++", (0, 2)
    before = explorer.png
    explorer.node.value = (1, 1)
    assert explorer.png != before
    assert "X1,1 is fed by X1,0, X2,0" in explorer.children[-1].value


@pytest.mark.slow
def test_the_words_of_a_hidden_wire_follow_the_reader():
    hidden = HiddenWire(0)
    before = hidden.png
    hidden.reader.value = (0, 3)
    assert hidden.png != before
    assert hidden.status == "Gradient of X0,3. One node is fed by the wrong node of the row below. Which?"


def test_what_does_not_exist_is_refused():
    with pytest.raises(InputError, match="depth 5"):
        WiringExplorer(UNet(widths=(2,) * 6))
    with pytest.raises(InputError, match="UNetPlusPlus"):
        WiringExplorer(nn.Linear(1, 1))
    with pytest.raises(InputError):
        WiringExplorer("V-Net")
    with pytest.raises(InputError):
        HiddenWire(6)


@pytest.mark.slow
def test_a_guess_can_be_taken_back():
    hidden = HiddenWire(0)
    hidden.guess.label = "X0,2"
    hidden.guess.label = "none yet"
    assert hidden.guess.index == 0  # its button is pressed
    assert hidden.status.endswith("Which?")
