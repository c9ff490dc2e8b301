"""What Pillow has opened, as a `Picture`."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from unetpp_lib.data.pixels import Kind, Picture, turn, white_of
from unetpp_lib.errors import InputError

_KINDS: dict[str, Kind] = {"1": "grey", "L": "grey", "LA": "grey", "I": "grey", "F": "grey", "P": "palette"}
_KINDS |= {"PA": "palette", "RGB": "colour", "RGBA": "colour", "CMYK": "inks"}
ORIENTATION = 274  # a tag of EXIF and TIFF


def read_opened(picture: ImageFile) -> Picture:
    """Decode what Pillow has opened."""
    raw_mode = str(picture.tile[0][3]) if picture.tile else ""
    if raw_mode in ("RGB;16B", "RGBA;16B", "LA;16B"):
        values: NDArray[Any] = _load_16_bit_colour(picture, raw_mode)
    else:
        values = np.atleast_3d(np.asarray(picture.convert("RGB") if picture.mode == "YCbCr" else picture))
    mode = {"YCbCr": "RGB", "I;16": "I", "I;16B": "I", "I;16L": "I"}.get(picture.mode, picture.mode)
    if mode not in _KINDS:
        raise InputError(f"{picture.filename!s}: holds colours of the kind {mode}; save it as RGB")
    kind = "grey" if raw_mode == "LA;16B" else _KINDS[mode]
    bits = re.search(r"\bL;([24])", raw_mode)
    white = white_of(values.dtype, int(bits[1]) if bits else 16)
    if bits and white:
        values = values // (255 // white)  # Pillow spreads fewer bits over 8
    orientation = picture.getexif().get(ORIENTATION, 1)
    return Picture(
        turn(values, orientation),
        kind,
        white,
        np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3) if kind == "palette" else None,
        has_alpha=mode.endswith("A"),
        orientation=orientation,
        is_jpeg=picture.format in {"JPEG", "MPO"},
    )


def _load_16_bit_colour(picture: ImageFile, raw_mode: str) -> NDArray[np.uint16]:
    """Return 16-bit colours of a PNG, of which Pillow reads one byte in two: the other one in the other byte order."""
    if raw_mode == "LA;16B":  # both bytes of both bands, as if they were four bands
        picture.tile = [(*picture.tile[0][:3], "RGBA")]  # type: ignore[list-item]
        both = np.asarray(picture).astype(np.uint16)
        high, low = both[..., 0::2], both[..., 1::2]
    else:
        high = np.asarray(picture).astype(np.uint16)
        with Image.open(picture.filename) as again:
            again.tile = [(*again.tile[0][:3], raw_mode.replace("16B", "16L"))]  # type: ignore[list-item]
            low = np.asarray(again)
    return np.left_shift(high, 8) + low
