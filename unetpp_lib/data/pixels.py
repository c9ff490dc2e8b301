"""From the numbers in a file to an image in [0, 1] with the channels that a network takes."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unetpp_lib.errors import InputError

_RANGES = {"bool": 1, "uint8": 255, "uint16": 65535}
_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as in Pillow


def to_image(pixels: NDArray[Any], channels: int, source: object) -> Tensor:
    """Return values (H, W, bands), as they are stored, as an image (channels, H, W), float32 in [0, 1].

    One channel is the luminance of three bands, three channels are a grey three times; any other number must be that
    of the bands. InputError, naming ``source``, for values of unknown range and for another number of channels.
    """
    values = _to_unit_range(pixels, source)
    bands = values.shape[-1]
    if channels == 1 and bands == 3:
        values = values @ _LUMINANCE[:, None]
    elif channels == 3 and bands == 1:
        values = values.repeat(3, axis=-1)
    elif channels != bands:
        raise InputError(f"{source}: has {bands} channel(s), not {channels}; set channels={bands}, or save it anew")
    return torch.from_numpy(values).permute(2, 0, 1).contiguous()


def _to_unit_range(pixels: NDArray[Any], source: object) -> NDArray[np.float32]:
    if pixels.dtype.name in _RANGES:
        return pixels.astype(np.float32) / np.float32(_RANGES[pixels.dtype.name])
    if pixels.dtype.kind == "f" and pixels.min() >= 0 and pixels.max() <= 1:  # NaN fails both
        return pixels.astype(np.float32)
    raise InputError(
        f"{source}: holds {pixels.dtype} from {pixels.min()} to {pixels.max()}, whose black and white are unknown; "
        "save it with 8 or 16 bit, or as float from 0 to 1"
    )
