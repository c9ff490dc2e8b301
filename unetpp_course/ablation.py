"""One wire of a network turned down, and what of the network then changes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from unetpp_course.graph import Edge, Node, node_modules, noted_maps
from unetpp_lib.errors import InputError
from unetpp_lib.models.mode import evaluation_mode


@contextmanager
def faded_edge(model: nn.Module, edge: Edge, strength: float) -> Iterator[None]:
    """Multiply what the first node of ``edge`` sends to the second by ``strength``, in every run within the block.

    ``model`` is a network that `wiring` reads. Its nodes take maps, or lists of maps, as they come from other nodes; a
    node that takes a single map may have it pooled. Raises InputError for nodes that the network lacks, and in a run
    where a node takes its inputs otherwise.
    """
    modules = node_modules(model)
    if not set(edge) <= modules.keys():
        raise InputError(f"edge is {edge}; the nodes of this network are {sorted(modules)}.")
    source, target = (modules[node] for node in edge)
    sent: list[Tensor] = []

    def fade(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        alone = len(inputs) == 1 and isinstance(inputs[0], Tensor)
        faded = 0

        def scale(part: Any) -> Any:
            nonlocal faded
            if isinstance(part, list | tuple):
                return [scale(item) for item in part]
            if alone or part is sent[-1]:
                faded += 1
                return strength * part
            return part

        scaled = tuple(map(scale, inputs))
        if not faded:
            raise InputError(f"{edge[1]} does not take the map of {edge[0]} as it is: this edge cannot be faded.")
        return scaled

    handles = [
        source.register_forward_hook(lambda *call: sent.append(call[-1])),
        target.register_forward_pre_hook(fade),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def held_nodes(model: nn.Module, maps: Mapping[Node, Tensor]) -> Iterator[None]:
    """Let nodes give the maps that they gave before, without computing them, in every run within the block."""
    modules = {node: module for node, module in node_modules(model).items() if node in maps}
    before = {module: vars(module).get("forward") for module in modules.values()}  # of its own, such as another hold
    for node, module in modules.items():
        module.forward = lambda *_, known=maps[node]: known
    try:
        yield
    finally:
        for module, forward in before.items():
            del module.forward
            if forward is not None:
                module.forward = forward


def fed_by(inputs: Mapping[Node, list[Node]], node: Node) -> set[Node]:
    """Return a node and all that it feeds, through others too; ``inputs`` is what `wiring` returns."""
    reached = {node}
    while more := {other for other, sources in inputs.items() if reached & set(sources)} - reached:
        reached |= more
    return reached


@torch.inference_mode()
def maps_with_faded_edge(
    model: nn.Module,
    image: Tensor,
    maps: Mapping[Node, Tensor],
    inputs: Mapping[Node, list[Node]],
    edge: Edge,
    strength: float,
) -> dict[Node, Tensor]:
    """Return the maps that change when one edge is faded, `fed_by` its end, and those that ``maps`` lacks.

    ``maps`` are maps of the whole network for this image; what they hold need not be computed again.
    """
    changing = fed_by(inputs, edge[1])
    held = {node: known for node, known in maps.items() if node not in changing}
    with evaluation_mode(model), noted_maps(model) as found, held_nodes(model, held), faded_edge(model, edge, strength):
        model(image)
    return {node: maps for node, maps in found.items() if node not in held}
