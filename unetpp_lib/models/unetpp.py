"""UNet++: the grid of nodes between the encoder and decoder of U-Net, and the two ways to combine its heads."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import ConvBlock, JoinNode, Norm, SegmentationNetwork, Upsample
from unetpp_lib.models.graph import grid_nodes, node_inputs

Mode = Literal["accurate", "fast"]


class UNetPlusPlus(SegmentationNetwork):
    """UNet++: node X^{i,j} reads X^{i,0} … X^{i,j-1} and the up-sampled X^{i+1,j-1} (see `node_inputs`).

    Shape: ``(N, in_channels, H, W)`` → a list of logits ``(N, num_classes, H, W)``, one per head. With deep supervision
    there are heads on X^{0,1} … X^{0,depth}, without it only on X^{0,depth}.
    ``dense=False`` is UNet+, in which a node reads only its left neighbour and the node below.
    ``pad_multiple`` is for `prune`: a pruned network pads images as the full network does.
    Source: equation 1 and figure 1 of Zhou et al. 2018; UNet+ from Zhou et al. 2020.

    >>> sum(p.numel() for p in UNetPlusPlus(norm=None, deep_supervision=False).parameters())
    9041601
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 1,
        widths: Sequence[int] = (32, 64, 128, 256, 512),
        norm: Norm = "batch",
        upsample: Upsample = "transpose",
        dropout: float = 0.0,
        deep_supervision: bool = True,
        dense: bool = True,
        pad_multiple: int | None = None,
    ) -> None:
        super().__init__(in_channels, num_classes, widths, norm, upsample, dropout, pad_multiple)
        self.deep_supervision, self.dense = bool(deep_supervision), bool(dense)
        widths = self.widths

        self.nodes = nn.ModuleList(nn.ModuleList() for _ in widths)  # nodes[i][j] is H of X^{i,j}
        for i, j in sorted(grid_nodes(self.depth)):  # row by row: a seed draws the weights in this order
            if j == 0:
                block: nn.Module = ConvBlock(widths[i - 1] if i else self.in_channels, widths[i], norm, dropout)
            else:
                *skips, _ = node_inputs((i, j), self.dense)
                block = JoinNode(widths[i], widths[i + 1], len(skips), norm, upsample, dropout)
            self.nodes[i].append(block)  # type: ignore[operator]

        self.head_depths = tuple(range(1, self.depth + 1)) if deep_supervision else (self.depth,)
        self.heads = nn.ModuleList(nn.Conv2d(widths[0], self.num_classes, 1) for _ in self.head_depths)

    @property
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments: ``type(model)(**model.arguments)`` has the same architecture."""
        names = ("deep_supervision", "dense", "pad_multiple")
        return super().arguments | {name: getattr(self, name) for name in names}

    def node_features(self, x: Tensor) -> list[list[Tensor]]:
        """Return every node's map for a padded image: ``[i][j]`` is X^{i,j}, ``(N, widths[i], H/2^i, W/2^i)``."""
        grid: list[list[Tensor]] = [[] for _ in self.nodes]
        for i, j in grid_nodes(self.depth):
            inputs = [grid[row][column] for row, column in node_inputs((i, j), self.dense)]
            if j == 0:  # the encoder
                features = self.nodes[i][j](max_pool2d(inputs[0], 2) if inputs else x)  # type: ignore[index]
            else:
                *skips, below = inputs
                features = self.nodes[i][j](skips, below)  # type: ignore[index]
            grid[i].append(features)
        return grid

    def head_features(self, x: Tensor) -> list[Tensor]:
        """Return the maps that the heads read, X^{0,j}, ``(N, widths[0], H, W)``, for a padded image."""
        top = self.node_features(x)[0]
        return [top[depth] for depth in self.head_depths]


def probabilities(heads: Sequence[Tensor], mode: Mode = "accurate", depth: int | None = None) -> Tensor:
    """Return the class probabilities ``(N, num_classes, H, W)`` for the logits of the heads.

    With depth d (default: the deepest head), ``accurate`` is the mean of heads 1 … d, and ``fast`` is head d alone.
    ``fast`` saves time only in a network that was cut by `prune`. One class uses a sigmoid, several a softmax.
    Raises InputError for a single tensor, a depth that has no head, and another mode.
    Source: Zhou et al. 2018, section 3.2 (the two modes).
    """
    if isinstance(heads, Tensor):
        raise InputError("heads is one tensor; give the list that the network returned, or [logits] of one head.")
    depth = len(heads) if depth is None else depth
    if not 1 <= depth <= len(heads):
        raise InputError(f"depth is {depth}; there are heads 1 to {len(heads)}.")
    if mode not in ("accurate", "fast"):
        raise InputError(f'mode is {mode!r}; choose "accurate" (the mean of the heads) or "fast" (one head).')
    chosen = heads[:depth] if mode == "accurate" else heads[depth - 1 : depth]
    activation = torch.sigmoid if heads[0].shape[1] == 1 else lambda logits: torch.softmax(logits, dim=1)
    # a mean of bf16 values would lose half of its digits
    precision = torch.promote_types(heads[0].dtype, torch.float32)
    return torch.stack([activation(logits.to(precision)) for logits in chosen]).mean(dim=0)
