"""The exercises of notebook 07: scores from counts, what they count, and how they mislead."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option
from unetpp_lib.metrics import confusion_counts, dice, iou

# Exercise 7.1: IoU from counts


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


def doubles_the_hits(counts, k):
    whole = counts[k].sum() + counts[:, k].sum()
    return (2 * counts[k, k] / whole).item() if whole else 1.0


def counts_the_right(counts, k):
    return (counts.diagonal().sum() / counts.sum()).item()


def divides_by_the_row(counts, k):
    whole = counts[k].sum()
    return (counts[k, k] / whole).item() if whole else 1.0


def divides_by_the_column(counts, k):
    whole = counts[:, k].sum()
    return (counts[k, k] / whole).item() if whole else 1.0


def adds_row_and_column(counts, k):
    whole = counts[k].sum() + counts[:, k].sum()
    return (counts[k, k] / whole).item() if whole else 1.0


def forgets_the_class(counts, k):
    union = counts[1].sum() + counts[:, 1].sum() - counts[1, 1]
    return (counts[1, 1] / union).item() if union else 1.0


def gives_0_for_nothing(counts, k):
    union = counts[k].sum() + counts[:, k].sum() - counts[k, k]
    return (counts[k, k] / union).item() if union else 0.0


def divides_nothing_by_nothing(counts, k):
    return counts[k, k] / (counts[k].sum() + counts[:, k].sum() - counts[k, k])


def raises_for_nothing(counts, k):
    hit = counts[k, k].item()
    return hit / (counts[k].sum().item() + counts[:, k].sum().item() - hit)


def divides_by_everything(counts, k):
    return (counts[k, k] / counts.sum()).item()


def divides_by_the_mistakes(counts, k):
    wrong = counts[k].sum() + counts[:, k].sum() - 2 * counts[k, k]
    return (counts[k, k] / wrong).item() if wrong else 1.0


def scores_all_classes(counts, k):
    hit = counts.diagonal()
    return hit / (counts.sum(0) + counts.sum(1) - hit)


def takes_off_in_place(counts, k):
    hit = counts[k, k].item()
    counts[k, k] = 0
    union = (counts[k].sum() + counts[:, k].sum()).item() + hit
    return hit / union if union else 1.0


def adds_row_and_column_and_ends_in_nan(counts, k):
    return counts[k, k] / (counts[k].sum() + counts[:, k].sum())


def adds_row_and_column_and_raises(counts, k):
    return counts[k, k].item() / (counts[k].sum().item() + counts[:, k].sum().item())


def gives_1_where_nothing_is_shared(counts, k):
    union = counts[k].sum() + counts[:, k].sum() - counts[k, k]
    return (counts[k, k] / union).item() if counts[k, k] else 1.0


def divides_by_the_row_and_ends_in_nan(counts, k):
    return counts[k, k] / counts[k].sum()


def unpacks_two_classes(counts, k):
    (_, fp), (fn, tp) = counts
    return (tp / (tp + fp + fn)).item()


def forgets_to_return(counts, k):
    counts[k, k] / (counts[k].sum() + counts[:, k].sum() - counts[k, k])


EXERCISE_7_1 = FunctionExercise(
    number="7.1",
    title="IoU from counts",
    difficulty="easy",
    minutes=6,
    reference=class_iou,
    cases=tables,
    mistakes=[
        (doubles_the_hits, "This is Dice: in it, what both share counts twice."),
        (counts_the_right, "This is accuracy, the share of all pixels that are right: IoU looks at class k alone."),
        (
            divides_by_the_row,
            "You divide by the truth's pixels alone: what the answer wrongly calls k is in the union as well.",
        ),
        (
            divides_by_the_column,
            "You divide by the answer's pixels alone: what it misses of class k is in the union as well.",
        ),
        (
            adds_row_and_column,
            "What both share is in the row and in the column: it was counted twice. Take it off once.",
        ),
        (
            adds_row_and_column_and_ends_in_nan,
            "Take off once what both share: it is in the row and in the column. And 0 / 0 is to give 1, not nan.",
        ),
        (
            adds_row_and_column_and_raises,
            "Take off once what both share: it is in the row and in the column. And ask for 0 / 0 before you divide.",
        ),
        (
            divides_by_the_row_and_ends_in_nan,
            "The answer's pixels of class k are missing in your union: add column k. And 0 / 0 is to give 1.",
        ),
        (
            gives_1_where_nothing_is_shared,
            "You give 1 wherever nothing is shared: 1 is for a class in neither, and a class that is missed has 0.",
        ),
        (
            unpacks_two_classes,
            "This is for two classes, and for class 1: take row k and column k, however many classes there are.",
        ),
        (forgets_the_class, "You score class 1 whatever k is."),
        (gives_0_for_nothing, "A class that is in neither scores 1 here: nothing to find, nothing found."),
        (divides_nothing_by_nothing, "A class that is in neither is 0 / 0: ask for it first, and give 1."),
        (divides_by_everything, "You divide by all pixels: the union holds only those that truth or answer call k."),
        (divides_by_the_mistakes, "You divide by the mistakes alone: what both share belongs to the union."),
    ],
    also_wrong=[
        (raises_for_nothing, "raises ZeroDivisionError in line 3"),
        (scores_all_classes, "should be one number, not a tensor"),
        (takes_off_in_place, "changes what it is given"),
        (forgets_to_return, "returns None"),
    ],
    seconds=2,
)


EXERCISE_7_2 = NumberExercise(
    number="7.2",
    title="The class behind 0.978",
    difficulty="medium",
    minutes=6,
    question="the IoU of the membrane, where that of the interior is 0.978, with as many FP as FN",
    solution=0.92412,
    tolerance=5e-4,
    mistakes=[
        (0.92, "This is near, but rounded too far: three digits are asked for."),
        (0.92493, "FP are in the interior's union too: FP and FN together are .022 of 0.78 + FP, not of 0.78."),
        (0.85529, "You take .022 of 0.78 for FP and again for FN: together they are .022 of the interior's union."),
        (0.978, "This is the interior's IoU itself: the membrane has the same mistakes on fewer pixels."),
        (0.98888, "This is the Dice of the interior."),
        (0.95106, "This is the mean of both classes: the membrane alone is asked for."),
        (0.92114, "The union holds the membrane and what is wrongly called membrane: it is larger than 0.22."),
        (0.96056, "You have halved the mistakes: FP and FN are both in the union."),
    ],
    also_wrong=[
        (0.9889, "Dice of the interior"),
        (0.951, "mean of both classes"),
        (0.921, "larger than 0.22"),
        (0.925, "not of 0.78"),
        (0.8553, "again for FN"),
        ("0.924", "one number, not a value of type str"),
    ],
)


EXERCISE_7_3 = ChoiceExercise(
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
    also_wrong=[
        ("e", "by its letter"),
        (0.845, "by its letter"),
    ],
)


EXERCISE_7_4 = ChoiceExercise(
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
    also_wrong=[
        ("the mean", "by its letter"),
        (2, "by its letter"),
    ],
)


# Exercise 7.5: A score that stays


Batches = list[tuple[Tensor, Tensor]]


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


def of_image(answer, truth, k=1, nothing=1.0):
    both, either = ((answer == k) & (truth == k)).sum(), ((answer == k) | (truth == k)).sum()
    return (both / either).item() if either else nothing


def images_of(batches):
    return [pair for answers, truths in batches for pair in zip(answers, truths, strict=True)]


def mean(scores):
    return sum(scores) / len(scores)


def pools_each_batch(batches):
    return mean([of_image(answer, truth) for answer, truth in batches])


def weighs_the_batches(batches):
    images = sum(len(answer) for answer, _ in batches)
    return sum(of_image(answer, truth) * len(answer) / images for answer, truth in batches)


def pools_everything(batches):
    counts = torch.cat([confusion_counts(answer, truth) for answer, truth in batches])
    return iou(counts, average="pooled")


def averages_the_averages(batches):
    return mean([iou(confusion_counts(answer, truth)) for answer, truth in batches])


def scores_the_other_class(batches):
    counts = torch.cat([confusion_counts(answer, truth) for answer, truth in batches])
    return iou(counts, of="background")


def scores_nothing_with_0(batches):
    return mean([of_image(*pair, nothing=0.0) for pair in images_of(batches)])


def leaves_out_nothing(batches):
    scores = [of_image(*pair, nothing=None) for pair in images_of(batches)]
    return mean([score for score in scores if score is not None])


def ends_in_nan(batches):
    return torch.stack(
        [((a == 1) & (t == 1)).sum() / ((a == 1) | (t == 1)).sum() for a, t in images_of(batches)]
    ).mean()


def takes_dice(batches):
    return dice(torch.cat([confusion_counts(answer, truth) for answer, truth in batches]))


def adds_up(batches):
    return sum(of_image(*pair) for pair in images_of(batches))


def takes_accuracy(batches):
    return mean([(answer == truth).float().mean().item() for answer, truth in images_of(batches)])


def smooths_each_image(batches):
    scores = [((a & t).sum() + 1e-5) / ((a | t).sum() + 1e-5) for a, t in images_of(batches)]
    return sum(scores) / len(scores)


def gives_the_list(batches):
    return [of_image(*pair) for pair in images_of(batches)]


def takes_one_batch(answer, truth):
    return of_image(answer, truth)


def returns_no_score(batches):
    mean([of_image(*pair) for pair in images_of(batches)])


def joins_lists(batches):
    return iou(confusion_counts(*torch.cat(batches)))


def returns_at_once(batches):
    return 1.0


EXERCISE_7_5 = FunctionExercise(
    number="7.5",
    title="A score that stays",
    difficulty="medium",
    minutes=10,
    reference=mean_iou,
    cases=batches_of,
    mistakes=[
        (
            pools_each_batch,
            "This is the bug itself: each batch is counted as one image, and then the mean of batches is taken.",
        ),
        (weighs_the_batches, "You weigh the batches by their images, but within a batch the pixels are still pooled."),
        (
            pools_everything,
            "This is pooled over all images: it does not move, but the mean of the images is asked for.",
        ),
        (averages_the_averages, "The mean of the batches' means: images in a small batch weigh more."),
        (scores_the_other_class, "This is the IoU of class 0: class 1 is asked for."),
        (scores_nothing_with_0, "An image with nothing to find and nothing found scores 1, not 0."),
        (leaves_out_nothing, "You leave out the images with nothing to find and nothing found: they score 1."),
        (ends_in_nan, "An image with nothing to find and nothing found is 0 / 0: give it 1."),
        (
            smooths_each_image,
            "You add a smoothing: it moves the sixth digit. Count exactly, and give 1 where the union is empty.",
        ),
        (takes_dice, "This is the mean of Dice."),
        (adds_up, "The sum of the images' scores: divide by the number of images."),
        (takes_accuracy, "This is accuracy: the share of pixels that are right."),
    ],
    also_wrong=[
        (gives_the_list, "should be one number, not a list"),
        (takes_one_batch, "cannot be called"),
        (returns_no_score, "returns None"),
        (joins_lists, "raises TypeError in line 2"),
        (returns_at_once, "whatever it is given"),
    ],
    seconds=3,
)


EXERCISE_7_6 = NumberExercise(
    number="7.6",
    title="Empty masks",
    difficulty="easy",
    minutes=4,
    question="the mean of the images' IoU, with the library's rule for empty masks",
    solution=0.45,
    mistakes=[
        (0.7, "You give 1 to image B as well: its truth is empty, but its answer is not."),
        (0.2, "You give 0 to image A: nothing to find and nothing found scores 1."),
        (0.4, "You leave out the two images without truth: each has a score."),
        (0.8 / 3, "You leave out image A: nothing to find and nothing found scores 1."),
        (0.6, "You leave out image B or image D: both have a score, and it is 0."),
        (0.95, "You give 1 to image D, too: its truth is not empty, and all of it is missed."),
        (8 / 18, "These are the pooled counts, 8 / 18: the mean of the images is asked for."),
        ((1 + 16 / 18) / 4, "This is the mean of Dice: image C has an IoU of 0.8."),
    ],
    also_wrong=[
        (0.267, "leave out image A"),
        (0.444, "pooled counts"),
        (0.472, "mean of Dice"),
    ],
)


EXERCISE_7_7 = NumberExercise(
    number="7.7",
    title="Which score do you report?",
    difficulty="easy",
    minutes=3,
    question="the score to report",
    solution=0.807,
    tolerance=4e-4,
    mistakes=[
        (0.811, "This threshold was chosen on the test images: the best of five looks is a little too good."),
        (0.806, "This is the validation score that the threshold was chosen by: report the test images' score."),
        (0.804, "This is the mean over the thresholds: one is chosen, and its score reported."),
        (0.6, "This is the threshold: the score of the test images at it is asked for."),
        (0.802, "This is the validation score at 0.5: a better threshold is there."),
    ],
)


EXERCISE_7_8 = ChoiceExercise(
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
    also_wrong=[
        ("both", "by its letter"),
        (0.79, "by its letter"),
    ],
    prediction=True,
)


EXERCISES = (
    EXERCISE_7_1,
    EXERCISE_7_2,
    EXERCISE_7_3,
    EXERCISE_7_4,
    EXERCISE_7_5,
    EXERCISE_7_6,
    EXERCISE_7_7,
    EXERCISE_7_8,
)
