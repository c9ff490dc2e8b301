"""Probabilities for images of any size, by overlapping tiles."""

from collections.abc import Callable

import torch
from torch import Tensor

from unetpp_lib.engine.runtime import Runtime, choose_runtime
from unetpp_lib.engine.weights import Card
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork, probabilities
from unetpp_lib.models.unetpp import Mode

TILE = 512
OVERLAP = 128


@torch.inference_mode()
def predict(
    model: SegmentationNetwork,
    image: Tensor,
    card: Card,
    mode: Mode = "accurate",
    depth: int | None = None,
    tile: int = TILE,
    average_flips: bool = False,
    runtime: Runtime | None = None,
) -> Tensor:
    """Return the class probabilities of one image, ``(num_classes, H, W)`` float32 on the CPU.

    ``image`` is ``(in_channels, H, W)`` in [0, 1], as `read_image` gives it; ``card`` normalises it. ``mode`` and
    ``depth`` (by head: 1 … the number of heads) are those of `probabilities`. An image larger than ``tile`` pixels is
    read in overlapping tiles. ``average_flips`` takes the mean over the image and its three mirror images.
    """
    runtime = runtime or choose_runtime(precision="float32")

    def read(patch: Tensor) -> Tensor:
        flips: list[list[int]] = [[], [2], [3], [2, 3]] if average_flips else [[]]
        readings = []
        for dims in flips:
            with runtime.autocast():
                heads = model(patch.flip(dims))
            readings.append(probabilities(heads, mode, depth).flip(dims))
        return torch.stack(readings).mean(0)

    model = runtime.place(model).eval()
    return read_in_tiles(read, card.normalise(image), tile, runtime.device, model.pad_multiple)


def read_in_tiles(
    read: Callable[[Tensor], Tensor], image: Tensor, tile: int, device: torch.device, multiple: int
) -> Tensor:
    """Return ``read`` of an image ``(C, H, W)``, joined from tiles of ``tile`` pixels: ``(K, H, W)`` on the CPU.

    ``read`` maps ``(1, C, h, w)`` on ``device`` to ``(1, K, h, w)``. Tiles overlap by a quarter and start at multiples
    of ``multiple``, where the network's pooling cuts the whole image too. Inside the image a tile's outer sixteenth
    does not count, since its context is missing, and the next eighth fades smoothly into the neighbour.
    """
    if tile < 4 * multiple:
        raise InputError(f"tile is {tile} pixels; this network needs at least {4 * multiple}.")
    height, width = image.shape[1:]
    tile = tile // (4 * multiple) * 4 * multiple
    rows, columns = _starts(height, tile), _starts(width, tile)
    joined, weights = torch.zeros(0), torch.zeros(1, height, width)
    for top in rows:
        for left in columns:
            area = (slice(None), slice(top, top + tile), slice(left, left + tile))
            result = read(image[area][None].to(device))[0].float().cpu()
            if len(rows) == len(columns) == 1:
                return result
            if joined.numel() == 0:
                joined = torch.zeros(result.shape[0], height, width)
            window = _window(top, height, tile)[:, None] * _window(left, width, tile)
            joined[area] += result * window
            weights[area] += window
    return joined / weights


def _starts(length: int, tile: int) -> list[int]:
    """Return where tiles start along a side: every three quarters of a tile, until the end is reached."""
    return list(range(0, max(1, length - tile // 4), tile * 3 // 4))


def _window(start: int, length: int, tile: int) -> Tensor:
    """Return the weights, along one side of ``length``, of the tile from ``start``: 1 inside, fading to 0 at a cut."""
    stop = min(start + tile, length)
    position = torch.arange(start, stop) + 0.5
    before = position - start if start > 0 else torch.full_like(position, tile)
    after = stop - position if stop < length else torch.full_like(position, tile)
    ramp = ((torch.minimum(before, after) - tile / 16) / (tile / 8)).clamp(0, 1)
    return torch.sin(ramp * torch.pi / 2).square()
