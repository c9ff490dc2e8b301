"""The one drawing of a network graph, part by part; diagrams and explorers differ only in the layout they give it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from unetpp_course.style import LINE_COLOURS, WIDTH
from unetpp_lib.models.graph import Edge, NetworkGraph, Node

BLUE, _, GREEN, VERMILION = LINE_COLOURS[:4]
# each kind of edge has a colour and, for readers whom colours do not help, a pattern of dashes
KINDS: dict[str, dict[str, Any]] = {
    "down-sampling": {"color": VERMILION, "linestyle": "-"},
    "skip": {"color": BLUE, "linestyle": (0, (4, 1.5))},
    "up-sampling": {"color": GREEN, "linestyle": (0, (1.5, 1))},
    "head": {"color": "black", "linestyle": "-"},
}
QUIET = "#CCCCCC"
QUIET_TEXT = "#767676"  # the lightest grey that is still easily read on white (4.5 to 1)
COLOUR_MAP = plt.get_cmap("cividis")  # its order is the same to all eyes, and in grey

RIGHT, UP = np.eye(2)
COLOUR_BAR_HEIGHT = 0.8  # inches


@dataclass(frozen=True)
class Layout:
    """The measures of a drawing: lengths in inches, sizes of letters in points."""

    width: float = WIDTH
    half_node: tuple[float, float] = (0.34, 0.25)
    row_pitch: float = 0.95
    column_pitch: float = 1.5
    """At most: the nodes of deep networks stand closer together."""
    margins: float = 2.0
    """Left and right of the nodes' centres, together."""
    bottom: float = 0.5
    """Below the deepest node, for the legend."""
    head_room: float = 0.3
    """Above the tips of the heads' arrows."""
    rise: float = 1.0
    """Factor on the height of arcs."""
    name_size: float = 13
    """Of a node's name; its indices are 0.7 times as high."""
    text_size: float = 10
    line_width: float = 1.5
    details: bool = True
    """Whether a second line of text in each node, such as its channels, is written."""


PAGE = Layout()


def grid_position(node: Node) -> tuple[float, int]:
    """Return a node's column and row on the page, as in figure 1 of Zhou et al. 2018.

    Each row begins half a column further right than the row above, so that a node stands between the two it joins.
    """
    i, j = node
    return j + i / 2, i


def name_of(node: Node) -> str:
    """Return a node's name in plain letters."""
    return f"X{node[0]},{node[1]}"


def formula_of(node: Node) -> str:
    """Return a node's name as a formula."""
    return f"$X^{{{node[0]},{node[1]}}}$"


def edge_kind(edge: Edge) -> str:
    """Return which of `KINDS` an edge is; this follows from the rows of its two nodes."""
    (row_from, _), (row_to, _) = edge
    if row_from == row_to:
        return "skip"
    return "down-sampling" if row_from < row_to else "up-sampling"


