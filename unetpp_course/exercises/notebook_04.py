"""The exercises of notebook 04: what feeds a node, what that costs, and three bugs that raise no error."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from unetpp_course.checks import (
    ChoiceExercise,
    FunctionExercise,
    NumberExercise,
    Option,
    WiringExercise,
)
from unetpp_course.custom_wiring import cross, known_wires
from unetpp_lib.models import UNetPlusPlus
from unetpp_lib.models.graph import Node, edges_of

MYSTERY = cross(known_wires(4)["UNet++"], (1, 2), right=(2, 1), wrong=(2, 0))  # the network of exercise 4.5


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


class Thrown(nn.Module):
    """A block whose normalisation changes nothing, for its result is thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.norm = nn.GroupNorm(1, 2)
        self.head = nn.Conv2d(2, 1, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the logits."""
        x = self.conv(image)
        self.norm(x)
        return [self.head(x)]


class Forgotten(nn.Module):
    """Two branches, the second of which no head reads."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, channels, 1, bias=False)
        self.second = nn.Conv2d(1, channels, 1)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the logits of two heads."""
        return [self.first(image), self.scale * image]


class Shut(nn.Module):
    """A ReLU that no value passes: the gradients before it are 0, which is not the same as none."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.head = nn.Conv2d(1, 1, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the logits."""
        return [self.head(torch.relu(self.scale * image - 100))]


def dead_parameters(model: nn.Module, image: Tensor) -> list[str]:
    """Return the names of the parameters that no path leads to from any of the heads."""
    outputs = torch.stack([head.sum() for head in model(image)])
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(outputs.sum(), parameters, allow_unused=True)
    return [name for name, gradient in zip(names, gradients, strict=True) if gradient is None]


def networks(random: np.random.Generator) -> Iterator[tuple[nn.Module, Tensor]]:
    """Yield networks with and without dead parameters, each with an image."""
    image = torch.from_numpy(random.normal(size=(2, 1, 8, 8))).float()
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        yield Thrown(), image
        yield Forgotten(2), image
        yield UNetPlusPlus(widths=(2, 3, 4)), image
        yield Forgotten(int(random.integers(3, 6))), image
        yield Shut(), image


def _names_by(model: nn.Module, image: Tensor, heads: slice, dead: bool = True) -> list[str]:
    sum(head.sum() for head in model(image)[heads]).backward()
    return [name for name, parameter in model.named_parameters() if (parameter.grad is None) == dead]


def _head_by_head(model: nn.Module, image: Tensor) -> list[str]:
    for head in model(image):
        head.sum().backward()
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def _zeros(model: nn.Module, image: Tensor) -> list[str]:
    alive = _names_by(model, image, slice(None), dead=False)
    parameters = dict(model.named_parameters())
    return [name for name in alive if (gradient := parameters[name].grad) is not None and not gradient.any()]


EXERCISES = (
    FunctionExercise(
        number="4.1",
        title="What feeds a node",
        difficulty="easy",
        minutes=8,
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
    NumberExercise(
        number="4.2",
        title="How wide is the last node?",
        difficulty="easy",
        minutes=4,
        question="the channels that the first convolution of X^{0,4} reads, at widths 32, 64, 128, 256, 512",
        solution=160,
        unit="channels",
        mistakes={
            "The up-convolution halves the channels: from below come 32, not 64.": 192,
            "These are the four skips alone: the map from below is missing.": 128,
            "This is U-Net, one skip and one map from below: here are four skips.": 64,
            "X^{0,4} does not see itself: it has four skips, from columns 0 to 3.": 192 + 32,
            "This is what the convolution gives, not what it reads.": 32,
            "This is U-Net's one skip and the map from below as wide as it was: here are four skips.": 96,
            "The map from below comes from row 1, the next one down, not from the bottom.": 4 * 32 + 512,
        },
    ),
    ChoiceExercise(
        number="4.3",
        title="The price of the grid",
        difficulty="medium",
        minutes=2,
        question="UNet++ has 16.5 % more parameters than U-Net. How much more does it compute?",
        options={
            "a": Option(
                "less than 16.5 %",
                "Most parameters lie deep, where maps are small. The grid adds its own in rows of large maps.",
            ),
            "b": Option(
                "about 16.5 %",
                "A weight works once for each pixel of its map: one in row 0 works 256 times as often as one in row 4.",
            ),
            "c": Option(
                "about half as much again",
                "You go in the right direction, and not far enough: the new nodes work on large maps.",
            ),
            "d": Option(
                "more than twice as much",
                "Yes. The new nodes are few in parameters, but they stand in the rows of the large maps.",
                right=True,
            ),
        },
        prediction=True,
    ),
    WiringExercise(
        number="4.4",
        title="Wire a UNet+",
        difficulty="medium",
        minutes=8,
        question="the edges of a UNet+ of depth 3",
        solution=edges_of(known_wires(3)["UNet+"]),
        mistakes={
            "This is UNet++: in UNet+ a node sees of its own row its left neighbour alone.": edges_of(
                known_wires(3)["UNet++"]
            ),
            "This is U-Net: the nodes between the two arms are missing.": edges_of(known_wires(3)["U-Net"]),
            "This is the UNet+ of depth 2: depth 3 has four rows, 0 to 3.": edges_of(known_wires(2)["UNet+"]),
            "This is the UNet+ of depth 4: depth 3 has four rows, 0 to 3.": edges_of(known_wires(4)["UNet+"]),
            "The encoder is missing: X^{i,0} feeds X^{i+1,0}.": frozenset(
                edge for edge in edges_of(known_wires(3)["UNet+"]) if edge[1][1]
            ),
        },
    ),
    ChoiceExercise(
        number="4.5",
        title="Find the wrong wire",
        difficulty="hard",
        minutes=8,
        question="Which wire of the mystery network is wrong?",
        options={
            "a": Option(
                "X^{0,3} is fed by X^{1,0} in place of X^{1,2}",
                "Then the gradient of X^{0,3} would not reach X^{1,2} either. In the picture it does.",
            ),
            "b": Option(
                "X^{1,2} is fed by X^{2,0} in place of X^{2,1}",
                "Yes. X^{1,2} is reached and X^{2,1}, which should feed it, is not: the wire between them is missing.",
                right=True,
            ),
            "c": Option(
                "X^{2,1} is fed by X^{3,1} in place of X^{3,0}",
                "Whatever feeds X^{2,1}, the gradient would still come to X^{2,1} itself. In the picture it does not.",
            ),
            "d": Option(
                "X^{4,0} is fed by nothing",
                "X^{4,0} gets nothing from X^{0,3} in the right network either: it lies beyond, in the next diagonal.",
            ),
        },
    ),
    FunctionExercise(
        number="4.6",
        title="Find the parameters that never learn",
        difficulty="medium",
        minutes=10,
        reference=dead_parameters,
        cases=networks,
        mistakes={
            "These are the parameters that do get a gradient: the others are asked for.": (
                lambda model, image: _names_by(model, image, slice(None), dead=False)
            ),
            "You name all parameters: before `backward` none of them has a gradient.": (
                lambda model, image: [name for name, _ in model.named_parameters() if image is not None]
            ),
            "You ask the first head alone: what only another head needs is not dead.": (
                lambda model, image: _names_by(model, image, slice(0, 1))
            ),
            "You ask the last head alone: what only another head needs is not dead.": (
                lambda model, image: _names_by(model, image, slice(-1, None))
            ),
            "Do you look for gradients that are 0? Where no path leads, the gradient is None.": _zeros,
            "A gradient of 0 is no sign of death: on another image the ReLU may open. Ask for None alone.": (
                lambda model, image: _names_by(model, image, slice(None)) + _zeros(model, image)
            ),
            "Each `backward` frees what the next one needs: add up all heads first, and go back once.": _head_by_head,
            "You give the parameters themselves: their names are asked for.": (
                lambda model, image: [
                    dict(model.named_parameters())[name] for name in _names_by(model, image, slice(None))
                ]
            ),
            "You name the weights alone: a bias can be dead as well.": (
                lambda model, image: [name for name in _names_by(model, image, slice(None)) if "weight" in name]
            ),
            "You name the layers: their parameters are asked for, such as `norm.weight`.": (
                lambda model, image: list(
                    dict.fromkeys(name.rpartition(".")[0] for name in _names_by(model, image, slice(None)))
                )
            ),
        },
        seconds=5,
    ),
    NumberExercise(
        number="4.7",
        title="One up-convolution for three wires",
        difficulty="medium",
        minutes=5,
        question="the parameters that are missing if three wires from row 1 to row 0 share one up-convolution",
        solution=16_448,
        tolerance=0.5,
        unit="parameters",
        mistakes={
            "This is one up-convolution: three wires need three, so two are missing.": 8_224,
            "These are all three: one of them is still there.": 24_672,
            "The biases are missing: each up-convolution has 32.": 16_384,
            "These are all three, and without biases: two of them are missing, with 32 biases each.": 3 * 64 * 32 * 4,
            "This is what is left: how many fewer it is, is asked for.": 9_041_601 - 16_448,
            "A 2×2 kernel has four weights for each pair of channels, not nine.": 2 * (64 * 32 * 9 + 32),
            "A bias belongs to each channel that comes out, 32, not to each that goes in.": 2 * (64 * 32 * 4 + 64),
        },
    ),
)
