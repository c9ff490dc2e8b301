"""The exercises of notebook 02: a convolution, how far a value sees, and a network that is blindfolded."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option
from unetpp_course.checks.comparison import alike, only_value
from unetpp_course.checks.isolation import Call
from unetpp_course.checks.verdict import GENERIC

# Exercise 2.1: A convolution with channels


def convolve(image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the maps `(K, H, W)` of an image `(C, H, W)`: for each place in the kernels, the shifted image is added.

    ``weight`` is `(K, C, 3, 3)`, ``bias`` `(K,)`; outside the image there are zeros.
    """
    height, width = image.shape[1:]
    padded = pad(image, (1, 1, 1, 1))
    out = bias[:, None, None].repeat(1, height, width)
    for i in range(3):
        for j in range(3):
            shifted = padded[:, i : i + height, j : j + width]
            out += torch.einsum("kc,chw->khw", weight[:, :, i, j], shifted)
    return out


def images_and_kernels(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield images, kernels and biases, all multiples of one half; no image is smaller than a kernel."""

    def numbers(*shape: int) -> Tensor:
        return torch.from_numpy(random.integers(-6, 7, shape) / 2).float()

    ramp = torch.arange(9.0).view(1, 1, 3, 3)
    yield torch.tensor([[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]]), ramp, torch.tensor([10.0])
    yield torch.eye(3).repeat(2, 1, 1), torch.cat([ramp, ramp.mT + 1], dim=1), torch.tensor([0.5])
    for channels, maps, height, width in ((4, 5, 4, 6), (2, 3, 3, 4), (1, 2, 5, 3), (3, 1, 6, 4)):
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


def adds_the_bias_for_each_product(image, weight, bias):
    return conv2d(image[None], weight, 9 * len(image) * bias, padding=1)[0]


def takes_one_channel(image, weight, bias):
    return conv2d(image[None, 0:1], weight[:, 0:1], bias, padding=1)[0]


def keeps_the_last_channel(image, weight, bias):
    return conv2d(image[None, -1:], weight[:, -1:], bias, padding=1)[0]


def fills_one_map(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    out[0] = conv2d(image[None], weight, bias, padding=1)[0, 0]
    return out


def repeats_the_border(image, weight, bias):
    return conv2d(pad(image[None], (1, 1, 1, 1), mode="replicate"), weight, bias)[0]


def mirrors_the_border(image, weight, bias):
    return conv2d(pad(image[None], (1, 1, 1, 1), mode="reflect"), weight, bias)[0]


def goes_round_the_border(image, weight, bias):
    return conv2d(pad(image[None], (1, 1, 1, 1), mode="circular"), weight, bias)[0]


def frames_with_ones(image, weight, bias):
    return conv2d(pad(image[None], (1, 1, 1, 1), value=1.0), weight, bias)[0]


def puts_the_corner_on_the_pixel(image, weight, bias):
    return conv2d(pad(image[None], (0, 2, 0, 2)), weight, bias)[0]


def puts_the_far_corner_on_the_pixel(image, weight, bias):
    return conv2d(pad(image[None], (2, 0, 2, 0)), weight, bias)[0]


def averages_the_channels(image, weight, bias):
    return conv2d(image[None], weight / len(image), bias, padding=1)[0]


def averages_the_window(image, weight, bias):
    return conv2d(image[None], weight / weight[0].numel(), bias, padding=1)[0]


def shares_one_kernel(image, weight, bias):
    return conv2d(image.sum(0)[None, None], weight[:, :1], bias, padding=1)[0]


def ends_with_a_relu(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0].relu()


def pads_nothing(image, weight, bias):
    return conv2d(image[None], weight, bias)[0]


def leaves_the_border_at_zero(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    out[:, 1:-1, 1:-1] = conv2d(image[None], weight, bias)[0]
    return out


def fills_the_upper_left(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    out[:, :-2, :-2] = conv2d(image[None], weight, bias)[0]
    return out


def frames_twice(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=2)[0]


def frames_the_rows_alone(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=(1, 0))[0]


def frames_the_columns_alone(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=(0, 1))[0]


def rounds_to_whole_numbers(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0].int()


def adds_all_maps_up(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0].sum(0)


def keeps_the_batch(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)


def puts_the_maps_last(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0].permute(1, 2, 0)


def keeps_the_channels_apart(image, weight, bias):
    parts = [conv2d(image[None, c : c + 1], weight[:, c : c + 1], padding=1)[0] for c in range(len(image))]
    return torch.stack(parts, dim=1) + bias[:, None, None, None]


def gives_nested_lists(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0].tolist()


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


def cuts_windows_at_the_border(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            window = image[:, row : row + 3, column : column + 3]
            out[:, row, column] = (weight * window).sum(dim=(1, 2, 3)) + bias
    return out


def leaves_the_border_at_the_bias(image, weight, bias):
    out = bias[:, None, None].repeat(1, *image.shape[1:])
    out[:, 1:-1, 1:-1] = conv2d(image[None], weight, bias)[0]
    return out


def makes_maps_as_large_as_the_frame(image, weight, bias):
    return pad(conv2d(image[None], weight, bias, padding=1)[0], (0, 2, 0, 2))


def frames_and_cuts_off(image, weight, bias):
    return conv2d(image[None], weight, bias, padding=1)[0][:, :-2, :-2]


def frames_above_and_left(image, weight, bias):
    return conv2d(pad(image[None], (1, 0, 1, 0)), weight, bias)[0]


def sums_over_all_kernels(image, weight, bias):
    return conv2d(image[None], weight.sum(0, keepdim=True).expand_as(weight), bias, padding=1)[0]


def multiplies_matrices(image, weight, bias):
    windows = pad(image, (1, 1, 1, 1)).unfold(1, 3, 1).unfold(2, 3, 1).permute(1, 2, 0, 3, 4)  # (H, W, C, 3, 3)
    return (windows[:, :, None] @ weight).sum(dim=(3, 4, 5)).permute(2, 0, 1) + bias[:, None, None]


def takes_the_first_kernel_for_all_maps(image, weight, bias):
    return conv2d(image[None], weight[:1].expand_as(weight), bias, padding=1)[0]


def takes_the_first_bias_for_all_maps(image, weight, bias):
    return conv2d(image[None], weight, bias[:1].expand_as(bias), padding=1)[0]


def stops_one_pixel_early(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    out[:, :-1, :-1] = conv2d(image[None], weight, bias, padding=1)[0][:, :-1, :-1]
    return out


def stops_two_pixels_early(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    out[:, :-2, :-2] = conv2d(image[None], weight, bias, padding=1)[0][:, :-2, :-2]
    return out


def returns_after_the_first_row(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    out[:, 0] = conv2d(image[None], weight, bias, padding=1)[0][:, 0]
    return out


def returns_after_the_first_pixel(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    out[:, 0, 0] = conv2d(image[None], weight, bias, padding=1)[0][:, 0, 0]
    return out


def windows_of(image):
    """Yield each pixel's row, column and window (C, 3, 3), zeros around the image included."""
    padded = pad(image, (1, 1, 1, 1))
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            yield row, column, padded[:, row : row + 3, column : column + 3]


def takes_kernels_by_the_channel(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    for row, column, window in windows_of(image):
        for k in range(len(weight)):
            out[k, row, column] = (window * weight[:, k]).sum() + bias[k]
    return out


def takes_kernels_by_the_channel_first(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    for row, column, window in windows_of(image):
        for k in range(len(weight)):
            out[k, row, column] = (weight[:, k] * window).sum() + bias[k]
    return out


def takes_the_largest_product(image, weight, bias):
    out = torch.zeros(len(weight), *image.shape[1:])
    for row, column, window in windows_of(image):
        out[:, row, column] = (window * weight).amax(dim=(1, 2, 3)) + bias
    return out


def multiplies_by_the_bias(image, weight, bias):
    return conv2d(image[None], weight, padding=1)[0] * bias[:, None, None]


def takes_the_channels_for_the_maps(image, weight, bias):
    out = torch.zeros(len(image), *image.shape[1:])
    for row, column, window in windows_of(image):
        for k in range(len(image)):
            out[k, row, column] = (window * weight[k]).sum() + bias[k]
    return out


def makes_maps_that_lie_on_their_side(image, weight, bias):
    out = torch.zeros(len(weight), image.shape[2], image.shape[1])
    for row, column, window in windows_of(image):
        for k in range(len(weight)):
            out[k, row, column] = (window * weight[k]).sum() + bias[k]
    return out


def swaps_the_loops(image, weight, bias):
    padded = pad(image, (1, 1, 1, 1))
    out = torch.zeros(len(weight), *image.shape[1:])
    for row in range(image.shape[2]):
        for column in range(image.shape[1]):
            window = padded[:, row : row + 3, column : column + 3]
            for k in range(len(weight)):
                out[k, row, column] = (window * weight[k]).sum() + bias[k]
    return out


def gives_zeros(image, weight, bias):
    return torch.zeros(len(weight), *image.shape[1:])


def never_ends(image, weight, bias):
    while True:
        pass


# how torch and NumPy complain that a window is smaller than the kernel
SMALL_WINDOW = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)")
SMALL_ARRAY = re.compile(r"operands could not be broadcast together")


@dataclass(frozen=True, kw_only=True)
class ConvolutionExercise(FunctionExercise):
    """A function exercise that knows what it means when a loop over all pixels stops at the border of the image."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        said = str(call.error)
        found = SMALL_WINDOW.search(said)
        small = found is not None and "3" in found.groups() and min(found.groups()) < "3"
        stopped = isinstance(call.error, RuntimeError | ValueError) and bool(small or SMALL_ARRAY.search(said))
        outside = isinstance(call.error, IndexError) and "out of bounds" in said
        (channels, height, width), maps = call.given[0].shape, len(call.given[1])
        if stopped and height != width:  # the square images before were right
            return (
                "It is right as long as the image is square. Are the two loops swapped? The image is (C, H, W): it has "
                "H rows and W columns."
            )
        if outside and height != width:
            return (
                "It is right as long as the image is square. Rows and columns are swapped somewhere: the maps are "
                "(K, H, W), with H rows and W columns."
            )
        if outside and maps != channels:  # the image with one channel and one map was right
            return (
                "It is right for one channel and one map. The number of maps is len(weight), not the number of "
                "channels of the image."
            )
        if stopped and maps == channels:
            return (
                "At the border a window has fewer than 3×3 pixels. Lay a frame of zeros around the image first, and "
                "then loop over the rows and columns of the image, without the frame."
            )
        if outside:
            return (
                "A window reaches beyond the border of the image. Lay a frame of zeros around it first, and take the "
                "windows from the larger image."
            )
        sentence = super()._fault(call, right, answer)
        if sentence == GENERIC and alike(as_inner(right), as_inner(call.value), self.tolerance):
            return "Away from the border it is right, but not at the border: are there zeros all around the image?"
        return sentence


def as_inner(maps: object) -> object:
    """Return maps without their outermost pixels."""
    return torch.as_tensor(maps)[:, 1:-1, 1:-1]


EXERCISE_2_1 = ConvolutionExercise(
    number="2.1",
    title="A convolution with channels",
    difficulty="medium",
    minutes=12,
    reference=convolve,
    cases=images_and_kernels,
    mistakes=[
        (
            pads_nothing,
            "The frame is missing: two rows and two columns are lost. Lay zeros around the image first.",
        ),
        (
            leaves_the_border_at_zero,
            "The outermost pixels stay 0. They need a window too: lay a frame of zeros around the image first.",
        ),
        (
            fills_the_upper_left,
            "The frame is missing, so the last two rows and columns stay 0, and the others lie one pixel too far up "
            "and to the left.",
        ),
        (
            leaves_the_border_at_the_bias,
            "The outermost pixels hold nothing but the bias. They need a window too: lay a frame of zeros around the "
            "image first.",
        ),
        (
            makes_maps_as_large_as_the_frame,
            "The maps are as large as the image with its frame: they should be as large as the image.",
        ),
        (
            frames_and_cuts_off,
            "The frame is there, but two rows and two columns are lost all the same: with it, the loops run over all "
            "rows and columns of the image.",
        ),
        (
            frames_above_and_left,
            "One row and one column are lost: the frame is needed on all four sides, with `(1, 1, 1, 1)`.",
        ),
        (frames_the_rows_alone, "Two columns are lost: the frame needs zeros on the left and on the right as well."),
        (frames_the_columns_alone, "Two rows are lost: the frame needs zeros above and below as well."),
        (frames_twice, "The frame is two pixels wide, so the maps grow. One pixel on each side is enough."),
        (frames_with_ones, "The frame holds ones: it should hold zeros."),
        (repeats_the_border, "The border is repeated in the frame: it should hold zeros."),
        (mirrors_the_border, "The image is mirrored in the frame: it should hold zeros."),
        (
            goes_round_the_border,
            "At the border your window goes on at the opposite side of the image: there should be zeros.",
        ),
        (
            puts_the_corner_on_the_pixel,
            "The kernel's upper left corner is on the pixel. Its centre should be: one row of zeros above and one "
            "below, not two below.",
        ),
        (
            puts_the_far_corner_on_the_pixel,
            "The kernel's lower right corner is on the pixel. Its centre should be: one row of zeros above and one "
            "below, not two above.",
        ),
        (
            turns_the_kernel_round,
            "The kernel is turned round: weight[k, c, 0, 0] belongs to the pixel above and to the left.",
        ),
        (swaps_rows_and_columns, "Rows and columns of the kernel are swapped: it is weight[k, c, row, column]."),
        (forgets_the_bias, "The bias is missing: add bias[k] to every pixel of map k."),
        (subtracts_the_bias, "The bias is subtracted: add it."),
        (
            adds_the_bias_for_each_channel,
            "The bias is added once for each channel: it belongs to the output map, so add it once.",
        ),
        (
            adds_the_bias_for_each_product,
            "The bias is added to every product: add it once, after the sum.",
        ),
        (takes_one_channel, "Only the first channel counts: sum over all channels of the image."),
        (
            keeps_the_last_channel,
            "Only the last channel counts: each channel should be added to the ones before.",
        ),
        (shares_one_kernel, "One kernel serves all channels: map k has one for each of them, weight[k, c]."),
        (averages_the_channels, "The channels are averaged: a convolution sums over them."),
        (averages_the_window, "This is the mean of the products: a convolution takes their sum."),
        (fills_one_map, "Only the first map is computed: there are as many as `weight` has kernels, len(weight)."),
        (
            sums_over_all_kernels,
            "The products of all maps are added up: sum the window times weight[k] for one map k at a time.",
        ),
        (multiplies_matrices, "`@` multiplies matrices. A convolution multiplies number by number, with `*`."),
        (
            takes_the_first_kernel_for_all_maps,
            "All maps use the kernels of map 0: map k has kernels of its own, weight[k].",
        ),
        (takes_the_first_bias_for_all_maps, "All maps get the bias of map 0: map k has its own, bias[k]."),
        (stops_one_pixel_early, "The last row and the last column stay 0: the loops end one pixel too early."),
        (
            stops_two_pixels_early,
            "The last two rows and columns stay 0. The frame is there, so the loops run over all rows and columns of "
            "the image, not over two fewer.",
        ),
        (
            takes_kernels_by_the_channel,
            "weight[:, k] is the k-th channel of all kernels. The kernels of map k are weight[k].",
        ),
        (
            takes_kernels_by_the_channel_first,  # the same, but torch complains in another order
            "Take weight[k], the kernels of map k. weight[:, k] is one channel of all kernels.",
        ),
        (takes_the_largest_product, "The largest product is taken: a convolution adds up all products."),
        (multiplies_by_the_bias, "The sum is multiplied by the bias: add it."),
        (returns_after_the_first_row, "Only the first row is computed: is `return` inside a loop?"),
        (returns_after_the_first_pixel, "Only the first pixel is computed: is `return` inside the loops?"),
        (ends_with_a_relu, "Negative results are set to 0. That is a ReLU, which comes after a convolution."),
        (
            rounds_to_whole_numbers,
            "The result is cut to whole numbers: make the output a tensor of floats, such as torch.zeros gives.",
        ),
        (
            adds_all_maps_up,
            "All maps are added up to one: each kernel weight[k] has a map of its own, so the result is (K, H, W).",
        ),
        (keeps_the_batch, "There is a dimension too many in front: the result is (K, H, W)."),
        (puts_the_maps_last, "The maps come last: the result is (K, H, W), the map first."),
        (
            keeps_the_channels_apart,
            "The channels are still apart: sum over the three dimensions of a window, channel, row and column.",
        ),
    ],
    also_wrong=[
        (cuts_windows_at_the_border, "Lay a frame of zeros around the image first, and"),
        (runs_over_the_border, "Lay a frame of zeros around it first"),
        (takes_the_channels_for_the_maps, "The number of maps is len(weight)"),
        (makes_maps_that_lie_on_their_side, "Rows and columns are swapped somewhere"),
        (swaps_the_loops, "Are the two loops swapped?"),
        (gives_nested_lists, "not a list"),
        (writes_into_the_image, "changes what it is given"),
        (forgets_to_return, "returns None"),
        (gives_zeros, "gives 0 whatever"),
        (never_ends, "longer than"),
    ],
    tolerance=1e-4,
    only_values=True,
    seconds=5,
)


EXERCISE_2_2 = NumberExercise(
    number="2.2",
    title="One more pooling",
    difficulty="easy",
    minutes=3,
    question="how many pixels of one row a dot sees after convolution, pooling, convolution and pooling",
    solution=10,
    unit="pixels",
    mistakes=[
        (
            16,
            "This is twice as many. But the two dots that the pooling reads see nearly the same pixels: they overlap.",
        ),
        (8, "A pooling reads two dots. What does the second one see that the first one does not?"),
        (9, "The two dots that the pooling reads lie two pixels apart, not one."),
        (12, "The two dots that the pooling reads lie two pixels apart, not four."),
        (14, "This pooling reads two dots, which lie two pixels apart: there is one such step, not three."),
        (7, "These are the pixels between the outermost ones, or a chain without the last pooling. Try it with bars."),
        (11, "Neighbouring dots below the new pooling lie two pixels apart, not three."),
        (20, "Start with the 8 pixels that one dot of the top row sees, and ask what its neighbour adds."),
        (100, "These are the pixels of a whole square. Count along one row of the image, as in the drawing."),
        (64, "This is a square of 8×8 pixels. Count along one row of the image, and add the new pooling."),
        (2, "These are dots of the row below. The question is about pixels of the image."),
        (4, "This is what a dot sees after the first pooling. A convolution and a second pooling are still to come."),
        (6, "This is one step more than a dot sees after the first pooling. Start with the 8 pixels of the top row."),
        (5, "Start with the 8 pixels that one dot of the top row sees: with another pooling, it can only be more."),
    ],
    also_wrong=[
        ("10", "leave out the quotation marks"),
        ("ten", "one number, not a string"),
        (float("inf"), "one number, not inf"),
    ],
)


# Exercise 2.3: How far a pixel sees


Layers = list[tuple[str, int]]


def receptive_field(layers: Layers) -> int:
    """Return how many pixels wide the field of one output pixel is, by walking back from it through the layers."""
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
    """Yield stacks of layers: convolutions alone first, then with pooling, and at last with up-sampling."""
    yield ([("conv", 3), ("conv", 3)],)
    yield ([("conv", 5), ("conv", 3), ("conv", 7)],)
    yield ([("pool", 2)],)
    yield ([("conv", 3), ("pool", 2), ("conv", 3)],)
    yield ([("conv", 5), ("pool", 2), ("conv", 3), ("conv", 7)],)
    for length in random.integers(3, 7, 4):
        kinds = random.choice(["conv", "pool"], length)
        sizes = [int(random.choice([3, 5] if kind == "conv" else [2, 3])) for kind in kinds]
        yield (list(zip(kinds.tolist(), sizes, strict=True)),)
    yield ([("pool", 4), ("conv", 3), ("up", 4), ("conv", 5)],)
    block: Layers = [("conv", 3), ("conv", 3)]
    for depth in (1, 2, 3):
        yield (block + ([("pool", 2), *block] * depth) + ([("up", 2), *block] * depth),)


def recursion(
    start: float = 1,
    conv: Callable[[float, float], float] = lambda size, step: (size - 1) * step,
    pool: Callable[[float, float], float] = lambda size, step: (size - 1) * step,
    up: Callable[[float, float], float] = lambda size, step: 0,
    pooled: Callable[[float, float], float] = lambda size, step: step * size,
    risen: Callable[[float, float], float] = lambda size, step: step / size,
    step_first: bool = False,
) -> Callable[[Layers], float]:
    """Return the recursion with some of its parts replaced: what a layer adds to r, and what becomes of the step."""

    def field(layers: Layers) -> float:
        r, step = start, 1.0
        for kind, size in layers:
            after = {"conv": step, "pool": pooled(size, step), "up": risen(size, step)}[kind]
            used = after if step_first else step
            r += {"conv": conv, "pool": pool, "up": up}[kind](size, used)
            step = after
        return r

    return field


right = recursion()


def begins_at_zero(layers):
    return recursion(start=0)(layers)


def forgets_the_step(layers):
    return 1 + sum(size - 1 for kind, size in layers if kind != "up")


def adds_the_whole_kernel(layers):
    return recursion(conv=lambda size, step: size * step)(layers)


def adds_the_whole_size_everywhere(layers):
    return recursion(conv=lambda size, step: size * step, pool=lambda size, step: size * step)(layers)


def adds_the_whole_cell(layers):
    return recursion(pool=lambda size, step: size * step)(layers)


def gives_pooling_no_reach(layers):
    return recursion(pool=lambda size, step: 0)(layers)


def doubles_the_step_first(layers):
    return recursion(step_first=True)(layers)


def lets_up_sampling_reach(layers):
    return recursion(up=lambda size, step: (size - 1) * step)(layers)


def keeps_the_step_on_the_way_up(layers):
    return recursion(risen=lambda size, step: step)(layers)


def multiplies_on_the_way_up(layers):
    return recursion(risen=lambda size, step: step * size)(layers)


def counts_one_side(layers):
    return recursion(conv=lambda size, step: size // 2 * step)(layers)


def resets_the_step(layers):
    return recursion(risen=lambda size, step: 1)(layers)


def takes_the_last_pooling_alone(layers):
    return recursion(pooled=lambda size, step: size)(layers)


def takes_the_last_pooling_alone_and_goes_back_to_one(layers):
    return recursion(pooled=lambda size, step: size, risen=lambda size, step: 1)(layers)


def takes_the_last_pooling_alone_and_no_up_sampling(layers):
    return recursion(pooled=lambda size, step: size, risen=lambda size, step: step)(layers)


def takes_the_last_size_each_way(layers):
    return recursion(pooled=lambda size, step: size, risen=lambda size, step: 1 / size)(layers)


def adds_one_step_for_a_pooling(layers):
    return recursion(pool=lambda size, step: step)(layers)


def adds_one_step_for_a_convolution(layers):
    return recursion(conv=lambda size, step: step)(layers)


def adds_one_step_for_every_layer(layers):
    return recursion(conv=lambda size, step: step, pool=lambda size, step: step)(layers)


def adds_on_the_way_up_after_dividing(layers):
    return recursion(up=lambda size, step: (size - 1) * step / size)(layers)


def changes_the_step_by_two(layers):
    return recursion(pooled=lambda size, step: 2 * step, risen=lambda size, step: step / 2)(layers)


def multiplies_the_step_by_two(layers):
    return recursion(pooled=lambda size, step: 2 * step)(layers)


def sets_the_step_on_the_way_up(layers):
    return recursion(risen=lambda size, step: 1 / size)(layers)


def knows_two_heads(layers):
    return 18 if len(layers) < 10 else 200


def adds_to_the_step(layers):
    return recursion(pooled=lambda size, step: step + size, risen=lambda size, step: step - size)(layers)


def never_changes_the_step_by_pooling(layers):
    return recursion(pooled=lambda size, step: step)(layers)


def takes_the_step_for_pooling_alone(layers):
    return recursion(conv=lambda size, step: size - 1)(layers)


def takes_the_step_for_convolutions_alone(layers):
    return recursion(pool=lambda size, step: size - 1)(layers)


def adds_the_step_for_a_pooling(layers):
    return recursion(pool=lambda size, step: size * step - 1)(layers)


def knows_kernels_of_three(layers):
    return recursion(conv=lambda size, step: 2 * step)(layers)


def knows_cells_of_two(layers):
    cells = {"pool": lambda size, step: step, "pooled": lambda size, step: 2 * step}
    return recursion(**cells, risen=lambda size, step: step / 2)(layers)


def knows_the_sizes_of_the_drawing(layers):
    parts = {"conv": lambda size, step: 2 * step, "pool": lambda size, step: step}
    return recursion(**parts, pooled=lambda size, step: 2 * step)(layers)


def knows_no_size_at_all(layers):
    parts = {"conv": lambda size, step: 2 * step, "pool": lambda size, step: step}
    return recursion(**parts, pooled=lambda size, step: 2 * step, risen=lambda size, step: step / 2)(layers)


def knows_cells_of_two_and_any_up_sampling(layers):
    return recursion(pool=lambda size, step: step, pooled=lambda size, step: 2 * step)(layers)


def knows_up_sampling_by_two(layers):
    return recursion(risen=lambda size, step: step / 2)(layers)


def divides_the_step_by_convolutions(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "conv":
            r += (size - 1) * step
        if kind == "pool":
            r += (size - 1) * step
            step *= size
        else:
            step /= size
    return r


def adds_the_size_of_a_pooling(layers):
    return recursion(pool=lambda size, step: size)(layers)


def adds_the_size_to_the_step(layers):
    return recursion(pooled=lambda size, step: step + size)(layers)


def subtracts_from_the_step(layers):
    return recursion(risen=lambda size, step: step - size)(layers)


def multiplies_the_field_on_the_way_up(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "up":
            r *= size
            step /= size
        else:
            r += (size - 1) * step
        if kind == "pool":
            step *= size
    return r


def multiplies_the_field_on_the_way_up_alone(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "up":
            r *= size
        else:
            r += (size - 1) * step
        if kind == "pool":
            step *= size
    return r


def halves_the_field_on_the_way_up(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "up":
            r /= size
            step /= size
        else:
            r += (size - 1) * step
        if kind == "pool":
            step *= size
    return r


def halves_the_field_alone(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "up":
            r /= size
        else:
            r += (size - 1) * step
        if kind == "pool":
            step *= size
    return r


def doubles_the_field_by_pooling(layers):
    r = 1
    for kind, size in layers:
        if kind == "conv":
            r += size - 1
        elif kind == "pool":
            r *= size
    return r


def doubles_and_halves_the_field(layers):
    r = 1
    for kind, size in layers:
        if kind == "conv":
            r += size - 1
        elif kind == "pool":
            r *= size
        else:
            r /= size
    return r


def doubles_the_field_and_the_step(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "conv":
            r += (size - 1) * step
        elif kind == "pool":
            r *= size
            step *= size
        else:
            step /= size
    return r


def returns_inside_the_loop(layers):
    for layer in layers:
        return right([layer])


def leaves_the_last_layer_out(layers):
    return right(layers[:-1])


def returns_the_step(layers):
    step = 1
    for kind, size in layers:
        step = step * size if kind == "pool" else step / size if kind == "up" else step
    return step


def starts_anew_in_every_round(layers):
    return right(layers[-1:])


def takes_half_of_every_size(layers):
    return recursion(conv=lambda size, step: size // 2 * step, pool=lambda size, step: size // 2 * step)(layers)


def shrinks_the_field_on_the_way_up(layers):
    return recursion(up=lambda size, step: -(size - 1) * step)(layers)


def adds_one_pixel_by_pooling(layers):
    return recursion(pool=lambda size, step: 1)(layers)


def treats_up_as_a_convolution(layers):
    return recursion(up=lambda size, step: (size - 1) * step, risen=lambda size, step: step)(layers)


def multiplies_the_step_by_convolutions(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "up":
            step /= size
        else:
            r += (size - 1) * step
            step *= size
    return r


def adds_whole_sizes_and_divides_the_field(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "up":
            r /= size
            step /= size
        else:
            r += size * step
        if kind == "pool":
            step *= size
    return r


def adds_whole_sizes_up_sampling_too(layers):
    r, step = 1, 1
    for kind, size in layers:
        r += size * step
        step = step * size if kind == "pool" else step / size if kind == "up" else step
    return r


def goes_from_the_top_down(layers):
    return right([(kind, size) for kind, size in reversed(layers)])


def knows_other_names_of_pooling(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "conv":
            r += (size - 1) * step
        elif kind == "pooling":
            r += (size - 1) * step
            step *= size
    return r


def knows_other_names_of_pooling_and_up(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "conv":
            r += (size - 1) * step
        elif kind == "pooling":
            r += (size - 1) * step
            step *= size
        elif kind == "up":
            step /= size
    return r


def takes_poolings_for_up_sampling(layers):
    r, step = 1, 1
    for kind, size in layers:
        if kind == "conv":
            r += (size - 1) * step
        elif kind == "pooling":
            r += (size - 1) * step
            step *= size
        else:
            step /= size
    return r


def counts_the_layers(layers):
    return len(layers)


def gives_the_step_too(layers):
    return right(layers), 1


def gives_every_r(layers):
    return [right(layers[:number]) for number in range(len(layers) + 1)]


def reads_names_of_torch(layers):
    return right([layer.kernel_size for layer in layers])


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


def real_window(layers, dot):
    """Return how many pixels one dot of the top row really sees; it depends on the dot, because cells are cut."""
    first = last = dot
    for kind, size in reversed(layers):
        if kind == "conv":
            first, last = first - size // 2, last + size // 2
        elif kind == "pool":
            first, last = first * size, last * size + size - 1
        else:
            first, last = first // size, last // size
    return last - first + 1


def counts_real_dots(layers):
    return real_window(layers, 800)


@dataclass(frozen=True, kw_only=True)
class ReceptiveFieldExercise(FunctionExercise):
    """A function exercise that says with which kind of layer an answer goes wrong, where no mistake is known."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        sentence = super()._fault(call, right, answer)
        if sentence != GENERIC:
            return sentence
        kinds = {kind for kind, _ in call.given[0]}
        if "up" in kinds:
            return (
                "Convolutions and poolings are right. It goes wrong with the up-sampling: what happens to r and step?"
            )
        if "pool" in kinds:
            return "Convolutions alone are right. It goes wrong with the pooling: compare r and step with the drawing."
        if {size for _, size in call.given[0]} != {3}:
            return "Convolutions of 3×3 are right, but not those of another size: k is the second element of the pair."
        return "It goes wrong with convolutions already: compare r with the drawing of three convolutions."

    def _known_mistake(self, calls: Sequence[Call]) -> str:
        stacks = [call.given[0] for call in calls]
        dots = range(960, 1024)  # all positions in the cells of six poolings, away from dot 0
        if all(
            only_value(call.value) in {float(real_window(stack, dot)) for dot in dots}
            for call, stack in zip(calls, stacks, strict=True)
        ):
            return "This is one of the real windows; section 6 comes to that. Here we want the average."
        return super()._known_mistake(calls)


EXERCISE_2_3 = ReceptiveFieldExercise(
    number="2.3",
    title="How far a pixel sees",
    difficulty="medium",
    minutes=10,
    reference=receptive_field,
    cases=stacks_of_layers,
    mistakes=[
        (
            returns_inside_the_loop,
            "It stops after the first layer: `return` is inside the loop. Indent it as far as `for`.",
        ),
        (
            adds_the_whole_kernel,
            "A k×k convolution adds k steps. One of its k dots is there already, so it adds k - 1.",
        ),
        (
            adds_the_whole_size_everywhere,
            "Every layer adds one step too many: of k dots, one is there already, so k - 1 are added.",
        ),
        (
            adds_the_whole_cell,
            "A pooling adds one step too many: of the k dots that it reads, one is there already.",
        ),
        (
            halves_the_field_on_the_way_up,
            "Up-sampling divides r. But no dot sees less than the one that it was made from: only the step shrinks.",
        ),
        (
            halves_the_field_alone,
            "Up-sampling divides r where it should divide the step: neighbours come closer, but see no less.",
        ),
        (begins_at_zero, "A pixel sees itself before the first layer: begin with r = 1, not 0."),
        (
            forgets_the_step,
            "The step is missing: after a pooling, neighbouring dots lie `step` pixels apart, not one.",
        ),
        (
            gives_pooling_no_reach,
            "Pooling adds nothing here. It reads neighbours too, so it adds (k - 1) steps.",
        ),
        (
            doubles_the_step_first,
            "The step changes too early: a pooling reads the dots below it, so it adds the step from before.",
        ),
        (lets_up_sampling_reach, "Up-sampling adds to r. It reads a single dot, so no new pixel comes into view."),
        (keeps_the_step_on_the_way_up, "Up-sampling leaves the step as it is. Afterwards neighbours lie closer."),
        (multiplies_on_the_way_up, "Up-sampling multiplies the step: it should divide it."),
        (
            resets_the_step,
            "Up-sampling sets the step back to 1. Divide it: there may be more than one pooling to undo.",
        ),
        (takes_the_last_pooling_alone, "A pooling multiplies the step by its size: after two poolings it is 4."),
        (
            takes_the_last_pooling_alone_and_goes_back_to_one,
            "The step is replaced: by k in a pooling, and by 1 in an up-sampling. Multiply it and divide it by k: "
            "there may be more than one pooling.",
        ),
        (
            takes_the_last_pooling_alone_and_no_up_sampling,
            "A pooling replaces the step by k where it should multiply it by k. And up-sampling leaves it as it is, "
            "where it should divide it.",
        ),
        (
            takes_the_last_size_each_way,
            "The step is replaced, by k or by 1 / k. Multiply it and divide it by k: there may be more than one "
            "pooling.",
        ),
        (sets_the_step_on_the_way_up, "Up-sampling sets the step to 1 / k. Divide the step that is there by k."),
        (
            adds_one_step_for_a_pooling,
            "A pooling adds one step, whatever its size. Of the k dots that it reads, k - 1 are new.",
        ),
        (
            adds_one_step_for_a_convolution,
            "A convolution adds a single step. Of the k dots that it reads, k - 1 are new.",
        ),
        (adds_one_step_for_every_layer, "Each layer adds a single step. Of the k dots that it reads, k - 1 are new."),
        (
            adds_on_the_way_up_after_dividing,
            "Up-sampling adds to r after dividing the step. It reads a single dot, so r stays as it is.",
        ),
        (
            changes_the_step_by_two,
            "The step is always multiplied and divided by 2. Use k, the second element of the pair.",
        ),
        (multiplies_the_step_by_two, "The step is always multiplied by 2. Use k, the second element of the pair."),
        (adds_to_the_step, "The size of a pooling is added to the step: the step is multiplied by it."),
        (
            never_changes_the_step_by_pooling,
            "A pooling leaves the step as it is. In the drawing, its dots lie further apart than those below.",
        ),
        (
            takes_the_step_for_pooling_alone,
            "The step counts for pooling only. The dots that a convolution reads lie `step` pixels apart, too.",
        ),
        (
            takes_the_step_for_convolutions_alone,
            "The step counts for convolutions only. The dots that a pooling reads lie `step` pixels apart, too.",
        ),
        (adds_the_step_for_a_pooling, "A pooling adds (k - 1) * step, not k * step - 1: mind the brackets."),
        (
            knows_kernels_of_three,
            "Every kernel is taken for 3×3. The size is the second element of the pair.",
        ),
        (knows_cells_of_two, "Every pooling is taken for 2×2. The size is the second element of the pair."),
        (
            knows_the_sizes_of_the_drawing,
            "Every convolution is taken for 3×3 and every pooling for 2×2. Use k, the second element of the pair.",
        ),
        (
            knows_no_size_at_all,
            "Every layer is taken for 3×3, or for 2×2. Use k, the second element of the pair.",
        ),
        (
            knows_cells_of_two_and_any_up_sampling,
            "Every pooling is taken for 2×2: use k. (The up-sampling divides by its own size already.)",
        ),
        (knows_up_sampling_by_two, "Every up-sampling is taken for one by 2: divide by k."),
        (
            divides_the_step_by_convolutions,
            "Convolutions divide the step here: does your `else` catch them, too? Write `elif` after the first `if`.",
        ),
        (adds_the_size_of_a_pooling, "A pooling adds its size to r. It adds (k - 1) steps."),
        (adds_the_size_to_the_step, "The size of a pooling is added to the step: multiply the step by it."),
        (subtracts_from_the_step, "Up-sampling subtracts its size from the step: divide the step by it."),
        (
            multiplies_the_field_on_the_way_up,
            "Up-sampling multiplies r. It reads a single dot, so r stays, and only the step is divided.",
        ),
        (
            multiplies_the_field_on_the_way_up_alone,
            "Up-sampling multiplies r, and leaves the step. It should be the other way round: r stays, and the step "
            "is divided by k.",
        ),
        (counts_one_side, "Only one side of the kernel is counted: there are neighbours on the left and on the right."),
        (
            doubles_the_field_by_pooling,
            "A pooling multiplies r. But the dots that it reads see nearly the same pixels: r grows by a step or two.",
        ),
        (
            doubles_and_halves_the_field,
            "Pooling multiplies r and up-sampling divides it. They do so with the step; r only ever grows.",
        ),
        (
            doubles_the_field_and_the_step,
            "A pooling multiplies both r and the step. Only the step is multiplied; r grows by (k - 1) steps.",
        ),
        (takes_half_of_every_size, "A size is halved: a layer that reads k dots brings k - 1 new ones, not k // 2."),
        (
            shrinks_the_field_on_the_way_up,
            "Up-sampling takes something away from r. But no dot sees less than the one that it was made from.",
        ),
        (adds_one_pixel_by_pooling, "A pooling adds one pixel, wherever it is. It adds (k - 1) steps."),
        (
            treats_up_as_a_convolution,
            "Up-sampling is treated like a convolution. It reads a single dot, and afterwards the dots lie closer.",
        ),
        (
            multiplies_the_step_by_convolutions,
            "Convolutions multiply the step here. Their dots lie as far apart as those below: the step stays.",
        ),
        (
            adds_whole_sizes_and_divides_the_field,
            "Two things: of k dots one is there already, so k - 1 are added; and up-sampling leaves r as it is.",
        ),
        (
            adds_whole_sizes_up_sampling_too,
            "Two things: of k dots one is there already, so k - 1 are added; and up-sampling adds none.",
        ),
        (goes_from_the_top_down, "It goes through the layers from the top to the image: start with the first one."),
        (knows_other_names_of_pooling, 'It passes poolings by: their kind is written "pool".'),
        (
            knows_other_names_of_pooling_and_up,
            'Poolings change nothing here: their kind is written "pool".',
        ),
        (
            takes_poolings_for_up_sampling,
            'Poolings are treated like up-sampling: their kind is written "pool".',
        ),
        (counts_the_layers, "This is the number of layers."),
        (leaves_the_last_layer_out, "The last layer is left out."),
        (returns_the_step, "This is the step: return r."),
        (
            starts_anew_in_every_round,
            "Only the last layer counts: r and step start again in every round. Set them once, before the loop.",
        ),
        (gives_every_r, "This is a list of what r was on the way. Return its last value."),
        (gives_the_step_too, "Two values are returned, r and the step. Return r alone."),
    ],
    also_wrong=[
        (reads_names_of_torch, "raises AttributeError"),
        (empties_the_list, "changes what it is given"),
        (prints_only, "returns None"),
        (gives_text, "one number, not a string"),
        (knows_head_one, "gives 18 whatever"),
        (knows_two_heads, "It goes wrong with convolutions already"),
        (counts_real_dots, "one of the real windows"),
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
            "So it would be with convolutions alone. Pooling cuts the image into squares, and a deep value comes as "
            "a whole or not at all: look at the ends of the bars.",
        ),
        "b": Option(
            "mostly it stays exactly where it is; sometimes an edge jumps by several pixels",
            "Yes: an edge of head 3's window moves by a whole square of eight pixels, or not at all.",
            right=True,
        ),
        "c": Option(
            "it does not change: all pixels of the image share one window of 96 pixels in its middle",
            "The window follows its pixel: it has to get from one side of the image to the other. It does so in jumps.",
        ),
        "d": Option(
            "it moves by eight pixels every time",
            "Then it would run eight times as fast as its pixel. It jumps by eight, but at every eighth "
            "pixel only, with each of its two edges.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (8, "by its letter"),
    ],
    prediction=True,
)


# Exercise 2.5: A blindfold


Window = tuple[int, int, int, int]  # first and last row, first and last column


def blindfold(image: Tensor, noise: Tensor, window: Window) -> Tensor:
    """Return the image in the window, its last row and column included, and the noise everywhere else."""
    top, bottom, left, right = window
    out = noise.clone()
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            out[:, row, column] = image[:, row, column]
    return out


def images_and_windows(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Window]]:
    """Yield images, noise, and windows within the image: small ones, one at a corner, a single pixel, everything."""

    def numbers(height: int, width: int) -> Tensor:
        return torch.from_numpy(random.uniform(0, 1, (1, height, width))).float()

    yield torch.arange(1.0, 21).view(1, 4, 5), torch.zeros(1, 4, 5) + 0.5, (1, 2, 1, 3)
    yield numbers(3, 4), numbers(3, 4), (0, 1, 1, 3)
    for height, width, window in (
        (6, 8, (1, 3, 2, 6)),
        (5, 5, (1, 4, 0, 1)),
        (4, 6, (2, 2, 3, 3)),
        (4, 4, (0, 3, 0, 3)),
        (7, 5, (3, 5, 2, 4)),
    ):
        yield numbers(height, width), numbers(height, width), window


def put(image, noise, rows, columns):
    out = noise.clone()
    out[:, rows, columns] = image[:, rows, columns]
    return out


def leaves_the_last_out(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top, bottom), slice(left, right))


