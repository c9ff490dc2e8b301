"""The exercises of notebook 09: the loop, its schedule, batch norm, checkpoints, and three sick trainings."""

import math
from collections.abc import Callable, Iterator
from math import cos, log, log10, pi

import numpy as np
import torch
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

# Exercise 9.1: The first loss


DICE = 2 * 0.5 * 0.8 / (0.5 + 0.8)  # of p = ½ everywhere against masks of 80 % white


EXERCISE_9_1 = NumberExercise(
    number="9.1",
    title="The first loss",
    difficulty="easy",
    minutes=4,
    question="½·BCE + (1 − Dice) of p = ½ everywhere, masks 80 % white",
    solution=0.5 * log(2) + 1 - DICE,
    tolerance=2e-3,
    mistakes=[
        (log(2) + 1 - DICE, "The cross-entropy counts half: ½ · 0.693."),
        (0.5 * log(2) + DICE, "You added the Dice itself: the loss takes 1 − Dice, which falls as the overlap grows."),
        (0.5 * log(2), "This is the half of the cross-entropy alone: 1 − Dice is missing."),
        (1 - DICE, "This is 1 − Dice alone: the half of the cross-entropy is missing."),
        (log(2), "This is the whole cross-entropy and no Dice."),
        (0.5 + 1 - DICE, "You took the logarithm to base 2: cross-entropy is in nats."),
        (0.5 * log10(2) + 1 - DICE, "You took the logarithm to base 10: cross-entropy is in nats."),
        (0.5 * (log(2) + 1 - DICE), "You halved 1 − Dice too: only the cross-entropy counts half."),
        (0.5 * 0.8 * log(2) + 1 - DICE, "The black pixels cost as well: −log(1 − ½) is the same as −log ½."),
        (0.5 * log(2) + 1 - 2 * DICE, "You took 0.8 for Σpy: each white pixel brings p = ½."),
        (0.5 * log(2) + 1 - DICE / (2 - DICE), "You took the IoU: the loss has the Dice."),
        (0.74, "0.74 was measured on one batch: compute what p = ½ gives on masks 80 % white."),
        (0.5 * log(2) + 1 - DICE / 2, "The 2 of the Dice is missing: 2 · ½ · 0.8 stands above the line."),
        (0.5 * log(2) + 1 - 0.8 / 1.05, "You squared the probabilities below the line: it holds their sum, ½."),
    ],
    also_wrong=[
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
        ((0.347, 0.385), "one number"),
    ],
)


# Exercise 9.2: The mean of an epoch


def epoch_loss(losses: list[float], counts: list[int]) -> float:
    """Return the mean loss of an image, from the mean loss of each batch and the images that each batch holds."""
    total, images = 0.0, 0
    for loss, count in zip(losses, counts, strict=True):
        total += count * loss
        images += count
    return total / images


def epochs(random: np.random.Generator) -> Iterator[tuple[list[float], list[int]]]:
    """Yield epochs; the first one can be followed in the head: a last batch of one image with a high loss."""
    yield [0.2, 0.2, 0.8], [4, 4, 1]
    yield [0.5], [3]
    for batches in (2, 5, 7):
        counts = random.integers(1, 9, batches)
        yield random.uniform(0.1, 1, batches).tolist(), counts.tolist()


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


EXERCISE_9_2 = FunctionExercise(
    number="9.2",
    title="The mean of an epoch",
    difficulty="easy",
    minutes=5,
    reference=epoch_loss,
    cases=epochs,
    mistakes=[
        (
            averages_batches,
            "You take the mean of the batches: a batch of one image then counts as much as one of four.",
        ),
        (divides_by_batches, "You divide by the number of batches: divide by the number of images."),
        (thinks_all_are_full, "You divide as if every batch were full: a smaller last batch makes the mean too small."),
        (
            takes_the_first_as_size,
            "You divide as if every batch were as large as the first: `counts` holds how many each had.",
        ),
        (takes_four, "You divide as if every batch held 4 images: `counts` holds how many each had."),
        (returns_in_the_loop, "You return inside the loop, after the first batch: move `return` to the left."),
        (only_adds, "You add up and do not divide."),
        (divides_twice, "You divide the losses by the counts: they are means already, multiply."),
        (
            adds_means,
            "You add the means and divide by the images: each loss is a mean, so it counts once for each image.",
        ),
        (takes_the_last, "This is the last batch's loss: the mean of the epoch is asked for."),
        (leaves_the_last_out, "You leave the last batch out."),
    ],
    also_wrong=[
        (multiplies_lists, "raises TypeError in line 2"),
        (forgets_to_return_a_mean, "returns None"),
        (returns_both, "one number"),
    ],
    tolerance=1e-6,
)


