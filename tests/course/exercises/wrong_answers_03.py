"""Wrong answers to the exercises of notebook 03, each with words of the message that it must get."""

import torch
from torch.nn import functional as F


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


TOP, SUSPECT, DEEP = ((0, 0), (0, 3)), ((1, 0), (1, 2)), ((2, 0), (2, 1))

WRONG = {
    "3.1": [
        (forgets_the_bias, "The bias is missing"),
        (adds_the_bias_in_the_loop, "once for each input channel"),
        (writes_over, "must be added, not written over"),
        (writes_over_the_bias, "the bias is gone"),
        (stamps_with_the_map, "changed places"),
        (averages, "add them up"),
        (convolves, "half a turn"),
        (mixes_up_rows_and_columns, "Rows and columns of the stamp"),
        (strides_by_one, "stamps overlap"),
        (repeats_pixels, "repeat each pixel"),
        (subtracts_the_bias, "taken off"),
        (keeps_the_batch, "The shape is (1, 1, 2, 4)"),
        (does_not_stride, "The shape is (1, 2, 3)"),
        (gives_a_list, "not a list"),
        (uses_an_ordinary_convolution, "raises RuntimeError in line 2"),
        (writes_into_the_bias, "changes what it is given"),
        (forgets_to_return, "returns None"),
        (never_ends, "longer than"),
    ],
    "3.2": [("256 channels", "one number"), (float("inf"), "one number")],
    "3.3": [
        (cuts_the_corner, "upper left corner"),
        (cuts_the_last_corner, "lower right corner"),
        (squeezes, "no longer lie above"),
        (blends, "values in between"),
        (takes_one_offset, "offset serves the columns"),
        (counts_from_the_end, "`-0` ends a slice"),
        (exchanges, "order is exchanged"),
        (adds, "one behind the other"),
        (pads, "enlarge `up` with zeros"),
        (joins_the_height, "joined along the height"),
        (joins_the_batch, "joined along the batch"),
        (forgets_up, "cropped skip alone"),
        (forgets_the_skip, "`up` alone"),
        (does_not_crop, "raises RuntimeError in line 2"),
        (crops_rows_alone, "raises RuntimeError in line 3"),
        (gives_both, "not a list"),
        (forgets_to_return_the_join, "returns None"),
        (blanks_the_skip, "changes what it is given"),
    ],
    "3.4": [
        ({TOP, SUSPECT, DEEP}, "does not belong here"),
        (set(), "X^{1,2} does not see"),
        (SUSPECT, "an edge is a pair of nodes"),
        (set(SUSPECT), "an edge is a pair of nodes"),
        ("row 1", "set of edges"),
    ],
    "3.5": [("white", "by its letter"), (2, "by its letter")],
    "3.6": [("row 0", "by its letter"), (0, "by its letter")],
}
