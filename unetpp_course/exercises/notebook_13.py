"""The exercises of notebook 13: a wrong mask, steps, the worst image, seams, joining tiles, an exported network."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, product

import numpy as np
import torch
from numpy.typing import NDArray

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option

EXERCISE_13_1 = ChoiceExercise(
    number="13.1",
    title="What the check cannot see",
    difficulty="easy",
    minutes=2,
    question="Which of the four pairs has a mask that is wrong?",
    options={
        "a": Option("membrane_03", "The uncoloured lines follow its membranes. Compare them along one long line."),
        "b": Option("membrane_12", "The uncoloured lines follow its membranes. Compare them along one long line."),
        "c": Option(
            "membrane_20",
            "Yes. The mask was mirrored, left to right. Its size and its values are right, so no check complains.",
            right=True,
        ),
        "d": Option("membrane_31", "The uncoloured lines follow its membranes. Compare them along one long line."),
    },
    also_wrong=[
        ("e", "by its letter"),
        (20, "by its letter"),
    ],
)


# Exercise 13.2: Steps of an epoch


def steps_per_epoch(sizes: Sequence[tuple[int, int]], patch: int, batch_size: int) -> int:
    """Return the training steps of an epoch: the full batches of the patches that all images give."""
    patches = 0
    for height, width in sizes:
        fitting = round(height * width / patch**2)
        patches += fitting if fitting > 1 else 1
    batches = patches // batch_size
    return batches if batches > 1 else 1


def folders_of_sizes(random: np.random.Generator) -> Iterator[tuple[list[tuple[int, int]], int, int]]:
    """Yield the sizes of some images, the side of a patch, and the patches of a batch."""
    yield [(128, 128), (200, 150), (40, 40), (50, 30)], 64, 6
    yield [(256, 256)] * 28, 128, 4
    yield [(40, 40), (60, 30)], 64, 4
    yield [(100, 100), (90, 120), (300, 200)], 64, 5
    yield [(512, 512)] * 7, 256, 4
    yield [(300, 100)] * 5, 64, 3
    for _ in range(4):
        sizes = [(int(height), int(width)) for height, width in random.integers(30, 400, (9, 2))]
        yield sizes, int(random.choice([48, 64, 96])), int(random.integers(2, 7))


def counted(sizes, patch, batch_size, per_image=lambda area: max(1, round(area)), steps=lambda n, b: max(1, n // b)):
    return steps(sum(per_image(height * width / patch**2) for height, width in sizes), batch_size)


def forgets_small_images(sizes, patch, batch_size):
    return counted(sizes, patch, batch_size, per_image=round)


def forgets_the_small_set(sizes, patch, batch_size):
    return counted(sizes, patch, batch_size, steps=lambda n, b: n // b)


def counts_the_last_batch(sizes, patch, batch_size):
    return counted(sizes, patch, batch_size, steps=lambda n, b: -(-n // b))


def rounds_the_steps(sizes, patch, batch_size):
    return counted(sizes, patch, batch_size, steps=lambda n, b: max(1, round(n / b)))


def counts_patches(sizes, patch, batch_size):
    return counted(sizes, patch, batch_size, steps=lambda n, b: n)


def rounds_patches_down(sizes, patch, batch_size):
    return counted(sizes, patch, batch_size, per_image=lambda area: max(1, int(area)))


def rounds_patches_up(sizes, patch, batch_size):
    return counted(sizes, patch, batch_size, per_image=lambda area: int(np.ceil(area)))


def takes_one_patch_of_each(sizes, patch, batch_size):
    return max(1, len(sizes) // batch_size)


def counts_whole_tiles(sizes, patch, batch_size):
    return max(1, sum(max(1, (height // patch) * (width // patch)) for height, width in sizes) // batch_size)


def rounds_each_side(sizes, patch, batch_size):
    return max(1, sum(max(1, round(height / patch) * round(width / patch)) for height, width in sizes) // batch_size)


def adds_the_areas_first(sizes, patch, batch_size):
    return max(1, round(sum(height * width for height, width in sizes) / patch**2) // batch_size)


def divides_by_the_side(sizes, patch, batch_size):
    return max(1, sum(max(1, round(height * width / patch)) for height, width in sizes) // batch_size)


def does_not_round(sizes, patch, batch_size):
    return sum(max(1, round(height * width / patch**2)) / batch_size for height, width in sizes)


def divides_without_rounding(sizes, patch, batch_size):
    return counted(sizes, patch, batch_size, steps=lambda n, b: max(1, n / b))


def makes_steps_of_each_image(sizes, patch, batch_size):
    return sum(max(1, round(height * width / patch**2) // batch_size) for height, width in sizes)


def rounds_off_each_image(sizes, patch, batch_size):
    return max(1, sum(max(1, round(height * width / patch**2)) // batch_size for height, width in sizes))


def counts_the_mirrored_area(sizes, patch, batch_size):
    mirrored = [(max(height, patch), max(width, patch)) for height, width in sizes]
    return counted(mirrored, patch, batch_size)


def counts_only_the_last_image(sizes, patch, batch_size):
    height, width = sizes[-1]
    return max(1, max(1, round(height * width / patch**2)) // batch_size)


EXERCISE_13_2 = FunctionExercise(
    number="13.2",
    title="How many steps?",
    difficulty="easy",
    minutes=5,
    reference=steps_per_epoch,
    cases=folders_of_sizes,
    only_values=True,
    mistakes=[
        (forgets_small_images, "An image that is smaller than half a patch rounds to 0, and yet gives one patch."),
        (forgets_the_small_set, "A set with fewer patches than a batch gives 0 here: it is one smaller batch."),
        (counts_the_last_batch, "You count the last batch although it is not full: round down."),
        (rounds_the_steps, "A last batch that is more than half full counts here: only full batches do. Round down."),
        (counts_patches, "These are the patches: `batch_size` of them make a step."),
        (rounds_patches_down, "The patches of an image are rounded to the nearest number, not down."),
        (rounds_patches_up, "The patches of an image are rounded to the nearest number, not up."),
        (takes_one_patch_of_each, "This takes one patch of each image: a large image gives more."),
        (
            counts_whole_tiles,
            "You count the patches that fit in side by side. They lie at random places, so that only the area counts.",
        ),
        (rounds_each_side, "You round height and width separately: divide the area, and round once for each image."),
        (adds_the_areas_first, "You add up the areas of all images and round once: round for each image."),
        (divides_by_the_side, "You divide by `patch`: the area of a patch is `patch**2`."),
        (does_not_round, "Steps are whole: use `//`, and at least 1."),
        (divides_without_rounding, "Steps are whole: divide by the batch with `//` instead of `/`."),
        (
            makes_steps_of_each_image,
            "You make at least one step of each image, but the patches of all images are mixed: add them up first.",
        ),
        (
            rounds_off_each_image,
            "You round down the batches of each image: add up the patches of all images, then divide once.",
        ),
        (
            counts_the_mirrored_area,
            "You count the area of the mirrored image. The number of patches follows from the image's own area.",
        ),
        (counts_only_the_last_image, "This counts the last image alone: does the loop add up?"),
    ],
)


# Exercise 13.3: The worst comes first

Masks = dict[str, NDArray[np.uint8]]

CLASSES = 3  # in the cases
UNDECIDED = 255
THREE_CLASSES = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
SHOWN_WHOLE = 10  # pixels; a longer row is shown in runs


def worst_first(truths: Masks, predictions: Masks, num_classes: int) -> list[str]:
    """Return the names of the images, the one with the lowest IoU first; the IoU is the mean over its classes."""
    scores = {name: mean_iou(truths[name], predictions[name], num_classes) for name in truths}
    return sorted(scores, key=lambda name: scores[name])


def mean_iou(truth: NDArray[np.uint8], found: NDArray[np.uint8], num_classes: int) -> float:
    """Return the mean IoU over the classes that occur in the truth or in the prediction, without undecided pixels."""
    found, truth = found[truth != UNDECIDED], truth[truth != UNDECIDED]
    values = []
    for label in range(num_classes):
        union = np.sum((truth == label) | (found == label))
        if union > 0:
            values.append(np.sum((truth == label) & (found == label)) / union)
    return float(np.mean(values)) if values else 1.0


def predicted_folders(random: np.random.Generator) -> Iterator[tuple[Masks, Masks, int]]:
    """Yield truths and predictions of four images each, whose IoUs differ clearly."""
    yield (
        {"a": as_mask([0, 0, 1, 1]), "b": as_mask([0, 0, 1, 1]), "c": as_mask([0, 0, 0, 1])},
        {"a": as_mask([0, 1, 1, 1]), "b": as_mask([1, 1, 0, 0]), "c": as_mask([0, 0, 0, 1])},
        2,
    )
    yield (  # class 2 is absent from b: counted as 1 it would put b last, counted as 0 first
        {"a": as_mask(THREE_CLASSES), "b": as_mask([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]), "c": as_mask(THREE_CLASSES)},
        {
            "a": as_mask([0, 0, 0, 1, 1, 1, 1, 2, 2, 0]),
            "b": as_mask([0, 0, 0, 1, 1, 1, 1, 1, 1, 0]),
            "c": as_mask([0, 0, 0, 1, 1, 1, 2, 2, 0, 0]),
        },
        3,
    )
    yield (  # b misses a rare class, so most of its pixels are right
        {"a": as_mask([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]), "b": as_mask([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])},
        {"a": as_mask([0, 0, 0, 0, 1, 0, 1, 1, 1, 1]), "b": as_mask([0] * 10)},
        2,
    )
    yield (  # only class 1 is right in b
        {"a": as_mask(THREE_CLASSES), "b": as_mask(THREE_CLASSES)},
        {"a": as_mask([0, 0, 0, 0, 1, 0, 0, 2, 2, 2]), "b": as_mask([2, 2, 2, 0, 1, 1, 1, 0, 0, 0])},
        3,
    )
    yield (  # by Dice instead of IoU, b comes first
        {"b": as_mask([0] * 150 + [1] * 10), "a": as_mask([0, 0, 0, 1, 1, 1])},
        {"b": as_mask([0] * 159 + [1]), "a": as_mask([0, 0, 1, 0, 1, 1])},
        2,
    )
    yield (  # a predicts a class that it does not have: it counts, with an IoU of 0
        {"a": as_mask([0, 0, 1, 1]), "b": as_mask([0, 0, 1, 1])},
        {"a": as_mask([0, 0, 1, 2]), "b": as_mask([0, 1, 1, 1])},
        3,
    )
    yield (  # the worst class of a is better than that of b, its mean is not
        {"a": as_mask([0, 0, 0, 0, 1, 1, 1, 1]), "b": as_mask([0] * 20 + [1, 1])},
        {"a": as_mask([0, 0, 0, 1, 1, 1, 1, 0]), "b": as_mask([0] * 20 + [1, 0])},
        2,
    )
    yield (  # a misses a class; without it a would be better than b, though fewer of its pixels are right
        {"a": as_mask([0] * 9 + [1]), "b": as_mask([0] * 13 + [1] * 12)},
        {"a": as_mask([0] * 10), "b": as_mask([1] + [0] * 12 + [0] + [1] * 11)},
        2,
    )
    yield (  # class 2 is absent from b, which is still the worst: nan, which `argsort` puts last, is no 1
        {"a": as_mask([0, 0, 1, 1, 2, 2]), "b": as_mask([0, 0, 0, 1, 1, 1])},
        {"a": as_mask([0, 0, 1, 1, 2, 0]), "b": as_mask([1, 1, 0, 0, 0, 1])},
        3,
    )
    yield (  # undecided pixels
        {"a": as_mask([0, 0, 1, 255, 255, 255]), "b": as_mask([0, 0, 1, 1, 1, 1])},
        {"a": as_mask([0, 0, 1, 1, 1, 1]), "b": as_mask([0, 0, 0, 1, 1, 1])},
        2,
    )
    for count in (CLASSES, 2, CLASSES, 4, CLASSES, 4):
        yield random_folder(random, count)


def as_mask(values: Sequence[int]) -> NDArray[np.uint8]:
    return np.array([values], dtype=np.uint8)


def random_folder(random: np.random.Generator, count: int) -> tuple[Masks, Masks, int]:
    """Return four images, in whose predictions ever more pixels are redrawn; their order is shuffled."""
    truths, predictions = {}, {}
    shares = random.permutation([0.1, 0.35, 0.6, 0.95])
    for name, share in zip("qmzd", shares, strict=True):
        truth = random.integers(0, count, (8, 9)).astype(np.uint8)
        redrawn = random.uniform(size=truth.shape) < share
        prediction = np.where(redrawn, random.integers(0, count, truth.shape), truth).astype(np.uint8)
        if count > 2:
            truth[random.uniform(size=truth.shape) < 0.2] = UNDECIDED
        truths[name], predictions[name] = truth, prediction
    return truths, predictions, count


def sorts(truths, predictions, score, reverse=False):
    scores = {name: score(truths[name], predictions[name]) for name in truths}
    return sorted(scores, key=scores.get, reverse=reverse)


def class_ious(truth, found, labels, absent=None):
    values = []
    for label in labels:
        union = ((truth == label) | (found == label)).sum()
        both = ((truth == label) & (found == label)).sum()
        if union or absent is not None:
            values.append(both / union if union else absent)
    return values


def decided(truth, found):
    return truth[truth != UNDECIDED], found[truth != UNDECIDED]


def puts_the_best_first(truths, predictions, num_classes):
    return worst_first(truths, predictions, num_classes)[::-1]


def keeps_the_given_order(truths, predictions, num_classes):
    return list(truths)


def sorts_the_names(truths, predictions, num_classes):
    return sorted(truths)


def returns_the_scores(truths, predictions, num_classes):
    return sorted(
        float(np.mean(class_ious(*decided(truths[name], predictions[name]), range(num_classes)))) for name in truths
    )


def scored_in_order(truths, predictions, num_classes):
    scores = {}
    for name in worst_first(truths, predictions, num_classes):
        scores[name] = float(np.mean(class_ious(*decided(truths[name], predictions[name]), range(num_classes))))
    return scores


def returns_pairs_by_score(truths, predictions, num_classes):
    return [(score, name) for name, score in scored_in_order(truths, predictions, num_classes).items()]


def returns_pairs_by_name(truths, predictions, num_classes):
    return list(scored_in_order(truths, predictions, num_classes).items())


def returns_a_dictionary(truths, predictions, num_classes):
    return scored_in_order(truths, predictions, num_classes)


def counts_undecided_pixels(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: np.mean(class_ious(t, p, range(num_classes))))


def counts_right_pixels(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: np.mean(np.equal(*decided(t, p))))


def gives_absent_classes_1(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: np.mean(class_ious(*decided(t, p), range(num_classes), absent=1)))


def gives_absent_classes_0(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: np.mean(class_ious(*decided(t, p), range(num_classes), absent=0)))


def divides_0_by_0(truths, predictions, num_classes):
    return sorts(
        truths, predictions, lambda t, p: np.mean(class_ious(*decided(t, p), range(num_classes), absent=np.nan))
    )


def sorts_nan_last(truths, predictions, num_classes):
    names, scores = list(truths), []
    for name in names:
        ious = class_ious(*decided(truths[name], predictions[name]), range(num_classes), absent=np.nan)
        scores.append(np.mean(ious))
    return [names[i] for i in np.argsort(scores)]


def looks_at_class_1(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: sum(class_ious(*decided(t, p), [1], absent=1)))


def leaves_out_class_0(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: np.mean(class_ious(*decided(t, p), range(1, num_classes)) or [1.0]))


def takes_dice(truths, predictions, num_classes):
    return sorts(
        truths,
        predictions,
        lambda t, p: np.mean([2 * x / (1 + x) for x in class_ious(*decided(t, p), range(num_classes))]),
    )


def takes_recall(truths, predictions, num_classes):
    def score(truth, found):
        return np.mean([np.mean(found[truth == label] == label) for label in range(num_classes) if label in truth])

    return sorts(truths, predictions, lambda t, p: score(*decided(t, p)))


def leaves_out_invented_classes(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: np.mean(class_ious(*decided(t, p), np.unique(decided(t, p)[0]))))


def leaves_out_missed_classes(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: np.mean(class_ious(*decided(t, p), np.unique(decided(t, p)[1]))))


def takes_the_worst_class(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: min(class_ious(*decided(t, p), range(num_classes))))


def takes_the_best_class(truths, predictions, num_classes):
    return sorts(truths, predictions, lambda t, p: max(class_ious(*decided(t, p), range(num_classes))))


def returns_only_the_worst(truths, predictions, num_classes):
    return worst_first(truths, predictions, num_classes)[0]


def described(truths: Masks, predictions: Masks, num_classes: int) -> str:
    """Put a case into words: masks of one row are shown, of larger ones the IoUs."""
    text = f"num_classes = {num_classes}; "
    if any(len(truth) > 1 for truth in truths.values()):
        scores = [f"{name} {mean_iou(truths[name], predictions[name], num_classes):.2f}" for name in truths]
        return text + f"{len(truths)} random images of 8 × 9 pixels, whose IoUs are {', '.join(scores)}"
    return text + "; ".join(
        f"{name}: truth {in_runs(truths[name][0])}, prediction {in_runs(predictions[name][0])}" for name in truths
    )


def in_runs(row: NDArray[np.uint8]) -> str:
    """Return a short row as it is, and a long one as runs of equal values.

    >>> in_runs(np.array([0, 1, 1], np.uint8)), in_runs(np.array([0] * 15 + [1] * 2, np.uint8))
    ('[0, 1, 1]', '15 × 0, 2 × 1')
    """
    if len(row) <= SHOWN_WHOLE:
        return str(row.tolist())
    return ", ".join(f"{len(list(run))} × {value}" for value, run in groupby(row))


EXERCISE_13_3 = FunctionExercise(
    number="13.3",
    title="The worst comes first",
    difficulty="medium",
    minutes=8,
    reference=worst_first,
    cases=predicted_folders,
    describe=described,
    mistakes=[
        (puts_the_best_first, "The best image comes first here: sort the other way round."),
        (keeps_the_given_order, "The names come back in the order in which they were given: sort them by their IoU."),
        (sorts_the_names, "This sorts the names by the alphabet: sort them by their IoU."),
        (returns_the_scores, "These are the scores: return the names of the images."),
        (returns_pairs_by_score, "These are pairs of a score and a name: return the names alone."),
        (returns_pairs_by_name, "These are pairs of a name and a score: return the names alone."),
        (counts_undecided_pixels, "You count pixels whose truth is 255: take them out before you count."),
        (
            counts_right_pixels,
            "This sorts as the fraction of right pixels does, where a missed rare class hardly shows: compute one IoU "
            "for each class, and take their mean.",
        ),
        (gives_absent_classes_1, "A class that an image lacks counts as 1 here: leave it out of the mean."),
        (
            gives_absent_classes_0,
            "A class that an image lacks counts as 0 here: divide the sum by the number of classes that it has.",
        ),
        (
            divides_0_by_0,
            "A class that an image lacks gives 0 / 0 here, which is nan, and nan has no place in an order: divide only "
            "if the union is greater than 0.",
        ),
        (
            sorts_nan_last,
            "A class that an image lacks gives 0 / 0 here, which is nan, and `argsort` puts nan last: divide only if "
            "the union is greater than 0.",
        ),
        (looks_at_class_1, "This sorts by the IoU of class 1 alone: take the mean over the classes."),
        (leaves_out_class_0, "You leave out class 0: the background is a class as well."),
        (takes_dice, "This sorts by Dice: divide the common pixels by the union, not by the mean of the two areas."),
        (
            takes_recall,
            "You divide by the pixels that the class has in the truth (this is the recall), where it costs nothing to "
            "predict a class too widely: divide by the union.",
        ),
        (
            leaves_out_invented_classes,
            "You leave out a class that is predicted but does not occur in the truth: it counts, and its IoU is 0.",
        ),
        (
            leaves_out_missed_classes,
            "You leave out a class that occurs in the truth but is not predicted: it counts, and its IoU is 0.",
        ),
        (takes_the_worst_class, "This sorts by the worst class of each image: take the mean over its classes."),
        (takes_the_best_class, "This sorts by the best class of each image: take the mean over its classes."),
        (returns_only_the_worst, "This is the name of the worst image alone: return all names, as a list."),
    ],
    also_wrong=[(returns_a_dictionary, "should be a list")],
)


EXERCISE_13_4 = ChoiceExercise(
    number="13.4",
    title="How far from the cut?",
    difficulty="medium",
    minutes=2,
    question="How far from a cut does the depth-2 network's answer differ from that on the whole image?",
    options={
        "a": Option(
            "only beside the cut: one pixel on each side",
            "The cut ends the image for every pixel whose window crosses it, and a window is larger than that.",
        ),
        "b": Option(
            "up to about 22 pixels",
            "Yes: half of head 2's window of 44. A pixel further in never saw beyond the cut.",
            right=True,
        ),
        "c": Option(
            "up to 44 pixels",
            "The window of 44 pixels is centred: it reaches half as far to each side.",
        ),
        "d": Option(
            "everywhere in the tile",
            "A pixel sees its own window and nothing else. Far from the cut nothing has changed for it.",
        ),
    },
    also_wrong=[
        (22, "by its letter"),
        ("e", "by its letter"),
    ],
    prediction=True,
)


# Exercise 13.5: Join two tiles


Row = NDArray[np.float64]


def blend(left: Row, right: Row, overlap: int) -> Row:
    """Return two rows of answers joined: their last and first ``overlap`` pixels are the same, and fade."""
    joined = list(left[: len(left) - overlap])
    for k in range(overlap):
        share = (k + 0.5) / overlap
        joined.append((1 - share) * left[len(left) - overlap + k] + share * right[k])
    return np.array(joined + list(right[overlap:]))


def rows(random: np.random.Generator) -> Iterator[tuple[Row, Row, int]]:
    """Yield two rows, and how many pixels they share."""
    yield np.array([0.0, 0.0, 0.0, 0.0]), np.array([1.0, 1.0, 1.0, 1.0]), 2
    yield np.array([0.1, 0.3, 0.5, 0.7, 0.9]), np.array([0.2, 0.4, 0.6]), 3
    for _ in range(3):
        overlap = int(random.integers(2, 6))
        yield random.uniform(size=overlap + 4), random.uniform(size=overlap + 2), overlap


def parts(left, right, overlap):
    return left[:-overlap], left[-overlap:], right[:overlap], right[overlap:]


def join(left, right, overlap, share):
    before, one, other, behind = parts(left, right, overlap)
    return np.concatenate([before, one + share * (other - one), behind])


def fades_the_wrong_way(left, right, overlap):
    return join(left, right, overlap, (overlap - np.arange(overlap) - 0.5) / overlap)


def begins_at_zero(left, right, overlap):
    return join(left, right, overlap, np.arange(overlap) / overlap)


def ends_at_one(left, right, overlap):
    return join(left, right, overlap, np.arange(1, overlap + 1) / overlap)


def spans_zero_to_one(left, right, overlap):
    return join(left, right, overlap, np.linspace(0, 1, overlap))


def leaves_out_both_ends(left, right, overlap):
    return join(left, right, overlap, np.linspace(0, 1, overlap + 2)[1:-1])


def takes_the_mean(left, right, overlap):
    return join(left, right, overlap, 0.5)


def keeps_the_left(left, right, overlap):
    return np.append(left, right[overlap:])


def keeps_the_right(left, right, overlap):
    return np.append(left[:-overlap], right)


def forgets_the_overlap(left, right, overlap):
    return np.append(left, right)


def adds(left, right, overlap):
    before, one, other, behind = parts(left, right, overlap)
    return np.concatenate([before, one + other, behind])


def returns_the_overlap(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return (1 - share) * left[-overlap:] + share * right[:overlap]


def keeps_both_whole(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left, (1 - share) * left[-overlap:] + share * right[:overlap], right])


def keeps_the_left_whole(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left, (1 - share) * left[-overlap:] + share * right[:overlap], right[overlap:]])


def keeps_the_right_whole(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left[:-overlap], (1 - share) * left[-overlap:] + share * right[:overlap], right])


def fades_as_a_sine(left, right, overlap):
    return join(left, right, overlap, np.sin((np.arange(overlap) + 0.5) / overlap * np.pi / 2) ** 2)


def drops_the_overlap(left, right, overlap):
    return np.append(left[:-overlap], right[overlap:])


def forgets_the_brackets(left, right, overlap):
    return join(left, right, overlap, np.arange(overlap) + 0.5 / overlap)


SLICES = {
    "the first": lambda overlap: slice(overlap),
    "the last": lambda overlap: slice(-overlap, None),
    "all but the first": lambda overlap: slice(overlap, None),
    "all but the last": lambda overlap: slice(-overlap),
}
PARTS = {  # of the row, each with what belongs there, and then what may be taken instead
    "before the overlap you take {} `overlap` pixels of `left`": ("all but the last", "all but the first", "the first"),
    "in the overlap you take {} `overlap` pixels of `left`": ("the last", "the first"),
    "in the overlap you take {} `overlap` pixels of `right`": ("the first", "the last"),
    "behind the overlap you take {} `overlap` pixels of `right`": ("all but the first", "all but the last", "the last"),
}


def wrong_ends() -> Iterator[tuple[Callable[[Row, Row, int], Row], str]]:
    """Yield every way to take a part of the row from a wrong end of its tile, or several parts, with its sentence."""
    right = tuple(ends[0] for ends in PARTS.values())
    for taken in product(*PARTS.values()):
        if taken != right:
            faults = [
                f"{part.format(end)} instead of {wanted}"
                for part, end, wanted in zip(PARTS, taken, right, strict=True)
                if end != wanted
            ]
            sentence = "; ".join(faults)
            yield takes_ends(*taken), f"{sentence[0].upper()}{sentence[1:]}."


def takes_ends(*ends):
    def blend_from(left, right, overlap):
        before, one, other, behind = (
            tile[SLICES[end](overlap)] for tile, end in zip((left, left, right, right), ends, strict=True)
        )
        share = (np.arange(overlap) + 0.5) / overlap
        return np.concatenate([before, (1 - share) * one + share * other, behind])

    return blend_from


def adds_a_share(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left[:-overlap], left[-overlap:] + share * right[:overlap], right[overlap:]])


def shares_alike(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left[:-overlap], share * left[-overlap:] + share * right[:overlap], right[overlap:]])


def counts_back(left, right, overlap):
    row = list(left[:-overlap])
    for k in range(overlap):
        share = (k + 0.5) / overlap
        row.append((1 - share) * left[-k] + share * right[k])
    return np.array(row + list(right[overlap:]))


def writes_into_the_left(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    left[-overlap:] = (1 - share) * left[-overlap:] + share * right[:overlap]
    return np.append(left, right[overlap:])


def forgets_to_return(left, right, overlap):
    join(left, right, overlap, (np.arange(overlap) + 0.5) / overlap)


def adds_as_lists_do(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return left[:-overlap] + ((1 - share) * left[-overlap:] + share * right[:overlap]) + right[overlap:]


def takes_tensors(left, right, overlap):
    return torch.cat([left, right])


EXERCISE_13_5 = FunctionExercise(
    number="13.5",
    title="Join two tiles",
    difficulty="medium",
    minutes=7,
    reference=blend,
    cases=rows,
    only_values=True,
    mistakes=[
        (fades_the_wrong_way, "The fade runs the wrong way: at its left end the left tile counts most."),
        (begins_at_zero, "The fade begins at 0: a pixel's centre stands at k + ½."),
        (ends_at_one, "The fade begins one step late: a pixel's centre stands at k + ½, not at k + 1."),
        (spans_zero_to_one, "The fade runs from exactly 0 to exactly 1: a pixel's centre stands at k + ½."),
        (leaves_out_both_ends, "Your steps are a little short: divide k + ½ by the overlap, not k + 1 by one more."),
        (forgets_the_brackets, "This is k + 0.5 / overlap, which soon exceeds 1: put brackets around k + 0.5."),
        (takes_the_mean, "A mean of both is no fade: at both ends of the overlap it jumps."),
        (keeps_the_left, "You keep the left tile to its end: that is a cut, a little further on."),
        (keeps_the_right, "You keep the right tile from its beginning: that is a cut, a little earlier."),
        (forgets_the_overlap, "You lay the tiles one after another: the shared pixels stand there twice."),
        (adds, "You add the two in the overlap: their weights must add up to 1."),
        (
            returns_the_overlap,
            "You return the overlap alone: what lies before and behind it belongs to the row as well.",
        ),
        *wrong_ends(),
        (adds_a_share, "The left tile counts in full: it takes what `right` leaves, 1 minus the share."),
        (shares_alike, "Both tiles get the same share: the left takes what `right` leaves, 1 minus it."),
        (
            counts_back,
            "`left[-k]` counts back from the end: pixel k of the overlap is `left[len(left) - overlap + k]`.",
        ),
        (
            keeps_both_whole,
            "The shared pixels stand in the row three times: cut them off the end of `left` and the beginning of "
            "`right` first.",
        ),
        (keeps_the_left_whole, "The shared pixels stand in the row twice: cut them off the end of `left`."),
        (keeps_the_right_whole, "The shared pixels stand in the row twice: cut them off the beginning of `right`."),
        (fades_as_a_sine, "The ramp is bent, as the library's is. Here a straight one is asked for."),
        (drops_the_overlap, "The overlap is missing: it is what the two tiles share."),
    ],
    also_wrong=[
        (writes_into_the_left, "changes what it is given"),
        (forgets_to_return, "returns None"),
        (adds_as_lists_do, "The shape is (2,)"),
        (takes_tensors, "raises TypeError in line 2"),
    ],
)


EXERCISE_13_6 = ChoiceExercise(
    number="13.6",
    title="The program says nonsense",
    difficulty="medium",
    minutes=3,
    question="Which lines must the colleague change, who runs the exported program?",
    options={
        "a": Option(
            "line 1: divide by 255",
            "That is one of the mistakes. But the program normalises as well: line 2 does it a second time.",
        ),
        "b": Option(
            "line 3: leave the channels at the end, as Pillow has them",
            "The program takes (N, C, H, W), like the network: line 3 is right.",
        ),
        "c": Option(
            "line 4: put a softmax around it, because it returns logits",
            "What comes out are probabilities already. A second softmax would draw them all towards one value.",
        ),
        "d": Option(
            "line 1: divide by 255; line 2: take it out",
            "Yes. The program takes images in [0, 1], and normalises them itself, once.",
            right=True,
        ),
    },
    also_wrong=[
        ("line 1", "by its letter"),
        (1, "by its letter"),
    ],
)


EXERCISES = (EXERCISE_13_1, EXERCISE_13_2, EXERCISE_13_3, EXERCISE_13_4, EXERCISE_13_5, EXERCISE_13_6)
