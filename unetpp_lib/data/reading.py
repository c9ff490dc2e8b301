"""Single images and masks, from files of many kinds to tensors of one; what is wrong is said with the file's name."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from unetpp_lib.data.pixels import to_image
from unetpp_lib.errors import InputError

IGNORED = 255  # in masks of several classes, the label of pixels that neither loss nor score looks at


class Page(NamedTuple):
    """A page of a file; only a multi-page TIFF has more than page 0."""

    path: Path
    number: int = 0

    def __str__(self) -> str:
        return f"{self.path}, page {self.number}" if self.number else str(self.path)


def read_image(path: str | os.PathLike[str], channels: int = 1, page: int = 0) -> Tensor:
    """Read an image as (channels, H, W), float32 in [0, 1].

    Greys of 1, 8 and 16 bit are divided by their range, floats must lie in [0, 1] already; 16-bit colour is read at 8
    bit. Palettes are applied and alpha is dropped. One channel is the luminance of colours, three are a grey three
    times; any other number must be that of the file. ``page`` counts from 0 in a multi-page TIFF. InputError, naming
    the file, where it cannot be read or does not fit.
    """
    source = Page(Path(path), page)
    picture = _decode(source)
    if picture.mode in {"P", "PA", "YCbCr"}:
        picture = picture.convert("RGB")
    return to_image(_drop_alpha(picture), channels, source)


def read_mask(path: str | os.PathLike[str], num_classes: int = 1, page: int = 0) -> Tensor:
    """Read a mask as (1, H, W), uint8 class indices.

    Binary (``num_classes=1``): 0 stays 0 and one other value, whichever, becomes 1. Otherwise the values are the
    classes 0 … C-1, and 255 is ignored. The values of a palette image are its indices, but the greys of a grey palette
    for a binary mask. InputError, naming the file, where it holds anything else, is JPEG or cannot be read.
    """
    return torch.from_numpy(to_classes(read_values(Page(Path(path), page), num_classes), num_classes))[None]


def count_pages(path: Path) -> int:
    """Return the pages of a TIFF, 1 for other files, and 0 where `read_image` will say what is wrong."""
    try:
        with Image.open(path) as picture:
            return getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    except Exception:
        return 0


def _decode(source: Page) -> Image.Image:
    """Return the page, fully decoded and turned as a viewer shows it."""
    try:
        with Image.open(source.path) as picture:
            picture.seek(source.number)
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return picture
    except UnidentifiedImageError as error:
        raise InputError(f"{source}: is no image that Pillow can read; save it anew as PNG with 8 or 16 bit") from error
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{source}: has too many pixels to be read at once; save it as a TIFF without compression or with "
            "numpy.save, which `unetpp predict` reads area by area"
        ) from error
    except Exception as error:  # decoders raise nearly anything on broken files
        raise InputError(f"{source}: cannot be read ({error}); copy it anew from where it came") from error


def _drop_alpha(picture: Image.Image) -> NDArray[Any]:
    """Return the values (H, W, bands) without transparency."""
    pixels = np.atleast_3d(np.asarray(picture))
    return pixels[..., :-1] if picture.getbands()[-1] == "A" else pixels


def read_values(source: Page, num_classes: int) -> NDArray[Any]:
    """Return the values (H, W) of a mask as they are stored, once they are known to be labels."""
    picture = _decode(source)
    if picture.format in {"JPEG", "MPO"}:
        raise InputError(f"{source}: is JPEG, which blurs labels; export the mask anew as PNG from where it was drawn")
    pixels = _drop_alpha(picture)
    if num_classes == 1 and picture.mode in {"1", "P", "PA"}:
        seen = np.asarray(picture.convert("RGB"))
        pixels = seen if _is_grey(seen) else pixels
    if not _is_grey(pixels):
        raise InputError(f"{source}: is coloured; save a grey or palette PNG whose values are the classes")
    values: NDArray[Any] = pixels[..., 0]
    distinct = np.unique(values)
    if num_classes == 1 and np.count_nonzero(distinct) > 1:
        raise InputError(
            f"{source}: holds {len(distinct)} distinct values ({_listed(distinct)}), but a binary mask holds 0 and one "
            "other; many values come from resampling or JPEG compression: threshold the mask, or set num_classes if "
            "these are classes"
        )
    wrong = distinct[~np.isin(distinct, [*range(num_classes), IGNORED])]
    if num_classes > 1 and len(wrong):
        raise InputError(
            f"{source}: holds {_listed(wrong)}, but {num_classes} classes are 0 … {num_classes - 1}, with {IGNORED} "
            "for ignored pixels; relabel the mask, or set num_classes"
        )
    return values


def _is_grey(pixels: NDArray[Any]) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def to_classes(values: NDArray[Any], num_classes: int) -> NDArray[np.uint8]:
    """Return the class indices that the values of a mask stand for."""
    return (values != 0 if num_classes == 1 else values).astype(np.uint8)


def _listed(values: NDArray[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:5])
    return f"{shown} … {values[-1]}" if len(values) > 5 else shown


def read_distractors(root: str | Path, name: str) -> Tensor | None:
    """Read an image's distractor map, uint8 `(1, H, W)` with values 0 to 3.

    None where the set has no folder of such maps, as a set of real images; InputError where one image's is missing.
    """
    folder = Path(root) / "distractors"
    if not folder.is_dir():
        return None
    path = folder / f"{name}.png"
    if not path.is_file():
        raise InputError(
            f"{path} is missing. Bring the map back, or remove {folder}: then the scores leave the distractors out."
        )
    return torch.from_numpy(np.array(Image.open(path)))[None]
