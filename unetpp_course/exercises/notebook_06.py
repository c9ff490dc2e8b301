"""The exercises of notebook 06: stable cross-entropy, soft Dice by image, and what each loss pulls on."""

from collections.abc import Iterator
from math import exp, log1p

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

# Exercise 6.1: BCE that does not break


def stable_bce(z: Tensor, y: Tensor) -> Tensor:
    """Return the binary cross-entropy of logits, mean over the pixels, one pixel after the other."""
    losses = []
    for logit, label in zip(z.flatten().tolist(), y.flatten().tolist(), strict=True):
        losses.append(max(logit, 0.0) - logit * label + log1p(exp(-abs(logit))))
    return torch.tensor(sum(losses) / len(losses), dtype=z.dtype)


def logits_and_labels(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits and labels, float32: a few to compute by hand, sure ones, random ones."""
    yield torch.tensor([2.0, -1.0, 0.5]), torch.tensor([1.0, 0.0, 0.0])
    yield torch.tensor([[3.0, -2.0], [0.0, -0.5]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    yield torch.tensor([200.0, 1.0]), torch.tensor([1.0, 0.0])
    yield torch.tensor([200.0, -200.0]), torch.tensor([1.0, 0.0])
    yield torch.tensor([200.0, -200.0, 30.0]), torch.tensor([0.0, 1.0, 0.0])
    for height, width in random.integers(1, 5, (6, 2)):
        logits = torch.from_numpy(random.normal(0, 5, (height, width))).float()
        yield logits, torch.from_numpy(random.integers(0, 2, (height, width))).float()


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


EXERCISE_6_1 = FunctionExercise(
    number="6.1",
    title="BCE that does not break",
    difficulty="medium",
    minutes=8,
    reference=stable_bce,
    cases=logits_and_labels,
    mistakes=[
        (opens_the_box, "This is the box: at a logit of 200, p has rounded to 1, and 0 · log 0 is nan. Avoid p."),
        (
            clamps_p,
            "You clamp p. That hides the break: a sure and wrong pixel costs 16 instead of 200, and pulls no more.",
        ),
        (
            adds_a_little,
            "You add a little inside the logarithm. That hides the break: a sure and wrong pixel costs too little.",
        ),
        (turns_the_exponent, "The sign in the exponent is wrong: e^|z| overflows at a logit of 200; write exp(-|z|)."),
        (
            overflows_upwards,
            "log(1 + e^z) − yz is right on paper, but e^200 overflows: pull the larger part out, as max(z, 0).",
        ),
        (
            overflows_downwards,
            "(1 − y)z + log(1 + e^−z) is right on paper, but overflows at a logit of −200: pull the larger part out.",
        ),
        (adds_up, "You return the sum: BCE is the mean over the pixels."),
        (keeps_the_pixels, "You return one loss for each pixel: take their mean."),
        (swaps_the_classes, "The classes are swapped: the middle term is − z · y."),
        (forgets_the_maximum, "max(z, 0) is missing."),
        (forgets_the_logarithm, "The logarithm is missing: it is small, but not 0 where the network is in doubt."),
        (forgets_the_truth, "The middle term, − z · y, is missing: without it the truth counts nowhere."),
        (applies_a_sigmoid, "You apply a sigmoid first: z is a logit already, and stays one."),
        (turns_the_sign, "The sign is turned: a loss is small where the answer is right."),
        (forgets_the_bars, "The bars are missing in the exponent: exp(-|z|), not exp(-z)."),
        (adds_the_middle_term, "The sign of the middle term is turned: it is − z · y."),
        (
            takes_the_largest_of_all,
            "`z.max()` is one number, the largest of all logits: max(z, 0) is taken pixel by pixel.",
        ),
        (clamps_the_wrong_side, "`clamp(max=0)` keeps what is below 0: max(z, 0) is `clamp(min=0)`."),
        (forgets_the_one, "The 1 is missing: log(1 + e^−|z|), which is `log1p`, not `log`."),
        (counts_in_bits, "The logarithm is to the base 2: nats are asked for."),
    ],
    also_wrong=[
        (gives_a_float, "tensor"),
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
            "Then it would creep on. This one has stopped, and at a number that you can compute.",
        ),
        "b": Option(
            "The loss gets probabilities: a sigmoid has been applied before it.",
            "Yes. Its “logits” lie between 0 and 1, so the best that it can say of a background pixel is σ(0) = ½.",
            right=True,
        ),
        "c": Option(
            "The mask holds 0 and 255 instead of 0 and 1.",
            "With y = 255 the term −zy has no end: the loss falls far below 0. Our library refuses such a mask.",
        ),
        "d": Option(
            "The class is too rare: the network has learned to call everything background.",
            "That answer is much cheaper: p = 0.01 everywhere costs 0.056 at 1 % foreground.",
        ),
    },
    also_wrong=[
        ("0.689", "by its letter"),
        ("e", "by its letter"),
    ],
)


# Exercise 6.3: Soft Dice, image by image


def dice_by_image(p: Tensor, y: Tensor, smooth: float) -> Tensor:
    """Return 1 − soft Dice of each image (N, 1, H, W), mean over the images, pixel by pixel."""
    losses = []
    for image, truth in zip(p, y, strict=True):
        overlap = total = 0.0
        for probability, label in zip(image.flatten().tolist(), truth.flatten().tolist(), strict=True):
            overlap += probability * label
            total += probability + label
        losses.append(1 - (2 * overlap + smooth) / (total + smooth))
    return torch.tensor(sum(losses) / len(losses), dtype=p.dtype)


def predictions(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Yield probabilities and truth (N, 1, H, W), float32, and a smoothing; some truths are empty."""
    p = torch.tensor([[[[0.9, 0.5, 0.2, 0.1]]], [[[0.3, 0.1, 0.4, 0.2]]]])
    y = torch.tensor([[[[1.0, 1.0, 1.0, 0.0]]], [[[0.0, 0.0, 1.0, 0.0]]]])
    yield p, y, 1.0
    yield p[:1], y[:1], 0.5
    yield p, torch.stack([y[0], torch.zeros_like(y[0])]), 2.0
    for count, height, width in random.integers(2, 5, (6, 3)):
        shape = (int(count), 1, int(height), int(width))
        truth = torch.from_numpy(random.random(shape) < random.random((shape[0], 1, 1, 1))).float()
        yield torch.from_numpy(random.random(shape)).float(), truth, float(random.integers(1, 4))


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


EXERCISE_6_3 = FunctionExercise(
    number="6.3",
    title="Soft Dice, image by image",
    difficulty="medium",
    minutes=10,
    reference=dice_by_image,
    cases=predictions,
    mistakes=[
        (
            mixes_the_batch,
            "You sum over the whole batch: each image has a ratio of its own; take the mean of the ratios.",
        ),
        (gives_the_score, "This is Dice itself: the loss is 1 − Dice."),
        (counts_once, "The overlap counts twice, for it stands in both sums below: 2 Σpy."),
        (smooths_above, "`smooth` is missing below the line."),
        (smooths_below, "`smooth` is missing above the line: an empty image, rightly left empty, would cost 1."),
        (does_not_smooth, "`smooth` is not used."),
        (smooths_by_one, "`smooth` is 1 whatever is given: use the argument."),
        (doubles_the_smoothing, "You double `smooth` together with the overlap: 2 Σpy + smooth."),
        (
            decides_first,
            "You decide at one half first: soft Dice takes the probabilities, or it would have no gradient.",
        ),
        (
            divides_by_the_union,
            "You divide by the union: Dice divides by the sum of both, in which the overlap counts twice.",
        ),
        (takes_iou, "This is soft IoU: Dice counts the overlap twice, above and below."),
        (applies_a_sigmoid_too, "You apply a sigmoid: p holds probabilities already."),
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
        (takes_means, "You take means instead of sums: `smooth` would then stand for a whole image, not for a pixel."),
    ],
    also_wrong=[
        (forgets_to_return_dice, "returns None"),
        (sums_over_four_dimensions, "raises IndexError in line 2"),
    ],
    tolerance=1e-5,
    seconds=2,
)


EXERCISE_6_4 = ChoiceExercise(
    number="6.4",
    title="The loss that depends on its company",
    difficulty="medium",
    minutes=4,
    question="The same network has another validation loss at batch size 8 than at batch size 1. What mends it?",
    options={
        "a": Option(
            "Line 1: leave the sigmoid out.",
            "Dice needs probabilities, and the sigmoid looks at one pixel alone: no company comes in there.",
        ),
        "b": Option(
            "Lines 2 and 3: sum over `dim=(1, 2, 3)`, so that each image has its own sums.",
            "Yes. `.sum()` alone adds up the pixels of all images, and a large object drowns a small one.",
            right=True,
        ),
        "c": Option(
            "Line 4: take a smoothing of 0.",
            "It counts once a batch instead of once an image, true; but the sums of all images stay mixed.",
        ),
        "d": Option(
            "Line 5: nothing is left to average, so drop `.mean()`.",
            "Right that it does nothing. But it is a sign of the fault, not the fault: where did the images go?",
        ),
    },
    also_wrong=[
        (5, "by its letter"),
        ("lines 2 and 3", "by its letter"),
    ],
)


EXERCISE_6_5 = NumberExercise(
    number="6.5",
    title="A small object, missed",
    difficulty="easy",
    minutes=3,
    question="the soft Dice loss of a truth of 3 pixels where p is 0 everywhere, with a smoothing of 1",
    solution=0.75,
    tolerance=0.005,
    mistakes=[
        (1.0, "This is the loss without smoothing: with s = 1, something stands above the line."),
        (0.25, "This is Dice: the loss is 1 − Dice."),
        (2 / 3, "Below the line stands Σp + Σy + s: the smoothing counts there too."),
        (1 / 3, "With s on top alone Dice is 1/3; the loss is 1 − Dice, and s counts below too."),
        (0.0, "Nothing overlaps, so the loss is not 0: it is 1 − 1/(3 + 1)."),
    ],
    also_wrong=[
        (0.667, "counts there too"),
        (0.333, "with s on top alone".capitalize()),
        ("three quarters", "one number"),
    ],
)


EXERCISE_6_6 = ChoiceExercise(
    number="6.6",
    title="Who pushes them down?",
    difficulty="medium",
    minutes=3,
    question="A confident prediction lies wholly beside the truth. Which loss pushes its false positives down?",
    options={
        "a": Option("both, about alike", "Both count them as wrong. But a pull is a slope, not a count."),
        "b": Option(
            "mostly Dice: false positives stand in its denominator",
            "They do, under an overlap of nearly 0: a fraction with 0 on top stays 0, whatever stands below.",
        ),
        "c": Option(
            "BCE; Dice hardly at all",
            "Yes. The factor I, the overlap, is nearly 0, and so is p(1 − p): Dice is silent twice over.",
            right=True,
        ),
        "d": Option("neither", "BCE looks at each pixel for itself: y − p is −0.99 there, nearly its largest."),
    },
    also_wrong=[
        ("BCE", "by its letter"),
    ],
    prediction=True,
)


EXERCISE_6_7 = ChoiceExercise(
    number="6.7",
    title="Read the pulls",
    difficulty="hard",
    minutes=5,
    question="A network that minimises one of the three alone ends by calling every pixel foreground. Which one?",
    options={
        "a": Option(
            "A: its vermilion is strongest",
            "Strength is not direction: A also pulls every pixel outside the truth down.",
        ),
        "b": Option(
            "B: nothing is blue",
            "Yes. Nothing is ever pulled down: as all pixels share the network's weights, the rest goes up with "
            "the truth, at no cost. This is the printed first term, one channel.",
            right=True,
        ),
        "c": Option(
            "C: its blue is so pale that vermilion wins",
            "Pale, but on twenty times as many pixels: as in section 5, the two sums are near each other. And all "
            "foreground costs this loss 0.9.",
        ),
        "d": Option(
            "none of them: each pulls the truth up",
            "They all do. Look at what they do outside the truth.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
    ],
)


EXERCISES = (EXERCISE_6_1, EXERCISE_6_2, EXERCISE_6_3, EXERCISE_6_4, EXERCISE_6_5, EXERCISE_6_6, EXERCISE_6_7)
