"""The exercises of notebook 03: doubling a map, joining it with the skip, and finding what is wrong with a U."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unetpp_course.checks import (
    ChoiceExercise,
    FunctionExercise,
    NumberExercise,
    Option,
    WiringExercise,
)

LOST = ((1, 0), (1, 2))  # the skip that the suspect network of exercise 3.4 lost


def double(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the transposed 2×2 convolution with stride 2, stamp by stamp.

    ``x`` (C, H, W), ``weight`` (C, D, 2, 2), ``bias`` (D) → (D, 2H, 2W).
    """
    C, H, W = x.shape
    D = weight.shape[1]
    out = torch.zeros(D, 2 * H, 2 * W)
    for d in range(D):
        out[d] = bias[d]
        for c in range(C):
            for row in range(H):
                for column in range(W):
                    for i in (0, 1):
                        for j in (0, 1):
                            out[d, 2 * row + i, 2 * column + j] += x[c, row, column] * weight[c, d, i, j]
    return out


def library_double(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return what torch makes of it."""
    return F.conv_transpose2d(x[None], weight, bias, stride=2)[0]


def maps(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield a map, stamps and biases: a readable one first."""
    stamps = torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]], [[[1.0, 0.0], [0.0, 2.0]]]])
    yield torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), stamps, torch.tensor([0.5])
    for C, D, H, W in ((1, 3, 2, 4), (2, 3, 3, 2), (3, 2, 1, 3), (4, 1, 2, 2)):
        shapes = ((C, H, W), (C, D, 2, 2), (D,))
        x, weight, bias = (torch.from_numpy(random.normal(size=shape)).float() for shape in shapes)
        yield x, weight, bias


def stamped(x: Tensor, weight: Tensor, bias: Tensor, join: Callable[..., Tensor]) -> Tensor:
    """Return a doubling in which ``join(old, new)`` puts each further channel's stamps on what is there."""
    out = None
    for c in range(len(x)):
        new = library_double(x[c : c + 1], weight[c : c + 1], None)
        out = new if out is None else join(out, new)
    assert out is not None
    return out + bias[:, None, None]


