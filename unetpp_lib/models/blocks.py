"""The parts that U-Net and UNet++ share: the convolution block, the joining node, and the base class of networks."""

from collections.abc import Callable, Mapping, Sequence, Set
from math import gcd, prod
from operator import index
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from unetpp_lib.errors import InputError

Norm = Literal["batch", "group", "instance"] | None
Upsample = Literal["transpose", "bilinear"]

MAX_DEPTH = 6


def as_whole_number(value: Any) -> int:
    """Return a whole number of Python or NumPy as an int; raises TypeError for anything else, including booleans."""
    if isinstance(value, bool | np.bool_) or getattr(value, "dtype", None) is torch.bool:
        raise TypeError(f"{value} is not a number")
    return index(value)


def require_whole_number(name: str, value: Any) -> int:
    """Return ``value`` as an int; raises InputError, which names the argument, if it is not a whole number."""
    try:
        return as_whole_number(value)
    except TypeError as error:
        raise InputError(f"{name} is {value!r}; it must be a whole number.") from error


def as_row(values: Any, convert: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Return converted ``values`` in order, or an empty tuple if one is wrong or they are not a sequence."""
    try:
        return () if isinstance(values, str | bytes | bytearray | Mapping | Set) else tuple(map(convert, values))
    except (TypeError, ValueError, OverflowError):
        return ()


def as_widths(widths: Any) -> tuple[int, ...]:
    """Return the widths of a network's levels as a tuple; raises InputError unless they are 2 to 7 positive ints."""
    whole = as_row(widths, as_whole_number)
    if not 2 <= len(whole) <= MAX_DEPTH + 1 or min(whole) < 1:
        raise InputError(f"widths is {widths!r}; give 2 to {MAX_DEPTH + 1} positive whole numbers, one per level.")
    return whole


def make_norm(norm: Norm, channels: int) -> nn.Module:
    """Return the normalisation layer for maps with ``channels`` channels; group norm uses gcd(8, channels) groups."""
    if norm is None:
        return nn.Identity()
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "group":
        return nn.GroupNorm(gcd(8, channels), channels)
    if norm == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    raise InputError(f'norm is {norm!r}; choose "batch", "group", "instance" or None.')


class ConvBlock(nn.Module):
    """Two times 3×3 convolution, normalisation and ReLU; then dropout of whole channels.

    Shape: ``(N, in_channels, H, W)`` → ``(N, out_channels, H, W)``.
    Source: H(·) in equation 1 of Zhou et al. 2018; initial weights as in section 3 of Ronneberger et al. 2015.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Norm = "batch", dropout: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm1 = make_norm(norm, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.norm2 = make_norm(norm, out_channels)
        self.dropout = nn.Dropout2d(dropout)
        for conv in (self.conv1, self.conv2):
            if not conv.weight.is_meta:  # there is nothing to draw, and PyTorch would load its compiler for it
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's features: ``(N, in_channels, H, W)`` → ``(N, out_channels, H, W)``."""
        x = torch.relu(self.norm1(self.conv1(x)))
        x = torch.relu(self.norm2(self.conv2(x)))
        return self.dropout(x)  # type: ignore[no-any-return]


class JoinNode(nn.Module):
    """A node that joins the earlier maps of its row with the up-sampled map from below: H([skips, U(below)]).

    Shape: ``skips`` are ``(N, width, H, W)`` each, ``below`` is ``(N, width_below, H/2, W/2)`` → ``(N, width, H, W)``.
    Source: the second case of equation 1, Zhou et al. 2018. A decoder step of U-Net is the case with one skip.
    """

    def __init__(
        self, width: int, width_below: int, skips: int, norm: Norm, upsample: Upsample, dropout: float
    ) -> None:
        super().__init__()
        self.up: nn.Module
        if upsample == "transpose":
            self.up = nn.ConvTranspose2d(width_below, width, 2, stride=2)
            width_below = width
        else:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.block = ConvBlock(skips * width + width_below, width, norm, dropout)

    def forward(self, skips: Sequence[Tensor], below: Tensor) -> Tensor:
        """Return the node's features."""
        return self.block(torch.cat([*skips, self.up(below)], dim=1))  # type: ignore[no-any-return]


def mirror_index(length: int, padded: int, device: torch.device) -> Tensor:
    """Return ``padded`` indices that run through ``length`` pixels and then back: a reflection at the end.

    If there are too few pixels to reflect, the first pixel is repeated. No branch depends on the size, so that
    ``torch.export`` keeps it dynamic.

    >>> mirror_index(3, 8, torch.device("cpu")).tolist()
    [0, 1, 2, 1, 0, 0, 0, 0]
    """
    last = length - 1
    return (last - (last - torch.arange(padded, device=device)).abs()).clamp(min=0)


class SegmentationNetwork(nn.Module):
    """The base class of all networks: it checks and pads the image, runs the network, and crops the logits.

    Shape: ``(N, in_channels, H, W)`` → a list of logits ``(N, num_classes, H, W)``, one per head, for any H and W;
    inside the network they are padded to multiples of ``pad_multiple``. ``dropout`` is a fraction of the channels.
    A subclass sets ``heads`` (1×1 convolutions, shallow to deep) and ``head_depths``, and defines ``head_features``.
    Raises InputError for arguments that do not describe a network.
    """

    heads: nn.ModuleList
    head_depths: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        widths: Sequence[int],
        norm: Norm,
        upsample: Upsample,
        dropout: float,
        pad_multiple: int | None = None,
    ) -> None:
        super().__init__()
        self.widths = as_widths(widths)
        self.depth = depth = len(self.widths) - 1
        self.in_channels = require_whole_number("in_channels", in_channels)
        self.num_classes = require_whole_number("num_classes", num_classes)
        self.pad_multiple = require_whole_number("pad_multiple", 2**depth if pad_multiple is None else pad_multiple)
        if self.in_channels < 1 or self.num_classes < 1:
            raise InputError(f"in_channels={in_channels} and num_classes={num_classes}: both must be at least 1.")
        if upsample not in ("transpose", "bilinear"):
            raise InputError(f'upsample is {upsample!r}; choose "transpose" or "bilinear".')
        if not 0 <= dropout < 1:
            raise InputError(f"dropout is {dropout}; give a fraction of the channels, at least 0 and less than 1.")
        self.norm, self.upsample, self.dropout = norm, upsample, float(dropout)
        if self.pad_multiple < 1 or self.pad_multiple % 2**depth:
            raise InputError(f"pad_multiple is {pad_multiple}; depth {depth} needs a multiple of {2**depth}.")

    @property
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments: ``type(model)(**model.arguments)`` has the same architecture."""
        names = ("in_channels", "num_classes", "widths", "norm", "upsample", "dropout")
        return {name: getattr(self, name) for name in names}

    def head_features(self, x: Tensor) -> list[Tensor]:
        """Return the feature maps ``(N, widths[0], H, W)`` that the heads read, for a padded image."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the logits of every head, shallow to deep.

        Shape: ``x`` is ``(N, in_channels, H, W)`` with any H and W; each head's logits are ``(N, num_classes, H, W)``.
        Raises InputError for another number of channels, and in training mode if batch norm has one value per channel.
        """
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise InputError(f"The input has shape {tuple(x.shape)}; this network takes (N, {self.in_channels}, H, W).")
        height, width = x.shape[2:]
        padded = self._pad(x)
        if self.norm == "batch" and self.training and len(padded) * prod(padded.shape[2:]) == 4**self.depth:
            raise InputError(
                "Batch norm has one value per channel at the bottom of the network and cannot train on it: "
                'use a batch of 2 or more, larger images, or norm="group".'
            )
        rows, columns = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
        return [  # by index, because with a slice torch.export would only accept sizes with the same remainder
            head(features).index_select(2, rows).index_select(3, columns)
            for head, features in zip(self.heads, self.head_features(padded), strict=True)
        ]

    def _pad(self, x: Tensor) -> Tensor:
        """Mirror the image at its bottom and right, so that its sides become multiples of ``pad_multiple``."""
        multiple = self.pad_multiple
        for dim in (2, 3):
            length = x.shape[dim]
            tiles = (length + multiple - 1) // multiple
            if self.norm == "instance":  # in a map of one pixel there is nothing to normalise
                tiles = torch.sym_max(tiles, 2)  # type: ignore[no-untyped-call]
            x = x.index_select(dim, mirror_index(length, tiles * multiple, x.device))
        return x


def require_network(model: object) -> None:
    """Raise InputError for what has not the parts of a `SegmentationNetwork`, such as a wrapper around one."""
    if not hasattr(model, "head_features"):
        inside = getattr(model, "network", getattr(model, "module", None))
        wrapped = hasattr(inside, "head_features")
        remedy = "give the network inside it" if wrapped else "give a UNet or UNetPlusPlus, or a class made from one"
        raise InputError(f"model is {type(model).__name__}: {remedy}.")
