"""Explorer: the one-pixel bridge. A hole in a membrane merges two cells; IoU hardly changes, V_rand falls."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw
from torch import Tensor

from unetpp_course.explorers.base import PictureExplorer, choice, whole_number
from unetpp_course.explorers.sheet import LIGHT, RED, font, png
from unetpp_course.style import Pixels
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou, segments, v_rand

PALETTE = np.array([ImageColor.getrgb(colour) for colour in LIGHT], np.uint8)
SIDE, GAP, CAPTION, WINDOW = 336, 16, 24, 24  # pixels: side of a panel, gap, caption; side of the enlarged part
GREYS = np.linspace(200, 245, len(PALETTE), dtype=np.uint8)  # of the cells that do not meet at the chosen membrane
LONGER = 1.5  # the longest crossing of a membrane that is offered, relative to the shortest one

Crossing = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows and columns of the membrane pixels between two cells


class PairOfScores(NamedTuple):
    """A prediction's score by pixels and its score by cells."""

    membrane_iou: float
    v_rand: float


def thin_membranes(mask: Pixels) -> NDArray[np.uint8]:
    """Return a mask (H, W) with the same cells, whose membranes are one pixel wide: cells grow until they meet.

    ``mask`` is (H, W) or (1, H, W), 1 for cell interior.
    """
    cells = segments(_as_mask("mask", mask).astype(float))
    line = np.zeros(cells.shape, bool)
    line[:, :-1] |= cells[:, :-1] != cells[:, 1:]
    line[:-1] |= cells[:-1] != cells[1:]
    return (~line).astype(np.uint8)


def crossings(cells: NDArray[Any]) -> dict[tuple[int, int], list[Crossing]]:
    """Return for every two neighbouring cells the straight crossings of the membrane (label 0) between them.

    Crossings run along rows or columns and are sorted along the membrane; cells with the most crossings come first.
    Crossings much longer than the shortest one run along the membrane instead of through it, and are left out.
    """
    found: dict[tuple[int, int], list[Crossing]] = {}
    for lines, turned in ((cells, False), (cells.T, True)):
        for number, line in enumerate(lines):
            for before, after in pairwise(np.flatnonzero(line)):
                if line[before] != line[after]:
                    across = np.arange(before + 1, after)
                    along = np.full_like(across, number)
                    pair = tuple(sorted((int(line[before]), int(line[after]))))
                    found.setdefault(pair, []).append((across, along) if turned else (along, across))  # type: ignore[arg-type]
    for pair, ways in found.items():
        shortest = min(len(rows) for rows, _ in ways)
        found[pair] = _in_order([way for way in ways if len(way[0]) <= LONGER * shortest])
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


