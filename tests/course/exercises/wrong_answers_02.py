"""Wrong answers to the exercises of notebook 02, each with words of the message that it must get."""

import numpy as np
import torch
from torch.nn.functional import conv2d, pad


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


WRONG = {
    "2.1": [
        (turns_the_kernel_round, "turned round"),
        (swaps_rows_and_columns, "Rows and columns of the kernel are swapped"),
        (forgets_the_bias, "bias is missing"),
        (subtracts_the_bias, "subtracted"),
        (adds_the_bias_for_each_channel, "once for each channel"),
        (takes_one_channel, "Only the first channel"),
        (repeats_the_border, "mirrored or repeated"),
        (puts_the_corner_on_the_pixel, "kernel's corner"),
        (averages_the_channels, "averaged"),
        (shares_one_kernel, "One kernel serves all channels"),
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
    "2.2": [
        (np.kron([[1, 1], [0, 1]], np.ones((4, 4), int)), "swapped"),
        (np.ones((4, 4), int), "it should be (8, 8)"),
        (np.zeros((8, 8)), "Nothing is marked"),
        (torch.full((8, 8), 0.25), "0 and 1 alone"),
    ],
    "2.3": [
        (begins_at_zero, "begin with r = 1"),
        (forgets_the_step, "The step is missing"),
        (adds_the_whole_kernel, "two neighbours, not three"),
        (gives_pooling_no_reach, "A pooling reads neighbours too"),
        (doubles_the_step_first, "double the step afterwards"),
        (lets_up_sampling_reach, "adds nothing"),
        (keeps_the_step_on_the_way_up, "divides the step"),
        (multiplies_on_the_way_up, "multiplies the step here"),
        (counts_one_side, "A kernel has two sides"),
        (resets_the_step, "back to 1"),
        (takes_the_last_pooling_alone, "after two poolings it is 4"),
        (takes_the_step_for_pooling_alone, "A convolution's neighbours"),
        (knows_kernels_of_three, "several sizes"),
        (gives_the_step_too, "one number, not a list"),
        (reads_names_of_torch, "raises AttributeError"),
        (empties_the_list, "changes what it is given"),
        (prints_only, "returns None"),
        (gives_text, "not a value of type str"),
        (knows_head_one, "gives 18 whatever"),
    ],
    "2.4": [("e", "by its letter"), (8, "by its letter")],
    "2.5": [("824", "one number, not"), (float("inf"), "one number, not")],
    "2.6": [(["c"], "by its letter")],
}
