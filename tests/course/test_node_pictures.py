"""The triangle of masks: one picture for each node, in the order of the grid."""

import torch

from unetpp_course.diagrams import draw_probes
from unetpp_course.probes import fit_node_probes
from unetpp_lib.engine import Card
from unetpp_lib.models import UNetPlusPlus


def test_each_node_has_a_picture_with_its_name_and_score():
    images, masks = torch.rand(2, 1, 16, 16), torch.randint(0, 2, (2, 1, 16, 16), dtype=torch.uint8)
    probes = fit_node_probes(UNetPlusPlus(widths=(3, 4, 5)).eval(), Card(), (images, masks), (images, masks))
    titles = {axes.get_title() for axes in draw_probes(probes, masks, 0).axes}
    assert titles == {f"$X^{{{i},{j}}}$  {score:.2f}" for (i, j), score in probes.scores.items()}
