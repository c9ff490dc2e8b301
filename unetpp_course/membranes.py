"""Drawn images that look like electron microscopy, in which a network needs context.

Every image has a network of membranes and, inside its cells, *distractors*: closed contours that the mask ignores. Both
are outlines of cells of a weighted Voronoi tessellation, and the same random fields warp, widen, fade and render them,
so that a small window cannot tell them apart. Only the whole shape can: a distractor is a closed loop that touches no
other contour. Its size decides how much of the image a network must see to recognise it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from unetpp_lib.data.split import Split, write_split
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_png

Array = NDArray[np.float64]

MIN_SIZE = 64
# One row per class of distractor, large ones first, because small ones still fit beside and into them: value in the
# map, least and greatest diameter in pixels (longer side of the box around its inside), number in 256×256 pixels.
DISTRACTORS = ((3, (90, 118), (2.0, 3.0)), (2, (42, 64), (3.0, 4.5)), (1, (20, 32), (6.0, 8.0)))
HOSTS = (64, 62, 40, 32, 32), (74, 70, 50, 40, 40)  # least and greatest radii of the cells that make room for them
CLEARANCE = 10.0  # least distance in pixels from a distractor to any other contour


@dataclass(frozen=True)
class Drawing:
    """One drawn image with its truth, each uint8 `(H, W)`.

    image: grey values, membranes dark. mask: 255 = cell interior, 0 = membrane.
    distractors: 0 = none, 1 small, 2 medium, 3 large; the pixels that the mask would
    call membrane if the contour were labelled.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    distractors: NDArray[np.uint8]


def draw_membranes(size: int = 256, seed: int | Sequence[int] = 0, distractors: bool = True) -> Drawing:
    """Draw one image of `size` × `size` pixels, at least 64 (else InputError); the same seed gives the same drawing.

    The scale is fixed: a larger image has more cells, and one below 128 pixels has no large distractor. An image of 256
    pixels takes about a third of a second, and the time grows with the fourth power of the size. Without distractors
    the mask stays the same, pixel for pixel; the grey values are drawn anew.

    >>> draw_membranes(64).mask.shape
    (64, 64)
    """
    if size < MIN_SIZE:
        raise InputError(f"A drawing of size {size} has no room for a cell: give at least {MIN_SIZE} pixels.")
    rng = np.random.default_rng(seed)
    points = np.moveaxis(np.indices((size, size)), 0, -1) + _warp(size, rng)
    cell = _network(points, rng)
    distance = _distance_to_outlines(cell)
    half_width = np.minimum(3 * np.exp(0.2 * _noise(size, 10, rng)), 0.45 * CLEARANCE)
    mask = np.where(distance < half_width, 0, 255).astype(np.uint8)
    classes = np.zeros((size, size), np.uint8)
    for value, diameters, counts in DISTRACTORS if distractors else ():
        for _ in range(round(rng.uniform(*counts) * (size / 256) ** 2)):
            loop = _loop(points, distance, diameters, rng)
            if loop is None:
                continue
            window, inside = loop
            outline = _distance_to_outlines(inside)
            classes[window][outline < half_width[window]] = value
            cell[window][inside] = cell.max() + 1  # with its own grey level
            distance[window] = np.minimum(distance[window], outline)
    return Drawing(_render(distance / half_width, cell, rng), mask, classes)


def _smooth(field: Array, scale: float) -> Array:
    """Blur a square field with a Gaussian of `scale` pixels."""
    frequency = np.hypot(np.fft.fftfreq(len(field))[:, None], np.fft.rfftfreq(len(field)))
    spectrum = np.fft.rfft2(field) * np.exp(-2 * (np.pi * scale * frequency) ** 2)
    return np.asarray(np.fft.irfft2(spectrum, field.shape))


