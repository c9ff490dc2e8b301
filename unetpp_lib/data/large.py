"""Images too large for memory: their files are mapped, and only the areas that are asked for are read."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from tifffile import TiffFile
from torch import Tensor

from unetpp_lib.data.pixels import Kind, Page, Picture, to_image, white_of
from unetpp_lib.data.tiff_files import MOST_BANDS, can_be_mapped, read_page
from unetpp_lib.errors import InputError

LARGE = 2**26  # pixels from which a TIFF is better mapped than read whole: 256 MiB a channel as float32
_REMEDY = "save it as a TIFF of one page without compression and tiles, or with numpy.save"

Area = tuple[slice, slice, slice]


class LargeImage:
    """An image on disk: ``image[:, 10:30, 40:60]`` reads that area alone, (channels, 20, 20), float32 in [0, 1].

    The file is a .npy, (H, W) or (H, W, bands), or a TIFF of one page without compression and tiles; 8 or 16 bit, or
    float in [0, 1]. Channels are those of `read_image`; the last of four bands of a .npy is taken for alpha where
    another number is asked for. ``shape`` is (channels, H, W). InputError, naming the file, where that fails.
    """

    def __init__(self, path: str | os.PathLike[str], channels: int = 1) -> None:
        self.path, self.channels = Path(path), channels
        self._picture = _map_array(self.path) if self.path.suffix.lower() == ".npy" else _map_tiff(self.path)
        self.shape = (channels, *self._picture.values.shape[:2])
        self[:, :1, :1]  # whether kind and channels fit is told before the work begins

    def __getitem__(self, area: Area) -> Tensor:
        """Return an area: three slices, of channels, rows and columns."""
        channels, rows, columns = area
        picture = replace(self._picture, values=np.asarray(self._picture.values[rows, columns]))
        return to_image(picture, self.channels, self.path)[channels]


def is_large(path: Path) -> bool:
    """Whether a file should be read area by area: a .npy, or a TIFF of more than `LARGE` pixels that can be mapped."""
    if path.suffix.lower() in {".tif", ".tiff"}:
        try:
            with TiffFile(path) as file:
                page = file.pages.first
            return page.imagewidth * page.imagelength > LARGE and can_be_mapped(path)
        except Exception:
            return False  # `read_image` will say what is wrong
    return path.suffix.lower() == ".npy"


def _map_array(path: Path) -> Picture:
    """Map a .npy file."""
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be mapped ({error}); save it anew with numpy.save") from error
    if pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise InputError(f"{path}: has the shape {pixels.shape}; an image is (H, W) or (H, W, channels)")
    if pixels.ndim == 3 and pixels.shape[0] <= MOST_BANDS < min(pixels.shape[1:]):
        raise InputError(
            f"{path}: has the shape {pixels.shape}, with the channels first; an image is (H, W) or (H, W, channels): "
            "save numpy.moveaxis(image, 0, -1)"
        )
    bands = 1 if pixels.ndim == 2 else pixels.shape[2]
    kinds: dict[int, Kind] = {1: "grey", 3: "colour", 4: "colour"}
    pixels = pixels.reshape(*pixels.shape[:2], bands)
    return Picture(pixels, kinds.get(bands, "bands"), white_of(pixels.dtype), has_alpha=bands == 4)


def _map_tiff(path: Path) -> Picture:
    """Map an uncompressed TIFF."""
    try:
        if not can_be_mapped(path):
            raise InputError(f"{path}: its pixels do not stand one after another in the file; {_REMEDY}")
        return read_page(Page(path), 1, mapped=True)
    except InputError:
        raise
    except Exception as error:  # decoders raise nearly anything on broken files
        raise InputError(f"{path}: is no TIFF that can be mapped ({error}); {_REMEDY}") from error
