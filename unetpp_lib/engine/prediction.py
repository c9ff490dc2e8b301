"""Probabilities for images of any size, by overlapping tiles; also for images that do not fit into memory."""

import os
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from unetpp_lib.data import LargeImage
from unetpp_lib.engine.preprocessing import Card, check_image
from unetpp_lib.engine.ready import prepare
from unetpp_lib.engine.runtime import Runtime, choose_runtime
from unetpp_lib.engine.tiles import MARGIN, TILE, read_in_tiles
from unetpp_lib.errors import InputError
from unetpp_lib.files import replacing
from unetpp_lib.metrics import classify
from unetpp_lib.models import SegmentationNetwork, probabilities
from unetpp_lib.models.blocks import require_whole_number
from unetpp_lib.models.unetpp import Mode


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
        depth = None if depth is None else require_whole_number("depth", depth)
        self.card, self.mode, self.tile = card, mode, require_whole_number("tile", tile)
        self.model = prepare(model, depth, self.runtime)
        self.dtype = next(self.model.parameters()).dtype
        self.flips: list[list[int]] = [[], [2], [3], [2, 3]] if average_flips else [[]]

    @torch.inference_mode()
    def __call__(
        self, image: Tensor | LargeImage, out: NDArray[np.float32] | None = None, progress: bool = False
    ) -> Tensor:
        """Return the class probabilities of one image, ``(num_classes, H, W)`` float32 on the CPU.

        ``image`` is ``(in_channels, H, W)`` in [0, 1], as `read_image` gives it, or a `LargeImage`. With ``out``, an
        array of the result's shape, the result is written there: with a `LargeImage` and a memory map, the memory in
        use depends on the tile and not on the image. ``progress`` shows a bar. Raises InputError for what is no such
        image, and for an ``out`` that the result does not fit.
        """
        if not isinstance(image, LargeImage):
            check_image(image, self.model.in_channels)
        margin = MARGIN * 2**self.model.depth  # less than by its padding, where it was pruned
        multiple, device = self.model.pad_multiple, self.runtime.device
        return read_in_tiles(self._read, image, self.tile, device, multiple, margin, out, progress)

    def write(self, image: LargeImage, probability: Path, mask: Path, progress: bool = False) -> None:
        """Predict an image that need not fit into memory into two .npy files, which can be mapped in turn.

        ``probability`` becomes (num_classes, H, W) float32; ``mask`` (H, W) uint8, the classes, or 0 and 255 where
        there is one. InputError where there is no room for them; no half a file is left.
        """
        if probability.resolve() == mask.resolve():
            raise InputError(f"probability and mask are both {mask}; give each a path of its own.")
        with replacing(probability) as written, replacing(mask) as labelled:
            self._write(image, written, labelled, progress)  # when it is done, nothing maps the files: Windows asks so

    def _write(self, image: LargeImage, probability: Path, mask: Path, progress: bool) -> None:
        height, width = image.shape[1:]
        classes = self.model.num_classes
        written = _new_array(probability, np.float32, (classes, height, width))
        labels = _new_array(mask, np.uint8, (height, width))
        self(image, written, progress)
        for top, left in product(range(0, height, TILE), range(0, width, TILE)):
            area = slice(top, top + TILE), slice(left, left + TILE)
            label = classify(torch.from_numpy(written[None, :, *area]), self.card.threshold)[0, 0]
            labels[area] = label * 255 if classes == 1 else label
        written.flush()
        labels.flush()

    def _read(self, patch: Tensor) -> Tensor:
        patch = self.card.normalise(patch).to(self.dtype)
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


def _new_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> "np.memmap[Any, Any]":
    """Return a new .npy file as an array that is mapped to it."""
    array = open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):  # on a full disk, writing to a map would end the process without a word
        with path.open("r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(path)) from error  # it knows the file by number alone
    return array
