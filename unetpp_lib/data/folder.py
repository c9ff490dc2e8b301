"""The one layout of data on disk, ``images/NAME.*`` and ``masks/NAME.*``, checked whole before anything is trained."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from unetpp_lib.data.decoding import decode
from unetpp_lib.data.listing import Pair, list_pairs
from unetpp_lib.data.mask_checks import compare_masks, count_labels, missing_classes, notes_on
from unetpp_lib.data.mask_values import Labels, to_labels
from unetpp_lib.data.reading import as_image
from unetpp_lib.errors import InputError
from unetpp_lib.labels import IGNORED

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


class _Found(NamedTuple):
    """What the check found out about a pair; a part is None where its file is at fault."""

    faults: list[str]
    labels: Labels | None = None  # without the classes themselves
    size: tuple[int, int] | None = None
    pixels: tuple[int, ...] = ()  # of each class, then ignored
    sums: list[list[float]] | None = None
    content: bytes = b""
    notes: tuple[str, ...] = ()  # what was applied to its files
    is_its_own_mask: bool = False


class SegmentationFolder(Dataset[tuple[Tensor, Tensor]]):
    """The images of a folder with their masks: item i is ``read_image`` and ``read_mask`` of the i-th name.

    Pairs are the files ``images/NAME.*`` (PNG, TIFF, JPEG) and ``masks/NAME.*`` (PNG, TIFF), where ``mask_suffix`` may
    follow NAME; a TIFF with several pages holds the slices NAME_000, NAME_001 … in both. Hidden files, tables and notes
    are passed over. Construction decodes every file once and keeps none, in as many threads as PyTorch has; ``share``
    may spread the work over processes. All binary masks must use the same foreground value or colour, so that a folder
    of classes is not taken for a binary one. Every class must occur somewhere, unless ``complete`` is False, as for a
    folder that is only scored.

    Attributes: ``root``, ``channels`` and ``num_classes`` as given; ``names`` in alphabetical order; ``index_of``, the
    index of each name; ``files``, the image's file of each; ``sizes``, (H, W) of each; ``class_shares``, each class's
    fraction of the labelled pixels; ``ignored_share``, the fraction of all pixels that is ignored; ``notes``, a
    sentence for each thing that was applied to files or passed over; ``sums``, (images, 2, channels) float64, each
    image's sums of values and of squares; ``contents``, one for each image, equal for equal pixels, and empty where
    all pixels are equal.

    Raises: FolderError with all faults: a missing folder or partner, two files of one name, an unreadable file, another
    size or number of pages, a mask that is JPEG or holds values that it must not hold, palettes that contradict each
    other, a class that never occurs.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        channels: int = 1,
        num_classes: int = 1,
        share: Share = alone,
        mask_suffix: str = "",
        complete: bool = True,
    ) -> None:
        if channels < 1 or not 1 <= num_classes <= IGNORED:
            raise InputError(
                f"channels={channels}, num_classes={num_classes}: give at least 1 channel and 1 (binary) to {IGNORED} "
                "classes"
            )
        self.root = Path(root)
        self.channels = channels
        self.num_classes = num_classes

        def count(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
            return share(partial(_each, work, label=f"listing {self.root.name}"), items)

        found = list_pairs(self.root, channels, mask_suffix, count)
        self._pairs, faults = found.pairs, found.faults
        self.notes = _passed_over(found.passed_over)
        self._check(faults, share, complete)
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
        labels = to_labels(decode(mask), self.num_classes, mask)
        return as_image(decode(image, self.channels), self.channels, image), torch.from_numpy(labels.classes)[None]

    def _check(self, faults: list[str], share: Share, complete: bool) -> None:
        """Decode every pair once, add what is wrong to ``faults``, and keep what is worth knowing of all."""
        label = f"checking {self.root.name}"
        found: list[_Found] = share(partial(_each, self._check_pair, label=label), self._pairs)
        faults.extend(fault for one in found for fault in one.faults)
        labels = [(pair.mask, one.labels) for pair, one in zip(self._pairs, found, strict=True) if one.labels]
        faults.extend(compare_masks(labels))
        self.sizes = tuple(one.size for one in found if one.size is not None)
        pixels = np.array([one.pixels for one in found if one.pixels]).sum(axis=0)
        if found and not faults:
            faults.extend(missing_classes(self.root / "masks", pixels.tolist(), self.num_classes, complete))
            if complete and not any(one.content for one in found):
                faults.append(f"{self.root / 'images'}: every image is of one colour; check how they were saved")
            if complete and all(one.is_its_own_mask for one in found):
                faults.append(f"{self.root / 'masks'}: every mask equals its image; put the images into images/")
        self.class_shares = tuple((pixels[:-1] / max(1, pixels[:-1].sum())).tolist()) if pixels.ndim else ()
        self.ignored_share = float(pixels[-1] / pixels.sum()) if pixels.ndim else 0.0
        self.sums = torch.tensor([one.sums for one in found if one.sums is not None], dtype=torch.float64)
        self.contents = tuple(one.content for one in found)
        applied = Counter(note for one in found for note in one.notes)
        self.notes += tuple(f"{count} {note}" for note, count in sorted(applied.items()))

    def _check_pair(self, pair: Pair) -> _Found:
        """Decode a pair and return what is wrong with it, or worth knowing."""
        faults: list[str] = []
        seen = _attempt(lambda: decode(pair.image, self.channels), faults)
        image = None if seen is None else _attempt(lambda: as_image(seen, self.channels, pair.image), faults)
        drawn = _attempt(lambda: decode(pair.mask), faults)
        labels = None if drawn is None else _attempt(lambda: to_labels(drawn, self.num_classes, pair.mask), faults)
        known = None if labels is None else labels._replace(classes=np.empty((0, 0), np.uint8))
        if seen is None or image is None or drawn is None or labels is None:
            return _Found(faults, known)
        size = (labels.classes.shape[0], labels.classes.shape[1])
        if image.shape[1:] != size:
            turned = "the image was turned by its EXIF orientation, " if seen.orientation > 1 else ""
            faults.append(
                f"{pair.mask}: height and width are {size}, those of its image {tuple(image.shape[1:])}; {turned}"
                "find the mask that was drawn on this image, or crop both alike"
            )
        wide = image.double()
        sums = torch.stack([wide.sum((1, 2)), wide.square().sum((1, 2))])
        uniform = image.min() == image.max()
        content = b"" if uniform else hashlib.sha256(image.numpy().tobytes()).digest()
        pixels = count_labels(labels.classes, self.num_classes)
        own = not uniform and np.array_equal(seen.values, drawn.values)
        return _Found(faults, known, size, pixels, sums.tolist(), content, notes_on(seen, drawn, labels), own)


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


def _attempt(read: Callable[[], _T], faults: list[str]) -> _T | None:
    try:
        return read()
    except InputError as error:
        faults.append(str(error))
        return None


def _passed_over(paths: Sequence[Path]) -> tuple[str, ...]:
    if not paths:
        return ()
    shown = ", ".join(f"{path.parent.name}/{path.name}" for path in paths[:5])
    more = " …" if len(paths) > 5 else ""
    return (f"{len(paths)} file(s) passed over: {shown}{more}",)
