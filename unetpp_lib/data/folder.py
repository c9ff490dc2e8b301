"""The one layout of data on disk, ``images/NAME.*`` and ``masks/NAME.*``, checked whole before anything is trained."""

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mode
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from unetpp_lib.data.pixels import to_image
from unetpp_lib.errors import InputError

_IGNORED = 255  # in masks of several classes, the label of pixels that neither loss nor score looks at
_KINDS = {".png", ".tif", ".tiff", ".jpg", ".jpeg"}
_LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini"}  # hidden files are passed over too
_FAULTS_SHOWN = 20
_T = TypeVar("_T")


class FolderError(InputError):
    """All faults of a folder at once: ``faults`` holds one sentence for each, with its file and what to do."""

    def __init__(self, root: Path, faults: Sequence[str]) -> None:
        super().__init__(root, faults)
        self.faults = tuple(faults)
        self._root = root

    def __str__(self) -> str:
        lines = [f"{self._root}: {len(self.faults)} fault(s)", *self.faults[:_FAULTS_SHOWN]]
        if len(self.faults) > _FAULTS_SHOWN:
            lines.append(f"… and {len(self.faults) - _FAULTS_SHOWN} more of these {len(self.faults)} faults")
        return "\n  ".join(lines)


class _Page(NamedTuple):
    """A page of a file; only a multi-page TIFF has more than page 0."""

    path: Path
    number: int = 0

    def __str__(self) -> str:
        return f"{self.path}, page {self.number}" if self.number else str(self.path)


class _Pair(NamedTuple):
    name: str
    image: _Page
    mask: _Page


