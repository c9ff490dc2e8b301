"""Pictures of a network, drawn from what the network itself does."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from numpy.typing import NDArray
from torch import nn

from unetpp_course.graph import Edge, Grid, Node, read_grid
from unetpp_course.style import LINE_COLOURS, WIDTH, course_style
from unetpp_lib.errors import InputError
from unetpp_lib.models import prune

BLUE, _, GREEN, VERMILION = LINE_COLOURS[:4]
# the kinds of edges in colours and, for whom colours do not help, in dashes
KINDS: dict[str, dict[str, Any]] = {
    "down-sampling": {"color": VERMILION, "linestyle": "-"},
    "skip": {"color": BLUE, "linestyle": (0, (4, 1.5))},
    "up-sampling": {"color": GREEN, "linestyle": (0, (1.5, 1))},
    "head": {"color": "black", "linestyle": "-"},
}
QUIET = "#CCCCCC"
QUIET_TEXT = "#767676"  # the lightest grey that is still easily read on white (4.5 to 1)
COLOUR_MAP = plt.get_cmap("cividis")  # one order of colours to all eyes, and in grey

LABEL_SIZE = 13  # points; the indices are 0.7 times as high
TEXT_SIZE = 10

# inches; a unit of the axes is an inch of the page
RIGHT, UP = np.eye(2)
HALF_NODE = np.array([0.34, 0.25])
ROW_PITCH = 0.95
COLUMN_PITCH = 1.5  # at most: deep networks stand closer
MARGINS = 2.0  # left and right of the nodes' centres, together
LEGEND_HEIGHT = 0.5
COLOUR_BAR_HEIGHT = 0.8


def draw_network(
    model: nn.Module,
    *,
    highlight: Node | None = None,
    kept_depth: int | None = None,
    values: Mapping[Node, float] | None = None,
    value_label: str = "value",
    value_limits: tuple[float, float] | None = None,
    value_format: str = ".2f",
) -> Figure:
    """Draw a network's nodes with their channels, what feeds what, and its heads; return the figure, 8 inches wide.

    ``highlight=(0, 2)`` leaves that node and its inputs in colour and greys all else; ``kept_depth=2`` greys what
    `prune` drops at that depth. ``values`` colours nodes that are not grey by numbers, which take the place of the
    channels; the colours run over ``value_limits``, by default from the lowest to the highest.
    Raises InputError for a module that is no such network (see `wiring`), a node that does not exist, a depth to which
    the network cannot be pruned, and ``highlight`` with ``kept_depth``. Layout: figure 1 of Zhou et al. 2018.
    """
    values = values or {}
    grid = read_grid(model)
    loud = grid
    faces: dict[Node, str] = {}
    if highlight is not None and kept_depth is not None:
        raise InputError(
            "highlight and kept_depth both say what is grey: give one, or highlight in prune(model, depth)."
        )
    if highlight is not None:
        require_nodes("highlight", [highlight], grid)
        loud = grid.around(highlight)
        faces |= {source: tint(edge_kind((source, highlight))) for source in grid.inputs[highlight]}
        faces[highlight] = "black"
    if kept_depth is not None:
        loud = pruned_grid(model, kept_depth)
    require_nodes("values", values, grid)
    scale = None
    if values:
        scale = Normalize(*(value_limits or (min(values.values()), max(values.values()))))
        faces |= {node: to_hex(COLOUR_MAP(scale(value))) for node, value in values.items() if node in loud.channels}
    return draw_grid(
        grid,
        loud,
        faces,
        {node: format(value, value_format) for node, value in values.items()},
        colour_bar=(scale, value_label) if scale else None,
        quiet="dropped by pruning" if kept_depth is not None else None,
    )


@course_style()
def draw_grid(
    grid: Grid,
    loud: Grid,
    faces: Mapping[Node, str],
    texts: Mapping[Node, str],
    colour_bar: tuple[Normalize, str] | None = None,
    quiet: str | None = None,
) -> Figure:
    """Draw a grid, what is not in ``loud`` in grey; nodes are white and hold their channels but for what is given.

    The colour bar explains the faces under a label; ``quiet`` says in the legend what is grey.
    """
    drawing = Drawing(grid, colour_bar=colour_bar is not None)
    if colour_bar is not None:
        drawing.add_colour_bar(*colour_bar)
    for edge in grid.edges:
        drawing.add_edge(edge, loud=edge in loud.edges)
    for node in grid.heads:
        drawing.add_head(node, loud=node in loud.heads)
    for node, channels in grid.channels.items():
        drawing.add_node(node, texts.get(node, str(channels)), faces.get(node, "white"), loud=node in loud.channels)
    drawing.add_sizes()
    drawing.add_legend(quiet)
    return drawing.figure


def name_of(node: Node) -> str:
    """Return a node's name in plain letters."""
    return f"X{node[0]},{node[1]}"


