"""U-Net, and two wider U-Nets for fair comparisons with UNet++."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from unetpp_lib.models.blocks import ConvBlock, JoinNode, Norm, SegmentationNetwork, Upsample


class UNet(SegmentationNetwork):
    """U-Net: an encoder that halves the maps, a decoder that doubles them, and a skip connection on every level.

    Shape: ``(N, in_channels, H, W)`` → a list with the logits of its only head, ``(N, num_classes, H, W)``.
    Source: Ronneberger et al. 2015, with the widths and padded convolutions of Zhou et al. 2018, table 2.

    >>> sum(p.numel() for p in UNet(norm=None).parameters())
    7759521
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 1,
        widths: Sequence[int] = (32, 64, 128, 256, 512),
        norm: Norm = "batch",
        upsample: Upsample = "transpose",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(in_channels, num_classes, widths, norm, upsample, dropout)
        widths = self.widths
        self.encoder = nn.ModuleList(
            ConvBlock(before, width, norm, dropout)
            for before, width in zip((self.in_channels, *widths), widths, strict=False)
        )
        self.decoder = nn.ModuleList(
            JoinNode(width, below, 1, norm, upsample, dropout) for width, below in pairwise(widths)
        )
        self.heads = nn.ModuleList([nn.Conv2d(widths[0], self.num_classes, 1)])
        self.head_depths = (self.depth,)

    def head_features(self, x: Tensor) -> list[Tensor]:
        """Return the decoder's last map, ``(N, widths[0], H, W)``, for a padded image."""
        skips = [self.encoder[0](x)]
        for block in list(self.encoder)[1:]:
            skips.append(block(max_pool2d(skips[-1], 2)))
        x = skips.pop()
        for node in reversed(self.decoder):
            x = node([skips.pop()], x)
        return [x]


def wide_unet(**arguments: Any) -> UNet:
    """Return a U-Net with about as many parameters as UNet++ (Zhou et al. 2018, table 2); takes the arguments of UNet.

    The paper prints 9.13 M parameters. These widths give 9.28 M, and no natural variant gives the printed number.
    """
    return UNet(**{"widths": (35, 70, 140, 280, 560), **arguments})


def compute_matched_unet(**arguments: Any) -> UNet:
    """Return the smallest U-Net with at least as many multiply-accumulates as UNet++; takes the arguments of UNet.

    At 512×512 it needs 122.2 G, UNet++ 119.0 G; with a base width of 50 it would need 117.4 G.
    """
    return UNet(**{"widths": (51, 102, 204, 408, 816), **arguments})
