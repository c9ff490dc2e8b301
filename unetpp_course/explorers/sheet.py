"""Pictures with captions on one sheet, drawn many times faster than a figure, to keep up with a control."""

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import get_data_path
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont
from torch import Tensor

from unetpp_course.figures import GREYS, coarse
from unetpp_course.graph_drawing import QUIET, QUIET_TEXT
from unetpp_course.style import LINE_COLOURS, MISTAKES

SIDE = 256  # pixels: smaller pictures are enlarged until their shorter side has at least this length
GAP, CAPTION = 8, 22  # pixels between two pictures, and above each of them
LETTERS = 14
HIGHLIGHT = "#FBE9C6"  # behind the chosen row of a table
RED = "#FF0000"  # of a cross that marks a pixel
# of neighbouring cells: tints of Okabe and Ito's colours on which black membranes stand out; of all such sets, this is
# the one that colour-blind readers tell apart best
LIGHT = ("#EEBC4C", "#C4E5F7", "#FAF6BD", "#4CBB9D", "#2687BE", "#DB7626")
OVERLAY = 0.55  # opacity of a colour that lies on a grey picture

Picture = NDArray[np.uint8]


@cache
def font(size: int, kind: str = "") -> ImageFont.FreeTypeFont:
    """Return the font DejaVu Sans, or with "Mono" its monospaced variant, laid out alike on every machine."""
    path = Path(get_data_path(), "fonts", "ttf", f"DejaVuSans{kind}.ttf")  # matplotlib's own, not the system's
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)  # Raqm works only where FriBiDi is


def grey(values: Tensor | NDArray[Any]) -> Picture:
    """Return values (H, W), clipped to [0, 1], as a picture (H, W, 3) of few greys."""
    greys = np.rint(255 * coarse(np.asarray(values).clip(0, 1))).astype(np.uint8)
    return np.repeat(greys[..., None], 3, axis=-1)


def beside(pictures: Mapping[str, Picture]) -> Image.Image:
    """Return pictures (H, W, 3) of one size side by side below their captions; small ones are enlarged."""
    height, width = next(iter(pictures.values())).shape[:2]
    times = -(-SIDE // min(height, width))
    large = {caption: picture.repeat(times, 0).repeat(times, 1) for caption, picture in pictures.items()}
    return arrange({(column, 0): item for column, item in enumerate(large.items())})


def arrange(items: Mapping[tuple[float, int], tuple[str, Picture]]) -> Image.Image:
    """Return one sheet of pictures (H, W, 3) of one size with their captions, by (column, row); columns may be halves.

    The first column and row are 0.
    """
    height, width = next(iter(items.values()))[1].shape[:2]
    columns, rows = (1 + max(numbers) for numbers in zip(*items, strict=True))
    size = round(columns * (width + GAP)) - GAP, round(rows) * (height + CAPTION)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for (column, row), (caption, picture) in items.items():
        left, top = round(column * (width + GAP)), row * (height + CAPTION) + CAPTION
        draw.text((left + 1, top - CAPTION + 2), caption, "black", font(LETTERS))
        sheet.paste(Image.fromarray(picture), (left, top))
        # a white mask on a white page needs its frame
        draw.rectangle((left, top, left + width - 1, top + height - 1), outline="grey")
    return sheet


@cache
def palette() -> Image.Image:
    """Return the palette of all sheets: the colours of the course, greys, and tints and shades of these colours."""
    named = (*MISTAKES.values(), *LINE_COLOURS, *LIGHT, RED, QUIET, QUIET_TEXT, HIGHLIGHT)
    exact = [np.array(ImageColor.getrgb(colour), float) for colour in named]
    orange = exact[list(MISTAKES.values()).index(MISTAKES["membrane called interior"])]
    between = [np.full(3, level) for level in np.linspace(0, 255, 4 * GREYS + 1)]
    between += [(1 - OVERLAY) * 255 * k / GREYS + OVERLAY * orange for k in range(GREYS + 1)]
    for colour in exact:
        between += [255 + share * (colour - 255) for share in np.linspace(0.2, 0.8, 4)]
        between += [share * colour for share in (0.33, 0.66)]
    # Pillow confuses colours within eight levels of each other: none may be that close to an exact one
    apart = [tone for tone in between if min(np.abs(tone - colour).max() for colour in exact) > 8]
    holder = Image.new("P", (1, 1))
    holder.putpalette(np.rint([*exact, *apart]).astype(np.uint8).flatten().tolist())
    return holder


def mark(draw: ImageDraw.ImageDraw, x: float, y: float, arm: int = 7) -> None:
    """Draw a red cross with a white rim, which is visible on any grey, also to colour-blind readers."""
    for colour, width, reach in (("white", 5, arm + 2), (RED, 2, arm)):
        draw.line((x - reach, y, x + reach, y), colour, width)
        draw.line((x, y - reach, x, y + reach), colour, width)


def png(sheet: Image.Image) -> bytes:
    """Return a sheet as the bytes of a small PNG file, fast, because it is sent to the browser at every change."""
    buffer = io.BytesIO()
    sheet.quantize(palette=palette(), dither=Image.Dither.NONE).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