class SegmentationFolder(Dataset[tuple[Tensor, Tensor]]):
    """The images of a folder with their masks: item i is ``read_image`` and ``read_mask`` of the i-th name.

    Pairs are the files ``images/NAME.*`` (PNG, TIFF, JPEG) and ``masks/NAME.*`` (PNG, TIFF); a TIFF with several pages
    holds the slices NAME_000, NAME_001 … in both (quick up to some hundred pages: a page is found by walking over those
    before it). Construction decodes every file once and keeps none; all binary masks must use the same foreground
    value, so that a folder of classes is not taken for a binary one.

    Attributes: ``root``, ``channels`` and ``num_classes`` as given; ``names`` in alphabetical order; ``index_of``, the
    index of each name; ``sizes``, (H, W) of each; ``class_shares``, each class's share of the labelled pixels;
    ``sums``, (images, 2, channels) float64, each image's sums of values and of squares; ``contents``, one for each
    image, equal for equal pixels, and empty where all pixels are equal.

    Raises: FolderError with all faults: a missing folder or partner, two files of one name, an unreadable file, another
    size or number of pages, a mask that is JPEG or holds values that it must not hold.
    """

    def __init__(self, root: str | os.PathLike[str], channels: int = 1, num_classes: int = 1) -> None:
        if channels < 1 or not 1 <= num_classes <= _IGNORED:
            raise InputError(
                f"channels={channels}, num_classes={num_classes}: give at least 1 channel and 1 (binary) to {_IGNORED} "
                "classes"
            )
        self.root = Path(root)
        self.channels = channels
        self.num_classes = num_classes
        faults: list[str] = []
        self._pairs = _list_pairs(self.root, faults)
        self._check(faults)
        if faults:
            raise FolderError(self.root, [fault.removeprefix(f"{self.root}{os.sep}") for fault in faults])
        self.names = tuple(pair.name for pair in self._pairs)
        self.index_of = {name: index for index, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the image (channels, H, W), float32 in [0, 1], and its mask (1, H, W), uint8 class indices."""
        _, image, mask = self._pairs[index]
        return read_image(image.path, self.channels, image.number), read_mask(mask.path, self.num_classes, mask.number)

    def _check(self, faults: list[str]) -> None:
        """Decode every pair once, add what is wrong to ``faults``, and keep what is worth knowing of all."""
        sizes, sums, contents = [], [], []
        pixels = np.zeros(_IGNORED + 1, dtype=np.int64)
        foregrounds: dict[_Page, Any] = {}
        for pair in tqdm(self._pairs, desc=f"checking {self.root.name}", unit="pair", delay=2, leave=False):
            image = _attempt(partial(read_image, pair.image.path, self.channels, pair.image.number), faults)
            values = _attempt(partial(_read_values, pair.mask, self.num_classes), faults)
            if image is not None and values is not None and image.shape[1:] != values.shape:
                faults.append(
                    f"{pair.mask}: height and width are {values.shape}, those of its image {tuple(image.shape[1:])}; "
                    "find the mask that was drawn on this image, or crop both alike"
                )
            if image is not None:
                wide = image.double()
                sums.append(torch.stack([wide.sum((1, 2)), wide.square().sum((1, 2))]))
                uniform = image.min() == image.max()
                contents.append(b"" if uniform else hashlib.sha256(image.numpy().tobytes()).digest())
            if values is None:
                continue
            sizes.append(values.shape)
            pixels += np.bincount(_to_classes(values, self.num_classes).ravel(), minlength=len(pixels))
            if self.num_classes == 1 and values.any():
                foregrounds[pair.mask] = values.max()
        usual = mode(foregrounds.values()) if foregrounds else None
        faults.extend(
            f"{mask}: the foreground is {value}, but {usual} in most masks; use one value in all of them, or set "
            "num_classes if these are classes"
            for mask, value in foregrounds.items()
            if value != usual
        )
        labelled = pixels[: max(2, self.num_classes)]
        self.sizes, self.class_shares = tuple(sizes), tuple((labelled / max(1, labelled.sum())).tolist())
        self.sums, self.contents = torch.stack(sums) if sums else torch.zeros(0), tuple(contents)


def read_image(path: str | os.PathLike[str], channels: int = 1, page: int = 0) -> Tensor:
    """Read an image as (channels, H, W), float32 in [0, 1].

    Greys of 1, 8 and 16 bit are divided by their range, floats must lie in [0, 1] already; 16-bit colour is read at 8
    bit. Palettes are applied and alpha is dropped. One channel is the luminance of colours, three are a grey three
    times; any other number must be that of the file. ``page`` counts from 0 in a multi-page TIFF. InputError, naming
    the file, where it cannot be read or does not fit.
    """
    source = _Page(Path(path), page)
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
    return torch.from_numpy(_to_classes(_read_values(_Page(Path(path), page), num_classes), num_classes))[None]


def _list_pairs(root: Path, faults: list[str]) -> list[_Pair]:
    """Find the pairs by name, alphabetically, and add to ``faults`` what has no partner or no name of its own."""
    if not root.is_dir():
        faults.append(f"{root}: there is no such folder; give the one that holds images/ and masks/")
        return []
    images, masks = (_list_files(root / part, faults) for part in ("images", "masks"))
    for name in sorted(images.keys() ^ masks.keys()) if images and masks else ():
        alone, other = (images[name], "masks") if name in images else (masks[name], "images")
        faults.append(f"{alone}: has no partner {other}/{name}.*; add or rename that file, or take this one away")
    pairs: list[_Pair] = []
    for name in sorted(images.keys() & masks.keys()):
        pages = count_pages(images[name]), count_pages(masks[name])
        if pages[0] != pages[1] and all(pages):
            faults.append(f"{masks[name]}: has {pages[1]} page(s), its image {pages[0]}; give every slice its mask")
        digits = max(3, len(str(max(pages) - 1)))  # so that alphabetical order is the order of the slices
        for page in range(max(1, min(pages))):
            slice_name = f"{name}_{page:0{digits}}" if max(pages) > 1 else name
            pairs.append(_Pair(slice_name, _Page(images[name], page), _Page(masks[name], page)))
    owners: dict[str, Path] = {}
    for pair in pairs:
        owner = owners.setdefault(pair.name, pair.image.path)
        if owner != pair.image.path:
            faults.append(f"{pair.image.path}: {pair.name} is also a slice of {owner.name}; rename one of them")
    return sorted(pairs)


def _list_files(folder: Path, faults: list[str]) -> dict[str, Path]:
    """Return the files of a folder by name without suffix, and add to ``faults`` those that cannot be data."""
    if not folder.is_dir():
        faults.append(f"{folder}: there is no such folder; the data is images/NAME.* with masks/NAME.*")
        return {}
    files = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and path.name.lower() not in _LEFT_BY_SYSTEMS
    ]
    known: dict[str, Path] = {}
    for path in files:
        if path.suffix.lower() in _KINDS and known.setdefault(path.stem, path) != path:
            faults.append(f"{path}: has the name of {known[path.stem].name}; keep one of the two")
    if not known:
        faults.append(f"{folder}: holds no PNG, TIFF or JPEG file; put NAME.png there (subfolders are not looked into)")
    # A table or note beside a.png is harmless; an a.npy alone may be an image that would silently be left out.
    faults.extend(
        f"{path}: is neither PNG, TIFF nor JPEG; convert it to PNG, or move it out of {folder.name}/"
        for path in files
        if path.stem not in known
    )
    return known


def count_pages(path: Path) -> int:
    """Return the pages of a TIFF, 1 for other files, and 0 where `read_image` will say what is wrong."""
    try:
        with Image.open(path) as picture:
            return getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    except Exception:
        return 0


def _decode(source: _Page) -> Image.Image:
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


def _read_values(source: _Page, num_classes: int) -> NDArray[Any]:
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
    wrong = distinct[~np.isin(distinct, [*range(num_classes), _IGNORED])]
    if num_classes > 1 and len(wrong):
        raise InputError(
            f"{source}: holds {_listed(wrong)}, but {num_classes} classes are 0 … {num_classes - 1}, with {_IGNORED} "
            "for ignored pixels; relabel the mask, or set num_classes"
        )
    return values


def _is_grey(pixels: NDArray[Any]) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def _to_classes(values: NDArray[Any], num_classes: int) -> NDArray[np.uint8]:
    return (values != 0 if num_classes == 1 else values).astype(np.uint8)


def _listed(values: NDArray[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:5])
    return f"{shown} … {values[-1]}" if len(values) > 5 else shown


def _attempt(read: Callable[[], _T], faults: list[str]) -> _T | None:
    try:
        return read()
    except InputError as error:
        faults.append(str(error))
        return None
