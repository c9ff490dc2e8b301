"""The exercises of notebook 06: stable cross-entropy, soft Dice by image, and what each loss pulls on."""

from collections.abc import Iterator
from math import exp, log, log1p

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option


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


def _naive_bce(z: Tensor, y: Tensor) -> Tensor:
    p = z.sigmoid()
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def _clamped_bce(z: Tensor, y: Tensor) -> Tensor:
    p = z.sigmoid().clamp(1e-7, 1 - 1e-7)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def _padded_bce(z: Tensor, y: Tensor) -> Tensor:
    p = z.sigmoid()
    return -(y * (p + 1e-7).log() + (1 - y) * (1 - p + 1e-7).log()).mean()


def _bce_terms(z: Tensor, y: Tensor) -> Tensor:
    return z.clamp(min=0) - z * y + (-z.abs()).exp().log1p()


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


def _ratios(p: Tensor, y: Tensor, above: float, below: float, times: float = 2) -> Tensor:
    """Return (times · overlap + above) / (total + below) of each image, (N,)."""
    overlap, total = (p * y).sum(dim=(1, 2, 3)), (p + y).sum(dim=(1, 2, 3))
    return (times * overlap + above) / (total + below)


def _over_the_batch(p: Tensor, y: Tensor, smooth: float) -> Tensor:
    return 1 - (2 * (p * y).sum() + smooth) / (p.sum() + y.sum() + smooth)


def _over(dimension: int, p: Tensor, y: Tensor, smooth: float) -> Tensor:
    overlap, total = (p * y).sum(dimension), (p + y).sum(dimension)
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def _over_union(p: Tensor, y: Tensor, smooth: float, times: float) -> Tensor:
    overlap, union = (p * y).sum(dim=(1, 2, 3)), (p + y - p * y).sum(dim=(1, 2, 3))
    return 1 - ((times * overlap + smooth) / (union + smooth)).mean()


