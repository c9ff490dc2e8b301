"""A network's graph: its nodes X^{i,j}, found by their places in the module, and which node feeds which.

Nodes are listened to as they run; what feeds what is read off the network's own run.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unetpp_lib.errors import InputError

Node = tuple[int, int]  # (i, j) is X^{i,j}: row i counts the halvings, column j the skips
Edge = tuple[Node, Node]  # from, to


def node_modules(model: nn.Module) -> dict[Node, nn.Module]:
    """Return the module of each node (i, j)."""
    parts: Any = model
    if hasattr(model, "nodes") and hasattr(model, "heads"):
        return {(i, j): node for i, row in enumerate(parts.nodes) for j, node in enumerate(row)}
    if hasattr(model, "encoder") and hasattr(model, "decoder") and hasattr(model, "heads"):
        left = {(i, 0): block for i, block in enumerate(parts.encoder)}
        return left | {(i, len(parts.decoder) - i): node for i, node in enumerate(parts.decoder)}
    raise InputError(
        f"model is {type(model).__name__}: give a network with nodes[i][j] and heads, as UNetPlusPlus, "
        "or with encoder[i], decoder[i] and heads, as UNet."
    )


def record_outputs(modules: Mapping[Any, nn.Module]) -> dict[Any, list[Tensor]]:
    """Return, under the modules' names, lists that fill with the modules' outputs as they run."""
    outputs: dict[Any, list[Tensor]] = {name: [] for name in modules}
    for name, module in modules.items():
        module.register_forward_hook(lambda *call, name=name: outputs[name].append(call[-1]))
    return outputs


@contextmanager
def noted_maps(model: nn.Module) -> Iterator[dict[Node, Tensor]]:
    """Note the maps that nodes give, in every run within the block."""
    found: dict[Node, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda *call, node=node: found.update({node: call[-1]}))
        for node, module in node_modules(model).items()
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True)
class Grid:
    """What a network is made of: each node's channels, its inputs, and the numbers of the heads that read it."""

    channels: dict[Node, int]
    inputs: dict[Node, list[Node]]
    heads: dict[Node, list[int]]

    @property
    def depth(self) -> int:
        """How often the smallest maps were halved."""
        return max(i for i, _ in self.channels)

    @property
    def edges(self) -> list[Edge]:
        """Every pair of a node and one that it feeds."""
        return [(source, node) for node, sources in self.inputs.items() for source in sources]

    def around(self, node: Node) -> "Grid":
        """Return the part of the grid that is a node and its inputs."""
        sources = self.inputs[node]
        return Grid({part: self.channels[part] for part in [node, *sources]}, {node: sources}, {})


def wiring(model: nn.Module) -> dict[Node, list[Node]]:
    """Return for each node (i, j) of a network the nodes that feed it, as its own run shows them.

    It reads networks that keep their nodes as `UNetPlusPlus` (``nodes[i][j]``) or `UNet` (``encoder[i]``,
    ``decoder[i]``) does, and their ``heads``. U-Net's decoder is X^{i, depth-i}.
    Raises InputError for any other module.

    >>> from unetpp_lib.models import UNetPlusPlus
    >>> wiring(UNetPlusPlus(widths=(4, 8)))
    {(0, 0): [], (0, 1): [(0, 0), (1, 0)], (1, 0): [(0, 0)]}
    """
    return read_grid(model).inputs


def read_grid(model: nn.Module) -> Grid:
    """Run a copy of the network once, on the meta device, where nothing is computed, and read its grid off autograd."""
    model = deepcopy(model).to("meta")
    nodes = node_modules(model)
    node_outputs = record_outputs(nodes)
    head_outputs = record_outputs(dict(enumerate(model.heads, start=1)))  # type: ignore[arg-type]
    first = next(module for module in nodes[0, 0].modules() if isinstance(module, nn.Conv2d))
    side = 2 ** (1 + max(i for i, _ in nodes))  # 2×2 at the bottom: training with batch norm refuses a single pixel
    with torch.enable_grad():
        model(first.weight.new_zeros(1, first.in_channels, side, side).requires_grad_())

    made_by = {output.grad_fn: node for node, outputs in node_outputs.items() for output in outputs}
    heads: dict[Node, list[int]] = {}
    for number, outputs in head_outputs.items():
        for node in nodes_behind(outputs, made_by):
            heads.setdefault(node, []).append(number)
    ran = {node: outputs for node, outputs in sorted(node_outputs.items()) if outputs}
    return Grid(
        {node: outputs[0].shape[1] for node, outputs in ran.items()},
        {node: nodes_behind(outputs, made_by) for node, outputs in ran.items()},
        heads,
    )


def nodes_behind(outputs: Iterable[Tensor], made_by: Mapping[Any, Node]) -> list[Node]:
    """Return the nodes that outputs were made from: those that autograd's steps, followed back, come to first."""
    found: set[Node] = set()
    seen: set[Any] = set()
    waiting: list[Any] = [output.grad_fn for output in outputs]
    while waiting:
        for step, _ in waiting.pop().next_functions:
            if step in made_by:
                found.add(made_by[step])
            elif step is not None and step not in seen:
                seen.add(step)
                waiting.append(step)
    return sorted(found)
