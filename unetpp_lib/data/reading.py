"""Single images and masks, from files of many kinds to tensors of one; what is wrong is said with the file's name."""

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from unetpp_lib.data.decoding import decode, is_tiff
from unetpp_lib.data.mask_values import to_labels
from unetpp_lib.data.pixels import Page, Picture, require_visible, to_image
from unetpp_lib.data.tiff_files import is_ambiguous, list_planes
from unetpp_lib.errors import InputError
from unetpp_lib.labels import IGNORED

CHANNELS_AS_PAGES = (
    "if these are the channels of one image, save them as one page: tifffile.imwrite(name, planes, "
    'photometric="minisblack", planarconfig="separate")'
)


def read_image(path: str | os.PathLike[str], channels: int = 1, page: int = 0) -> Tensor:
    """Read an image as (channels, H, W), float32 in [0, 1].

    PNG, TIFF or JPEG. Whole numbers of up to 16 bits are divided by their range, floats must lie in [0, 1] already.
    Palettes are applied, a TIFF whose 0 is white is inverted, and the picture is turned as EXIF says. Transparency is
    dropped, unless ``channels`` counts it. One channel is the luminance of colours, three are a grey three times; any
    other number must be that of the file. ``page`` counts from 0 in a multi-page TIFF, where planes that the file calls
    channels are one page if there are ``channels`` of them. InputError, naming the file, where it cannot be read or
    does not fit, and where pages may be either slices or the channels that were asked for.
    """
    source = Page(Path(path), page)
    picture = decode(source, channels)
    if is_tiff(source.path) and is_ambiguous(source.path, channels):
        raise InputError(
            f"{source.path}: has {channels} pages of one channel; {CHANNELS_AS_PAGES}; if they are slices, save each "
            "as a file of its own"
        )
    return as_image(picture, channels, source)


def read_mask(path: str | os.PathLike[str], num_classes: int = 1, page: int = 0) -> Tensor:
    """Read a mask as (1, H, W), uint8 class indices.

    Binary (``num_classes=1``): 0 stays 0 and one other value, whichever, becomes 1. Otherwise the values are the
    classes 0 … C-1, and 255 is ignored. Of a palette they are its indices; but for a binary mask a grey palette's greys
    count, and of two other colours black, or else the darker one, is 0. A TIFF whose 0 is white is inverted, unless it
    comes from tifffile or ImageJ, which store labels as they are. InputError, naming the file, where a mask holds
    anything else, is JPEG, 16-bit colour or painted into the transparency, or cannot be read.
    """
    if not 1 <= num_classes <= IGNORED:
        raise InputError(f"num_classes is {num_classes}; give 1 (binary) to {IGNORED}.")
    source = Page(Path(path), page)
    return torch.from_numpy(to_labels(decode(source), num_classes, source).classes)[None]


def as_image(picture: Picture, channels: int, source: Page) -> Tensor:
    """Return a decoded image as `read_image` does."""
    if picture.values.shape[-1] != channels:  # else transparency is one of the channels
        require_visible(picture, source)
    return to_image(picture, channels, source)


def count_pages(path: Path, channels: int = 1) -> int:
    """Return the pages of a TIFF, 1 for other files, and 0 where `read_image` will say what is wrong."""
    try:
        if is_tiff(path):
            return len(list_planes(path, channels))
        return 0 if path.suffix.lower() in {".tif", ".tiff"} else 1
    except Exception:
        return 0


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
