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
from unetpp_course.custom_wiring import cross, edges, known_wires
from unetpp_course.graph import Node
from unetpp_lib.models import UNetPlusPlus

# Exercise 4.1: What feeds a node


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


def takes_the_left_neighbour(i, j):
    return [(i, j - 1), (i + 1, j - 1)]


def takes_the_encoder_alone(i, j):
    return (i, 0), (i + 1, j - 1)


def goes_straight_down(i, j):
    return [(i, k) for k in range(j)] + [(i + 1, j)]


def takes_the_encoder_below(i, j):
    return [(i, k) for k in range(j)] + [(i + 1, 0)]


def counts_rows_upwards(i, j):
    return [(i, k) for k in range(j)] + [(i - 1, j - 1)]


def sees_itself(i, j):
    return [(i, k) for k in range(j + 1)] + [(i + 1, j - 1)]


def forgets_below(i, j):
    return [(i, k) for k in range(j)]


def swaps_row_and_column(i, j):
    return [(k, i) for k in range(j)] + [(j - 1, i + 1)]


def begins_at_one(i, j):
    return [(i, k) for k in range(1, j)] + [(i + 1, j - 1)]


def begins_below(i, j):
    return [(i + 1, j - 1)] + [(i, k) for k in range(j)]


def goes_from_right_to_left(i, j):
    return [(i, j - 1 - k) for k in range(j)] + [(i + 1, j - 1)]


def swaps_the_row_alone(i, j):
    return [(k, i) for k in range(j)] + [(i + 1, j - 1)]


def takes_all_below(i, j):
    return [(row, k) for row in (i, i + 1) for k in range(j)]


def gives_names(i, j):
    return [f"X{i}{k}" for k in range(j)] + [f"X{i + 1}{j - 1}"]


def gives_a_set(i, j):
    return {(i, k) for k in range(j)} | {(i + 1, j - 1)}


def forgets_to_return_inputs(i, j):
    [(i, k) for k in range(j)] + [(i + 1, j - 1)]


def joins_wrongly(i, j):
    return [(i, k) for k in range(j)] + (i + 1, j - 1)


def takes_a_node(node):
    return [(node[0], k) for k in range(node[1])] + [(node[0] + 1, node[1] - 1)]


EXERCISE_4_1 = FunctionExercise(
    number="4.1",
    title="What feeds a node",
    difficulty="easy",
    minutes=8,
    reference=node_inputs,
    cases=places,
    mistakes=[
        (
            takes_the_left_neighbour,
            "This is UNet+: of its own row, the node sees its left neighbour alone. Equation 1 takes all of them.",
        ),
        (
            takes_the_encoder_alone,
            "This is U-Net: of its own row, the node sees column 0 alone. Equation 1 takes all columns before j.",
        ),
        (
            goes_straight_down,
            "The node below is of the same column: equation 1 takes it from the column before, j - 1.",
        ),
        (takes_the_encoder_below, "The node below is of column 0: equation 1 takes it from the column before, j - 1."),
        (counts_rows_upwards, "You go up a row: rows are counted downwards, and below row i is row i + 1."),
        (sees_itself, "The node sees itself: the columns end at j - 1."),
        (forgets_below, "The node below is missing."),
        (swaps_row_and_column, "Row and column are swapped: a node is (i, j), the row first."),
        (begins_at_one, "Column 0, the encoder, is missing."),
        (
            begins_below,
            "These are the right nodes in another order: first the row from left to right, then the node below.",
        ),
        (goes_from_right_to_left, "The row runs from right to left: column 0 comes first."),
        (swaps_the_row_alone, "In the pairs of the row, row and column are swapped: a node is (i, k), the row first."),
        (takes_all_below, "You take the whole row below: equation 1 takes one node of it, in column j - 1."),
    ],
    also_wrong=[
        (gives_names, "should be a list, not a value of type str"),
        (gives_a_set, "not a value of type set"),
        (forgets_to_return_inputs, "returns None"),
        (joins_wrongly, "raises TypeError in line 2"),
        (takes_a_node, "cannot be called"),
    ],
    seconds=2,
)