def exchanged(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the doubling in which each number of the stamp is multiplied by the whole map."""
    pairs = ((c, d) for c in range(len(x)) for d in range(len(bias)))
    out = bias[:, None, None].repeat(1, 2 * x.shape[1], 2 * x.shape[2])
    for c, d in pairs:
        out[d] += torch.kron(weight[c, d].contiguous(), x[c])
    return out


def overlapping(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the doubling with stamps that stand one pixel apart instead of two."""
    D, (H, W) = weight.shape[1], x.shape[1:]
    out = bias[:, None, None].expand(D, 2 * H, 2 * W).clone()
    out[:, : H + 1, : W + 1] += F.conv_transpose2d(x[None], weight)[0]
    return out


def crop_and_join(skip: Tensor, up: Tensor) -> Tensor:
    """Return the middle of ``skip`` (N, C, H, W), as large as ``up`` (N, D, h, w), and ``up``: (N, C + D, h, w)."""
    N, C, D = len(skip), skip.shape[1], up.shape[1]
    h, w = up.shape[2:]
    top, left = (skip.shape[2] - h) // 2, (skip.shape[3] - w) // 2
    out = torch.empty(N, C + D, h, w)
    for row in range(h):
        for column in range(w):
            out[:, :C, row, column] = skip[:, :, top + row, left + column]
            out[:, C:, row, column] = up[:, :, row, column]
    return out


def skips_and_maps(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield a skip that is larger by an even number of pixels, and an up-sampled map: a readable pair first."""
    yield torch.arange(16.0).reshape(1, 1, 4, 4), torch.full((1, 1, 2, 2), -1.0)
    for N, C, D, h, w, dh, dw in ((1, 2, 1, 2, 3, 4, 2), (2, 1, 3, 3, 2, 2, 6), (1, 3, 3, 4, 4, 0, 2)):
        shapes = ((N, C, h + dh, w + dw), (N, D, h, w))
        skip, up = (torch.from_numpy(random.normal(size=shape)).float() for shape in shapes)
        yield skip, up


def middle(skip: Tensor, up: Tensor) -> Tensor:
    """Return the middle of ``skip``, as large as ``up``."""
    h, w = up.shape[2:]
    top, left = (skip.shape[2] - h) // 2, (skip.shape[3] - w) // 2
    return skip[:, :, top : top + h, left : left + w]


def cut_by_rows(skip: Tensor, up: Tensor) -> Tensor:
    """Return a crop of ``skip`` whose columns begin where its rows do."""
    h, w = up.shape[2:]
    top = (skip.shape[2] - h) // 2
    return skip[:, :, top : top + h, top : top + w]


def cut_from_the_end(skip: Tensor, up: Tensor) -> Tensor:
    """Return the join with a crop that counts its end from the skip's end, which fails where nothing is cut."""
    top, left = ((skip.shape[dim] - up.shape[dim]) // 2 for dim in (2, 3))
    return torch.cat([skip[:, :, top:-top, left:-left], up], 1)


def padded(skip: Tensor, up: Tensor) -> Tensor:
    """Return ``up`` with zeros around it, as large as ``skip``."""
    rows, columns = (skip.shape[dim] - up.shape[dim] for dim in (2, 3))
    return F.pad(up, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))


EXERCISES = (
    FunctionExercise(
        number="3.1",
        title="Double a map of several channels",
        difficulty="medium",
        minutes=10,
        reference=double,
        cases=maps,
        mistakes={
            "The bias is missing: each output channel d starts from bias[d].": lambda x, weight, _bias: library_double(
                x, weight, None
            ),
            "The bias is added once for each input channel: it belongs to an output channel, once.": (
                lambda x, weight, bias: library_double(x, weight, len(x) * bias)
            ),
            "The last input channel wins: the stamps of all input channels must be added, not written over.": (
                lambda x, weight, bias: stamped(x, weight, bias, lambda _old, new: new)
            ),
            "The last input channel wins, and the bias is gone: add to what stands in `out[d]`, with `+=`.": (
                lambda x, weight, bias: stamped(x, weight, 0 * bias, lambda _old, new: new)
            ),
            "Stamp and map have changed places: the map stands first in `torch.kron(x[c], weight[c, d])`.": exchanged,
            "You average over the input channels: add them up.": (
                lambda x, weight, bias: library_double(x, weight / len(x), bias)
            ),
            "The stamp is turned by half a turn: weight[c, d, 0, 0] belongs to the upper left pixel.": (
                lambda x, weight, bias: library_double(x, weight.flip(2, 3), bias)
            ),
            "Rows and columns of the stamp are exchanged: i is the row in weight[c, d, i, j].": (
                lambda x, weight, bias: library_double(x, weight.transpose(2, 3), bias)
            ),
            "The stamps overlap: the one of pixel (row, column) begins at (2·row, 2·column).": overlapping,
            "You repeat each pixel, and the stamp has no say: multiply the pixel by the stamp's four numbers.": (
                lambda x, weight, bias: library_double(x, weight[:, :, :1, :1].expand_as(weight), bias)
            ),
            "The bias is taken off: add it.": lambda x, weight, bias: library_double(x, weight, -bias),
        },
        tolerance=1e-4,
        seconds=5,
    ),
    NumberExercise(
        number="3.2",
        title="Count what a join sees",
        difficulty="easy",
        minutes=2,
        question="the channels that the first 3×3 convolution of the join of row 2 takes in",
        solution=256,
        unit="channels",
        mistakes={
            "You left out one of the two: the join sees the skip and the map from below.": 128,
            "The map from below has 256 channels before it is doubled: how many after?": 384,
            "Neither the skip nor the doubled map is as wide as the level below.": 512,
            "This is the skip of row 1; the question is for row 2, and for all that the join sees.": 64,
        },
    ),
    FunctionExercise(
        number="3.3",
        title="Crop and copy",
        difficulty="medium",
        minutes=8,
        reference=crop_and_join,
        cases=skips_and_maps,
        mistakes={
            "You cut out the upper left corner: the crop is the skip's middle.": lambda skip, up: torch.cat(
                [skip[:, :, : up.shape[2], : up.shape[3]], up], 1
            ),
            "You cut out the lower right corner: the crop is the skip's middle.": lambda skip, up: torch.cat(
                [skip.flip(2, 3)[:, :, : up.shape[2], : up.shape[3]].flip(2, 3), up], 1
            ),
            "The rows' offset serves the columns, too: height and width may differ by different numbers.": (
                lambda skip, up: torch.cat([cut_by_rows(skip, up), up], 1)
            ),
            "Where nothing is too much, `-0` ends a slice at the start: end it at top + up.shape[2].": cut_from_the_end,
            "You squeeze the whole skip into the small size: its pixels no longer lie above those of `up`. Cut.": (
                lambda skip, up: torch.cat([F.interpolate(skip, up.shape[2:]), up], 1)
            ),
            "You squeeze the whole skip, with values in between: its pixels must stay where and what they are. Cut.": (
                lambda skip, up: torch.cat([F.interpolate(skip, up.shape[2:], mode="bilinear"), up], 1)
            ),
            "The order is exchanged: the skip comes first, then `up`.": lambda skip, up: torch.cat(
                [up, middle(skip, up)], 1
            ),
            "You enlarge `up` with zeros: crop the skip instead.": lambda skip, up: torch.cat(
                [skip, padded(skip, up)], 1
            ),
            "You add the two: they are to stand one behind the other, channel by channel.": (
                lambda skip, up: middle(skip, up) + up
            ),
            "You joined along the height, dimension 2: channels are dimension 1.": lambda skip, up: torch.cat(
                [middle(skip, up), up], 2
            ),
            "You joined along the batch, dimension 0: channels are dimension 1.": lambda skip, up: torch.cat(
                [middle(skip, up), up], 0
            ),
            "This is the cropped skip alone: `up` is missing.": middle,
            "This is `up` alone: the skip is missing.": lambda _skip, up: up,
        },
        seconds=3,
    ),
    WiringExercise(
        number="3.4",
        title="Find the lost wire",
        difficulty="hard",
        minutes=8,
        question="the edge that a U-Net has and the suspect network has not",
        solution=frozenset({LOST}),
        mistakes={
            "This is the skip of the top row, and it is there: look one row down.": frozenset({((0, 0), (0, 3))}),
            "This is the skip of row 2, and it is there: look one row up.": frozenset({((2, 0), (2, 1))}),
            "Right row, but an edge runs from the node that gives to the one that takes.": frozenset({LOST[::-1]}),
            "This edge is there: it brings the map from below. Something else is missing beside it.": frozenset(
                {((2, 1), (1, 2))}
            ),
        },
    ),
    ChoiceExercise(
        number="3.5",
        title="A small loss and a black picture",
        difficulty="medium",
        minutes=3,
        question="Why is the loss near 0 and the answer black?",
        options={
            "a": Option(
                "The learning rate is too high.",
                "Then the loss would jump or grow. This one falls, and close to 0.",
            ),
            "b": Option(
                "The mask holds 0 and 255, and the loss asks for 1.",
                "Yes: no pixel equals 1, so every pixel counts as membrane, and black is the perfect answer.",
                right=True,
            ),
            "c": Option(
                "The network has too few parameters.",
                "The same network drew this very image a moment ago. Only what it was given has changed.",
            ),
            "d": Option(
                "There are many more black pixels than white ones.",
                "It is the other way round: most of the pixels are inside a cell, and white.",
            ),
            "e": Option(
                "The network has no skips.",
                "It has them; and a U without skips drew this image as well.",
            ),
        },
    ),
    ChoiceExercise(
        number="3.6",
        title="Which skip would you miss most?",
        difficulty="medium",
        minutes=2,
        question="Of the trained network's four skips one is shut. Which one costs the most IoU?",
        options={
            "a": Option(
                "the top one, row 0: fine maps, 8 channels",
                "Yes: it alone is as fine as the image. Nothing below can say to the pixel where a membrane runs.",
                right=True,
            ),
            "b": Option(
                "the deepest one, row 3: coarse maps, 64 channels",
                "It has the most channels, but each of its places stands for 8 × 8 pixels, and the bottom below it "
                "sees even farther. Of the four it is missed least.",
            ),
            "c": Option(
                "all four about the same",
                "They carry different things, and the numbers differ by a factor of more than ten.",
            ),
            "d": Option(
                "none: the bottom has seen the whole image",
                "It has seen it, but on a grid of 16 × 16 places. This network never learned to write fine places "
                "into the bottom's channels, for it had the skips.",
            ),
        },
        prediction=True,
    ),
)
