"""The map of the course: its notebooks in reading order, and what is needed again in later ones."""

from textwrap import wrap
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, Patch, Rectangle
from matplotlib.path import Path

from unetpp_course.style import LINE_COLOURS, WIDTH, course_style


class Station(NamedTuple):
    """A notebook on the map, at ``column`` and ``row``."""

    title: str
    question: str
    column: float
    row: int
    optional: bool = False


STATIONS = (  # a station's number is its position in this list
    Station("Start here", "Is my machine ready, and where am I going?", 0, 0),
    Station("Images and masks", "How do forty images become a learning problem?", 0, 1),
    Station("Convolution", "How far can a pixel see?", 1, 1),
    Station("U-Net", "Why does a U need its skips?", 2, 1),
    Station("Dense pathways", "What fills the U, and what does it cost?", 3, 1),
    Station("Deep supervision", "What does learning from intermediate maps change?", 3, 2),
    Station("Combined loss", "What does each loss pull on?", 2, 2),
    Station("IoU", "What does a score count?", 1, 2),
    Station("Honest evaluation", "Would it hold on new tissue?", 0, 2),
    Station("The training loop", "How do I know that training works?", 0, 3),
    Station("GPU training", "What does the real thing take?", 1.5, 3, optional=True),
    Station("Depth pruning", "How deep must it be?", 3, 3),
    Station("U-Net or UNet++", "Is it better, or only bigger?", 1, 4),
    Station("Your own images", "How do I use this on my data?", 3, 4, optional=True),
)
PARTS = ("the network", "learning", "training\nand pruning", "the verdict,\nyour data")  # from row 1 on
COLOURS = ("black", LINE_COLOURS[0], LINE_COLOURS[2], LINE_COLOURS[1], LINE_COLOURS[4])

# what is needed again, from where and where: a notebook, and the distance right of its card's centre in half cards
NEEDS = (
    ("its two boxes, opened", (1, 0), (6, 0)),
    ("", (1, 0), (7, 0)),  # the other box
    ("its heads", (5, 0), (11, 0)),
    ("how to compare", (8, 0.5), (12, -0.55)),
    ("exported", (11, 0), (13, 0)),
)

# inches; a unit of the axes is an inch of the page, and y counts downwards
CARD_WIDTH, CARD_HEIGHT = 1.66, 0.84
COLUMN_PITCH, ROW_PITCH = 1.85, 1.28
LEFT, TOP = 1.5, 0.5  # the centre of the first card
PATH_STYLE: dict[str, Any] = {"color": "#999999", "linewidth": 5, "zorder": 1}
NEED_STYLE: dict[str, Any] = {"color": LINE_COLOURS[3], "linewidth": 1.5, "zorder": 2}


def place(number: int, right: float = 0, down: float = 0) -> tuple[float, float]:
    """Return a point of a notebook's card, ``right`` and ``down`` from its centre in halves of the card."""
    x, y = LEFT + COLUMN_PITCH * STATIONS[number].column, TOP + ROW_PITCH * STATIONS[number].row
    return x + right * CARD_WIDTH / 2, y + down * CARD_HEIGHT / 2


@course_style()
def draw_course_map() -> Figure:
    """Draw the fourteen notebooks in reading order, and arrows to where something is needed again; 8 inches wide."""
    height = place(13, down=1)[1] + 0.1
    figure = plt.figure(figsize=(WIDTH, height), layout="none")
    plt.close(figure)  # a notebook shows it once, as the value of its cell
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    for row, part in enumerate(PARTS, start=1):
        y = TOP + row * ROW_PITCH
        axes.axhspan(y - 0.49, y + 0.49, color=COLOURS[row], alpha=0.25, linewidth=0, zorder=0)
        axes.text(0.3, y, part, rotation=90, ha="center", va="center", size=9, weight="bold")
    add_lines(axes)
    for number in range(len(STATIONS)):
        add_station(axes, number)
    axes.text(*place(0, 1.1), "◀ you are here", size=10, va="center")
    handles = [
        Line2D([], [], label="the way through the course", **PATH_STYLE),
        Line2D([], [], label="is needed again there", marker=">", markevery=[1], **NEED_STYLE),
        Patch(label="may be skipped", facecolor="white", edgecolor="black", linewidth=1.5, linestyle="--"),
    ]
    axes.legend(handles=handles, loc="center right", bbox_to_anchor=(WIDTH - 0.05, TOP), bbox_transform=axes.transData)
    return figure


def add_lines(axes: Axes) -> None:
    """Draw the path from notebook to notebook, and the arrows with their labels."""
    for number in (*range(11), 12):
        axes.plot(*zip(place(number), place(number + 1), strict=True), **PATH_STYLE)
    axes.plot(*zip(*elbow((11, -0.4), (12, 0.5)), strict=True), **PATH_STYLE)
    for label, source, target in NEEDS:
        points = elbow(source, target)
        axes.add_patch(
            FancyArrowPatch(path=Path(points), arrowstyle="-|>", mutation_scale=11, gid="need", **NEED_STYLE)
        )
        x, y = points[1]
        axes.text(x + 0.08, y - 0.11, label, size=9, style="italic", va="center", color=NEED_STYLE["color"])


def elbow(source: tuple[int, float], target: tuple[int, float]) -> list[tuple[float, float]]:
    """Return the corners of a line from the bottom of a card, through the gap, to the top of another."""
    start, end = place(*source, 1), place(*target, -1)
    lane = place(source[0])[1] + ROW_PITCH / 2 + 0.05
    return [start, (start[0], lane), (end[0], lane), end]


def add_station(axes: Axes, number: int) -> None:
    """Draw a notebook's card with its number in a disc, its title and its question."""
    station = STATIONS[number]
    left, top = place(number, -1, -1)
    look: dict[str, Any] = {"facecolor": "white", "edgecolor": COLOURS[station.row], "linewidth": 1.5}
    card = Rectangle((left, top), CARD_WIDTH, CARD_HEIGHT, gid=f"card {number}", zorder=3, **look)
    card.set_linestyle("--" if station.optional else "-")
    axes.add_patch(card)
    axes.add_patch(Circle((left, top + 0.19), 0.15, zorder=4, **look))
    title: dict[str, Any] = {"size": 9.5, "weight": "bold", "va": "center_baseline", "zorder": 5}
    axes.text(left, top + 0.19, f"{number:02}", ha="center", **title)
    axes.text(left + 0.2, top + 0.19, station.title, **title)
    for line, text in enumerate(wrap(station.question, width=21)):
        axes.text(left + 0.1, top + 0.47 + 0.145 * line, text, size=9, zorder=5)