def leaves_the_first_out(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top + 1, bottom + 1), slice(left + 1, right + 1))


def takes_one_too_many(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top, bottom + 2), slice(left, right + 2))


def covers_the_window(image, noise, window):
    top, bottom, left, right = window
    return put(noise, image, slice(top, bottom + 1), slice(left, right + 1))


def takes_rows_for_columns(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(left, right + 1), slice(top, bottom + 1))


def reads_the_window_in_another_order(image, noise, window):
    top, left, bottom, right = window
    return put(image, noise, slice(top, bottom + 1), slice(left, right + 1))


def looks_at_rows_alone(image, noise, window):
    return put(image, noise, slice(window[0], window[1] + 1), slice(None))


def looks_at_columns_alone(image, noise, window):
    return put(image, noise, slice(None), slice(window[2], window[3] + 1))


def covers_the_corners_alone(image, noise, window):
    top, bottom, left, right = window
    out = put(image, noise, slice(top, bottom + 1), slice(None))
    out[:, :, left : right + 1] = image[:, :, left : right + 1]
    return out


def covers_with_black(image, noise, window):
    top, bottom, left, right = window
    return put(image, torch.zeros_like(image), slice(top, bottom + 1), slice(left, right + 1))


def adds_the_noise(image, noise, window):
    top, bottom, left, right = window
    return put(image, image + noise, slice(top, bottom + 1), slice(left, right + 1))


