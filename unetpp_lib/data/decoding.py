"""From a file to a `Picture`, by content and not by suffix: TIFF by tifffile, other kinds by Pillow."""

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from unetpp_lib.data.pillow_files import read_opened
from unetpp_lib.data.pixels import Page, Picture
from unetpp_lib.data.tiff_files import TOO_LARGE, read_page
from unetpp_lib.errors import InputError

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # how a TIFF, or a BigTIFF, begins


def is_tiff(path: Path) -> bool:
    """Whether a file is a TIFF by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) in _TIFF


def decode(source: Page, channels: int = 1) -> Picture:
    """Return a page, fully decoded and turned as a viewer shows it; InputError, naming the file, where that fails.

    Planes that the file calls channels are bands of one page where there are ``channels`` of them, else pages.
    """
    try:
        if is_tiff(source.path):
            return read_page(source, channels)
        with Image.open(source.path, formats=_FORMATS) as opened:
            opened.seek(source.number)
            return read_opened(opened)
    except InputError:
        raise
    except IsADirectoryError as error:
        raise InputError(f"{source}: is a folder; give one of its images") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{source}: {_what_it_is(source.path)}") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{source}: {TOO_LARGE}") from error
    except Exception as error:  # decoders raise nearly anything on broken files
        raise InputError(f"{source}: cannot be read ({error}); copy it anew from where it came") from error


def _what_it_is(path: Path) -> str:
    """Say what a file is that is no image, and what to do."""
    with path.open("rb") as file:
        head = file.read(512)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "is no image but an empty file (0 bytes); copy it anew from where it came"
    if start.startswith(b"version https://git-lfs"):
        return "is no image but a Git LFS pointer to one; run: git lfs pull"
    if start.startswith((b"<!doctype html", b"<html")):
        return "is no image but a web page (HTML); download the image itself"
    if not set(head) & set(range(32)) - set(b"\t\r\n"):  # no control characters
        return "is no image but text; copy the image itself anew from where it came"
    return "is no image that can be read, or a damaged one; save it as PNG with 8 or 16 bit"
