"""What the wiring explorer in the browser knows of networks: it states no wire and counts no cost by itself."""

from typing import Any

from unetpp_course.custom_wiring import WIDTHS, head_cost, known_wires, node_cost, possible_inputs
from unetpp_lib.models.graph import Node, edges_of, grid_nodes

SIZE = 512  # pixels, the side of the image that costs are counted for
KEYS = {"U-Net": "u-net", "UNet+": "unet-plus", "UNet++": "unet-plus-plus"}
"""How the networks are called in the address of a page."""

Cost = tuple[int, int]  # parameters, multiply-accumulates


def cost_by_source(node: Node, possible: list[Node]) -> tuple[Cost, list[Cost]]:
    """Return what a node costs whatever it reads, and what each of its possible sources adds to that.

    A node's cost is a sum of this form, because a convolution multiplies each of its input channels by weights of their
    own. Where there is only one possible source, all is counted with that.
    """
    if not possible:
        return node_cost(node, (), WIDTHS, SIZE), []
    alone = [node_cost(node, (source,), WIDTHS, SIZE) for source in possible]
    if len(possible) == 1:
        return (0, 0), alone
    both = node_cost(node, tuple(possible[:2]), WIDTHS, SIZE)
    fixed = (alone[0][0] + alone[1][0] - both[0], alone[0][1] + alone[1][1] - both[1])
    return fixed, [(parameters - fixed[0], macs - fixed[1]) for parameters, macs in alone]


def about_wiring() -> dict[str, Any]:
    """Return the nodes of a grid of the course's full widths with their possible inputs and costs, and the networks."""
    depth = len(WIDTHS) - 1
    nodes = []
    for node in grid_nodes(depth):
        possible = possible_inputs(node, depth)
        fixed, each = cost_by_source(node, possible)
        cut = next(least for least in range(depth + 1) if node in grid_nodes(least))
        shape = {"width": WIDTHS[node[0]], "side": SIZE >> node[0]}
        nodes.append({"node": node, "possible": possible, "fixed": fixed, "each": each, "cut": cut, **shape})
    networks = [
        {"key": KEYS[name], "name": name, "wires": sorted(edges_of(inputs))}
        for name, inputs in known_wires(depth).items()
    ]
    return {"depth": depth, "size": SIZE, "nodes": nodes, "networks": networks, "head": head_cost(WIDTHS, SIZE)}