def cuts_the_window_out(image, noise, window):
    top, bottom, left, right = window
    return image[:, top : bottom + 1, left : right + 1]


def puts_the_upper_left_corner_in(image, noise, window):
    top, bottom, left, right = window
    out = noise.clone()
    out[:, top : bottom + 1, left : right + 1] = image[:, : bottom + 1 - top, : right + 1 - left]
    return out


def copies_the_noise(image, noise, window):
    return noise.clone()


def copies_the_image(image, noise, window):
    return image.clone()


def loses_a_dimension(image, noise, window):
    return blindfold(image, noise, window)[0]


def leaves_the_last_row_out(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top, bottom), slice(left, right + 1))


def leaves_the_last_column_out(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top, bottom + 1), slice(left, right))


def leaves_the_rim_out(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top + 1, bottom), slice(left + 1, right))


def takes_the_last_for_a_length(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top, top + bottom), slice(left, left + right))


def takes_the_last_for_a_length_and_adds_one(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top, top + bottom + 1), slice(left, left + right + 1))


def takes_one_too_many_on_each_side(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top - 1, bottom + 2), slice(left - 1, right + 2))


def takes_one_too_many_where_there_is_one(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(max(top - 1, 0), bottom + 2), slice(max(left - 1, 0), right + 2))


