"""Wrong answers to the exercises of notebook 09, each with words of the message that it must get."""

import math

import torch


def averages_batches(losses, counts):
    return sum(losses) / len(losses)


def divides_by_batches(losses, counts):
    total = 0
    for loss, count in zip(losses, counts, strict=True):
        total += loss * count
    return total / len(counts)


def thinks_all_are_full(losses, counts):
    return sum(a * b for a, b in zip(losses, counts, strict=True)) / (len(counts) * max(counts))


def only_adds(losses, counts):
    return sum(a * b for a, b in zip(losses, counts, strict=True))


def adds_means(losses, counts):
    return sum(losses) / sum(counts)


def takes_the_last(losses, counts):
    return losses[-1]


def leaves_the_last_out(losses, counts):
    pairs = list(zip(losses, counts, strict=True))[:-1]
    return sum(a * b for a, b in pairs) / max(1, sum(count for _, count in pairs))


def divides_twice(losses, counts):
    return sum(a / b for a, b in zip(losses, counts, strict=True)) / sum(counts)


def multiplies_lists(losses, counts):
    return sum(losses * counts) / sum(counts)


def forgets_to_return_a_mean(losses, counts):
    sum(a * b for a, b in zip(losses, counts, strict=True)) / sum(counts)


def returns_both(losses, counts):
    return sum(a * b for a, b in zip(losses, counts, strict=True)), sum(counts)


def takes_the_first_as_size(losses, counts):
    return sum(a * b for a, b in zip(losses, counts, strict=True)) / (len(counts) * counts[0])


def takes_four(losses, counts):
    return sum(a * b for a, b in zip(losses, counts, strict=True)) / (len(counts) * 4)


def returns_in_the_loop(losses, counts):
    total = 0
    for loss, count in zip(losses, counts, strict=True):
        total += loss * count
        return total / sum(counts)
    return None


def begins_at_zero(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * step / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def has_no_warm_up(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def counts_the_cosine_from_the_start(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * step / steps)) / 2


def forgets_the_half(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w)))


