"""Images too large for memory: their files are mapped, and only the areas that are asked for are read."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile
from torch import Tensor

from unetpp_lib.data.pixels import to_image
from unetpp_lib.errors import InputError

LARGE = 2**26  # pixels from which a TIFF is better mapped than read whole: 256 MiB a channel as float32
_KINDS = {1: "u", 3: "f"}  # of the tag SampleFormat
_GREY, _RGB = 1, 2  # of the tag PhotometricInterpretation
_REMEDY = "save it as a TIFF of one page without compression and tiles, or with numpy.save"

Area = tuple[slice, slice, slice]


class LargeImage:
    """An image on disk: ``image[:, 10:30, 40:60]`` reads that area alone, (channels, 20, 20), float32 in [0, 1].

    The file is a .npy, (H, W) or (H, W, bands), or a TIFF of one page without compression and tiles; 8 or 16 bit, or
    float in [0, 1]. Channels are those of `read_image`; the last of two or four bands is taken for alpha and dropped
    where another number is asked for. ``shape`` is (channels, H, W). InputError, naming the file, where that fails.
    """

    def __init__(self, path: str | os.PathLike[str], channels: int = 1) -> None:
        self.path, self.channels = Path(path), channels
        pixels = _map_array(self.path) if self.path.suffix.lower() == ".npy" else _map_tiff(self.path)
        bands = pixels.shape[-1]
        self._pixels = pixels[..., :-1] if bands in (2, 4) and bands != channels else pixels
        self.shape = (channels, *self._pixels.shape[:2])
        self[:, :1, :1]  # whether kind and channels fit is told before the work begins

    def __getitem__(self, area: Area) -> Tensor:
        """Return an area: three slices, of channels, rows and columns."""
        channels, rows, columns = area
        return to_image(np.asarray(self._pixels[rows, columns]), self.channels, self.path)[channels]


def is_large(path: Path) -> bool:
    """Whether a file should be read area by area: a .npy, or a TIFF of more than `LARGE` pixels."""
    if path.suffix.lower() in {".tif", ".tiff"}:
        try:
            with TiffImageFile(path) as picture:  # not Image.open, which refuses the largest
                return picture.width * picture.height > LARGE
        except Exception:
            return False  # `read_image` will say what is wrong
    return path.suffix.lower() == ".npy"


def _map_array(path: Path) -> NDArray[Any]:
    """Map a .npy file as (H, W, bands)."""
    try:
        pixels: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be mapped ({error}); save it anew with numpy.save") from error
    if pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise InputError(f"{path}: has the shape {pixels.shape}; an image is (H, W) or (H, W, channels)")
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _map_tiff(path: Path) -> NDArray[Any]:
    """Map an uncompressed TIFF as (H, W, bands). Source of the tags' numbers: TIFF revision 6.0."""
    try:
        with TiffImageFile(path) as picture:
            tags, pages, order = dict(picture.tag_v2), picture.n_frames, picture.tag_v2.prefix
    except Exception as error:  # decoders raise nearly anything on broken files
        raise InputError(f"{path}: is no TIFF that can be mapped ({error}); {_REMEDY}") from error
    width, height, bits, kind = tags[256], tags[257], set(tags.get(258, (1,))), set(tags.get(339, (1,)))
    offsets, lengths = np.array(tags.get(273, ())), np.array(tags.get(279, ()))
    in_one_piece = len(offsets) > 0 and np.array_equal(offsets[1:], (offsets + lengths)[:-1])
    bands = tags.get(277, 1)
    plain = tags.get(259, 1) == 1 and tags.get(262) in (_GREY, _RGB) and (bands == 1 or tags.get(284, 1) == 1)
    if not (in_one_piece and plain and pages == 1 and len(bits) == len(kind) == 1 and bits <= {8, 16, 32}):
        raise InputError(f"{path}: its pixels do not stand one after another in the file; {_REMEDY}")
    dtype = np.dtype(f"{'<' if order == b'II' else '>'}{_KINDS.get(kind.pop(), 'i')}{bits.pop() // 8}")
    if offsets[0] + height * width * bands * dtype.itemsize > path.stat().st_size:
        raise InputError(f"{path}: is cut short; copy it anew from where it came")
    return np.memmap(path, dtype, "r", int(offsets[0]), (height, width, bands))
