"""The exercises of notebook 08: what leaks, what an interval speaks of, and what two results allow to be said."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

Scores = NDArray[np.float64]

UNET, UNETPP = (0.62, 0.70, 0.58, 0.66, 0.74), (0.64, 0.71, 0.61, 0.68, 0.75)  # of exercise 8.5, five seeds
T_FOUR, T_EIGHT = 2.776, 2.306  # Student's t, two-sided 95 %, for 4 and 8 degrees of freedom


def family(name: str) -> str:
    """Return the slice that a name belongs to: "slice_3" for "slice_3_copy2"."""
    return name.split("_copy")[0]


def split_families(names: list[str], count: int) -> tuple[list[str], list[str]]:
    """Return training and test names: whole families, the alphabet's first, until the test has ``count`` names."""
    held_out: list[str] = []
    for first in sorted({family(name) for name in names}):
        if sum(family(name) in held_out for name in names) < count:
            held_out.append(first)
    training = [name for name in names if family(name) not in held_out]
    test = [name for name in names if family(name) in held_out]
    return training, test


def name_lists(random: np.random.Generator) -> Iterator[tuple[list[str], int]]:
    """Yield lists of slices with copies, in no order, and how many names the test needs."""
    yield ["c", "b", "b_copy1", "a_copy1", "c_copy1", "a"], 2
    yield ["b_copy2", "a_copy1", "a_copy2", "c", "a", "b_copy1", "c_copy1"], 2
    yield ["s_1", "s_12", "s_1_copy1", "s_12_copy1", "s_1_copy2", "s_2", "s_12_copy2"], 2
    yield ["b_copy1", "a_copy2", "b_copy2", "a_copy1"], 1
    for _ in range(3):
        names = [f"slice_{k}_copy{copy}" for k in range(6) for copy in range(1, random.integers(2, 5))]
        names += [f"slice_{k}" for k in range(6)]
        yield [str(name) for name in random.permutation(names)], int(random.integers(4, 9))


def _by(names: list[str], held_out: set[str]) -> tuple[list[str], list[str]]:
    return [name for name in names if name not in held_out], [name for name in names if name in held_out]


def _families_of(names: list[str], count: int, reverse: bool = False, full: bool = False) -> set[str]:
    """Return the test names where families come from the other end, or where the last that exceeds is left out."""
    held_out: set[str] = set()
    for one in sorted({family(name) for name in names}, reverse=reverse):
        members = {name for name in names if family(name) == one}
        if full and len(held_out | members) > count:
            break
        if len(held_out) < count:
            held_out |= members
    return held_out


def _as_they_come(names: list[str], count: int) -> set[str]:
    held_out: set[str] = set()
    for one in map(family, names):
        if len(held_out) < count:
            held_out |= {name for name in names if family(name) == one}
    return held_out


def _one_more(names: list[str], count: int) -> set[str]:
    held_out = _families_of(names, count)
    return _families_of(names, count + 1) if len(held_out) == count else held_out


def _by_prefix(names: list[str], count: int) -> tuple[list[str], list[str]]:
    fams = {family(name) for name in _families_of(names, count)}
    return _by(names, {name for name in names if any(name.startswith(one) for one in fams)})


def _prefix_by_prefix(names: list[str], count: int) -> tuple[list[str], list[str]]:
    test: list[str] = []
    for one in sorted({family(name) for name in names}):
        if len(test) < count:
            test += [name for name in names if name.startswith(one)]
    return [name for name in names if name not in test], test


def honest_score(validation: Scores, test: Scores) -> float:
    """Return the test score of the epoch that is best on validation; both are (epochs, images), means over images."""
    best, best_mean = 0, -1.0
    for epoch, scores in enumerate(validation):
        mean = sum(scores) / len(scores)
        if mean > best_mean:
            best, best_mean = epoch, mean
    return float(sum(test[best]) / len(test[best]))