def pruned_grid(model: nn.Module, depth: int) -> Grid:
    """Return the grid of the network that is left when a model is pruned."""
    try:
        with torch.device("meta"):  # weights that are not drawn leave the random state alone
            return read_grid(prune(deepcopy(model).to("meta"), depth))  # type: ignore[arg-type]
    except InputError as error:
        raise InputError(f"kept_depth={depth}: {error}") from None


def require_nodes(argument: str, nodes: Iterable[Node], grid: Grid) -> None:
    """Raise InputError for the first of an argument's nodes that is not in the grid."""
    for node in nodes:
        if node not in list(grid.channels):  # a list answers what cannot be hashed as well
            there = ", ".join(map(str, grid.channels))
            raise InputError(f"{argument} names the node {node}; the nodes here are {there}.")


def edge_kind(edge: Edge) -> str:
    """Return which of `KINDS` leads from a node to another: that follows from their rows."""
    (row_from, _), (row_to, _) = edge
    return "skip" if row_from == row_to else "down-sampling" if row_from < row_to else "up-sampling"


def tint(kind: str) -> str:
    """Return the light colour for a node that feeds another by an edge of this kind."""
    return to_hex((0.75 + 0.25 * np.array(to_rgb(KINDS[kind]["color"]))).tolist())


def span(edge: Edge) -> int:
    """Return how many columns an arc spans; one where a node that is used twice feeds itself."""
    return max(1, abs(edge[1][1] - edge[0][1]))


def arc_rise(edge: Edge) -> float:
    """Return how far an arc rises above its nodes: longer ones higher, so that they nest; the top row has more room."""
    return (0.08 if edge[0][0] else 0.12) * span(edge)


