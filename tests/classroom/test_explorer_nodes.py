"""What each node knows: the triangle follows network and image."""

import pytest
import torch

from unetpp_lib.classroom.explorers.nodes import NodeExplorer
from unetpp_lib.classroom.readouts import Readout
from unetpp_lib.errors import InputError

TRUTHS = torch.tensor([[1, 0], [0, 1]], dtype=torch.uint8).repeat(2, 1, 4, 4)
READOUTS = {
    "good": Readout({(0, 0): 0.5, (1, 0): 0.25, (0, 1): 1.0}, dict.fromkeys([(0, 0), (1, 0), (0, 1)], TRUTHS)),
    "bad": Readout({(0, 0): 0.1, (1, 0): 0.0, (0, 1): 0.05}, dict.fromkeys([(0, 0), (1, 0), (0, 1)], 1 - TRUTHS)),
}


def test_the_picture_follows_the_controls():
    explorer = NodeExplorer(READOUTS, TRUTHS)
    assert explorer.status == ("good, image 0: over all images X0,1 knows most (membrane IoU 1.00), X1,0 least (0.25).")
    first = explorer.children[-1].value
    explorer.network.value = "bad"
    explorer.image.value = 1
    assert explorer.children[-1].value != first
    assert explorer.status.startswith("bad, image 1")
    assert explorer.status in repr(explorer)
    assert "image/png" in explorer._repr_mimebundle_()


def test_the_number_field_and_the_slider_go_together():
    explorer = NodeExplorer(READOUTS, TRUTHS)
    explorer.children[1].children[1].value = 1
    assert explorer.image.value == 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError):
        NodeExplorer({}, TRUTHS)
    with pytest.raises(InputError):
        NodeExplorer(READOUTS, TRUTHS[:1])