def histories(random: np.random.Generator) -> Iterator[tuple[Scores, Scores]]:
    """Yield scores by epoch and image, of validation and test."""
    yield np.array([[0.5, 0.6], [0.7, 0.6], [0.9, 0.1]]), np.array([[0.8, 0.9], [0.6, 0.5], [0.3, 0.4]])
    yield (
        np.array([[0.2, 0.2, 0.2], [0.7, 0.8, 0.6], [0.9, 0.1, 0.1], [0.3, 0.4, 0.4]]),
        np.array([[0.1, 0.3], [0.5, 0.4], [0.2, 0.2], [0.6, 0.9]]),
    )
    yield np.array([[0.25, 0.25], [0.5, 0.5], [0.25, 0.75]]), np.array([[0.3, 0.1], [0.4, 0.2], [0.8, 0.6]])  # a tie
    for _ in range(3):
        epochs = random.integers(6, 10)
        yield random.uniform(0.2, 0.9, (epochs, 3)), random.uniform(0.2, 0.9, (epochs, random.integers(2, 5)))


def _half_width(values: Scores, quantile: float = T_FOUR, ddof: int = 1) -> float:
    return float(quantile * values.std(ddof=ddof) / len(values) ** 0.5)


FIRST, SECOND = np.array(UNET), np.array(UNETPP)
DIFFERENCES = SECOND - FIRST


