"""The exercises of notebook 06: stable cross-entropy, soft Dice, what each loss pulls on, and where to cut."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from warnings import catch_warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, LossExercise, Option
from unetpp_course.checks.isolation import Call
from unetpp_course.gradients import Loss, negative_gradient
from unetpp_lib.losses import bce_loss, soft_dice_loss
from unetpp_lib.metrics import classify, confusion_counts, iou

# Exercise 6.1: BCE that does not break


def stable_bce(z: Tensor, y: Tensor) -> Tensor:
    """Return the binary cross-entropy of logits, mean over the pixels, as PyTorch computes it."""
    return F.binary_cross_entropy_with_logits(z, y)


def logits_and_labels(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits and labels, float32: a few to compute by hand, sure ones, random ones; at last with a gradient."""
    yield torch.tensor([2.0, -1.0, 0.5]), torch.tensor([1.0, 0.0, 0.0])
    yield torch.tensor([[3.0, -2.0], [0.0, -0.5]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    yield torch.tensor([200.0, 1.0]), torch.tensor([1.0, 0.0])
    yield torch.tensor([200.0, -200.0]), torch.tensor([1.0, 0.0])
    yield torch.tensor([200.0, -200.0, 30.0]), torch.tensor([0.0, 1.0, 0.0])
    yield torch.tensor([1000.0, 1.0]), torch.tensor([0.0, 1.0])  # too large for the exponential in float64 as well
    shapes = [tuple(map(int, shape)) for shape in random.integers(1, 5, (6, 2))]
    for shape in [*shapes, (3, 4), (2, 1, 2, 3)]:
        logits = torch.from_numpy(random.normal(0, 5, shape)).float()
        logits.requires_grad_(len(shape) == 4)
        yield logits, torch.from_numpy(random.integers(0, 2, shape)).float()
    yield torch.tensor([-1000.0, 1.0, 1000.0], requires_grad=True), torch.tensor([0.0, 1.0, 1.0])
    yield torch.tensor([-1000.0, -1.0, 1000.0], requires_grad=True), torch.tensor([1.0, 0.0, 0.0])
    # max(z, 0) and |z| have corners at 0
    yield torch.tensor([0.0, 0.0, 2.0], requires_grad=True), torch.tensor([1.0, 0.0, 1.0])


def opens_the_box(z, y):
    p = torch.sigmoid(z)
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


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


def counts_in_tens(z, y):
    return (F.relu(z) - y * z + torch.log10(1 + torch.exp(-z.abs()))).mean()


def asks_python_for_the_maximum(z, y):
    return (max(z, 0) - y * z + torch.log1p(torch.exp(-z.abs()))).mean()


def asks_torch_for_the_maximum(z, y):
    return (torch.max(z, 0) - y * z + torch.log1p(torch.exp(-z.abs()))).mean()


def asks_torch_for_a_maximum_with_a_number(z, y):
    return (torch.maximum(z, 0) - y * z + torch.log1p(torch.exp(-z.abs()))).mean()


def asks_math_for_the_exponential(z, y):
    return (z.clamp(min=0) - y * z + log(1 + exp(-abs(z)))).mean()


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


def forgets_to_return_bce(z, y):
    F.binary_cross_entropy_with_logits(z, y)


def works_in_place(z, y):
    loss = F.binary_cross_entropy_with_logits(z, y)
    z.clamp_(min=0)
    return loss


def adds_a_little(much: float) -> Callable[[Tensor, Tensor], Tensor]:
    def adds(z, y):
        p = torch.sigmoid(z)
        return -(y * torch.log(p + much) + (1 - y) * torch.log(1 - p + much)).mean()

    return adds


def clamps_p(much: float) -> Callable[[Tensor, Tensor], Tensor]:
    def clamps(z, y):
        p = torch.sigmoid(z).clamp(much, 1 - much)
        return F.binary_cross_entropy(p, y)

    return clamps


def clamps_p_and_takes_logarithms(much: float) -> Callable[[Tensor, Tensor], Tensor]:
    def clamps(z, y):
        p = torch.sigmoid(z).clamp(much, 1 - much)
        return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()

    return clamps


def lets_torch_take_the_logarithm(z, y):
    return F.binary_cross_entropy(torch.sigmoid(z), y)


def divides_by_the_length(z, y):
    return F.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(z)


def takes_p_for_z_in_the_middle(z, y):
    return (z.clamp(min=0) - z.sigmoid() * y + torch.log1p(torch.exp(-z.abs()))).mean()


def gives_no_gradient(z, y):
    return F.binary_cross_entropy_with_logits(z.detach(), y)


def cuts_off_the_middle_term(z, y):
    return (z.clamp(min=0) - z.detach() * y + torch.log1p(torch.exp(-z.abs()))).mean()


def mends_nan_afterwards(z, y):
    p = torch.sigmoid(z)
    return torch.nan_to_num(-(y * torch.log(p) + (1 - y) * torch.log(1 - p))).mean()


def chooses_a_logarithm(z, y):
    p = torch.sigmoid(z)
    return -torch.where(y == 1, torch.log(p), torch.log(1 - p)).mean()


def mends_the_mean_afterwards(z, y):
    p = torch.sigmoid(z)
    return torch.nan_to_num(-(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean())


def counts_the_foreground_alone(z, y):
    return -(y * F.logsigmoid(z)).mean()


def takes_half(z, y):
    return 0.5 * F.binary_cross_entropy_with_logits(z, y)


def has_the_maximum_in_the_exponent(z, y):
    return (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.clamp(min=0)))).mean()


def has_bars_in_the_middle(z, y):
    return (z.clamp(min=0) - z.abs() * y + torch.log1p(torch.exp(-z.abs()))).mean()


def swaps_the_arguments(z, y):
    return F.binary_cross_entropy_with_logits(y, z)


def chooses_between_two_formulas(z, y):
    above, below = (1 - y) * z + torch.log(1 + torch.exp(-z)), -y * z + torch.log(1 + torch.exp(z))
    return torch.where(z >= 0, above, below).mean()


def mixes_the_sides(z, y):
    return ((1 - y) * z + torch.log(1 + torch.exp(-z.abs()))).mean()


def clamps_z(much: float) -> Callable[[Tensor, Tensor], Tensor]:
    def clamps(z, y):
        return F.binary_cross_entropy_with_logits(z.clamp(-much, much), y)

    return clamps


def keeps_the_logarithm_above(much: float) -> Callable[[Tensor, Tensor], Tensor]:
    def keeps(z, y):
        p = torch.sigmoid(z)
        return -(y * torch.log(p.clamp(min=much)) + (1 - y) * torch.log((1 - p).clamp(min=much))).mean()

    return keeps


def clamps_z_and_opens_the_box(much: float) -> Callable[[Tensor, Tensor], Tensor]:
    def clamps(z, y):
        return opens_the_box(z.clamp(-much, much), y)

    return clamps


def clamps_the_exponent(much: float) -> Callable[[Tensor, Tensor], Tensor]:
    def clamps(z, y):
        return ((1 - y) * z + torch.log(1 + torch.exp((-z).clamp(max=much)))).mean()

    return clamps


def overflows_upwards_in_float64(z, y):
    return overflows_upwards(z.double(), y)


def overflows_downwards_in_float64(z, y):
    return overflows_downwards(z.double(), y)


def takes_two_sigmoids_in_float64(z, y):
    z = z.double()
    return -(y * torch.log(torch.sigmoid(z)) + (1 - y) * torch.log(torch.sigmoid(-z))).mean()


def multiplies_the_maximum(z, y):
    return ((1 - y) * z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))).mean()