def _noise(size: int, scale: float, rng: np.random.Generator) -> Array:
    """Return Gaussian noise `(size, size)` of mean 0 and unit variance, smooth over about `scale` pixels."""
    noise = _smooth(rng.standard_normal((size, size)), scale)
    return np.asarray((noise - noise.mean()) / noise.std())


def _warp(size: int, rng: np.random.Generator) -> Array:
    """Return displacements `(size, size, 2)`: long waves shape the cells, short waves roughen the membranes."""
    return np.stack([7 * _noise(size, 28, rng) + 1.6 * _noise(size, 6, rng) for _ in range(2)], axis=-1)


def _pack(discs: Array, low: Array, high: Array, largest: float, rng: np.random.Generator) -> Array:
    """Fill the box from `low` to `high` with discs `(K, 3)` of (y, x, radius) that do not overlap the given ones."""
    tries = int(np.prod(high - low) / 350)
    for radius in np.sort(np.exp(rng.uniform(np.log(8), np.log(largest), tries)))[::-1]:
        discs = _add_disc(discs, radius, rng.uniform(low, high, (12, 2)))
    return discs


def _add_disc(discs: Array, radius: float, centres: Array) -> Array:
    """Add one disc at the first of the `centres` where it fits between the others, if it fits at any."""
    gaps = np.linalg.norm(centres[:, None] - discs[:, :2], axis=-1) - discs[:, 2] - radius
    fits = (gaps > -2).all(axis=1)
    return np.vstack([discs, [*centres[fits.argmax()], radius]]) if fits.any() else discs


def _nearest(points: Array, discs: Array) -> NDArray[np.intp]:
    """Return for each point the disc with the nearest edge: an additively weighted Voronoi tessellation, `(H, W)`."""
    least, nearest = np.full(points.shape[:2], np.inf), np.zeros(points.shape[:2], np.intp)
    for index, (y, x, radius) in enumerate(discs):
        distance = np.hypot(points[..., 0] - y, points[..., 1] - x) - radius
        nearest[distance < least] = index
        least = np.minimum(least, distance)
    return nearest


def _distance_to_outlines(label: NDArray[np.generic]) -> Array:
    """Return each pixel's distance to the nearest place where two labels meet: exact, columns first, then rows."""
    step_y, step_x = label[1:] != label[:-1], label[:, 1:] != label[:, :-1]
    outline = np.pad(step_y, ((0, 1), (0, 0))) | np.pad(step_y, ((1, 0), (0, 0)))
    outline |= np.pad(step_x, ((0, 0), (0, 1))) | np.pad(step_x, ((0, 0), (1, 0)))
    y, x = np.arange(label.shape[0], dtype=float)[:, None], np.arange(label.shape[1], dtype=float)
    above = np.maximum.accumulate(np.where(outline, y, -np.inf))
    below = np.minimum.accumulate(np.where(outline, y, np.inf)[::-1])[::-1]
    in_column = np.minimum(y - above, below - y) ** 2
    squared = np.stack([(in_column + (x - here) ** 2).min(axis=1) for here in x], axis=1)
    return np.asarray(np.sqrt(squared) + 0.5)  # the labels meet half-way between two pixels