EXERCISE_4_2 = NumberExercise(
    number="4.2",
    title="How wide is the last node?",
    difficulty="easy",
    minutes=4,
    question="the channels that the first convolution of X^{0,4} reads, at widths 32, 64, 128, 256, 512",
    solution=160,
    unit="channels",
    mistakes=[
        (192, "The up-convolution halves the channels: from below come 32, not 64."),
        (128, "These are the four skips alone: the map from below is missing."),
        (64, "This is U-Net, one skip and one map from below: here are four skips."),
        (192 + 32, "X^{0,4} does not see itself: it has four skips, from columns 0 to 3."),
        (32, "This is what the convolution gives, not what it reads."),
        (96, "This is U-Net's one skip and the map from below as wide as it was: here are four skips."),
        (4 * 32 + 512, "The map from below comes from row 1, the next one down, not from the bottom."),
    ],
    also_wrong=[
        ("160", "one number, not a value of type str"),
    ],
)


EXERCISE_4_3 = ChoiceExercise(
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
    also_wrong=[
        ("e", "by its letter"),
        (147, "by its letter"),
    ],
    prediction=True,
)


# Exercise 4.4: Wire a UNet+


UNET_PLUS = known_wires(3)["UNet+"]


EXERCISE_4_4 = WiringExercise(
    number="4.4",
    title="Wire a UNet+",
    difficulty="medium",
    minutes=8,
    question="the edges of a UNet+ of depth 3",
    solution=edges(UNET_PLUS),
    mistakes=[
        (
            edges(known_wires(3)["UNet++"]),
            "This is UNet++: in UNet+ a node sees of its own row its left neighbour alone.",
        ),
        (edges(known_wires(3)["U-Net"]), "This is U-Net: the nodes between the two arms are missing."),
        (edges(known_wires(2)["UNet+"]), "This is the UNet+ of depth 2: depth 3 has four rows, 0 to 3."),
        (edges(known_wires(4)["UNet+"]), "This is the UNet+ of depth 4: depth 3 has four rows, 0 to 3."),
        (
            frozenset(edge for edge in edges(UNET_PLUS) if edge[1][1]),
            "The encoder is missing: X^{i,0} feeds X^{i+1,0}.",
        ),
    ],
    also_wrong=[
        (UNET_PLUS | {(0, 2): [(0, 0), (0, 1), (1, 1)]}, "X^{0,0} → X^{0,2} does not belong"),
        (UNET_PLUS | {(1, 2): [(1, 1)]}, "X^{1,2} does not see"),
        (UNET_PLUS | {(1, 2): [(1, 1), (2, 0)]}, "X^{2,0} → X^{1,2} does not belong"),
        ({(target, source) for target, sources in UNET_PLUS.items() for source in sources}, "wrong way"),
        ("UNet+", "set of edges"),
        (UNET_PLUS | {(1, 0): (0, 0)}, "inputs as a list"),
    ],
)


# Exercise 4.5: Find the wrong wire


MYSTERY = cross(known_wires(4)["UNet++"], (1, 2), right=(2, 1), wrong=(2, 0))  # the network of exercise 4.5


EXERCISE_4_5 = ChoiceExercise(
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
    also_wrong=[
        ("(1, 2)", "by its letter"),
        ((1, 2), "by its letter"),
    ],
)


# Exercise 4.6: Find the parameters that never learn


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


def learn(model, image):
    sum(head.sum() for head in model(image)).backward()
    return dict(model.named_parameters())


def names_the_living(model, image):
    return [name for name, parameter in learn(model, image).items() if parameter.grad is not None]


def forgets_backward(model, image):
    model(image)
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def asks_the_first_head(model, image):
    model(image)[0].sum().backward()
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def asks_the_last_head(model, image):
    model(image)[-1].sum().backward()
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def looks_for_zeros(model, image):
    parameters = learn(model, image).items()
    return [name for name, parameter in parameters if parameter.grad is not None and parameter.grad.abs().max() == 0]


