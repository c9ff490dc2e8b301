"""The exercises of notebook 02, on convolution, pooling and the receptive field."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from unetpp_course.checks import ChoiceExercise, FunctionExercise, MaskExercise, NumberExercise, Option

Layers = list[tuple[str, int]]


def convolve(image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the maps `(K, H, W)` of an image `(C, H, W)`: one sum of nine products a channel, pixel by pixel.

    ``weight`` is `(K, C, 3, 3)`, ``bias`` `(K,)`; outside the image stand zeros.
    """
    channels, height, width = image.shape
    out = torch.zeros(len(weight), height, width)
    for k in range(len(weight)):
        for row in range(height):
            for column in range(width):
                total = bias[k].clone()
                for c in range(channels):
                    for i in range(3):
                        for j in range(3):
                            y, x = row + i - 1, column + j - 1
                            if 0 <= y < height and 0 <= x < width:
                                total += weight[k, c, i, j] * image[c, y, x]
                out[k, row, column] = total
    return out


def images_and_kernels(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield images, kernels and biases of small whole numbers, in floats."""

    def numbers(*shape: int) -> Tensor:
        return torch.from_numpy(random.integers(-3, 4, shape)).float()

    ramp = torch.arange(9.0).view(1, 1, 3, 3)
    yield torch.tensor([[[1.0, 2.0], [0.0, 1.0]]]), ramp, torch.tensor([10.0])
    yield torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]]]), torch.cat([ramp, -ramp], dim=1), torch.tensor([0.0])
    for channels, maps, height, width in ((3, 2, 4, 5), (2, 3, 3, 3), (1, 2, 1, 4), (2, 2, 5, 2)):
        yield numbers(channels, height, width), numbers(maps, channels, 3, 3), numbers(maps)


def convolved(
    weights: Callable[[Tensor], Tensor] = lambda weight: weight, bias: float = 1, mode: str = "constant"
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return a convolution with changed weights, with this much of the bias, or with another border."""

    def wrong(image: Tensor, weight: Tensor, constant: Tensor) -> Tensor:
        padded = pad(image[None], (1, 1, 1, 1), mode=mode)
        return conv2d(padded, weights(weight), bias * constant)[0]

    return wrong


def first_channel_only(image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve the first channel and leave out the others."""
    return conv2d(image[None, :1], weight[:, :1], bias, padding=1)[0]


def shifted(image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Pad below and on the right alone, so that the kernel's corner stands on the pixel."""
    return conv2d(pad(image[None], (0, 2, 0, 2)), weight, bias)[0]


def bias_per_channel(image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Add the bias once for each input channel."""
    return conv2d(image[None], weight, len(image) * bias, padding=1)[0]


def field_of_view(layers: Layers) -> int:
    """Return the side of what one output pixel sees, by walking back from it through the layers."""
    side = 1.0
    for kind, size in reversed(layers):
        if kind == "conv":
            side += size - 1
        elif kind == "pool":
            side *= size
        else:
            side = (side - 1) / size + 1  # on average over the pixel's places in its cell, as the recursion has it
    return round(side)


def stacks_of_layers(random: np.random.Generator) -> Iterator[tuple[Layers]]:
    """Yield stacks of layers: the paths to heads 1 to 3, short ones, and random ones that go down alone."""
    yield ([("conv", 3)],)
    yield ([("conv", 3), ("conv", 3)],)
    yield ([("pool", 2), ("conv", 3)],)
    yield ([("conv", 5), ("pool", 2), ("conv", 3), ("conv", 3)],)
    block: Layers = [("conv", 3), ("conv", 3)]
    for depth in (1, 2, 3):
        yield (block + ([("pool", 2), *block] * depth) + ([("up", 2), *block] * depth),)
    for length in random.integers(2, 7, 4):
        kinds = random.choice(["conv", "pool"], length)
        yield ([("conv", int(random.choice([3, 5]))) if kind == "conv" else ("pool", 2) for kind in kinds],)


def walked(
    start: float = 1,
    conv: Callable[[int, float], float] = lambda size, step: (size - 1) * step,
    pool: Callable[[int, float], float] = lambda size, step: (size - 1) * step,
    up: Callable[[int, float], float] = lambda *_: 0,
    down_step: Callable[[int, float], float] = lambda size, step: step * size,
    up_step: Callable[[int, float], float] = lambda size, step: step / size,
) -> Callable[[Sequence[tuple[str, int]]], float]:
    """Return the recursion with one of its rules changed: what a layer adds, or how it changes the step."""

    def wrong(layers: Sequence[tuple[str, int]]) -> float:
        side, step = start, 1.0
        for kind, size in layers:
            side += {"conv": conv, "pool": pool, "up": up}[kind](size, step)
            if kind == "pool":
                step = down_step(size, step)
            elif kind == "up":
                step = up_step(size, step)
        return side

    return wrong


def rectangle(rows: slice, columns: slice) -> np.ndarray[tuple[int, ...], np.dtype[np.int_]]:
    """Return a mask (8, 8) that is 1 in these rows and columns."""
    mask = np.zeros((8, 8), dtype=int)
    mask[rows, columns] = 1
    return mask


EXERCISES = (
    FunctionExercise(
        number="2.1",
        title="A convolution with channels",
        difficulty="medium",
        minutes=15,
        reference=convolve,
        cases=images_and_kernels,
        mistakes={
            "The kernel is turned round: weight[…, 0, 0] belongs to the pixel above and to the left.": (
                convolved(lambda weight: weight.flip(2, 3))
            ),
            "Rows and columns of the kernel are swapped: it is weight[k, c, row, column].": (
                convolved(lambda weight: weight.transpose(2, 3))
            ),
            "The bias is missing: add bias[k] to every pixel of map k.": convolved(bias=0),
            "The bias is subtracted: add it.": convolved(bias=-1),
            "The bias is added once for each channel: it belongs to the output map, so add it once.": bias_per_channel,
            "Only the first channel counts: sum over all channels of the image.": first_channel_only,
            "One kernel serves all channels: map k has one for each of them, weight[k, c].": (
                convolved(lambda weight: weight[:, :1].expand_as(weight))
            ),
            "The border is mirrored or repeated: outside the image stand zeros.": convolved(mode="replicate"),
            "The kernel's corner stands on the pixel: its centre should, so pad with one zero on every side.": shifted,
            "Channels are averaged: a convolution sums over them.": (
                convolved(lambda weight: weight / weight.shape[1])
            ),
        },
        tolerance=1e-4,
        seconds=5,
    ),
    MaskExercise(
        number="2.2",
        title="What a pooled pixel was made from",
        difficulty="easy",
        minutes=4,
        question="the pixels of an 8×8 map that reach pixel (row 1, column 0) after two 2×2 poolings",
        solution=rectangle(slice(4, 8), slice(0, 4)),
        mistakes={
            "This is one pooling: each of these pixels was itself made from 2 × 2.": rectangle(
                slice(2, 4), slice(0, 2)
            ),
            "Row and column are swapped: row 1 lies below row 0.": rectangle(slice(0, 4), slice(4, 8)),
            "This is pixel (0, 0): rows are counted from 0.": rectangle(slice(0, 4), slice(0, 4)),
            "The cell begins at 4, not at 1: two poolings divide every place by 4.": rectangle(
                slice(1, 5), slice(0, 4)
            ),
            "A cell is square: pooling halves rows and columns.": rectangle(slice(4, 8), slice(0, 8)),
            "Three poolings would reach so far.": rectangle(slice(0, 8), slice(0, 8)),
            "It begins at the right place, but one pixel of the 2×2 map stands for 4×4 pixels.": rectangle(
                slice(4, 6), slice(0, 2)
            ),
            "A slice ends before its second number: `4:8` holds four rows.": rectangle(slice(4, 7), slice(0, 3)),
            "This is pixel (1, 1): the columns of column 0 begin at 0.": rectangle(slice(4, 8), slice(4, 8)),
            "Nothing is marked yet: put 1 where the pixel depends on the map.": rectangle(slice(0, 0), slice(0, 0)),
        },
    ),
    FunctionExercise(
        number="2.3",
        title="The recursion",
        difficulty="medium",
        minutes=10,
        reference=field_of_view,
        cases=stacks_of_layers,
        mistakes={
            "A pixel sees itself before the first layer: begin with r = 1, not 0.": walked(start=0),
            "The step is missing: after a pooling, a kernel's neighbours lie `step` pixels apart.": (
                walked(conv=lambda size, *_: size - 1, pool=lambda size, *_: size - 1)
            ),
            "A 3×3 kernel adds two neighbours, not three: (size - 1) · step.": (
                walked(conv=lambda size, step: size * step)
            ),
            "A pooling reads neighbours too: it adds (size - 1) · step before it doubles the step.": (
                walked(pool=lambda *_: 0)
            ),
            "A pooling adds with the step from before it: double the step afterwards.": (
                walked(pool=lambda size, step: (size - 1) * step * size)
            ),
            "Up-sampling brings no new neighbour: it adds nothing.": walked(up=lambda size, step: (size - 1) * step),
            "Up-sampling divides the step: afterwards neighbours lie closer together.": (
                walked(up_step=lambda _, step: step)
            ),
            "Up-sampling multiplies the step here: it should divide it.": (
                walked(up_step=lambda size, step: step * size)
            ),
            "Up-sampling sets the step back to 1: divide it, for there may be another on the way.": (
                walked(up_step=lambda *_: 1)
            ),
            "A pooling multiplies the step by its size: after two poolings it is 4.": (
                walked(down_step=lambda size, _: size)
            ),
            "A convolution's neighbours lie `step` pixels apart: it adds (size - 1) · step.": (
                walked(conv=lambda size, _: size - 1)
            ),
            "Kernels come in several sizes: a convolution adds (size - 1) · step, not 2 · step.": (
                walked(conv=lambda _, step: 2 * step)
            ),
            "A kernel has two sides: it adds (size - 1) · step, not half of that.": (
                walked(conv=lambda size, step: (size - 1) // 2 * step)
            ),
        },
        seconds=2,
    ),
    ChoiceExercise(
        number="2.4",
        title="Two neighbours",
        difficulty="medium",
        minutes=2,
        question="How does head 3's window change from one pixel to its right neighbour?",
        options={
            "a": Option(
                "it moves by one pixel and keeps its size",
                "So it would be with convolutions alone. Pooling cuts the image into cells, and a deep value comes "
                "whole or not at all: look at the edges of the windows.",
            ),
            "b": Option(
                "mostly it stays exactly where it is; sometimes an edge jumps by several pixels",
                "Yes: an edge of head 3's window moves in steps of a whole cell, eight pixels.",
                right=True,
            ),
            "c": Option(
                "it is the same for all pixels of the image",
                "The window follows its pixel: over 256 pixels it has to move by 256. It does so in jumps.",
            ),
            "d": Option(
                "it moves by eight pixels every time",
                "Then it would run eight times as fast as its pixel. It jumps by eight, but at every eighth "
                "pixel only, for each of its two edges.",
            ),
        },
        prediction=True,
    ),
    NumberExercise(
        number="2.5",
        title="Two levels more",
        difficulty="easy",
        minutes=5,
        question="the field that the recursion gives for head 6 of a network with six poolings",
        solution=824,
        unit="pixels",
        mistakes={
            "This is four times head 4. The blocks add a few pixels more: run the recursion.": 800,
            "This is four times the largest window of head 4. Run the recursion, or find its pattern.": 816,
            "This is head 5: one pooling more is asked for.": 408,
            "This adds twice what the last step added. What is added doubles, too.": 200 + 2 * 104 + 208,
            "This leaves out the way up: its blocks see neighbours as well.": 572,
        },
    ),
    ChoiceExercise(
        number="2.6",
        title="A measurement that disagrees",
        difficulty="medium",
        minutes=5,
        question="Why does the gradient through max pooling find fewer pixels than the field holds?",
        options={
            "a": Option(
                "the recursion counts too many pixels",
                "With average pooling the gradient reaches every one of them. What can matter is one thing, what "
                "mattered in this image another.",
            ),
            "b": Option(
                "the gradients of the other pixels are too small for a float and become 0",
                "With weights of 1 they are whole numbers, far from too small. A 0 here means that no path is open.",
            ),
            "c": Option(
                "max pooling hands the gradient to the largest of four values; the others get none",
                "Yes: the gradient shows what mattered in this one image. Another image opens other paths.",
                right=True,
            ),
            "d": Option(
                "max pooling has a smaller receptive field than average pooling",
                "Both read the same four values. Change one of those that lost: once it is large enough, it wins.",
            ),
        },
    ),
)
