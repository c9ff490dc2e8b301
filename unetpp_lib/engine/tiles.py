"""Large images in overlapping tiles, with the same result as the whole image at once."""

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from unetpp_lib.data import LargeImage
from unetpp_lib.errors import InputError

TILE = 1024
MARGIN = 8  # in units of 2^depth pixels; half of a head's window is about (13·2^depth - 8) / 2


def read_in_tiles(
    read: Callable[[Tensor], Tensor],
    image: Tensor | LargeImage,
    tile: int,
    device: torch.device,
    multiple: int,
    margin: int | None = None,
    out: NDArray[np.float32] | None = None,
    progress: bool = False,
) -> Tensor:
    """Return ``read`` of an image ``(C, H, W)``, computed in tiles of ``tile`` pixels: ``(K, H, W)`` on the CPU.

    ``read`` maps ``(1, C, h, w)`` on ``device`` to ``(1, K, h, w)``. Tiles start at multiples of ``multiple``, where
    the network's pooling also divides the whole image. They overlap by twice ``margin`` (default: 8·``multiple``; at
    most a quarter of a tile) and fade into each other in the middle of the overlap. Pixels closer to a cut than ⅞ of
    the margin have weight 0, because their context is missing. At every pixel the weights of all tiles add up to 1.
    ``out`` and ``progress`` are those of `predict`.
    """
    if tile < 4 * multiple:
        raise InputError(f"tile is {tile} pixels; this network needs at least {4 * multiple}.")
    height, width = image.shape[1:]
    tile = tile // (4 * multiple) * 4 * multiple
    margin = MARGIN * multiple if margin is None else -(-margin // multiple) * multiple
    margin = min(margin, tile // 4)
    places = list(product(_starts(height, tile, margin), _starts(width, tile, margin)))
    joined = None
    for top, left in tqdm(places, unit="tile", disable=not progress):
        area = (slice(None), slice(top, top + tile), slice(left, left + tile))
        result = read(image[area][None].to(device))[0].float().cpu()
        if joined is None:
            joined = _empty((len(result), height, width), out)
        window = _window(top, height, tile, margin)[:, None] * _window(left, width, tile, margin)
        joined[area] += result * window
    assert joined is not None  # there is at least one tile
    return joined


def _empty(shape: tuple[int, int, int], out: NDArray[np.float32] | None) -> Tensor:
    """Return zeros of ``shape``, in the memory of ``out`` if it is given."""
    if out is None:
        return torch.zeros(shape)
    if out.shape != shape or out.dtype != np.float32:
        raise InputError(f"out is {out.shape} of {out.dtype}; the result needs {shape} of float32.")
    out.fill(0)
    return torch.from_numpy(out)


def _starts(length: int, tile: int, margin: int) -> list[int]:
    """Return where tiles start along a side: each overlaps the previous one by two margins, up to the end."""
    return list(range(0, max(1, length - 2 * margin), tile - 2 * margin))


def _window(start: int, length: int, tile: int, margin: int) -> Tensor:
    """Return the weights of a tile along a side of ``length``, from ``start`` on: 1 inside, fading to 0 at a cut."""
    stop = min(start + tile, length)
    position = torch.arange(start, stop) + 0.5
    before = position - start if start > 0 else torch.full_like(position, tile)
    after = stop - position if stop < length else torch.full_like(position, tile)
    ramp = ((torch.minimum(before, after) - margin * 7 / 8) / (margin / 4)).clamp(0, 1)
    return torch.sin(ramp * torch.pi / 2).square()
