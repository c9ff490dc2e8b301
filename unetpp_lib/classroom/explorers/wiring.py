"""Wire it yourself: turn U-Net into UNet+ and UNet++, see what it costs, and find a hidden wrong wire."""

import base64
import io
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]
import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from PIL import Image

from unetpp_lib.classroom.diagrams import draw_network
from unetpp_lib.classroom.grids import Node
from unetpp_lib.classroom.wired import (
    WIDTHS,
    WiredNetwork,
    cost,
    count_paths,
    cross,
    edges,
    gradient_sizes,
    known_wires,
    possible_inputs,
)
from unetpp_lib.errors import InputError

DEPTH = len(WIDTHS) - 1
FAULTS: list[Node] = [(1, 2), (0, 3), (2, 2), (0, 2), (1, 3), (0, 4)]  # nodes that a hidden wire may be wrong at
DPI, COLOURS = 80, 64  # of the pictures


class WiringExplorer(widgets.VBox):  # type: ignore[misc]
    """Choose a node and switch its inputs on and off; the picture, the cost and the paths follow.

    The buttons at the top set the wires of U-Net, UNet+ and UNet++. The controls are attributes (``start``, ``node``,
    ``inputs``), so a cell can set ``explorer.node.value``; ``wires`` is the network, as `wiring` returns it, and
    ``status`` the line below the picture. A node without inputs is left out, and what it fed loses that input.
    """

    def __init__(self, start: str = "U-Net") -> None:
        self._known = known_wires(DEPTH)
        if start not in self._known:
            raise InputError(f"start is {start!r}; choose one of {', '.join(self._known)}.")
        nodes = sorted(self._known["UNet++"])
        self.start = widgets.ToggleButtons(options=list(self._known), value=start, description="start from")
        self.node = widgets.ToggleButtons(
            options={name_of(node): node for node in nodes if node[1]}, value=(0, 2), description="node"
        )
        self.node.style.button_width = "3.5em"
        self.inputs = {node: widgets.ToggleButton(description=name_of(node), layout={"width": "4em"}) for node in nodes}
        self._choice = widgets.HBox()
        self._view = widgets.HTML()
        self._busy = False
        self._begin()
        self.start.observe(self._begin, names="value")
        self.node.observe(self._show_inputs, names="value")
        for button in self.inputs.values():
            button.observe(self._rewire, names="value")
        super().__init__([self.start, self.node, self._choice, self._view])

    def _begin(self, *_: object) -> None:
        """Take the wires of the network that is chosen."""
        known = self._known[self.start.value]
        self._asked: dict[Node, list[Node]] = {node: known.get(node, []) for node in self._known["UNet++"]}
        self._show_inputs()
        self._update()

    def _show_inputs(self, *_: object) -> None:
        """Show a button for each node that could feed the chosen one."""
        self._busy = True
        possible = possible_inputs(self.node.value, DEPTH)
        for source in possible:
            self.inputs[source].value = source in self._asked[self.node.value]
        label = widgets.Label(f"inputs of {name_of(self.node.value)}")
        self._choice.children = [label, *(self.inputs[source] for source in possible)]
        self._busy = False

    def _rewire(self, *_: object) -> None:
        """Take over the inputs that are switched on."""
        if not self._busy:
            possible = possible_inputs(self.node.value, DEPTH)
            self._asked[self.node.value] = [source for source in possible if self.inputs[source].value]
            self._update()

    def _update(self) -> None:
        with torch.device("meta"):  # nothing of it is computed
            self._picture = picture_of(draw_network(WiredNetwork(self.wires)))
        self._view.value = as_html(self._picture, f"{self.kind}: {self.status}", self.status)

    @property
    def wires(self) -> dict[Node, list[Node]]:
        """The nodes that are there and what feeds each, as `wiring` returns it."""
        there: dict[Node, list[Node]] = {(0, 0): []}
        for node in sorted(self._asked, key=lambda node: (node[1], node[0])):
            sources = [source for source in self._asked[node] if source in there]
            if sources:
                there[node] = sources
        return there

    @property
    def kind(self) -> str:
        """The name of the network, where it has one."""
        return next(
            (name for name, known in self._known.items() if edges(known) == edges(self.wires)), "your own network"
        )

    @property
    def status(self) -> str:
        """What is wired, what it costs at full width, and how many ways lead through it, in one line."""
        wires, last = self.wires, max(node for node in self.wires if node[0] == 0)
        parameters, macs = cost(wires)
        return (
            f"{self.kind}: {len(edges(wires))} wires, {parameters / 1e6:.2f} M parameters, {macs / 1e9:.1f} G "
            f"multiply-accumulates at 512 × 512; {count_paths(wires, last)} ways from X0,0 to {name_of(last)}."
        )

    def __repr__(self) -> str:
        return f"WiringExplorer({self.status})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Add the picture, which stands where widgets cannot run."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"image/png": self._picture}