def gives_the_parameters(model, image):
    return [parameter for parameter in learn(model, image).values() if parameter.grad is None]


def names_weights_alone(model, image):
    parameters = learn(model, image).items()
    return [name for name, parameter in parameters if parameter.grad is None and name.endswith("weight")]


def names_the_layers(model, image):
    parameters = learn(model, image).items()
    return list(dict.fromkeys(name.rpartition(".")[0] for name, parameter in parameters if parameter.grad is None))


def counts_zeros_too(model, image):
    parameters = learn(model, image).items()
    return [name for name, parameter in parameters if parameter.grad is None or not parameter.grad.any()]


def goes_back_for_each_head(model, image):
    for head in model(image):
        head.mean().backward()
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def counts_them(model, image):
    return sum(parameter.grad is None for parameter in learn(model, image).values())


def forgets_to_return(model, image):
    [name for name, parameter in learn(model, image).items() if parameter.grad is None]


def adds_no_heads(model, image):
    model(image).backward()
    return []


def tests_a_tensor(model, image):
    parameters = learn(model, image)
    return [name for name, parameter in parameters.items() if not parameter.grad.any()]


EXERCISE_4_6 = FunctionExercise(
    number="4.6",
    title="Find the parameters that never learn",
    difficulty="medium",
    minutes=10,
    reference=dead_parameters,
    cases=networks,
    mistakes=[
        (names_the_living, "These are the parameters that do get a gradient: the others are asked for."),
        (forgets_backward, "You name all parameters: before `backward` none of them has a gradient."),
        (asks_the_first_head, "You ask the first head alone: what only another head needs is not dead."),
        (asks_the_last_head, "You ask the last head alone: what only another head needs is not dead."),
        (looks_for_zeros, "Do you look for gradients that are 0? Where no path leads, the gradient is None."),
        (
            counts_zeros_too,
            "A gradient of 0 is no sign of death: on another image the ReLU may open. Ask for None alone.",
        ),
        (
            goes_back_for_each_head,
            "Each `backward` frees what the next one needs: add up all heads first, and go back once.",
        ),
        (gives_the_parameters, "You give the parameters themselves: their names are asked for."),
        (names_weights_alone, "You name the weights alone: a bias can be dead as well."),
        (names_the_layers, "You name the layers: their parameters are asked for, such as `norm.weight`."),
    ],
    also_wrong=[
        (counts_them, "should be a list, not a number"),
        (forgets_to_return, "returns None"),
        (adds_no_heads, "raises AttributeError in line 2"),
        (tests_a_tensor, "raises AttributeError in line 3"),
    ],
    seconds=5,
)


EXERCISE_4_7 = NumberExercise(
    number="4.7",
    title="One up-convolution for three wires",
    difficulty="medium",
    minutes=5,
    question="the parameters that are missing if three wires from row 1 to row 0 share one up-convolution",
    solution=16_448,
    tolerance=0.5,
    unit="parameters",
    mistakes=[
        (8_224, "This is one up-convolution: three wires need three, so two are missing."),
        (24_672, "These are all three: one of them is still there."),
        (16_384, "The biases are missing: each up-convolution has 32."),
        (3 * 64 * 32 * 4, "These are all three, and without biases: two of them are missing, with 32 biases each."),
        (9_041_601 - 16_448, "This is what is left: how many fewer it is, is asked for."),
        (2 * (64 * 32 * 9 + 32), "A 2×2 kernel has four weights for each pair of channels, not nine."),
        (2 * (64 * 32 * 4 + 64), "A bias belongs to each channel that comes out, 32, not to each that goes in."),
    ],
)


EXERCISES = (EXERCISE_4_1, EXERCISE_4_2, EXERCISE_4_3, EXERCISE_4_4, EXERCISE_4_5, EXERCISE_4_6, EXERCISE_4_7)
