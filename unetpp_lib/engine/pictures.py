"""Pictures of what a network says: image, truth and each head, with the mistakes in colour; masks as files."""

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
from unetpp_lib.metrics import classify
from unetpp_lib.models import SegmentationNetwork

CELL = 256  # pixels of each picture's side
CAPTION = 28

# by truth and prediction; orange and blue are told apart by colour-blind eyes too (Okabe and Ito)
COLOURS = np.array([[[0, 0, 0], [230, 159, 0]], [[0, 114, 178], [255, 255, 255]]], dtype=np.uint8)
# of the classes 0, 1, 2 …: black, then the palette of Okabe and Ito; beyond eight classes they begin again
_OKABE_ITO = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
CLASS_COLOURS = np.array([ImageColor.getrgb(colour) for colour in _OKABE_ITO], dtype=np.uint8)
IGNORED_COLOUR = np.array([160, 160, 160], dtype=np.uint8)  # of 255, where neither loss nor score looks

LEGEND = "white, black: right (foreground, background)   orange: called foreground, is background   blue: the reverse"


def draw_predictions(
    model: SegmentationNetwork,
    folder: SegmentationFolder,
    names: Sequence[str],
    card: Card,
    runtime: Runtime,
    path: Path,
) -> None:
    """Write a PNG with a row for each image of ``names``: image, truth, every head and their mean.

    A copy of ``model`` is placed on the runtime's device; ``model`` itself is left as it is.
    """
    model, rows = runtime.place(deepcopy(model)), []
    for name in names:
        image, mask = folder[folder.index_of[name]]
        readings = read_image_heads(model, image, card, runtime)
        cells = {name: _as_shown(image), "truth": _colour(mask, mask, folder.num_classes)}
        for reading, probability in readings.items():
            label = classify(probability, card.threshold)[0]
            cells[reading] = _colour(mask, label, folder.num_classes)
        rows.append(cells)
    sheet = Image.new("RGB", (len(rows[0]) * (CELL + 8), len(rows) * (CELL + CAPTION) + CAPTION), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    for r, cells in enumerate(rows):
        for c, (caption, pixels) in enumerate(cells.items()):
            left, top = c * (CELL + 8), r * (CELL + CAPTION)
            draw.text((left + 4, top + 5), caption, "black", font)
            sheet.paste(Image.fromarray(pixels).resize((CELL, CELL)), (left, top + CAPTION))
    if folder.num_classes == 1:
        draw.text((4, sheet.height - CAPTION + 5), LEGEND, "black", font)
    write_png(path, sheet)


def colour_classes(labels: Tensor | NDArray[np.integer]) -> NDArray[np.uint8]:
    """Return class indices, (H, W) or (1, H, W), in colour, (H, W, 3): black for 0, grey where 255 is ignored."""
    classes = np.asarray(labels).reshape(np.shape(labels)[-2:])
    colours = CLASS_COLOURS[classes % len(CLASS_COLOURS)]
    return np.where((classes == 255)[..., None], IGNORED_COLOUR, colours)


def _as_shown(image: Tensor) -> NDArray[np.uint8]:
    """Return an image in [0, 1] in its colours where it has three channels, else as the mean of them, in grey."""
    pixels = image.permute(1, 2, 0) if len(image) == 3 else image.mean(0)
    return (pixels * 255).round().to(torch.uint8).numpy()


def _colour(truth: Tensor, label: Tensor, num_classes: int) -> NDArray[np.uint8]:
    """Return (H, W, 3) with the mistakes in colour for one class, the classes in colour for several."""
    if num_classes == 1:
        colours: NDArray[np.uint8] = COLOURS[truth[0].numpy(), label[0].numpy()]
        return colours
    return colour_classes(label)
