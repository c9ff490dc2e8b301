"""What each node knows: the triangle follows network, image and a faded edge."""

import pytest
import torch

from unetpp_lib.classroom import NodeExplorer
from unetpp_lib.engine import Card
from unetpp_lib.engine.readouts import read_nodes
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou
from unetpp_lib.models import UNet, UNetPlusPlus

CARD = Card(mean=(0.5,), std=(0.3,))


@pytest.fixture(scope="module")
def scored():
    images = torch.rand(2, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    return images, (images > 0.3).to(torch.uint8)


@pytest.fixture(scope="module")
def readouts(scored):
    torch.manual_seed(0)
    models = {"dense": UNetPlusPlus(widths=(3, 4, 5)).eval(), "plain": UNet(widths=(3, 4, 5)).eval()}
    return {name: read_nodes(model, CARD, scored, scored) for name, model in models.items()}


@pytest.fixture
def explorer(readouts, scored):
    return NodeExplorer(readouts, scored)


def test_at_full_strength_the_masks_are_those_of_the_readout(explorer, readouts, scored):
    for number in (0, 1):
        explorer.image.value = number
        for node, mask in readouts["dense"].masks.items():
            expected = iou(confusion_counts(mask[number : number + 1], scored[1][number : number + 1]), "background")
            assert explorer.scores[node] == expected


def test_the_picture_and_its_words_follow_every_control(explorer):
    seen = {explorer.png}
    for control, value in [("network", "plain"), ("image", 1), ("strength", 0), ("node", (1, 0))]:
        getattr(explorer, control).value = value
        assert explorer.png not in seen
        seen.add(explorer.png)
        assert explorer.status in explorer._view.value
    assert explorer.status.startswith("plain, image 1, X0,0 → X1,0 at 0 %: on this image X0,2 has a membrane IoU of")
    assert 'alt="Masks read out of the nodes' in explorer._view.value


def test_a_faded_edge_changes_what_it_feeds_and_nothing_else(explorer):
    before = explorer.scores
    explorer.node.value, explorer.source.value, explorer.strength.value = (0, 1), (1, 0), 0
    changed = {node for node in before if explorer.scores[node] != before[node]}
    assert changed
    assert changed <= {(0, 1), (0, 2)}
    explorer.strength.value = 100
    assert explorer.scores == before


def test_another_network_offers_its_own_edges(explorer):
    explorer.node.value = (0, 1)
    explorer.network.value = "plain"
    assert [label for label, _ in explorer.node.options] == ["X0,2", "X1,0", "X1,1", "X2,0"]
    assert [label for label, _ in explorer.source.options] == ["X0,0", "X1,1"]


def test_the_number_field_and_the_slider_go_together(explorer):
    explorer.children[1].children[1].value = 1
    assert explorer.image.value == 1
    assert explorer.children[1].children[1].description == "image"


def test_a_picture_stands_where_no_widget_runs(explorer):
    bundle = explorer._repr_mimebundle_()
    assert bundle["image/png"]
    assert bundle["text/plain"] == repr(explorer) == f"NodeExplorer: {explorer.status}"


def test_what_does_not_fit_is_refused(readouts, scored):
    with pytest.raises(InputError, match="readouts is empty"):
        NodeExplorer({}, scored)
    with pytest.raises(InputError, match="a mask for each image"):
        NodeExplorer(readouts, (scored[0], scored[1][:1]))
    with pytest.raises(InputError, match="multiples of 4"):
        NodeExplorer(readouts, (scored[0][..., 1:], scored[1][..., 1:]))