def has_bars_for_the_maximum(z, y):
    return (z.abs() - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def adds_one_twice(z, y):
    return (z.clamp(min=0) - z * y + torch.log1p(1 + torch.exp(-z.abs()))).mean()


def forgets_the_exponential(z, y):
    return (z.clamp(min=0) - z * y + torch.log1p(-z.abs())).mean()


def subtracts_the_logarithm(z, y):
    return (z.clamp(min=0) - z * y - torch.log1p(torch.exp(-z.abs()))).mean()


def overwrites_z(z, y):
    z = z.clamp(min=0)
    return (z - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def takes_a_mean_for_each_side(z, y):
    above = z >= 0
    of_above = (1 - y[above]) * z[above] + torch.log1p(torch.exp(-z[above]))
    of_below = -y[~above] * z[~above] + torch.log1p(torch.exp(z[~above]))
    return of_above.mean() + of_below.mean()


def asks_numpy(z, y):
    z, y = z.numpy(), y.numpy()
    return (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).mean()


def asks_the_library(z, y):
    return bce_loss(z, y)


def takes_squares(z, y):
    return ((z.sigmoid() - y) ** 2).mean()


def takes_the_slope_1_at_0(z, y):
    return (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def takes_the_slope_0_at_0(z, y):
    return (torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


AT_0 = (
    "The value is right, but not the gradient where z is 0, at the corner of max(z, 0): {}, and ½ is right. "
    "`torch.maximum(z, torch.zeros_like(z))` takes ½."
)
EXERCISE_6_1 = LossExercise(
    number="6.1",
    title="BCE that does not break",
    difficulty="medium",
    minutes=8,
    reference=stable_bce,
    cases=logits_and_labels,
    mistakes=[
        (
            opens_the_box,
            "Your code still goes through p. For a large logit, p has rounded to 1, and 0 · log 0 is nan: work with z.",
        ),
        *(
            (
                clamps_p(much),
                f"You clamp p at {much:g}. That hides the break: a pixel that is surely wrong costs about "
                f"{-log(much):.0f} instead of 200, and has no gradient any more.",
            )
            for much in (1e-7, 2.0**-23, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
        ),
        *(
            (
                adds_a_little(much),
                f"You keep p away from 0 by {much:g} inside the logarithm. That hides the break: a pixel that is "
                f"surely wrong costs about {-log(much):.0f} instead of 200.",
            )
            for much in (1e-16, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
        ),
        *(
            (
                keeps_the_logarithm_above(much),
                f"You keep the logarithm above log {much:g}. That hides the break: a pixel that is surely wrong costs "
                f"about {-log(much):.0f} instead of 200, and has no gradient any more.",
            )
            for much in (1e-7, 1e-6, 1e-5, 1e-4)
        ),
        (
            lets_torch_take_the_logarithm,
            "PyTorch's `binary_cross_entropy` takes p, which has rounded to 1, and cuts the logarithm off at -100: a "
            "pixel that is surely wrong should cost 200. Work with z.",
        ),
        (divides_by_the_length, "You divide by `len(z)`, the number of rows: BCE is the mean over all pixels."),
        (takes_p_for_z_in_the_middle, "The middle term holds p: it is − z · y, with the logit itself."),
        (turns_the_exponent, "The sign in the exponent is wrong: e^|z| overflows at a logit of 200; write exp(-|z|)."),
        (
            overflows_upwards,
            "log(1 + e^z) − yz is right on paper, but e^200 overflows: take the larger part out, as max(z, 0).",
        ),
        (
            overflows_downwards,
            "(1 − y)z + log(1 + e^−z) is right on paper, but overflows at a logit of −200: take the larger part out.",
        ),
        (adds_up, "You return the sum: BCE is the mean over the pixels."),
        (keeps_the_pixels, "You return one loss for each pixel: take their mean."),
        (swaps_the_classes, "The classes are swapped: the middle term is − z · y."),
        (forgets_the_maximum, "max(z, 0) is missing."),
        (forgets_the_logarithm, "The logarithm is missing: it is not 0 where the network is in doubt."),
        (forgets_the_truth, "The middle term, − z · y, is missing: without it the truth does not count at all."),
        (applies_a_sigmoid, "You apply a sigmoid first: z is a logit already, and stays one."),
        (turns_the_sign, "The sign is wrong: a loss is small where the prediction is right."),
        (forgets_the_bars, "The absolute value is missing in the exponent: exp(-|z|), not exp(-z)."),
        (adds_the_middle_term, "The sign of the middle term is wrong: it is − z · y."),
        (
            takes_the_largest_of_all,
            "`z.max()` is one number, the largest of all logits: max(z, 0) is taken pixel by pixel.",
        ),
        (clamps_the_wrong_side, "`clamp(max=0)` keeps what is below 0: max(z, 0) keeps what is above."),
        (forgets_the_one, "The 1 is missing: log(1 + e^−|z|), which is `log1p`, not `log`."),
        (counts_in_tens, "The logarithm is to the base 10: nats are asked for, `torch.log1p`."),
        (
            asks_python_for_the_maximum,
            "Python's `max(z, 0)`, like `if z > 0`, compares one number with another. Pixel by pixel, it is "
            "`torch.maximum(z, torch.zeros_like(z))`.",
        ),
        (
            asks_torch_for_the_maximum,
            "In `torch.max(z, 0)` the 0 is a dimension. For the larger of z and 0, pixel by pixel: "
            "`torch.maximum(z, torch.zeros_like(z))`.",
        ),
        (
            asks_torch_for_a_maximum_with_a_number,
            "`torch.maximum` compares two tensors, and 0 is a number: write `torch.zeros_like(z)`.",
        ),
        (
            asks_math_for_the_exponential,
            "`math.exp` and `math.log` take one number: for a tensor, `torch.exp` and `torch.log1p`.",
        ),
        (counts_in_bits, "The logarithm is to the base 2: nats are asked for."),
        (
            mends_nan_afterwards,
            "A pixel that is surely right comes out well. One that is surely wrong costs −log 0, which `nan_to_num` "
            "makes 3.4 · 10³⁸, instead of 200. Work with z.",
        ),
        (
            chooses_a_logarithm,
            "A pixel that is surely right comes out well. One that is surely wrong costs −log 0 = ∞ instead of 200. "
            "Work with z.",
        ),
        (
            mends_the_mean_afterwards,
            "You replace nan after taking the mean: one pixel that is surely right then sets the whole loss to 0. "
            "Work with z.",
        ),
        (counts_the_foreground_alone, "Only the foreground counts: pixels with y = 0 have a loss as well."),
        (takes_half, "This is ½BCE. The half comes later, when the losses are added: return BCE."),
        (has_the_maximum_in_the_exponent, "The exponent holds −max(z, 0): it should be −|z|."),
        (has_bars_in_the_middle, "The middle term holds |z|: it is − z · y, with the sign of z."),
        (swaps_the_arguments, "z and y are swapped: z holds the logits and comes first."),
        (mixes_the_sides, "You mix the two sides: with exp(−|z|), the first terms are max(z, 0) − y · z."),
        *(
            (
                clamps_z(much),
                f"You clamp z at ±{much:g}. A pixel that is surely wrong then never costs more than about {much:g}, "
                "and beyond that it has no gradient.",
            )
            for much in (10, 15, 20, 30, 40, 50, 80, 88, 100, 200, 500)
        ),
        *(
            (
                clamps_z_and_opens_the_box(much),
                f"You clamp z at ±{much:g} before the sigmoid. A pixel that is surely wrong then never costs more than "
                f"about {much:g}, and beyond that it has no gradient.",
            )
            for much in (11, 12, 13, 14, 15, 16)
        ),
        *(
            (
                clamps_the_exponent(much),
                f"You clamp the exponent at {much:g}. Far below 0, z is then no longer made up for, and the loss falls "
                "below 0: take the larger part out, as max(z, 0).",
            )
            for much in (20, 30, 50, 80, 88)
        ),
        (
            overflows_upwards_in_float64,
            "log(1 + e^z) − yz in float64 only moves the limit: e^1000 overflows there too. Take out max(z, 0).",
        ),
        (
            overflows_downwards_in_float64,
            "(1 − y)z + log(1 + e^−z) in float64 only moves the limit: it overflows at a logit of −1000.",
        ),
        (
            takes_two_sigmoids_in_float64,
            "float64 only moves the limit: at a logit of −1000, the sigmoid is 0 there too, and 0 · log 0 is nan.",
        ),
        (multiplies_the_maximum, "y multiplies max(z, 0) in your code. It multiplies z itself: max(z, 0) − y · z."),
        (has_bars_for_the_maximum, "The first term is |z|: it should be max(z, 0)."),
        (adds_one_twice, "`log1p` adds the 1 itself, and you add it once more: it is log1p(e^−|z|)."),
        (forgets_the_exponential, "The exponential is missing: the logarithm is that of 1 + e^−|z|, not of 1 − |z|."),
        (subtracts_the_logarithm, "You subtract the logarithm: it is added."),
        (overwrites_z, "You replace z by max(z, 0), but the other terms need the z that is given: use a new name."),
        (
            takes_a_mean_for_each_side,
            "You take a mean for each side of 0 and add the two: BCE is one mean over all pixels.",
        ),
        (
            asks_numpy,
            "NumPy keeps no gradient, so nothing can be trained with it: use torch for every step, without `detach`.",
        ),
        (
            asks_the_library,
            "The library's `bce_loss` takes nothing but maps of shape (N, 1, H, W): write the formula yourself.",
        ),
        (takes_squares, "This is the mean squared error, not cross-entropy."),
    ],
    gradient_mistakes=[
        (takes_the_slope_1_at_0, AT_0.format("`clamp` takes the slope 1")),
        (takes_the_slope_0_at_0, AT_0.format("`relu` takes the slope 0")),
    ],
    also_wrong=[
        (gives_no_gradient, "it has no gradient"),
        (chooses_between_two_formulas, "∞ · 0 is nan"),
        (cuts_off_the_middle_term, "the gradient is not"),
        (forgets_to_return_bce, "returns None"),
        (works_in_place, "changes what it is given"),
    ],
    tolerance=1e-5,
    seconds=2,
)


EXERCISE_6_2 = ChoiceExercise(
    number="6.2",
    title="A loss that will not fall",
    difficulty="medium",
    minutes=4,
    question="On images with 1 % foreground, BCE falls to 0.689 and stays there. What is wrong?",
    options={
        "a": Option(
            "The learning rate is too small.",
            "Then the loss would go on falling, only slowly. This one has stopped, at a number that you can calculate.",
        ),
        "b": Option(
            "The mask holds 0 and 255 instead of 0 and 1.",
            "With y = 255 the term − z · y has no lower end, so the loss would fall far below 0.",
        ),
        "c": Option(
            "The loss gets probabilities: a sigmoid has been applied before it.",
            "Yes. Its “logits” lie between 0 and 1, so the best that it can say about a background pixel is σ(0) = ½.",
            right=True,
        ),
        "d": Option(
            "The class is too rare: the network has learned to call everything background.",
            "That would be much cheaper: p = 0.01 everywhere costs 0.056 at 1 % foreground.",
        ),
    },
    also_wrong=[
        ("0.689", "by its letter"),
        ("e", "by its letter"),
    ],
)


# Exercise 6.3: Soft Dice, image by image


def dice_by_image(p: Tensor, y: Tensor, smooth: float) -> Tensor:
    """Return 1 − soft Dice of each image (N, 1, H, W), mean over the images, by one product of matrices for each."""
    losses = []
    for image, truth in zip(p.flatten(1), y.flatten(1), strict=True):
        ones = torch.ones_like(truth)
        losses.append(1 - (2 * (image @ truth) + smooth) / (image @ ones + truth @ ones + smooth))
    return torch.stack(losses).mean()


def predictions(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Yield probabilities and truth (N, 1, H, W), float32, and a smoothing; some truths are empty; then a gradient."""
    p = torch.tensor([[[[0.9, 0.5, 0.2, 0.1]]], [[[0.3, 0.1, 0.4, 0.2]]]])
    y = torch.tensor([[[[1.0, 1.0, 1.0, 0.0]]], [[[0.0, 0.0, 1.0, 0.0]]]])
    yield p, y, 1.0
    yield p[:1], y[:1], 0.5
    yield p, torch.stack([y[0], torch.zeros_like(y[0])]), 2.0
    for count, height, width in random.integers(2, 5, (6, 3)):
        shape = (int(count), 1, int(height), int(width))
        truth = torch.from_numpy(random.random(shape) < random.random((shape[0], 1, 1, 1))).float()
        yield torch.from_numpy(random.random(shape)).float(), truth, float(random.integers(1, 4))
    with_gradient = torch.from_numpy(random.uniform(0.1, 0.9, (2, 1, 2, 3))).float().requires_grad_()
    yield with_gradient, torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0, 0.0] * 2).view(2, 1, 2, 3), 1.0


def sums(p, y):
    return (p * y).sum((1, 2, 3)), p.sum((1, 2, 3)) + y.sum((1, 2, 3))


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


def sums_two_dimensions(p, y, smooth):
    overlap, total = (p * y).sum((1, 2)), p.sum((1, 2)) + y.sum((1, 2))
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


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


def squares_like_v_net(p, y, smooth):
    overlap, total = (p * y).sum(dim=(1, 2, 3)), (p * p + y * y).sum(dim=(1, 2, 3))
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def smooths_both_sums(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + smooth) / (total + 2 * smooth)).mean()


def counts_hits_with_p_alone(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + smooth) / (2 * y.sum(dim=(1, 2, 3)) + smooth)).mean() + 0 * total.sum()


def gives_no_gradient_of_dice(p, y, smooth):
    overlap, total = sums(p.detach(), y)
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def adds_up_numbers(p, y, smooth):
    losses = []
    for image, truth in zip(p, y, strict=True):
        overlap, total = (image * truth).sum().item(), (image.sum() + truth.sum()).item()
        losses.append(1 - (2 * overlap + smooth) / (total + smooth))
    return sum(losses) / len(losses)


def cuts_off_the_denominator(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + smooth) / (total.detach() + smooth)).mean()


def turns_the_sign_of_dice(p, y, smooth):
    overlap, total = sums(p, y)
    return -((2 * overlap + smooth) / (total + smooth)).mean()


def doubles_smooth_everywhere(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + 2 * smooth) / (total + 2 * smooth)).mean()


def takes_the_mean_too_early(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - (2 * overlap.mean() + smooth) / (total.mean() + smooth)


def keeps_the_last_image(p, y, smooth):
    for image, truth in zip(p, y, strict=True):
        loss = 1 - (2 * (image * truth).sum() + smooth) / (image.sum() + truth.sum() + smooth)
    return loss


def sums_over_the_columns(p, y, smooth):
    return (1 - (2 * (p * y).sum(3) + smooth) / (p.sum(3) + y.sum(3) + smooth)).mean()


def divides_the_last_image(p, y, smooth):
    return keeps_the_last_image(p, y, smooth) / len(p)


def adds_up_in_a_loop(p, y, smooth):
    overlap, total, loss = 0.0, 0.0, 0.0
    for image, truth in zip(p, y, strict=True):
        overlap, total = overlap + (image * truth).sum(), total + image.sum() + truth.sum()
        loss = loss + 1 - (2 * overlap + smooth) / (total + smooth)
    return loss / len(p)


def keeps_the_last_dimension(p, y, smooth):
    overlap, total = (p * y).sum((0, 1, 2)), (p + y).sum((0, 1, 2))
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def mixes_the_batch_and_divides(p, y, smooth):
    return mixes_the_batch(p, y, smooth) / len(p)


def mixes_the_denominators(p, y, smooth):
    overlap, total = sums(p, y)
    return (1 - (2 * overlap + smooth) / (total.sum() + smooth)).mean()


def forgets_all_brackets(p, y, smooth):
    overlap, total = sums(p, y)
    return (1 - 2 * overlap + smooth / total + smooth).mean()


def forgets_the_lower_brackets(p, y, smooth):
    overlap, total = sums(p, y)
    return (1 - (2 * overlap + smooth) / total + smooth).mean()


def forgets_the_lower_brackets_of_dice(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + smooth) / total + smooth).mean()


def forgets_the_upper_brackets(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - (2 * overlap + smooth / (total + smooth)).mean()


def divides_by_p_alone(p, y, smooth):
    return 1 - ((2 * sums(p, y)[0] + smooth) / (p.sum((1, 2, 3)) + smooth)).mean()


def divides_by_y_alone(p, y, smooth):
    return 1 - ((2 * sums(p, y)[0] + smooth) / (y.sum((1, 2, 3)) + smooth)).mean()


def multiplies_the_sums(p, y, smooth):
    overlap, total = p.sum((1, 2, 3)) * y.sum((1, 2, 3)), sums(p, y)[1]
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def subtracts_the_sum(p, y, smooth):
    overlap, total = sums(p, y)
    return 1 - ((2 * overlap + smooth) / (total + smooth)).sum()


def multiplies_matrices(p, y, smooth):
    overlap, total = (p @ y).sum((1, 2, 3)), sums(p, y)[1]
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def leaves_out_empty_images(p, y, smooth):
    full = y.sum((1, 2, 3)) > 0
    return dice_by_image(p[full], y[full], smooth)


def gives_empty_images_nothing(p, y, smooth):
    overlap, total = sums(p, y)
    losses = 1 - (2 * overlap + smooth) / (total + smooth)
    return torch.where(y.sum((1, 2, 3)) > 0, losses, 0).mean()


def gives_numpy_the_sums(p, y, smooth):
    overlap, total = sums(p.numpy(), y.numpy())
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def gives_torch_a_list(p, y, smooth):
    return torch.mean([dice_by_image(p[:1], y[:1], smooth)])


def forgets_brackets(p, y, smooth):
    overlap, total = sums(p, y)
    return (1 - 2 * overlap + smooth / (total + smooth)).mean()


EXERCISE_6_3 = LossExercise(
    number="6.3",
    title="Soft Dice, image by image",
    difficulty="medium",
    minutes=8,
    reference=dice_by_image,
    cases=predictions,
    mistakes=[
        (
            mixes_the_batch,
            "You sum over the whole batch: each image has a ratio of its own, and the loss is their mean.",
        ),
        (gives_the_score, "This is Dice itself: the loss is 1 − Dice."),
        (counts_once, "The overlap counts twice, because its pixels are in both sums of the denominator: 2 Σpy."),
        (smooths_above, "`smooth` is missing in the denominator."),
        (
            smooths_below,
            "`smooth` is missing in the numerator: an empty image that is rightly left empty would cost 1.",
        ),
        (does_not_smooth, "`smooth` is not used."),
        (smooths_by_one, "`smooth` is 1 whatever is given: use the argument."),
        (doubles_the_smoothing, "You double `smooth` together with the overlap: 2 Σpy + smooth."),
        (
            decides_first,
            "You threshold p at one half first: soft Dice takes the probabilities, or it would have no gradient.",
        ),
        (
            divides_by_the_union,
            "You divide by the union: Dice divides by the sum of both, in which the overlap counts twice.",
        ),
        (takes_iou, "This is soft IoU: Dice counts the overlap twice, in the numerator and in the denominator."),
        (applies_a_sigmoid_too, "You apply a sigmoid: p holds probabilities already."),
        (
            sums_two_dimensions,
            "You sum over dimensions 1 and 2, channel and rows, so that each column has a ratio: sum over 3 too.",
        ),
        (keeps_the_images, "You return one loss for each image: take their mean."),
        (adds_up_the_images, "You add up the images' losses: take their mean."),
        (returns_in_the_loop, "You give the loss of the first image: does a loop return in its first turn?"),
        (
            sums_over_the_images,
            "You sum over the images, dimension 0: each has sums of its own, over dimensions 1, 2 and 3.",
        ),
        (
            sums_over_the_channel,
            "You sum over the channel alone, so that each pixel has a ratio: sum over rows and columns too.",
        ),
        (
            squares_like_v_net,
            "These are V-Net's squares: its denominator has Σp² + Σy². Ours is Σp + Σy.",
        ),
        (smooths_both_sums, "`smooth` is added to both sums of the denominator: it stands there once."),
        (
            counts_hits_with_p_alone,
            "The denominator holds the truth twice: it is Σp + Σy, or a false positive would cost nothing.",
        ),
        (takes_means, "You take means instead of sums: `smooth` would then stand for a whole image, not for a pixel."),
        (turns_the_sign_of_dice, "This is −Dice: the loss is 1 − Dice, so that a perfect prediction costs 0."),
        (doubles_smooth_everywhere, "`smooth` is added twice, above and below: add it once to each."),
        (
            takes_the_mean_too_early,
            "You take the mean of the sums, and one fraction: take one fraction per image, then their mean.",
        ),
        (keeps_the_last_image, "You give the loss of the last image: collect the losses, and take their mean."),
        (
            sums_over_the_columns,
            "You sum over dimension 3 alone, so that each row has a ratio: sum over dimensions 1 and 2 too.",
        ),
        (forgets_brackets, "Brackets are missing: the fraction is (2I + smooth) / (S + smooth)."),
        (forgets_all_brackets, "All brackets are missing: the fraction is (2I + smooth) / (S + smooth)."),
        (forgets_the_lower_brackets, "The denominator needs brackets: (2I + smooth) / (S + smooth)."),
        (
            forgets_the_lower_brackets_of_dice,
            "The denominator needs brackets, or `smooth` is added to the fraction: (2I + smooth) / (S + smooth).",
        ),
        (forgets_the_upper_brackets, "The numerator needs brackets: (2I + smooth) / (S + smooth)."),
        (
            divides_the_last_image,
            "You replace the loss in every turn of the loop, so that only that of the last image is divided by N.",
        ),
        (
            adds_up_in_a_loop,
            "The sums of one image still hold those of the images before: start I and S anew in every turn.",
        ),
        (
            keeps_the_last_dimension,
            "You sum over the images too, and leave out dimension 3: sum over dimensions 1, 2 and 3, not 0, 1 and 2.",
        ),
        (
            mixes_the_batch_and_divides,
            "You sum over the whole batch, and divide one loss by N: each image has a fraction of its own.",
        ),
        (mixes_the_denominators, "The denominator is that of the whole batch: S is summed for each image too."),
        (divides_by_p_alone, "The truth is missing in the denominator: S is Σp + Σy."),
        (divides_by_y_alone, "The prediction is missing in the denominator: S is Σp + Σy."),
        (multiplies_the_sums, "You multiply the two sums: the overlap is Σpy, multiplied pixel by pixel, then summed."),
        (subtracts_the_sum, "You subtract the sum of all Dice from 1: take their mean."),
        (multiplies_matrices, "`@` multiplies matrices: pixel by pixel it is `p * y`."),
        (leaves_out_empty_images, "You leave out the images without foreground: they have a loss as well."),
        (gives_empty_images_nothing, "An image without foreground does not cost 0: the same formula holds for it."),
        (
            gives_numpy_the_sums,
            "NumPy keeps no gradient, so nothing can be trained with it: sum and take the mean with torch.",
        ),
        (gives_torch_a_list, "`torch.mean` takes a tensor, not a list: `torch.stack(losses).mean()`."),
    ],
    also_wrong=[
        (gives_no_gradient_of_dice, "it has no gradient"),
        (cuts_off_the_denominator, "the gradient is not"),
        (forgets_to_return_dice, "returns None"),
        (sums_over_four_dimensions, "raises IndexError in line 2"),
    ],
    tolerance=1e-5,
    seconds=2,
)


# Exercise 6.4: Which way, and how hard


def half_squares(logits: Tensor, target: Tensor) -> Tensor:
    """Return half of the mean squared difference, whose pull is easy to see: the difference itself."""
    return 0.5 * ((logits - target) ** 2).mean()


def losses_and_maps(random: np.random.Generator) -> Iterator[tuple[Loss, Tensor, Tensor]]:
    """Yield losses with logits and truth (N, 1, H, W), float32."""
    yield half_squares, torch.tensor([[[[2.0, -1.0], [0.5, 3.0]]]]), torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])
    for loss, shape in ((bce_loss, (1, 1, 2, 3)), (soft_dice_loss, (2, 1, 3, 3)), (bce_loss, (3, 1, 1, 4))):
        logits = torch.from_numpy(random.normal(0, 2, shape)).float()
        yield loss, logits, torch.from_numpy(random.integers(0, 2, shape)).float()


def describe_loss(loss: Loss, logits: Tensor, target: Tensor) -> str:
    """Return in words what is given."""
    return f"loss = {loss.__name__}, logits and target of shape {tuple(logits.shape)}"


@dataclass(frozen=True, kw_only=True)
class PullExercise(FunctionExercise):
    """A function that returns a map of pulls, which may be of float64 as well: it is drawn and summed just the same."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        if isinstance(call.value, Tensor) and call.value.dtype == torch.float64:
            call = replace(call, value=call.value.float())
        return super()._fault(call, right, answer)


def gradient_of(loss, logits, target):
    z = logits.detach().clone().requires_grad_()
    loss(z, target).backward()
    return z.grad


def goes_uphill(loss, logits, target):
    return gradient_of(loss, logits, target) * logits.numel()


def forgets_the_number_of_pixels(loss, logits, target):
    return -gradient_of(loss, logits, target)


def is_the_bare_gradient(loss, logits, target):
    return gradient_of(loss, logits, target)


def divides_by_the_number(loss, logits, target):
    return -gradient_of(loss, logits, target) / logits.numel()


def multiplies_by_the_batch(loss, logits, target):
    return -gradient_of(loss, logits, target) * len(logits)


def multiplies_by_one_image(loss, logits, target):
    return -gradient_of(loss, logits, target) * logits[0].numel()


def multiplies_by_a_side(loss, logits, target):
    return -gradient_of(loss, logits, target) * logits.shape[-1]


def goes_back_from_probabilities(loss, logits, target):
    p = logits.detach().sigmoid().requires_grad_()
    loss(p, target).backward()
    return -p.grad * p.numel()


def asks_for_the_gradient_by_p(loss, logits, target):
    p = logits.sigmoid().requires_grad_()
    loss(p.logit(), target).backward()
    return -p.grad * p.numel()


def asks_the_truth(loss, logits, target):
    z, y = logits.detach().clone(), target.detach().clone().requires_grad_()
    loss(z, y).backward()
    return -y.grad * y.numel()


def takes_only_the_size(loss, logits, target):
    return gradient_of(loss, logits, target).abs() * logits.numel()


def takes_only_the_sign(loss, logits, target):
    return -gradient_of(loss, logits, target).sign()


def adds_up_the_pulls(loss, logits, target):
    return -gradient_of(loss, logits, target).sum() * logits.numel()


def returns_the_loss(loss, logits, target):
    return loss(logits, target)


def returns_backward(loss, logits, target):
    z = logits.clone().requires_grad_()
    return loss(z, target).backward()


def asks_for_no_gradient(loss, logits, target):
    z = logits.clone()
    loss(z, target).backward()
    return -z.grad * z.numel()


def forgets_to_go_back(loss, logits, target):
    z = logits.clone().requires_grad_()
    loss(z, target)
    return -z.grad * z.numel()


def takes_a_step(loss, logits, target):
    return logits - gradient_of(loss, logits, target) * logits.numel()


def returns_a_pair(loss, logits, target):
    z = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(z, target), z)


def turns_a_pair(loss, logits, target):
    z = logits.clone().requires_grad_()
    return -torch.autograd.grad(loss(z, target), z) * z.numel()


def multiplies_a_pair(loss, logits, target):
    z = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(z, target), z) * -z.numel()


def repeats_a_pair(loss, logits, target):
    z = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(z, target), z) * z.numel()


def works_on_what_is_given(loss, logits, target):
    logits.requires_grad_()
    loss(logits, target).backward()
    return -logits.grad * logits.numel()


def asks_for_a_gradient_of_what_is_given(loss, logits, target):
    logits.requires_grad_()
    return -torch.autograd.grad(loss(logits, target), logits)[0] * logits.numel()


def clones_too_late(loss, logits, target):
    z = logits.requires_grad_().clone()
    loss(z, target).backward()
    with catch_warnings(action="ignore"):  # torch warns that z has none
        return -z.grad * z.numel()


def knows_bce_alone(_, logits, target):
    return target - logits.sigmoid()


def multiplies_by_the_rows(loss, logits, target):
    return -gradient_of(loss, logits, target) * logits.shape[-2]


def takes_a_learning_rate(loss, logits, target):
    return -0.1 * gradient_of(loss, logits, target)


def multiplies_by_the_slope(loss, logits, target):
    p = logits.sigmoid()
    return forgets_the_number_of_pixels(loss, logits, target) * logits.numel() * p * (1 - p)


def swaps_logits_and_target(loss, logits, target):
    return -gradient_of(loss, target, logits) * logits.numel()


def gives_the_loss_probabilities(loss, logits, target):
    z = logits.clone().requires_grad_()
    loss(z.sigmoid(), target).backward()
    return -z.grad * z.numel()


def swaps_them_in_the_call(loss, logits, target):
    z = logits.clone().requires_grad_()
    loss(target, z).backward()
    return -z.grad * z.numel()


def multiplies_by_the_loss(loss, logits, target):
    return -gradient_of(loss, logits, target) * loss(logits, target)


def multiplies_backward(loss, logits, target):
    return returns_backward(loss, logits, target) * logits.numel()


def multiplies_with_backward(loss, logits, target):
    return -logits.numel() * returns_backward(loss, logits, target)


def differentiates_z_by_the_loss(loss, logits, target):
    z = logits.clone().requires_grad_()
    return -torch.autograd.grad(z, loss(z, target))[0] * z.numel()


def differentiates_the_function(loss, logits, target):
    z = logits.clone().requires_grad_()
    return -torch.autograd.grad(loss, z)[0] * z.numel()


def goes_back_from_the_function(loss, logits, target):
    z = logits.clone().requires_grad_()
    loss(z, target)
    loss.backward()
    return -z.grad * z.numel()


def forgets_the_brackets_of_numel(loss, logits, target):
    return -gradient_of(loss, logits, target) * logits.numel


def multiplies_by_the_shape(loss, logits, target):
    return -gradient_of(loss, logits, target) * logits.shape


def calls_the_gradient(loss, logits, target):
    return -gradient_of(loss, logits, target)() * logits.numel()


EXERCISE_6_4 = PullExercise(
    number="6.4",
    title="Which way, and how hard",
    difficulty="medium",
    minutes=5,
    reference=negative_gradient,
    cases=losses_and_maps,
    describe=describe_loss,
    tolerance=1e-5,
    mistakes=[
        (goes_uphill, "This points uphill: the pull is *minus* the gradient."),
        (forgets_the_number_of_pixels, "The number of pixels is missing: multiply by `logits.numel()`."),
        (
            is_the_bare_gradient,
            "This is the gradient itself: change its sign, and multiply by the number of pixels.",
        ),
        (divides_by_the_number, "You divide by the number of pixels. The mean has divided already: multiply."),
        (
            multiplies_by_the_batch,
            "You multiply by the number of images: multiply by the number of logits, `logits.numel()`.",
        ),
        (multiplies_by_one_image, "You count the pixels of one image: count those of all images, `logits.numel()`."),
        (multiplies_by_a_side, "You multiply by one side of the map: count all of its pixels, `logits.numel()`."),
        (
            goes_back_from_probabilities,
            "You give the loss probabilities and ask for their gradient: the loss takes logits, so ask for theirs.",
        ),
        (
            asks_for_the_gradient_by_p,
            "This is the gradient by p. The pull is that on the logit: ask for the gradient by the logits.",
        ),
        *(
            (
                wrong,
                f"`torch.autograd.grad` returns a tuple, one gradient for each tensor: take its first, `[0]`{rest}.",
            )
            for wrong, rest in (
                (returns_a_pair, "; then change its sign, and multiply"),
                (turns_a_pair, ", before you change its sign"),
                (multiplies_a_pair, ", before you multiply"),
                (repeats_a_pair, ", or `*` repeats the tuple"),
            )
        ),
        (
            asks_for_no_gradient,
            "Autograd does not know that you want a gradient: call `z.requires_grad_()` before you compute the loss.",
        ),
        (
            forgets_to_go_back,
            "You change the sign of None. `backward()` returns nothing: call it on the loss in a line of its own. Then "
            "one tensor has the gradient, the one on which you called `requires_grad_()`: take it from `z.grad`.",
        ),
        (
            returns_backward,
            "It returns None: does its last line begin with `return`? `backward()` returns nothing, and the loss "
            "itself has no gradient. After `backward()`, the gradient is in `z.grad`.",
        ),
        (
            multiplies_backward,
            "You multiply None. `backward()` returns nothing: call it in a line of its own, and take `z.grad`.",
        ),
        (
            multiplies_with_backward,
            "You multiply by None. `backward()` returns nothing: call it in a line of its own, and take `z.grad`.",
        ),
        (
            differentiates_z_by_the_loss,
            "The loss comes first in `torch.autograd.grad`, and then the tensor by which it is differentiated.",
        ),
        (
            differentiates_the_function,
            "`loss` is only the function: `torch.autograd.grad` takes what it returns, `loss(z, target)`.",
        ),
        (goes_back_from_the_function, "`loss` is only the function: go back from its value, `loss(z, target)`."),
        (forgets_the_brackets_of_numel, "`numel` is a function: write its brackets, `z.numel()`."),
        (multiplies_by_the_shape, "You multiply by the shape, which is not one number: multiply by `z.numel()`."),
        (calls_the_gradient, "`z.grad` is a tensor, not a function: leave out its brackets."),
        (
            clones_too_late,
            "`z.grad` is None: z is only a copy of the tensor that requires the gradient. First clone, then ask: "
            "`logits.clone().requires_grad_()`.",
        ),
        (asks_the_truth, "This is the gradient by the truth. The truth is given: ask for the gradient by the logits."),
        (takes_only_the_size, "The direction is lost: the pull is above 0 on some pixels and below 0 on others."),
        (takes_only_the_sign, "This is only the direction: how hard the loss pulls is lost."),
        (adds_up_the_pulls, "You add up all pixels: each pixel has a pull of its own."),
        (returns_the_loss, "This is the loss. Its gradient by the logits is asked for."),
        (takes_a_step, "These are the logits after a step: return the step alone."),
        (knows_bce_alone, "This is right for BCE alone: go back from the loss that you are given."),
        (multiplies_by_the_rows, "You multiply by the number of rows: count all pixels, `logits.numel()`."),
        (takes_a_learning_rate, "There is no learning rate in a pull: multiply by `logits.numel()` instead."),
        (
            multiplies_by_the_slope,
            "You multiply by p(1 − p). Autograd has already done so, because the loss takes the logits.",
        ),
        (swaps_logits_and_target, "Logits and target are swapped: the loss is `loss(logits, target)`."),
        (gives_the_loss_probabilities, "You apply a sigmoid before the loss: it takes the logits themselves."),
        (swaps_them_in_the_call, "Logits and target are swapped in the call: the loss is `loss(z, target)`."),
        (multiplies_by_the_loss, "You multiply by the loss: multiply by the number of pixels, `logits.numel()`."),
    ],
    also_wrong=[
        (works_on_what_is_given, "You change the logits that you were given: the second call adds to the first."),
        (asks_for_a_gradient_of_what_is_given, "`requires_grad` stays True. Work on a clone."),
    ],
)


EXERCISE_6_5 = ChoiceExercise(
    number="6.5",
    title="Where Dice pulls hardest",
    difficulty="medium",
    minutes=2,
    question="Which pixels does Dice pull hardest?",
    options={
        "a": Option(
            "the missed pixels of the truth, because they are furthest from where they should be",
            "That is what BCE does. Dice pulls the missed pixels eight times more weakly than the found ones.",
        ),
        "b": Option(
            "the false foreground, because it makes the denominator larger",
            "It does, but under a small overlap: on each of these pixels the pull is a tenth of that on a found one.",
        ),
        "c": Option(
            "found and missed pixels of the truth alike, because both are in the same sums",
            "The sums are the same for both. But the last factor, the slope of the sigmoid, belongs to each pixel.",
        ),
        "d": Option(
            "the found pixels of the truth, which are nearly right already",
            "Yes. They are the ones in doubt, and Dice pulls where p is in doubt.",
            right=True,
        ),
    },
    also_wrong=[("found", "by its letter")],
    prediction=True,
)


EXERCISE_6_6 = ChoiceExercise(
    number="6.6",
    title="What does BCE still want?",
    difficulty="medium",
    minutes=2,
    question="Add up all pulls of BCE on the failed network, on the test images. Which sum is larger?",
    options={
        "a": Option(
            "the one that points down, by far: the background still drowns the discs out",
            "So it was in the first steps. But p has fallen since, and each pixel of the background is pulled with p.",
        ),
        "b": Option(
            "the one that points up: BCE wants p to rise",
            "Yes. In the discs p never exceeds 0.344, so each of their pixels is pulled up by more than 0.65.",
            right=True,
        ),
        "c": Option(
            "neither: BCE has come to rest, so the two are equal",
            "They would be, if training had reached its aim. It ended before, because the learning rate fell to 0.",
        ),
        "d": Option(
            "neither: both are practically 0, because the network is certain that everything is background",
            "A disc that is certainly called background would be pulled up by nearly 1: a certain mistake.",
        ),
    },
    also_wrong=[("0.38", "by its letter")],
    prediction=True,
)


# Exercise 6.7: The best threshold


def best_threshold(p: Tensor, truth: Tensor, thresholds: Sequence[float]) -> float:
    """Return the threshold with the highest IoU, mean over the images."""
    scores = [disc_iou(p, truth, threshold) for threshold in thresholds]
    return thresholds[int(np.argmax(scores))]


def disc_iou(p: Tensor, truth: Tensor, threshold: float) -> float:
    """Return the IoU of the foreground, mean over the images (N, 1, H, W); 1 for nothing rightly found."""
    called, true = (p > threshold).flatten(1).numpy(), (truth == 1).flatten(1).numpy()
    shared, either = (called & true).sum(1), (called | true).sum(1)
    return float(np.where(either > 0, shared / np.maximum(either, 1), 1.0).mean())


def probabilities(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, list[float]]]:
    """Yield probabilities and truth (N, 1, H, W), and thresholds of which one is better than all others."""
    low = torch.tensor([[[[0.32, 0.28, 0.15, 0.04], [0.31, 0.12, 0.03, 0.02]]]])
    truth = torch.tensor([[[[1, 1, 0, 0], [1, 0, 0, 0]]]], dtype=torch.uint8)
    yield low, truth, [0.5, 0.3, 0.2, 0.1, 0.01]
    yield low, truth, [0.4]  # nothing is called foreground, so the IoU is 0
    sure_or_not = torch.tensor([[[[0.9] * 4 + [0.4] * 4 + [0.1] * 2]], [[[0.9, 0.4, 0.4] + [0.1] * 7]]])
    yield sure_or_not, (torch.arange(10) < torch.tensor([4, 5]).view(2, 1, 1, 1)).to(torch.uint8), [0.2, 0.6]
    grids = ([0.1, 0.3, 0.5, 0.7, 0.9], [0.8, 0.2, 0.6, 0.4], [0.05, 0.15, 0.25, 0.35, 0.45])
    found = 0
    while found < 9:
        masks = random.random((3, 1, 6, 6)) < random.uniform(0.05, 0.5, (3, 1, 1, 1))
        p = (random.uniform(0.1, 0.9) * masks + random.normal(0.25, 0.2, masks.shape)).clip(0, 1)
        case = torch.from_numpy(p).float(), torch.from_numpy(masks).to(torch.uint8), grids[found % 3]
        *_, second, best = sorted(disc_iou(*case[:2], threshold) for threshold in case[2])
        if best > second:
            yield case
            found += 1


def returns_the_best_score(p, truth, thresholds):
    return max(disc_iou(p, truth, threshold) for threshold in thresholds)


def returns_the_place(p, truth, thresholds):
    scores = [disc_iou(p, truth, threshold) for threshold in thresholds]
    return scores.index(max(scores))


def returns_the_worst(p, truth, thresholds):
    return min(thresholds, key=lambda threshold: disc_iou(p, truth, threshold))


def returns_the_highest_threshold(p, truth, thresholds):
    return max(thresholds)


def returns_the_lowest_threshold(p, truth, thresholds):
    return min(thresholds)


def returns_the_first(p, truth, thresholds):
    return thresholds[0]


def returns_the_last(p, truth, thresholds):
    return thresholds[-1]


def always_one_half(p, truth, thresholds):
    return 0.5


def compares_with_the_one_before(p, truth, thresholds):
    best, before = thresholds[0], 0.0
    for threshold in thresholds:
        score = disc_iou(p, truth, threshold)
        if score > before:
            best = threshold
        before = score
    return best


def never_raises_the_bar(p, truth, thresholds):
    best, highest = thresholds[0], 0.0
    for threshold in thresholds:
        if disc_iou(p, truth, threshold) > highest:
            best = threshold
    return best


def starts_at_zero(p, truth, thresholds):
    highest, best = 0, None
    for threshold in thresholds:
        score = disc_iou(p, truth, threshold)
        if score > highest:
            highest, best = score, threshold
    return best


def starts_both_at_zero(p, truth, thresholds):
    highest = best = 0.0
    for threshold in thresholds:
        score = disc_iou(p, truth, threshold)
        if score > highest:
            highest, best = score, threshold
    return best


def by_accuracy(p, truth, thresholds):
    return max(thresholds, key=lambda t: ((p > t) == (truth == 1)).float().mean().item())


def pools_the_images(p, truth, thresholds):
    return max(thresholds, key=lambda t: disc_iou(p.view(1, 1, 1, -1), truth.view(1, 1, 1, -1), t))


def by_the_amount(p, truth, thresholds):
    return min(thresholds, key=lambda t: abs((p > t).float().mean() - truth.float().mean()).item())


def returns_all_scores(p, truth, thresholds):
    return {threshold: disc_iou(p, truth, threshold) for threshold in thresholds}


def returns_both(p, truth, thresholds):
    return max((disc_iou(p, truth, threshold), threshold) for threshold in thresholds)


def forgets_to_return_the_threshold(p, truth, thresholds):
    max(thresholds, key=lambda threshold: disc_iou(p, truth, threshold))


def takes_the_list_for_one(p, truth, thresholds):
    return max(disc_iou(p, truth, thresholds), 0.5)


def mixes_score_and_threshold(p, truth, thresholds):
    best = -1.0
    for threshold in thresholds:
        if disc_iou(p, truth, threshold) > best:
            best = threshold
    return best


def by_precision(p, truth, thresholds):
    return max(thresholds, key=lambda t: truth[p > t].float().mean().nan_to_num().item())


def by_recall(p, truth, thresholds):
    return max(thresholds, key=lambda t: (p[truth == 1] > t).float().mean().item())


def tries_its_own(p, truth, thresholds):
    return max([step / 100 for step in range(1, 100)], key=lambda t: disc_iou(p, truth, t))


def tries_tenths(p, truth, thresholds):
    return max([step / 10 for step in range(1, 10)], key=lambda t: disc_iou(p, truth, t))


def by_dice(p, truth, thresholds):
    return max(thresholds, key=lambda t: dice_by_image((p > t).float(), truth.float(), 0.0).item())


def by_the_background(p, truth, thresholds):
    return max(thresholds, key=lambda t: disc_iou(1 - p, 1 - truth, t))


def by_both_classes(p, truth, thresholds):
    return max(thresholds, key=lambda t: disc_iou(p, truth, t) + disc_iou((p <= t).int(), 1 - truth, 0.5))


def takes_what_lies_below(p, truth, thresholds):
    return max(thresholds, key=lambda t: disc_iou((p < t).int(), truth, 0.5))


def applies_a_sigmoid_to_p(p, truth, thresholds):
    return max(thresholds, key=lambda t: disc_iou(p.sigmoid(), truth, t))


def never_raises_the_bar_from_none(p, truth, thresholds):
    best, highest = None, 0.0
    for threshold in thresholds:
        if disc_iou(p, truth, threshold) > highest:
            best = threshold
    return best


def never_gives_best_a_value(p, truth, thresholds):
    highest = 0.0
    for threshold in thresholds:
        score = disc_iou(p, truth, threshold)
        if score > highest:
            highest, best = score, threshold
    return best


def returns_best_in_the_loop(p, truth, thresholds):
    for threshold in thresholds:
        if disc_iou(p, truth, threshold) > 0:
            best = threshold
        return best


def never_gives_highest_a_value(p, truth, thresholds):
    for threshold in thresholds:
        score = disc_iou(p, truth, threshold)
        if score > highest:  # noqa: F821 (the mistake)
            highest, best = score, threshold  # noqa: F841
    return best


def returns_the_first_above_zero(p, truth, thresholds):
    for threshold in thresholds:
        if disc_iou(p, truth, threshold) > 0:
            return threshold


def stops_at_the_first_fall(p, truth, thresholds):
    highest, best = -1, None
    for threshold in thresholds:
        score = disc_iou(p, truth, threshold)
        if score <= highest:
            break
        highest, best = score, threshold
    return best


def chooses_for_each_image(p, truth, thresholds):
    choices = [best_threshold(p[i : i + 1], truth[i : i + 1], thresholds) for i in range(len(p))]
    return sum(choices) / len(choices)


def swaps_p_and_truth(p, truth, thresholds):
    return max(thresholds, key=lambda threshold: call_disc_iou(truth, p, threshold))


def hands_over_all_thresholds(p, truth, thresholds):
    return call_disc_iou(p, truth, thresholds)


def call_disc_iou(p, truth, threshold):
    return iou(confusion_counts(classify(p, threshold), truth))  # as in the notebook, errors too


def looks_at_one_image(p, truth, thresholds):
    return max(thresholds, key=lambda t: disc_iou(p[:1], truth[:1], t))


EXERCISE_6_7 = FunctionExercise(
    number="6.7",
    title="The best threshold",
    difficulty="easy",
    minutes=5,
    reference=best_threshold,
    cases=probabilities,
    mistakes=[
        (returns_the_best_score, "This is the highest IoU: return the threshold that reaches it."),
        (returns_the_place, "This is the place of the best threshold in the list: return the threshold itself."),
        (returns_the_worst, "This is the threshold with the *lowest* IoU: is a comparison the wrong way round?"),
        (returns_the_highest_threshold, "This is the highest threshold of all: the highest IoU is asked for."),
        (returns_the_lowest_threshold, "This is the lowest threshold of all: the highest IoU is asked for."),
        (
            returns_the_first,
            "This is always the first threshold. Does `return` stand inside the loop, is the best one never replaced, "
            "or do all thresholds get the same IoU?",
        ),
        (
            returns_the_last,
            "This is always the last threshold. When you find a higher IoU, keep it too; set nothing back inside the "
            "loop, and return the best threshold, not the loop's variable.",
        ),
        (
            compares_with_the_one_before,
            "You compare each IoU with that of the threshold before it: compare it with the best one so far.",
        ),
        (
            never_raises_the_bar,
            "You take every threshold whose IoU is above 0: when you find a better one, keep its IoU as well.",
        ),
        (
            starts_at_zero,
            "Where every IoU is 0, none is above the 0 that you start with, and you return None: start at −1.",
        ),
        (
            starts_both_at_zero,
            "Where every IoU is 0, none is above the 0 that you start with, and you return 0, which is not one of the "
            "thresholds: start with a highest IoU of −1.",
        ),
        (
            never_raises_the_bar_from_none,
            "You take every threshold whose IoU is above 0. Start at −1, and when you find a better one, keep its IoU "
            "as well.",
        ),
        (
            never_gives_best_a_value,
            "Where every IoU is 0, `best` never gets a value: give it one before the loop, and start at −1.",
        ),
        (
            returns_best_in_the_loop,
            "`return` stands inside the loop: only the first threshold is tried, and `best` may have no value yet.",
        ),
        (never_gives_highest_a_value, "`highest` has no value in the first turn: set it to −1 before the loop."),
        (
            returns_the_first_above_zero,
            "This is the first threshold whose IoU is above 0: does `return` stand inside the loop?",
        ),
        (stops_at_the_first_fall, "You stop as soon as the IoU falls: a later threshold may be better still."),
        (chooses_for_each_image, "You choose a threshold for each image: choose one for all."),
        (swaps_p_and_truth, "p and truth are swapped: it is `disc_iou(p, truth, threshold)`."),
        (hands_over_all_thresholds, "`disc_iou` takes one threshold: call it for each of them, in a loop."),
        (by_dice, "This threshold has the highest Dice: the highest IoU is asked for. Use `disc_iou`."),
        (by_the_background, "This is the best threshold for the background: give `disc_iou` p and truth as they are."),
        (by_both_classes, "You count the IoU of the background too: that of the discs is asked for. Use `disc_iou`."),
        (takes_what_lies_below, "You call foreground what lies *below* the threshold: give `disc_iou` p itself."),
        (applies_a_sigmoid_to_p, "You apply a sigmoid: p holds probabilities already."),
        (
            forgets_to_return_the_threshold,
            "It returns None: does its last line begin with `return`? If so, `best` is never replaced: start with an "
            "IoU of −1, and look for a higher one.",
        ),
        (
            by_accuracy,
            "This threshold has the highest accuracy, or calls the background best: the highest IoU of the discs is "
            "asked for.",
        ),
        (pools_the_images, "You count all images together: `disc_iou` takes the mean over the images."),
        (by_the_amount, "This threshold calls the right *number* of pixels foreground: the highest IoU is asked for."),
        (
            mixes_score_and_threshold,
            "You compare an IoU with a threshold: keep the highest IoU so far in a variable of its own.",
        ),
        (by_precision, "This threshold makes the fewest false positives: missed pixels count too. Use `disc_iou`."),
        (by_recall, "This threshold misses the fewest pixels: false positives count too. Use `disc_iou`."),
        (tries_its_own, "You try hundredths of your own: try the `thresholds` that you are given."),
        (tries_tenths, "You try tenths of your own: try the `thresholds` that you are given."),
        (looks_at_one_image, "You look at the first image alone: give `disc_iou` all of them."),
    ],
    also_wrong=[
        (always_one_half, "0.5 whatever"),
        (returns_all_scores, "one number, not a dictionary"),
        (returns_both, "one number, not a tuple"),
        (takes_the_list_for_one, "raises TypeError in line 2"),
    ],
)


EXERCISES = (
    EXERCISE_6_1, EXERCISE_6_2, EXERCISE_6_3, EXERCISE_6_4,
    EXERCISE_6_5, EXERCISE_6_6, EXERCISE_6_7,
)  # fmt: skip
