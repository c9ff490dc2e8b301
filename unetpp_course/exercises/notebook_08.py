"""The exercises of notebook 08: what leaks, what an interval speaks of, and what two results allow to be said."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

EXERCISE_8_1 = ChoiceExercise(
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
    also_wrong=[
        ("e", "by its letter"),
        (2, "by its letter"),
    ],
)


# Exercise 8.2: Keep families together


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


def divide(names, held_out):
    return [n for n in names if n not in held_out], [n for n in names if n in held_out]


def takes_families(names, count, reverse=False):
    held_out = []
    for one in sorted(set(map(family, names)), reverse=reverse):
        if len(held_out) < count:
            held_out += [n for n in names if family(n) == one]
    return held_out


def takes_single_names(names, count):
    ordered = sorted(names)
    return divide(names, ordered[:count])


def never_exceeds(names, count):
    held_out = []
    for one in sorted(set(map(family, names))):
        members = [n for n in names if family(n) == one]
        if len(held_out) + len(members) > count:
            break
        held_out += members
    return divide(names, held_out)


def takes_one_more_at_the_limit(names, count):
    held_out = []
    for one in sorted(set(map(family, names))):
        if len(held_out) <= count:
            held_out += [n for n in names if family(n) == one]
    return divide(names, held_out)


def counts_families(names, count):
    first = sorted(set(map(family, names)))[:count]
    return divide(names, [n for n in names if family(n) in first])


def begins_at_the_end(names, count):
    return divide(names, takes_families(names, count, reverse=True))


def swaps_the_parts(names, count):
    training, test = divide(names, takes_families(names, count))
    return test, training


def sorts_the_names(names, count):
    training, test = divide(names, takes_families(names, count))
    return sorted(training), sorted(test)


def compares_beginnings(names, count):
    chosen = {family(n) for n in takes_families(names, count)}
    return divide(names, [n for n in names if n.startswith(tuple(chosen))])


def compares_beginnings_by_family(names, count):
    held_out = []
    for one in sorted(set(map(family, names))):
        if len(held_out) < count:
            held_out += [n for n in names if n.startswith(one)]
    return [n for n in names if n not in held_out], held_out


def forgets_the_slices(names, count):
    return divide(names, [n for n in takes_families(names, count) if "copy" in n])


def loses_names(names, count):
    training, test = divide(names, takes_families(names, count))
    return [n for n in training if "copy" not in n], test


def cuts_the_list(names, count):
    return names[count:], names[:count]


def takes_families_as_they_come(names, count):
    held_out = []
    for one in dict.fromkeys(map(family, names)):
        if len(held_out) < count:
            held_out += [n for n in names if family(n) == one]
    return divide(names, held_out)


def keeps_the_test_by_family(names, count):
    held_out = takes_families(names, count)
    return [n for n in names if n not in held_out], held_out


def returns_sets(names, count):
    training, test = divide(names, takes_families(names, count))
    return set(training), set(test)


def returns_the_test_alone(names, count):
    return divide(names, takes_families(names, count))[1]


def forgets_to_return_a_split(names, count):
    divide(names, takes_families(names, count))


EXERCISE_8_2 = FunctionExercise(
    number="8.2",
    title="Keep families together",
    difficulty="medium",
    minutes=10,
    reference=split_families,
    cases=name_lists,
    mistakes=[
        (takes_single_names, "You cut a family apart: copies of one slice stand on both sides."),
        (cuts_the_list, "You cut the list where it stands: first find the families, then take whole ones."),
        (
            takes_families_as_they_come,
            "You take the families as they come: the alphabet's first ones are for the test.",
        ),
        (keeps_the_test_by_family, "The test stands family by family: keep the order in which the names are given."),
        (
            never_exceeds,
            "You stop too early: the test needs at least `count` names, even if its last family brings more.",
        ),
        (takes_one_more_at_the_limit, "You go on where the test has its `count` names already."),
        (counts_families, "You count families: `count` is a number of names."),
        (begins_at_the_end, "You begin with the last family of the alphabet: the first ones are for the test."),
        (swaps_the_parts, "Training and test are swapped: training comes first."),
        (sorts_the_names, "The right names in another order: keep the order in which they are given."),
        (compares_beginnings, "The beginning of a name does not tell its family: `s_12` begins with `s_1`."),
        (
            compares_beginnings_by_family,
            "`s_12` begins with `s_1` and is of another family. And keep the order in which the names are given.",
        ),
        (forgets_the_slices, "The slices themselves are missing in the test: they belong to their copies' families."),
        (loses_names, "Names get lost: every name is either in training or in the test."),
    ],
    also_wrong=[
        (returns_sets, "not a value of type set"),
        (returns_the_test_alone, "not a value of type str"),
        (forgets_to_return_a_split, "returns None"),
    ],
)


EXERCISE_8_3 = ChoiceExercise(
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
    also_wrong=[
        ("e", "by its letter"),
        (0.5, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_8_4 = ChoiceExercise(
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
    also_wrong=[
        ("animal", "by its letter"),
        (6, "by its letter"),
    ],
)


# Exercise 8.5: Paired, by hand


Scores = NDArray[np.float64]
UNET, UNETPP = (0.62, 0.70, 0.58, 0.66, 0.74), (0.64, 0.71, 0.61, 0.68, 0.75)  # of exercise 8.5, five seeds
T_FOUR, T_EIGHT = 2.776, 2.306  # Student's t, two-sided 95 %, for 4 and 8 degrees of freedom


def _half_width(values: Scores, quantile: float = T_FOUR, ddof: int = 1) -> float:
    return float(quantile * values.std(ddof=ddof) / len(values) ** 0.5)


FIRST, SECOND = np.array(UNET), np.array(UNETPP)
DIFFERENCES = SECOND - FIRST


EXERCISE_8_5 = NumberExercise(
    number="8.5",
    title="Paired, by hand",
    difficulty="medium",
    minutes=8,
    question="half the width of the paired 95 % t-interval of UNet++ − U-Net over five seeds",
    solution=_half_width(DIFFERENCES),
    tolerance=1e-4,
    mistakes=[
        (
            float(T_EIGHT * ((FIRST.var(ddof=1) + SECOND.var(ddof=1)) / 5) ** 0.5),
            "This is unpaired: first take the difference of each seed, then its spread.",
        ),
        (0.087, "This is the unpaired half width, as printed above: first take the difference of each seed."),
        (
            _half_width(DIFFERENCES, quantile=T_EIGHT),
            "This takes t = 2.306, of two groups of five: five differences have 4 degrees of freedom, t = 2.776.",
        ),
        (_half_width(DIFFERENCES) / 5**0.5, "You divide by 5: a mean of five varies less by √5."),
        (
            float(T_FOUR * DIFFERENCES.var(ddof=1) / 5**0.5),
            "The root is missing: the spread is the root of the mean squared deviation.",
        ),
        (0.01, "This is rounded too far: give at least four decimals."),
        (
            float(T_FOUR * DIFFERENCES.std(ddof=1)),
            "This is the spread of single differences: the mean of five spreads less, by √5.",
        ),
        (
            _half_width(DIFFERENCES, ddof=0),
            "Divide the squared deviations by 4, not by 5: the mean was taken from the same five values.",
        ),
        (_half_width(DIFFERENCES, quantile=1.96), "This takes 1.96, of very many seeds: with five, t is 2.776."),
        (_half_width(DIFFERENCES, quantile=1), "This is the standard error: multiply by t = 2.776."),
        (2 * _half_width(DIFFERENCES), "This is the whole width: half of it is asked for."),
        (
            float(DIFFERENCES.mean()),
            "This is the mean of the differences: their interval reaches how far to each side of it?",
        ),
        (
            float(DIFFERENCES.std(ddof=1)),
            "This is the standard deviation of the differences: divide by √5 and multiply by t.",
        ),
    ],
    also_wrong=[
        (0.02323, "by √5"),
        (0.00929, "by 4, not by 5"),
        (0.00733, "of very many seeds"),
        (0.00374, "standard error"),
        (0.02077, "whole width"),
        (0.00837, "standard deviation"),
        ((0.0076, 0.0284), "one number"),
        (0.00863, "two groups of five"),
        (0.00465, "divide by 5"),
        (0.000087, "root is missing"),
    ],
)


EXERCISE_8_6 = ChoiceExercise(
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
    also_wrong=[
        (6, "by its letter"),
        ("e", "by its letter"),
    ],
)


# Exercise 8.7: Choose on one side, report the other


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


def looks_at_the_test(validation, test):
    return max(epoch.mean() for epoch in test)


def reports_validation(validation, test):
    return max(epoch.mean() for epoch in validation)


def reports_the_last(validation, test):
    return test.mean(axis=1)[-1]


def minimises(validation, test):
    return test.mean(axis=1)[validation.mean(axis=1).argmin()]


def chooses_by_one_image(validation, test):
    return test[validation.max(axis=1).argmax()].mean()


def returns_the_epoch(validation, test):
    return int(validation.mean(axis=1).argmax())


def mixes_both(validation, test):
    return test[(validation.mean(axis=1) + test.mean(axis=1)).argmax()].mean()


def forgets_the_last_mean(validation, test):
    return test[validation.mean(axis=1).argmax()]


def takes_the_wrong_axis(validation, test):
    return test[validation.mean(axis=0).argmax()].mean()


def averages_epochs(validation, test):
    return test.mean(axis=1).mean()


def forgets_to_return_a_score(validation, test):
    test[validation.mean(axis=1).argmax()].mean()


def asks_a_list(validation, test):
    return test[validation.mean(axis=1).index(0.5)].mean()


def chooses_in_a_flat_list(validation, test):
    return test[validation.argmax()].mean()


def takes_the_last_of_equals(validation, test):
    means = validation.mean(axis=1)
    return test[[epoch for epoch, mean in enumerate(means) if mean == means.max()][-1]].mean()


def averages_along_the_epochs(validation, test):
    return test.mean(axis=0)[validation.mean(axis=0).argmax()]


def reports_the_best_image(validation, test):
    return test[validation.mean(axis=1).argmax()].max()


def asks_torch_for_a_dim(validation, test):
    return test[validation.mean(dim=1).argmax()].mean()


EXERCISE_8_7 = FunctionExercise(
    number="8.7",
    title="Choose on one side, report the other",
    difficulty="medium",
    minutes=8,
    reference=honest_score,
    cases=histories,
    mistakes=[
        (looks_at_the_test, "You choose the epoch on the test images: they are to be looked at once."),
        (reports_validation, "You report the validation score: the epoch was chosen by it, so it is too good."),
        (reports_the_last, "You report the last epoch: choose the one that is best on validation."),
        (
            takes_the_last_of_equals,
            "Two epochs are equally good on validation, and you take the last: the first is asked for.",
        ),
        (
            chooses_in_a_flat_list,
            "You look for the highest single score in the whole table: take the mean over the images first.",
        ),
        (reports_the_best_image, "You report the best test image: the mean over the test images is asked for."),
        (minimises, "You choose the worst epoch: these are scores, not losses."),
        (chooses_by_one_image, "You choose by the best single image: take the mean over the images first."),
        (returns_the_epoch, "You return the epoch: its test score is asked for."),
        (mixes_both, "You choose by validation and test together: the test images choose nothing."),
        (forgets_the_last_mean, "You return a score for each image: the mean over the images is asked for."),
        (takes_the_wrong_axis, "You choose an image: axis 0 are the epochs, so the mean runs along axis 1."),
        (
            averages_along_the_epochs,
            "You take means over the epochs: take those over the images, along axis 1, one for each epoch.",
        ),
        (averages_epochs, "You average over all epochs: choose one."),
    ],
    also_wrong=[
        (forgets_to_return_a_score, "returns None"),
        (asks_a_list, "raises AttributeError in line 2"),
        (asks_torch_for_a_dim, "raises TypeError in line 2"),
    ],
)


EXERCISE_8_8 = ChoiceExercise(
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
    also_wrong=[
        ("e", "by its letter"),
        (0.012, "by its letter"),
    ],
)


EXERCISES = (
    EXERCISE_8_1,
    EXERCISE_8_2,
    EXERCISE_8_3,
    EXERCISE_8_4,
    EXERCISE_8_5,
    EXERCISE_8_6,
    EXERCISE_8_7,
    EXERCISE_8_8,
)
