"""The picture of the depth explorer: all that it shows of one depth, on one sheet, drawn quickly."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from unetpp_course.diagrams import KINDS, QUIET, QUIET_TEXT, edge_kind
from unetpp_course.explorers.sheet import HIGHLIGHT, font, grey, png
from unetpp_course.graph import Grid, Node
from unetpp_course.style import LINE_COLOURS, MISTAKES, mark_mistakes
from unetpp_lib.models import UNetPlusPlus

SIDE, GAP, LINE = 288, 12, 26  # pixels: a picture's longer side, between two parts, a line of text
LETTERS = 17  # where the page is 700 pixels wide, the sheet is shown at six tenths of its size
PLOT = (316, 250)
WIDTH, HEIGHT = 2 * SIDE + PLOT[0] + 2 * GAP, LINE + SIDE + GAP + PLOT[1]
AXES = (44, 30, 262, 160)  # of the plot: left, top, width and height in pixels
FINE = 3  # a grid is drawn so many times larger, then reduced: smooth lines
TODAY = LINE_COLOURS[1]


class Cost(NamedTuple):
    """What one forward pass of one image costs."""

    parameters: int
    macs: int
    latency: float
    """Seconds."""


class Row(NamedTuple):
    """A line of the table, and a point of the curve."""

    depth: int
    cost: Cost
    here: float
    """IoU of the image that is shown."""
    everywhere: float
    """IoU, mean of all images."""
    other: float
    """The same in the other mode."""


class DepthSheet:
    """Draws the sheets of one network; what stays the same from sheet to sheet is drawn once."""

    def __init__(
        self, model: UNetPlusPlus, costs: dict[int, Cost], size: tuple[int, ...], classes: tuple[str, str]
    ) -> None:
        self.grid = grid_of(model)
        self.slowest = 1.12e3 * max(cost.latency for cost in costs.values())  # milliseconds at the curve's right
        self.size, self.classes = size, classes
        self._axes = self._draw_axes()
        self._grids: dict[tuple[int, str], Image.Image] = {}

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
        _paste(sheet, 0, f"image {name}", grey(image.mean(0)))
        _paste(sheet, SIDE + GAP, f"depth {depth}: {what}", mark_mistakes(mask, label))
        left, below = 2 * (SIDE + GAP), LINE + SIDE + GAP
        draw.text((left, 2), f"L{depth}: the nodes that stay", "black", font(LETTERS))
        sheet.paste(self._grid(depth, mode), (left, LINE))
        self._write_counts(draw, mask, label, below)
        self._write_table(draw, rows, depth, below + 4 * LINE + 10)
        sheet.paste(self._axes, (left, below))
        self._draw_curve(draw, rows, depth, mode, (left, below))
        return png(sheet)

    def _write_counts(self, draw: ImageDraw.ImageDraw, mask: Tensor, label: Tensor, top: int) -> None:
        """Say what the colours mean, and how many pixels have each."""
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
                draw.rectangle((0, y - 3, 2 * SIDE + GAP - 1, y + LINE - 4), HIGHLIGHT, TODAY)
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
            draw.ellipse((x - r, y - r, x + r, y + r), TODAY if row.depth == depth else LINE_COLOURS[0], "black")
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

    def _grid(self, depth: int, mode: str) -> Image.Image:
        if (depth, mode) not in self._grids:
            self._grids[depth, mode] = small_grid(self.grid, depth, mode, (PLOT[0], SIDE))
        return self._grids[depth, mode]


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10 … (or 0.5, 0.2 …) that is not below ``least``."""
    power = 10 ** np.floor(np.log10(least))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= least * 0.999))