# Exercise 9.3: Write the schedule


def rate_of(step: int, steps: int, highest: float) -> float:
    """Return the learning rate of a step: a linear warm-up over 5 % of the steps, then a cosine that ends at 0."""
    warm_up = max(1, round(0.05 * steps))
    if step < warm_up:
        return highest * (step + 1) / warm_up
    return highest * (1 + cos(pi * (step - warm_up) / (steps - warm_up))) / 2


def moments(random: np.random.Generator) -> Iterator[tuple[int, int, float]]:
    """Yield steps of trainings, from the first of a warm-up to the last of all; also one of few steps."""
    yield 0, 100, 0.4
    yield from ((step, 100, 0.4) for step in (2, 4, 5, 50, 99))
    yield from ((step, 8, 1.0) for step in (0, 1, 7))
    yield from ((0, steps, 1.0) for steps in (38, 44))  # 5 % are 1.9 and 2.2 steps: two of them, rounded
    yield from ((int(random.integers(280)), 280, 0.3) for _ in range(6))


def _rate(
    rise: Callable[[int, float], float] = lambda step, warm_up: (step + 1) / warm_up,
    fall: Callable[[float], float] = lambda way: (1 + cos(pi * way)) / 2,
    warm_up_of: Callable[[int], float] = lambda steps: max(1, round(0.05 * steps)),
    way_of: Callable[[int, int, float], float] = lambda step, steps, warm_up: (step - warm_up) / (steps - warm_up),
    rises: Callable[[int, float], bool] = lambda step, warm_up: step < warm_up,
) -> Callable[[int, int, float], float]:
    """Return a schedule with other parts: ``fall`` gets what ``way_of`` returns, the share of the cosine's way."""

    def wrong(step: int, steps: int, highest: float) -> float:
        warm_up = warm_up_of(steps)
        share = rise(step, warm_up) if rises(step, warm_up) else fall(way_of(step, steps, warm_up))
        return highest * share

    return wrong


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


EXERCISE_9_3 = FunctionExercise(
    number="9.3",
    title="Write the schedule",
    difficulty="medium",
    minutes=8,
    reference=rate_of,
    cases=moments,
    mistakes=[
        (begins_at_zero, "Your warm-up begins with a rate of 0, a step that changes nothing: count from 1 to w."),
        (has_no_warm_up, "There is no warm-up: the first w steps rise."),
        (counts_the_cosine_from_the_start, "Your cosine begins at step 0: count its way from w to the end."),
        (divides_by_all_steps, "Your t divides by all steps: from step w on, steps − w are left."),
        (ends_a_step_early, "Your t reaches 1 in the last step: divide by steps − w, and not by one less."),
        (warms_up_a_step_too_long, "Your warm-up has a step too many: step w is the first of the cosine."),
        (does_not_rise, "Your warm-up does not rise: step 0 gets one part, step 1 two."),
        (halves_the_cosine_alone, "Python halves only the cosine: put 1 + cos πt into brackets."),
        (forgets_pi, "The cosine of t, not of πt: it runs from 0 to π."),
        (rises_after_the_warm_up, "The rate rises after the warm-up: 1 + cos falls, 1 − cos rises."),
        (cuts_w_down, "You cut w down to a whole number: round it."),
        (rounds_w_up, "You round w up: round it to the nearest whole number."),
        (does_not_round_w, "You do not round w: it counts steps, a whole number."),
        (forgets_the_half, "You return twice the rate after the warm-up: 1 + cos runs from 2 to 0."),
        (goes_below_zero, "Your rate becomes negative: raise the cosine by 1 and halve it."),
        (falls_straight, "The rate falls on a straight line: a cosine is asked for."),
        (stays_up, "The rate stays at its highest after the warm-up."),
        (turns_a_quarter, "Your cosine turns only a quarter: it runs from 0 to π."),
        (
            _rate(fall=lambda way: (1 + cos(2 * pi * way)) / 2),
            "Your cosine goes down and up again: it runs from 0 to π, not to 2π.",
        ),
        (takes_degrees, "The cosine takes radians: half a turn is π, not 180."),
        (forgets_the_highest, "You return the share: multiply it by the highest rate."),
        (divides_by_zero, "A short training has no warm-up step and you divide by w = 0: w is at least 1."),
    ],
    also_wrong=[
        (returns_a_tensor_of_two, "one number"),
    ],
    tolerance=1e-6,
)