EXERCISES = (
    FunctionExercise(
        number="6.1",
        title="BCE that does not break",
        difficulty="medium",
        minutes=8,
        reference=stable_bce,
        cases=logits_and_labels,
        mistakes={
            "This is the box: at a logit of 200, p has rounded to 1, and 0 · log 0 is nan. Avoid p.": _naive_bce,
            "You clamp p. That hides the break: a sure and wrong pixel costs 16 instead of 200, and pulls no more.": (
                _clamped_bce
            ),
            "You add a little inside the logarithm. That hides the break: a sure and wrong pixel costs too little.": (
                _padded_bce
            ),
            "The sign in the exponent is wrong: e^|z| overflows at a logit of 200; write exp(-|z|).": (
                lambda z, y: (z.clamp(min=0) - z * y + z.abs().exp().log1p()).mean()
            ),
            "log(1 + e^z) − yz is right on paper, but e^200 overflows: pull the larger part out, as max(z, 0).": (
                lambda z, y: (z.exp().log1p() - z * y).mean()
            ),
            "(1 − y)z + log(1 + e^−z) is right on paper, but overflows at a logit of −200: pull the larger part out.": (
                lambda z, y: ((1 - y) * z + (-z).exp().log1p()).mean()
            ),
            "You return the sum: BCE is the mean over the pixels.": lambda z, y: _bce_terms(z, y).sum(),
            "You return one loss for each pixel: take their mean.": _bce_terms,
            "The classes are swapped: the middle term is − z · y.": lambda z, y: _bce_terms(z, 1 - y).mean(),
            "max(z, 0) is missing.": lambda z, y: ((-z.abs()).exp().log1p() - z * y).mean(),
            "The logarithm is missing: it is small, but not 0 where the network is in doubt.": (
                lambda z, y: (z.clamp(min=0) - z * y).mean()
            ),
            "The middle term, − z · y, is missing: without it the truth counts nowhere.": (
                lambda z, _: softplus(z).mean()
            ),
            "You apply a sigmoid first: z is a logit already, and stays one.": (
                lambda z, y: _bce_terms(z.sigmoid(), y).mean()
            ),
            "The sign is turned: a loss is small where the answer is right.": lambda z, y: -_bce_terms(z, y).mean(),
            "The bars are missing in the exponent: exp(-|z|), not exp(-z).": (
                lambda z, y: (z.clamp(min=0) - z * y + (-z).exp().log1p()).mean()
            ),
            "The sign of the middle term is turned: it is − z · y.": (
                lambda z, y: (z.clamp(min=0) + z * y + (-z.abs()).exp().log1p()).mean()
            ),
            "`z.max()` is one number, the largest of all logits: max(z, 0) is taken pixel by pixel.": (
                lambda z, y: (z.max() - z * y + (-z.abs()).exp().log1p()).mean()
            ),
            "`clamp(max=0)` keeps what is below 0: max(z, 0) is `clamp(min=0)`.": (
                lambda z, y: (z.clamp(max=0) - z * y + (-z.abs()).exp().log1p()).mean()
            ),
            "The 1 is missing: log(1 + e^−|z|), which is `log1p`, not `log`.": (
                lambda z, y: (z.clamp(min=0) - z * y + (-z.abs()).exp().log()).mean()
            ),
            "The logarithm is to the base 2: nats are asked for.": (
                lambda z, y: (z.clamp(min=0) - z * y + (-z.abs()).exp().log1p() / log(2)).mean()
            ),
        },
        tolerance=1e-5,
        seconds=2,
    ),
    ChoiceExercise(
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
    ),
    FunctionExercise(
        number="6.3",
        title="Soft Dice, image by image",
        difficulty="medium",
        minutes=10,
        reference=dice_by_image,
        cases=predictions,
        mistakes={
            "You sum over the whole batch: each image has a ratio of its own; take the mean of the ratios.": (
                _over_the_batch
            ),
            "This is Dice itself: the loss is 1 − Dice.": lambda p, y, s: _ratios(p, y, s, s).mean(),
            "The overlap counts twice, for it stands in both sums below: 2 Σpy.": (
                lambda p, y, s: 1 - _ratios(p, y, s, s, times=1).mean()
            ),
            "`smooth` is missing below the line.": lambda p, y, s: 1 - _ratios(p, y, s, 0).mean(),
            "`smooth` is missing above the line: an empty image, rightly left empty, would cost 1.": (
                lambda p, y, s: 1 - _ratios(p, y, 0, s).mean()
            ),
            "`smooth` is not used.": lambda p, y, _: 1 - _ratios(p, y, 0, 0).mean(),
            "`smooth` is 1 whatever is given: use the argument.": lambda p, y, _: 1 - _ratios(p, y, 1, 1).mean(),
            "You double `smooth` together with the overlap: 2 Σpy + smooth.": (
                lambda p, y, s: 1 - _ratios(p, y, 2 * s, s).mean()
            ),
            "You decide at one half first: soft Dice takes the probabilities, or it would have no gradient.": (
                lambda p, y, s: 1 - _ratios((p > 0.5).float(), y, s, s).mean()
            ),
            "You divide by the union: Dice divides by the sum of both, in which the overlap counts twice.": (
                lambda p, y, s: _over_union(p, y, s, times=2)
            ),
            "This is soft IoU: Dice counts the overlap twice, above and below.": lambda p, y, s: _over_union(
                p, y, s, times=1
            ),
            "You apply a sigmoid: p holds probabilities already.": (
                lambda p, y, s: 1 - _ratios(p.sigmoid(), y, s, s).mean()
            ),
            "You return one loss for each image: take their mean.": lambda p, y, s: 1 - _ratios(p, y, s, s),
            "You add up the images' losses: take their mean.": lambda p, y, s: (1 - _ratios(p, y, s, s)).sum(),
            "You give the loss of the first image: does a loop return in its first turn?": (
                lambda p, y, s: 1 - _ratios(p, y, s, s)[0]
            ),
            "You sum over the images, dimension 0: each has sums of its own, over dimensions 1, 2 and 3.": (
                lambda p, y, s: _over(0, p, y, s)
            ),
            "You sum over the channel alone, so that each pixel has a ratio: sum over rows and columns too.": (
                lambda p, y, s: _over(1, p, y, s)
            ),
            "You take means instead of sums: `smooth` would then stand for a whole image, not for a pixel.": (
                lambda p, y, s: 1 - _ratios(p, y, s * p[0].numel(), s * p[0].numel()).mean()
            ),
        },
        tolerance=1e-5,
        seconds=2,
    ),
    ChoiceExercise(
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
    ),
    NumberExercise(
        number="6.5",
        title="A small object, missed",
        difficulty="easy",
        minutes=3,
        question="the soft Dice loss of a truth of 3 pixels where p is 0 everywhere, with a smoothing of 1",
        solution=0.75,
        tolerance=0.005,
        mistakes={
            "This is the loss without smoothing: with s = 1, something stands above the line.": 1.0,
            "This is Dice: the loss is 1 − Dice.": 0.25,
            "Below the line stands Σp + Σy + s: the smoothing counts there too.": 2 / 3,
            "With s on top alone Dice is 1/3; the loss is 1 − Dice, and s counts below too.": 1 / 3,
            "Nothing overlaps, so the loss is not 0: it is 1 − 1/(3 + 1).": 0.0,
        },
    ),
    ChoiceExercise(
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
        prediction=True,
    ),
    ChoiceExercise(
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
    ),
)
