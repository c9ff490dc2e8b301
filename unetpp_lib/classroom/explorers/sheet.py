"""Pictures set out on one sheet, each under its caption: many times quicker than a figure, to follow a control."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from unetpp_lib.classroom.figures import coarse

SIDE = 256  # pixels of the shorter side of a picture in a row at least
GAP, CAPTION = 8, 22  # white pixels between two pictures, and above each
LETTERS = 15

Picture = NDArray[np.uint8]


def grey(values: Tensor | NDArray[Any]) -> Picture:
    """Return values (H, W), of which those from 0 to 1 are seen, as a picture (H, W, 3) of few greys."""
    greys = np.rint(255 * coarse(np.asarray(values).clip(0, 1))).astype(np.uint8)
    return np.repeat(greys[..., None], 3, axis=-1)


def beside(pictures: Mapping[str, Picture]) -> Image.Image:
    """Return pictures (H, W, 3) of one size side by side under their captions; small ones are enlarged."""
    height, width = next(iter(pictures.values())).shape[:2]
    times = -(-SIDE // min(height, width))
    large = {caption: picture.repeat(times, 0).repeat(times, 1) for caption, picture in pictures.items()}
    return set_out({(0, column): item for column, item in enumerate(large.items())})


def set_out(items: Mapping[tuple[int, float], tuple[str, Picture]]) -> Image.Image:
    """Return captions and their pictures (H, W, 3), all of one size, in rows and columns; halves of columns too."""
    height, width = next(iter(items.values()))[1].shape[:2]
    rows, columns = (1 + max(place) for place in zip(*items, strict=True))
    size = round(columns * (width + GAP)) - GAP, round(rows) * (height + CAPTION)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTERS)
    for (row, column), (caption, picture) in items.items():
        left, top = round(column * (width + GAP)), row * (height + CAPTION) + CAPTION
        draw.text((left + 1, top - CAPTION + 2), caption, "black", font)
        sheet.paste(Image.fromarray(picture), (left, top))
        # a white mask on a white page needs its frame
        draw.rectangle((left, top, left + width - 1, top + height - 1), outline="grey")
    return sheet
