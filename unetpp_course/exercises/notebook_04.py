"""The exercises of notebook 04: what feeds a node, the loop that computes the grid, a wrong connection, and the price."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option
from unetpp_course.custom_wiring import node_cost
from unetpp_course.graph import Node
from unetpp_lib.models import UNetPlusPlus

Maps = dict[Node, Tensor]


def node_inputs(i: int, j: int) -> list[Node]:
    """Return the inputs of X^{i,j}, j at least 1: all earlier nodes of its row, then the one below of column j - 1."""
    found = []
    for column in range(j):
        found.append((i, column))
    found.append((i + 1, j - 1))
    return found


def places(random: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Yield rows and columns of nodes with inputs in two rows."""
    yield (0, 2)
    yield (0, 1)
    yield (1, 3)
    for i, j in random.integers((0, 1), (4, 6), (6, 2)):
        yield (int(i), int(j))


class Halved(nn.Module):
    """Takes the place of an encoder's block: it adds the number of its row."""

    def __init__(self, row: int) -> None:
        super().__init__()
        self.row = row

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same size."""
        return x + self.row


class Weighted(nn.Module):
    """Takes the place of a node: the skips times 1, 2, 3 …, plus half of the doubled map from below.

    It fits any number of skips, so that a wrong list gives wrong numbers where a convolution would only raise.
    """

    def forward(self, skips: Sequence[Tensor], below: Tensor) -> Tensor:
        """Return a map of the size of the skips."""
        total = 0.5 * interpolate(below, scale_factor=2)
        for number, skip in enumerate(skips, start=1):
            total = total + number * skip
        return total


def toy_nodes(depth: int) -> nn.ModuleList:
    """Return the nodes of a grid whose maps can be calculated by hand."""
    rows = [[Halved(i), *(Weighted() for _ in range(depth - i))] for i in range(depth + 1)]
    return nn.ModuleList(nn.ModuleList(row) for row in rows)


def grids(random: np.random.Generator) -> Iterator[tuple[nn.ModuleList, Tensor]]:
    """Yield the nodes of toy grids and of real networks, each with an image."""
    for nodes, side in ((toy_nodes(2), 8), (toy_nodes(3), 8)):
        yield nodes, torch.from_numpy(random.normal(size=(1, 1, side, side))).float()
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        for widths in ((2, 3, 4), (2, 3), (2, 2, 3, 2, 2)):
            nodes = UNetPlusPlus(widths=widths).eval().nodes
            yield nodes, torch.from_numpy(random.normal(size=(2, 1, 16, 32))).float()


def run_grid(nodes: nn.ModuleList, image: Tensor) -> Maps:
    """Return the maps of all nodes; each is computed when another asks for it, in whatever order that is."""
    found: Maps = {}

    def compute(i: int, j: int) -> Tensor:
        if (i, j) not in found:
            node = nodes[i][j]  # type: ignore[index]
            if j > 0:
                found[i, j] = node([compute(i, k) for k in range(j)], compute(i + 1, j - 1))
            else:
                found[i, j] = node(max_pool2d(compute(i - 1, 0), 2) if i > 0 else image)
        return found[i, j]

    for i in range(len(nodes)):
        for j in range(len(nodes) - i):
            compute(i, j)
    return found


def _other_grid(
    nodes: nn.ModuleList,
    image: Tensor,
    *,
    skips: Callable[[Maps, int, int], list[Tensor]] = lambda X, i, j: [X[i, k] for k in range(j)],
    below: Callable[[Maps, int, int], Tensor] = lambda X, i, j: X[i + 1, j - 1],
    encoder: Callable[[Maps, int, Tensor], Tensor] = lambda X, i, image: max_pool2d(X[i - 1, 0], 2) if i else image,
    by_rows: bool = False,
) -> Maps:
    """Run a grid with one thing changed."""
    depth = len(nodes) - 1
    X: Maps = {}
    for i in range(depth + 1):
        X[i, 0] = nodes[i][0](encoder(X, i, image))  # type: ignore[index]
    order = [(i, j) for j in range(1, depth + 1) for i in range(depth - j + 1)]
    for i, j in sorted(order) if by_rows else order:
        X[i, j] = nodes[i][j](skips(X, i, j), below(X, i, j))  # type: ignore[index]
    return X


WIDTHS = ((32, 64, 128, 256, 512), (8, 12, 20, 30), (3, 5))


def node_macs(i: int, j: int, widths: Sequence[int], side: int) -> int:
    """Return the multiply-accumulates of a node with j > 0, counted while PyTorch runs it."""
    below = (i + 1, j - 1)
    return node_cost((i, j), (*((i, k) for k in range(j)), below), tuple(widths), side)[1]


def priced_nodes(random: np.random.Generator) -> Iterator[tuple[int, int, tuple[int, ...], int]]:
    """Yield nodes, widths and sides; in the paper's widths several parts cancel out, so others come along."""
    yield 0, 1, (8, 12, 20, 30), 64
    yield 1, 2, (8, 12, 20, 30), 64
    yield 0, 4, (32, 64, 128, 256, 512), 512
    for _ in range(4):
        widths = tuple(int(width) for width in random.integers(3, 40, 5))
        i = int(random.integers(0, 3))
        yield i, int(random.integers(1, 5 - i)), widths, int(2 ** random.integers(5, 8))


