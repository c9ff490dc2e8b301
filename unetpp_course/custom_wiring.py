"""Networks with custom wiring, what they cost, and which of their nodes a gradient reaches."""

from collections.abc import Mapping, Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from unetpp_lib.errors import InputError
from unetpp_lib.models import ConvBlock, UNet
from unetpp_lib.models.graph import Inputs, Node, grid_graph, read_graph

WIDTHS = (32, 64, 128, 256, 512)
SIDE = 32  # pixels of the image on which gradients are measured: the smallest that can be halved often enough


class WiredNode(nn.Module):
    """A node that joins maps of its own row, up-sampled maps of the row below, and pooled maps of the row above."""

    def __init__(self, node: Node, sources: Sequence[Node], widths: Sequence[int], in_channels: int) -> None:
        super().__init__()
        (i, _), width = node, widths[node[0]]
        self.sources = tuple(sorted(sources))
        self.up = nn.ModuleDict(
            {f"{j}": nn.ConvTranspose2d(widths[i + 1], width, 2, stride=2) for row, j in self.sources if row > i}
        )
        channels = sum(widths[i - 1] if row < i else width for row, _ in self.sources)
        self.row = i
        self.block = ConvBlock(channels or in_channels, width, norm=None)

    def forward(self, maps: Mapping[Node, Tensor], image: Tensor) -> Tensor:
        """Return the node's map."""
        return self.block(torch.cat([self._bring(source, maps) for source in self.sources] or [image], dim=1))  # type: ignore[no-any-return]

    def _bring(self, source: Node, maps: Mapping[Node, Tensor]) -> Tensor:
        row, j = source
        if row == self.row:
            return maps[source]
        return max_pool2d(maps[source], 2) if row < self.row else self.up[f"{j}"](maps[source])


