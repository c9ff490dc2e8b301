"""Inference optimisation: a trained network is pruned, its batch norm folded, and concatenations become sums."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork, fold_batch_norm, prune
from unetpp_lib.models.blocks import JoinNode, require_network


class AddingNode(nn.Module):
    """Computes what a `JoinNode` with transposed up-sampling does in evaluation mode, without a concatenation.

    A convolution over concatenated maps is the sum of one convolution per map, each with its part of the weights. On a
    CPU this is faster, because a concatenation copies every map once more.
    """

    def __init__(self, node: JoinNode) -> None:
        super().__init__()
        block = node.block
        self.up, self.norm1, self.conv2, self.norm2 = node.up, block.norm1, block.conv2, block.norm2
        whole, self.bias = block.conv1, block.conv1.bias
        parts = whole.weight.detach().chunk(whole.in_channels // whole.out_channels, dim=1)
        self.parts = nn.ParameterList(part.contiguous(memory_format=torch.channels_last) for part in parts)

    def forward(self, skips: Sequence[Tensor], below: Tensor) -> Tensor:
        """Return the node's features; sum and ReLU are computed in place."""
        first, *others = *skips, self.up(below)
        total = conv2d(first, self.parts[0], self.bias, padding=1)
        for x, part in zip(others, self.parts[1:], strict=True):
            total += conv2d(x, part, padding=1)
        return torch.relu_(self.norm2(self.conv2(torch.relu_(self.norm1(total)))))


def prepare(model: SegmentationNetwork, depth: int | None, runtime: Runtime) -> SegmentationNetwork:
    """Return a faster copy of ``model`` for prediction only, on the runtime's device.

    It has heads 1 … ``depth`` (default: all) and no batch norm, keeps its weights in bf16 if the runtime computes in
    bf16, and on a CPU replaces concatenations by sums. Its outputs equal those of ``model`` up to rounding.
    Raises InputError for a depth that has no head.
    """
    require_network(model)
    if depth is not None and not 1 <= depth <= len(model.heads):
        raise InputError(f"depth is {depth}; there are heads 1 to {len(model.heads)}.")
    if depth is not None and depth < len(model.heads):
        model = prune(model, depth)
    ready = runtime.place(fold_batch_norm(model))
    if runtime.device.type == "cpu":
        for parent in list(ready.modules()):
            for name, node in parent.named_children():
                if isinstance(node, JoinNode) and isinstance(node.up, nn.ConvTranspose2d):
                    setattr(parent, name, AddingNode(node))
    if runtime.bf16 and ready.norm is None:  # converted here, not by autocast in every pass; norms stay in float32
        ready.to(torch.bfloat16)
        ready.register_forward_pre_hook(lambda _, images: images[0].to(torch.bfloat16))
    return ready.requires_grad_(False)