class Drawing:
    """A figure of a grid, part by part."""

    def __init__(self, grid: Grid, colour_bar: bool) -> None:
        self.grid = grid
        self.pitch = min(COLUMN_PITCH, (WIDTH - MARGINS) / grid.depth)
        arcs = [arc_rise(edge) for edge in grid.edges if edge[1][0] == 0 and self.is_arc(edge)]
        self.head_rise = max(arcs, default=0) + 0.25
        self.top = LEGEND_HEIGHT + colour_bar * COLOUR_BAR_HEIGHT + grid.depth * ROW_PITCH + HALF_NODE[1]
        height = self.top + HALF_NODE[1] + self.head_rise + 0.3
        self.figure = plt.figure(figsize=(WIDTH, height), layout="none")
        plt.close(self.figure)  # a notebook shows it once, as the value of its cell
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
        self.axes.axis("off")

    def place(self, node: Node) -> NDArray[Any]:
        """Return a node's centre: every row stands between the nodes of the row above, as in the paper."""
        i, j = node
        left = (WIDTH - self.grid.depth * self.pitch) / 2
        return np.array([left + (j + i / 2) * self.pitch, self.top - i * ROW_PITCH])

    def is_arc(self, edge: Edge) -> bool:
        """Return whether nodes stand between the edge's two, or it leads from a node to itself."""
        (i, start), (row_to, end) = edge
        between = range(min(start, end) + 1, max(start, end))
        return edge[0] == edge[1] or (i == row_to and any((i, j) in self.grid.channels for j in between))

    def path_of(self, edge: Edge) -> Path:
        """Return the way from a node to another, around those that stand between."""
        start, end = map(self.place, edge)
        if self.is_arc(edge):
            forward = RIGHT if end[0] >= start[0] else -RIGHT
            side = HALF_NODE[0] * (1.2 - 0.95 * span(edge) / self.grid.depth) * forward  # longer arcs start further in
            start, end = start + side + HALF_NODE * UP, end - side + HALF_NODE * UP
            lift = arc_rise(edge) / 0.75 * UP  # a cubic curve rises to three quarters of its handles
            lean = self.pitch / 4 * forward
            return Path([start, start + lift + lean, end + lift - lean, end], [Path.MOVETO] + [Path.CURVE4] * 3)
        reach = (end - start) / np.max(np.abs(end - start) / HALF_NODE)  # from a centre to its node's rim
        return Path([start + reach, end - reach])

    def add_edge(self, edge: Edge, loud: bool) -> None:
        """Draw an arrow from a node to another."""
        self.add_arrow(self.path_of(edge), edge_kind(edge), loud, gid=f"edge {edge[0]} {edge[1]}")

    def add_head(self, node: Node, loud: bool) -> None:
        """Draw the heads that read a node, above it; they are numbered where there are several."""
        rim = self.place(node) + HALF_NODE * UP
        tip = rim + self.head_rise * UP
        self.add_arrow(Path([rim, tip]), "head", loud, gid=f"head {node}")
        several = sum(map(len, self.grid.heads.values())) > 1
        text = f"head {', '.join(map(str, self.grid.heads[node]))}" if several else "head"
        self.write(tip + 0.04 * UP, text, ha="center", color="black" if loud else QUIET_TEXT)

    def add_arrow(self, path: Path, kind: str, loud: bool, gid: str) -> None:
        """Draw an arrow in the look of its kind, or in grey, under those that are in colour."""
        look = KINDS[kind] if loud else KINDS[kind] | {"color": QUIET}
        options: dict[str, Any] = {"lw": 1.5, "mutation_scale": 10, "joinstyle": "miter", "zorder": 2 if loud else 1}
        self.axes.add_artist(FancyArrowPatch(path=path, arrowstyle="-|>", gid=gid, **look, **options))

    def add_node(self, node: Node, text: str, face: str, loud: bool) -> None:
        """Draw a node with its name and a text below."""
        centre = self.place(node)
        dark = np.array(to_rgb(face)) @ (0.299, 0.587, 0.114) < 0.46  # from here on black is the better to read
        letters = QUIET_TEXT if not loud else "white" if dark else "black"
        width, height = 2 * HALF_NODE
        box = FancyBboxPatch(centre - HALF_NODE, width, height, boxstyle="round,pad=0,rounding_size=0.1")
        box.set(facecolor=face, edgecolor="black" if loud else QUIET, linewidth=1.5, zorder=3, gid=f"node {node}")
        self.axes.add_artist(box)
        name = f"$X^{{{node[0]},{node[1]}}}$"
        self.write(centre + 0.01 * UP, name, size=LABEL_SIZE, ha="center", color=letters, zorder=4)
        self.write(centre - 0.18 * UP, text, ha="center", color=letters, zorder=4)

    def add_sizes(self) -> None:
        """Write the size of a row's maps at its left."""
        for i in range(self.grid.depth + 1):
            part = f"/{2**i}" if i else ""
            left = self.place((i, 0)) - (HALF_NODE[0] + 0.12) * RIGHT
            self.write(left, f"H{part} × W{part}", ha="right", va="center")

    def write(self, at: NDArray[Any], text: str, **look: Any) -> None:
        """Write a text at a place on the page."""
        x, y = at
        self.axes.text(x, y, text, **{"size": TEXT_SIZE} | look)

    def add_legend(self, quiet: str | None) -> None:
        """Explain the kinds of edges, and what is grey, at the bottom of the page."""
        looks = KINDS | ({quiet: {"color": QUIET, "linestyle": "-"}} if quiet else {})
        lines = [Line2D([], [], label=label, lw=1.5, **look) for label, look in looks.items()]
        self.figure.legend(handles=lines, loc="lower center", ncols=len(lines), frameon=False, fontsize=TEXT_SIZE)

    def add_colour_bar(self, scale: Normalize, label: str) -> None:
        """Explain the colours of the values, above the legend."""
        height = self.figure.get_figheight()
        axes = self.figure.add_axes((0.3, (LEGEND_HEIGHT + 0.45) / height, 0.4, 0.12 / height))
        self.figure.colorbar(ScalarMappable(scale, COLOUR_MAP), cax=axes, orientation="horizontal")
        axes.tick_params(labelsize=TEXT_SIZE)
        axes.set_xlabel(label, size=TEXT_SIZE)