# Exercise 9.4: Batch norm in training


EPS = 1e-5


def normalise_batch(x: Tensor) -> Tensor:
    """Return x (N, C, H, W), each channel with mean 0 and variance 1 over all images and pixels."""
    result = torch.empty_like(x)
    for channel in range(x.shape[1]):
        values = x[:, channel]  # (N, H, W)
        mean = values.mean()
        variance = (values - mean).square().mean()
        result[:, channel] = (values - mean) / (variance + EPS).sqrt()
    return result


def maps(random: np.random.Generator) -> Iterator[tuple[Tensor]]:
    """Yield batches of maps; the first can be followed by hand, others have channels of nearly or exactly one value."""
    yield (torch.tensor([[[[1.0, 3.0]]], [[[5.0, 7.0]]]]),)
    yield (torch.tensor([[[[0.0, 0.002]], [[0.0, 4.0]]], [[[0.002, 0.0]], [[8.0, 4.0]]]]),)
    yield (torch.tensor([[[[2.0, 2.0]], [[0.0, 4.0]]], [[[2.0, 2.0]], [[8.0, 4.0]]]]),)
    for shape in ((3, 2, 4, 5), (1, 3, 6, 6), (4, 1, 2, 3)):
        scale = random.uniform(0.5, 4, (*shape[:2], 1, 1))
        yield (torch.from_numpy(random.normal(1, 1, shape) * scale).float(),)


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


EXERCISE_9_4 = FunctionExercise(
    number="9.4",
    title="Batch norm in training",
    difficulty="medium",
    minutes=8,
    reference=normalise_batch,
    cases=maps,
    mistakes=[
        (
            takes_each_image,
            "You normalise each image for itself: that is instance norm. Take the images of the batch together.",
        ),
        (takes_everything, "You normalise over the channels too: each channel has a mean of its own."),
        (
            takes_one_mean_and_variance,
            "One mean for all channels: each has its own. (And the variance divides by n, not n − 1.)",
        ),
        (
            takes_each_image_whole,
            "You normalise each image over its channels and pixels: each channel is taken over all images.",
        ),
        (takes_each_pixel, "You normalise each pixel over the images: the pixels belong together as well."),
        (divides_by_n_minus_1, "You divide by n − 1 in the variance: divide by n (`unbiased=False`)."),
        (forgets_epsilon, "ε is missing: a channel of one value is divided by 0."),
        (adds_epsilon_outside, "ε stands outside the root: it belongs to the variance."),
        (divides_by_variance, "You divide by the variance: divide by its root."),
        (drops_dimensions, "The channels meet the columns, for `keepdim=True` is missing."),
        (takes_std, "`std` divides by n − 1, and ε stands outside the root: take the variance."),
        (takes_the_root_of_std, "You take the root twice: `std` is a root already."),
        (forgets_the_brackets, "Python divides the mean alone: put the difference into brackets."),
        (
            squares_before_it_centres,
            "The variance is the mean of the squared differences: subtract the mean before you square.",
        ),
        (takes_the_channels_together, "You take the mean over the channels: dimension 1 is the one that stays."),
        (does_not_centre, "You do not subtract the mean."),
        (only_centres, "You subtract the mean and do not divide."),
    ],
    also_wrong=[
        (writes_into_the_input, "changes what it is given"),
    ],
    tolerance=1e-5,
)


