"""Linear probes of nodes: against NumPy's least squares, and on a node that knows the answer."""

import numpy as np
import pytest
import torch

from unetpp_course.probes import choose_threshold, fit_node_probes, fit_probe, node_maps
from unetpp_lib.engine import Card
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus

WIDTHS = (3, 4, 5)


def test_the_weights_are_those_of_least_squares():
    features, truth = torch.randn(200, 4), torch.randint(0, 2, (200,))
    expected = np.linalg.lstsq(np.c_[features.double(), np.ones(200)], truth.double().numpy())[0]
    np.testing.assert_allclose(fit_probe(features, truth), expected, atol=1e-4)


def test_a_dead_channel_does_no_harm():
    features = torch.cat([torch.randn(200, 1), torch.zeros(200, 1)], dim=1)
    assert fit_probe(features, torch.randint(0, 2, (200,))).isfinite().all()


def test_the_threshold_separates_what_can_be_separated():
    assert 0.5 <= choose_threshold(torch.tensor([0.4, 0.5, 0.9]), torch.tensor([0, 0, 1])) < 0.9


def test_maps_are_those_of_the_network_and_leave_no_hooks():
    model = UNetPlusPlus(widths=WIDTHS).eval()
    image = torch.randn(1, 1, 16, 16)
    maps = node_maps(model, image)
    for i, row in enumerate(model.node_features(image)):
        for j, expected in enumerate(row):
            assert torch.equal(maps[i, j], expected)
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("network", [UNet, UNetPlusPlus])
def test_a_node_that_passes_the_truth_on_reads_it_out(network):
    model = network(widths=WIDTHS).eval()
    first = model.nodes[0][0] if network is UNetPlusPlus else model.encoder[0]
    for conv in (first.conv1, first.conv2):
        torch.nn.init.zeros_(conv.weight)
        conv.weight.data[0, 0, 1, 1] = 1
    truths = (torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.3).to(torch.uint8)
    probes = fit_node_probes(model, Card(), (truths.float(), truths), (truths.float(), truths))
    assert probes.scores[0, 0] == 1
    assert torch.equal(probes.masks[0, 0], truths)
    assert probes.scores[2, 0] < 1


def test_images_that_need_padding_are_refused():
    images = torch.rand(1, 1, 18, 16)
    with pytest.raises(InputError, match="multiples of 4"):
        fit_node_probes(UNet(widths=WIDTHS), Card(), (images, images.byte()), (images, images.byte()))
