"""Ablation of a connection: scale what one node sends to another, and see which maps of the network change."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from unetpp_lib.errors import InputError
from unetpp_lib.models.graph import Edge, Inputs, Node, descendants, node_modules, recorded_outputs
from unetpp_lib.models.mode import evaluation_mode


@contextmanager
def faded_edge(model: nn.Module, edge: Edge, strength: float) -> Iterator[None]:
    """Multiply what the first node of ``edge`` sends to the second by ``strength`` in every pass within the block.

    ``model`` is a network that `read_graph` can read. Its nodes take the maps of other nodes, or lists of them,
    unchanged; a node that takes a single map may receive it pooled. Raises InputError for nodes that the network lacks,
    and during a pass if the second node does not take the first one's map in this way.
    """
    modules = node_modules(model)
    if not set(edge) <= modules.keys():
        raise InputError(f"edge is {edge}; the nodes of this network are {sorted(modules)}.")
    source, target = (modules[node] for node in edge)
    with recorded_outputs({"source": source}) as outputs:
        fade = partial(_fade_inputs, edge=edge, strength=strength, sent=outputs["source"])
        handle = target.register_forward_pre_hook(fade)
        try:
            yield
        finally:
            handle.remove()


def _fade_inputs(
    _: nn.Module, inputs: tuple[Any, ...], edge: Edge, strength: float, sent: list[Tensor]
) -> tuple[Any, ...]:
    """Return a module's arguments with the map that was ``sent`` last scaled; a single map is always scaled."""
    if len(inputs) == 1 and isinstance(inputs[0], Tensor):
        return (strength * inputs[0],)
    if not _contains(inputs, sent[-1]):
        raise InputError(f"{edge[1]} does not take the map of {edge[0]} as it is: this edge cannot be faded.")
    return tuple(_scaled(part, sent[-1], strength) for part in inputs)


def _contains(part: Any, wanted: Tensor) -> bool:
    """Return whether a tensor is among the arguments of a module, also within lists."""
    if isinstance(part, list | tuple):
        return any(_contains(item, wanted) for item in part)
    return part is wanted


def _scaled(part: Any, chosen: Tensor, strength: float) -> Any:
    """Return an argument of a module with one tensor scaled, also within lists."""
    if isinstance(part, list | tuple):
        return [_scaled(item, chosen, strength) for item in part]
    return strength * part if part is chosen else part


@contextmanager
def held_nodes(model: nn.Module, maps: Mapping[Node, Tensor]) -> Iterator[None]:
    """Let nodes return the given maps, without computing them, in every forward pass within the block."""
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


@torch.inference_mode()
def maps_with_faded_edge(
    model: nn.Module, image: Tensor, maps: Mapping[Node, Tensor], inputs: Inputs, edge: Edge, strength: float
) -> dict[Node, Tensor]:
    """Return the maps that change when one edge is faded, which are those of its `descendants`.

    ``maps`` are known maps of the unchanged network for this image, and ``inputs`` is that of `read_graph`. Maps that
    do not change are computed and returned only where ``maps`` lacks them.
    """
    changing = descendants(inputs, edge[1])
    held = {node: known for node, known in maps.items() if node not in changing}
    with (
        evaluation_mode(model),
        recorded_outputs(node_modules(model)) as found,
        held_nodes(model, held),
        faded_edge(model, edge, strength),
    ):
        model(image)
    return {node: outputs[-1] for node, outputs in found.items() if outputs and node not in held}
