"""From the numbers in a file to an image in [0, 1] with the channels that a network takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unetpp_lib.errors import InputError

Kind = Literal["grey", "colour", "inks", "palette", "bands"]

_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as in Pillow


class Page(NamedTuple):
    """A page of a file; only a multi-page TIFF has more than page 0."""

    path: Path
    number: int = 0

    def __str__(self) -> str:
        return f"{self.path}, page {self.number}" if self.number else str(self.path)


@dataclass(frozen=True)
class Picture:
    """The numbers of an image file as they are stored, and what they stand for."""

    values: NDArray[Any]
    """(H, W, bands), turned as a viewer shows them."""
    kind: Kind = "grey"
    """What the bands are: grey, red-green-blue, cyan-magenta-yellow-black, indices of the palette, or anything."""
    white: int | None = None
    """The value that stands for 1; None where the file does not say."""
    palette: NDArray[np.uint8] | None = None
    """The colours (n, 3) that indices stand for."""
    has_alpha: bool = False
    """Whether the last band is transparency."""
    inverted: bool = False
    """Whether 0 stands for white (TIFF's PhotometricInterpretation 0)."""
    keeps_labels: bool = False
    """Whether the file's program stores labels as they are, also where it says that 0 is white."""
    orientation: int = 1
    """EXIF's number of the turn that was applied; 1 for none."""
    is_jpeg: bool = False

    @property
    def colours(self) -> NDArray[Any]:
        """The values (H, W, bands) with the palette applied and without transparency."""
        if self.palette is not None:
            return np.asarray(self.palette[self.values[..., 0]])
        return self.values[..., :-1] if self.has_alpha else self.values


def white_of(dtype: np.dtype[Any], bits: int = 16) -> int | None:
    """Return the value that stands for 1 in numbers of a type, of which ``bits`` are in use; None where it is unknown.

    It is known for integers without sign of up to 16 bits, and 1 for floats.
    """
    if dtype.kind == "u" and dtype.itemsize <= 2:
        return int(2 ** min(bits, 8 * dtype.itemsize) - 1)
    return 1 if dtype.kind in "bf" else None


def require_visible(picture: Picture, source: object) -> None:
    """Raise InputError where the colours show nothing, while the transparency or the indices of the palette differ."""
    if picture.palette is None and not picture.has_alpha:
        return
    colours = picture.colours
    if (colours == colours[:1, :1]).all() and (picture.values != picture.values[:1, :1]).any():
        raise InputError(
            f"{source}: has one colour everywhere, and its content in the transparency or in indices of the palette "
            "that look alike; flatten it: save it as grey without transparency"
        )


def turn(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return a view of (H, W, …) values with rows and columns as EXIF's orientation, 1 to 8, says."""
    if not 1 <= orientation <= 8:
        return values
    rows, columns = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 0: (-1, 1)}[orientation % 4]
    return (values.swapaxes(0, 1) if orientation > 4 else values)[::rows, ::columns]


def to_image(picture: Picture, channels: int, source: object) -> Tensor:
    """Return a picture as an image (channels, H, W), float32 in [0, 1].

    Palettes are applied, and alpha is dropped unless as many channels are asked for as there are with it. One or three
    channels of four inks are their colours; one channel is the luminance of three bands, three channels are a grey
    three times; any other number must be that of the bands. InputError, naming ``source``, for values of unknown range
    and for another number of channels.
    """
    keep = picture.has_alpha and channels == picture.values.shape[-1]
    pixels = picture.values if keep else picture.colours
    values = _to_unit_range(pixels, 255 if picture.palette is not None else picture.white, source)
    if picture.inverted:
        values = 1 - values
    if picture.kind == "inks" and channels in (1, 3):
        values = (1 - values[..., :3]) * (1 - values[..., 3:4])
    bands = values.shape[-1]
    if channels == 1 and bands == 3:
        values = values @ _LUMINANCE[:, None]
    elif channels == 3 and bands == 1:
        values = values.repeat(3, axis=-1)
    elif channels != bands:
        raise InputError(f"{source}: has {bands} channel(s), not {channels}; set channels={bands}, or save it again")
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))


def _to_unit_range(pixels: NDArray[Any], white: int | None, source: object) -> NDArray[np.float32]:
    if pixels.dtype.kind in "bu" and white is not None:
        return pixels.astype(np.float32) / np.float32(white)
    if pixels.dtype.kind == "f" and pixels.min() >= 0 and pixels.max() <= 1:  # NaN fails both
        return pixels.astype(np.float32)
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise InputError(f"{source}: contains NaN or infinity; replace these values, for example by numpy.nan_to_num")
    raise InputError(
        f"{source}: holds {pixels.dtype} from {pixels.min()} to {pixels.max()}, whose black and white are unknown; "
        "save it with 8 or 16 bit, or as float from 0 to 1"
    )
