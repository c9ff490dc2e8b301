"""Explorers: turn U-Net into UNet+ and UNet++ wire by wire and see what it costs; find a hidden wrong wire."""

import ipywidgets as widgets  # type: ignore[import-untyped]
import torch
from torch import nn

from unetpp_course.custom_wiring import (
    WIDTHS,
    WiredNetwork,
    check_wires,
    cost,
    count_paths,
    cross,
    gradient_sizes,
    known_wires,
    possible_inputs,
)
from unetpp_course.diagrams import draw_network
from unetpp_course.explorers.base import LABEL, Click, PictureExplorer, Switch, choice
from unetpp_course.explorers.graph_sheet import GraphSheet, read_click
from unetpp_course.explorers.sheet import png
from unetpp_course.figures import png_of_figure
from unetpp_course.graph_drawing import name_of
from unetpp_lib.errors import InputError
from unetpp_lib.models.graph import Inputs, NetworkGraph, Node, edges_of, grid_graph, read_graph

DEPTH = len(WIDTHS) - 1
FAULTS: list[Node] = [(1, 2), (0, 3), (2, 2), (0, 2), (1, 3), (0, 4)]  # nodes that a hidden wire may be wrong at
OWN = "your network"
UNDECIDED: Node = (-1, -1)


class WiringExplorer(PictureExplorer):
    """Click wires, or choose a node and switch its inputs on and off; picture, cost and number of paths follow.

    The buttons at the top set the wires of U-Net, UNet+ and UNet++; ``start`` is one of these names, or a network of
    your own that `read_graph` can read, up to depth 4. The controls are attributes (``start``, ``node``, ``inputs``),
    so a cell can set ``explorer.node.value``; `switch` does what a click on a wire does. ``wires`` holds the inputs of
    each node, as ``read_graph(model).inputs`` does. A node without inputs is left out, and the nodes that it fed lose
    that input. Raises InputError for any other start.
    """

    def __init__(self, start: str | nn.Module = "U-Net") -> None:
        own = own_wires(start) if isinstance(start, nn.Module) else None
        self._depth = max(i for i, _ in own) if own else DEPTH
        self._known: dict[str, Inputs] = dict(known_wires(self._depth))
        if own is not None:
            self._known[OWN] = own
            start = OWN
        if start not in self._known:
            raise InputError(f"start is {start!r}; choose one of {', '.join(self._known)}, or give a network.")
        nodes = sorted(self._known["UNet++"])
        self.start = choice("start from", list(self._known))
        self.start.value = start
        self.node = choice("node, in black", {name_of(node): node for node in nodes if node[1]})
        self.node.value = (0, min(2, self._depth))
        self.inputs = {node: Switch(description=name_of(node), layout={"width": "4em"}) for node in nodes}
        self._label, self._choice = widgets.HTML(), widgets.HBox(layout={"flex_flow": "row wrap"})
        self._choice.add_class("named")
        self._busy = False
        self._sheet = GraphSheet(grid_graph(WIDTHS[: self._depth + 1]), absent="not wired")
        for known in self._known.values():  # counted ahead, so that the picture keeps up with the keyboard
            cost(known, WIDTHS[: self._depth + 1])
        self._click = Click()
        super().__init__([self.start, self.node, self._choice, self._click])
        self._begin()
        self.start.observe(self._begin, names="value")
        self.node.observe(self._show_inputs, names="value")
        for button in self.inputs.values():
            button.observe(self._rewire, names="value")
        self._click.observe(lambda change: self._take_click(*read_click(change["new"])), names="value")

    def switch(self, source: Node, node: Node) -> None:
        """Choose a node, and switch the wire from ``source`` to it on or off; InputError for one that cannot be."""
        possible = possible_inputs(node, self._depth) if node in self._known["UNet++"] and node[1] else []
        if source not in possible:
            raise InputError(f"{source} cannot feed {node}: it may be fed by {possible or 'no node of your choice'}.")
        self.node.value = node
        self.inputs[source].value = not self.inputs[source].value

    def _take_click(self, source: Node, node: Node) -> None:
        if source == node:
            self.node.value = node
        else:
            self.switch(source, node)

    def _begin(self, *_: object) -> None:
        """Take over the wires of the chosen network."""
        known = self._known[self.start.value]
        self._asked: dict[Node, list[Node]] = {node: list(known.get(node, [])) for node in self._known["UNet++"]}
        self._show_inputs()

    def _show_inputs(self, *_: object) -> None:
        """Show a button for each node that could feed the chosen one."""
        self._busy = True
        possible = possible_inputs(self.node.value, self._depth)
        for source in possible:
            self.inputs[source].value = source in self._asked[self.node.value]
        words = f"inputs of {name_of(self.node.value)}"
        self._label.value = f'<div style="width: {LABEL}; text-align: right">{words}</div>'
        children = (self._label, *(self.inputs[source] for source in possible))
        if self._choice.children != children:  # building them again takes the browser longer than the picture
            self._choice.children = children
        self._busy = False
        self._update()

    def _rewire(self, *_: object) -> None:
        """Take over the inputs that are switched on."""
        if not self._busy:
            possible = possible_inputs(self.node.value, self._depth)
            self._asked[self.node.value] = [source for source in possible if self.inputs[source].value]
            self._update()

    def _update(self) -> None:
        wires, last = self.wires, max(node for node in self.wires if node[0] == 0)
        graph = NetworkGraph({node: WIDTHS[node[0]] for node in wires}, wires, {last: [1]})
        parameters, macs = cost(wires, WIDTHS[: self._depth + 1])
        result = (
            f"{self.kind}: {len(edges_of(wires))} wires, {parameters / 1e6:.2f} M parameters, {macs / 1e9:.1f} G "
            f"multiply-accumulates at 512 × 512; {count_paths(wires, last)} paths from X0,0 to {name_of(last)}."
        )
        sources = ", ".join(map(name_of, wires.get(self.node.value, []))) or "nothing, so it is left out"
        alt = f"The nodes and their wires. {result} {name_of(self.node.value)} is fed by {sources}."
        picture = self._sheet.draw(graph, faces={self.node.value: "black"})
        self.show(png(picture), alt, result, over=self._sheet.targets(edges_of(wires)))

    @property
    def wires(self) -> dict[Node, list[Node]]:
        """The nodes that are there, and the inputs of each."""
        there: dict[Node, list[Node]] = {(0, 0): []}
        for node in sorted(self._asked, key=lambda node: (node[1], node[0])):
            sources = [source for source in self._asked[node] if source in there]
            if sources:
                there[node] = sources
        return there

    @property
    def kind(self) -> str:
        """The name of the network if it is a known one."""
        return next(
            (name for name, known in self._known.items() if edges_of(known) == edges_of(self.wires)), "your own wiring"
        )