def goes_below_zero(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * math.cos(math.pi * (step - w) / (steps - w))


def falls_straight(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (steps - step) / (steps - w)


def stays_up(step, steps, highest):
    return highest * min(1, (step + 1) / max(1, round(0.05 * steps)))


def turns_a_quarter(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * math.cos(math.pi * (step - w) / (steps - w) / 2)


def forgets_the_highest(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return (step + 1) / w
    return (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def divides_by_zero(step, steps, highest):
    w = round(0.05 * steps)
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def takes_degrees(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(180 * (step - w) / (steps - w))) / 2


def divides_by_all_steps(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / steps)) / 2


def ends_a_step_early(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w - 1))) / 2


def warms_up_a_step_too_long(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step <= w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def does_not_rise(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def halves_the_cosine_alone(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w)) / 2)


def forgets_pi(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos((step - w) / (steps - w))) / 2


def rises_after_the_warm_up(step, steps, highest):
    w = max(1, round(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 - math.cos(math.pi * (step - w) / (steps - w))) / 2


def cuts_w_down(step, steps, highest):
    w = max(1, int(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def rounds_w_up(step, steps, highest):
    w = max(1, math.ceil(0.05 * steps))
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def does_not_round_w(step, steps, highest):
    w = max(1, 0.05 * steps)
    if step < w:
        return highest * (step + 1) / w
    return highest * (1 + math.cos(math.pi * (step - w) / (steps - w))) / 2


def returns_a_tensor_of_two(step, steps, highest):
    return torch.tensor([highest, highest])


def normalised(x, dims, unbiased=False, eps=1e-5):
    mean = x.mean(dims, keepdim=True)
    return (x - mean) / (x.var(dims, keepdim=True, unbiased=unbiased) + eps).sqrt()


def takes_each_image(x):
    return normalised(x, (2, 3))


def takes_everything(x):
    return normalised(x, (0, 1, 2, 3))


def takes_one_mean_and_variance(x):
    return (x - x.mean()) / torch.sqrt(x.var() + 1e-5)


def takes_each_image_whole(x):
    return normalised(x, (1, 2, 3))


def takes_each_pixel(x):
    return normalised(x, 0)


def divides_by_n_minus_1(x):
    return normalised(x, (0, 2, 3), unbiased=True)


def forgets_epsilon(x):
    return normalised(x, (0, 2, 3), eps=0)


def adds_epsilon_outside(x):
    return (x - x.mean((0, 2, 3), keepdim=True)) / (x.std((0, 2, 3), keepdim=True, unbiased=False) + 1e-5)


def divides_by_variance(x):
    return (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5)


def does_not_centre(x):
    return x / (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()


def only_centres(x):
    return x - x.mean((0, 2, 3), keepdim=True)


def drops_dimensions(x):
    return (x - x.mean((0, 2, 3))) / (x.var((0, 2, 3), unbiased=False) + 1e-5).sqrt()


def takes_std(x):
    return (x - x.mean((0, 2, 3), keepdim=True)) / (x.std((0, 2, 3), keepdim=True) + 1e-5)


def takes_the_root_of_std(x):
    return (x - x.mean((0, 2, 3), keepdim=True)) / (x.std((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()


def forgets_the_brackets(x):
    return x - x.mean((0, 2, 3), keepdim=True) / (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()


def squares_before_it_centres(x):
    return (x - x.mean((0, 2, 3), keepdim=True)) / (x.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()


def takes_the_channels_together(x):
    return normalised(x, 1)


def writes_into_the_input(x):
    x -= x.mean((0, 2, 3), keepdim=True)
    x /= (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    return x


WRONG = {
    "9.1": [
        (1.078, "counts half"),
        (0.962, "takes 1 − Dice"),
        (0.347, "1 − Dice is missing"),
        (0.385, "half of the cross-entropy is missing"),
        (0.693, "whole cross-entropy"),
        (0.885, "base 2"),
        (1.039, "The 2 of the Dice"),
        (0.585, "squared"),
        (0.535, "base 10"),
        (0.539, "halved 1 − Dice too"),
        (0.662, "black pixels cost"),
        (0.116, "brings p = ½"),
        (0.902, "took the IoU"),
        (0.74, "measured on one batch"),
        ((0.347, 0.385), "one number"),
    ],
    "9.2": [
        (averages_batches, "mean of the batches"),
        (divides_by_batches, "divide by the number of images"),
        (thinks_all_are_full, "every batch were full"),
        (takes_the_first_as_size, "as large as the first"),
        (takes_four, "held 4 images"),
        (returns_in_the_loop, "inside the loop"),
        (only_adds, "do not divide"),
        (adds_means, "counts once for each image"),
        (takes_the_last, "last batch's loss"),
        (leaves_the_last_out, "leave the last batch out"),
        (divides_twice, "multiply"),
        (multiplies_lists, "raises TypeError in line 2"),
        (forgets_to_return_a_mean, "returns None"),
        (returns_both, "one number"),
    ],
    "9.3": [
        (begins_at_zero, "rate of 0"),
        (has_no_warm_up, "no warm-up"),
        (counts_the_cosine_from_the_start, "begins at step 0"),
        (forgets_the_half, "twice the rate"),
        (goes_below_zero, "negative"),
        (falls_straight, "straight line"),
        (stays_up, "stays at its highest"),
        (turns_a_quarter, "a quarter"),
        (forgets_the_highest, "multiply it by the highest"),
        (divides_by_zero, "w is at least 1"),
        (takes_degrees, "radians"),
        (divides_by_all_steps, "steps − w are left"),
        (ends_a_step_early, "not by one less"),
        (warms_up_a_step_too_long, "first of the cosine"),
        (does_not_rise, "does not rise"),
        (halves_the_cosine_alone, "brackets"),
        (forgets_pi, "not of πt"),
        (rises_after_the_warm_up, "rises after"),
        (cuts_w_down, "cut w down"),
        (rounds_w_up, "round w up"),
        (does_not_round_w, "do not round w"),
        (returns_a_tensor_of_two, "one number"),
    ],
    "9.4": [
        (takes_each_image, "instance norm"),
        (takes_everything, "over the channels too"),
        (takes_one_mean_and_variance, "One mean for all channels"),
        (takes_each_image_whole, "over all images"),
        (takes_each_pixel, "pixels belong together"),
        (divides_by_n_minus_1, "divide by n"),
        (forgets_epsilon, "ε is missing"),
        (adds_epsilon_outside, "outside the root"),
        (divides_by_variance, "by its root"),
        (does_not_centre, "do not subtract"),
        (only_centres, "do not divide"),
        (drops_dimensions, "keepdim"),
        (takes_std, "`std` divides by n − 1"),
        (takes_the_root_of_std, "root twice"),
        (forgets_the_brackets, "brackets"),
        (squares_before_it_centres, "before you square"),
        (takes_the_channels_together, "the one that stays"),
        (writes_into_the_input, "changes what it is given"),
    ],
    "9.5": [("e", "by its letter"), (1, "by its letter")],
    "9.6": [("Adam", "by its letter"), (2, "by its letter")],
    "9.7": [("e", "by its letter"), ("ABC", "by its letter")],
    "9.8": [("e", "by its letter"), (3, "by its letter")],
}