def grid_of(model: UNetPlusPlus) -> Grid:
    """Return what `read_grid` returns, from the architecture alone: that takes a second less at its first call."""
    nodes = [(i, j) for i in range(model.depth + 1) for j in range(model.depth - i + 1)]
    inputs: dict[Node, list[Node]] = {}
    for i, j in nodes:
        skips = [(i, k) for k in range(0 if model.dense else j - 1, j)]
        inputs[i, j] = [*skips, (i + 1, j - 1)] if j else [(i - 1, 0)] if i else []
    heads = {(0, depth): [number] for number, depth in enumerate(model.head_depths, start=1)}
    return Grid({(i, j): model.widths[i] for i, j in nodes}, inputs, heads)


def small_grid(grid: Grid, depth: int, mode: str, size: tuple[int, int]) -> Image.Image:
    """Draw a grid with what pruning to ``depth`` drops in grey, and the heads that answer in ``mode`` filled."""
    width, height = size
    picture = Image.new("RGB", (width * FINE, height * FINE), "white")
    draw = ImageDraw.Draw(picture)
    pitch_x, pitch_y, radius = width / (grid.depth + 1), (height - 84) / (grid.depth + 0.4), 0.21 * width / grid.depth

    def at(node: Node) -> NDArray[Any]:
        i, j = node
        return FINE * np.array([(j + i / 2 + 0.5) * pitch_x, 84 + i * pitch_y])

    def stays(*nodes: Node) -> bool:
        return all(sum(node) <= depth for node in nodes)

    for edge in sorted(grid.edges, key=lambda edge: stays(*edge)):  # what stays is drawn over what goes
        colour = KINDS[edge_kind(edge)]["color"] if stays(*edge) else QUIET
        draw.line([tuple(point) for point in _path(at(edge[0]), at(edge[1]), pitch_x * FINE)], colour, 2 * FINE)
    letters, half = (
        font((LETTERS - 1 if grid.depth < 5 else 11) * FINE),
        FINE * np.array([min(32, pitch_x / 2 - 2), 13]),
    )
    for node, heads in grid.heads.items():
        centre, loud = at(node), stays(node)
        answers = loud and (node[1] == depth or (mode == "accurate" and node[1] <= depth))
        top = np.array([centre[0], 14 * FINE])
        draw.line([tuple(centre), tuple(top)], "black" if loud else QUIET, 2 * FINE)
        box = (*(top - half), *(top + half))
        draw.rounded_rectangle(box, 5 * FINE, TODAY if answers else "white", "black" if loud else QUIET, FINE)
        draw.text(
            tuple(top),
            f"head {heads[0]}" if grid.depth < 5 else str(heads[0]),
            "black" if loud else QUIET_TEXT,
            letters,
            anchor="mm",
        )
    for node in grid.channels:
        centre, loud, r = at(node), stays(node), radius * FINE
        draw.ellipse((*(centre - r), *(centre + r)), "white", "black" if loud else QUIET, 2 * FINE if loud else FINE)
        draw.text(tuple(centre), f"{node[0]},{node[1]}", "black" if loud else QUIET_TEXT, letters, anchor="mm")
    return picture.resize(size, Image.Resampling.BOX)


def _path(start: NDArray[Any], end: NDArray[Any], pitch: float) -> NDArray[Any]:
    """Return the points of a line between neighbours, or of an arc above the nodes that stand between."""
    share = np.linspace(0, 1, 25)[:, None]
    line: NDArray[Any] = start + share * (end - start)
    columns = (end[0] - start[0]) / pitch if start[1] == end[1] else 0
    rise = (0.17 * columns + 0.03) * pitch if columns > 1.5 else 0
    line[:, 1:] -= rise * 4 * share * (1 - share)
    return line


def _paste(sheet: Image.Image, left: int, caption: str, pixels: NDArray[np.uint8]) -> None:
    """Put a picture under its caption, as large as a square of SIDE holds it."""
    draw = ImageDraw.Draw(sheet)
    draw.text((left, 2), caption, "black", font(LETTERS))
    scale = SIDE / max(pixels.shape[:2])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    sheet.paste(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST), (left, LINE))
    draw.rectangle((left, LINE, left + size[0] - 1, LINE + size[1] - 1), outline="grey")