class HiddenWire(PictureExplorer):
    """A UNet++ with one wrong wire that is not shown: find the node by what the gradient of each X^{0,j} reaches.

    ``puzzle``, 0 to 5, chooses one of six; InputError for another. ``reader`` is the node of row 0 that the gradient
    starts from, ``guess`` your answer.
    """

    def __init__(self, puzzle: int = 0) -> None:
        if not 0 <= puzzle < len(FAULTS):
            raise InputError(f"puzzle is {puzzle}; choose 0 to {len(FAULTS) - 1}.")
        self._right = known_wires(DEPTH)["UNet++"]
        self._fault = (i, j) = FAULTS[puzzle]
        self._wires = cross(self._right, self._fault, (i + 1, j - 1), (i + 1, 0))
        self._pictures: dict[Node, tuple[bytes, str]] = {}
        self.reader = choice("gradient of", {name_of((0, j)): (0, j) for j in range(1, DEPTH + 1)})
        options = {"none yet": UNDECIDED} | {name_of(node): node for node in sorted(FAULTS)}
        self.guess = choice("wrong at", options)
        super().__init__([self.reader, self.guess])
        with torch.random.fork_rng(devices=()):
            plan = WiredNetwork(self._right, (2,) * (DEPTH + 1))  # narrow, because only its wires are drawn
        for j in range(1, DEPTH + 1):  # all pictures in advance, so that they keep up with the keyboard
            self._pictures[0, j] = self._draw(plan, (0, j))
        for buttons in (self.reader, self.guess):
            buttons.observe(self._update, names="value")
        self._update()

    def _draw(self, plan: WiredNetwork, reader: Node) -> tuple[bytes, str]:
        """Return a picture of what the gradient of a node reaches, and a sentence that says it."""
        reached = gradient_sizes(self._wires, reader)
        values = {node: float(size > 0) for node, size in reached.items()}
        label = "reached by the gradient"
        figure = draw_network(plan, values=values, value_label=label, value_limits=(0, 1), value_format=".0f")
        unreached = ", ".join(name_of(node) for node, size in sorted(reached.items()) if not size) or "no node"
        return png_of_figure(figure), f"The gradient of {name_of(reader)} does not reach: {unreached}."

    def _update(self, *_: object) -> None:
        png, words = self._pictures[self.reader.value]
        alt = f"The wires as planned. {words} {self._reply}"
        self.show(png, alt, f"Gradient of {name_of(self.reader.value)}. {self._reply}")

    @property
    def _reply(self) -> str:
        """What the explorer says about the guess."""
        if self.guess.value == UNDECIDED:
            return "One node is fed by the wrong node of the row below. Which?"
        i, j = self._fault
        if self.guess.value != self._fault:
            return f"{name_of(self.guess.value)} is wired as it should be."
        return f"Yes: {name_of((i, j))} is fed by {name_of((i + 1, 0))} in place of {name_of((i + 1, j - 1))}."


def own_wires(model: nn.Module) -> Inputs:
    """Return the wires of a network; raises InputError if it is too deep or cannot be drawn here."""
    wires = read_graph(model).inputs
    depth = max(i for i, _ in wires)
    if depth > DEPTH:
        raise InputError(f"{type(model).__name__} has depth {depth}: give a network of depth {DEPTH} at most.")
    check_wires(wires, depth)
    return wires
