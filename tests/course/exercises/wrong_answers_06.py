"""Wrong answers to the exercises of notebook 06, each with words of the message that it must get."""
# ruff: noqa: RET503 (learners write so)

import torch
import torch.nn.functional as F


def opens_the_box(z, y):
    p = torch.sigmoid(z)
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def clamps_p(z, y):
    p = torch.sigmoid(z).clamp(1e-7, 1 - 1e-7)
    return F.binary_cross_entropy(p, y)


def adds_a_little(z, y):
    p = torch.sigmoid(z)
    return -(y * torch.log(p + 1e-7) + (1 - y) * torch.log(1 - p + 1e-7)).mean()


def turns_the_exponent(z, y):
    return (torch.relu(z) - y * z + torch.log1p(torch.exp(torch.abs(z)))).mean()


def overflows_upwards(z, y):
    return (torch.log(1 + torch.exp(z)) - y * z).mean()


def overflows_downwards(z, y):
    return (z - z * y + torch.log(1 + torch.exp(-z))).mean()


def adds_up(z, y):
    return F.binary_cross_entropy_with_logits(z, y, reduction="sum")


def keeps_the_pixels(z, y):
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")


def swaps_the_classes(z, y):
    return F.binary_cross_entropy_with_logits(z, 1 - y)


def forgets_the_maximum(z, y):
    return (torch.log1p(torch.exp(-z.abs())) - y * z).mean()


def forgets_the_logarithm(z, y):
    return (F.relu(z) - y * z).mean()


def forgets_the_truth(z, y):
    return (F.relu(z) + torch.log1p(torch.exp(-z.abs()))).mean()


def applies_a_sigmoid(z, y):
    return F.binary_cross_entropy_with_logits(torch.sigmoid(z), y)


def turns_the_sign(z, y):
    return -F.binary_cross_entropy_with_logits(z, y)


def counts_in_bits(z, y):
    return (F.relu(z) - y * z + torch.log2(1 + torch.exp(-z.abs()))).mean()


def forgets_the_bars(z, y):
    return (torch.clamp(z, min=0) - z * y + torch.log1p(torch.exp(-z))).mean()


