"""Reading published archives as pairs of image and mask.

Nothing is ever unpacked under the names that an archive gives: each expected member is read into memory and decoded
under limits. All other members are ignored, and an archive that looks hostile is refused as a whole.
"""

import stat
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

# the archives of the catalogue unpack to about 0.1 GB, and their largest image has 1.4 million pixels
MAX_UNPACKED_BYTES = 2**29
MAX_PIXELS = 2**25

Pair = tuple[str, Image.Image, NDArray[np.bool_]]


class ArchiveError(Exception):
    """An archive is damaged, hostile or not the expected one; the message names the member."""


def read_pairs(file: Path, name: str, count: int) -> Iterator[Pair]:
    """Yield the pairs of the set ``name`` from its archive: name, image (grey or RGB, 8 bit) and mask (H, W).

    Raises:
        ArchiveError: the archive is not a zip file, looks hostile, or does not contain ``count`` valid pairs.
    """
    try:
        archive = ZipFile(file)
    except (BadZipFile, NotImplementedError, ValueError) as error:
        raise ArchiveError(f"it is not a complete zip file ({error})") from error
    with archive:
        _refuse_hostile(archive)
        yield from _READERS[name](archive, count)


def _refuse_hostile(archive: ZipFile) -> None:
    members = archive.infolist()
    for member in members:
        path = PureWindowsPath(member.filename)  # splits at / and \, and recognises drives
        if path.anchor or ".." in path.parts:
            raise ArchiveError(f"member {member.filename!r} points outside the archive")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ArchiveError(f"member {member.filename!r} is a symbolic link")
        if member.flag_bits & 1:
            raise ArchiveError(f"member {member.filename!r} is encrypted")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES:
        raise ArchiveError(f"it would unpack to {unpacked:,} bytes, more than the limit of {MAX_UNPACKED_BYTES:,}")


def _stack(part: str, archive: ZipFile, count: int) -> Iterator[Pair]:
    """ISBI 2012: two TIFF files, ``PART-volume.tif`` and ``PART-labels.tif``, of ``count`` pages each."""
    volume, labels = (_only_member(archive, f"{part}-{kind}.tif") for kind in ("volume", "labels"))
    pages = zip(_pages(archive, volume, count), _pages(archive, labels, count), strict=True)
    for index, (image, label) in enumerate(pages):
        yield f"{index:02d}", image, _foreground(label, image.size, labels)


def _nuclei(archive: ZipFile, count: int) -> Iterator[Pair]:
    """BBBC038: ``ID/images/ID.png``, and ``ID/masks/*.png`` with one nucleus each."""
    members: defaultdict[str, dict[str, list[ZipInfo]]] = defaultdict(lambda: {"images": [], "masks": []})
    for member in archive.infolist():
        match PurePosixPath(member.filename).parts:
            case [*_, name, ("images" | "masks") as kind, file] if not file.startswith("."):
                members[name][kind].append(member)
    if len(members) != count:
        raise ArchiveError(f"it contains {len(members)} images, not {count}")
    for name, found in sorted(members.items()):
        if len(found["images"]) != 1 or not found["masks"]:
            raise ArchiveError(f"{name!r} has {len(found['images'])} images and {len(found['masks'])} masks")
        (image,) = _pages(archive, found["images"][0], count=1)
        mask = np.zeros((image.height, image.width), dtype=np.bool_)
        for member in found["masks"]:
            (nucleus,) = _pages(archive, member, count=1)
            mask |= _foreground(nucleus, image.size, member)
        yield name, image, mask


_READERS: dict[str, Callable[[ZipFile, int], Iterator[Pair]]] = {
    "isbi2012": partial(_stack, "train"),
    "isbi2012_test": partial(_stack, "test"),
    "dsb2018": _nuclei,
}


def _only_member(archive: ZipFile, file: str) -> ZipInfo:
    found = [member for member in archive.infolist() if PurePosixPath(member.filename).name == file]
    if len(found) != 1:
        raise ArchiveError(f"it contains {len(found)} files {file}, not one")
    return found[0]


def _pages(archive: ZipFile, member: ZipInfo, count: int) -> Iterator[Image.Image]:
    """Yield the decoded pages of a member; alpha channels and palettes are dropped."""
    try:
        with archive.open(member) as file:
            content = BytesIO(file.read(member.file_size))  # never more than the declared size
        with Image.open(content, formats=("PNG", "TIFF")) as image:
            pages = getattr(image, "n_frames", 1)
            if pages != count:
                raise ArchiveError(f"{member.filename!r} contains {pages} images, not {count}")
            for page in ImageSequence.Iterator(image):
                if page.width * page.height > MAX_PIXELS:
                    size = f"{page.width}×{page.height} pixels, more than the limit of {MAX_PIXELS:,}"
                    raise ArchiveError(f"{member.filename!r} has {size}")
                if page.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
                    raise ArchiveError(f"{member.filename!r} has pixels of mode {page.mode}, not 8-bit grey or RGB")
                yield page.convert("L" if page.mode in {"1", "L", "LA"} else "RGB")
    except ArchiveError:
        raise
    except Exception as error:  # zipfile, zlib and each of Pillow's decoders raise their own kinds on damaged bytes
        raise ArchiveError(f"{member.filename!r} cannot be read as a PNG or TIFF image ({error})") from error


def _foreground(mask: Image.Image, size: tuple[int, int], member: ZipInfo) -> NDArray[np.bool_]:
    if mask.size != size:
        raise ArchiveError(f"mask {member.filename!r} has the size {mask.size}, its image {size}")
    values = np.asarray(mask.convert("L"))
    if not ((values == 0) | (values == values.max())).all():
        raise ArchiveError(f"mask {member.filename!r} has more than two values")
    return values > 0
