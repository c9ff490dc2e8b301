"""The network graph: the nodes X^{i,j} of a network, and which of them feed which.

`node_inputs` states the wiring of UNet++. The network is built and run by it, and every drawing and every count of the
grid asks it. `read_graph` finds the graph of any network, also of one that somebody else wrote, by following autograd.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unetpp_lib.errors import InputError

Node = tuple[int, int]  # (i, j) is X^{i,j}: row i counts the halvings, column j the skips
Edge = tuple[Node, Node]  # from, to
Inputs = Mapping[Node, Sequence[Node]]  # for each node, the nodes that feed it


def grid_nodes(depth: int) -> list[Node]:
    """Return the nodes X^{i,j} with i + j ≤ ``depth``, each after the nodes that feed it.

    These are all nodes of a UNet++ of this depth, and the nodes that X^{0,depth} needs in a deeper one.

    >>> grid_nodes(2)
    [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (0, 2)]
    """
    return [(i, j) for j in range(depth + 1) for i in range(depth - j + 1)]


def node_inputs(node: Node, dense: bool = True) -> list[Node]:
    """Return the nodes that feed X^{i,j} in UNet++, or with ``dense=False`` in UNet+.

    In column 0 this is the node above, whose map is pooled; X^{0,0} reads the image. Elsewhere it is the earlier nodes
    of the same row (in UNet+ only the left neighbour), then X^{i+1,j-1}, whose map is up-sampled.
    Source: equation 1 of Zhou et al. 2018; UNet+ from Zhou et al. 2020.

    >>> node_inputs((0, 2)), node_inputs((0, 2), dense=False)
    ([(0, 0), (0, 1), (1, 1)], [(0, 1), (1, 1)])
    """
    i, j = node
    if j == 0:
        return [(i - 1, 0)] if i > 0 else []
    skips = [(i, k) for k in range(j)] if dense else [(i, j - 1)]
    return [*skips, (i + 1, j - 1)]


@dataclass(frozen=True)
class NetworkGraph:
    """A network's nodes with their channels, the inputs of each node, and the numbers of the heads that read it."""

    channels: dict[Node, int]
    inputs: dict[Node, list[Node]]
    heads: dict[Node, list[int]]

    @property
    def depth(self) -> int:
        """How often the smallest maps were halved."""
        return max(i for i, _ in self.channels)

    @property
    def edges(self) -> list[Edge]:
        """Every pair of a node and a node that it feeds, in the order of the nodes."""
        return [(source, node) for node, sources in self.inputs.items() for source in sources]

    def neighbourhood(self, node: Node) -> "NetworkGraph":
        """Return the part of the graph that consists of a node and its inputs."""
        sources = self.inputs[node]
        return NetworkGraph({part: self.channels[part] for part in [node, *sources]}, {node: sources}, {})


def grid_graph(widths: Sequence[int], dense: bool = True, head_depths: Sequence[int] = ()) -> NetworkGraph:
    """Return the graph of a UNet++ with these arguments; its heads read X^{0,d} for every d of ``head_depths``."""
    nodes = sorted(grid_nodes(len(widths) - 1))
    heads = {(0, depth): [number] for number, depth in enumerate(head_depths, start=1)}
    return NetworkGraph({node: widths[node[0]] for node in nodes}, {n: node_inputs(n, dense) for n in nodes}, heads)


def edges_of(inputs: Inputs) -> frozenset[Edge]:
    """Return the set of all pairs of a node and a node that it feeds."""
    return frozenset((source, node) for node, sources in inputs.items() for source in sources)