EXERCISES = (
    ChoiceExercise(
        number="8.1",
        title="Find the one that does not leak",
        difficulty="easy",
        minutes=4,
        question="Which of four ways to prepare the data does not leak?",
        options={
            "a": Option(
                "cut every slice into overlapping tiles, split the tiles at random, train",
                "The tiles overlap: the same pixels stand in training and in test. Split the slices, then cut.",
            ),
            "b": Option(
                "split the slices, bend copies of the training slices, choose the epoch on the test slices",
                "No pixel crosses over, but a choice does: whoever chooses on the test images has used them.",
            ),
            "c": Option(
                "split by animal, cut tiles, bend the training tiles, choose on validation animals",
                "Yes. The split comes first and by the largest unit, and nothing is chosen on the test animals.",
                right=True,
            ),
            "d": Option(
                "bend copies, delete files that are equal to another one, split the files at random",
                "A bent copy equals no other file, byte for byte, and still shows the same cells.",
            ),
        },
    ),
    FunctionExercise(
        number="8.2",
        title="Keep families together",
        difficulty="medium",
        minutes=10,
        reference=split_families,
        cases=name_lists,
        mistakes={
            "You cut a family apart: copies of one slice stand on both sides.": lambda names, count: _by(
                names, set(sorted(names)[:count])
            ),
            "You cut the list where it stands: first find the families, then take whole ones.": lambda names, count: (
                names[count:],
                names[:count],
            ),
            "You take the families as they come: the alphabet's first ones are for the test.": lambda names, count: _by(
                names, _as_they_come(names, count)
            ),
            "The test stands family by family: keep the order in which the names are given.": lambda names, count: (
                split_families(names, count)[0],
                sorted(split_families(names, count)[1], key=family),
            ),
            "You stop too early: the test needs at least `count` names, even if its last family brings more.": (
                lambda names, count: _by(names, _families_of(names, count, full=True))
            ),
            "You go on where the test has its `count` names already.": lambda names, count: _by(
                names, _one_more(names, count)
            ),
            "You count families: `count` is a number of names.": lambda names, count: _by(
                names, {name for name in names if family(name) in sorted({family(n) for n in names})[:count]}
            ),
            "You begin with the last family of the alphabet: the first ones are for the test.": (
                lambda names, count: _by(names, _families_of(names, count, reverse=True))
            ),
            "Training and test are swapped: training comes first.": lambda names, count: split_families(names, count)[
                ::-1
            ],
            "The right names in another order: keep the order in which they are given.": lambda names, count: tuple(
                sorted(part) for part in split_families(names, count)
            ),
            "The beginning of a name does not tell its family: `s_12` begins with `s_1`.": _by_prefix,
            "`s_12` begins with `s_1` and is of another family. And keep the order in which the names are given.": (
                _prefix_by_prefix
            ),
            "The slices themselves are missing in the test: they belong to their copies' families.": (
                lambda names, count: _by(names, {n for n in _families_of(names, count) if "_copy" in n})
            ),
            "Names get lost: every name is either in training or in the test.": lambda names, count: (
                [name for name in split_families(names, count)[0] if "_copy" not in name],
                split_families(names, count)[1],
            ),
        },
    ),
    ChoiceExercise(
        number="8.3",
        title="How much do known sources add?",
        difficulty="easy",
        minutes=2,
        question="How much higher is the membrane IoU on new copies of known sources than on unseen sources?",
        options={
            "a": Option(
                "not at all: a bent copy is a new image",
                "To a pixel counter it is new. The network finds the same membranes and the same rings, a little bent.",
            ),
            "b": Option(
                "about .05",
                "More: with four sources, what the network has practised is most of what it can do.",
            ),
            "c": Option(
                "about .2",
                "More: on unseen sources it misses about half of the membrane, and calls rings membrane.",
            ),
            "d": Option(
                "more than .35",
                "Yes. Four sources are few enough to be learned by heart, and too few to learn what a membrane is.",
                right=True,
            ),
        },
        prediction=True,
    ),
    ChoiceExercise(
        number="8.4",
        title="Choose the unit",
        difficulty="medium",
        minutes=4,
        question="What is the unit of the interval that answers the question about new tissue?",
        options={
            "a": Option(
                "the pixel: 6 animals × 40 slices × 262,144 pixels",
                "Neighbouring pixels nearly always agree. An interval from 63 million of them has almost no width.",
            ),
            "b": Option(
                "the slice: 240 values",
                "Slices of one animal share its tissue, its stain and its neighbours: they are not 240 looks.",
            ),
            "c": Option(
                "the seed: 5 values, one for each training",
                "That says how far the training's chance moves the score. The animals stay the same six.",
            ),
            "d": Option(
                "the animal: 6 values, each the mean of its slices",
                "Yes. New tissue means a new animal, and of animals you have six.",
                right=True,
            ),
        },
    ),
    NumberExercise(
        number="8.5",
        title="Paired, by hand",
        difficulty="medium",
        minutes=8,
        question="half the width of the paired 95 % t-interval of UNet++ − U-Net over five seeds",
        solution=_half_width(DIFFERENCES),
        tolerance=1e-4,
        mistakes={
            "This is unpaired: first take the difference of each seed, then its spread.": float(
                T_EIGHT * ((FIRST.var(ddof=1) + SECOND.var(ddof=1)) / 5) ** 0.5
            ),
            "This is the unpaired half width, as printed above: first take the difference of each seed.": 0.087,
            "This takes t = 2.306, of two groups of five: five differences have 4 degrees of freedom, t = 2.776.": (
                _half_width(DIFFERENCES, quantile=T_EIGHT)
            ),
            "You divide by 5: a mean of five varies less by √5.": _half_width(DIFFERENCES) / 5**0.5,
            "The root is missing: the spread is the root of the mean squared deviation.": float(
                T_FOUR * DIFFERENCES.var(ddof=1) / 5**0.5
            ),
            "This is rounded too far: give at least four decimals.": 0.01,
            "This is the spread of single differences: the mean of five spreads less, by √5.": float(
                T_FOUR * DIFFERENCES.std(ddof=1)
            ),
            "Divide the squared deviations by 4, not by 5: the mean was taken from the same five values.": _half_width(
                DIFFERENCES, ddof=0
            ),
            "This takes 1.96, of very many seeds: with five, t is 2.776.": _half_width(DIFFERENCES, quantile=1.96),
            "This is the standard error: multiply by t = 2.776.": _half_width(DIFFERENCES, quantile=1),
            "This is the whole width: half of it is asked for.": 2 * _half_width(DIFFERENCES),
            "This is the mean of the differences: their interval reaches how far to each side of it?": float(
                DIFFERENCES.mean()
            ),
            "This is the standard deviation of the differences: divide by √5 and multiply by t.": float(
                DIFFERENCES.std(ddof=1)
            ),
        },
    ),
    ChoiceExercise(
        number="8.6",
        title="How long a block?",
        difficulty="medium",
        minutes=3,
        question="Which block length suits a stack of 60 slices whose scores resemble each other up to 4 slices apart?",
        options={
            "a": Option(
                "1: every slice for itself",
                "That tears neighbours apart, as if there were 60 looks. The interval comes out too narrow.",
            ),
            "b": Option(
                "2: each slice with its neighbour",
                "Slices 3 and 4 apart still resemble each other, and most blocks would end before that.",
            ),
            "c": Option(
                "6: longer than the resemblance, and ten blocks to draw",
                "Yes. What depends on each other stays together, and there are blocks enough to show a spread.",
                right=True,
            ),
            "d": Option(
                "30: the longest that is allowed",
                "Two blocks show next to no spread: whatever is drawn is nearly the whole stack.",
            ),
        },
    ),
    FunctionExercise(
        number="8.7",
        title="Choose on one side, report the other",
        difficulty="medium",
        minutes=8,
        reference=honest_score,
        cases=histories,
        mistakes={
            "You choose the epoch on the test images: they are to be looked at once.": lambda _, test: test.mean(
                axis=1
            ).max(),
            "You report the validation score: the epoch was chosen by it, so it is too good.": (
                lambda validation, _: validation.mean(axis=1).max()
            ),
            "You report the last epoch: choose the one that is best on validation.": lambda _, test: test[-1].mean(),
            "Two epochs are equally good on validation, and you take the last: the first is asked for.": (
                lambda validation, test: test[len(test) - 1 - validation.mean(axis=1)[::-1].argmax()].mean()
            ),
            "You look for the highest single score in the whole table: take the mean over the images first.": (
                lambda validation, test: test[validation.argmax()].mean()
            ),
            "You report the best test image: the mean over the test images is asked for.": lambda validation, test: (
                test[validation.mean(axis=1).argmax()].max()
            ),
            "You choose the worst epoch: these are scores, not losses.": lambda validation, test: test[
                validation.mean(axis=1).argmin()
            ].mean(),
            "You choose by the best single image: take the mean over the images first.": lambda validation, test: test[
                validation.max(axis=1).argmax()
            ].mean(),
            "You return the epoch: its test score is asked for.": lambda validation, _: validation.mean(
                axis=1
            ).argmax(),
            "You choose by validation and test together: the test images choose nothing.": lambda validation, test: (
                test[(validation.mean(axis=1) + test.mean(axis=1)).argmax()].mean()
            ),
            "You return a score for each image: the mean over the images is asked for.": lambda validation, test: test[
                validation.mean(axis=1).argmax()
            ],
            "You choose an image: axis 0 are the epochs, so the mean runs along axis 1.": lambda validation, test: test[
                validation.mean(axis=0).argmax()
            ].mean(),
            "You take means over the epochs: take those over the images, along axis 1, one for each epoch.": (
                lambda validation, test: test.mean(axis=0)[validation.mean(axis=0).argmax()]
            ),
            "You average over all epochs: choose one.": lambda _, test: test.mean(),
        },
    ),
    ChoiceExercise(
        number="8.8",
        title="Which claim holds?",
        difficulty="hard",
        minutes=5,
        question="Which sentence do the two results allow?",
        options={
            "a": Option(
                "“Ours brings more than theirs: .012 is twice .006.”",
                "The interval of .012 reaches from below 0 to .028: it is compatible with .006, and with a loss.",
            ),
            "b": Option(
                "“Ours shows no effect: the interval contains 0.”",
                "It contains 0 and .028 as well. Not to see an effect is not to see that there is none.",
            ),
            "c": Option(
                "“Theirs is significant, so their network is better on new tissue.”",
                "All five seeds were scored on one split: the interval says nothing of other tissue.",
            ),
            "d": Option(
                "“On their split, theirs is ahead by .002 to .010; ours may be ahead, equal or behind.”",
                "Yes. Each sentence stays within its interval and its unit.",
                right=True,
            ),
        },
    ),
)
