"""The exercises of the optional notebook 27: pairs that are none, and how many seeds an interval needs."""

from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np
from scipy.stats import t

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option

EXERCISE_27_1 = ChoiceExercise(
    number="27.1",
    title="A precise interval",
    difficulty="medium",
    minutes=4,
    question="Why is the colleague's interval narrower?",
    options={
        "a": Option(
            "Sorting changes the mean of the differences.",
            "Compare the two lines: the mean is the same. Whatever is paired with what, all ten scores are in it.",
        ),
        "b": Option(
            "Five pairs are too few. With more seeds, the two intervals would agree.",
            "With more seeds both get narrower, and the sorted one stays narrower: it measures something else.",
        ),
        "c": Option(
            "Sorting removes noise that has nothing to do with the networks, so this interval is the better one.",
            "Try it on two lists of pure chance: sorting makes them agree as well. What it removes is the evidence.",
        ),
        "d": Option(
            "Sorting pairs the best with the best, whatever their seeds are.",
            "Yes. Two sorted lists always rise together, whatever is in them. The agreement was made by the sorting.",
            right=True,
        ),
    },
    also_wrong=[("e", "by its letter"), (0.01, "by its letter")],
)


# Exercise 27.2: How many seeds?


def seeds_needed(differences: Sequence[float], half_width: float) -> int:
    """Return the smallest number of seeds, from 2 on, whose 95 % t-interval reaches at most so far to each side."""
    mean = sum(differences) / len(differences)
    spread = (sum((value - mean) ** 2 for value in differences) / (len(differences) - 1)) ** 0.5
    seeds = 2
    while float(t.ppf(0.975, seeds - 1)) * spread / seeds**0.5 > half_width:
        seeds += 1
    return seeds


def drawn_differences(random: np.random.Generator) -> Iterator[tuple[list[float], float]]:
    """Yield differences of pairs, and how far the interval may reach."""
    yield [0.01, 0.03, -0.02, 0.02, 0.01], 0.01
    yield [0.02, 0.04, -0.01, 0.03, 0.02], 0.005
    yield [0.01, 0.02, 0.01, 0.02], 0.02
    yield [0.30, 0.10, 0.20, -0.10, 0.15, 0.05], 0.05
    yield [0.02, 0.02, 0.06, 0.0, 0.04], 0.06
    yield [0.01, 0.03, -0.02, 0.02, 0.01], 0.003
    for count in (3, 5, 9):
        yield [float(value) for value in random.normal(0.01, 0.03, count).round(3)], 0.012


def search(spread, half_width, quantile=0.975, root=0.5, freedoms=1, first=2):
    n = first
    while t.ppf(quantile, n - freedoms) * spread / n**root > half_width:
        n += 1
    return n


def takes_the_normal_quantile(differences, half_width):
    return max(2, ceil((1.96 * np.std(differences, ddof=1) / half_width) ** 2))


def takes_t_of_five(differences, half_width):
    n = 2
    while 2.776 * np.std(differences, ddof=1) / n**0.5 > half_width:
        n += 1
    return n


def takes_t_of_the_measured(differences, half_width):
    quantile = t.ppf(0.975, len(differences) - 1)
    return max(2, ceil((quantile * np.std(differences, ddof=1) / half_width) ** 2))


def divides_by_all(differences, half_width):
    return search(np.std(differences), half_width)


def forgets_the_root(differences, half_width):
    return search(np.std(differences, ddof=1), half_width, root=1)


def takes_the_whole_width(differences, half_width):
    n = 2
    while 2 * t.ppf(0.975, n - 1) * np.std(differences, ddof=1) / n**0.5 > half_width:
        n += 1
    return n


def takes_one_side(differences, half_width):
    return search(np.std(differences, ddof=1), half_width, quantile=0.95)


def takes_n_freedoms(differences, half_width):
    return search(np.std(differences, ddof=1), half_width, freedoms=0)


def stops_before(differences, half_width):
    return search(np.std(differences, ddof=1), half_width) - 1


def goes_one_further(differences, half_width):
    return search(np.std(differences, ddof=1), half_width) + 1


def counts_further_seeds(differences, half_width):
    return search(np.std(differences, ddof=1), half_width) - len(differences)


def begins_at_the_measured(differences, half_width):
    return search(np.std(differences, ddof=1), half_width, first=len(differences))


def solves_with_196(differences, half_width):
    return ceil((1.96 * np.std(differences, ddof=1) / half_width) ** 2)


def solves_with_the_measured(differences, half_width):
    return ceil((t.ppf(0.975, len(differences) - 1) * np.std(differences, ddof=1) / half_width) ** 2)


def begins_at_1(differences, half_width):
    return search(np.std(differences, ddof=1), half_width, first=1)


def takes_the_first_differences(differences, half_width):
    n = 2
    while t.ppf(0.975, n - 1) * np.std(differences[:n], ddof=1) / n**0.5 > half_width:
        n += 1
    return n


def asks_when_0_is_left(differences, half_width):
    return search(np.std(differences, ddof=1), abs(np.mean(differences)))


def forgets_to_return_a_number(differences, half_width):
    search(np.std(differences, ddof=1), half_width)


def divides_a_list(differences, half_width):
    return differences / half_width


EXERCISE_27_2 = FunctionExercise(
    number="27.2",
    title="How many seeds?",
    difficulty="medium",
    minutes=10,
    reference=seeds_needed,
    cases=drawn_differences,
    mistakes=[
        (takes_the_normal_quantile, "1.96 is for very many seeds: t depends on the number that you try."),
        (takes_t_of_five, "You take 2.776, which is t for five seeds: it depends on the number that you try."),
        (
            takes_t_of_the_measured,
            "You take t for the seeds that were measured: it depends on the number that you try.",
        ),
        (divides_by_all, "The spread is too small: divide by one less than there are differences (`ddof=1`)."),
        (forgets_the_root, "You divide the spread by the number of seeds: divide by its root."),
        (takes_the_whole_width, "`half_width` is how far it reaches to *each* side, not from end to end."),
        (takes_one_side, "You take `ppf(0.95, …)`: 95 % in the middle leave 2.5 % on either side."),
        (
            takes_n_freedoms,
            "You take n degrees of freedom: n values have n − 1, because the mean comes from the same values.",
        ),
        (stops_before, "One too few: return the first number whose interval is narrow enough."),
        (goes_one_further, "One too many: return the first number whose interval is narrow enough."),
        (counts_further_seeds, "These are further seeds: count the measured ones too."),
        (
            solves_with_196,
            "1.96 is for very many seeds, and this may return 1: t depends on the number that you try, from 2 on.",
        ),
        (
            solves_with_the_measured,
            "You take t for the seeds that were measured, and may return 1: it depends on the number, from 2 on.",
        ),
        (begins_at_1, "You begin at n = 1: there t is not a number, and no comparison with it is true. Begin at 2."),
        (
            takes_the_first_differences,
            "You take the spread of the first n differences: take all that were measured.",
        ),
        (asks_when_0_is_left, "You ask when the interval leaves 0: ask when it reaches at most `half_width`."),
        (begins_at_the_measured, "You begin at the seeds that were measured: fewer may be enough."),
    ],
    also_wrong=[
        (forgets_to_return_a_number, "returns None"),
        (divides_a_list, "raises TypeError in line 2"),
    ],
)


EXERCISES = (EXERCISE_27_1, EXERCISE_27_2)
