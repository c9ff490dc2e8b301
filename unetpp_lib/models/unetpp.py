"""UNet++: the grid of nodes between U-Net's two arms, and the two ways to read its heads."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import ConvBlock, JoinNode, Norm, SegmentationNetwork, Upsample

Mode = Literal["accurate", "fast"]


class UNetPlusPlus(SegmentationNetwork):
    """UNet++: node X^{i,j} sees X^{i,0} … X^{i,j-1} and the up-sampled X^{i+1,j-1}.

    Shape: ``(N, in_channels, H, W)`` → a list of ``(N, num_classes, H, W)``, logits, one a head: on X^{0,1} …
    X^{0,depth} with deep supervision, on X^{0,depth} alone without.
    ``dense=False`` is UNet+: a node sees only its left neighbour and the node below.
    ``pad_multiple`` is for `prune`: a pruned network pads as the network that it came from.
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

        self.nodes = nn.ModuleList()  # nodes[i][j] is H of X^{i,j}: row i counts the halvings, column j the skips
        for i, width in enumerate(widths):
            row = nn.ModuleList([ConvBlock(widths[i - 1] if i else self.in_channels, width, norm, dropout)])
            for j in range(1, self.depth - i + 1):
                row.append(JoinNode(width, widths[i + 1], j if dense else 1, norm, upsample, dropout))
            self.nodes.append(row)

        self.head_depths = tuple(range(1, self.depth + 1)) if deep_supervision else (self.depth,)
        self.heads = nn.ModuleList(nn.Conv2d(widths[0], self.num_classes, 1) for _ in self.head_depths)

    @property
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments: ``type(model)(**model.arguments)`` is the same architecture."""
        names = ("deep_supervision", "dense", "pad_multiple")
        return super().arguments | {name: getattr(self, name) for name in names}

    def node_features(self, x: Tensor) -> list[list[Tensor]]:
        """Return every node's map for a padded image: ``[i][j]`` is X^{i,j}, ``(N, widths[i], H/2^i, W/2^i)``."""
        grid: list[list[Tensor]] = []
        for i, row in enumerate(self.nodes):  # column 0, the encoder
            x = row[0](max_pool2d(x, 2) if i else x)  # type: ignore[index]
            grid.append([x])
        for j in range(1, self.depth + 1):
            for i in range(self.depth - j + 1):
                skips = grid[i] if self.dense else grid[i][-1:]
                grid[i].append(self.nodes[i][j](skips, grid[i + 1][j - 1]))  # type: ignore[index]
        return grid

    def head_features(self, x: Tensor) -> list[Tensor]:
        """Return the maps that the heads read, X^{0,j}, ``(N, widths[0], H, W)``, for a padded image."""
        top = self.node_features(x)[0]
        return [top[depth] for depth in self.head_depths]


def probabilities(heads: Sequence[Tensor], mode: Mode = "accurate", depth: int | None = None) -> Tensor:
    """Return the class probabilities that the heads' logits say, ``(N, num_classes, H, W)``.

    With depth d (default: the deepest head), ``accurate`` is the mean of heads 1 … d, ``fast`` is head d alone.
    Fast saves time only in a network that was cut by `prune`. One class: sigmoid; several: softmax over the classes.
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
    precision = torch.promote_types(
        heads[0].dtype, torch.float32
    )  # a mean of bf16 values would lose half of its digits
    return torch.stack([activation(logits.to(precision)) for logits in chosen]).mean(dim=0)
