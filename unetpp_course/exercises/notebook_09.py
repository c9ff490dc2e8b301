"""The exercises of notebook 09: the loop, its schedule, batch norm, checkpoints, and three sick trainings."""

from collections.abc import Callable, Iterator
from math import ceil, cos, log, log10, pi

import numpy as np
import torch
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

EPS = 1e-5
DICE = 2 * 0.5 * 0.8 / (0.5 + 0.8)  # of p = ½ everywhere against masks of 80 % white


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


def _over(dims: tuple[int, ...], unbiased: bool = False) -> Callable[[Tensor], Tensor]:
    """Return a normalisation over other dimensions."""

    def wrong(x: Tensor) -> Tensor:
        mean, variance = x.mean(dims, keepdim=True), x.var(dims, keepdim=True, unbiased=unbiased)
        return (x - mean) / (variance + EPS).sqrt()

    return wrong


def _divided(by: Callable[[Tensor], Tensor], centred: bool = True) -> Callable[[Tensor], Tensor]:
    """Return a normalisation that divides by something else, given the variance (1, C, 1, 1)."""

    def wrong(x: Tensor) -> Tensor:
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, unbiased=False)
        return (x - mean if centred else x) / by(variance)

    return wrong


EXERCISES = (
    NumberExercise(
        number="9.1",
        title="The first loss",
        difficulty="easy",
        minutes=4,
        question="½·BCE + (1 − Dice) of p = ½ everywhere, masks 80 % white",
        solution=0.5 * log(2) + 1 - DICE,
        tolerance=2e-3,
        mistakes={
            "The cross-entropy counts half: ½ · 0.693.": log(2) + 1 - DICE,
            "You added the Dice itself: the loss takes 1 − Dice, which falls as the overlap grows.": 0.5 * log(2)
            + DICE,
            "This is the half of the cross-entropy alone: 1 − Dice is missing.": 0.5 * log(2),
            "This is 1 − Dice alone: the half of the cross-entropy is missing.": 1 - DICE,
            "This is the whole cross-entropy and no Dice.": log(2),
            "You took the logarithm to base 2: cross-entropy is in nats.": 0.5 + 1 - DICE,
            "You took the logarithm to base 10: cross-entropy is in nats.": 0.5 * log10(2) + 1 - DICE,
            "You halved 1 − Dice too: only the cross-entropy counts half.": 0.5 * (log(2) + 1 - DICE),
            "The black pixels cost as well: −log(1 − ½) is the same as −log ½.": 0.5 * 0.8 * log(2) + 1 - DICE,
            "You took 0.8 for Σpy: each white pixel brings p = ½.": 0.5 * log(2) + 1 - 2 * DICE,
            "You took the IoU: the loss has the Dice.": 0.5 * log(2) + 1 - DICE / (2 - DICE),
            "0.74 was measured on one batch: compute what p = ½ gives on masks 80 % white.": 0.74,
            "The 2 of the Dice is missing: 2 · ½ · 0.8 stands above the line.": 0.5 * log(2) + 1 - DICE / 2,
            "You squared the probabilities below the line: it holds their sum, ½.": 0.5 * log(2) + 1 - 0.8 / 1.05,
        },
    ),
    FunctionExercise(
        number="9.2",
        title="The mean of an epoch",
        difficulty="easy",
        minutes=5,
        reference=epoch_loss,
        cases=epochs,
        mistakes={
            "You take the mean of the batches: a batch of one image then counts as much as one of four.": (
                lambda losses, _: sum(losses) / len(losses)
            ),
            "You divide by the number of batches: divide by the number of images.": (
                lambda losses, counts: sum(a * b for a, b in zip(losses, counts, strict=True)) / len(losses)
            ),
            "You divide as if every batch were full: a smaller last batch makes the mean too small.": (
                lambda losses, counts: (
                    sum(a * b for a, b in zip(losses, counts, strict=True)) / (max(counts) * len(counts))
                )
            ),
            "You divide as if every batch were as large as the first: `counts` holds how many each had.": (
                lambda losses, counts: (
                    sum(a * b for a, b in zip(losses, counts, strict=True)) / (counts[0] * len(counts))
                )
            ),
            "You divide as if every batch held 4 images: `counts` holds how many each had.": (
                lambda losses, counts: sum(a * b for a, b in zip(losses, counts, strict=True)) / (4 * len(counts))
            ),
            "You return inside the loop, after the first batch: move `return` to the left.": (
                lambda losses, counts: losses[0] * counts[0] / sum(counts)
            ),
            "You add up and do not divide.": (
                lambda losses, counts: sum(a * b for a, b in zip(losses, counts, strict=True))
            ),
            "You divide the losses by the counts: they are means already, multiply.": (
                lambda losses, counts: sum(a / b for a, b in zip(losses, counts, strict=True)) / sum(counts)
            ),
            "You add the means and divide by the images: each loss is a mean, so it counts once for each image.": (
                lambda losses, counts: sum(losses) / sum(counts)
            ),
            "This is the last batch's loss: the mean of the epoch is asked for.": lambda losses, _: losses[-1],
            "You leave the last batch out.": (
                lambda losses, counts: (
                    sum(a * b for a, b in zip(losses[:-1], counts, strict=False)) / max(1, sum(counts[:-1]))
                )
            ),
        },
        tolerance=1e-6,
    ),
    FunctionExercise(
        number="9.3",
        title="Write the schedule",
        difficulty="medium",
        minutes=8,
        reference=rate_of,
        cases=moments,
        mistakes={
            "Your warm-up begins with a rate of 0, a step that changes nothing: count from 1 to w.": (
                _rate(rise=lambda step, warm_up: step / warm_up)
            ),
            "There is no warm-up: the first w steps rise.": _rate(rise=lambda *_: 1.0),
            "Your cosine begins at step 0: count its way from w to the end.": (
                _rate(way_of=lambda step, steps, _: step / steps)
            ),
            "Your t divides by all steps: from step w on, steps − w are left.": (
                _rate(way_of=lambda step, steps, warm_up: (step - warm_up) / steps)
            ),
            "Your t reaches 1 in the last step: divide by steps − w, and not by one less.": (
                _rate(way_of=lambda step, steps, warm_up: (step - warm_up) / (steps - warm_up - 1))
            ),
            "Your warm-up has a step too many: step w is the first of the cosine.": (
                _rate(rises=lambda step, warm_up: step <= warm_up)
            ),
            "Your warm-up does not rise: step 0 gets one part, step 1 two.": _rate(rise=lambda _, warm_up: 1 / warm_up),
            "Python halves only the cosine: put 1 + cos πt into brackets.": _rate(fall=lambda t: 1 + cos(pi * t) / 2),
            "The cosine of t, not of πt: it runs from 0 to π.": _rate(fall=lambda t: (1 + cos(t)) / 2),
            "The rate rises after the warm-up: 1 + cos falls, 1 − cos rises.": _rate(
                fall=lambda t: (1 - cos(pi * t)) / 2
            ),
            "You cut w down to a whole number: round it.": _rate(warm_up_of=lambda steps: max(1, int(0.05 * steps))),
            "You round w up: round it to the nearest whole number.": (
                _rate(warm_up_of=lambda steps: max(1, ceil(0.05 * steps)))
            ),
            "You do not round w: it counts steps, a whole number.": _rate(
                warm_up_of=lambda steps: max(1, 0.05 * steps)
            ),
            "You return twice the rate after the warm-up: 1 + cos runs from 2 to 0.": _rate(
                fall=lambda w: 1 + cos(pi * w)
            ),
            "Your rate becomes negative: raise the cosine by 1 and halve it.": _rate(fall=lambda way: cos(pi * way)),
            "The rate falls on a straight line: a cosine is asked for.": _rate(fall=lambda way: 1 - way),
            "The rate stays at its highest after the warm-up.": _rate(fall=lambda _: 1.0),
            "Your cosine turns only a quarter: it runs from 0 to π.": _rate(fall=lambda way: cos(pi / 2 * way)),
            "Your cosine goes down and up again: it runs from 0 to π, not to 2π.": (
                _rate(fall=lambda way: (1 + cos(2 * pi * way)) / 2)
            ),
            "The cosine takes radians: half a turn is π, not 180.": _rate(fall=lambda way: (1 + cos(180 * way)) / 2),
            "You return the share: multiply it by the highest rate.": (
                lambda step, steps, _: rate_of(step, steps, 1.0)
            ),
            "A short training has no warm-up step and you divide by w = 0: w is at least 1.": (
                _rate(warm_up_of=lambda steps: round(0.05 * steps))
            ),
        },
        tolerance=1e-6,
    ),
    FunctionExercise(
        number="9.4",
        title="Batch norm in training",
        difficulty="medium",
        minutes=8,
        reference=normalise_batch,
        cases=maps,
        mistakes={
            "You normalise each image for itself: that is instance norm. Take the images of the batch together.": (
                _over((2, 3))
            ),
            "You normalise over the channels too: each channel has a mean of its own.": _over((0, 1, 2, 3)),
            "One mean for all channels: each has its own. (And the variance divides by n, not n − 1.)": (
                _over((0, 1, 2, 3), unbiased=True)
            ),
            "You normalise each image over its channels and pixels: each channel is taken over all images.": (
                _over((1, 2, 3))
            ),
            "You normalise each pixel over the images: the pixels belong together as well.": _over((0,)),
            "You divide by n − 1 in the variance: divide by n (`unbiased=False`).": _over((0, 2, 3), unbiased=True),
            "ε is missing: a channel of one value is divided by 0.": _divided(torch.sqrt),
            "ε stands outside the root: it belongs to the variance.": _divided(lambda variance: variance.sqrt() + EPS),
            "You divide by the variance: divide by its root.": _divided(lambda variance: variance + EPS),
            "The channels meet the columns, for `keepdim=True` is missing.": (
                lambda x: (x - x.mean((0, 2, 3))) / (x.var((0, 2, 3), unbiased=False) + EPS).sqrt()
            ),
            "`std` divides by n − 1, and ε stands outside the root: take the variance.": (
                lambda x: (x - x.mean((0, 2, 3), keepdim=True)) / (x.std((0, 2, 3), keepdim=True) + EPS)
            ),
            "You take the root twice: `std` is a root already.": _divided(
                lambda variance: (variance.sqrt() + EPS).sqrt()
            ),
            "Python divides the mean alone: put the difference into brackets.": (
                lambda x: (
                    x - x.mean((0, 2, 3), keepdim=True) / (x.var((0, 2, 3), keepdim=True, unbiased=False) + EPS).sqrt()
                )
            ),
            "The variance is the mean of the squared differences: subtract the mean before you square.": (
                lambda x: (
                    (x - x.mean((0, 2, 3), keepdim=True)) / (x.square().mean((0, 2, 3), keepdim=True) + EPS).sqrt()
                )
            ),
            "You take the mean over the channels: dimension 1 is the one that stays.": _over((1,)),
            "You do not subtract the mean.": _divided(lambda variance: (variance + EPS).sqrt(), centred=False),
            "You subtract the mean and do not divide.": _divided(torch.ones_like),
        },
        tolerance=1e-5,
    ),
    ChoiceExercise(
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
        prediction=True,
    ),
    ChoiceExercise(
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
    ),
    ChoiceExercise(
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
    ),
    ChoiceExercise(
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
    ),
)
