"""Folding batch norm that no longer learns into the convolution before it."""

from copy import deepcopy

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from unetpp_lib.models.blocks import ConvBlock, SegmentationNetwork


def fold_batch_norm(model: SegmentationNetwork) -> SegmentationNetwork:
    """Return a copy in evaluation mode that has no batch norm and gives the same logits, up to rounding.

    In evaluation mode batch norm multiplies and shifts each channel, γ·(x − μ)/√(σ² + ε) + β, which the weights and the
    bias of the preceding convolution can do too. The copy thus saves a pass over every map. It is an ordinary network
    with ``norm`` None, but should not be trained further. A network without batch norm is copied unchanged.
    """
    folded = deepcopy(model).eval()
    if model.norm != "batch":
        return folded
    for block in folded.modules():
        if isinstance(block, ConvBlock):
            block.conv1 = fuse_conv_bn_eval(block.conv1, block.norm1)  # type: ignore[arg-type]
            block.conv2 = fuse_conv_bn_eval(block.conv2, block.norm2)  # type: ignore[arg-type]
            block.norm1 = block.norm2 = nn.Identity()
    folded.norm = None
    return folded
