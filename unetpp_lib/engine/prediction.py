"""Probabilities for images of any size, by overlapping tiles; also for images that do not fit into memory."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import DTypeLike, NDArray
from torch import Tensor
from tqdm import tqdm

from unetpp_lib.data import LargeImage
from unetpp_lib.engine.model_files import Card
from unetpp_lib.engine.ready import prepare
from unetpp_lib.engine.runtime import Runtime, choose_runtime
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify
from unetpp_lib.models import SegmentationNetwork, probabilities
from unetpp_lib.models.unetpp import Mode

TILE = 1024
MARGIN = 8  # times 2^depth pixels; half of a head's window is (13·2^depth - 8) / 2, and a little by the pixel's place


class Predictor:
    """A network that is asked about many images: made ready once, by `prepare`, then called with each.

    ``card`` normalises the images; ``mode`` and ``depth`` (by head: 1 … the number of heads) are those of
    `probabilities`, and only what the depth needs is kept. An image larger than ``tile`` pixels is read in overlapping
    tiles; of at least 32·2^depth pixels, they give what the whole image gives. (Not with group or instance norm, nor
    with bilinear up-sampling: these look at the size of what they are given.) ``average_flips`` takes the mean over the
    image and its three mirror images. ``model`` itself is left as it is. Raises InputError for a depth without a head.
    """

    def __init__(
        self,
        model: SegmentationNetwork,
        card: Card,
        mode: Mode = "accurate",
        depth: int | None = None,
        tile: int = TILE,
        average_flips: bool = False,
        runtime: Runtime | None = None,
    ) -> None:
        self.runtime = runtime or choose_runtime(precision="float32")
        self.model, self.card, self.mode, self.tile = prepare(model, depth, self.runtime), card, mode, tile
        self.flips: list[list[int]] = [[], [2], [3], [2, 3]] if average_flips else [[]]

    @torch.inference_mode()
    def __call__(
        self, image: Tensor | LargeImage, out: NDArray[np.float32] | None = None, progress: bool = False
    ) -> Tensor:
        """Return the class probabilities of one image, ``(num_classes, H, W)`` float32 on the CPU.

        ``image`` is ``(in_channels, H, W)`` in [0, 1], as `read_image` gives it, or a `LargeImage`. With ``out``, an
        array of the result's shape, the result is written there: with a `LargeImage` and a memory map, the memory in
        use depends on the tile and not on the image. ``progress`` shows a bar.
        """
        margin = MARGIN * 2**self.model.depth  # less than by its padding, where it was pruned
        multiple, device = self.model.pad_multiple, self.runtime.device
        return read_in_tiles(self._read, image, self.tile, device, multiple, margin, out, progress)

    def write(self, image: LargeImage, probability: Path, mask: Path, progress: bool = False) -> None:
        """Predict an image that need not fit into memory into two .npy files, which can be mapped in turn.

        ``probability`` becomes (num_classes, H, W) float32; ``mask`` (H, W) uint8, the classes, or 0 and 255 where
        there is one. InputError where there is no room for them; no half a file is left.
        """
        height, width = image.shape[1:]
        classes = self.model.num_classes
        with (
            _new_array(probability, np.float32, (classes, height, width)) as written,
            _new_array(mask, np.uint8, (height, width)) as labels,
        ):
            self(image, written, progress)
            for top, left in product(range(0, height, TILE), range(0, width, TILE)):
                area = slice(top, top + TILE), slice(left, left + TILE)
                label = classify(torch.from_numpy(written[None, :, *area]), self.card.threshold)[0, 0]
                labels[area] = label * 255 if classes == 1 else label

    def _read(self, patch: Tensor) -> Tensor:
        patch = self.card.normalise(patch)
        readings = []
        for dims in self.flips:
            with self.runtime.autocast():
                heads = self.model(patch.flip(dims))
            readings.append(probabilities(heads, self.mode).flip(dims))
        return torch.stack(readings).mean(0)


def predict(
    model: SegmentationNetwork,
    image: Tensor | LargeImage,
    card: Card,
    mode: Mode = "accurate",
    depth: int | None = None,
    tile: int = TILE,
    average_flips: bool = False,
    runtime: Runtime | None = None,
    out: NDArray[np.float32] | None = None,
    progress: bool = False,
) -> Tensor:
    """Return the class probabilities of one image, ``(num_classes, H, W)`` float32 on the CPU.

    All is as in `Predictor`, which is quicker for many images: it makes the network ready once.
    """
    return Predictor(model, card, mode, depth, tile, average_flips, runtime)(image, out, progress)


def predict_large(
    model: SegmentationNetwork,
    image: LargeImage,
    card: Card,
    probability: Path,
    mask: Path,
    progress: bool = False,
    **options: Any,
) -> None:
    """Write the probabilities and mask of one image, as `Predictor.write`; ``options`` are those of `Predictor`."""
    Predictor(model, card, **options).write(image, probability, mask, progress)


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
    """Return ``read`` of an image ``(C, H, W)``, joined from tiles of ``tile`` pixels: ``(K, H, W)`` on the CPU.

    ``read`` maps ``(1, C, h, w)`` on ``device`` to ``(1, K, h, w)``. Tiles start at multiples of ``multiple``, where
    the network's pooling cuts the whole image too. They overlap by twice ``margin`` (default: 8·``multiple``; at most a
    quarter of a tile), and fade into each other about its middle: what stands nearer than ⅞ of the margin to a cut
    does not count, since its context is missing. The weights of all tiles add up to 1 at every pixel. ``out`` and
    ``progress`` are those of `predict`.
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
    """Return zeros of ``shape``: new ones, or ``out``'s own memory."""
    if out is None:
        return torch.zeros(shape)
    if out.shape != shape or out.dtype != np.float32:
        raise InputError(f"out is {out.shape} of {out.dtype}; the result needs {shape} of float32.")
    out.fill(0)
    return torch.from_numpy(out)


@contextmanager
def _new_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> Iterator[NDArray[Any]]:
    """Map a new .npy file for the block; it takes its name at the end, and is gone where the block fails."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        array = open_memmap(temporary, "w+", dtype, shape)
        if hasattr(os, "posix_fallocate"):  # on a full disk, writing to a map would end the process without a word
            with temporary.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, temporary.stat().st_size)
        yield array
        array.flush()
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}. Free some space or choose another.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _starts(length: int, tile: int, margin: int) -> list[int]:
    """Return where tiles start along a side: each shares two margins with the one before, until the end is reached."""
    return list(range(0, max(1, length - 2 * margin), tile - 2 * margin))


def _window(start: int, length: int, tile: int, margin: int) -> Tensor:
    """Return the weights, along one side of ``length``, of the tile from ``start``: 1 inside, fading to 0 at a cut."""
    stop = min(start + tile, length)
    position = torch.arange(start, stop) + 0.5
    before = position - start if start > 0 else torch.full_like(position, tile)
    after = stop - position if stop < length else torch.full_like(position, tile)
    ramp = ((torch.minimum(before, after) - margin * 7 / 8) / (margin / 4)).clamp(0, 1)
    return torch.sin(ramp * torch.pi / 2).square()