class GraphDrawing:
    """A figure of a network graph. It begins empty; every method adds one part."""

    def __init__(self, graph: NetworkGraph, layout: Layout = PAGE, colour_bar: bool = False) -> None:
        self.graph, self.layout = graph, layout
        self.half_node = np.array(layout.half_node)
        self.pitch = min(layout.column_pitch, (layout.width - layout.margins) / graph.depth)
        arcs = [self.arc_rise(edge) for edge in graph.edges if edge[1][0] == 0 and self.is_arc(edge)]
        self.head_rise = max(arcs, default=0) + 0.25
        self.top = layout.bottom + graph.depth * layout.row_pitch + self.half_node[1]
        if colour_bar:
            self.top += COLOUR_BAR_HEIGHT
        height = self.top + self.half_node[1] + self.head_rise + layout.head_room
        self.figure = plt.figure(figsize=(layout.width, height), layout="none")
        plt.close(self.figure)  # a notebook shows it once, as the value of its cell
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, layout.width), ylim=(0, height))
        self.axes.axis("off")

    def place(self, node: Node) -> NDArray[Any]:
        """Return a node's centre in inches from the lower left corner."""
        column, row = grid_position(node)
        left = (self.layout.width - self.graph.depth * self.pitch) / 2
        return np.array([left + column * self.pitch, self.top - row * self.layout.row_pitch])

    def is_arc(self, edge: Edge) -> bool:
        """Return whether other nodes stand between the edge's two nodes, or the edge leads from a node to itself."""
        (i, start), (row_to, end) = edge
        between = range(min(start, end) + 1, max(start, end))
        return edge[0] == edge[1] or (i == row_to and any((i, j) in self.graph.channels for j in between))

    def arc_rise(self, edge: Edge) -> float:
        """Return how far an arc rises above its nodes: longer arcs rise higher, and the top row has more room."""
        return self.layout.rise * (0.08 if edge[0][0] else 0.12) * _columns_spanned(edge)

    def path_of(self, edge: Edge) -> Path:
        """Return the path from a node to another, around the nodes that stand between them."""
        start, end = map(self.place, edge)
        if self.is_arc(edge):
            forward = RIGHT if end[0] >= start[0] else -RIGHT
            inset = 1.2 - 0.95 * _columns_spanned(edge) / self.graph.depth  # longer arcs start further inside
            side = self.half_node[0] * inset * forward
            start, end = start + side + self.half_node * UP, end - side + self.half_node * UP
            lift = self.arc_rise(edge) / 0.75 * UP  # a cubic curve rises to three quarters of its handles
            lean = self.pitch / 4 * forward
            return Path([start, start + lift + lean, end + lift - lean, end], [Path.MOVETO] + [Path.CURVE4] * 3)
        reach = (end - start) / np.max(np.abs(end - start) / self.half_node)  # from the centre of a node to its rim
        return Path([start + reach, end - reach])

    def add_edge(self, edge: Edge, loud: bool) -> None:
        """Draw an arrow from a node to another."""
        self._add_arrow(self.path_of(edge), edge_kind(edge), loud, gid=f"edge {edge[0]} {edge[1]}")

    def add_head(self, node: Node, loud: bool, face: str | None = None) -> None:
        """Draw the heads that read a node above it, numbered where there are several, in a box of colour ``face``."""
        rim = self.place(node) + self.half_node * UP
        tip = rim + self.head_rise * UP
        self._add_arrow(Path([rim, tip]), "head", loud, gid=f"head {node}")
        several = sum(map(len, self.graph.heads.values())) > 1
        text = f"head {', '.join(map(str, self.graph.heads[node]))}" if several else "head"
        box = {"boxstyle": "round,pad=0.2", "facecolor": face, "edgecolor": "black"} if face else None
        colour = "black" if loud else QUIET_TEXT
        self._write(tip + (0.1 if box else 0.04) * UP, text, ha="center", color=colour, bbox=box)

    def _add_arrow(self, path: Path, kind: str, loud: bool, gid: str) -> None:
        """Draw an arrow in the look of its kind, or in grey and below the coloured ones."""
        look = KINDS[kind] if loud else KINDS[kind] | {"color": QUIET}
        size = 10 * self.layout.line_width / PAGE.line_width
        options: dict[str, Any] = {"lw": self.layout.line_width, "mutation_scale": size, "joinstyle": "miter"}
        zorder = 2 if loud else 1
        self.axes.add_artist(FancyArrowPatch(path=path, arrowstyle="-|>", gid=gid, zorder=zorder, **look, **options))

    def add_node(self, node: Node, text: str, face: str, loud: bool) -> None:
        """Draw a node with its name, and a text below where the layout has details."""
        centre = self.place(node)
        dark = np.array(to_rgb(face)) @ (0.299, 0.587, 0.114) < 0.46  # from here on black is the better to read
        letters = QUIET_TEXT if not loud else "white" if dark else "black"
        width, height = 2 * self.half_node
        box = FancyBboxPatch(centre - self.half_node, width, height, boxstyle="round,pad=0,rounding_size=0.1")
        edge = "black" if loud else QUIET
        box.set(facecolor=face, edgecolor=edge, linewidth=self.layout.line_width, zorder=3, gid=f"node {node}")
        self.axes.add_artist(box)
        name: dict[str, Any] = {"size": self.layout.name_size, "ha": "center", "color": letters, "zorder": 4}
        if self.layout.details:
            self._write(centre + 0.01 * UP, formula_of(node), **name)
            self._write(centre - 0.18 * UP, text, ha="center", color=letters, zorder=4)
        else:
            self._write(centre, formula_of(node), va="center_baseline", **name)

    def add_sizes(self) -> None:
        """Write the size of each row's maps at its left."""
        for i in range(self.graph.depth + 1):
            part = f"/{2**i}" if i else ""
            left = self.place((i, 0)) - (self.half_node[0] + 0.12) * RIGHT
            self._write(left, f"H{part} × W{part}", ha="right", va="center")

    def _write(self, at: NDArray[Any], text: str, **look: Any) -> None:
        """Write a text at a place on the page."""
        x, y = at
        self.axes.text(x, y, text, **{"size": self.layout.text_size} | look)

    def add_legend(self, quiet: str | None) -> None:
        """Explain the kinds of edges at the bottom of the page; ``quiet`` says what is grey."""
        looks: Mapping[str, Any] = KINDS | ({quiet: {"color": QUIET, "linestyle": "-"}} if quiet else {})
        lines = [Line2D([], [], label=label, lw=self.layout.line_width, **look) for label, look in looks.items()]
        size = self.layout.text_size
        self.figure.legend(handles=lines, loc="lower center", ncols=len(lines), frameon=False, fontsize=size)

    def add_colour_bar(self, scale: Normalize, label: str) -> None:
        """Explain the colours of the values, above the legend."""
        height = self.figure.get_figheight()
        axes = self.figure.add_axes((0.3, (self.layout.bottom + 0.45) / height, 0.4, 0.12 / height))
        bar = self.figure.colorbar(ScalarMappable(scale, COLOUR_MAP), cax=axes, orientation="horizontal")
        if (scale.vmax or 0) - (scale.vmin or 0) >= 2:  # no halves where counts are shown
            bar.locator = MaxNLocator(nbins=5, integer=True)
        axes.tick_params(labelsize=self.layout.text_size)
        axes.set_xlabel(label, size=self.layout.text_size)


def _columns_spanned(edge: Edge) -> int:
    """Return how many columns an arc spans; one where a node that is used twice feeds itself."""
    return max(1, abs(edge[1][1] - edge[0][1]))
