"""Images as people bring them: for each kind of file the values that are right, or the words that say what is wrong."""
# ruff: noqa: E501 - tables, one case a line

import numpy as np
import pytest
import tifffile
from file_samples import (
    BANDS,
    CHANNELS,
    COLOUR,
    FLAT,
    GREY,
    INKS,
    MASK,
    OPAQUE,
    RGBA,
    SEEN_INKS,
    TURNS,
    UNMULTIPLIED,
    WIDE,
    WIDE_COLOUR,
    H,
    W,
    agree,
    chw,
    cut,
    own_png,
    palette,
    pillow,
    raw,
    tiff,
    with_exif,
    with_lzw,
    write,
)
from PIL import Image
from tifffile import imwrite

from unetpp_lib.data import LargeImage, count_pages, is_large, large, read_image
from unetpp_lib.errors import InputError

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


@pytest.mark.parametrize(("recipe", "channels", "expected"), IMAGES.values(), ids=IMAGES.keys())
def test_an_image_is_read_as_it_is_meant(tmp_path, recipe, channels, expected):
    agree(read_image(write(recipe, tmp_path), channels), channels, expected)


@pytest.mark.parametrize(("recipe", "channels", "expected"), LOSSY.values(), ids=LOSSY.keys())
def test_an_image_whose_file_rounds_is_read_nearly_as_it_is_meant(tmp_path, recipe, channels, expected):
    agree(read_image(write(recipe, tmp_path), channels), channels, expected, 0.015)


def with_webp(path):
    """Write a TIFF that says it is compressed by WebP, which neither Pillow nor tifffile decodes here."""
    imwrite(path, GREY, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[259].overwrite(50001)


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
    "(H, W, 5) without a word": (tiff(BANDS), 1, "has 40 pages of 56×5 pixels, as if an array .*; save it by tifffile.imwrite"),
    "(H, W, 2) without a word": (tiff(BANDS[..., :2]), 2, "has 40 pages of 56×2 pixels, as if an array"),
    "4 channels for 3, ImageJ": (tiff(chw(BANDS)[:4], imagej=True, metadata={"axes": "CYX"}), 3, r"has 4 channel\(s\), not 3; set channels=4"),
    "a folder": (("a.png", lambda path: path.mkdir()), 1, "is a folder; give one of its images"),
    "3 pages by Pillow": (pillow(GREY, "a.tif", save_all=True, append_images=[Image.fromarray(GREY)] * 2), 3, "has 3 pages of one channel"),
    "content in alpha": (pillow(FLAT, "a.png"), 3, "has one colour everywhere, and its content in the transparency"),
    "content in alpha, TIFF": (tiff(FLAT), 1, "has one colour everywhere, and its content in the transparency"),
    "CIELAB": (pillow(Image.new("RGB", (W, H)), "a.tif", "LAB"), 3, "holds colours of the kind CIELAB.* save it as pages of grey or RGB"),
    "a volume in one page": (tiff(np.zeros((16, H, W), np.uint8), volumetric=True, tile=(16, 16, 16)), 1, "holds a volume in one page"),
    "LZW of 5 bands": (("a.tif", with_lzw), 5, "cannot be read .*LZW.* save it without compression, or: pip install imagecodecs"),
    "WebP in a TIFF": (("a.tif", with_webp), 1, "cannot be read .*WEBP.*; if the file is whole, .* pip install imagecodecs; else"),
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


def test_12_bits_are_divided_by_their_own_range(tmp_path):
    twelve, path = WIDE // 16, tmp_path / "a.tif"
    high, low = twelve[:, 0::2], twelve[:, 1::2]
    packed = np.stack([high >> 4, (high & 15) << 4 | low >> 8, low & 255], axis=-1).astype(np.uint8).reshape(H, -1)
    imwrite(path, packed, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[256].overwrite(W)
        file.pages[0].tags[258].overwrite(12)
    agree(read_image(path), 1, twelve / 4095)


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
    "an axis of one place behind": (tiff(WIDE[..., None]), 1, WIDE[None] / 257),
    "an axis of one place before": (tiff(WIDE[None]), 1, WIDE[None] / 257),
    "a stack with an axis of one place behind": (tiff(volume(5)[..., None], photometric="minisblack"), 1, volume(5)),
    "narrow pages by Pillow": (
        pillow(GREY[:, :1], "a.tif", save_all=True, append_images=[Image.fromarray(GREY[:, :1])] * 39),
        1,
        [GREY[:, :1]] * 40,
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