def adds_the_middle_term(z, y):
    return (torch.clamp(z, min=0) + z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def takes_the_largest_of_all(z, y):
    return (torch.max(z) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def clamps_the_wrong_side(z, y):
    return (torch.clamp(z, max=0) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def forgets_the_one(z, y):
    return (torch.clamp(z, min=0) - z * y + torch.log(torch.exp(-z.abs()))).mean()


def gives_a_float(z, y):
    return F.binary_cross_entropy_with_logits(z, y).item()


def forgets_to_return_bce(z, y):
    F.binary_cross_entropy_with_logits(z, y)


def works_in_place(z, y):
    loss = F.binary_cross_entropy_with_logits(z, y)
    z.clamp_(min=0)
    return loss


def sums(p, y):
    return (p * y).sum(dim=(1, 2, 3)), p.sum(dim=(1, 2, 3)) + y.sum(dim=(1, 2, 3))


def mixes_the_batch(p, y, smooth):
    p, y = p.flatten(), y.flatten()
    return 1 - (2 * p @ y + smooth) / (p.sum() + y.sum() + smooth)


def gives_the_score(p, y, smooth):
    overlap, total = sums(p, y)
    return ((2 * overlap + smooth) / (total + smooth)).mean()


def counts_once(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((overlap + smooth) / (total + smooth)).mean()


def smooths_above(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + smooth) / total).mean()


def smooths_below(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - (2 * overlap / (total + smooth)).mean()


def does_not_smooth(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - (2 * overlap / total).mean()


def smooths_by_one(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + 1) / (total + 1)).mean()


def doubles_the_smoothing(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - (2 * (overlap + smooth) / (total + smooth)).mean()


def decides_first(p, y, smooth):
    overlap, total = sums((p > 0.5).float(), y)
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def divides_by_the_union(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + smooth) / (total - overlap + smooth)).mean()


def takes_iou(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((overlap + smooth) / (total - overlap + smooth)).mean()


def applies_a_sigmoid_too(p, y, smooth):
    overlap, total = sums(p.sigmoid(), y)
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def keeps_the_images(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - (2 * overlap + smooth) / (total + smooth)


def adds_up_the_images(p, y, smooth):
    overlap, total = sums(p, y)
    return (1 - (2 * overlap + smooth) / (total + smooth)).sum()


def takes_means(p, y, smooth):
    overlap, total = (p * y).mean(dim=(1, 2, 3)), (p + y).mean(dim=(1, 2, 3))
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def returns_in_the_loop(p, y, smooth):
    for image, truth in zip(p, y, strict=True):
        return 1 - (2 * (image * truth).sum() + smooth) / (image.sum() + truth.sum() + smooth)


def sums_over_the_images(p, y, smooth):
    return (1 - (2 * (p * y).sum(0) + smooth) / (p.sum(0) + y.sum(0) + smooth)).mean()


def sums_over_the_channel(p, y, smooth):
    return (1 - (2 * (p * y).sum(dim=1) + smooth) / (p.sum(dim=1) + y.sum(dim=1) + smooth)).mean()


def forgets_to_return_dice(p, y, smooth):
    sums(p, y)


def sums_over_four_dimensions(p, y, smooth):
    overlap = (p * y).sum(dim=(1, 2, 3, 4))
    return 1 - overlap.mean()


WRONG = {
    "6.1": [
        (opens_the_box, "This is the box"),
        (clamps_p, "You clamp p"),
        (adds_a_little, "inside the logarithm"),
        (turns_the_exponent, "sign in the exponent"),
        (overflows_upwards, "log(1 + e^z)"),
        (overflows_downwards, "overflows at a logit of −200"),
        (adds_up, "return the sum"),
        (keeps_the_pixels, "one loss for each pixel"),
        (swaps_the_classes, "classes are swapped"),
        (forgets_the_maximum, "max(z, 0) is missing"),
        (forgets_the_logarithm, "logarithm is missing"),
        (forgets_the_truth, "the truth counts nowhere"),
        (applies_a_sigmoid, "sigmoid first"),
        (turns_the_sign, "sign is turned"),
        (counts_in_bits, "base 2"),
        (forgets_the_bars, "bars are missing"),
        (adds_the_middle_term, "sign of the middle term"),
        (takes_the_largest_of_all, "largest of all logits"),
        (clamps_the_wrong_side, "clamp(min=0)"),
        (forgets_the_one, "The 1 is missing"),
        (gives_a_float, "tensor"),
        (forgets_to_return_bce, "returns None"),
        (works_in_place, "changes what it is given"),
    ],
    "6.2": [("0.689", "by its letter"), ("e", "by its letter")],
    "6.3": [
        (mixes_the_batch, "whole batch"),
        (gives_the_score, "Dice itself"),
        (counts_once, "counts twice"),
        (smooths_above, "missing below"),
        (smooths_below, "missing above"),
        (does_not_smooth, "is not used"),
        (smooths_by_one, "whatever is given"),
        (doubles_the_smoothing, "double `smooth`"),
        (decides_first, "decide at one half"),
        (divides_by_the_union, "by the union"),
        (takes_iou, "soft IoU"),
        (applies_a_sigmoid_too, "probabilities already"),
        (keeps_the_images, "one loss for each image"),
        (adds_up_the_images, "add up the images"),
        (takes_means, "means instead of sums"),
        (returns_in_the_loop, "first image"),
        (sums_over_the_images, "dimension 0"),
        (sums_over_the_channel, "channel alone"),
        (forgets_to_return_dice, "returns None"),
        (sums_over_four_dimensions, "raises IndexError in line 2"),
    ],
    "6.4": [(5, "by its letter"), ("lines 2 and 3", "by its letter")],
    "6.5": [
        (1, "without smoothing"),
        (0.25, "This is Dice"),
        (0.667, "counts there too"),
        (0.333, "with s on top alone".capitalize()),
        (0, "Nothing overlaps"),
        ("three quarters", "one number"),
    ],
    "6.6": [("BCE", "by its letter")],
    "6.7": [("e", "by its letter")],
}
