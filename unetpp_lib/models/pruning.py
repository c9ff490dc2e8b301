"""Pruning a trained UNet++ to a smaller network of its own."""

import torch

from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import SegmentationNetwork, require_network, require_whole_number
from unetpp_lib.models.unetpp import UNetPlusPlus


def prune(model: SegmentationNetwork, depth: int) -> UNetPlusPlus:
    """Return a new network with only the nodes of ``grid_nodes(depth)`` and heads 1 … depth.

    Head d reads X^{0,d}, which needs no node outside ``grid_nodes(d)``. So the remaining heads give the same logits as
    in the full network, bit for bit with the same batch and threads; to this end the padding multiple stays that of
    ``model``. The weights are copies; device, precision, layout and training mode are kept.
    Raises InputError for a model without deep supervision: its only head needs every node.
    Source: Zhou et al. 2018, section 3.2 and figure 3 (L1 … L4).
    """
    require_network(model)
    if not isinstance(model, UNetPlusPlus) or not model.deep_supervision:
        raise InputError(
            f"This {type(model).__name__} has only its deepest head, which needs every node; "
            "prune a UNetPlusPlus that was trained with deep_supervision=True."
        )
    depth = require_whole_number("depth", depth)
    if not 1 <= depth <= model.depth:
        raise InputError(f"depth is {depth}; this network can be pruned to a depth of 1 to {model.depth}.")
    with torch.device("meta"):  # no weights are drawn
        pruned = UNetPlusPlus(**model.arguments | {"widths": model.widths[: depth + 1]})
    weights = model.state_dict()
    pruned.load_state_dict({name: weights[name].clone() for name in pruned.state_dict()}, assign=True)
    return pruned.train(model.training)
