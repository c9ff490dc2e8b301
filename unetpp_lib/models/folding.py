"""Batch norm that no longer learns, taken up by the convolution before it."""

from copy import deepcopy

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from unetpp_lib.models.blocks import ConvBlock, SegmentationNetwork


def fold_batch_norm(model: SegmentationNetwork) -> SegmentationNetwork:
    """Return a copy in evaluation mode that has no batch norm and gives the same logits, to rounding.

    In evaluation mode batch norm is one multiplication and one addition a channel, γ·(x − μ)/√(σ² + ε) + β, and so is
    a change of the convolution's own weights and bias before it. The copy spares a pass over every map. It is a network
    as any other (``norm`` is None), but no longer one to train on. A network without batch norm is copied as it is.
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
