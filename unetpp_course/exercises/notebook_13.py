"""The exercises of notebook 13: what the check cannot see, steps, seams, joining tiles, and an exported network."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

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


def _joined(shares: Callable[[int], Row]) -> Callable[[Row, Row, int], Row]:
    """Return a way to join in which ``shares`` says how much of the right row counts."""

    def join(left: Row, right: Row, overlap: int) -> Row:
        share = shares(overlap)
        both = (1 - share) * left[-overlap:] + share * right[:overlap]
        return np.concatenate([left[:-overlap], both, right[overlap:]])

    return join


EXERCISES = (
    ChoiceExercise(
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
    ),
    NumberExercise(
        number="13.2",
        title="How many steps?",
        difficulty="easy",
        minutes=4,
        question="the steps of one epoch: four images, patches of 64 × 64, batches of 6",
        solution=2,
        tolerance=5e-3,
        unit="steps",
        mistakes={
            "A batch that is not full waits for another epoch: round down.": 3,
            "This counts the patches: six of them make a step.": 13,
            "The two small images count as well: each gives one patch, mirrored at its borders.": 1,
            "This is not a whole number: patches are counted image by image, and rounded each time.": 12.085 / 6,
            "Steps are whole: what is left of 13 patches waits for another epoch.": 13 / 6,
            "This is 12 of the 13 patches: six of them make a step.": 12,
            "This counts the patches, and rounds each image up: round to the nearest. And six patches make a step.": 14,
            "This counts the patches without the small images, which give one each. And six patches make a step.": 11,
            "Steps are whole; and patches are rounded to the nearest, not up.": 14 / 6,
            "Steps are whole; and each of the two small images gives a patch.": 11 / 6,
            "This is one step for each image: a batch takes its six patches from several images.": 4,
        },
    ),
    ChoiceExercise(
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
        prediction=True,
    ),
    FunctionExercise(
        number="13.4",
        title="Join two tiles",
        difficulty="medium",
        minutes=8,
        reference=blend,
        cases=rows,
        mistakes={
            "The fade runs the wrong way: at its left end the left tile counts most.": _joined(
                lambda overlap: 1 - (np.arange(overlap) + 0.5) / overlap
            ),
            "The fade begins at 0: a pixel's centre stands at k + ½.": _joined(
                lambda overlap: np.arange(overlap) / overlap
            ),
            "The fade begins one step late: a pixel's centre stands at k + ½, not at k + 1.": _joined(
                lambda overlap: (np.arange(overlap) + 1) / overlap
            ),
            "The fade runs from exactly 0 to exactly 1: a pixel's centre stands at k + ½.": _joined(
                lambda overlap: np.linspace(0, 1, overlap)
            ),
            "Your steps are a little short: divide k + ½ by the overlap, not k + 1 by one more.": _joined(
                lambda overlap: (np.arange(overlap) + 1) / (overlap + 1)
            ),
            "This is k + 0.5 / overlap, which soon exceeds 1: put brackets around k + 0.5.": _joined(
                lambda overlap: np.arange(overlap, dtype=np.float64) + 0.5 / overlap
            ),
            "A mean of both is no fade: at both ends of the overlap it jumps.": _joined(
                lambda overlap: np.full(overlap, 0.5)
            ),
            "You keep the left tile to its end: that is a cut, a little further on.": _joined(np.zeros),
            "You keep the right tile from its beginning: that is a cut, a little earlier.": _joined(np.ones),
            "You lay the tiles one after another: the shared pixels stand there twice.": lambda left, right, _: (
                np.concatenate([left, right])
            ),
            "You add the two in the overlap: their weights must add up to 1.": lambda left, right, overlap: (
                np.concatenate([left[:-overlap], left[-overlap:] + right[:overlap], right[overlap:]])
            ),
            "You return the overlap alone: what lies before and behind it belongs to the row as well.": (
                lambda left, right, overlap: blend(left, right, overlap)[len(left) - overlap : len(left)]
            ),
            "You take the wrong end of the left tile: it is its last pixels that are shared.": (
                lambda left, right, overlap: np.concatenate(
                    [left[overlap:], blend(left[:overlap], right[:overlap], overlap), right[overlap:]]
                )
            ),
            "In the overlap you read the left tile from its beginning: its last pixels are the shared ones.": (
                lambda left, right, overlap: np.concatenate(
                    [left[:-overlap], blend(left[:overlap], right[:overlap], overlap), right[overlap:]]
                )
            ),
            "In the overlap you read the end of the right tile: its first pixels are the shared ones.": (
                lambda left, right, overlap: np.concatenate(
                    [left[:-overlap], blend(left[-overlap:], right[-overlap:], overlap), right[overlap:]]
                )
            ),
            "Before the overlap stand all but the last `overlap` pixels of `left`, not its first ones.": (
                lambda left, right, overlap: np.concatenate(
                    [left[:overlap], blend(left, right, overlap)[len(left) - overlap :]]
                )
            ),
            "Behind the overlap stand all but the first `overlap` pixels of `right`, not its last ones.": (
                lambda left, right, overlap: np.concatenate(
                    [blend(left, right, overlap)[: len(left)], right[-overlap:]]
                )
            ),
            "The left tile counts in full: it takes what `right` leaves, 1 minus the share.": (
                lambda left, right, overlap: np.concatenate(
                    [
                        left[:-overlap],
                        left[-overlap:] + (np.arange(overlap) + 0.5) / overlap * right[:overlap],
                        right[overlap:],
                    ]
                )
            ),
            "Both tiles get the same share: the left takes what `right` leaves, 1 minus it.": (
                lambda left, right, overlap: np.concatenate(
                    [
                        left[:-overlap],
                        (left[-overlap:] + right[:overlap]) * (np.arange(overlap) + 0.5) / overlap,
                        right[overlap:],
                    ]
                )
            ),
            "`left[-k]` counts back from the end: pixel k of the overlap is `left[len(left) - overlap + k]`.": (
                lambda left, right, overlap: np.concatenate(
                    [
                        left[:-overlap],
                        blend(left[-np.arange(overlap)], right[:overlap], overlap),
                        right[overlap:],
                    ]
                )
            ),
            "The overlap is missing: it is what the two tiles share.": lambda left, right, overlap: np.concatenate(
                [left[:-overlap], right[overlap:]]
            ),
        },
    ),
    ChoiceExercise(
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
    ),
)
