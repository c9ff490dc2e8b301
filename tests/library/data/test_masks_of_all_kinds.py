"""Masks as people bring them: for each kind of file the classes that are right, or the words that say what is wrong."""
# ruff: noqa: E501 - tables, one case a line

import numpy as np
import pytest
import torch
from file_samples import (
    ALPHA,
    BANDS,
    CLASSES,
    COLOUR,
    GREY,
    INKS,
    MASK,
    TURNS,
    WIDE,
    H,
    W,
    own_png,
    palette,
    pillow,
    tiff,
    with_exif,
    write,
)
from PIL import Image

from unetpp_lib.data import read_mask
from unetpp_lib.errors import InputError

ALIKE = [[0, 0, 0], [0, 0, 0]]
BLACK, RED, BLUE, WHITE, YELLOW = [0, 0, 0], [255, 0, 0], [0, 0, 255], [255, 255, 255], [255, 255, 0]
SOME = MASK * 3
OF_255 = MASK * 255
MASKS = {  # recipe, classes, the mask (H, W)
    "bool by tifffile": (tiff(MASK > 0), 1, MASK),
    "bool by tifffile, 2 classes": (tiff(MASK > 0), 2, MASK),
    "0 is white, 8 bit, by tifffile": (tiff(OF_255, photometric="miniswhite"), 1, MASK),
    "0 is white, 16 bit, by tifffile": (tiff(WIDE // 32768 * 7, photometric="miniswhite"), 1, WIDE // 32768),
    "0 is white, classes, by tifffile": (tiff(CLASSES, photometric="miniswhite"), 4, CLASSES),
    "0 is white, ImageJ": (tiff(OF_255, photometric="miniswhite", imagej=True, software=""), 1, MASK),
    "0 is white, 1 bit, by Pillow": (pillow(MASK > 0, "a.tif", tiffinfo={262: 0}), 1, MASK),
    "0 is white, 8 bit, by Pillow": (pillow(OF_255, "a.tif", tiffinfo={262: 0}), 1, MASK),
    "0 is white, classes, by Pillow": (pillow(CLASSES, "a.tif", tiffinfo={262: 0}), 4, CLASSES),
    "0 is white, LZW, by Pillow": (pillow(OF_255, "a.tif", tiffinfo={262: 0}, compression="tiff_lzw"), 1, MASK),
    "0 is white, fax, by Pillow": (pillow(MASK > 0, "a.tif", tiffinfo={262: 0}, compression="group4"), 1, MASK),
    "0 is white, 16 bit, by others": (tiff(65535 - MASK.astype("u2"), photometric="miniswhite", software="x"), 1, MASK),
    "fax": (pillow(MASK > 0, "a.tif", compression="group4"), 1, MASK),
    "1 bit": (pillow(MASK > 0, "a.png"), 1, MASK),
    "1 bit, 2 classes": (pillow(MASK > 0, "a.png"), 2, MASK),
    "2 bit": (own_png(SOME, 2), 1, MASK),
    "2 bit, classes": (own_png(GREY % 4, 2), 4, GREY % 4),
    "4 bit, classes": (own_png(GREY % 16, 4), 16, GREY % 16),
    "8 bit, 255": (pillow(OF_255, "a.png"), 1, MASK),
    "8 bit, 1": (tiff(MASK), 1, MASK),
    "8 bit, classes and ignored": (pillow(CLASSES, "a.png"), 4, CLASSES),
    "16 bit": (pillow(MASK.astype("u2") * 65535, "a.png"), 1, MASK),
    "16 bit, classes": (tiff(CLASSES.astype("u2"), byteorder=">"), 4, CLASSES),
    "32 bit": (tiff(MASK.astype("i4")), 1, MASK),
    "32 bit, classes": (tiff(CLASSES.astype("u4")), 4, CLASSES),
    "64 bit, classes": (tiff(CLASSES.astype("i8")), 4, CLASSES),
    "float32": (tiff(MASK.astype("f4")), 1, MASK),
    "float64, classes": (tiff(CLASSES.astype("f8")), 4, CLASSES),
    "deflate": (tiff(CLASSES, compression="zlib", tile=(16, 16)), 4, CLASSES),
    "LZW": (pillow(CLASSES, "a.tif", compression="tiff_lzw"), 4, CLASSES),
    "grey as RGB": (pillow(np.dstack([CLASSES] * 3), "a.png"), 4, CLASSES),
    "grey as RGBA, opaque": (pillow(np.dstack([OF_255] * 3 + [np.full_like(MASK, 255)]), "a.png"), 1, MASK),
    "grey as RGBA, transparent where black": (pillow(np.dstack([OF_255] * 4), "a.png"), 1, MASK),
    "grey and alpha": (pillow(Image.fromarray(np.dstack([OF_255, ALPHA[..., 0]]), "LA"), "a.png"), 1, MASK),
    "palette, black and white": (palette(MASK, [BLACK, WHITE]), 1, MASK),
    "palette, white and black": (palette(1 - MASK, [WHITE, BLACK]), 1, MASK),
    "palette, black and red": (palette(MASK, [BLACK, RED]), 1, MASK),
    "palette, red and black": (palette(1 - MASK, [RED, BLACK]), 1, MASK),
    "palette, yellow and blue": (palette(1 - MASK, [YELLOW, BLUE]), 1, MASK),
    "palette, blue and yellow": (palette(MASK, [BLUE, YELLOW]), 1, MASK),
    "palette, three of which two are used": (palette(MASK * 2, [BLACK, RED, BLUE]), 1, MASK),
    "palette, TIFF, red and black": (palette(1 - MASK, [RED, BLACK], "a.tif"), 1, MASK),
    "palette, TIFF, LZW": (palette(1 - MASK, [RED, BLACK], "a.tif", compression="tiff_lzw"), 1, MASK),
    "palette, background alone": (palette(MASK * 0, [BLACK, RED]), 1, MASK * 0),
    "palette, background alone, at 1": (palette(MASK * 0 + 1, [RED, BLACK]), 1, MASK * 0),
    "palette, foreground alone": (palette(MASK * 0, [RED, BLACK]), 1, MASK * 0 + 1),
    "palette, classes": (palette(CLASSES % 4, [RED, BLACK, BLUE, WHITE]), 4, CLASSES % 4),
    "palette, 2 classes, red and black": (palette(MASK, [RED, BLACK]), 2, MASK),
    "palette, black is transparent": (palette(MASK, [BLACK, RED], transparency=0), 1, MASK),
    "GIF under another name": (pillow(OF_255, "a.png", format="GIF"), 1, MASK),
    **{
        f"turned, EXIF {number}": (with_exif(OF_255, number, name), 1, turned(MASK))
        for number, turned in TURNS.items()
        for name in ("a.png", "a.tif")
    },
}  # fmt: skip


@pytest.mark.parametrize(("recipe", "num_classes", "expected"), MASKS.values(), ids=MASKS.keys())
def test_a_mask_is_read_as_it_is_meant(tmp_path, recipe, num_classes, expected):
    mask = read_mask(write(recipe, tmp_path), num_classes)
    np.testing.assert_array_equal(mask, expected[None])
    assert mask.dtype == torch.uint8


GREYS_ONLY = "save a grey or palette PNG whose values are the classes"
NO_CLASSES = r"values that are no classes \(below 0, NaN, infinite or complex\); save whole numbers from 0"
REFUSED_MASKS = {  # recipe, classes, words of the message
    "JPEG": (pillow(OF_255, "a.jpg"), 1, "is JPEG, which blurs labels; export the mask anew as PNG"),
    "JPEG that is called PNG": (pillow(OF_255, "a.png", format="JPEG"), 1, "is JPEG"),
    "JPEG in a TIFF": (pillow(OF_255, "a.tif", compression="jpeg"), 1, "is JPEG"),
    "content in alpha, black": (pillow(np.dstack([MASK * 0] * 3 + [OF_255]), "a.png"), 1, "has one colour everywhere, and its content in the transparency .*; flatten it"),
    "content in alpha, white": (pillow(np.dstack([MASK * 0 + 255] * 3 + [OF_255]), "a.png"), 1, "flatten it"),
    "content in alpha, grey": (pillow(Image.fromarray(np.dstack([MASK * 0, OF_255]), "LA"), "a.png"), 1, "flatten it"),
    "content in alpha, TIFF": (tiff(np.dstack([MASK * 0] * 3 + [OF_255])), 1, "flatten it"),
    "content in alpha, classes": (pillow(np.dstack([MASK * 0] * 3 + [OF_255]), "a.png"), 3, "flatten it"),
    "content in alpha, 16 bit": (own_png(np.dstack([MASK * 0] * 3 + [OF_255]).astype("u2"), 16, 6), 1, "flatten it"),
    "palette of one colour": (palette(MASK, ALIKE), 1, "indices of the palette that look alike; flatten it"),
    "16-bit RGB": (own_png(np.dstack([MASK] * 3).astype("u2"), 16, 2), 1, "is 16-bit colour; " + GREYS_ONLY),
    "16-bit RGBA": (own_png(np.dstack([MASK] * 4).astype("u2"), 16, 6), 3, "is 16-bit colour; " + GREYS_ONLY),
    "16-bit RGB TIFF": (tiff(np.dstack([MASK] * 3).astype("u2"), photometric="rgb"), 1, "is 16-bit colour; " + GREYS_ONLY),
    "coloured": (pillow(COLOUR, "a.png"), 1, "is coloured; " + GREYS_ONLY),
    "coloured, black and red": (pillow(np.dstack([OF_255, MASK * 0, MASK * 0]), "a.png"), 1, "is coloured; " + GREYS_ONLY),
    "CMYK": (tiff(INKS, photometric="separated"), 1, "is coloured; " + GREYS_ONLY),
    "5 bands": (tiff(BANDS, photometric="minisblack", planarconfig="contig"), 1, "has 5 bands; " + GREYS_ONLY),
    "JPEG's values": (pillow(GREY, "a.png"), 1, "holds 256 distinct values .* resampling or JPEG compression: threshold the mask"),
    "instances": (pillow((MASK * 3 + CLASSES % 3).astype("u2"), "a.png"), 1, r"holds \d distinct values .* labels that count objects \(instances\) become a binary mask by mask > 0"),
    "instances, 32 bit": (tiff((np.arange(H * W) // 100).reshape(H, W).astype("i4")), 1, r"holds 23 distinct values \(0, 1, 2, 3, 4 … 22\).* mask > 0"),
    "instances for classes": (tiff((np.arange(H * W) // 100).reshape(H, W).astype("i4")), 3, "holds 3, 4, 5, 6, 7 … 22, but 3 classes are 0 … 2.* mask > 0, with num_classes=1"),
    "ignored in a binary mask": (pillow(np.where(CLASSES == 255, 255, MASK).astype("u1"), "a.png"), 1, "with 255 for ignored pixels"),
    "classes 1 … C": (pillow(CLASSES % 3 + 1, "a.png"), 3, "holds 3, but 3 classes are 0 … 2, .*if the labels are 1 … 3, subtract 1"),
    "greys for classes": (pillow(np.array([0, 128, 255], np.uint8)[CLASSES % 3], "a.png"), 3, "holds 128, but 3 classes are .*if 0, 128, 255 are grey levels for classes, relabel them as 0, 1, 2"),
    "palette of three for one": (palette(CLASSES % 3, [BLACK, RED, BLUE]), 1, r"holds 3 distinct values \(0, 1, 2\)"),
    "NaN": (tiff(np.where(MASK, np.nan, 0)), 1, NO_CLASSES),
    "NaN, classes": (tiff(np.where(MASK, np.nan, 0)), 2, NO_CLASSES),
    "infinity": (tiff(np.where(MASK, np.inf, 0)), 1, NO_CLASSES),
    "negative": (tiff(-MASK.astype("i2")), 1, "holds int16 with " + NO_CLASSES),
    "negative, classes": (tiff(MASK.astype("i4") - 1), 2, "holds int32 with " + NO_CLASSES),
    "complex": (tiff(MASK.astype("c8")), 1, "holds complex64 with " + NO_CLASSES),
    "halves": (tiff(MASK / 2 + MASK * (np.arange(W) > 20)), 1, "holds 3 distinct values"),
    "halves, classes": (tiff(MASK / 2), 2, "holds 0.5, but 2 classes are 0 … 1"),
}  # fmt: skip


@pytest.mark.parametrize("num_classes", [-1, 0, 256])
def test_impossible_numbers_of_classes_are_refused(tmp_path, num_classes):
    with pytest.raises(InputError, match=f"num_classes is {num_classes}; give 1"):
        read_mask(write(pillow(MASK, "a.png"), tmp_path), num_classes)


@pytest.mark.parametrize(("recipe", "num_classes", "words"), REFUSED_MASKS.values(), ids=REFUSED_MASKS.keys())
def test_a_mask_that_cannot_be_read_rightly_is_refused(tmp_path, recipe, num_classes, words):
    path = write(recipe, tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        read_mask(path, num_classes)
    assert str(caught.value).startswith(str(path))
