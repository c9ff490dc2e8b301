"""Pictures of predictions: image, truth and each head, with mistakes in colour; and masks as files."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont
from torch import Tensor

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.files import write_png
from unetpp_lib.labels import IGNORED
from unetpp_lib.metrics import classify
from unetpp_lib.models import SegmentationNetwork

CELL = 256  # pixels of each picture's side
CAPTION = 28

# by truth and prediction; colour-blind readers can tell orange and blue apart (Okabe and Ito)
COLOURS = np.array([[[0, 0, 0], [230, 159, 0]], [[0, 114, 178], [255, 255, 255]]], dtype=np.uint8)
# of the classes 0, 1, 2 …: black, then the palette of Okabe and Ito; beyond eight classes see `class_palette`
_OKABE_ITO = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
CLASS_COLOURS = np.array([ImageColor.getrgb(colour) for colour in _OKABE_ITO], dtype=np.uint8)
IGNORED_COLOUR = np.array([160, 160, 160], dtype=np.uint8)  # of ignored pixels
_FONT = ImageFont.load_default(16)

Entry = tuple[str, NDArray[np.uint8]]  # of a legend: a text and its colour


def draw_predictions(
    model: SegmentationNetwork,
    folder: SegmentationFolder,
    names: Sequence[str],
    card: Card,
    runtime: Runtime,
    path: Path,
) -> None:
    """Write a PNG with one row per image of ``names``: image, truth, every head and their mean; below, a legend.

    Each picture keeps its proportions, and labels keep their colours. A copy of ``model`` is placed on the runtime's
    device; ``model`` itself is left as it is.
    """
    model, rows, ignored = runtime.place(deepcopy(model)), [], False
    for name in names:
        image, mask = folder[folder.index_of[name]]
        readings = read_image_heads(model, image, card, runtime)
        cells = {name: _as_shown(image), "truth": _colour(mask, mask, folder.num_classes)}
        for reading, probability in readings.items():
            label = classify(probability, card.threshold)[0]
            cells[reading] = _colour(mask, label, folder.num_classes)
        rows.append(cells)
        ignored |= folder.num_classes > 1 and bool((mask == IGNORED).any())
    write_png(path, _draw_sheet(rows, _legend(card, folder.num_classes, ignored)))


def _draw_sheet(rows: Sequence[dict[str, NDArray[np.uint8]]], entries: Sequence[Entry]) -> Image.Image:
    """Return the cells of all rows under their captions, with the legend below."""
    legend = _lay_out(entries, len(rows[0]) * (CELL + 8))
    bottom = len(rows) * (CELL + CAPTION)
    lines = 1 + max(line for _, line, _ in legend)
    sheet = Image.new("RGB", (len(rows[0]) * (CELL + 8), bottom + lines * CAPTION), "white")
    draw = ImageDraw.Draw(sheet)
    for r, cells in enumerate(rows):
        for c, (caption, pixels) in enumerate(cells.items()):
            left, top = c * (CELL + 8), r * (CELL + CAPTION)
            draw.text((left + 4, top + 5), caption, "black", _FONT)
            sheet.paste(_fit(pixels, smooth=c == 0), (left, top + CAPTION))
    for left, line, (text, colour) in legend:
        top = bottom + line * CAPTION
        draw.rectangle((left, top + 6, left + 16, top + 22), tuple(colour), "black")
        draw.text((left + 22, top + 5), text, "black", _FONT)
    return sheet


def _fit(pixels: NDArray[np.uint8], smooth: bool) -> Image.Image:
    """Return pixels as a picture whose longer side is `CELL`; only an image may be ``smooth``, labels do not mix."""
    picture = Image.fromarray(pixels)
    scale = CELL / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST)


def _legend(card: Card, num_classes: int, ignored: bool) -> list[Entry]:
    """Return what each colour means: right and wrong for one class, else the classes' names."""
    if num_classes == 1:
        here, there = card.classes if len(card.classes) == 2 else Card.classes
        meanings = (here, f"called {there}, is {here}"), (f"called {here}, is {there}", there)
        return [(meanings[t][p], COLOURS[t, p]) for t in (0, 1) for p in (0, 1)]
    names = card.classes if len(card.classes) == num_classes else tuple(map(str, range(num_classes)))
    entries = list(zip(names, class_palette(), strict=False))
    return [*entries, ("ignored", IGNORED_COLOUR)] if ignored else entries


def _lay_out(entries: Sequence[Entry], width: int) -> list[tuple[int, int, Entry]]:
    """Return each entry with its distance from the left and its line."""
    left, line, places = 4, 0, []
    for entry in entries:
        length = 38 + round(_FONT.getlength(entry[0]))
        if left > 4 and left + length > width:
            left, line = 4, line + 1
        places.append((left, line, entry))
        left += length
    return places


def colour_classes(labels: Tensor | NDArray[np.integer]) -> NDArray[np.uint8]:
    """Return class indices, (H, W) or (1, H, W), in colour, (H, W, 3): black for class 0, grey for ignored pixels."""
    colours: NDArray[np.uint8] = class_palette()[np.asarray(labels).reshape(np.shape(labels)[-2:])]
    return colours


def class_palette() -> NDArray[np.uint8]:
    """Return the colours of the classes 0 … 255, (256, 3): `CLASS_COLOURS`, and after the eighth darker ones."""
    rounds, hues = np.divmod(np.arange(255), len(CLASS_COLOURS) - 1)
    shown = CLASS_COLOURS[1:][hues] / (1 + rounds[:, None] / 2)
    palette = np.concatenate([CLASS_COLOURS[:1], shown.astype(np.uint8)])
    palette[IGNORED] = IGNORED_COLOUR
    return palette


def _as_shown(image: Tensor) -> NDArray[np.uint8]:
    """Return an image in [0, 1] as bytes: in colour if it has three channels, else the mean of its channels in grey."""
    pixels = image.permute(1, 2, 0) if len(image) == 3 else image.mean(0)
    return (pixels * 255).round().to(torch.uint8).numpy()


def _colour(truth: Tensor, label: Tensor, num_classes: int) -> NDArray[np.uint8]:
    """Return (H, W, 3) with the mistakes in colour for one class, or the classes in colour for several."""
    if num_classes == 1:
        colours: NDArray[np.uint8] = COLOURS[truth[0].numpy(), label[0].numpy()]
        return colours
    return colour_classes(label)
