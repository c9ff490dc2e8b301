"""Classes have colours of their own, and pictures of predictions keep them."""

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import Card, choose_runtime
from unetpp_lib.engine.pictures import (
    CAPTION,
    CELL,
    CLASS_COLOURS,
    COLOURS,
    IGNORED_COLOUR,
    class_palette,
    colour_classes,
    draw_predictions,
)
from unetpp_lib.models import UNet


def test_each_class_has_its_colour_and_what_is_ignored_is_grey():
    labels = torch.tensor([[[0, 1], [2, 255]]], dtype=torch.uint8)
    colours = colour_classes(labels)
    assert colours.shape == (2, 2, 3)
    assert np.array_equal(colours.reshape(4, 3), [*CLASS_COLOURS[:3], IGNORED_COLOUR])
    assert np.array_equal(colours, colour_classes(labels[0].numpy()))
    assert len({tuple(colour) for colour in (*CLASS_COLOURS, IGNORED_COLOUR)}) == len(CLASS_COLOURS) + 1


def test_the_ninth_class_is_not_drawn_as_the_first():
    colours = colour_classes(np.arange(20)[None])
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 20


def drawn(root, size, num_classes):
    """Return the picture of predictions for one image of noise, whose mask is noise as well."""
    random = np.random.default_rng(0)
    values = np.array([0, 255] if num_classes == 1 else [*range(num_classes), 255], np.uint8)
    for part, pixels in (("images", random.integers(0, 256, size)), ("masks", random.choice(values, size))):
        (root / part).mkdir()
        Image.fromarray(pixels.astype(np.uint8)).save(root / part / "a.png")
    torch.manual_seed(0)
    card = Card(classes=tuple(f"class of number {label}" for label in range(max(2, num_classes))))
    folder = SegmentationFolder(root, num_classes=num_classes)
    model = UNet(num_classes=num_classes, widths=(4, 6)).eval()
    draw_predictions(model, folder, folder.names, card, choose_runtime("cpu", "float32"), root / "drawn.png")
    return np.asarray(Image.open(root / "drawn.png").convert("RGB")), folder[0]


@pytest.mark.parametrize("size", [(64, 128), (128, 32), (64, 64), (32, 512)])
@pytest.mark.parametrize("num_classes", [1, 3])
def test_pictures_keep_proportions_and_the_colours_of_labels(tmp_path, size, num_classes):
    sheet, (_, mask) = drawn(tmp_path, size, num_classes)
    scale = CELL / max(size)
    height, width = (round(side * scale) for side in size)
    cells = [sheet[CAPTION:][:CELL, left : left + CELL + 8] for left in range(0, sheet.shape[1], CELL + 8)]
    assert len(cells) == 3  # image, truth, the only head
    for cell in cells:
        assert (cell[height:] == 255).all()
        assert (cell[:, width:] == 255).all()
    truth = cells[1][:height, :width]
    rows, columns = (((np.arange(round(side * scale)) + 0.5) / scale).astype(int) for side in size)
    labels = mask[0].numpy()[rows][:, columns]
    expected = COLOURS[labels, labels] if num_classes == 1 else colour_classes(labels)
    assert np.array_equal(truth, expected)
    allowed = {tuple(colour) for colour in (*COLOURS.reshape(-1, 3), *CLASS_COLOURS, IGNORED_COLOUR)}
    assert {tuple(colour) for colour in cells[2][:height, :width].reshape(-1, 3)} <= allowed


@pytest.mark.parametrize("num_classes", [1, 3, 20])
def test_a_legend_shows_the_colour_of_every_class(tmp_path, num_classes):
    sheet, _ = drawn(tmp_path, (64, 64), num_classes)
    legend = {tuple(colour) for colour in sheet[CELL + CAPTION :].reshape(-1, 3)}
    wanted = COLOURS.reshape(-1, 3) if num_classes == 1 else [*class_palette()[:num_classes], IGNORED_COLOUR]
    assert {tuple(colour) for colour in wanted} <= legend
    assert (sheet[:, -1] == 255).all()  # nothing runs over the edge
