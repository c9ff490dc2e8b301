"""Which files of ``images/`` and ``masks/`` belong together, and which of them are no data."""

import os
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from unetpp_lib.data.pixels import Page
from unetpp_lib.data.reading import CHANNELS_AS_PAGES, count_pages

SUFFIXES = {".png", ".tif", ".tiff", ".jpg", ".jpeg"}
_LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini"}  # hidden files are passed over too
# what Pillow does not name: volumes, arrays, archives, and pictures of microscopes and cameras
_UNREADABLE = {".npy", ".npz", ".mat", ".h5", ".hdf5", ".nii", ".gz", ".mha", ".mhd", ".nrrd", ".mrc", ".dcm", ".dicom"}
_UNREADABLE |= {".zip", ".tar", ".7z", ".rar", ".czi", ".lif", ".nd2", ".lsm", ".oib", ".oif", ".vsi", ".svs", ".ndpi"}
_UNREADABLE |= {".mrxs", ".dng", ".cr2", ".nef", ".arw", ".heic", ".avif", ".svg"}
_BESIDE_AN_IMAGE = {".ovr", ".msk"}  # of GDAL: smaller copies of it, and where it holds data


class Pair(NamedTuple):
    """An image and its mask."""

    name: str
    image: Page
    mask: Page


class Listing(NamedTuple):
    """What was found in a folder: pairs in alphabetical order, what is wrong, and files that are no data."""

    pairs: list[Pair]
    faults: list[str]
    passed_over: list[Path]


def list_pairs(
    root: Path,
    channels: int,
    mask_suffix: str,
    count: Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]],
) -> Listing:
    """Find the pairs by name; ``count`` calls a function for each of many items."""
    found = Listing([], [], [])
    if not root.is_dir():
        found.faults.append(f"{root}: there is no such folder; give the one that holds images/ and masks/")
        return found
    images = _list_files(root / "images", "", found)
    masks = _list_files(root / "masks", mask_suffix, found)
    if images and masks:
        found.faults.extend(_without_partner(images, masks, channels))
    names = sorted(images.keys() & masks.keys())
    files = [(images[name], masks[name]) for name in names]
    counts = count(lambda pair: (count_pages(pair[0], channels), count_pages(pair[1])), files)
    for (image, mask), pages in zip(files, counts, strict=True):
        if pages[0] != pages[1] and all(pages):
            advice = f", or, {CHANNELS_AS_PAGES}, and set channels={pages[0]}" if pages[1] == 1 else ""
            found.faults.append(
                f"{mask}: has {pages[1]} page(s), its image {pages[0]}; give every slice its mask{advice}"
            )
        for page, name in enumerate(name_slices(image, max(pages))[: max(1, min(pages))]):
            found.pairs.append(Pair(name, Page(image, page), Page(mask, page)))
    owners: dict[str, Path] = {}
    for pair in found.pairs:
        owner = owners.setdefault(pair.name, pair.image.path)
        if owner != pair.image.path:
            found.faults.append(f"{pair.image.path}: {pair.name} is also a slice of {owner.name}; rename one of them")
    found.pairs.sort()
    return found


def _list_files(folder: Path, suffix: str, found: Listing) -> dict[str, Path]:
    """Return the files of a folder by the name that pairs them, and note those that cannot be data."""
    if not folder.is_dir():
        found.faults.append(f"{folder}: there is no such folder; the data is images/NAME.* with masks/NAME.*")
        return {}
    known: dict[str, Path] = {}
    others: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.lower() in _LEFT_BY_SYSTEMS:
            continue
        if path.is_symlink() and not path.exists():
            found.faults.append(f"{path}: is a link to {path.readlink()}, which is not there; mend or remove it")
        elif path.is_dir():
            if _holds_images(path):
                found.faults.append(f"{path}: is a folder with images; move them up, subfolders are not looked into")
        elif path.suffix.lower() not in SUFFIXES or not stem_of(path).endswith(suffix):
            others.append(path)
        elif known.setdefault(_key(path, suffix), path) != path:
            found.faults.append(f"{path}: has the name of {known[_key(path, suffix)].name}; keep one of the two")
    ending = f"NAME{suffix}.png"
    if not known:
        kind = Path(f"x{suffix}").suffix
        advice = f"; leave {kind} out of the suffix" if kind.lower() in SUFFIXES else ""
        other = next((f" but {path.name} and the like" for path in others if path.suffix.lower() in SUFFIXES), "")
        found.faults.append(f"{folder}: holds no PNG, TIFF or JPEG file{other}; put {ending} there{advice}")
    stems = {path.stem for path in known.values()}
    for path in others:
        # A table or note is harmless; an a.npy alone may be an image that would silently be left out.
        if path.suffix.lower() in SUFFIXES or path.stem in stems or not _may_be_an_image(path):
            found.passed_over.append(path)
        else:
            found.faults.append(
                f"{path}: is neither PNG, TIFF nor JPEG; convert it to PNG, or move it out of {folder.name}/"
            )
    return known


