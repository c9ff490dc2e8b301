"""Wire it yourself: from U-Net to UNet++ by switching inputs on, and the hidden wrong wire."""

import base64

import pytest

from unetpp_lib.classroom.explorers.wiring import FAULTS, HiddenWire, WiringExplorer
from unetpp_lib.classroom.wired import known_wires
from unetpp_lib.errors import InputError


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
    assert explorer.kind == "your own network"


def test_the_picture_and_its_words_follow(explorer):
    explorer.start.value = "U-Net"
    before = explorer.children[-1].value
    explorer.start.value = "UNet+"
    assert explorer.children[-1].value != before
    assert "alt=" in before
    assert 'role="status"' in before


@pytest.mark.parametrize("puzzle", range(len(FAULTS)))
def test_the_hidden_wire_can_be_found_from_what_the_gradient_reaches(puzzle):
    hidden = HiddenWire(puzzle)
    i, j = FAULTS[puzzle]
    hidden.reader.value = (0, i + j)
    assert f"X{i + 1},{j - 1}" in hidden.children[-1].value.split("does not reach:")[1]
    hidden.guess.value = next(other for other in FAULTS if other != (i, j))
    assert "wired as it should be" in hidden.status
    hidden.guess.value = (i, j)
    assert hidden.status.startswith(f"Yes: X{i},{j} ")


def test_what_does_not_exist_is_refused():
    with pytest.raises(InputError):
        WiringExplorer("V-Net")
    with pytest.raises(InputError):
        HiddenWire(6)
