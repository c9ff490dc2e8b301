"""The picture of the wiring explorer: its parts are drawn once, then put together as the wires change."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from html import escape

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path
from numpy.typing import NDArray
from PIL import Image

from unetpp_course.diagrams import HALF_NODE, Drawing, name_of
from unetpp_course.explorers.sheet import png
from unetpp_course.figures import FORMULAS
from unetpp_course.graph import Edge, Grid, Node

ABSENT = "not wired"
HINT = "Click a wire to switch it, a node to choose it."

CORNERS = np.array([[-1, 1], [1, -1]])  # upper left and lower right

Part = tuple[Image.Image, tuple[int, int]]  # with transparent ground, and where its upper left corner belongs

# A click goes to the kernel through a text field that is not seen; the time tells two clicks on one place apart.
SEND = """
const wire = event.target.dataset.wire, field = this.closest('.course-explorer').querySelector('.clicked input');
if (wire) { field.value = wire + ' ' + Date.now(); field.dispatchEvent(new Event('input', {bubbles: true})); }
"""


class WiringSheet:
    """Draws networks whose nodes are those of ``grid``; its wires that a network lacks stand in grey."""

    def __init__(self, grid: Grid) -> None:
        self._grid, self._drawing = grid, Drawing(grid, colour_bar=False)
        canvas = FigureCanvasAgg(self._drawing.figure)
        self._renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        self._renderer.mathtext_parser = FORMULAS
        for edge in grid.edges:
            self._drawing.add_edge(edge, loud=False)
        for node, channels in grid.channels.items():
            self._drawing.add_node(node, str(channels), "white", loud=False)
        self._drawing.add_sizes()
        self._drawing.add_legend(ABSENT)
        canvas.draw()  # type: ignore[no-untyped-call]
        self._ground = Image.fromarray(self._pixels()).convert("RGB")
        self._parts: dict[object, Part] = {}
        self.draw(replace(grid, heads={(0, grid.depth): [1]}), (0, 0))  # all ahead, so that they follow the keys

    def draw(self, present: Grid, chosen: Node) -> bytes:
        """Return a network as the bytes of a PNG file, the chosen node in black."""
        add, sheet = self._drawing, self._ground.copy()
        for edge in present.edges:
            self._put(sheet, edge, partial(add.add_edge, edge, loud=True))
        for node in present.heads:
            self._put(sheet, ("head", node), partial(add.add_head, node, loud=True))
        for node in {*present.channels, chosen}:
            face, text = "black" if node == chosen else "white", str(self._grid.channels[node])
            self._put(sheet, (node, face), partial(add.add_node, node, text, face, loud=True))
        return png(sheet)

    def targets(self, edges: Iterable[Edge]) -> str:
        """Return what lies over the picture in a browser, as SVG: wires and nodes that take clicks."""
        width, height = self._ground.size
        parts = [
            f'<path data-wire="{_spell(edge)}" d="{self._way(self._drawing.path_of(edge))}">'
            f"<title>{name_of(edge[0])} → {name_of(edge[1])}</title></path>"
            for edge in sorted({*self._grid.edges, *edges})
            if edge[1][1]
        ]
        for node in self._grid.channels:
            if node[1]:
                centre = self._drawing.place(node)
                (left, top), (right, bottom) = (self._on_sheet(centre + side * HALF_NODE) for side in CORNERS)
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
        """Paste a part; draw it before, where it is asked for the first time."""
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

    def _way(self, path: Path) -> str:
        """Return a path as SVG writes it: a line, or a cubic curve."""
        points = [f"{x} {y}" for x, y in map(self._on_sheet, np.asarray(path.vertices))]
        return f"M {points[0]} {'C' if len(points) == 4 else 'L'} {', '.join(points[1:])}"


def _spell(edge: Edge) -> str:
    return ",".join(str(number) for node in edge for number in node)


def read_click(said: str) -> Edge:
    """Return the wire that was clicked; a node that was clicked is a wire from it to itself."""
    i, j, k, m = (int(number) for number in said.split()[0].split(","))
    return (i, j), (k, m)
