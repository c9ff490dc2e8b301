"""TIFF files: pages of any type and number of bands, in whatever order and compression they are stored."""

from dataclasses import replace
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, TiffFile, TiffPage

from unetpp_lib.data.pillow_files import ORIENTATION, read_opened
from unetpp_lib.data.pixels import Kind, Page, Picture, turn, white_of
from unetpp_lib.errors import InputError

_KINDS: dict[int, Kind] = {
    PHOTOMETRIC.MINISWHITE: "grey",
    PHOTOMETRIC.MINISBLACK: "grey",
    PHOTOMETRIC.RGB: "colour",
    PHOTOMETRIC.PALETTE: "palette",
    PHOTOMETRIC.SEPARATED: "inks",
    PHOTOMETRIC.YCBCR: "colour",
}
_BANDS = {"grey": 1, "palette": 1, "colour": 3, "inks": 4}  # without transparency
TOO_LARGE = (
    "has too many pixels to be read at once; save it as a TIFF without compression or with numpy.save, which "
    "`unetpp predict` reads area by area"
)

MOST_BANDS = 8  # pages so narrow are the bands of one image

Planes = tuple[tuple[int, ...], ...]
"""For each page the numbers of the planes that are its bands."""


def list_planes(path: Path, channels: int) -> Planes:
    """Return the planes of each page: one, or ``channels`` where more than one is asked for and the file tells them.

    Smaller copies of a page and masks of its transparency are no pages.
    """
    status = path.stat()
    return _list_planes(path, channels, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)  # a stack is listed once, and not again for each of its pages
def _list_planes(path: Path, channels: int, _: int, __: int) -> Planes:
    with TiffFile(path) as file:
        pages = file.pages
        offset = pages.next_page_offset
        file.filehandle.seek(offset or 0)
        if any(file.filehandle.read(file.tiff.offsetsize) or b"cut"):  # where the last page should say that it is
            raise InputError(f"{path}: is cut short after {len(pages)} page(s); copy it anew from where it came")
        if len(file.series) != 1:
            all_pages = enumerate(page.aspage() for page in pages)
            return tuple((n,) for n, page in all_pages if not (page.is_reduced or page.is_mask))
        series, page = file.series[0], pages.first
        _refuse_bands_as_pages(path, series.shape, series.axes)
        parts = [series[n] for n in range(len(series))]
        indices = [part.index for part in parts if part is not None and part.parent is file]
        if len(indices) < len(parts):
            raise InputError(f"{path}: is one of several files that hold an image together; save it as one TIFF")
        # without axes of one place, which may also follow those of the page, as in (H, W, 1)
        known = zip(series.shape, series.axes, strict=True)
        leading = [(size, axis) for size, axis in known if size > 1 or axis in page.axes][: -len(page.axes)]
        sizes, axes = tuple(size for size, _ in leading), "".join(axis for _, axis in leading)
        if len(parts) < prod(sizes):  # they follow each other in what is called a single page
            indices = [*range(prod(sizes))]
        order = np.array(indices).reshape(sizes)
        if channels > 1 and "C" in axes:
            order = np.moveaxis(order, axes.index("C"), -1)
            if order.shape[-1] != channels:
                own = order.shape[-1]
                raise InputError(f"{path}: has {own} channel(s), not {channels}; set channels={own}, or save it again")
        else:
            order = order[..., None]
        return tuple(map(tuple, order.reshape(-1, order.shape[-1]).tolist()))


def _refuse_bands_as_pages(path: Path, shape: tuple[int, ...], axes: str) -> None:
    """Raise InputError for an array (H, W, bands) that tifffile, not told so, has written as H pages (W, bands)."""
    if len(shape) > 2 and axes.endswith("QYX") and shape[-1] <= MOST_BANDS < min(shape[-3:-1]):
        width, bands = shape[-2:]
        raise InputError(
            f"{path}: has {prod(shape[:-2])} pages of {width}×{bands} pixels, as if an array (H, W, {bands}) had been "
            'saved without a word on its bands; save it by tifffile.imwrite(name, array, photometric="minisblack", '
            'planarconfig="contig")'
        )


def read_page(source: Page, channels: int, mapped: bool = False) -> Picture:
    """Return a page of a TIFF, read whole or, with ``mapped``, as an array on disk; errors are those of `decode`."""
    planes = list_planes(source.path, channels)
    if not 0 <= source.number < len(planes):
        raise InputError(f"{source}: cannot be read (it has {len(planes)} page(s), counted from 0)")
    with TiffFile(source.path) as file:
        pictures = [_read_plane(file, number, source, mapped) for number in planes[source.number]]
    if len(pictures) == 1:
        return pictures[0]
    return replace(pictures[0], values=np.concatenate([picture.values for picture in pictures], axis=-1), kind="bands")


def can_be_mapped(path: Path) -> bool:
    """Whether a TIFF is one page whose values lie in the file as they do in memory."""
    with TiffFile(path) as file:
        page = file.pages.first
        needs_work = page.photometric == PHOTOMETRIC.YCBCR or EXTRASAMPLE.ASSOCALPHA in page.extrasamples
        return len(file.pages) == 1 and page.is_final and not needs_work