def _other_cost(
    i: int,
    j: int,
    widths: Sequence[int],
    side: int,
    *,
    up: float = 1,
    maps: Callable[[int], int] = lambda j: j + 1,
    kernel: int = 9,
    second: float = 1,
    pixels: Callable[[int, int], int] = lambda i, side: (side >> i) ** 2,
    factor: int = 1,
) -> float:
    """Count with one thing changed."""
    w, below = widths[i], widths[i + 1]
    return factor * pixels(i, side) * (up * below * w + kernel * maps(j) * w * w + second * kernel * w * w)


EXERCISES = (
    FunctionExercise(
        number="4.1",
        title="What feeds a node",
        difficulty="easy",
        minutes=6,
        reference=node_inputs,
        cases=places,
        mistakes={
            "This is UNet+: of its own row, the node sees its left neighbour alone. Equation 1 takes all of them.": (
                lambda i, j: [(i, j - 1), (i + 1, j - 1)]
            ),
            "This is U-Net: of its own row, the node sees column 0 alone. Equation 1 takes all columns before j.": (
                lambda i, j: [(i, 0), (i + 1, j - 1)]
            ),
            "The node below is of the same column: equation 1 takes it from the column before, j - 1.": (
                lambda i, j: [*((i, k) for k in range(j)), (i + 1, j)]
            ),
            "The node below is of column 0: equation 1 takes it from the column before, j - 1.": (
                lambda i, j: [*((i, k) for k in range(j)), (i + 1, 0)]
            ),
            "You go up a row: rows are counted downwards, and below row i is row i + 1.": (
                lambda i, j: [*((i, k) for k in range(j)), (i - 1, j - 1)]
            ),
            "The node sees itself: the columns end at j - 1.": (
                lambda i, j: [*((i, k) for k in range(j + 1)), (i + 1, j - 1)]
            ),
            "The node below is missing.": lambda i, j: [(i, k) for k in range(j)],
            "Row and column are swapped: a node is (i, j), the row first.": (
                lambda i, j: [*((k, i) for k in range(j)), (j - 1, i + 1)]
            ),
            "Column 0, the encoder, is missing.": lambda i, j: [*((i, k) for k in range(1, j)), (i + 1, j - 1)],
            "These are the right nodes in another order: first the row from left to right, then the node below.": (
                lambda i, j: [(i + 1, j - 1), *((i, k) for k in range(j))]
            ),
            "The row runs from right to left: column 0 comes first.": (
                lambda i, j: [*((i, k) for k in reversed(range(j))), (i + 1, j - 1)]
            ),
            "In the pairs of the row, row and column are swapped: a node is (i, k), the row first.": (
                lambda i, j: [*((k, i) for k in range(j)), (i + 1, j - 1)]
            ),
            "You take the whole row below: equation 1 takes one node of it, in column j - 1.": (
                lambda i, j: [*((i, k) for k in range(j)), *((i + 1, k) for k in range(j))]
            ),
        },
        seconds=2,
    ),
    FunctionExercise(
        number="4.2",
        title="The loop that is UNet++",
        difficulty="hard",
        minutes=15,
        reference=run_grid,
        cases=grids,
        tolerance=0.0,
        seconds=10,
        mistakes={
            "It asks for a map that has not been computed yet. A node needs the node in the row below, one column to the "
            "left: X[i + 1, j - 1]. So finish column j - 1 in all rows before you start column j.": (
                partial(_other_grid, by_rows=True)
            ),
            "Two maps of different sizes meet. Is every map of column 0 halved before its block, and does the map from "
            "below come from row i + 1?": partial(
                _other_grid, encoder=lambda X, i, image: X[i - 1, 0] if i else image
            ),
            "This is UNet+: a node reads its left neighbour alone. In UNet++ it reads all earlier maps of its row.": (
                partial(_other_grid, skips=lambda X, i, j: [X[i, j - 1]])
            ),
            "Of its own row a node reads the encoder's map alone. In UNet++ it reads all earlier maps of its row.": (
                partial(_other_grid, skips=lambda X, i, j: [X[i, 0]])
            ),
            "The skips are in the wrong order: the equation lists them from column 0 to column j - 1.": (
                partial(_other_grid, skips=lambda X, i, j: [X[i, k] for k in reversed(range(j))])
            ),
            "The map from below comes from column 0: the equation takes it from column j - 1.": (
                partial(_other_grid, below=lambda X, i, j: X[i + 1, 0])
            ),
            "The first node halves the image. X^{0,0} takes the image as it is; only the rows below halve.": (
                partial(_other_grid, encoder=lambda X, i, image: max_pool2d(X[i - 1, 0] if i else image, 2))
            ),
            "Every row of the encoder starts from X^{0,0}. Row i takes the map of row i - 1, halved once.": (
                partial(_other_grid, encoder=lambda X, i, image: max_pool2d(X[0, 0], 2**i) if i else image)
            ),
            "Every row of the encoder starts from the image. Row i takes the map of row i - 1, halved once.": (
                partial(_other_grid, encoder=lambda X, i, image: max_pool2d(image, 2**i))
            ),
        },
    ),
    ChoiceExercise(
        number="4.3",
        title="Find the wrong connection",
        difficulty="medium",
        minutes=5,
        question="Which connection of the mystery network is wrong?",
        options={
            "a": Option(
                "X^{0,3} reads X^{1,0} where it should read X^{1,2}",
                "Then the gradient of X^{0,3} would not reach X^{1,2} either, and it does.",
            ),
            "b": Option(
                "X^{2,1} reads X^{3,1} where it should read X^{3,0}",
                "Whatever X^{2,1} reads, the gradient would still reach X^{2,1} itself, and it does not.",
            ),
            "c": Option(
                "X^{1,2} reads X^{2,0} where it should read X^{2,1}",
                "Yes. X^{1,2} is reached and X^{2,1}, which it should read, is not: the connection between them is "
                "missing. X^{3,0} is lost with it.",
                right=True,
            ),
            "d": Option(
                "X^{2,1} reads X^{2,0} twice",
                "Then the gradient would still come through X^{1,2} to X^{2,1} itself, and it does not.",
            ),
        },
    ),
    ChoiceExercise(
        number="4.4",
        title="The price of the grid",
        difficulty="medium",
        minutes=2,
        question="By how much does the arithmetic of UNet++ exceed that of U-Net?",
        options={
            "a": Option(
                "less than 16.5 % more",
                "The new nodes have few parameters, but each of their weights is used at many pixels.",
            ),
            "b": Option(
                "more than twice as much",
                "It is 2.47 times as much. The new nodes have few parameters, but each of their weights is used at many "
                "pixels.",
                right=True,
            ),
            "c": Option(
                "about 16.5 % more",
                "A weight is used once per pixel of its map: one in row 0 is used 256 times as often as one in row 4.",
            ),
            "d": Option(
                "about half as much again",
                "The direction is right, but it is more: the new nodes work on large maps.",
            ),
        },
        prediction=True,
    ),
    FunctionExercise(
        number="4.5",
        title="What one node costs",
        difficulty="medium",
        minutes=10,
        reference=node_macs,
        cases=priced_nodes,
        mistakes={
            "The up-convolution is missing.": partial(_other_cost, up=0),
            "The second convolution of the block is missing.": partial(_other_cost, second=0),
            "The first convolution reads one map more: the doubled one from below.": (
                partial(_other_cost, maps=lambda j: j)
            ),
            "The first convolution reads one map only: it reads j maps of its row and the doubled one.": (
                partial(_other_cost, maps=lambda j: 1)
            ),
            "Every pixel of the map counts, not every pixel of the image: row i is halved i times.": (
                partial(_other_cost, pixels=lambda i, side: side**2)
            ),
            "Halving a map halves both of its sides, so the number of pixels is divided by 4 for each row.": (
                partial(_other_cost, pixels=lambda i, side: side**2 >> i)
            ),
            "A map has as many pixels as its side squared.": partial(_other_cost, pixels=lambda i, side: side >> i),
            "A 3×3 convolution has nine weights for each pair of channels.": partial(_other_cost, kernel=1),
            "The up-convolution has four weights for each pair of channels, but each new pixel needs only one.": (
                partial(_other_cost, up=4)
            ),
            "The up-convolution is 2×2, not 3×3, and each new pixel needs one of its four weights.": (
                partial(_other_cost, up=9)
            ),
            "The pixels are missing: a weight is used once at every pixel.": (
                partial(_other_cost, pixels=lambda i, side: 1)
            ),
            "A multiplication and an addition together are one multiply-accumulate: count them once.": (
                partial(_other_cost, factor=2)
            ),
        },
        seconds=5,
    ),
    ChoiceExercise(
        number="4.6",
        title="One run, or five?",
        difficulty="easy",
        minutes=2,
        question="What do five more trainings of each network show?",
        options={
            "a": Option(
                "The same picture: the gap is about as large in UNet++ with one head as in U-Net.",
                "It is 0.29 in U-Net and 0.10 in UNet++ with one head: the one run was not typical.",
            ),
            "b": Option(
                "The one run was misleading: most of the gap is already gone in UNet++ with one head.",
                "0.29 in U-Net, 0.10 in UNet++ with one head: every one of the five is below every U-Net.",
                right=True,
            ),
            "c": Option(
                "The seeds scatter so much that nothing can be said about any of the networks.",
                "They do scatter, but every UNet++ lies below every U-Net.",
            ),
        },
        prediction=True,
    ),
)
