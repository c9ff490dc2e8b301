"""The exercises of notebook 04: what feeds a node, the loop that computes the grid, a wrong connection, the price."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option
from unetpp_course.custom_wiring import node_cost
from unetpp_lib.models import UNetPlusPlus, graph
from unetpp_lib.models.graph import Node

Maps = dict[Node, Tensor]

# Exercise 4.1: What feeds a node


def node_inputs(i: int, j: int) -> list[Node]:
    """Return the inputs of X^{i,j}, j at least 1: all earlier nodes of its row, then the one below of column j - 1."""
    return graph.node_inputs((i, j))


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


def goes_up_to_the_right(i, j):
    return [(i, k) for k in range(j)] + [(i - 1, j + 1)]


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
    minutes=6,
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
        (
            goes_up_to_the_right,
            "Your last node is one row up and one column to the right: take the one a row down and to the left.",
        ),
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
        (gives_names, "Entry 0 should be a tuple, not a string."),
        (gives_a_set, "not a set"),
        (forgets_to_return_inputs, "returns None"),
        (joins_wrongly, "raises TypeError in line 2"),
        (takes_a_node, "cannot be called"),
    ],
    seconds=2,
)


# Exercise 4.2: The loop that is UNet++


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
    for nodes, side in ((toy_nodes(2), 8), (toy_nodes(3), 16)):
        yield nodes, torch.from_numpy(random.normal(size=(1, 1, side, side))).float()
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        for widths in ((2, 3, 4), (2, 3), (2, 2, 3, 2, 2)):
            nodes = UNetPlusPlus(widths=widths).eval().nodes
            yield nodes, torch.from_numpy(random.normal(size=(2, 1, 32, 64))).float()


def describe_grid(nodes: nn.ModuleList, image: Tensor) -> str:
    """Return in words what a grid is run on."""
    return f"the nodes of a grid of depth {len(nodes) - 1}, an image of {image.shape[2]} × {image.shape[3]} pixels"


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


def earlier_maps(X: Maps, i: int, j: int) -> list[Tensor]:
    """Return all earlier maps of a row, from left to right."""
    return [X[i, k] for k in range(j)]


def other_grid(
    nodes: nn.ModuleList,
    image: Tensor,
    *,
    skips: Callable[[Maps, int, int], list[Tensor]] = earlier_maps,
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


def goes_row_by_row(nodes, image):
    return other_grid(nodes, image, by_rows=True)


def takes_below_from_the_same_column(nodes, image):
    return other_grid(nodes, image, below=lambda X, i, j: X[i + 1, j])


def never_halves(nodes, image):
    return other_grid(nodes, image, encoder=lambda X, i, image: X[i - 1, 0] if i else image)


def skips_the_left_neighbour_alone(nodes, image):
    return other_grid(nodes, image, skips=lambda X, i, j: [X[i, j - 1]])


def skips_the_encoder_alone(nodes, image):
    return other_grid(nodes, image, skips=lambda X, i, _: [X[i, 0]])


def skips_from_right_to_left(nodes, image):
    return other_grid(nodes, image, skips=lambda X, i, j: [X[i, k] for k in reversed(range(j))])


def skips_without_the_encoder(nodes, image):
    return other_grid(nodes, image, skips=lambda X, i, j: [X[i, k] for k in range(1, j)])


def takes_below_from_the_encoder(nodes, image):
    return other_grid(nodes, image, below=lambda X, i, _: X[i + 1, 0])


def halves_the_image(nodes, image):
    return other_grid(nodes, image, encoder=lambda X, i, image: max_pool2d(X[i - 1, 0] if i else image, 2))


def pools_from_the_first_node(nodes, image):
    return other_grid(nodes, image, encoder=lambda X, i, image: max_pool2d(X[0, 0], 2**i) if i else image)


def pools_the_image(nodes, image):
    return other_grid(nodes, image, encoder=lambda _, i, image: max_pool2d(image, 2**i))


def skips_the_encoder_again_and_again(nodes, image):
    return other_grid(nodes, image, skips=lambda X, i, j: [X[i, 0]] * j)


def skips_the_left_neighbour_again_and_again(nodes, image):
    return other_grid(nodes, image, skips=lambda X, i, j: [X[i, j - 1]] * j)


def gives_a_map_instead_of_a_list(nodes, image):
    return other_grid(nodes, image, skips=lambda X, i, j: X[i, j - 1])


def computes_depth_4_whatever_it_gets(nodes, image):
    X = {(0, 0): nodes[0][0](image)}
    for i in range(1, 5):
        X[i, 0] = nodes[i][0](max_pool2d(X[i - 1, 0], 2))
    return other_grid(nodes, image)


def halves_by_the_mean(nodes, image):
    return other_grid(nodes, image, encoder=lambda X, i, image: avg_pool2d(X[i - 1, 0], 2) if i else image)


def computes_one_row_too_many(nodes, image):
    X = stops_after_the_encoder(nodes, image)
    for j in range(1, len(nodes)):
        for i in range(len(nodes) - j + 1):
            X[i, j] = nodes[i][j]([X[i, k] for k in range(j)], X[i + 1, j - 1])
    return X


def swaps_row_and_column_in_the_keys(nodes, image):
    return {(j, i): found for (i, j), found in other_grid(nodes, image).items()}


def stops_after_the_encoder(nodes, image):
    X = {(0, 0): nodes[0][0](image)}
    for i in range(1, len(nodes)):
        X[i, 0] = nodes[i][0](max_pool2d(X[i - 1, 0], 2))
    return X


def stops_one_column_early(nodes, image):
    X = other_grid(nodes, image)
    return {(i, j): X[i, j] for i, j in X if j < len(nodes) - 1}


def returns_the_last_map(nodes, image):
    return other_grid(nodes, image)[0, len(nodes) - 1]


def returns_rows(nodes, image):
    X = other_grid(nodes, image)
    return [[X[i, j] for j in range(len(nodes) - i)] for i in range(len(nodes))]


def forgets_to_return_the_grid(nodes, image):
    other_grid(nodes, image)


def gives_the_skips_one_by_one(nodes, image):
    X = stops_after_the_encoder(nodes, image)
    X[0, 1] = nodes[0][1](X[0, 0], X[1, 0], X[1, 0])
    return X


EXERCISE_4_2 = FunctionExercise(
    number="4.2",
    title="The loop that is UNet++",
    difficulty="hard",
    minutes=12,
    reference=run_grid,
    cases=grids,
    describe=describe_grid,
    tolerance=0.0,
    seconds=10,
    mistakes=[
        (
            goes_row_by_row,
            "It asks for a map that has not been computed yet. A node needs the map one row down and one column to the "
            "left, X[i + 1, j - 1]. So finish column j - 1 in all rows before you start column j.",
        ),
        (
            takes_below_from_the_same_column,
            "It asks for a map that has not been computed yet. Is the map from below X[i + 1, j - 1], and do the skips "
            "end with X[i, j - 1]?",
        ),
        (
            never_halves,
            "Two maps of different sizes meet. Is each map of column 0 halved before its block, and does the map from "
            "below come from row i + 1?",
        ),
        (
            skips_the_left_neighbour_alone,
            "This is UNet+: a node reads only its left neighbour. In UNet++ it reads all earlier maps of its row.",
        ),
        (
            skips_the_encoder_alone,
            "A node reads only the encoder's map of its row. In UNet++ it reads all earlier maps of its row.",
        ),
        (
            skips_from_right_to_left,
            "The skips are in the wrong order: the equation lists them from column 0 to column j - 1.",
        ),
        (skips_without_the_encoder, "The encoder's map is missing among the skips: column 0 counts too."),
        (
            takes_below_from_the_encoder,
            "The map from below comes from column 0: the equation takes it from column j - 1.",
        ),
        (
            halves_the_image,
            "The first node halves the image. X^{0,0} takes the image as it is; only the rows below halve.",
        ),
        (
            pools_from_the_first_node,
            "Every row of the encoder starts from X^{0,0}. Row i takes the map of row i - 1, halved once.",
        ),
        (
            gives_a_map_instead_of_a_list,
            "A node with j > 0 gets one map where it expects a list: [X[i, 0], … X[i, j - 1]], even of a single map.",
        ),
        (
            computes_depth_4_whatever_it_gets,
            "It computes a grid of depth 4, whatever it gets. The depth is `len(nodes) - 1`.",
        ),
        (
            skips_the_encoder_again_and_again,
            "The list of skips has the right length, but it holds the encoder's map again and again: it should hold "
            "X[i, 0], X[i, 1], … X[i, j - 1].",
        ),
        (
            skips_the_left_neighbour_again_and_again,
            "The list of skips has the right length, but it holds the left neighbour again and again: it should hold "
            "X[i, 0], X[i, 1], … X[i, j - 1].",
        ),
        (halves_by_the_mean, "D is max pooling: halve with max_pool2d."),
        (
            computes_one_row_too_many,
            "It asks for a node that the grid does not have: in column j the rows end at depth - j.",
        ),
        (swaps_row_and_column_in_the_keys, "Row and column are swapped: the map of X^{i,j} is X[i, j]."),
        (pools_the_image, "Every row of the encoder starts from the image. Row i takes the map of row i - 1, halved."),
    ],
    also_wrong=[
        (stops_after_the_encoder, "The entry (0, 1) is missing"),
        (stops_one_column_early, "The entry (0, 2) is missing"),
        (returns_the_last_map, "should be a dictionary, not a tensor"),
        (returns_rows, "should be a dictionary, not a list"),
        (forgets_to_return_the_grid, "returns None"),
        (gives_the_skips_one_by_one, "TypeError in line 3"),
    ],
)


EXERCISE_4_3 = ChoiceExercise(
    number="4.3",
    title="Find the wrong connection",
    difficulty="medium",
    minutes=5,
    question="Which connection of the mystery network is wrong?",
    options={
        "a": Option(
            "X03 reads X10 where it should read X12",
            "Then the gradient of X03 would not reach X12 either, and it does.",
        ),
        "b": Option(
            "X21 reads X31 where it should read X30",
            "Whatever X21 reads, the gradient would still reach X21 itself, and it does not.",
        ),
        "c": Option(
            "X12 reads X20 where it should read X21",
            "Yes. X12 is reached and X21, which it should read, is not: the connection between them is "
            "missing. X30 is lost with it.",
            right=True,
        ),
        "d": Option(
            "X22 reads X20 where it should read X21",
            "X22 does not feed X03 at all: the gradient would look the same whatever X22 reads.",
        ),
    },
    also_wrong=[
        ("(1, 2)", "by its letter"),
        ((1, 2), "by its letter"),
    ],
)


EXERCISE_4_4 = ChoiceExercise(
    number="4.4",
    title="The price of the grid",
    difficulty="medium",
    minutes=2,
    question="How does the arithmetic of UNet++ compare with that of U-Net?",
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
            "The direction is right, but it is more: the new nodes add few parameters, but a full share of arithmetic.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (147, "by its letter"),
    ],
    prediction=True,
)


# Exercise 4.5: What one node costs


def node_macs(i: int, j: int, widths: Sequence[int], side: int) -> int:
    """Return the multiply-accumulates of a node with j > 0, counted layer by layer."""
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
    yield 3, 1, (8, 12, 20, 30, 44), 64


def forgets_the_up_convolution(i, j, widths, side):
    w = widths[i]
    return (side // 2**i) ** 2 * (9 * (j + 1) * w * w + 9 * w * w)


def forgets_the_second_convolution(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (below * w + 9 * (j + 1) * w * w)


def counts_one_input(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (below * w + 9 * w * w + 9 * w * w)


def counts_two_inputs(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (below * w + 9 * 2 * w * w + 9 * w * w)


def reads_all_maps_twice(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (below * w + 2 * 9 * (j + 1) * w * w)


def adds_the_biases(i, j, widths, side):
    return node_macs(i, j, widths, side) + (side // 2**i) ** 2 * 3 * widths[i]


def doubles_where_the_pixels_are_few(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return node_macs(i, j, widths, side) - below * w * (side // 2**i) ** 2 * 3 / 4


def halves_once_for_each_row_twice(i, j, widths, side):
    return node_macs(i, j, widths, side) * 4**i / max(1, 2 * i) ** 2


def joins_the_map_before_it_is_doubled(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (below * w + 9 * (j * w + below) * w + 9 * w * w)


def counts_the_pixels_of_the_image(i, j, widths, side):
    return node_macs(i, j, widths, side * 2**i)


def halves_the_number_of_pixels(i, j, widths, side):
    return node_macs(i, j, widths, side) * 2**i


def counts_one_row_of_pixels(i, j, widths, side):
    return node_macs(i, j, widths, side) / (side // 2**i)


def counts_the_pixels_of_the_row_below(i, j, widths, side):
    return node_macs(i, j, widths, side) / 4


def forgets_the_kernel(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (below * w + (j + 1) * w * w + w * w)


def counts_three_weights(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (below * w + 3 * (j + 1) * w * w + 3 * w * w)


def counts_four_weights(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (4 * below * w + 9 * (j + 1) * w * w + 9 * w * w)


def counts_nine_weights(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * 9 * (below * w + (j + 1) * w * w + w * w)


def counts_weights(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return below * w + 9 * (j + 1) * w * w + 9 * w * w


def counts_parameters(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return 4 * below * w + 9 * (j + 1) * w * w + 9 * w * w


def counts_additions_too(i, j, widths, side):
    return 2 * node_macs(i, j, widths, side)


def adds_the_widths(i, j, widths, side):
    w, below = widths[i], widths[i + 1]
    return (side // 2**i) ** 2 * (below + w + 9 * (j + 2) * w)


def forgets_to_return_the_cost(i, j, widths, side):
    node_macs(i, j, widths, side)


EXERCISE_4_5 = FunctionExercise(
    number="4.5",
    title="What one node costs",
    difficulty="medium",
    minutes=8,
    reference=node_macs,
    cases=priced_nodes,
    mistakes=[
        (forgets_the_up_convolution, "The up-convolution is missing."),
        (
            forgets_the_second_convolution,
            "Nine weights for each pair of the node's own channels are missing. Either the first convolution does not "
            "read the doubled map, or the second convolution is left out.",
        ),
        (
            counts_one_input,
            "The first convolution reads more than one map: j maps of its row and the doubled one.",
        ),
        (
            counts_two_inputs,
            "The first convolution reads j + 1 maps, not always two: here are j skips and the doubled map.",
        ),
        (
            reads_all_maps_twice,
            "Only the first convolution reads all j + 1 maps. The second one reads the output of the first.",
        ),
        (adds_the_biases, "Leave the biases out: they are additions without a multiplication."),
        (
            doubles_where_the_pixels_are_few,
            "The up-convolution writes a map of row i: each of its pixels needs one weight for each pair of channels.",
        ),
        (halves_once_for_each_row_twice, "Halving i times divides the side by 2**i, not by 2 * i."),
        (
            joins_the_map_before_it_is_doubled,
            "The up-convolution also changes the channels: the doubled map has as many as the maps of row i.",
        ),
        (
            counts_the_pixels_of_the_image,
            "Count the pixels of the node's map, not those of the image: its side is halved i times.",
        ),
        (
            halves_the_number_of_pixels,
            "Halving a map halves both of its sides, so each row has a quarter of the pixels of the row above.",
        ),
        (counts_one_row_of_pixels, "A map has as many pixels as its side squared."),
        (
            counts_the_pixels_of_the_row_below,
            "These are the pixels of the row below. The map of X^{i,j} has those of row i: its side is halved i times.",
        ),
        (forgets_the_kernel, "A 3×3 convolution has nine weights for each pair of channels."),
        (counts_three_weights, "A 3×3 convolution has nine weights for each pair of channels, not three."),
        (
            counts_four_weights,
            "The up-convolution has four weights for each pair of channels, but each new pixel needs only one.",
        ),
        (
            counts_nine_weights,
            "The up-convolution is 2×2, not 3×3, and each new pixel needs one of its four weights.",
        ),
        (counts_weights, "The pixels are missing: a weight is used once at every pixel."),
        (counts_parameters, "These are the parameters. A weight is used once at every pixel."),
        (
            adds_the_widths,
            "Every output channel has weights for every input channel: multiply the two numbers of channels.",
        ),
        (
            counts_additions_too,
            "A multiplication together with its addition is one multiply-accumulate: count the two once.",
        ),
    ],
    also_wrong=[(forgets_to_return_the_cost, "returns None")],
    seconds=5,
)


EXERCISE_4_6 = ChoiceExercise(
    number="4.6",
    title="One run, or five?",
    difficulty="easy",
    minutes=2,
    question="What do all five seeds together show?",
    options={
        "a": Option(
            "The seeds scatter so much that U-Net and UNet++ cannot be told apart.",
            "They do scatter, but less than the two networks differ: every UNet++ lies below every U-Net.",
        ),
        "b": Option(
            "Every UNet++ has a smaller gap than every U-Net, and on average more than half of the gap is gone.",
            "On average the gap is 0.29 in U-Net and 0.10 in UNet++.",
            right=True,
        ),
        "c": Option(
            "UNet++ has the smaller gap on average, but with some seeds it is the other way round.",
            "The largest gap of a UNet++ is 0.15, the smallest of a U-Net is 0.24: they do not overlap.",
        ),
    },
    also_wrong=[
        ("d", "by its letter"),
        (0.1, "by its letter"),
    ],
    prediction=True,
)


EXERCISES = (
    EXERCISE_4_1,
    EXERCISE_4_2,
    EXERCISE_4_3,
    EXERCISE_4_4,
    EXERCISE_4_5,
    EXERCISE_4_6,
)
