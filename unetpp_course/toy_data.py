"""Toy data for notebook 13: colour images with two classes of beads, which differ only in their rims."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unetpp_lib.files import write_png

CLASSES = ("ground", "dark rim", "bright rim")
RIMS = (0, 30, 225)  # the grey level of a rim, by class
LARGEST_RADIUS = 24  # pixels: the rim that decides a pixel's class is at most this far away


def draw_beads(height: int, width: int, random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw one image (height, width, 3) and its mask (height, width) with 0 ground, 1 dark rim, 2 bright rim.

    The colour inside a bead says nothing about its class. Only its rim does, which is up to 24 pixels away.
    """
    blotches = random.integers(70, 186, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    image = np.array(Image.fromarray(blotches).resize((width, height)), dtype=np.float32)
    mask = np.zeros((height, width), dtype=np.uint8)
    for _ in range(height * width // 1200):
        y, x, radius = random.uniform((0, 0, 5), (height, width, LARGEST_RADIUS))
        kind = random.integers(1, 3)
        rows, columns = (
            slice(max(0, int(place - LARGEST_RADIUS - 1)), int(place + LARGEST_RADIUS + 2)) for place in (y, x)
        )
        distance = np.hypot(np.arange(height)[rows, None] - y, np.arange(width)[columns] - x)
        mask[rows, columns][distance < radius] = kind
        image[rows, columns][distance < radius] = random.uniform(70, 186, 3)
        image[rows, columns][abs(distance - radius + 1) < 1] = RIMS[kind]
    image += 6 * random.standard_normal(image.shape, dtype=np.float32)
    return image.clip(0, 255).astype(np.uint8), mask


def colleagues_mask(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mask of exercise 13.1: at half size, resized in a way that is wrong for masks."""
    picture = Image.fromarray(mask)
    return np.asarray(picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BILINEAR))


def write_beads(folder: Path, count: int = 40, seed: int = 0) -> None:
    """Write ``count`` pairs of various sizes, images/bead_00.png … and masks/bead_00.png …, into ``folder``."""
    random = np.random.default_rng(seed)
    for number in range(count):
        height, width = random.integers(96, 225, 2)
        image, mask = draw_beads(height, width, random)
        for part, pixels in {"images": image, "masks": mask}.items():
            write_png(folder / part / f"bead_{number:02}.png", Image.fromarray(pixels))