class WiredNetwork(nn.Module):
    """A network without normalisation and with one head, whose node (i, j) is fed by the nodes ``wires[i, j]``.

    ``wires`` has the form of ``read_graph(model).inputs``; nodes that it does not name are left out. A node may be fed
    from earlier columns of its own row and the row below; in column 0 from the row above. The head reads the last node
    of row 0.
    Shape: ``(N, 1, H, W)``, H and W multiples of 2^depth → a list of one ``(N, 1, H, W)``, as the library's networks.
    Raises InputError for a wire that is not possible.
    """

    def __init__(self, wires: Inputs, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        check_wires(wires, len(widths) - 1)
        self.order = sorted(wires, key=lambda node: (node[1], node[0]))
        self.nodes = nn.ModuleList()
        for i in range(len(widths)):  # a missing node becomes an Identity, so that nodes[i][j] is X^{i,j}
            row = [
                WiredNode((i, j), wires[i, j], widths, 1) if (i, j) in wires else nn.Identity()
                for j in range(len(widths) - i)
            ]
            self.nodes.append(nn.ModuleList(row))
        self.heads = nn.ModuleList([nn.Conv2d(widths[0], 1, 1)])

    def node_maps(self, image: Tensor) -> dict[Node, Tensor]:
        """Return every node's map."""
        maps: dict[Node, Tensor] = {}
        for i, j in self.order:
            maps[i, j] = self.nodes[i][j](maps, image)  # type: ignore[index]
        return maps

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the head's logits."""
        maps = self.node_maps(image)
        return [self.heads[0](maps[max(node for node in maps if node[0] == 0)])]


def check_wires(wires: Inputs, depth: int) -> None:
    """Raise InputError for the first wire that is not possible, and for a network without its first node."""
    if (0, 0) not in wires or wires[0, 0]:
        raise InputError("wires must name (0, 0), the node that sees the image, with no inputs: {(0, 0): [], …}.")
    for node, sources in wires.items():
        if node != (0, 0) and not sources:
            raise InputError(f"{node} has no input: wire it, or leave it out.")
        for source in sources:
            if source not in wires or source not in possible_inputs(node, depth):
                raise InputError(
                    f"{source} cannot feed {node}: take one of {possible_inputs(node, depth)} that is wired."
                )


def possible_inputs(node: Node, depth: int) -> list[Node]:
    """Return the nodes that may feed a node: earlier ones of its row and the row below; in column 0 the one above."""
    i, j = node
    if j == 0:
        return [(i - 1, 0)] if i else []
    return [(i, k) for k in range(j)] + [(i + 1, k) for k in range(j) if i + 1 + k <= depth]


def known_wires(depth: int) -> dict[str, dict[Node, list[Node]]]:
    """Return for U-Net, UNet+ and UNet++ of a depth which nodes feed which."""
    widths = (2,) * (depth + 1)
    with torch.random.fork_rng(devices=()):  # its weights leave the random state alone
        unet = read_graph(UNet(widths=widths))
    graphs = {"U-Net": unet, "UNet+": grid_graph(widths, dense=False), "UNet++": grid_graph(widths)}
    return {name: graph.inputs for name, graph in graphs.items()}


def cost(wires: Inputs, widths: Sequence[int] = WIDTHS, size: int = 512) -> tuple[int, int]:
    """Return the parameters of a wired network, and its multiply-accumulates on a square image of ``size`` pixels."""
    check_wires(wires, len(widths) - 1)
    parts = [node_cost(node, tuple(sources), tuple(widths), size) for node, sources in wires.items()]
    parameters, macs = map(sum, zip(*parts, head_cost(widths, size), strict=True))
    return parameters, macs


def head_cost(widths: Sequence[int], size: int) -> tuple[int, int]:
    """Return the parameters and multiply-accumulates of the head, a 1×1 convolution to one map."""
    return widths[0] + 1, widths[0] * size**2


@cache  # if a network changes wire by wire, most of its nodes stay the same
def node_cost(node: Node, sources: tuple[Node, ...], widths: tuple[int, ...], size: int) -> tuple[int, int]:
    """Return a node's parameters and multiply-accumulates in a network for square images of ``size`` pixels."""
    with torch.device("meta"):  # shapes alone
        module = WiredNode(node, sources, widths, 1)
    pixels = (size >> node[0]) ** 2
    macs = 0
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            macs += part.weight.numel() * pixels
        elif isinstance(part, nn.ConvTranspose2d):
            macs += part.weight.numel() * (pixels // 4)  # it is applied to the map of the row below
    return sum(parameter.numel() for parameter in module.parameters()), macs


def cross(wires: Inputs, node: Node, right: Node, wrong: Node) -> dict[Node, list[Node]]:
    """Return wires in which ``node`` is fed by ``wrong`` instead of ``right``."""
    return {other: [wrong if other == node and s == right else s for s in sources] for other, sources in wires.items()}


def mystery_network() -> WiredNetwork:
    """Return a small UNet++ of depth 4 with one wrong connection, for the exercise that finds it."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return WiredNetwork(cross(known_wires(4)["UNet++"], (1, 2), right=(2, 1), wrong=(2, 0)), (2,) * 5)


def gradient_sizes(wires: Inputs, node: Node, width: int = 8) -> dict[Node, float]:
    """Return for every node the mean absolute gradient of the map of ``node`` with respect to that node's map.

    Weights and image are random, the same at each call; a size of 0 means that no path leads from there to ``node``.
    """
    depth = max(i for i, _ in wires)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network, image = WiredNetwork(wires, (width,) * (depth + 1)), torch.randn(1, 1, SIDE, SIDE)
    maps = network.node_maps(image)
    found = torch.autograd.grad(maps[node].sum(), list(maps.values()), allow_unused=True)
    return {other: 0.0 if g is None else g.abs().mean().item() for other, g in zip(maps, found, strict=True)}


def count_paths(wires: Inputs, node: Node) -> int:
    """Return how many paths lead from X^{0,0} to a node."""
    if node == (0, 0):
        return 1
    return sum(count_paths(wires, source) for source in wires.get(node, ()))
