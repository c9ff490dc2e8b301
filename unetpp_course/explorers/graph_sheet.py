"""A network graph as a picture that keeps up with a control: its parts are drawn once, then pasted together."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from html import escape

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path
from numpy.typing import NDArray
from PIL import Image

from unetpp_course.figures import FORMULAS
from unetpp_course.graph_drawing import PAGE, GraphDrawing, Layout, name_of
from unetpp_course.style import course_style
from unetpp_lib.models import NetworkGraph
from unetpp_lib.models.graph import Edge, Node

HINT = "Click a wire to switch it, a node to choose it."
CORNERS = np.array([[-1, 1], [1, -1]])  # upper left and lower right

Part = tuple[Image.Image, tuple[int, int]]  # with transparent ground, and the position of its upper left corner

# A click goes to the kernel through a hidden text field; the time tells two clicks on one place apart.
SEND = """
const wire = event.target.dataset.wire, field = this.closest('.course-explorer').querySelector('.clicked input');
if (wire) { field.value = wire + ' ' + Date.now(); field.dispatchEvent(new Event('input', {bubbles: true})); }
"""


class GraphSheet:
    """Draws parts of one graph in colour; all other parts of it are grey.

    ``absent`` is what the legend calls the grey parts; without it there is neither a legend nor the maps' sizes.
    """

    @course_style()
    def __init__(self, graph: NetworkGraph, layout: Layout = PAGE, absent: str | None = None) -> None:
        self._graph, self._drawing = graph, GraphDrawing(graph, layout)
        canvas = FigureCanvasAgg(self._drawing.figure)
        self._renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        self._renderer.mathtext_parser = FORMULAS
        for edge in graph.edges:
            self._drawing.add_edge(edge, loud=False)
        for node in graph.heads:
            self._drawing.add_head(node, loud=False)
        for node, channels in graph.channels.items():
            self._drawing.add_node(node, str(channels), "white", loud=False)
        if absent:
            self._drawing.add_sizes()
            self._drawing.add_legend(absent)
        canvas.draw()  # type: ignore[no-untyped-call]
        self._ground = Image.fromarray(self._pixels()).convert("RGB")
        self._parts: dict[object, Part] = {}
        self.draw(graph)  # draws all parts now, so that the picture keeps up with the keyboard later

    def draw(
        self, present: NetworkGraph, faces: Mapping[Node, str] | None = None, heads: Mapping[Node, str] | None = None
    ) -> Image.Image:
        """Return the picture with the parts of ``present`` in colour.

        ``faces`` are the colours of nodes, present or not; ``heads`` those of the boxes around heads, by their node.
        """
        faces, heads = faces or {}, heads or {}
        add, sheet = self._drawing, self._ground.copy()
        for edge in present.edges:
            self._put(sheet, edge, partial(add.add_edge, edge, loud=True))
        for node in present.heads:
            box = heads.get(node)
            self._put(sheet, ("head", node, box), partial(add.add_head, node, loud=True, face=box))
        for node in [*present.channels, *(node for node in faces if node not in present.channels)]:
            face, text = faces.get(node, "white"), str(self._graph.channels[node])
            self._put(sheet, (node, face), partial(add.add_node, node, text, face, loud=True))
        return sheet

    def targets(self, edges: Iterable[Edge]) -> str:
        """Return SVG to lie over the picture in a browser: the edges and nodes of the grid that take clicks."""
        width, height = self._ground.size
        parts = [
            f'<path data-wire="{_spell(edge)}" d="{self._svg_path(self._drawing.path_of(edge))}">'
            f"<title>{name_of(edge[0])} → {name_of(edge[1])}</title></path>"
            for edge in sorted({*self._graph.edges, *edges})
            if edge[1][1]
        ]
        for node in self._graph.channels:
            if node[1]:
                centre, half = self._drawing.place(node), self._drawing.half_node
                (left, top), (right, bottom) = (self._on_sheet(centre + side * half) for side in CORNERS)
                parts.append(
                    f'<rect data-wire="{_spell((node, node))}" x="{left}" y="{top}" width="{right - left}" '
                    f'height="{bottom - top}"><title>{name_of(node)}</title></rect>'
                )
        hint = f'<text x="8" y="22">{HINT}</text>'
        return (
            f'<svg class="targets" aria-hidden="true" viewBox="0 0 {width} {height}" onclick="{escape(SEND)}">'
            f"{hint}{''.join(parts)}</svg>"
        )

    def _put(self, sheet: Image.Image, name: object, add: Callable[[], None]) -> None:
        """Paste a part; draw it first where it is asked for the first time."""
        if name not in self._parts:
            self._parts[name] = self._draw_part(add)
        part, place = self._parts[name]
        sheet.paste(part, place, part)

    def _draw_part(self, add: Callable[[], None]) -> Part:
        """Draw alone what ``add`` adds to the drawing."""
        axes = self._drawing.axes
        before = set(axes.get_children())
        add()
        self._renderer.clear()
        for artist in sorted(set(axes.get_children()) - before, key=lambda artist: artist.zorder):
            artist.draw(self._renderer)
            artist.remove()
        picture = Image.fromarray(self._pixels())
        box = picture.getbbox()
        assert box is not None
        return picture.crop(box), box[:2]

    def _pixels(self) -> NDArray[np.uint8]:
        return np.array(self._renderer.buffer_rgba())

    def _on_sheet(self, at: NDArray[np.floating]) -> tuple[int, int]:
        """Return the pixel of a place that is given in inches from the lower left corner."""
        dpi = self._drawing.figure.dpi
        return round(at[0] * dpi), self._ground.height - round(at[1] * dpi)

    def _svg_path(self, path: Path) -> str:
        """Return a path in SVG's notation: a line or a cubic curve."""
        points = [f"{x} {y}" for x, y in map(self._on_sheet, np.asarray(path.vertices))]
        return f"M {points[0]} {'C' if len(points) == 4 else 'L'} {', '.join(points[1:])}"


def _spell(edge: Edge) -> str:
    return ",".join(str(number) for node in edge for number in node)


def read_click(report: str) -> Edge:
    """Return the edge that was clicked; a click on a node is reported as an edge from the node to itself."""
    i, j, k, m = (int(number) for number in report.split()[0].split(","))
    return (i, j), (k, m)