def begins_one_too_early(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top - 1, bottom + 1), slice(left - 1, right + 1))


def counts_from_one(image, noise, window):
    top, bottom, left, right = window
    return put(image, noise, slice(top - 1, bottom), slice(left - 1, right))


def adds_the_image_inside(image, noise, window):
    top, bottom, left, right = window
    out = noise.clone()
    out[:, top : bottom + 1, left : right + 1] += image[:, top : bottom + 1, left : right + 1]
    return out


def puts_the_whole_image_in(image, noise, window):
    top, bottom, left, right = window
    out = noise.clone()
    out[:, top : bottom + 1, left : right + 1] = image
    return out


def forgets_the_channel(image, noise, window):
    top, bottom, left, right = window
    out = noise.clone()
    out[top : bottom + 1, left : right + 1] = image[top : bottom + 1, left : right + 1]
    return out


def multiplies_by_the_noise(image, noise, window):
    top, bottom, left, right = window
    return put(image, image * noise, slice(top, bottom + 1), slice(left, right + 1))


def writes_into_the_noise(image, noise, window):
    top, bottom, left, right = window
    noise[:, top : bottom + 1, left : right + 1] = image[:, top : bottom + 1, left : right + 1]
    return noise


def forgets_to_return_the_picture(image, noise, window):
    blindfold(image, noise, window)


