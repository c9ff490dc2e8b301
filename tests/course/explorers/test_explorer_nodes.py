"""What each node knows: the triangle follows network, image and a faded edge."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from unetpp_course import NodeExplorer
from unetpp_course.probes import fit_node_probes, node_maps
from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import PRESETS, Card, train
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou
from unetpp_lib.models import UNet, UNetPlusPlus
from unetpp_lib.models.graph import node_modules

CARD = Card(mean=(0.5,), std=(0.3,))


@pytest.fixture(scope="module")
def scored():
    images = torch.rand(2, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    return images, (images > 0.3).to(torch.uint8)


@pytest.fixture(scope="module")
def probes(scored):
    torch.manual_seed(0)
    models = {"dense": UNetPlusPlus(widths=(3, 4, 5)).eval(), "plain": UNet(widths=(3, 4, 5)).eval()}
    return {name: fit_node_probes(model, CARD, scored, scored) for name, model in models.items()}


@pytest.fixture
def explorer(probes, scored):
    return NodeExplorer(probes, scored)


def test_at_full_strength_the_masks_are_those_of_the_readout(explorer, probes, scored):
    for number in (0, 1):
        explorer.image.value = number
        for node, mask in probes["dense"].masks.items():
            expected = iou(confusion_counts(mask[number : number + 1], scored[1][number : number + 1]), "background")
            assert explorer.scores[node] == expected


def test_the_picture_and_its_words_follow_every_control(explorer):
    seen = {explorer.png}
    for control, value in [("network", "plain"), ("image", 1), ("strength", 0), ("node", (1, 0))]:
        getattr(explorer, control).value = value
        assert explorer.png not in seen
        seen.add(explorer.png)
        assert explorer.status in explorer.children[-1].value
    assert explorer.status.startswith("plain, image 1, X0,0 → X1,0 at 0 %: on this image X0,2 has a membrane IoU of")
    assert 'alt="Masks read out of the nodes' in explorer.children[-1].value


def test_a_faded_edge_changes_what_it_feeds_and_nothing_else(explorer):
    before = explorer.scores
    explorer.node.value, explorer.source.value, explorer.strength.value = (0, 1), (1, 0), 0
    changed = {node for node in before if explorer.scores[node] != before[node]}
    assert changed
    assert changed <= {(0, 1), (0, 2)}
    explorer.strength.value = 100
    assert explorer.scores == before


def test_a_cell_may_run_the_network_while_a_slider_moves(scored):
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=(3, 4, 5)).eval()
    before = node_maps(model, scored[0])
    explorer = NodeExplorer({"mine": fit_node_probes(model, CARD, scored, scored)}, scored)
    found = []

    def cell(*_: object) -> None:  # as from another thread, in the middle of the explorer's run
        handle.remove()
        found.append(node_maps(model, scored[0]))

    handle = node_modules(explorer.probes.model)[0, 1].register_forward_pre_hook(cell)
    explorer.strength.value = 50
    assert {node: maps.equal(found[0][node]) for node, maps in before.items()} == dict.fromkeys(before, True)
    assert "at 50 %" in explorer.status


def test_another_network_offers_its_own_edges(explorer):
    explorer.node.value = (0, 1)
    explorer.network.value = "plain"
    assert [label for label, _ in explorer.node.options] == ["X0,2", "X1,0", "X1,1", "X2,0"]
    assert [label for label, _ in explorer.source.options] == ["X0,0", "X1,1"]


@pytest.mark.slow
def test_a_training_is_scrubbed_through(tiny_set, tmp_path):
    options = {"widths": (4, 6, 8), "patch": 32, "epochs": 3, "device": "cpu", "out": tmp_path / "run"}
    folder, kept = SegmentationFolder(tiny_set), {}
    scored = tuple(torch.stack(part)[:, :, :32, :32] for part in zip(folder[0], folder[1], strict=True))

    def callback(training):
        if training.step in (2, 10):
            kept[training.step] = fit_node_probes(deepcopy(training.model).eval(), training.card, scored, scored)

    train(replace(PRESETS["laptop"], data=str(tiny_set), **options), callback=callback)
    explorer = NodeExplorer({"mine": kept}, scored)
    assert explorer.status.startswith("mine, step 10 of 10, image 0: over all images ")
    assert explorer.probes.weights is kept[10].weights
    late = explorer.png
    explorer.moment.value = 0
    assert explorer.status.startswith("mine, step 2 of 10, image 0: ")
    assert explorer.png != late
    assert explorer.scores == NodeExplorer({"mine": kept[2]}, scored).scores
    explorer.strength.value = 0
    assert explorer.scores != NodeExplorer({"mine": kept[2]}, scored).scores


def test_only_a_training_has_a_slider_for_its_moments(explorer, probes, scored):
    assert [box.children[0].description for box in explorer.children if hasattr(box, "children")] == [
        "image",
        "strength, %",
    ]
    several = NodeExplorer({name: {5: probes, 9: probes} for name, probes in probes.items()}, scored)
    assert several.children[1].children[0] is several.moment


def test_other_images_than_those_scored_can_be_shown(probes, scored):
    images, truths = scored
    expected = NodeExplorer(probes, scored).scores
    explorer = NodeExplorer(probes, (images.flip(0), truths.flip(0)))
    assert explorer.scores != expected
    explorer.image.value = 1
    assert explorer.scores == pytest.approx(expected)


def test_many_moves_back_and_forth_end_where_they_began(explorer):
    explorer.strength.value = 50
    seen = {}
    for _ in range(2):
        for name in ("dense", "plain"):
            for node in (1, 0), (0, 2), (1, 1):
                explorer.network.value, explorer.node.value = name, node
                for image in (0, 1):
                    explorer.image.value = image
                    where = name, node, explorer.source.value, image
                    assert seen.setdefault(where, explorer.scores) == explorer.scores


def test_the_number_field_and_the_slider_go_together(explorer):
    explorer.children[1].children[1].value = 1
    assert explorer.image.value == 1
    assert explorer.children[1].children[1].description == "image"


def test_a_picture_stands_where_no_widget_runs(explorer):
    bundle = explorer._repr_mimebundle_()
    assert bundle["image/png"]
    assert bundle["text/plain"] == repr(explorer) == f"NodeExplorer: {explorer.status}"


def test_what_does_not_fit_is_refused(probes, scored):
    with pytest.raises(InputError, match="probes is empty"):
        NodeExplorer({}, scored)
    with pytest.raises(InputError, match=r"different steps \(dense: 1; plain: 2\)"):
        NodeExplorer({"dense": {1: probes["dense"]}, "plain": {2: probes["plain"]}}, scored)
    with pytest.raises(InputError, match="all of the same network"):
        NodeExplorer({"mine": {1: probes["dense"], 2: probes["plain"]}}, scored)
    with pytest.raises(InputError, match="all of the same network"):
        NodeExplorer({"mine": {}}, scored)
    with pytest.raises(InputError, match="a mask for each image"):
        NodeExplorer(probes, (scored[0], scored[1][:1]))
    with pytest.raises(InputError, match="multiples of 4"):
        NodeExplorer(probes, (scored[0][..., 1:], scored[1][..., 1:]))