class HiddenWire(widgets.VBox):  # type: ignore[misc]
    """A UNet++ with one wrong wire that is not shown: find the node from what the gradient of each X^{0,j} reaches.

    ``puzzle`` chooses one of six. ``reader`` is the node of row 0 that the gradient starts from, ``guess`` your answer.
    """

    def __init__(self, puzzle: int = 0) -> None:
        if not 0 <= puzzle < len(FAULTS):
            raise InputError(f"puzzle is {puzzle}; choose 0 to {len(FAULTS) - 1}.")
        self._right = known_wires(DEPTH)["UNet++"]
        self._fault = (i, j) = FAULTS[puzzle]
        self._wires = cross(self._right, self._fault, (i + 1, j - 1), (i + 1, 0))
        self._puzzle = puzzle
        self.reader = widgets.ToggleButtons(
            options={name_of((0, j)): (0, j) for j in range(1, DEPTH + 1)}, description="gradient of"
        )
        options = {"none yet": None} | {name_of(node): node for node in sorted(FAULTS)}
        self.guess = widgets.ToggleButtons(options=options, description="wrong at")
        for buttons in (self.reader, self.guess):
            buttons.style.button_width = "5em"
            buttons.observe(self._update, names="value")
        self._view = widgets.HTML()
        self._update()
        super().__init__([self.reader, self.guess, self._view])

    def _update(self, *_: object) -> None:
        reached = gradient_sizes(self._wires, self.reader.value)
        with torch.device("meta"):
            plan = WiredNetwork(self._right)
        reach = {node: float(size > 0) for node, size in reached.items()}
        figure = draw_network(plan, values=reach, value_label="reached by the gradient", value_format=".0f")
        self._picture = picture_of(figure)
        unreached = ", ".join(name_of(node) for node, size in sorted(reached.items()) if not size)
        description = f"The wires as planned. The gradient of {name_of(self.reader.value)} does not reach: {unreached}."
        self._view.value = as_html(self._picture, description, self.status)

    @property
    def status(self) -> str:
        """What there is to say about the guess, in one line."""
        if self.guess.value is None:
            return "One node is fed by the wrong node of the row below. Which?"
        i, j = self._fault
        if self.guess.value != self._fault:
            return f"{name_of(self.guess.value)} is wired as it should be."
        return f"Yes: {name_of((i, j))} is fed by {name_of((i + 1, 0))} in place of {name_of((i + 1, j - 1))}."

    def __repr__(self) -> str:
        return f"HiddenWire(puzzle={self._puzzle}, gradient of {name_of(self.reader.value)}: {self.status})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Add the picture, which stands where widgets cannot run."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"image/png": self._picture}


def name_of(node: Node) -> str:
    """Return a node's name in plain letters."""
    return f"X{node[0]},{node[1]}"


def picture_of(figure: Figure) -> str:
    """Return a figure as a small PNG in base64."""
    buffer, small = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    plt.close(figure)
    Image.open(buffer).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def as_html(picture: str, description: str, status: str) -> str:
    """Return a picture with its words for who does not see it, and the line below it."""
    image = f'<img alt="{description}" style="max-width: 100%" src="data:image/png;base64,{picture}">'
    return f'{image}<p role="status">{status}</p>'