@dataclass(frozen=True, kw_only=True)
class BlindfoldExercise(FunctionExercise):
    """A function exercise that says where a picture is wrong, inside or outside, where no mistake is known."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        sentence = super()._fault(call, right, answer)
        if sentence != GENERIC:
            return sentence
        top, bottom, left, right_end = call.given[2]
        inside = torch.zeros(call.given[0].shape, dtype=torch.bool)
        inside[:, top : bottom + 1, left : right_end + 1] = True
        wrong = torch.as_tensor(call.value) != torch.as_tensor(right)
        if not wrong[inside].any():
            return "Inside the window it is right, but outside there is something other than the noise."
        if not wrong[~inside].any():
            return "Outside the window it is right, but inside there is something other than the image."
        return "It is wrong both inside and outside the window: which rows and columns belong to the window?"


EXERCISE_2_5 = BlindfoldExercise(
    number="2.5",
    title="A blindfold",
    difficulty="easy",
    minutes=5,
    reference=blindfold,
    cases=images_and_windows,
    mistakes=[
        (
            leaves_the_last_out,
            "The last row and the last column of the window are noise. A slice ends before its second number: add 1.",
        ),
        (leaves_the_last_row_out, "The last row of the window is noise. A slice ends before its second number."),
        (leaves_the_last_column_out, "The last column of the window is noise. A slice ends before its second number."),
        (leaves_the_rim_out, "The rim of the window is noise: its first and last row and column are seen, too."),
        (
            takes_the_last_for_a_length,
            "`bottom` and `right` are taken for a height and a width: they are the last row and the last column.",
        ),
        (
            takes_the_last_for_a_length_and_adds_one,
            "The window is too large: `bottom` and `right` are the last row and the last column, not a height and a "
            "width.",
        ),
        (
            takes_one_too_many_on_each_side,
            "The window is too large by one row or column on each side: `top` and `left` belong to it, and so do "
            "`bottom` and `right`.",
        ),
        (
            takes_one_too_many_where_there_is_one,
            "The window is one pixel too large on each side: its first row is `top`, and its last row is `bottom`.",
        ),
        (
            begins_one_too_early,
            "The window begins one row and one column too early: rows are counted from 0, so the first is `top`.",
        ),
        (counts_from_one, "The window lies one row too high and one column too far left: rows are counted from 0."),
        (
            adds_the_image_inside,
            "Inside the window, image and noise are added. There should be the image alone: write `=`, not `+=`.",
        ),
        (
            puts_the_whole_image_in,
            "The whole image does not fit into the window: take the same rows and columns of it.",
        ),
        (
            forgets_the_channel,
            "The slices take the wrong dimensions: the first one is the channel, so begin with `:`, as in "
            "`out[:, rows, columns]`.",
        ),
        (multiplies_by_the_noise, "The image is multiplied by the noise: the noise should replace it."),
        (leaves_the_first_out, "The first row and the first column of the window are noise."),
        (takes_one_too_many, "The window is one row and one column too large: `bottom` and `right` are the last ones."),
        (covers_the_window, "Inside and outside are swapped: the noise should cover everything but the window."),
        (takes_rows_for_columns, "Rows and columns are swapped: top and bottom are rows, and rows come first."),
        (
            reads_the_window_in_another_order,
            "The four numbers of the window are mixed up: they are top, bottom, left, right.",
        ),
        (looks_at_rows_alone, "Left and right of the window the image still shows."),
        (looks_at_columns_alone, "Above and below the window the image still shows."),
        (
            covers_the_corners_alone,
            "The image shows in a whole cross: a pixel is inside if its row and its column are, not one of them.",
        ),
        (covers_with_black, "Outside the window there are zeros: put the noise there."),
        (adds_the_noise, "The noise is added to the image: it should replace it."),
        (cuts_the_window_out, "The window is cut out: the result should be as large as the image."),
        (
            puts_the_upper_left_corner_in,
            "The window shows the upper left corner of the image: it should show what is there in the image.",
        ),
        (copies_the_noise, "This is nothing but noise: the window is missing."),
        (copies_the_image, "This is the image as it was: the noise is missing."),
        (loses_a_dimension, "The first dimension is lost: the result is (1, H, W), like the image."),
    ],
    also_wrong=[
        (writes_into_the_noise, "changes what it is given"),
        (forgets_to_return_the_picture, "returns None"),
    ],
    only_values=True,
    seconds=2,
)


EXERCISE_2_6 = ChoiceExercise(
    number="2.6",
    title="Half a ring",
    difficulty="medium",
    minutes=2,
    question="Of the pixels on large rings, how many does head 3 call membrane?",
    options={
        "a": Option(
            "nearly all of them, as head 1 does",
            "It calls 6 % of them membrane, head 1 70 %. It does not need the whole ring to tell.",
        ),
        "b": Option(
            "about half of them, because it sees about half of each ring",
            "It calls 6 % of them membrane. Half a ring in view does not mean that half of the answers are right.",
        ),
        "c": Option(
            "fewer than one in ten",
            "Yes, 6 % over all, and from 2 to 10 % on the five large rings: it does not need the whole ring to tell.",
            right=True,
        ),
        "d": Option(
            "none of them at all",
            "That is head 4. Head 3 calls 6 % of them membrane, which is close.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (6, "by its letter"),
    ],
    prediction=True,
)


EXERCISES = (EXERCISE_2_1, EXERCISE_2_2, EXERCISE_2_3, EXERCISE_2_4, EXERCISE_2_5, EXERCISE_2_6)
