"""The map of the course: its notebooks in reading order, four to a row."""

from textwrap import wrap
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from unetpp_course.style import LINE_COLOURS, WIDTH, course_style


class Station(NamedTuple):
    """A notebook on the map, at ``column`` and ``row``, with the minutes that it states."""

    title: str
    question: str
    column: int
    row: int
    minutes: int
    core: bool = False
    """Whether it is on the core path of about six hours."""
    optional: bool = False


STATIONS = (  # a station's number is its position in this list
    Station("Start here", "Is my machine ready, and where am I going?", 0, 0, 50, core=True),
    Station("Images and masks", "How do forty images become a learning problem?", 0, 1, 90),
    Station("Convolution", "How far can a pixel see?", 1, 1, 90),
    Station("U-Net", "Why does a U need its skips?", 2, 1, 90, core=True),
    Station("Dense pathways", "What fills the U, and what does it cost?", 3, 1, 90, core=True),
    Station("Deep supervision", "What does learning from intermediate maps change?", 0, 2, 90, core=True),
    Station("Combined loss", "What does each loss pull on?", 1, 2, 90),
    Station("IoU", "What does a score count?", 2, 2, 90),
    Station("Honest evaluation", "Would it hold on new tissue?", 3, 2, 90),
    Station("The training loop", "How do I know that training works?", 0, 3, 85),
    Station("GPU training", "What does the real thing take?", 1, 3, 90, optional=True),
    Station("Depth pruning", "How deep must it be?", 2, 3, 90),
    Station("U-Net or UNet++", "Is it better, or only bigger?", 0, 4, 90),
    Station("Your own images", "How do I use this on my data?", 1, 4, 90, optional=True),
)
PARTS = ("networks", "learning", "training\nand pruning", "the verdict,\nyour data")  # from row 1 on
COLOURS = ("black", LINE_COLOURS[0], LINE_COLOURS[2], LINE_COLOURS[1], LINE_COLOURS[4])

# inches; a unit of the axes is an inch of the page, and y counts downwards
CARD_WIDTH, CARD_HEIGHT = 1.66, 0.98
COLUMN_PITCH, ROW_PITCH = 1.85, 1.2
LEFT, TOP = 1.5, 0.6  # the centre of the first card


def place(number: int, right: float = 0, down: float = 0) -> tuple[float, float]:
    """Return a point of a notebook's card, ``right`` and ``down`` from its centre in halves of the card."""
    x, y = LEFT + COLUMN_PITCH * STATIONS[number].column, TOP + ROW_PITCH * STATIONS[number].row
    return x + right * CARD_WIDTH / 2, y + down * CARD_HEIGHT / 2


@course_style()
def draw_course_map() -> Figure:
    """Draw the fourteen notebooks in reading order, from left to right and from top to bottom; 8 inches wide."""
    height = place(13, down=1)[1] + 0.1
    figure = plt.figure(figsize=(WIDTH, height), layout="none")
    plt.close(figure)  # a notebook shows it once, as the value of its cell
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    for row, part in enumerate(PARTS, start=1):
        y = TOP + row * ROW_PITCH
        axes.axhspan(y - 0.56, y + 0.56, color=COLOURS[row], alpha=0.25, linewidth=0, zorder=0)
        axes.text(0.3, y, part, rotation=90, ha="center", va="center", size=9, weight="bold")
    for number, station in enumerate(STATIONS):
        add_station(axes, number)
        if number and STATIONS[number - 1].row == station.row:
            style = {"arrowstyle": "-|>", "color": "black", "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", place(number, -1), place(number - 1, 1), arrowprops=style)
    axes.text(*place(0, 1.1, -0.62), "◀ you are here", size=10, va="center")
    key = (
        "filled number: on the core path of about six hours",
        "open number: the rest of the course",
        "dashed frame: optional, may be skipped",
    )
    for line, text in enumerate(key):
        axes.text(*place(0, 1.1, -0.12 + 0.42 * line), text, size=10, va="center")
    return figure


def add_station(axes: Axes, number: int) -> None:
    """Draw a notebook's card with its number in a disc, its title and its question."""
    station = STATIONS[number]
    left, top = place(number, -1, -1)
    look: dict[str, Any] = {"facecolor": "white", "edgecolor": COLOURS[station.row], "linewidth": 1.5}
    card = Rectangle((left, top), CARD_WIDTH, CARD_HEIGHT, gid=f"card {number}", zorder=3, **look)
    card.set_linestyle("--" if station.optional else "-")
    axes.add_patch(card)
    disc = COLOURS[station.row] if station.core else "white"
    axes.add_patch(Circle((left, top + 0.19), 0.15, zorder=4, **look | {"facecolor": disc}))
    title: dict[str, Any] = {"size": 9.5, "weight": "bold", "va": "center_baseline", "zorder": 5}
    axes.text(left, top + 0.19, f"{number:02}", ha="center", color="white" if station.core else "black", **title)
    axes.text(left + 0.2, top + 0.19, station.title, **title)
    for line, text in enumerate(wrap(station.question, width=21)):
        axes.text(left + 0.1, top + 0.46 + 0.145 * line, text, size=9, zorder=5)
    corner = place(number, 1, 1)
    axes.text(corner[0] - 0.06, corner[1] - 0.08, f"{station.minutes} min", size=9, ha="right", color="0.35", zorder=5)