def _network(points: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw the cells that fill the image: the index of each pixel's, `(H, W)`."""
    size = len(points)
    discs = np.empty((0, 3))
    for radius in rng.uniform(*HOSTS):  # large cells first: they would find no place between small ones
        if radius < size / 3:
            discs = _add_disc(discs, radius, rng.uniform(45, size - 45, (1, 2)))
    return _nearest(points, _pack(discs, np.full(2, -40.0), np.full(2, size + 40.0), min(50, size / 4), rng))


def _loop(
    points: Array, room: Array, diameters: tuple[int, int], rng: np.random.Generator
) -> tuple[tuple[slice, slice], NDArray[np.bool_]] | None:
    """Draw one cell of a tessellation of its own where it keeps clear of all contours.

    `room` is the distance to the nearest contour. Returns a window and, for its pixels, True inside the cell; None
    where no place was found.
    """
    radius = rng.uniform(*diameters) / 3  # a cell reaches beyond its disc, into the gaps between its neighbours
    places = rng.integers(len(room), size=(4000, 2))
    for y, x in places[room[tuple(places.T)] >= radius + CLEARANCE][:10]:
        reach = int(1.6 * radius) + 12
        window = slice(max(y - reach, 0), y + reach), slice(max(x - reach, 0), x + reach)
        centre = points[y, x]
        discs = _pack(np.array([[*centre, radius]]), centre - reach - 15, centre + reach + 15, 50, rng)
        inside = _nearest(points[window], discs) == 0
        extent = max(np.ptp(axis) for axis in np.nonzero(inside))
        # Whole within the window, hence within the image: a contour that leaves it could not be known to close.
        border = np.pad(np.zeros(np.subtract(inside.shape, 12), np.bool_), 6, constant_values=True)
        compact = diameters[0] <= extent <= diameters[1] and inside.sum() > 0.5 * extent**2
        if compact and not inside[border].any() and room[window][inside].min() > CLEARANCE:
            return window, inside
    return None


def _render(distance: Array, label: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn the distance to the nearest contour, in half-widths, into a micrograph."""
    size = len(distance)
    tone = rng.normal(0, 13, label.max() + 1)[label]
    # where the cut is oblique, a membrane is paler and its edge softer; the same fields decide for distractors
    oblique = 1 / (1 + np.exp(-3 * (_noise(size, 16, rng) - 1.2)))
    contrast = (100 + 10 * _noise(size, 12, rng)) * (1 - 0.6 * oblique)
    membrane = contrast / (1 + np.exp((distance - 0.9) / (0.2 + 0.6 * oblique)))
    grain = 9 * _noise(size, 1.0, rng) + 11 * _noise(size, 2.0, rng)
    vesicles = 55 * np.clip(_noise(size, 1.8, rng) - 1.4, 0, 1)
    organelles = (50 + 25 * _noise(size, 1.6, rng)) / (1 + np.exp(-8 * (_noise(size, 11, rng) - 2)))
    light = 10 * _noise(size, 50, rng)
    image = _smooth(155 + tone + light + grain - vesicles - organelles - membrane, 0.6)
    # Poisson and Gaussian noise by their variances. On a machine that rounds grey values differently, a real Poisson
    # draw would use other random numbers, and so change everything that follows.
    noisy = image + np.sqrt(np.clip(0.6 * image, 0, None) + 20) * rng.standard_normal((size, size))
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


def write_membranes(
    folder: str | Path, count: int = 40, size: int = 256, seed: int = 0, distractors: bool = True
) -> None:
    """Draw a data set into an empty or new `folder`: `images/`, `masks/`, `distractors/` and `split.json`.

    Image k is `draw_membranes(size, (seed, k), distractors)`. A tenth of the images is for validation and a fifth for
    the test, at least one each. The drawings are independent of each other, so the split follows their order. Raises
    InputError if the folder is not empty, `count` is below 3, or `seed` is below 0.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} already exists and is not an empty folder: name a new one, or remove it first.")
    if seed < 0:
        raise InputError(f"seed is {seed}: give 0 or more.")
    if count < 3:
        raise InputError(f"{count} images cannot be split into training, validation and test: give at least 3.")
    names = [f"membrane_{index:0{len(str(count - 1))}}" for index in range(count)]
    for index, name in enumerate(tqdm(names, desc="drawing", unit="image")):
        drawing = draw_membranes(size, (seed, index), distractors)
        for kind, pixels in (("images", drawing.image), ("masks", drawing.mask), ("distractors", drawing.distractors)):
            write_png(folder / kind / f"{name}.png", Image.fromarray(pixels))
    test, validation = max(1, count // 5), max(1, count // 10)
    parts = names[: -test - validation], names[-test - validation : -test], names[-test:]
    write_split(Split(*map(tuple, parts)), folder / "split.json")
