"""A picture of what a network says: image, truth and each head, with the mistakes in colour."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.engine.weights import Card
from unetpp_lib.files import write_png
from unetpp_lib.metrics import classify
from unetpp_lib.models import SegmentationNetwork

CELL = 256  # pixels of each picture's side
CAPTION = 28

# by truth and prediction; orange and blue are told apart by colour-blind eyes too (Okabe and Ito)
COLOURS = np.array([[[0, 0, 0], [230, 159, 0]], [[0, 114, 178], [255, 255, 255]]], dtype=np.uint8)
LEGEND = "white, black: right (foreground, background)   orange: called foreground, is background   blue: the reverse"


def draw_predictions(
    model: SegmentationNetwork,
    folder: SegmentationFolder,
    names: Sequence[str],
    card: Card,
    runtime: Runtime,
    path: Path,
) -> None:
    """Write a PNG with a row for each image of ``names``: image, truth, every head and their mean."""
    rows = []
    for name in names:
        image, mask = folder[folder.index_of[name]]
        readings = read_image_heads(model, image, card, runtime)
        cells = {name: _as_grey(image), "truth": _colour(mask, mask, folder.num_classes)}
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


def _as_grey(image: Tensor) -> NDArray[np.uint8]:
    return (image.mean(0) * 255).round().to(torch.uint8).numpy()


def _colour(truth: Tensor, label: Tensor, num_classes: int) -> NDArray[np.uint8]:
    """Return (H, W, 3) with the mistakes in colour for one class, (H, W) greys for several."""
    if num_classes == 1:
        colours: NDArray[np.uint8] = COLOURS[truth[0].numpy(), label[0].numpy()]
        return colours
    return (label[0].float() * 255 / (num_classes - 1)).clamp(max=255).to(torch.uint8).numpy()