def stem_of(path: Path) -> str:
    """Return a file's name without its suffix, of which .ome is a part."""
    return path.stem[:-4] if path.stem.lower().endswith(".ome") else path.stem


def name_slices(path: Path, pages: int) -> list[str]:
    """Return the names of a file's pages: NAME, or NAME_000 … of several, whose alphabetical order is theirs."""
    digits = max(3, len(str(pages - 1)))
    return [f"{stem_of(path)}_{page:0{digits}}" for page in range(pages)] if pages > 1 else [stem_of(path)]


def _key(path: Path, suffix: str) -> str:
    """Return the name that pairs a file: accents may be stored in two ways, and macOS changes one into the other."""
    return unicodedata.normalize("NFC", stem_of(path).removesuffix(suffix))


def _holds_images(folder: Path) -> bool:
    files = (name for _, _, names in os.walk(folder) for name in names)
    return any(Path(name).suffix.lower() in SUFFIXES and not name.startswith(".") for name in files)


def _may_be_an_image(path: Path) -> bool:
    """Whether a file is an image by its suffix or its content."""
    suffix = path.suffix.lower()
    if suffix in _BESIDE_AN_IMAGE:
        return False
    if suffix in _UNREADABLE or suffix in Image.registered_extensions():
        return True
    try:
        with Image.open(path):
            return True
    except Exception:
        return False


def _without_partner(images: dict[str, Path], masks: dict[str, Path], channels: int) -> list[str]:
    """Return a fault for each file without a partner, or one for all where their names differ in one way alone."""
    lone_images, lone_masks = sorted(images.keys() - masks.keys()), sorted(masks.keys() - images.keys())
    stacks = {name: count_pages(images[name], channels) for name in lone_images}
    if lone_images and lone_masks and max(stacks.values()) < 2:
        tail = _common_tail(lone_masks)
        for ending in (tail[first:] for first in range(len(tail))):
            if all(name.removesuffix(ending) in images for name in lone_masks):
                lone_images = sorted(set(lone_images) - {name.removesuffix(ending) for name in lone_masks})
                start = "1 mask ends" if len(lone_masks) == 1 else f"{len(lone_masks)} masks all end"
                if images.keys() & masks.keys():  # with a suffix, the other masks would be passed over
                    hint = "rename it as its image is called" if len(lone_masks) == 1 else "rename them as their images"
                else:
                    hint = f'set mask_suffix="{ending}" (--mask-suffix {ending}), or rename them'
                return [f"{masks[lone_masks[0]].parent}: {start} in {ending}; {hint}"] + [
                    _lone(images[name], name, "masks") for name in lone_images
                ]
        endings = [name.removeprefix(lone_images[0]) for name in lone_masks if name.startswith(lone_images[0])]
        endings = [ending for ending in endings if all(image + ending in masks for image in lone_images)]
        if endings:  # and files of another kind, such as the probabilities that `unetpp predict` writes
            hint = f'set mask_suffix="{endings[0]}" (--mask-suffix {endings[0]}), which passes other files over'
            return [f"{masks[lone_masks[0]].parent}: masks are named as images with {' or '.join(endings)}; {hint}"]
        (head, tail), (mask_head, mask_tail) = _common_ends(lone_images), _common_ends(lone_masks)
        cores = {name.removeprefix(head).removesuffix(tail) for name in lone_images}
        if len(cores) > 1 and cores == {name.removeprefix(mask_head).removesuffix(mask_tail) for name in lone_masks}:
            return [
                f"{masks[lone_masks[0]].parent}: the images are called {head}…{tail} and their masks "
                f"{mask_head}…{mask_tail}; rename them, so that an image and its mask have the same name"
            ]
    folded = {name.casefold() for name in lone_images} & {name.casefold() for name in lone_masks}
    faults = []
    for name in sorted([*lone_images, *lone_masks]):
        fault = _lone(images[name], name, "masks") if name in images else _lone(masks[name], name, "images")
        if name.casefold() in folded:
            fault += " (one differs in upper and lower case alone)"
        if stacks.get(name, 1) > 1:
            fault += f" (the mask of a stack is one TIFF of its {stacks[name]} pages)"
        faults.append(fault)
    return faults


def _lone(path: Path, name: str, other: str) -> str:
    return f"{path}: has no partner {other}/{name}.*; add or rename that file, or take this one away"


def _common_ends(names: Sequence[str]) -> tuple[str, str]:
    """Return what all names begin with, and what the rest of all of them ends with."""
    head = _common_head(names)
    return head, _common_tail([name.removeprefix(head) for name in names])


def _common_head(names: Sequence[str]) -> str:
    return os.path.commonprefix(names)  # noqa: RUF071 - names, not paths


def _common_tail(names: Sequence[str]) -> str:
    return _common_head([name[::-1] for name in names])[::-1]
