"""What people bring: for each kind of file the values that are right, or the words that say what is wrong with it."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from tifffile import imwrite

from unetpp_lib.data import LargeImage, SegmentationFolder, count_pages, is_large, large, read_image, read_mask
from unetpp_lib.errors import InputError

H, W = 40, 56
RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (H, W)).astype(np.uint8)
WIDE = RANDOM.integers(0, 65536, (H, W)).astype(np.uint16)
COLOUR = RANDOM.integers(0, 256, (H, W, 3)).astype(np.uint8)
WIDE_COLOUR = RANDOM.integers(0, 65536, (H, W, 3)).astype(np.uint16)
BANDS = RANDOM.integers(0, 65536, (H, W, 5)).astype(np.uint16)
ALPHA = RANDOM.integers(0, 256, (H, W, 1)).astype(np.uint8)
MASK = np.zeros((H, W), np.uint8)
MASK[5:20, 10:30] = 1  # 13.4 %
CLASSES = MASK + 2 * (np.arange(W) > 40)[None].astype(np.uint8).repeat(H, 0)  # 0, 1, 2
CLASSES[30:] = 255


def png(path, values, bits, colour_type=0):
    """Write a PNG of any depth: Pillow writes neither 2 and 4 bits of grey nor 16 bits of colour."""
    rows = values.reshape(H, -1)
    if bits == 16:
        rows = rows.astype(">u2").view(np.uint8)
    elif bits < 8:
        rows = np.packbits(np.unpackbits(rows[..., None], axis=-1)[..., -bits:].reshape(H, -1), axis=1)
    step = max(1, values[0, 0].size * bits // 8)
    lines, above = [], np.zeros_like(rows[0])
    for number, row in enumerate(rows):  # with filter 0 (none), 1 (what is left) or 2 (what is above)
        left = np.concatenate([np.zeros(step, np.uint8), row[:-step]])
        lines.append(bytes([number % 3]) + (row - [np.zeros_like(row), left, above][number % 3]).tobytes())
        above = row
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", W, H, bits, colour_type, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b"")]
    parts = [struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def pillow(values, name, mode=None, **options):
    """Return a recipe: Pillow saves the values under the name."""

    def write(path):
        picture = values if isinstance(values, Image.Image) else Image.fromarray(values)
        (picture.convert(mode) if mode else picture).save(path, **options)

    return name, write


def tiff(values, **options):
    """Return a recipe: tifffile saves the values."""
    return "a.tif", lambda path: imwrite(path, values, **options)


def own_png(values, bits, colour_type=0):
    return "a.png", lambda path: png(path, values, bits, colour_type)


def palette(indices, colours, name="a.png", **options):
    picture = Image.fromarray(indices)
    picture.putpalette(np.array(colours, np.uint8).tobytes())
    return pillow(picture, name, **options)


def with_exif(values, number, name):
    exif = Image.Exif()
    exif[274] = number
    return pillow(values, name, exif=exif, **({"quality": 100} if name.endswith("jpg") else {}))


def chw(values):
    return np.moveaxis(values, -1, 0)


def write(recipe, folder):
    name, save = recipe
    save(folder / name)
    return folder / name


RGBA = np.concatenate([COLOUR, ALPHA], -1)
FLAT = np.dstack([np.full((H, W, 3), 9, np.uint8), MASK * 255])
INKS = RANDOM.integers(0, 256, (H, W, 4)).astype(np.uint8)
SEEN_INKS = (1 - INKS[..., :3] / 255) * (1 - INKS[..., 3:] / 255)
TWELVE = WIDE // 16
OPAQUE = np.concatenate([np.minimum(COLOUR, ALPHA), ALPHA], -1)
UNMULTIPLIED = np.divide(OPAQUE[..., :3], ALPHA, where=ALPHA > 0, out=np.zeros((H, W, 3)))
CHANNELS = {"photometric": "minisblack", "metadata": {"axes": "CYX"}}
TURNS = {  # of the picture as it is stored, by EXIF's number
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).T,
    8: np.rot90,
}

IMAGES = {  # recipe, channels, the image (H, W) or (channels, H, W) in [0, 1]
    "PNG, 1 bit": (pillow(MASK > 0, "a.png"), 1, MASK),
    "PNG, 2 bit": (own_png(GREY % 4, 2), 1, GREY % 4 / 3),
    "PNG, 4 bit": (own_png(GREY % 16, 4), 1, GREY % 16 / 15),
    "PNG, 8 bit": (pillow(GREY, "a.png"), 1, GREY / 255),
    "PNG, 16 bit": (pillow(WIDE, "a.png"), 1, WIDE / 65535),
    "PNG, 16 bit, as three": (pillow(WIDE, "a.png"), 3, np.stack([WIDE] * 3) / 65535),
    "PNG, RGB": (pillow(COLOUR, "a.png"), 3, chw(COLOUR) / 255),
    "PNG, RGB, capital suffix": (pillow(COLOUR, "a.PNG"), 3, chw(COLOUR) / 255),
    "PNG, RGBA": (pillow(RGBA, "a.png"), 3, chw(COLOUR) / 255),
    "PNG, RGBA as four channels": (pillow(RGBA, "a.png"), 4, chw(RGBA) / 255),
    "PNG, LA": (pillow(Image.fromarray(RGBA[..., 2:].copy(), "LA"), "a.png"), 1, COLOUR[..., 2] / 255),
    "PNG, 16-bit RGB": (own_png(WIDE_COLOUR, 16, 2), 3, chw(WIDE_COLOUR) / 65535),
    "PNG, 16-bit RGBA": (own_png(BANDS[..., :4], 16, 6), 3, chw(BANDS[..., :3]) / 65535),
    "PNG, 16-bit grey and alpha": (own_png(BANDS[..., :2], 16, 4), 1, BANDS[..., 0] / 65535),
    "PNG, grey with tRNS": (pillow(GREY, "a.png", transparency=9), 1, GREY / 255),
    "PNG, palette": (palette(MASK, [[9, 80, 7], [200, 0, 1]]), 3, chw(np.array([[9, 80, 7], [200, 0, 1]])[MASK]) / 255),
    "PNG, palette with tRNS": (
        palette(MASK, [[9, 80, 7], [200, 0, 1]], transparency=1),
        3,
        chw(np.array([[9, 80, 7], [200, 0, 1]])[MASK]) / 255,
    ),
    "BMP under another name": (pillow(GREY, "a.png", format="BMP"), 1, GREY / 255),
    "PNG that is called TIFF": (pillow(GREY, "a.tif", format="PNG"), 1, GREY / 255),
    "TIFF that is called PNG": (pillow(WIDE_COLOUR[..., 0], "a.png", format="TIFF"), 1, WIDE_COLOUR[..., 0] / 65535),
    "TIFF, bool": (tiff(MASK > 0, photometric="minisblack"), 1, MASK),
    "TIFF, 8 bit": (tiff(GREY), 1, GREY / 255),
    "TIFF, 16 bit": (tiff(WIDE), 1, WIDE / 65535),
    "TIFF, 16 bit, big-endian": (tiff(WIDE, byteorder=">"), 1, WIDE / 65535),
    "BigTIFF": (tiff(WIDE, bigtiff=True), 1, WIDE / 65535),
    "TIFF, float16": (tiff((GREY / 255).astype("f2")), 1, (GREY / 255).astype("f2")),
    "TIFF, float32": (tiff((GREY / 255).astype("f4")), 1, GREY / 255),
    "TIFF, float64": (tiff(GREY / 255), 1, GREY / 255),
    "TIFF, float64 RGB": (tiff(COLOUR / 255, photometric="rgb"), 3, chw(COLOUR) / 255),
    "TIFF, RGB": (tiff(COLOUR, photometric="rgb"), 3, chw(COLOUR) / 255),
    "TIFF, RGB in planes": (tiff(chw(COLOUR), photometric="rgb", planarconfig="separate"), 3, chw(COLOUR) / 255),
    "TIFF, RGB as luminance": (tiff(COLOUR, photometric="rgb"), 1, COLOUR @ [0.299, 0.587, 0.114] / 255),
    "TIFF, 16-bit RGB": (tiff(WIDE_COLOUR, photometric="rgb"), 3, chw(WIDE_COLOUR) / 65535),
    "TIFF, 16-bit RGB, deflate": (tiff(WIDE_COLOUR, photometric="rgb", compression="zlib"), 3, chw(WIDE_COLOUR) / 65535),
    "TIFF, RGBA": (tiff(RGBA), 3, chw(COLOUR) / 255),
    "TIFF, RGBA as four channels": (tiff(RGBA), 4, chw(RGBA) / 255),
    "TIFF, RGBA multiplied by alpha": (
        tiff(OPAQUE, photometric="rgb", extrasamples=["assocalpha"]),
        3,
        np.round(chw(UNMULTIPLIED) * 255) / 255,
    ),
    "TIFF, RGB and infrared": (
        tiff(BANDS[..., :4], photometric="rgb", extrasamples=["unspecified"]),
        4,
        chw(BANDS[..., :4]) / 65535,
    ),
    "TIFF, 2 bands": (tiff(BANDS[..., :2], photometric="minisblack", planarconfig="contig"), 2, chw(BANDS[..., :2]) / 65535),
    "TIFF, 5 bands": (tiff(BANDS, photometric="minisblack", planarconfig="contig"), 5, chw(BANDS) / 65535),
    "TIFF, 5 bands in planes": (tiff(chw(BANDS), photometric="minisblack", planarconfig="separate"), 5, chw(BANDS) / 65535),
    "TIFF, 5 bands, deflate": (
        tiff(BANDS, photometric="minisblack", planarconfig="contig", compression="zlib", predictor=True),
        5,
        chw(BANDS) / 65535,
    ),
    "TIFF, CMYK as colours": (tiff(INKS, photometric="separated"), 3, chw(SEEN_INKS)),
    "TIFF, CMYK as grey": (tiff(INKS, photometric="separated"), 1, SEEN_INKS @ [0.299, 0.587, 0.114]),
    "TIFF, CMYK as inks": (tiff(INKS, photometric="separated"), 4, chw(INKS) / 255),
    "TIFF, palette": (palette(GREY % 2, [[9, 80, 7], [200, 0, 1]], "a.tif"), 3, chw(np.array([[9, 80, 7], [200, 0, 1]])[GREY % 2]) / 255),
    "TIFF, deflate": (tiff(WIDE, compression="zlib"), 1, WIDE / 65535),
    "TIFF, deflate, predictor": (tiff(WIDE, compression="zlib", predictor=True), 1, WIDE / 65535),
    "TIFF, deflate, tiles": (tiff(WIDE, compression="zlib", tile=(16, 32)), 1, WIDE / 65535),
    "TIFF, tiles": (tiff(COLOUR, photometric="rgb", tile=(32, 16)), 3, chw(COLOUR) / 255),
    "TIFF, strips": (tiff(GREY, rowsperstrip=7), 1, GREY / 255),
    "TIFF, LZW": (pillow(GREY, "a.tif", compression="tiff_lzw"), 1, GREY / 255),
    "TIFF, LZW, predictor": (pillow(GREY, "a.tif", compression="tiff_lzw", tiffinfo={317: 2}), 1, GREY / 255),
    "TIFF, LZW, 16 bit": (pillow(WIDE, "a.tif", compression="tiff_lzw"), 1, WIDE / 65535),
    "TIFF, LZW, RGB": (pillow(COLOUR, "a.tif", compression="tiff_lzw"), 3, chw(COLOUR) / 255),
    "TIFF, LZW, float": (pillow((GREY / 255).astype("f4"), "a.tif", compression="tiff_lzw"), 1, GREY / 255),
    "TIFF, LZW, CMYK": (pillow(Image.fromarray(INKS, "CMYK"), "a.tif", compression="tiff_lzw"), 3, chw(SEEN_INKS)),
    "TIFF, packbits": (pillow(WIDE, "a.tif", compression="packbits"), 1, WIDE / 65535),
    "TIFF, fax": (pillow(MASK > 0, "a.tif", compression="group4"), 1, MASK),
    "TIFF, 0 is white, 1 bit": (tiff(MASK > 0, photometric="miniswhite"), 1, 1 - MASK),
    "TIFF, 0 is white, 8 bit": (tiff(GREY, photometric="miniswhite"), 1, 1 - GREY / 255),
    "TIFF, 0 is white, 16 bit": (tiff(WIDE, photometric="miniswhite"), 1, 1 - WIDE / 65535),
    "TIFF, 0 is white, float": (tiff(GREY / 255, photometric="miniswhite"), 1, 1 - GREY / 255),
    "TIFF, 0 is white, by Pillow": (pillow(GREY, "a.tif", tiffinfo={262: 0}), 1, GREY / 255),
    "TIFF, 0 is white, LZW": (pillow(GREY, "a.tif", tiffinfo={262: 0}, compression="tiff_lzw"), 1, GREY / 255),
    "TIFF, 0 is white, fax": (pillow(MASK > 0, "a.tif", tiffinfo={262: 0}, compression="group4"), 1, MASK),
    "OME-TIFF of 3 channels": (("a.ome.tif", lambda path: imwrite(path, chw(WIDE_COLOUR), **CHANNELS)), 3, chw(WIDE_COLOUR) / 65535),
    "ImageJ, 3 channels": (tiff(chw(WIDE_COLOUR), imagej=True, metadata={"axes": "CYX"}), 3, chw(WIDE_COLOUR) / 65535),
    "TIFF with the axes CYX": (tiff(chw(BANDS), **CHANNELS), 5, chw(BANDS) / 65535),
    "3 slices, ImageJ's axes ZYX": (tiff(chw(WIDE_COLOUR), imagej=True, metadata={"axes": "ZYX"}), 3, np.stack([WIDE_COLOUR[..., 0]] * 3) / 65535),
    **{
        f"{name} turned, EXIF {number}": (with_exif(GREY, number, name), 1, turned(GREY) / 255)
        for number, turned in TURNS.items()
        for name in ("a.png", "a.tif")
    },
    **{
        f"TIFF by tifffile turned, tag {number}": (tiff(WIDE, extratags=[(274, 3, 1, number, True)]), 1, turned(WIDE) / 65535)
        for number, turned in TURNS.items()
    },
    "an orientation that does not exist": (with_exif(GREY, 9, "a.png"), 1, GREY / 255),
}  # fmt: skip

LOSSY = {
    "JPEG, grey": (pillow(np.full((H, W), 99, np.uint8), "a.jpg"), 1, np.full((H, W), 99) / 255),
    "JPEG, CMYK": (
        pillow(Image.new("CMYK", (W, H), (10, 200, 30, 40)), "a.jpg", quality=100),
        3,
        np.ones((3, H, W)) * ((1 - np.array([10, 200, 30]) / 255) * (1 - 40 / 255))[:, None, None],
    ),
    "TIFF, YCbCr": (
        pillow(Image.new("RGB", (W, H), (200, 100, 50)), "a.tif", "YCbCr"),
        3,
        np.array([200, 100, 50])[:, None, None] / 255 * np.ones((3, H, W)),
    ),
    "TIFF, JPEG": (pillow(np.full((H, W), 99, np.uint8), "a.tif", compression="jpeg"), 1, np.full((H, W), 99) / 255),
    "TIFF, JPEG, RGB": (
        pillow(Image.new("RGB", (W, H), (200, 100, 50)), "a.tif", compression="jpeg"),
        3,
        np.array([200, 100, 50])[:, None, None] / 255 * np.ones((3, H, W)),
    ),
}


def agree(image, channels, expected, tolerance=1e-6):
    expected = np.asarray(expected, np.float32)
    np.testing.assert_allclose(image, expected.reshape(channels, *expected.shape[-2:]), rtol=1e-6, atol=tolerance)
    assert image.dtype == torch.float32
    assert image.is_contiguous()


@pytest.mark.parametrize(("recipe", "channels", "expected"), IMAGES.values(), ids=IMAGES.keys())
def test_an_image_is_read_as_it_is_meant(tmp_path, recipe, channels, expected):
    agree(read_image(write(recipe, tmp_path), channels), channels, expected)


@pytest.mark.parametrize(("recipe", "channels", "expected"), LOSSY.values(), ids=LOSSY.keys())
def test_an_image_whose_file_rounds_is_read_nearly_as_it_is_meant(tmp_path, recipe, channels, expected):
    agree(read_image(write(recipe, tmp_path), channels), channels, expected, 0.015)


def cut(recipe, count):
    """Return a recipe whose last bytes are lost."""
    name, save = recipe

    def write(path):
        save(path)
        path.write_bytes(path.read_bytes()[:-count])

    return name, write


def raw(content, name="a.png"):
    return name, lambda path: path.write_bytes(content)


def with_lzw(path):
    """Write a TIFF whose tag says LZW over a kind of values that Pillow cannot hold."""
    imwrite(path, BANDS, photometric="minisblack", planarconfig="contig")
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<HHIHH", 259, 3, 1, 1, 0), struct.pack("<HHIHH", 259, 3, 1, 5, 0)))


NAN = np.where(MASK, np.nan, 0.5)
UNKNOWN = r"whose black and white are unknown; save it with 8 or 16 bit, or as float from 0 to 1"
REFUSED_IMAGES = {  # recipe, channels, words of the message
    "signed, 8 bit": (tiff(MASK.astype("i1")), 1, "holds int8 from 0 to 1, " + UNKNOWN),
    "signed, 16 bit": (tiff(MASK.astype("i2") - 5), 1, "holds int16 from -5 to -4, " + UNKNOWN),
    "32 bit": (tiff(GREY.astype("u4")), 1, "holds uint32 from 0 to 255, " + UNKNOWN),
    "signed, 32 bit": (tiff(GREY.astype("i4")), 1, "holds int32 from 0 to 255, " + UNKNOWN),
    "64 bit": (tiff(GREY.astype("u8")), 1, "holds uint64 from 0 to 255, " + UNKNOWN),
    "complex": (tiff(GREY.astype("c8")), 1, "holds complex64 from .* " + UNKNOWN),
    "floats beyond 1": (tiff(GREY.astype("f8")), 1, "holds float64 from 0.0 to 255.0, " + UNKNOWN),
    "floats below 0": (tiff(GREY / 255 - 0.5), 1, "holds float64 from -0.5 to 0.5, " + UNKNOWN),
    "NaN": (tiff(NAN), 1, "contains NaN or infinity; replace these values"),
    "infinity": (tiff(np.where(MASK, np.inf, 0.5)), 1, "contains NaN or infinity; replace these values"),
    "2 bands for 1": (tiff(BANDS[..., :2], photometric="minisblack", planarconfig="contig"), 1, r"has 2 channel\(s\), not 1; set channels=2"),
    "5 bands for 3": (tiff(BANDS, photometric="minisblack", planarconfig="contig"), 3, r"has 5 channel\(s\), not 3; set channels=5"),
    "infrared for 3": (tiff(BANDS[..., :4], photometric="rgb", extrasamples=["unspecified"]), 3, r"has 4 channel\(s\), not 3; set channels=4"),
    "infrared for 1": (tiff(BANDS[..., :4], photometric="rgb", extrasamples=["unspecified"]), 1, r"has 4 channel\(s\), not 1; set channels=4"),
    "RGB for 4": (pillow(COLOUR, "a.png"), 4, r"has 3 channel\(s\), not 4; set channels=3"),
    "3 pages for 3 channels": (tiff(chw(COLOUR), photometric="minisblack"), 3, "has 3 pages of one channel; if these are the channels of one image, save them as one page: tifffile"),
    "3 pages by Pillow": (pillow(GREY, "a.tif", save_all=True, append_images=[Image.fromarray(GREY)] * 2), 3, "has 3 pages of one channel"),
    "content in alpha": (pillow(FLAT, "a.png"), 3, "has one colour everywhere, and its content in the transparency"),
    "content in alpha, TIFF": (tiff(FLAT), 1, "has one colour everywhere, and its content in the transparency"),
    "CIELAB": (pillow(Image.new("RGB", (W, H)), "a.tif", "LAB"), 3, "holds colours of the kind CIELAB.* save it as pages of grey or RGB"),
    "a volume in one page": (tiff(np.zeros((16, H, W), np.uint8), volumetric=True, tile=(16, 16, 16)), 1, "holds a volume in one page"),
    "LZW of 5 bands": (("a.tif", with_lzw), 5, "cannot be read .*LZW.* save it without compression, or: pip install imagecodecs"),
    "empty": (raw(b""), 1, r"is no image but an empty file \(0 bytes\); copy it anew"),
    "empty TIFF": (raw(b"", "a.tif"), 1, "is no image but an empty file"),
    "Git LFS": (raw(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"), 1, "is no image but a Git LFS pointer to one; run: git lfs pull"),
    "HTML": (raw(b"\xef\xbb\xbf\n <!DOCTYPE html>\n<html>"), 1, r"is no image but a web page \(HTML\); download the image itself"),
    "text": (raw("Größe;1;2\n".encode(), "a.jpg"), 1, "is no image but text; copy the image itself"),
    "bytes": (raw(bytes(range(256))), 1, "is no image that can be read, or a damaged one; save it as PNG"),
    "cut PNG": (cut(pillow(GREY, "a.png"), 300), 1, r"cannot be read \(.*\); copy it anew"),
    "cut 16-bit RGB PNG": (cut(own_png(WIDE_COLOUR, 16, 2), 3000), 3, r"cannot be read \(.*\); copy it anew"),
    "cut JPEG": (cut(pillow(GREY, "a.jpg"), 300), 1, r"cannot be read \(.*\); copy it anew"),
    "cut TIFF": (cut(tiff(GREY), 300), 1, r"cannot be read \(.*\)"),
    "cut TIFF, deflate": (cut(tiff(WIDE, compression="zlib"), 300), 1, r"cannot be read \(.*\)"),
    "cut TIFF, tiles": (cut(tiff(WIDE, tile=(16, 16)), 300), 1, r"cannot be read \(.*\)"),
    "cut TIFF, LZW": (cut(pillow(GREY, "a.tif", compression="tiff_lzw"), 300), 1, "a.tif"),
    "cut stack": (cut(tiff(np.stack([GREY] * 9), photometric="minisblack"), 9000), 1, r"is cut short after 1 page\(s\); copy it anew"),
    "missing": (("a.png", lambda path: None), 1, r"cannot be read \(.*No such file"),
}  # fmt: skip


@pytest.mark.parametrize(("recipe", "channels", "words"), REFUSED_IMAGES.values(), ids=REFUSED_IMAGES.keys())
def test_an_image_that_cannot_be_read_rightly_is_refused(tmp_path, recipe, channels, words):
    path = write(recipe, tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        read_image(path, channels)
    assert str(caught.value).startswith(str(path))


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


@pytest.mark.parametrize(("recipe", "num_classes", "words"), REFUSED_MASKS.values(), ids=REFUSED_MASKS.keys())
def test_a_mask_that_cannot_be_read_rightly_is_refused(tmp_path, recipe, num_classes, words):
    path = write(recipe, tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        read_mask(path, num_classes)
    assert str(caught.value).startswith(str(path))


# The same answer for a mapped file


MAPPED = [
    "RGBA",
    "RGBA as four channels",
    "8 bit",
    "16 bit, big-endian",
    "float64",
    "16-bit RGB",
    "RGB in planes",
    "palette",
]
MAPPED += [
    "RGB and infrared",
    "5 bands",
    "5 bands in planes",
    "CMYK as colours",
    "0 is white, 8 bit",
    "strips",
    "0 is white, 16 bit",
]
MAPPED += [f"by tifffile turned, tag {number}" for number in TURNS]
AREA = (slice(None), slice(3, 20), slice(5, 99))


@pytest.mark.parametrize("name", MAPPED)
def test_a_mapped_image_is_what_is_read_whole(tmp_path, name):
    recipe, channels, expected = IMAGES[f"TIFF {name}" if name.startswith("by") else f"TIFF, {name}"]
    path = write(recipe, tmp_path)
    image = LargeImage(path, channels)
    expected = np.asarray(expected).reshape(channels, *np.shape(expected)[-2:])
    assert image.shape == expected.shape
    agree(image[AREA], channels, expected[AREA])


@pytest.mark.parametrize(
    "name", ["deflate", "deflate, tiles", "LZW", "packbits", "LZW, RGB", "16-bit RGB, deflate", "tiles"]
)
def test_a_large_image_that_cannot_be_mapped_is_read_whole(tmp_path, monkeypatch, name):
    monkeypatch.setattr(large, "LARGE", H * W - 1)
    recipe, channels, expected = IMAGES[f"TIFF, {name}"]
    path = write(recipe, tmp_path)
    assert not is_large(path)
    agree(read_image(path, channels), channels, expected)
    assert is_large(write(IMAGES["TIFF, 16 bit"][0], tmp_path))


@pytest.mark.parametrize("name", ["TIFF, deflate, tiles", "PNG, 8 bit", "TIFF, LZW"])
def test_what_is_too_large_to_be_read_at_once_is_refused(tmp_path, monkeypatch, name):
    path = write(IMAGES[name][0], tmp_path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", H * W // 2 - 1)
    with pytest.raises(
        InputError, match="has too many pixels to be read at once; save it as a TIFF without compression"
    ):
        read_image(path)


@pytest.mark.parametrize(("bands", "channels"), [(4, 3), (4, 4), (3, 3), (2, 2), (5, 5), (1, 1)])
def test_bands_of_an_array_are_channels(tmp_path, bands, channels):
    np.save(tmp_path / "a.npy", BANDS[..., :bands])
    agree(LargeImage(tmp_path / "a.npy", channels)[:, :, :], channels, chw(BANDS[..., :channels]) / 65535)


def test_two_bands_of_an_array_are_not_cut_to_one(tmp_path):
    np.save(tmp_path / "a.npy", BANDS[..., :2])
    with pytest.raises(InputError, match=r"has 2 channel\(s\), not 1"):
        LargeImage(tmp_path / "a.npy")


# Pages


def volume(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, H, W)).astype(np.uint8)


def small_copies(path):
    """A page, two smaller copies of it, and a mask of its transparency, as GDAL writes them."""
    with tifffile.TiffWriter(path) as file:
        file.write(GREY)
        file.write(GREY[::2, ::2], subfiletype=1)
        file.write(GREY[::4, ::4], subfiletype=1)
        file.write(MASK > 0, subfiletype=4, photometric="mask")


def different_sizes(path):
    with tifffile.TiffWriter(path) as file:
        for page in (GREY, GREY[:30], GREY[:, :20]):
            file.write(page)


PAGES = {  # recipe, channels, pages
    "stack": (tiff(volume(7), photometric="minisblack"), 1, volume(7)),
    "stack of RGB": (tiff(COLOUR[None].repeat(2, 0), photometric="rgb"), 3, chw(COLOUR)[None].repeat(2, 0)),
    "stack of 3 with one channel": (tiff(volume(3), photometric="minisblack"), 1, volume(3)),
    "stack, ImageJ, no axes": (tiff(volume(7), imagej=True), 1, volume(7)),
    "stack, deflate": (tiff(volume(7), compression="zlib", photometric="minisblack"), 1, volume(7)),
    "stack by Pillow, LZW": (
        pillow(volume(3)[0], "a.tif", save_all=True, compression="tiff_lzw", append_images=[Image.fromarray(p) for p in volume(3)[1:]]),
        1,
        volume(3),
    ),
    "stack in what is called one page": (tiff(volume(7), truncate=True, photometric="minisblack"), 1, volume(7)),
    "hyperstack, ZCYX": (
        tiff(volume(6).reshape(3, 2, H, W), imagej=True, metadata={"axes": "ZCYX"}),
        2,
        volume(6).reshape(3, 2, H, W),
    ),
    "hyperstack, ZCYX, one channel asked for": (
        tiff(volume(6).reshape(3, 2, H, W), imagej=True, metadata={"axes": "ZCYX"}),
        1,
        volume(6),
    ),
    "hyperstack, OME, CZYX": (
        tiff(volume(6).reshape(2, 3, H, W), ome=True, photometric="minisblack", metadata={"axes": "CZYX"}),
        2,
        volume(6).reshape(2, 3, H, W).swapaxes(0, 1),
    ),
    "smaller copies": (("a.tif", small_copies), 1, GREY[None]),
    "a mask beside an image": (pillow(GREY, "a.png"), 1, GREY[None]),
}  # fmt: skip


@pytest.mark.parametrize(("recipe", "channels", "pages"), PAGES.values(), ids=PAGES.keys())
def test_pages_are_counted_and_read_in_order(tmp_path, recipe, channels, pages):
    path = write(recipe, tmp_path)
    assert count_pages(path, channels) == len(pages)
    for number, page in enumerate(pages):
        agree(read_image(path, channels, number), channels, page / 255)
    with pytest.raises(InputError, match=rf"page {len(pages)}: cannot be read"):
        read_image(path, channels, len(pages))


def test_pages_may_differ_in_size(tmp_path):
    path = write(("a.tif", different_sizes), tmp_path)
    assert count_pages(path) == 3
    assert [tuple(read_image(path, page=number).shape) for number in range(3)] == [(1, H, W), (1, 30, W), (1, H, 20)]