class BridgeExplorer(PictureExplorer):
    """Choose a membrane between two cells and a position along it, and erase one pixel's width of it there.

    ``truth`` and ``answer`` (the prediction) are (H, W) or (1, H, W), 1 for cell interior; by default the truth itself
    is the prediction. For a network of yours: ``BridgeExplorer(mask, classify(probabilities)[0])``. `thin_membranes`
    makes membranes that are one pixel wide, so that a single pixel suffices. The controls are attributes
    (``membrane``, ``place`` in per cent of the membrane's length, ``state``); ``whole`` and ``now`` are the scores.
    Raises InputError for other shapes, and if no cells meet.
    """

    def __init__(self, truth: Pixels, answer: Pixels | None = None, membrane: int = 0, place: int = 50) -> None:
        true = _as_mask("truth", truth)
        self.answer = true if answer is None else _as_mask("answer", answer)
        if true.shape != self.answer.shape:
            raise InputError(f"truth is {true.shape} and answer {self.answer.shape}: give two masks of one size.")
        self._true, self._cells = torch.from_numpy(true)[None, None], segments(true.astype(float), fill=False)
        self._filled = segments(self.answer.astype(float))
        ways = crossings(segments(self.answer.astype(float), fill=False))
        self._pairs, self._ways = list(ways), list(ways.values())
        if not self._ways:
            raise InputError("No two cells of the answer meet at a membrane: give an image with at least two cells.")
        if not (0 <= membrane < len(self._ways) and 0 <= place <= 100):
            raise InputError(
                f"membrane={membrane}, place={place}: there are membranes 0 to {len(self._ways) - 1}, and places from "
                "0 to 100 per cent."
            )
        self._colours = _colours_of(self._filled)
        self.whole = self.now = self._scores(self.answer, self._filled)
        membrane_box, self.membrane = whole_number("membrane", membrane, 0, len(self._ways) - 1)
        place_box, self.place = whole_number("place, %", place, 0, 100)
        self.state = choice("the place is", ["whole", "erased"])
        super().__init__([membrane_box, place_box, self.state])
        for control in (self.membrane, self.place, self.state):
            control.observe(self._update, "value")
        self._update()

    @property
    def crossing(self) -> Crossing:
        """The rows and columns of the pixels at the chosen place."""
        ways: list[Crossing] = self._ways[self.membrane.value]
        return ways[int(self.place.value) * (len(ways) - 1) // 100]

    def _scores(self, answer: NDArray[np.uint8], filled: NDArray[Any]) -> PairOfScores:
        counts = confusion_counts(torch.from_numpy(answer)[None, None], self._true)
        return PairOfScores(iou(counts, of="background"), v_rand(filled, self._cells))

    def _update(self, _: object = None) -> None:
        answer, filled = self.answer, self._filled
        if self.state.value == "erased":
            answer = answer.copy()
            answer[self.crossing] = 1
            filled = segments(answer.astype(float))
        self.now = self._scores(answer, filled)
        rows, columns = self.crossing
        count = "1 pixel" if len(rows) == 1 else f"{len(rows)} pixels"
        status = (
            f"{count} at row {rows[0]}, column {columns[0]}: {self.state.value}. Membrane IoU {self.whole[0]:.4f} → "
            f"{self.now[0]:.4f}; V_rand {self.whole[1]:.4f} → {self.now[1]:.4f}; cells {self._filled.max()} → "
            f"{filled.max()}."
        )
        pixels = PALETTE[_kept(self._colours, self._filled, filled)]
        others = ~np.isin(self._filled, self._pairs[self.membrane.value])
        pixels[others] = GREYS[_kept(self._colours, self._filled, filled)[others], None]
        pixels[answer == 0] = 0
        alt = f"The cells of the prediction in colours, all but the chosen two in grey; membranes are black. {status}"
        self.show(png(self._draw(pixels)), alt, status)

    def _draw(self, pixels: NDArray[np.uint8]) -> Image.Image:
        """Return the prediction with a ring at the position, and the enlarged part around it with a frame."""
        rows, columns = self.crossing
        height, width = pixels.shape[:2]
        scale = SIDE / height
        shown = (round(width * scale), SIDE)
        sheet = Image.new("RGB", (shown[0] + GAP + SIDE, SIDE + 3 * CAPTION), "white")
        draw = ImageDraw.Draw(sheet)
        y, x = int(rows.mean()), int(columns.mean())
        top, left = (int(np.clip(c - WINDOW // 2, 0, max(0, n - WINDOW))) for c, n in ((y, height), (x, width)))
        part = pixels[top : top + WINDOW, left : left + WINDOW]
        for corner, panel, size in ((0, pixels, shown), (shown[0] + GAP, part, (SIDE, SIDE))):
            sheet.paste(Image.fromarray(panel).resize(size, Image.Resampling.NEAREST), (corner, CAPTION))
        cy, cx = CAPTION + (y + 0.5) * scale, (x + 0.5) * scale
        for radius, colour in ((13, "white"), (11, RED)):
            draw.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), outline=colour, width=3)
        corner, wide, high = shown[0] + GAP, SIDE / part.shape[1], SIDE / part.shape[0]
        across = [corner + wide * column for column in (columns.min() - left, columns.max() - left + 1)]
        down = [CAPTION + high * row for row in (rows.min() - top, rows.max() - top + 1)]
        draw.rectangle((across[0], down[0], across[1], down[1]), outline=RED, width=3)
        draw.text((0, 3), f"the prediction, {width} × {height} pixels: {self.state.value}", "black", font(14))
        draw.text((corner, 3), f"{part.shape[1]} × {part.shape[0]} pixels around the ring", "black", font(14))
        for line, (name, before, now) in enumerate(zip(("Membrane IoU", "V_rand"), self.whole, self.now, strict=True)):
            text = f"{name}: {before:.4f}" + (f" → {now:.4f}" if self.state.value == "erased" else "")
            draw.text((0, SIDE + CAPTION * (line + 1) + 4), text, "black", font(16))
        return sheet


def _as_mask(name: str, mask: Pixels) -> NDArray[np.uint8]:
    """Return a mask as an array (H, W) of 0 and 1."""
    array = np.asarray(mask.detach().cpu() if isinstance(mask, Tensor) else mask)
    array = array[0] if array.ndim == 3 and len(array) == 1 else array
    if array.ndim != 2 or not np.isin(array, (0, 1)).all():
        raise InputError(
            f"{name} is {np.shape(mask)}: give (H, W) or (1, H, W), 1 where cell interior is and 0 where membrane is."
        )
    return array.astype(np.uint8)


def _in_order(ways: list[Crossing]) -> list[Crossing]:
    """Return the crossings sorted from one end of a membrane to the other, along its longer extent."""
    centres = np.array([(rows.mean(), columns.mean()) for rows, columns in ways])
    longer = int(np.ptp(centres, axis=0).argmax())
    return [ways[k] for k in np.argsort(centres[:, longer], kind="stable")]


def _colours_of(filled: NDArray[Any]) -> NDArray[np.intp]:
    """Return a colour's number for each segment that differs from its neighbours' if the palette allows."""
    pairs = np.concatenate(
        [np.stack([a.ravel(), b.ravel()], 1) for a, b in ((filled[:, :-1], filled[:, 1:]), (filled[:-1], filled[1:]))]
    )
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    colours = np.zeros(filled.max() + 1, np.intp)
    for cell in range(1, len(colours)):
        near = {int(colours[a if b == cell else b]) for a, b in pairs if cell in (a, b) and a != b and min(a, b) < cell}
        free = [colour for colour in range(len(PALETTE)) if colour not in near] or range(len(PALETTE))
        colours[cell] = free[cell % len(free)]
    return colours


def _kept(colours: NDArray[np.intp], before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.intp]:
    """Return each pixel's colour number: each new segment keeps that of the old segment that makes up most of it."""
    shared = np.bincount(
        (after * (before.max() + 1) + before).ravel(), minlength=(after.max() + 1) * (before.max() + 1)
    )
    return np.asarray(colours[shared.reshape(after.max() + 1, -1).argmax(axis=1)][after])
