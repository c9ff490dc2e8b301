"""A network's nodes X^{i,j}, found by their places in the module, and listened to as they run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from unetpp_lib.errors import InputError

Node = tuple[int, int]  # (i, j) is X^{i,j}: row i counts the halvings, column j the skips


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
