"""The picture of the depth explorer: everything that it shows for one depth, on one sheet."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from unetpp_course.explorers.graph_sheet import GraphSheet
from unetpp_course.explorers.sheet import HIGHLIGHT, font, grey, png
from unetpp_course.graph_drawing import QUIET, QUIET_TEXT, Layout
from unetpp_course.style import LINE_COLOURS, MISTAKES, mark_mistakes
from unetpp_lib.models import UNetPlusPlus
from unetpp_lib.models.graph import grid_graph

SIDE, GAP, LINE = 288, 12, 26  # pixels: a picture's longer side, gap between parts, line of text
LETTERS = 17  # on a page 700 pixels wide, the sheet is shown at six tenths of its size
PLOT = (316, 250)
WIDTH, HEIGHT = 2 * SIDE + PLOT[0] + 2 * GAP, LINE + SIDE + GAP + PLOT[1]
AXES = (44, 30, 262, 160)  # of the plot: left, top, width and height in pixels
CHOSEN = LINE_COLOURS[1]  # the colour of the chosen depth


class Cost(NamedTuple):
    """The cost of one forward pass with one image."""

    parameters: int
    macs: int
    latency: float
    """Seconds."""


class Row(NamedTuple):
    """A row of the table, and a point of the curve."""

    depth: int
    cost: Cost
    here: float
    """IoU on the image that is shown."""
    everywhere: float
    """IoU, mean over all images."""
    other: float
    """IoU, mean over all images, in the other mode."""


class DepthSheet:
    """Draws the sheets of one network; parts that are the same on all sheets are drawn once."""

    def __init__(
        self, model: UNetPlusPlus, costs: dict[int, Cost], size: tuple[int, ...], classes: tuple[str, str]
    ) -> None:
        self.model = model
        self.graph_sheet = GraphSheet(
            grid_graph(model.widths, model.dense, model.head_depths), graph_layout(model.depth)
        )
        self.slowest = 1.12e3 * max(cost.latency for cost in costs.values())  # milliseconds, where the axis ends
        self.size, self.classes = size, classes
        self._axes = self._draw_axes()

    def draw(
        self,
        rows: Sequence[Row],
        depth: int,
        mode: str,
        image: Tensor,
        mask: Tensor,
        label: Tensor,
        name: str,
    ) -> bytes:
        """Return the sheet as the bytes of a PNG file: image, prediction, nodes; legend, table and curve below."""
        sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
        draw = ImageDraw.Draw(sheet)
        what = f"head {depth}" if mode == "fast" or depth == 1 else f"mean of heads 1–{depth}"
        paste(sheet, 0, f"image {name}", grey(image.mean(0)))
        paste(sheet, SIDE + GAP, f"depth {depth}: {what}", mark_mistakes(mask, label))
        left, below = 2 * (SIDE + GAP), LINE + SIDE + GAP
        draw.text((left, 2), f"L{depth}: the nodes that stay", "black", font(LETTERS))
        sheet.paste(self._draw_graph(depth, mode), (left, LINE))
        self._write_counts(draw, mask, label, below)
        self._write_table(draw, rows, depth, below + 4 * LINE + 10)
        sheet.paste(self._axes, (left, below))
        self._draw_curve(draw, rows, depth, mode, (left, below))
        return png(sheet)

    def _write_counts(self, draw: ImageDraw.ImageDraw, mask: Tensor, label: Tensor, top: int) -> None:
        """Write what the colours mean, and how many pixels have each."""
        zero, one = self.classes
        words = {
            f"{one} found (true positive)": (1, 1),
            f"{zero} found (true negative)": (0, 0),
            f"{one} called {zero} (false negative)": (1, 0),
            f"{zero} called {one} (false positive)": (0, 1),
        }
        for number, ((word, (true, said)), colour) in enumerate(zip(words.items(), MISTAKES.values(), strict=True)):
            y, count = top + number * LINE, ((mask == true) & (label == said)).sum().item()
            draw.rectangle((0, y + 2, 24, y + 17), colour, "black")
            draw.text((34, y), word, "black", font(LETTERS))
            draw.text((2 * SIDE + GAP, y), f"{count:,} pixels", "black", font(LETTERS), anchor="ra")

    def _write_table(self, draw: ImageDraw.ImageDraw, rows: Sequence[Row], depth: int, top: int) -> None:
        mono = font(LETTERS - 1, "Mono")
        height = "×".join(map(str, self.size[::-1]))
        head = f"{'parameters':>12}{'MACs at ' + height:>19}{'time here':>14}{'IoU':>7}{'mean':>7}"
        draw.text((4, top), head, "black", mono)
        whole = rows[-1].cost
        for number, row in enumerate(rows, start=1):
            y = top + number * LINE
            if row.depth == depth:
                draw.rectangle((0, y - 3, 2 * SIDE + GAP - 1, y + LINE - 4), HIGHLIGHT, CHOSEN)
            cost = row.cost
            line = (
                f"L{row.depth}{cost.parameters:>10,}{cost.parameters / whole.parameters:>5.0%}"
                f"{cost.macs / 1e9:>8.2f}G{cost.macs / whole.macs:>5.0%}"
                f"{1e3 * cost.latency:>6.1f} ms{cost.latency / whole.latency:>5.0%}"
                f"{row.here:>7.3f}{row.everywhere:>7.3f}"
            )
            draw.text((4, y), line, "black", mono)

    def _draw_curve(
        self, draw: ImageDraw.ImageDraw, rows: Sequence[Row], depth: int, mode: str, corner: tuple[int, int]
    ) -> None:
        x0, y0 = corner[0] + AXES[0], corner[1] + AXES[1]

        def point(row: Row, score: float) -> tuple[float, float]:
            return x0 + AXES[2] * 1e3 * row.cost.latency / self.slowest, y0 + AXES[3] * (1 - score)

        others, points = [point(row, row.other) for row in rows], [point(row, row.everywhere) for row in rows]
        draw.line(others, QUIET, 2)
        draw.line(points, LINE_COLOURS[0], 2)
        for row, (x, y), (_, quiet) in zip(rows, points, others, strict=True):
            r = 8 if row.depth == depth else 4
            draw.ellipse((x - 3, quiet - 3, x + 3, quiet + 3), QUIET)
            draw.ellipse((x - r, y - r, x + r, y + r), CHOSEN if row.depth == depth else LINE_COLOURS[0], "black")
            below = max(y, quiet) + 19
            beside = below if below < y0 + AXES[3] - 8 else min(y, quiet) - 17
            draw.text((x, beside), f"L{row.depth}", "black", font(LETTERS - 1), anchor="mm")
        named = {mode: LINE_COLOURS[0], "accurate" if mode == "fast" else "fast": QUIET_TEXT}
        for number, (word, colour) in enumerate(named.items()):
            y = y0 + AXES[3] - 30 + 16 * number
            draw.line((x0 + AXES[2] - 104, y, x0 + AXES[2] - 80, y), colour if number == 0 else QUIET, 2)
            draw.text((x0 + AXES[2] - 74, y), word, colour, font(LETTERS - 1), anchor="lm")

    def _draw_axes(self) -> Image.Image:
        picture = Image.new("RGB", PLOT, "white")
        draw = ImageDraw.Draw(picture)
        x0, y0, width, height = AXES
        for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
            y = y0 + height * (1 - share)
            draw.line((x0, y, x0 + width, y), "#E5E5E5")
            draw.text((x0 - 6, y), f"{share:.1f}", "black", font(LETTERS - 1), anchor="rm")
        step = _round_step(self.slowest / 5)
        for number in range(int(self.slowest / step) + 1):
            x = x0 + width * number * step / self.slowest
            draw.line((x, y0, x, y0 + height), "#E5E5E5")
            draw.text((x, y0 + height + 6), f"{number * step:g}", "black", font(LETTERS - 1), anchor="mt")
        draw.line((x0, y0, x0, y0 + height, x0 + width, y0 + height), "black")
        draw.text((x0, y0 - 8), "IoU, mean of the images", "black", font(LETTERS - 1), anchor="ls")
        words = "milliseconds for one image, here"
        draw.text((x0 + width / 2, y0 + height + 26), words, "black", font(LETTERS - 1), anchor="mt")
        return picture

    def _draw_graph(self, depth: int, mode: str) -> Image.Image:
        """Return the network's graph with what pruning drops in grey, and boxes around the heads that are used."""
        kept = grid_graph(self.model.widths[: depth + 1], self.model.dense, range(1, depth + 1))
        used = [depth] if mode == "fast" else range(1, depth + 1)
        return self.graph_sheet.draw(kept, heads={(0, d): CHOSEN for d in used})


