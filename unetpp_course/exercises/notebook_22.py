"""The exercises of extra/22_the_way_up: a transposed convolution with channels, and the crop of the first U-Net."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unetpp_course.checks import FunctionExercise

# Exercise 22.1: Double a map of several channels


def double(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the transposed 2×2 convolution with stride 2, window by window.

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
    """Yield a map, kernels and biases: a readable one first."""
    kernels = torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]], [[[1.0, 0.0], [0.0, 2.0]]]])
    yield torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), kernels, torch.tensor([0.5])
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


def takes_weights_as_in_a_convolution(x, weight, bias):
    return torch.stack(
        [sum(torch.kron(x[c], weight[d, c]) for c in range(len(x))) + bias[d] for d in range(weight.shape[1])]
    )


def takes_the_first_channel_alone(x, weight, bias):
    return torch.stack([torch.kron(x[0], weight[0, d]) + bias[d] for d in range(weight.shape[1])])


def takes_the_diagonal(x, weight, bias):
    out = bias[:, None, None].repeat(1, 2 * x.shape[1], 2 * x.shape[2])
    for c in range(min(weight.shape[:2])):
        out[c] += torch.kron(x[c], weight[c, c])
    return out


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


EXERCISE_22_1 = FunctionExercise(
    number="22.1",
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
        (writes_over, "The last input channel wins: add up over the input channels, instead of overwriting."),
        (
            writes_over_the_bias,
            "The last input channel wins, and the bias is gone: add to `out[d]` with `+=`.",
        ),
        (
            stamps_with_the_map,
            "Kernel and map have changed places: in `torch.kron(x[c], weight[c, d])` the map comes first.",
        ),
        (averages, "You average over the input channels: add them up."),
        (convolves, "The kernel is turned by half a turn: weight[c, d, 0, 0] belongs to the upper left pixel."),
        (mixes_up_rows_and_columns, "Rows and columns of the kernel are swapped: i is the row in weight[c, d, i, j]."),
        (strides_by_one, "The windows overlap: that of pixel (row, column) begins at (2·row, 2·column)."),
        (
            repeats_pixels,
            "You repeat each pixel four times: multiply it by the four numbers of the kernel.",
        ),
        (subtracts_the_bias, "The bias is subtracted: add it."),
        (
            takes_weights_as_in_a_convolution,
            "It asks for a channel that is not there. Here the input channel comes first, `weight[c, d]`. In "
            "`nn.Conv2d` it comes second.",
        ),
        (takes_the_first_channel_alone, "Only the first input channel is used: add up over all of them."),
        (takes_the_diagonal, "Output channel d reads input channel d alone: it has a kernel for every input channel."),
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
    only_values=True,
    seconds=5,
)


# Exercise 22.2: Crop and copy


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


def swaps_the_offsets(skip, up):
    left, top = ((a - b) // 2 for a, b in zip(skip.shape[2:], up.shape[2:], strict=True))
    return torch.cat((skip[..., top : top + up.shape[2], left : left + up.shape[3]], up), dim=1)


def divides_into_fractions(skip, up):
    top = (skip.shape[2] - up.shape[2]) / 2
    return torch.cat((skip[:, :, top : top + up.shape[2]], up), dim=1)


def gives_both(skip, up):
    return crop(skip, up), up


def forgets_to_return_the_join(skip, up):
    torch.cat((crop(skip, up), up), dim=1)


def blanks_the_skip(skip, up):
    out = torch.cat((crop(skip, up), up), dim=1)
    skip.zero_()
    return out


EXERCISE_22_2 = FunctionExercise(
    number="22.2",
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
            "The offset of the rows is used for the columns, too. Height and width may differ by different numbers.",
        ),
        (
            counts_from_the_end,
            "Where nothing has to go, `-0` ends the slice at its start. End it at top + up.shape[2].",
        ),
        (
            squeezes,
            "You shrink the whole skip, so its pixels no longer lie above those of `up`. Crop it.",
        ),
        (
            blends,
            "You shrink the whole skip and blend its pixels. Crop it, so that they stay where and what they are.",
        ),
        (exchanges, "The order is reversed: the skip comes first, then `up`."),
        (pads, "You enlarge `up` with zeros: crop the skip instead."),
        (adds, "You add the two: concatenate their channels."),
        (joins_the_height, "You joined along the height, dimension 2: channels are dimension 1."),
        (joins_the_batch, "You joined along the batch, dimension 0: channels are dimension 1."),
        (forgets_up, "This is the cropped skip alone: `up` is missing."),
        (forgets_the_skip, "This is `up` alone: the skip is missing."),
        (
            does_not_crop,
            "The sizes do not fit together. Crop rows *and* columns of the skip to those of `up` before `torch.cat`.",
        ),
        (swaps_the_offsets, "The two offsets are swapped: the rows begin at `top`, the columns at `left`."),
        (divides_into_fractions, "A slice needs whole numbers: divide with `//`."),
    ],
    also_wrong=[
        (gives_both, "not a tuple"),
        (forgets_to_return_the_join, "returns None"),
        (blanks_the_skip, "changes what it is given"),
    ],
    only_values=True,
    seconds=3,
)


EXERCISES = (EXERCISE_22_1, EXERCISE_22_2)
