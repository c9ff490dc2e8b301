"""The exercises of notebook 13: what the check cannot see, steps, seams, joining tiles, and an exported network."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

EXERCISE_13_1 = ChoiceExercise(
    number="13.1",
    title="What the check cannot see",
    difficulty="medium",
    minutes=4,
    question="What happened to the colleague's mask, in which the check finds no fault?",
    options={
        "a": Option(
            "it was saved as JPEG once, and as PNG again",
            "JPEG blurs in blocks of 8 × 8 pixels, at every border. These rims are clean, and stand at one kind of "
            "border only.",
        ),
        "b": Option(
            "it was made smaller with an interpolation that mixes values",
            "Yes. Halfway between 0 and 2 lies 1: a class like any other, to a check of values.",
            right=True,
        ),
        "c": Option(
            "it belongs to another image",
            "Then the beads would lie elsewhere. Here each is in its place.",
        ),
        "d": Option(
            "its classes 1 and 2 were swapped",
            "Then whole beads would have the other colour, and not their rims alone.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (2, "by its letter"),
    ],
)


EXERCISE_13_2 = NumberExercise(
    number="13.2",
    title="How many steps?",
    difficulty="easy",
    minutes=4,
    question="the steps of one epoch: four images, patches of 64 × 64, batches of 6",
    solution=2,
    tolerance=5e-3,
    unit="steps",
    mistakes=[
        (3, "A batch that is not full waits for another epoch: round down."),
        (13, "This counts the patches: six of them make a step."),
        (1, "The two small images count as well: each gives one patch, mirrored at its borders."),
        (12.085 / 6, "This is not a whole number: patches are counted image by image, and rounded each time."),
        (13 / 6, "Steps are whole: what is left of 13 patches waits for another epoch."),
        (12, "This is 12 of the 13 patches: six of them make a step."),
        (14, "This counts the patches, and rounds each image up: round to the nearest. And six patches make a step."),
        (11, "This counts the patches without the small images, which give one each. And six patches make a step."),
        (14 / 6, "Steps are whole; and patches are rounded to the nearest, not up."),
        (11 / 6, "Steps are whole; and each of the two small images gives a patch."),
        (4, "This is one step for each image: a batch takes its six patches from several images."),
    ],
    also_wrong=[
        (2.0142, "image by image"),
        (2.17, "Steps are whole"),
        (2.1667, "Steps are whole"),
        (2.33, "not up"),
        (1.83, "Steps are whole; and each"),
        ("two", "one number"),
    ],
)


EXERCISE_13_3 = ChoiceExercise(
    number="13.3",
    title="How far from the cut?",
    difficulty="medium",
    minutes=3,
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


# Exercise 13.4: Join two tiles


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


def drops_the_overlap(left, right, overlap):
    return np.append(left[:-overlap], right[overlap:])


def fades_the_wrong_pixels(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left[overlap:], (1 - share) * left[:overlap] + share * right[:overlap], right[overlap:]])


def forgets_the_brackets(left, right, overlap):
    return join(left, right, overlap, np.arange(overlap) + 0.5 / overlap)


def reads_the_left_from_its_beginning(left, right, overlap):
    row = list(left[:-overlap])
    for k in range(overlap):
        share = (k + 0.5) / overlap
        row.append((1 - share) * left[k] + share * right[k])
    return np.array(row + list(right[overlap:]))


def reads_the_right_at_its_end(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    both = (1 - share) * left[-overlap:] + share * right[-overlap:]
    return np.concatenate([left[:-overlap], both, right[overlap:]])


def begins_with_the_overlap(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    both = (1 - share) * left[-overlap:] + share * right[:overlap]
    return np.concatenate([left[:overlap], both, right[overlap:]])


def ends_with_the_overlap(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    both = (1 - share) * left[-overlap:] + share * right[:overlap]
    return np.concatenate([left[:-overlap], both, right[-overlap:]])


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


EXERCISE_13_4 = FunctionExercise(
    number="13.4",
    title="Join two tiles",
    difficulty="medium",
    minutes=8,
    reference=blend,
    cases=rows,
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
        (fades_the_wrong_pixels, "You take the wrong end of the left tile: it is its last pixels that are shared."),
        (
            reads_the_left_from_its_beginning,
            "In the overlap you read the left tile from its beginning: its last pixels are the shared ones.",
        ),
        (
            reads_the_right_at_its_end,
            "In the overlap you read the end of the right tile: its first pixels are the shared ones.",
        ),
        (
            begins_with_the_overlap,
            "Before the overlap stand all but the last `overlap` pixels of `left`, not its first ones.",
        ),
        (
            ends_with_the_overlap,
            "Behind the overlap stand all but the first `overlap` pixels of `right`, not its last ones.",
        ),
        (adds_a_share, "The left tile counts in full: it takes what `right` leaves, 1 minus the share."),
        (shares_alike, "Both tiles get the same share: the left takes what `right` leaves, 1 minus it."),
        (
            counts_back,
            "`left[-k]` counts back from the end: pixel k of the overlap is `left[len(left) - overlap + k]`.",
        ),
        (drops_the_overlap, "The overlap is missing: it is what the two tiles share."),
    ],
    also_wrong=[
        (writes_into_the_left, "changes what it is given"),
        (forgets_to_return, "returns None"),
        (adds_as_lists_do, "The shape is (2,)"),
        (takes_tensors, "raises TypeError in line 2"),
    ],
)


EXERCISE_13_5 = ChoiceExercise(
    number="13.5",
    title="The program says nonsense",
    difficulty="medium",
    minutes=4,
    question="Which lines must the colleague change, who runs the exported program?",
    options={
        "a": Option(
            "line 1: divide by 255",
            "That is one of the faults. But the program normalises as well: line 2 does it a second time.",
        ),
        "b": Option(
            "line 1: divide by 255; line 2: take it out",
            "Yes. The program takes images in [0, 1], and normalises them itself, once.",
            right=True,
        ),
        "c": Option(
            "line 3: leave the channels at the end",
            "The program takes (N, C, H, W), like the network: line 3 is right.",
        ),
        "d": Option(
            "line 4: put a softmax around it",
            "What comes out are probabilities already. A second softmax would draw them all towards a third.",
        ),
    },
    also_wrong=[
        ("line 1", "by its letter"),
        (1, "by its letter"),
    ],
)


EXERCISES = (EXERCISE_13_1, EXERCISE_13_2, EXERCISE_13_3, EXERCISE_13_4, EXERCISE_13_5)