def graph_layout(depth: int) -> Layout:
    """Return the layout in which a network of this depth fills its part of the sheet, whatever the depth."""
    width, height = PLOT[0] / 100, SIDE / 100  # inches
    pitch, row_pitch = width / (depth + 1), (height - 0.9) / depth - 0.084
    letters = 11 if depth < 5 else 7.5
    return Layout(
        width=width,
        half_node=(0.33 * pitch, min(0.14, 0.38 * row_pitch)),
        row_pitch=row_pitch,
        column_pitch=pitch,
        margins=pitch,
        bottom=0.1,
        rise=0.7,
        head_room=0.28,
        name_size=letters + 1,
        text_size=letters,
        line_width=1.2,
        details=False,
    )


def _round_step(least: float) -> float:
    """Return the smallest of …, 0.2, 0.5, 1, 2, 5, 10, … that is at least ``least``."""
    power = 10 ** np.floor(np.log10(least))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= least * 0.999))


def paste(sheet: Image.Image, left: int, caption: str, pixels: NDArray[np.uint8]) -> None:
    """Paste a picture below its caption, as large as fits into a square of SIDE pixels."""
    draw = ImageDraw.Draw(sheet)
    draw.text((left, 2), caption, "black", font(LETTERS))
    scale = SIDE / max(pixels.shape[:2])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    sheet.paste(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST), (left, LINE))
    draw.rectangle((left, LINE, left + size[0] - 1, LINE + size[1] - 1), outline="grey")