def is_ambiguous(path: Path, channels: int) -> bool:
    """Whether a TIFF has ``channels`` pages of one band and does not say whether they are slices or channels."""
    if channels == 1:
        return False
    with TiffFile(path) as file:
        (series, *others) = file.series
        return not others and series.shape[:-2] == (channels,) and series.axes[:-2] in ("Q", "I")


def _read_plane(file: TiffFile, number: int, source: Page, mapped: bool) -> Picture:
    page = file.pages[number].aspage() if number < len(file.pages) else file.pages.first
    if page.photometric not in _KINDS or "Z" in page.axes:
        what = "a volume" if "Z" in page.axes else f"colours of the kind {PHOTOMETRIC(page.photometric).name}"
        raise InputError(f"{source}: holds {what} in one page; save it as pages of grey or RGB")
    if not mapped and page.imagewidth * page.imagelength > 2 * (Image.MAX_IMAGE_PIXELS or np.inf):
        raise InputError(f"{source}: {TOO_LARGE}")
    try:
        if mapped or number >= len(file.pages):
            offset = page.dataoffsets[0] + max(0, number - page.index) * page.nbytes
            dtype = np.dtype(page.dtype).newbyteorder(file.byteorder)
            values: NDArray[Any] = np.memmap(source.path, dtype, "r", offset, page.shape)
        elif page.photometric == PHOTOMETRIC.YCBCR:
            raise NotImplementedError("its colours are YCbCr")  # which Pillow turns into RGB
        else:
            values = page.asarray(maxworkers=1)  # the library reads several files at a time, not several parts of one
        picture = _as_picture(page, values)
    except Exception as error:
        if mapped:
            raise
        picture = _read_with_pillow(page, source, error)
    orientation = int(page.tags.valueof(ORIENTATION, default=1))
    return replace(
        picture,
        white=white_of(picture.values.dtype, page.bitspersample),
        inverted=page.photometric == PHOTOMETRIC.MINISWHITE,
        keeps_labels=file.is_imagej or file.pages.first.software.startswith("tifffile"),
        orientation=orientation,
        is_jpeg=page.compression in (COMPRESSION.OJPEG, COMPRESSION.JPEG),
    )


def _as_picture(page: TiffPage, values: NDArray[Any]) -> Picture:
    """Say what the values of a page stand for: (H, W), (H, W, bands) or (bands, H, W)."""
    values = np.moveaxis(values, 0, -1) if page.axes[0] == "S" else values.reshape(*values.shape[:2], -1)
    has_alpha = page.extrasamples[-1:] in ((EXTRASAMPLE.ASSOCALPHA,), (EXTRASAMPLE.UNASSALPHA,))
    kind = _KINDS[page.photometric]
    if values.shape[-1] - has_alpha != _BANDS[kind]:
        kind = "bands"
    palette = None
    if page.colormap is not None:
        palette = (page.colormap.T // (256 if page.colormap.max() > 255 else 1)).astype(np.uint8)
    if EXTRASAMPLE.ASSOCALPHA in page.extrasamples:  # its colours were multiplied by it
        alpha, white = values[..., -1:], white_of(values.dtype) or 1
        colours = np.divide(
            values[..., :-1] * float(white), alpha, where=alpha > 0, out=np.zeros(values[..., :-1].shape)
        )
        values = np.concatenate([colours.clip(0, white).round().astype(values.dtype), alpha], axis=-1)
    return Picture(turn(values, page.tags.valueof(ORIENTATION, default=1)), kind, None, palette, has_alpha)


def _read_with_pillow(page: TiffPage, source: Page, error: Exception) -> Picture:
    """Read what tifffile cannot read without the package imagecodecs: LZW, JPEG, packbits, samples of 2, 4, 12 bits."""
    try:
        with Image.open(source.path, formats=("TIFF",)) as opened:
            opened.seek(page.index)
            picture = read_opened(opened)
    except UnidentifiedImageError:
        picture = Picture(np.empty((0, 0, 0)))
    except OSError as second:  # a codec that Pillow was built without, or a damaged file
        if "imagecodecs" not in str(error):
            raise
        remedy = "if the file is whole, save it without compression, or: pip install imagecodecs; else copy it anew"
        raise InputError(f"{source}: cannot be read ({error}; by Pillow: {second}); {remedy}") from error
    values = picture.values
    if values.shape[-1] != page.samplesperpixel or 8 * values.itemsize < page.bitspersample:
        remedy = "save it without compression, or: pip install imagecodecs"
        raise InputError(f"{source}: cannot be read ({error}); {remedy}") from error
    if page.photometric == PHOTOMETRIC.MINISWHITE and values.dtype.kind == "b":
        values = ~values  # Pillow has turned white to 1
    elif page.photometric == PHOTOMETRIC.MINISWHITE and values.dtype == np.uint8:
        values = (picture.white or 255) - values
    return replace(picture, values=values)
