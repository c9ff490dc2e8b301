"""The exercises of extra/24: batch norm with a single image per batch."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option

# Exercise 26.1: Batch norm in training


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


def divides_by_std(x):
    dims = (0, 2, 3)
    return (x - x.mean(dims, keepdim=True)) / x.std(dims, keepdim=True)


def adds_too_large_an_epsilon(x):
    return normalised(x, (0, 2, 3), eps=1e-3)


def uses_the_running_averages(x):
    return torch.nn.BatchNorm2d(x.shape[1]).eval()(x).detach()


def writes_into_the_input(x):
    x -= x.mean((0, 2, 3), keepdim=True)
    x /= (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    return x


EXERCISE_24_1 = FunctionExercise(
    number="26.1",
    title="Batch norm in training",
    difficulty="medium",
    minutes=8,
    reference=normalise_batch,
    only_values=True,
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
        (
            divides_by_std,
            "`x.std` divides by n − 1, and ε is missing: take the variance with n (`unbiased=False`), add ε, and take "
            "the root.",
        ),
        (adds_too_large_an_epsilon, "Your ε is 0.001: it should be 0.00001."),
        (
            uses_the_running_averages,
            "This is evaluation mode, which uses running averages: in training, mean and variance are those of the "
            "batch.",
        ),
        (forgets_epsilon, "ε is missing: a channel of one value is divided by 0."),
        (adds_epsilon_outside, "ε is added outside the root: it belongs to the variance."),
        (divides_by_variance, "You divide by the variance: divide by its root."),
        (drops_dimensions, "`keepdim=True` is missing, so the means of the channels are subtracted from the columns."),
        (takes_std, "`std` divides by n − 1, and ε is added outside the root: take the variance."),
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


EXERCISE_24_2 = ChoiceExercise(
    number="26.2",
    title="Train or evaluate?",
    difficulty="easy",
    minutes=2,
    question="Batch norm, trained with one image per step: the membrane IoU in training mode and in evaluation mode",
    options={
        "a": Option(
            "training mode, by more than 0.1, because the averages were never used in training",
            "So it would be if the images differed as in the drastic case. After the rate has fallen to 0, the "
            "averages of these images fit each of them well.",
        ),
        "b": Option(
            "about the same in both: less than 0.01 apart in each network",
            "Yes. What can go wrong need not. The images are alike in tone, and the averages have settled.",
            right=True,
        ),
        "c": Option(
            "evaluation mode, by more than 0.1, because averages are steadier",
            "Steadier they are. But one image of 65,536 pixels gives steady numbers too.",
        ),
        "d": Option(
            "training mode: evaluation mode finds no membrane at all",
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


EXERCISES = (EXERCISE_24_1, EXERCISE_24_2)