def descendants(inputs: Inputs, node: Node) -> set[Node]:
    """Return a node and all nodes that it feeds, directly or through others."""
    found = {node}
    waiting = [node]
    while waiting:
        source = waiting.pop()
        for other, sources in inputs.items():
            if source in sources and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def node_modules(model: nn.Module) -> dict[Node, nn.Module]:
    """Return the module of each node (i, j); raises InputError for a network that is not laid out as the library's."""
    parts: Any = model
    if hasattr(model, "nodes") and hasattr(model, "heads"):
        return {(i, j): node for i, row in enumerate(parts.nodes) for j, node in enumerate(row)}
    if hasattr(model, "encoder") and hasattr(model, "decoder") and hasattr(model, "heads"):
        left = {(i, 0): block for i, block in enumerate(parts.encoder)}
        return left | {(i, len(parts.decoder) - i): node for i, node in enumerate(parts.decoder)}
    raise InputError(
        f"model is {type(model).__name__}: give a network with nodes[i][j] and heads, like UNetPlusPlus, "
        "or with encoder[i], decoder[i] and heads, like UNet."
    )


@contextmanager
def recorded_outputs(modules: Mapping[Any, nn.Module]) -> Iterator[dict[Any, list[Tensor]]]:
    """Record what modules return, under their names, in every forward pass within the block."""
    outputs: dict[Any, list[Tensor]] = {name: [] for name in modules}

    def recorder(name: Any) -> Any:
        def record(_: nn.Module, __: Any, output: Tensor) -> None:
            outputs[name].append(output)

        return record

    handles = [module.register_forward_hook(recorder(name)) for name, module in modules.items()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def read_graph(model: nn.Module) -> NetworkGraph:
    """Return a network's graph as one forward pass shows it, whatever the network was meant to be.

    ``model`` keeps its nodes as `UNetPlusPlus` (``nodes[i][j]``) or `UNet` (``encoder[i]``, ``decoder[i]``) does, and
    has ``heads``; U-Net's decoder is X^{i, depth-i}. A copy runs on the smallest image that it can be trained on.
    Raises InputError for any other module.

    >>> from unetpp_lib.models import UNetPlusPlus
    >>> read_graph(UNetPlusPlus(widths=(4, 8))).inputs
    {(0, 0): [], (0, 1): [(0, 0), (1, 0)], (1, 0): [(0, 0)]}
    """
    model = deepcopy(model, {id(weights): weights for weights in model.parameters()})  # a pass changes no weights
    nodes = node_modules(model)
    numbered_heads: dict[Any, nn.Module] = dict(enumerate(model.heads, start=1))  # type: ignore[arg-type]
    first = next(module for module in nodes[0, 0].modules() if isinstance(module, nn.Conv2d))
    side = 2 ** max(i for i, _ in nodes)
    shape = (1, first.in_channels, side, 2 * side)  # 1×2 at the bottom: training with batch norm refuses a single pixel
    image = first.weight.new_zeros(shape).requires_grad_()
    for module in model.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.eval()  # so that no random number is drawn
    with torch.enable_grad(), recorded_outputs(nodes) as node_outputs, recorded_outputs(numbered_heads) as head_outputs:
        model(image)

    node_of_step = {output.grad_fn: node for node, outputs in node_outputs.items() for output in outputs}
    heads: dict[Node, list[int]] = {}
    for number, outputs in head_outputs.items():
        for node in _nearest_nodes(outputs, node_of_step):
            heads.setdefault(node, []).append(number)
    ran = {node: outputs for node, outputs in sorted(node_outputs.items()) if outputs}
    return NetworkGraph(
        {node: outputs[0].shape[1] for node, outputs in ran.items()},
        {node: _nearest_nodes(outputs, node_of_step) for node, outputs in ran.items()},
        heads,
    )


def _nearest_nodes(outputs: Iterable[Tensor], node_of_step: Mapping[Any, Node]) -> list[Node]:
    """Follow autograd's steps back from ``outputs`` and return the first nodes on every path."""
    found: set[Node] = set()
    seen: set[Any] = set()
    waiting: list[Any] = [output.grad_fn for output in outputs]
    while waiting:
        for step, _ in waiting.pop().next_functions:
            if step in node_of_step:
                found.add(node_of_step[step])
            elif step is not None and step not in seen:
                seen.add(step)
                waiting.append(step)
    return sorted(found)
