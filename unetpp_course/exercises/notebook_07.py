"""The exercises of notebook 07: scores from counts, what they count, and how they mislead."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

Batches = list[tuple[Tensor, Tensor]]


def class_iou(counts: Tensor, k: int) -> float:
    """Return the IoU of class k from confusion counts (K, K), rows truth and columns answer; 1 if k is in neither."""
    true, called = 0, 0
    for other in range(len(counts)):
        true += int(counts[k, other])
        called += int(counts[other, k])
    union = true + called - int(counts[k, k])
    return int(counts[k, k]) / union if union else 1.0


def tables(random: np.random.Generator) -> Iterator[tuple[Tensor, int]]:
    """Yield confusion counts with a class; in some the class is absent."""
    small = torch.tensor([[4, 2], [1, 13]])
    yield from ((small, 1), (small, 0))
    yield torch.tensor([[0, 0], [0, 20]]), 0
    yield torch.tensor([[0, 3], [0, 17]]), 0
    for classes in (2, 3, 3, 4):
        yield torch.from_numpy(random.integers(1, 50, (classes, classes))), int(random.integers(classes))
    yield torch.tensor([[5, 0, 2], [0, 0, 0], [3, 0, 7]]), 1


def _parts(counts: Tensor, k: int) -> tuple[float, float, float]:
    """Return the pixels of class k that truth and answer share, those of the truth, and those of the answer."""
    return float(counts[k, k]), float(counts[k].sum()), float(counts[:, k].sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _first_two(counts: Tensor) -> float:
    (_, false_positives), (false_negatives, hits) = counts.tolist()  # raises for three classes and more
    return _ratio(hits, hits + false_positives + false_negatives)


def mean_iou(batches: Batches) -> float:
    """Return the IoU of class 1 of each image, then the mean of all images; an image without class 1 in both has 1."""
    scores = []
    for batch in batches:
        for answer, truth in zip(*batch, strict=True):
            scores.append(_image_iou(answer, truth))
    return sum(scores) / len(scores)


def batches_of(random: np.random.Generator) -> Iterator[tuple[Batches]]:
    """Yield lists of pairs (answer, truth), uint8 (n, 1, h, w), n from batch to batch another."""
    answer = torch.tensor([[1, 1, 0], [1, 0, 0]], dtype=torch.uint8)[:, None, None]  # (2, 1, 1, 3)
    truth = torch.tensor([[1, 1, 1], [0, 0, 1]], dtype=torch.uint8)[:, None, None]
    empty = torch.zeros(1, 1, 1, 3, dtype=torch.uint8)
    yield ([(answer, truth), (1 - empty, 1 - empty)],)
    yield ([(answer, truth), (empty, empty)],)
    for sizes in ((3, 2), (1, 4), (2, 2, 1)):
        pairs = []
        for n in sizes:
            true = random.random((n, 1, 4, 4)) < random.random((n, 1, 1, 1))
            wrong = random.random(true.shape) < 0.3
            pairs.append(tuple(torch.from_numpy(values.astype(np.uint8)) for values in (true ^ wrong, true)))
        yield (pairs,)  # type: ignore[misc]


def _image_iou(answer: Tensor, truth: Tensor, absent: float = 1.0, k: int = 1) -> float:
    both = int(((answer == k) & (truth == k)).sum())
    either = int(((answer == k) | (truth == k)).sum())
    return both / either if either else absent


def _smoothed(answer: Tensor, truth: Tensor, smooth: float = 1e-5) -> float:
    """Return the IoU of class 1 as the loop of exercise 7.4 computes it."""
    both, either = int((answer & truth).sum()), int((answer | truth).sum())
    return (both + smooth) / (either + smooth)


def _per_batch(batches: Batches, absent: float = 1.0, k: int = 1) -> list[list[float]]:
    """Return the IoU of each image, in a list a batch."""
    return [[_image_iou(*pair, absent, k) for pair in zip(*batch, strict=True)] for batch in batches]


def _each(batches: Batches, absent: float = 1.0, k: int = 1) -> list[float]:
    return [score for scores in _per_batch(batches, absent, k) for score in scores]


def _mean(scores: list[float]) -> float:
    return sum(scores) / len(scores)


def _pooled(batches: Batches) -> float:
    answers, truths = zip(*batches, strict=True)
    return _image_iou(torch.cat(answers), torch.cat(truths))


def _weighted(batches: Batches) -> float:
    images = sum(len(answers) for answers, _ in batches)
    return sum(len(answers) * _image_iou(answers, truths) for answers, truths in batches) / images


EXERCISES = (
    FunctionExercise(
        number="7.1",
        title="IoU from counts",
        difficulty="easy",
        minutes=6,
        reference=class_iou,
        cases=tables,
        mistakes={
            "This is Dice: in it, what both share counts twice.": (
                lambda counts, k: _ratio(2 * _parts(counts, k)[0], sum(_parts(counts, k)[1:]))
            ),
            "This is accuracy, the share of all pixels that are right: IoU looks at class k alone.": (
                lambda counts, _: float(counts.diagonal().sum() / counts.sum())
            ),
            "You divide by the truth's pixels alone: what the answer wrongly calls k is in the union as well.": (
                lambda counts, k: _ratio(_parts(counts, k)[0], _parts(counts, k)[1])
            ),
            "You divide by the answer's pixels alone: what it misses of class k is in the union as well.": (
                lambda counts, k: _ratio(_parts(counts, k)[0], _parts(counts, k)[2])
            ),
            "What both share is in the row and in the column: it was counted twice. Take it off once.": (
                lambda counts, k: _ratio(_parts(counts, k)[0], sum(_parts(counts, k)[1:]))
            ),
            "Take off once what both share: it is in the row and in the column. And 0 / 0 is to give 1, not nan.": (
                lambda counts, k: (
                    _parts(counts, k)[0] / sum(_parts(counts, k)[1:]) if sum(_parts(counts, k)[1:]) else math.nan
                )
            ),
            "Take off once what both share: it is in the row and in the column. And ask for 0 / 0 before you divide.": (
                lambda counts, k: _parts(counts, k)[0] / sum(_parts(counts, k)[1:])
            ),
            "The answer's pixels of class k are missing in your union: add column k. And 0 / 0 is to give 1.": (
                lambda counts, k: _parts(counts, k)[0] / _parts(counts, k)[1] if _parts(counts, k)[1] else math.nan
            ),
            "You give 1 wherever nothing is shared: 1 is for a class in neither, and a class that is missed has 0.": (
                lambda counts, k: class_iou(counts, k) if counts[k, k] else 1.0
            ),
            "This is for two classes, and for class 1: take row k and column k, however many classes there are.": (
                lambda counts, _: _first_two(counts)
            ),
            "You score class 1 whatever k is.": lambda counts, _: class_iou(counts, 1),
            "A class that is in neither scores 1 here: nothing to find, nothing found.": (
                lambda counts, k: class_iou(counts, k) if sum(_parts(counts, k)[1:]) else 0.0
            ),
            "A class that is in neither is 0 / 0: ask for it first, and give 1.": (
                lambda counts, k: class_iou(counts, k) if sum(_parts(counts, k)[1:]) else math.nan
            ),
            "You divide by all pixels: the union holds only those that truth or answer call k.": (
                lambda counts, k: float(counts[k, k] / counts.sum())
            ),
            "You divide by the mistakes alone: what both share belongs to the union.": (
                lambda counts, k: _ratio(_parts(counts, k)[0], sum(_parts(counts, k)[1:]) - 2 * _parts(counts, k)[0])
            ),
        },
        seconds=2,
    ),
    NumberExercise(
        number="7.2",
        title="The class behind 0.978",
        difficulty="medium",
        minutes=6,
        question="the IoU of the membrane, where that of the interior is 0.978, with as many FP as FN",
        solution=0.92412,
        tolerance=5e-4,
        mistakes={
            "This is near, but rounded too far: three digits are asked for.": 0.92,
            "FP are in the interior's union too: FP and FN together are .022 of 0.78 + FP, not of 0.78.": 0.92493,
            "You take .022 of 0.78 for FP and again for FN: together they are .022 of the interior's union.": 0.85529,
            "This is the interior's IoU itself: the membrane has the same mistakes on fewer pixels.": 0.978,
            "This is the Dice of the interior.": 0.98888,
            "This is the mean of both classes: the membrane alone is asked for.": 0.95106,
            "The union holds the membrane and what is wrongly called membrane: it is larger than 0.22.": 0.92114,
            "You have halved the mistakes: FP and FN are both in the union.": 0.96056,
        },
    ),
    ChoiceExercise(
        number="7.3",
        title="Which definition was it?",
        difficulty="medium",
        minutes=6,
        question="Which definition gives 0.845 from these counts?",
        options={
            "a": Option(
                "IoU of the foreground, mean of the two images",
                "That is .525: image B, with its .25, weighs as much as image A.",
            ),
            "b": Option(
                "IoU of the foreground, pooled",
                "That is 85 / (85 + 10 + 25) = .708. Here the many true negatives stay out.",
            ),
            "c": Option(
                "Dice of the foreground, pooled",
                "That is 170 / (170 + 35) = .829: near, but printed with three digits it is another number.",
            ),
            "d": Option(
                "IoU, mean of the two classes, pooled",
                "Yes: .708 for the foreground and 1880 / 1915 = .982 for the background. It lifts the mean.",
                right=True,
            ),
        },
    ),
    ChoiceExercise(
        number="7.4",
        title="A score that moves",
        difficulty="medium",
        minutes=4,
        question="Why does this score change with the batch size?",
        options={
            "a": Option(
                "The threshold is applied before counting.",
                "Each pixel is decided alone, whatever else is in its batch.",
            ),
            "b": Option(
                "It counts each batch as if it were one image, then takes the mean of the batches.",
                "Yes. A ratio of sums is not the mean of ratios: which images share a batch decides what is summed.",
                right=True,
            ),
            "c": Option(
                "The smoothing of 1e-5 weighs more in small batches.",
                "It moves a score of hundreds of pixels in the eighth digit. Set it to 0, and the score still moves.",
            ),
            "d": Option(
                "The last batch may be smaller than the others.",
                "That adds to it. But 512 patches are 32 full batches of 16, and 128 of 4, and the two scores differ.",
            ),
        },
    ),
    FunctionExercise(
        number="7.5",
        title="A score that stays",
        difficulty="medium",
        minutes=10,
        reference=mean_iou,
        cases=batches_of,
        mistakes={
            "This is the bug itself: each batch is counted as one image, and then the mean of batches is taken.": (
                lambda batches: _mean([_image_iou(*batch) for batch in batches])
            ),
            "You weigh the batches by their images, but within a batch the pixels are still pooled.": _weighted,
            "This is pooled over all images: it does not move, but the mean of the images is asked for.": _pooled,
            "The mean of the batches' means: images in a small batch weigh more.": (
                lambda batches: _mean([_mean(scores) for scores in _per_batch(batches)])
            ),
            "This is the IoU of class 0: class 1 is asked for.": lambda batches: _mean(_each(batches, k=0)),
            "An image with nothing to find and nothing found scores 1, not 0.": (
                lambda batches: _mean(_each(batches, absent=0.0))
            ),
            "You leave out the images with nothing to find and nothing found: they score 1.": (
                lambda batches: _mean([score for score in _each(batches, absent=-1.0) if score >= 0])
            ),
            "An image with nothing to find and nothing found is 0 / 0: give it 1.": (
                lambda batches: _mean(_each(batches, absent=math.nan))
            ),
            "You add a smoothing: it moves the sixth digit. Count exactly, and give 1 where the union is empty.": (
                lambda batches: _mean([_smoothed(*pair) for batch in batches for pair in zip(*batch, strict=True)])
            ),
            "This is the mean of Dice.": lambda batches: _mean([2 * j / (1 + j) for j in _each(batches)]),
            "The sum of the images' scores: divide by the number of images.": lambda batches: sum(_each(batches)),
            "This is accuracy: the share of pixels that are right.": (
                lambda batches: float(torch.cat([(a == t).float().mean((1, 2, 3)) for a, t in batches]).mean())
            ),
        },
        seconds=3,
    ),
    NumberExercise(
        number="7.6",
        title="Empty masks",
        difficulty="easy",
        minutes=4,
        question="the mean of the images' IoU, with the library's rule for empty masks",
        solution=0.45,
        mistakes={
            "You give 1 to image B as well: its truth is empty, but its answer is not.": 0.7,
            "You give 0 to image A: nothing to find and nothing found scores 1.": 0.2,
            "You leave out the two images without truth: each has a score.": 0.4,
            "You leave out image A: nothing to find and nothing found scores 1.": 0.8 / 3,
            "You leave out image B or image D: both have a score, and it is 0.": 0.6,
            "You give 1 to image D, too: its truth is not empty, and all of it is missed.": 0.95,
            "These are the pooled counts, 8 / 18: the mean of the images is asked for.": 8 / 18,
            "This is the mean of Dice: image C has an IoU of 0.8.": (1 + 16 / 18) / 4,
        },
    ),
    NumberExercise(
        number="7.7",
        title="Which score do you report?",
        difficulty="easy",
        minutes=3,
        question="the score to report",
        solution=0.807,
        tolerance=4e-4,
        mistakes={
            "This threshold was chosen on the test images: the best of five looks is a little too good.": 0.811,
            "This is the validation score that the threshold was chosen by: report the test images' score.": 0.806,
            "This is the mean over the thresholds: one is chosen, and its score reported.": 0.804,
            "This is the threshold: the score of the test images at it is asked for.": 0.6,
            "This is the validation score at 0.5: a better threshold is there.": 0.802,
        },
    ),
    ChoiceExercise(
        number="7.8",
        title="One pixel thicker",
        difficulty="medium",
        minutes=2,
        question="An answer has every membrane, but one pixel thicker on each side. What do the scores say?",
        options={
            "a": Option(
                "The membrane's IoU and V_rand both fall by more than 0.1.",
                "The IoU does. V_rand first gives the membrane's pixels to the cells, and these are the same.",
            ),
            "b": Option(
                "The membrane's IoU falls by more than 0.1, V_rand by less than 0.01.",
                "Yes. IoU counts the pixels of the border; V_rand asks whether the cells are the same, and they are.",
                right=True,
            ),
            "c": Option(
                "V_rand falls by more than 0.1, the membrane's IoU by less than 0.01.",
                "This is what a hole does: it joins two cells and costs a few pixels. A thick membrane joins nothing.",
            ),
            "d": Option(
                "Both fall by less than 0.01.",
                "A membrane is 4 to 11 pixels wide: two more are a good part of it, and IoU counts every one.",
            ),
        },
        prediction=True,
    ),
)
