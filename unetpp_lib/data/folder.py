"""The one layout of data on disk, ``images/NAME.*`` and ``masks/NAME.*``, checked whole before anything is trained."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import mode
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from unetpp_lib.data.reading import IGNORED, Page, count_pages, read_image, read_mask, read_values, to_classes
from unetpp_lib.errors import InputError

_KINDS = {".png", ".tif", ".tiff", ".jpg", ".jpeg"}
_LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini"}  # hidden files are passed over too
_FAULTS_SHOWN = 20
_BLOCK = 1024  # pairs that wait for a thread at a time
_T = TypeVar("_T")
_R = TypeVar("_R")

Share = Callable[[Callable[[Sequence[Any]], list[Any]], Sequence[Any]], list[Any]]
"""Given work on a list that answers for each item in order, and a list: the work's answers. Several processes may each
do a part of it, and tell each other."""


def alone(work: Callable[[Sequence[Any]], list[Any]], items: Sequence[Any]) -> list[Any]:
    """Do all the work in this process: the `Share` of a world of one."""
    return work(items)


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


class _Pair(NamedTuple):
    name: str
    image: Page
    mask: Page


class _Found(NamedTuple):
    """What the check found out about a pair; a part is None where its file is at fault."""

    faults: list[str]
    size: tuple[int, int] | None = None
    foreground: int | float | None = None
    pixels: tuple[int, ...] = ()
    sums: list[list[float]] | None = None
    content: bytes = b""


class SegmentationFolder(Dataset[tuple[Tensor, Tensor]]):
    """The images of a folder with their masks: item i is ``read_image`` and ``read_mask`` of the i-th name.

    Pairs are the files ``images/NAME.*`` (PNG, TIFF, JPEG) and ``masks/NAME.*`` (PNG, TIFF); a TIFF with several pages
    holds the slices NAME_000, NAME_001 … in both (quick up to some hundred pages: a page is found by walking over those
    before it). Construction decodes every file once and keeps none, in as many threads as PyTorch has; ``share`` may
    spread the work over processes. All binary masks must use the same foreground value, so that a folder of classes is
    not taken for a binary one.

    Attributes: ``root``, ``channels`` and ``num_classes`` as given; ``names`` in alphabetical order; ``index_of``, the
    index of each name; ``files``, the image's file of each; ``sizes``, (H, W) of each; ``class_shares``, each class's
    share of the labelled pixels; ``sums``, (images, 2, channels) float64, each image's sums of values and of squares;
    ``contents``, one for each image, equal for equal pixels, and empty where all pixels are equal.

    Raises: FolderError with all faults: a missing folder or partner, two files of one name, an unreadable file, another
    size or number of pages, a mask that is JPEG or holds values that it must not hold.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        channels: int = 1,
        num_classes: int = 1,
        share: Share = alone,
    ) -> None:
        if channels < 1 or not 1 <= num_classes <= IGNORED:
            raise InputError(
                f"channels={channels}, num_classes={num_classes}: give at least 1 channel and 1 (binary) to {IGNORED} "
                "classes"
            )
        self.root = Path(root)
        self.channels = channels
        self.num_classes = num_classes
        faults: list[str] = []
        self._pairs = _list_pairs(self.root, faults, share)
        self._check(faults, share)
        if faults:
            raise FolderError(self.root, [fault.removeprefix(f"{self.root}{os.sep}") for fault in faults])
        self.names = tuple(pair.name for pair in self._pairs)
        self.files = tuple(pair.image.path for pair in self._pairs)
        self.index_of = {name: index for index, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the image (channels, H, W), float32 in [0, 1], and its mask (1, H, W), uint8 class indices."""
        _, image, mask = self._pairs[index]
        return read_image(image.path, self.channels, image.number), read_mask(mask.path, self.num_classes, mask.number)

    def _check(self, faults: list[str], share: Share) -> None:
        """Decode every pair once, add what is wrong to ``faults``, and keep what is worth knowing of all."""
        label = f"checking {self.root.name}"
        found: list[_Found] = share(partial(_each, self._check_pair, label=label), self._pairs)
        faults.extend(fault for one in found for fault in one.faults)
        foregrounds = [one.foreground for one in found if one.foreground is not None]
        usual = mode(foregrounds) if foregrounds else None
        faults.extend(
            f"{pair.mask}: the foreground is {one.foreground}, but {usual} in most masks; use one value in all of "
            "them, or set num_classes if these are classes"
            for pair, one in zip(self._pairs, found, strict=True)
            if one.foreground not in (None, usual)
        )
        self.sizes = tuple(one.size for one in found if one.size is not None)
        pixels = np.array([one.pixels for one in found if one.pixels]).sum(axis=0)
        self.class_shares = tuple((pixels / max(1, pixels.sum())).tolist()) if pixels.ndim else ()
        self.sums = torch.tensor([one.sums for one in found if one.sums is not None], dtype=torch.float64)
        self.contents = tuple(one.content for one in found)

    def _check_pair(self, pair: _Pair) -> _Found:
        """Decode a pair and return what is wrong with it, or worth knowing."""
        faults: list[str] = []
        image = _attempt(partial(read_image, pair.image.path, self.channels, pair.image.number), faults)
        values = _attempt(partial(read_values, pair.mask, self.num_classes), faults)
        if image is None or values is None:
            return _Found(faults, foreground=None if values is None else self._foreground(values))
        if image.shape[1:] != values.shape:
            faults.append(
                f"{pair.mask}: height and width are {values.shape}, those of its image {tuple(image.shape[1:])}; "
                "find the mask that was drawn on this image, or crop both alike"
            )
        wide = image.double()
        sums = torch.stack([wide.sum((1, 2)), wide.square().sum((1, 2))])
        uniform = image.min() == image.max()
        content = b"" if uniform else hashlib.sha256(image.numpy().tobytes()).digest()
        labelled = max(2, self.num_classes)
        pixels = np.bincount(to_classes(values, self.num_classes).ravel(), minlength=labelled)[:labelled]
        size = (values.shape[0], values.shape[1])
        return _Found(faults, size, self._foreground(values), tuple(pixels.tolist()), sums.tolist(), content)

    def _foreground(self, values: NDArray[Any]) -> int | float | None:
        """Return the value of a binary mask that is not 0, if it has one."""
        return values.max().item() if self.num_classes == 1 and values.any() else None


def _each(work: Callable[[_T], _R], items: Sequence[_T], label: str) -> list[_R]:
    """Return the work's answer for each item, in order; decoders leave Python free to run several threads."""
    answers: list[_R] = []
    with (
        ThreadPoolExecutor(torch.get_num_threads()) as threads,
        tqdm(total=len(items), desc=label, unit="pair", delay=2, leave=False) as bar,
    ):
        for start in range(0, len(items), _BLOCK):
            for answer in threads.map(work, items[start : start + _BLOCK]):
                answers.append(answer)
                bar.update()
    return answers


def _list_pairs(root: Path, faults: list[str], share: Share = alone) -> list[_Pair]:
    """Find the pairs by name, alphabetically, and add to ``faults`` what has no partner or no name of its own."""
    if not root.is_dir():
        faults.append(f"{root}: there is no such folder; give the one that holds images/ and masks/")
        return []
    images, masks = (_list_files(root / part, faults) for part in ("images", "masks"))
    for name in sorted(images.keys() ^ masks.keys()) if images and masks else ():
        alone, other = (images[name], "masks") if name in images else (masks[name], "images")
        faults.append(f"{alone}: has no partner {other}/{name}.*; add or rename that file, or take this one away")
    pairs: list[_Pair] = []
    names = sorted(images.keys() & masks.keys())
    files = [(images[name], masks[name]) for name in names]
    counts = share(partial(_each, lambda pair: tuple(map(count_pages, pair)), label=f"listing {root.name}"), files)
    for name, pages in zip(names, counts, strict=True):
        if pages[0] != pages[1] and all(pages):
            faults.append(f"{masks[name]}: has {pages[1]} page(s), its image {pages[0]}; give every slice its mask")
        digits = max(3, len(str(max(pages) - 1)))  # so that alphabetical order is the order of the slices
        for page in range(max(1, min(pages))):
            slice_name = f"{name}_{page:0{digits}}" if max(pages) > 1 else name
            pairs.append(_Pair(slice_name, Page(images[name], page), Page(masks[name], page)))
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


def _attempt(read: Callable[[], _T], faults: list[str]) -> _T | None:
    try:
        return read()
    except InputError as error:
        faults.append(str(error))
        return None
