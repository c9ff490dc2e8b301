"""The exercises of notebook 03: doubling a map, joining it with the skip, and finding what is wrong with a U."""

from collections.abc import Iterator

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

# Exercise 3.1: Double a map of several channels


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


def maps(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield a map, stamps and biases: a readable one first."""
    stamps = torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]], [[[1.0, 0.0], [0.0, 2.0]]]])
    yield torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), stamps, torch.tensor([0.5])
    for C, D, H, W in ((1, 3, 2, 4), (2, 3, 3, 2), (3, 2, 1, 3), (4, 1, 2, 2)):
        shapes = ((C, H, W), (C, D, 2, 2), (D,))
        x, weight, bias = (torch.from_numpy(random.normal(size=shape)).float() for shape in shapes)
        yield x, weight, bias


def forgets_the_bias(x, weight, bias):
    return torch.stack(
        [sum(torch.kron(x[c], weight[c, d]) for c in range(len(x))) for d in range(weight.shape[1])],
    )


def adds_the_bias_in_the_loop(x, weight, bias):
    return torch.stack(
        [sum(torch.kron(x[c], weight[c, d]) + bias[d] for c in range(len(x))) for d in range(weight.shape[1])]
    )


def writes_over(x, weight, bias):
    out = torch.zeros(weight.shape[1], 2 * x.shape[1], 2 * x.shape[2])
    for c in range(len(x)):
        for d in range(len(out)):
            out[d] = torch.kron(x[c], weight[c, d]) + bias[d]
    return out


def writes_over_the_bias(x, weight, bias):
    out = bias[:, None, None].repeat(1, 2 * x.shape[1], 2 * x.shape[2])
    for c in range(len(x)):
        for d in range(len(out)):
            out[d] = torch.kron(x[c], weight[c, d])
    return out


def stamps_with_the_map(x, weight, bias):
    return torch.einsum("chw,cdij->dihjw", x, weight).flatten(1, 2).flatten(2) + bias[:, None, None]


def averages(x, weight, bias):
    return torch.einsum("chw,cdij->dhiwj", x, weight).flatten(1, 2).flatten(2) / len(x) + bias[:, None, None]


def convolves(x, weight, bias):
    return F.conv_transpose2d(x[None], torch.rot90(weight, 2, (2, 3)), bias, stride=2)[0]


def mixes_up_rows_and_columns(x, weight, bias):
    return torch.einsum("chw,cdji->dhiwj", x, weight).flatten(1, 2).flatten(2) + bias[:, None, None]


def strides_by_one(x, weight, bias):
    H, W = x.shape[1:]
    out = bias[:, None, None].repeat(1, 2 * H, 2 * W)
    for row in range(H):
        for column in range(W):
            for c in range(len(x)):
                out[:, row : row + 2, column : column + 2] += x[c, row, column] * weight[c]
    return out


def repeats_pixels(x, weight, bias):
    mixed = torch.einsum("chw,cd->dhw", x, weight[:, :, 0, 0])
    return mixed.repeat_interleave(2, 1).repeat_interleave(2, 2) + bias[:, None, None]


def subtracts_the_bias(x, weight, bias):
    return F.conv_transpose2d(x[None], weight, -bias, stride=2)[0]


def keeps_the_batch(x, weight, bias):
    return F.conv_transpose2d(x[None], weight, bias, stride=2)


def does_not_stride(x, weight, bias):
    return F.conv_transpose2d(x[None], weight, bias)[0]


def gives_a_list(x, weight, bias):
    return F.conv_transpose2d(x[None], weight, bias, stride=2)[0].tolist()


def uses_an_ordinary_convolution(x, weight, bias):
    return F.conv2d(x[None], weight, bias)[0]


def writes_into_the_bias(x, weight, bias):
    out = F.conv_transpose2d(x[None], weight, bias, stride=2)[0]
    bias *= 0
    return out


def forgets_to_return(x, weight, bias):
    F.conv_transpose2d(x[None], weight, bias, stride=2)


def never_ends(x, weight, bias):
    while len(x):
        pass


EXERCISE_3_1 = FunctionExercise(
    number="3.1",
    title="Double a map of several channels",
    difficulty="medium",
    minutes=10,
    reference=double,
    cases=maps,
    mistakes=[
        (forgets_the_bias, "The bias is missing: each output channel d starts from bias[d]."),
        (
            adds_the_bias_in_the_loop,
            "The bias is added once for each input channel: it belongs to an output channel, once.",
        ),
        (writes_over, "The last input channel wins: the stamps of all input channels must be added, not written over."),
        (
            writes_over_the_bias,
            "The last input channel wins, and the bias is gone: add to what stands in `out[d]`, with `+=`.",
        ),
        (
            stamps_with_the_map,
            "Stamp and map have changed places: the map stands first in `torch.kron(x[c], weight[c, d])`.",
        ),
        (averages, "You average over the input channels: add them up."),
        (convolves, "The stamp is turned by half a turn: weight[c, d, 0, 0] belongs to the upper left pixel."),
        (mixes_up_rows_and_columns, "Rows and columns of the stamp are exchanged: i is the row in weight[c, d, i, j]."),
        (strides_by_one, "The stamps overlap: the one of pixel (row, column) begins at (2·row, 2·column)."),
        (
            repeats_pixels,
            "You repeat each pixel, and the stamp has no say: multiply the pixel by the stamp's four numbers.",
        ),
        (subtracts_the_bias, "The bias is taken off: add it."),
    ],
    also_wrong=[
        (keeps_the_batch, "The shape is (1, 1, 2, 4)"),
        (does_not_stride, "The shape is (1, 2, 3)"),
        (gives_a_list, "not a list"),
        (uses_an_ordinary_convolution, "raises RuntimeError in line 2"),
        (writes_into_the_bias, "changes what it is given"),
        (forgets_to_return, "returns None"),
        (never_ends, "longer than"),
    ],
    tolerance=1e-4,
    seconds=5,
)


EXERCISE_3_2 = NumberExercise(
    number="3.2",
    title="Count what a join sees",
    difficulty="easy",
    minutes=2,
    question="the channels that the first 3×3 convolution of the join of row 2 takes in",
    solution=256,
    unit="channels",
    mistakes=[
        (128, "You left out one of the two: the join sees the skip and the map from below."),
        (384, "The map from below has 256 channels before it is doubled: how many after?"),
        (512, "Neither the skip nor the doubled map is as wide as the level below."),
        (64, "This is the skip of row 1; the question is for row 2, and for all that the join sees."),
    ],
    also_wrong=[
        ("256 channels", "one number"),
        (float("inf"), "one number"),
    ],
)


# Exercise 3.3: Crop and copy


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


def cuts_the_corner(skip, up):
    h, w = up.shape[-2:]
    return torch.cat((skip[..., :h, :w], up), dim=1)


def cuts_the_last_corner(skip, up):
    h, w = up.shape[-2:]
    return torch.cat((skip[..., skip.shape[2] - h :, skip.shape[3] - w :], up), dim=1)


def squeezes(skip, up):
    return torch.cat((F.interpolate(skip, size=up.shape[-2:], mode="nearest"), up), dim=1)


def blends(skip, up):
    return torch.cat((F.interpolate(skip, size=up.shape[-2:], mode="bilinear", align_corners=False), up), dim=1)


def crop(skip, up):
    top, left = ((a - b) // 2 for a, b in zip(skip.shape[2:], up.shape[2:], strict=True))
    return skip[..., top : top + up.shape[2], left : left + up.shape[3]]


def takes_one_offset(skip, up):
    top, (h, w) = (skip.shape[2] - up.shape[2]) // 2, up.shape[2:]
    return torch.cat((skip[:, :, top:, top:][:, :, :h, :w], up), dim=1)


def counts_from_the_end(skip, up):
    top, left = ((a - b) // 2 for a, b in zip(skip.shape[2:], up.shape[2:], strict=True))
    return torch.cat((skip[..., top:-top, left:-left], up), dim=1)


def exchanges(skip, up):
    return torch.cat((up, crop(skip, up)), dim=1)


def adds(skip, up):
    return crop(skip, up) + up


def pads(skip, up):
    rows, columns = (a - b for a, b in zip(skip.shape[2:], up.shape[2:], strict=True))
    return torch.cat((skip, F.pad(up, [columns // 2, columns // 2, rows // 2, rows // 2])), dim=1)


def joins_the_height(skip, up):
    return torch.cat((crop(skip, up), up), dim=2)


def joins_the_batch(skip, up):
    return torch.cat((crop(skip, up), up))


def forgets_up(skip, up):
    return crop(skip, up).clone()


def forgets_the_skip(skip, up):
    return up.clone()


def does_not_crop(skip, up):
    return torch.cat((skip, up), dim=1)


def crops_rows_alone(skip, up):
    top = (skip.shape[2] - up.shape[2]) // 2
    return torch.cat((skip[:, :, top : top + up.shape[2]], up), dim=1)


def gives_both(skip, up):
    return crop(skip, up), up


def forgets_to_return_the_join(skip, up):
    torch.cat((crop(skip, up), up), dim=1)


def blanks_the_skip(skip, up):
    out = torch.cat((crop(skip, up), up), dim=1)
    skip.zero_()
    return out


EXERCISE_3_3 = FunctionExercise(
    number="3.3",
    title="Crop and copy",
    difficulty="medium",
    minutes=8,
    reference=crop_and_join,
    cases=skips_and_maps,
    mistakes=[
        (cuts_the_corner, "You cut out the upper left corner: the crop is the skip's middle."),
        (cuts_the_last_corner, "You cut out the lower right corner: the crop is the skip's middle."),
        (
            takes_one_offset,
            "The rows' offset serves the columns, too: height and width may differ by different numbers.",
        ),
        (
            counts_from_the_end,
            "Where nothing is too much, `-0` ends a slice at the start: end it at top + up.shape[2].",
        ),
        (
            squeezes,
            "You squeeze the whole skip into the small size: its pixels no longer lie above those of `up`. Cut.",
        ),
        (
            blends,
            "You squeeze the whole skip, with values in between: its pixels must stay where and what they are. Cut.",
        ),
        (exchanges, "The order is exchanged: the skip comes first, then `up`."),
        (pads, "You enlarge `up` with zeros: crop the skip instead."),
        (adds, "You add the two: they are to stand one behind the other, channel by channel."),
        (joins_the_height, "You joined along the height, dimension 2: channels are dimension 1."),
        (joins_the_batch, "You joined along the batch, dimension 0: channels are dimension 1."),
        (forgets_up, "This is the cropped skip alone: `up` is missing."),
        (forgets_the_skip, "This is `up` alone: the skip is missing."),
    ],
    also_wrong=[
        (does_not_crop, "raises RuntimeError in line 2"),
        (crops_rows_alone, "raises RuntimeError in line 3"),
        (gives_both, "not a list"),
        (forgets_to_return_the_join, "returns None"),
        (blanks_the_skip, "changes what it is given"),
    ],
    seconds=3,
)


# Exercise 3.4: Find the lost wire


LOST = ((1, 0), (1, 2))  # the skip that the suspect network of exercise 3.4 lost
TOP, SUSPECT, DEEP = ((0, 0), (0, 3)), ((1, 0), (1, 2)), ((2, 0), (2, 1))


EXERCISE_3_4 = WiringExercise(
    number="3.4",
    title="Find the lost wire",
    difficulty="hard",
    minutes=8,
    question="the edge that a U-Net has and the suspect network has not",
    solution=frozenset({LOST}),
    mistakes=[
        (frozenset({((0, 0), (0, 3))}), "This is the skip of the top row, and it is there: look one row down."),
        (frozenset({((2, 0), (2, 1))}), "This is the skip of row 2, and it is there: look one row up."),
        (frozenset({LOST[::-1]}), "Right row, but an edge runs from the node that gives to the one that takes."),
        (
            frozenset({((2, 1), (1, 2))}),
            "This edge is there: it brings the map from below. Something else is missing beside it.",
        ),
    ],
    also_wrong=[
        ({TOP, SUSPECT, DEEP}, "does not belong here"),
        (set(), "X^{1,2} does not see"),
        (SUSPECT, "an edge is a pair of nodes"),
        (set(SUSPECT), "an edge is a pair of nodes"),
        ("row 1", "set of edges"),
    ],
)


EXERCISE_3_5 = ChoiceExercise(
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
    also_wrong=[
        ("white", "by its letter"),
        (2, "by its letter"),
    ],
)


EXERCISE_3_6 = ChoiceExercise(
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
    also_wrong=[
        ("row 0", "by its letter"),
        (0, "by its letter"),
    ],
    prediction=True,
)


EXERCISES = (EXERCISE_3_1, EXERCISE_3_2, EXERCISE_3_3, EXERCISE_3_4, EXERCISE_3_5, EXERCISE_3_6)
