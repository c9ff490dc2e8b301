"""The exercises of notebook 02, on convolution, pooling and the receptive field."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from unetpp_course.checks import ChoiceExercise, FunctionExercise, MaskExercise, NumberExercise, Option

# Exercise 2.1: A convolution with channels


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


def turns_the_kernel_round(image, weight, bias):
    return conv2d(image[None], weight.flip(-1, -2), bias, padding=1)[0]


def swaps_rows_and_columns(image, weight, bias):
    return conv2d(image[None], weight.mT, bias, padding=1)[0]


def forgets_the_bias(image, weight, bias):
    return conv2d(image[None], weight, padding=1)[0]


def subtracts_the_bias(image, weight, bias):
    return conv2d(image[None], weight, padding=1)[0] - bias[:, None, None]


def adds_the_bias_for_each_channel(image, weight, bias):
    parts = [conv2d(image[None, c : c + 1], weight[:, c : c + 1], bias, padding=1) for c in range(len(image))]
    return sum(parts)[0]


def takes_one_channel(image, weight, bias):
    return conv2d(image[None, 0:1], weight[:, 0:1], bias, padding=1)[0]


def repeats_the_border(image, weight, bias):
    return conv2d(pad(image[None], (1, 1, 1, 1), mode="replicate"), weight, bias)[0]


def puts_the_corner_on_the_pixel(image, weight, bias):
    return conv2d(pad(image[None], (0, 2, 0, 2)), weight, bias)[0]


def averages_the_channels(image, weight, bias):
    return conv2d(image[None], weight / len(image), bias, padding=1)[0]


def shares_one_kernel(image, weight, bias):
    return conv2d(image.sum(0)[None, None], weight[:, :1], bias, padding=1)[0]


def pads_nothing(image, weight, bias):
    height, width = image.shape[1:]
    return torch.zeros(len(weight), max(height - 2, 0), max(width - 2, 0))


def adds_all_maps_up(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0].sum(0)


def keeps_the_batch(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)


def gives_an_array(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0].numpy()


def gives_doubles(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0].double()


def writes_into_the_image(image, weight, bias):
    out = conv2d(image[None], weight, bias, padding=1)[0]
    image[0] = out[0]
    return out


def forgets_to_return(image, weight, bias):
    conv2d(image[None], weight, bias, padding=1)


def runs_over_the_border(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            for i in range(3):
                for j in range(3):
                    out[:, row, column] += weight[:, :, i, j] @ image[:, row + i, column + j]
    return out


def gives_zeros(image, weight, bias):
    return torch.zeros(len(weight), *image.shape[1:])


def never_ends(image, weight, bias):
    while True:
        pass


EXERCISE_2_1 = FunctionExercise(
    number="2.1",
    title="A convolution with channels",
    difficulty="medium",
    minutes=15,
    reference=convolve,
    cases=images_and_kernels,
    mistakes=[
        (
            turns_the_kernel_round,
            "The kernel is turned round: weight[…, 0, 0] belongs to the pixel above and to the left.",
        ),
        (swaps_rows_and_columns, "Rows and columns of the kernel are swapped: it is weight[k, c, row, column]."),
        (forgets_the_bias, "The bias is missing: add bias[k] to every pixel of map k."),
        (subtracts_the_bias, "The bias is subtracted: add it."),
        (
            adds_the_bias_for_each_channel,
            "The bias is added once for each channel: it belongs to the output map, so add it once.",
        ),
        (takes_one_channel, "Only the first channel counts: sum over all channels of the image."),
        (shares_one_kernel, "One kernel serves all channels: map k has one for each of them, weight[k, c]."),
        (repeats_the_border, "The border is mirrored or repeated: outside the image stand zeros."),
        (
            puts_the_corner_on_the_pixel,
            "The kernel's corner stands on the pixel: its centre should, so pad with one zero on every side.",
        ),
        (averages_the_channels, "Channels are averaged: a convolution sums over them."),
    ],
    also_wrong=[
        (pads_nothing, "The shape is (1, 0, 0)"),
        (adds_all_maps_up, "The shape is (2, 2); it should be (1, 2, 2)"),
        (keeps_the_batch, "The shape is (1, 1, 2, 2)"),
        (gives_an_array, "not a NumPy array"),
        (gives_doubles, "The dtype is"),
        (writes_into_the_image, "changes what it is given"),
        (forgets_to_return, "returns None"),
        (runs_over_the_border, "raises IndexError"),
        (gives_zeros, "gives 0 whatever"),
        (never_ends, "longer than"),
    ],
    tolerance=1e-4,
    seconds=5,
)


# Exercise 2.2: What a pooled pixel was made from


def rectangle(rows: slice, columns: slice) -> np.ndarray[tuple[int, ...], np.dtype[np.int_]]:
    """Return a mask (8, 8) that is 1 in these rows and columns."""
    mask = np.zeros((8, 8), dtype=int)
    mask[rows, columns] = 1
    return mask


EXERCISE_2_2 = MaskExercise(
    number="2.2",
    title="What a pooled pixel was made from",
    difficulty="easy",
    minutes=4,
    question="the pixels of an 8×8 map that reach pixel (row 1, column 0) after two 2×2 poolings",
    solution=rectangle(slice(4, 8), slice(0, 4)),
    mistakes=[
        (rectangle(slice(2, 4), slice(0, 2)), "This is one pooling: each of these pixels was itself made from 2 × 2."),
        (rectangle(slice(0, 4), slice(4, 8)), "Row and column are swapped: row 1 lies below row 0."),
        (rectangle(slice(0, 4), slice(0, 4)), "This is pixel (0, 0): rows are counted from 0."),
        (rectangle(slice(1, 5), slice(0, 4)), "The cell begins at 4, not at 1: two poolings divide every place by 4."),
        (rectangle(slice(4, 8), slice(0, 8)), "A cell is square: pooling halves rows and columns."),
        (rectangle(slice(0, 8), slice(0, 8)), "Three poolings would reach so far."),
        (
            rectangle(slice(4, 6), slice(0, 2)),
            "It begins at the right place, but one pixel of the 2×2 map stands for 4×4 pixels.",
        ),
        (rectangle(slice(4, 7), slice(0, 3)), "A slice ends before its second number: `4:8` holds four rows."),
        (rectangle(slice(4, 8), slice(4, 8)), "This is pixel (1, 1): the columns of column 0 begin at 0."),
        (rectangle(slice(0, 0), slice(0, 0)), "Nothing is marked yet: put 1 where the pixel depends on the map."),
    ],
    also_wrong=[
        (np.kron([[1, 1], [0, 1]], np.ones((4, 4), int)), "swapped"),
        (np.ones((4, 4), int), "it should be (8, 8)"),
        (torch.full((8, 8), 0.25), "0 and 1 alone"),
    ],
)


# Exercise 2.3: The recursion


Layers = list[tuple[str, int]]


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


def begins_at_zero(layers):
    return right(layers) - 1


def right(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "up":
            step = step / size
            continue
        r += (size - 1) * step
        step = step * size if kind == "pool" else step
    return r


def forgets_the_step(layers):
    return 1 + sum(size - 1 for kind, size in layers if kind != "up")


def adds_the_whole_kernel(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "conv":
            r += size * step
        elif kind == "pool":
            r += (size - 1) * step
            step *= size
        else:
            step /= size
    return r


def gives_pooling_no_reach(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "conv":
            r += (size - 1) * step
        step = step * size if kind == "pool" else step / size if kind == "up" else step
    return r


def doubles_the_step_first(layers):
    r, step = 1, 1
    for kind, size in layers:
        step = step * size if kind == "pool" else step / size if kind == "up" else step
        if kind != "up":
            r += (size - 1) * step
    return r


def lets_up_sampling_reach(layers):
    r, step = 1, 1
    for kind, size in layers:
        r += (size - 1) * step
        step = step * size if kind == "pool" else step / size if kind == "up" else step
    return r


def keeps_the_step_on_the_way_up(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind != "up":
            r += (size - 1) * step
        step = step * size if kind == "pool" else step
    return r


def multiplies_on_the_way_up(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind != "up":
            r += (size - 1) * step
        step = step if kind == "conv" else step * size
    return r


def counts_one_side(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "conv":
            r += size // 2 * step
        elif kind == "pool":
            r += (size - 1) * step
            step *= size
        else:
            step /= size
    return r


def gives_the_step_too(layers):
    return right(layers), 1


def reads_names_of_torch(layers):
    return right([layer.kernel_size for layer in layers])


def resets_the_step(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "up":
            step = 1
        else:
            r += (size - 1) * step
            step *= size if kind == "pool" else 1
    return r


def takes_the_last_pooling_alone(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind != "up":
            r += (size - 1) * step
        step = {"conv": step, "pool": size, "up": step / size}[kind]
    return r


def takes_the_step_for_pooling_alone(layers):
    r, step = 1, 1
    for kind, size in layers:
        r += {"conv": size - 1, "pool": (size - 1) * step, "up": 0}[kind]
        step *= {"conv": 1, "pool": size, "up": 1 / size}[kind]
    return r


def knows_kernels_of_three(layers):
    r, step = 1, 1
    for kind, size in layers:
        r += {"conv": 2, "pool": 1, "up": 0}[kind] * step
        step *= {"conv": 1, "pool": size, "up": 1 / size}[kind]
    return r


def empties_the_list(layers):
    copy = list(layers)
    layers.clear()
    return right(copy)


def prints_only(layers):
    print(right(layers))


def gives_text(layers):
    return f"{right(layers)} pixels"


def knows_head_one(layers):
    return 18


EXERCISE_2_3 = FunctionExercise(
    number="2.3",
    title="The recursion",
    difficulty="medium",
    minutes=10,
    reference=field_of_view,
    cases=stacks_of_layers,
    mistakes=[
        (begins_at_zero, "A pixel sees itself before the first layer: begin with r = 1, not 0."),
        (forgets_the_step, "The step is missing: after a pooling, a kernel's neighbours lie `step` pixels apart."),
        (adds_the_whole_kernel, "A 3×3 kernel adds two neighbours, not three: (size - 1) · step."),
        (
            gives_pooling_no_reach,
            "A pooling reads neighbours too: it adds (size - 1) · step before it doubles the step.",
        ),
        (doubles_the_step_first, "A pooling adds with the step from before it: double the step afterwards."),
        (lets_up_sampling_reach, "Up-sampling brings no new neighbour: it adds nothing."),
        (keeps_the_step_on_the_way_up, "Up-sampling divides the step: afterwards neighbours lie closer together."),
        (multiplies_on_the_way_up, "Up-sampling multiplies the step here: it should divide it."),
        (resets_the_step, "Up-sampling sets the step back to 1: divide it, for there may be another on the way."),
        (takes_the_last_pooling_alone, "A pooling multiplies the step by its size: after two poolings it is 4."),
        (
            takes_the_step_for_pooling_alone,
            "A convolution's neighbours lie `step` pixels apart: it adds (size - 1) · step.",
        ),
        (knows_kernels_of_three, "Kernels come in several sizes: a convolution adds (size - 1) · step, not 2 · step."),
        (counts_one_side, "A kernel has two sides: it adds (size - 1) · step, not half of that."),
    ],
    also_wrong=[
        (gives_the_step_too, "one number, not a list"),
        (reads_names_of_torch, "raises AttributeError"),
        (empties_the_list, "changes what it is given"),
        (prints_only, "returns None"),
        (gives_text, "not a value of type str"),
        (knows_head_one, "gives 18 whatever"),
    ],
    seconds=2,
)


EXERCISE_2_4 = ChoiceExercise(
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
    also_wrong=[
        ("e", "by its letter"),
        (8, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_2_5 = NumberExercise(
    number="2.5",
    title="Two levels more",
    difficulty="easy",
    minutes=5,
    question="the field that the recursion gives for head 6 of a network with six poolings",
    solution=824,
    unit="pixels",
    mistakes=[
        (800, "This is four times head 4. The blocks add a few pixels more: run the recursion."),
        (816, "This is four times the largest window of head 4. Run the recursion, or find its pattern."),
        (408, "This is head 5: one pooling more is asked for."),
        (200 + 2 * 104 + 208, "This adds twice what the last step added. What is added doubles, too."),
        (572, "This leaves out the way up: its blocks see neighbours as well."),
    ],
    also_wrong=[
        ("824", "one number, not"),
        (float("inf"), "one number, not"),
    ],
)


EXERCISE_2_6 = ChoiceExercise(
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
    also_wrong=[
        (["c"], "by its letter"),
    ],
)


EXERCISES = (EXERCISE_2_1, EXERCISE_2_2, EXERCISE_2_3, EXERCISE_2_4, EXERCISE_2_5, EXERCISE_2_6)