EXERCISE_9_5 = ChoiceExercise(
    number="9.5",
    title="Train or evaluate?",
    difficulty="easy",
    minutes=2,
    question="Batch norm, trained with one image a step: the membrane IoU in training mode and in evaluation mode",
    options={
        "a": Option(
            "training mode, by more than .1: the averages were never used in training",
            "So it would be if the images differed as in the drastic case. After the rate has fallen to 0, the "
            "averages of these images fit each of them well.",
        ),
        "b": Option(
            "about equal: less than .01 apart in each of the three networks",
            "Yes. What can go wrong need not. The images are alike in tone, and the averages have settled.",
            right=True,
        ),
        "c": Option(
            "evaluation mode, by more than .1: averages are steadier",
            "Steadier they are. But one image of 65,536 pixels gives steady numbers too.",
        ),
        "d": Option(
            "evaluation mode finds no membrane at all",
            "It can happen where the averages lie far from every image, as in the drastic case. Here the rate has "
            "fallen to 0, and the averages have caught up.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (1, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_9_6 = ChoiceExercise(
    number="9.6",
    title="What is missing in this checkpoint?",
    difficulty="medium",
    minutes=4,
    question="Weights, step, configuration: why do the weights end differently?",
    options={
        "a": Option(
            "the learning rate",
            "It is a function of the step, and the step is in the file.",
        ),
        "b": Option(
            "the running means of Adam",
            "Yes. Without them the first steps after the stop are those of a fresh Adam.",
            right=True,
        ),
        "c": Option(
            "which images came already",
            "In this library the order is a function of seed and step. Where a generator draws it, its state "
            "belongs into the file; but ask first what a step is made of.",
        ),
        "d": Option(
            "the running averages of batch norm",
            "They are buffers, and buffers are in the state_dict, beside the weights.",
        ),
    },
    also_wrong=[
        ("Adam", "by its letter"),
        (2, "by its letter"),
    ],
)


EXERCISE_9_7 = ChoiceExercise(
    number="9.7",
    title="Three sick runs",
    difficulty="hard",
    minutes=6,
    question="What is wrong with A, B and C?",
    options={
        "a": Option(
            "A: the rate is too high; B: over-fitting; C: a bug in the labels",
            "B is right. A's loss falls calmly and stays; C's is over 1000 at its second look in section 1. Which "
            "of them makes steps that are too long?",
        ),
        "b": Option(
            "A: a bug in the labels; B: over-fitting; C: the rate is too high",
            "Yes. A learns nothing, calmly; B knows its images and no others; C stays mediocre on both, in "
            "section 1 after a loss of over 1000.",
            right=True,
        ),
        "c": Option(
            "A: a bug in the labels; B: the rate is too high; C: over-fitting",
            "B is the one with the gap: good on what it has seen, poor on the rest. C has no gap.",
        ),
        "d": Option(
            "A: over-fitting; B: a bug in the labels; C: the rate is too high",
            "Who over-fits does well on the training images. A finds no membrane there either.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        ("ABC", "by its letter"),
    ],
)


EXERCISE_9_8 = ChoiceExercise(
    number="9.8",
    title="One test more",
    difficulty="medium",
    minutes=4,
    question="It looks like A, and one fixed batch is learned by heart. Which test comes next?",
    options={
        "a": Option(
            "train ten times as long",
            "Ten times the hours, and if pairs are wrong, no more to learn than before.",
        ),
        "b": Option(
            "lower the learning rate",
            "The loss never blows up, and with this rate a batch is learned: the steps are not what is wrong.",
        ),
        "c": Option(
            "look at a batch as the network gets it, mask over image",
            "Yes. Loop, loss and rate can learn; so ask what they are given to learn.",
            right=True,
        ),
        "d": Option(
            "take a wider network",
            "A network that learns one batch by heart has room enough for a start. It is not the width.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (3, "by its letter"),
    ],
)


EXERCISES = (
    EXERCISE_9_1,
    EXERCISE_9_2,
    EXERCISE_9_3,
    EXERCISE_9_4,
    EXERCISE_9_5,
    EXERCISE_9_6,
    EXERCISE_9_7,
    EXERCISE_9_8,
)
