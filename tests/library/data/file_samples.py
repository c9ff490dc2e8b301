"""Recipes for files of all kinds, each a name and a function that writes the file, and the pixels that they hold."""

import struct
import zlib

import numpy as np
import torch
from PIL import Image
from tifffile import imwrite

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


def agree(image, channels, expected, tolerance=1e-6):
    expected = np.asarray(expected, np.float32)
    np.testing.assert_allclose(image, expected.reshape(channels, *expected.shape[-2:]), rtol=1e-6, atol=tolerance)
    assert image.dtype == torch.float32
    assert image.is_contiguous()


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
