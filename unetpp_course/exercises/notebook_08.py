"""The exercises of notebook 08: what differs, what leaks, an interval that covers, pairs, and what may be claimed."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from scipy.stats import t as student
from scipy.stats import ttest_ind
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option
from unetpp_course.checks.comparison import alike
from unetpp_course.checks.isolation import Call
from unetpp_course.checks.verdict import GENERIC
from unetpp_course.lab.intervals import Interval, t_interval

Bounds = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class SplitExercise(FunctionExercise):
    """A function that splits names; a wrong split is told by a name that is on the wrong side."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        fault = super()._fault(call, right, answer)
        if fault == GENERIC and _is_in_other_order(right, call.value):
            return "The files are right, but not in the order of `names`. (Was there a set? It has no order.)"
        return (fault and split_fault(call)) or fault


def _is_in_other_order(right: object, value: object) -> bool:
    parts = [one for pair in (right, value) if isinstance(pair, list | tuple) for one in pair if isinstance(one, list)]
    return len(parts) == 4 and [Counter(one) for one in parts[:2]] == [Counter(one) for one in parts[2:]]


def split_fault(call: Call) -> str:
    """Return a sentence on a split that leaks, or that loses or misplaces a name; "" for anything but two lists."""
    if call.error is not None or not isinstance(call.value, list | tuple) or len(call.value) != 2:
        return ""
    if not all(isinstance(part, list | tuple) and all(isinstance(name, str) for name in part) for part in call.value):
        return ""
    names, held_out = call.given
    training, test = call.value
    for name in test:
        sibling = next((other for other in training if family(other) == family(name)), None)
        if sibling is not None:
            return f"A leak: `{name}` is in the test and `{sibling}` in training, and both show the same slice."
    for part, title in ((training, "training"), (test, "the test")):
        for name in part:
            if part.count(name) > names.count(name):
                return f"`{name}` is {part.count(name)} times in {title}."
    for name in names:
        side = "the test" if family(name) in held_out else "training"
        if name not in training and name not in test:
            return f"`{name}` is in neither list. It belongs to {side}."
        if name not in (test if side == "the test" else training):
            return f"`{name}` belongs to {side}."
    return ""


@dataclass(frozen=True, kw_only=True)
class EndsExercise(FunctionExercise):
    """A function that returns the ends of an interval, as a pair or as an array of two."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        value = call.value
        if isinstance(value, Interval):
            return "Return a pair, not the interval itself: `(found.low, found.high)`, where it is called `found`."
        if isinstance(value, np.ndarray | Tensor) and value.shape == (2,):
            call = replace(call, value=value.tolist())
        fault = super()._fault(call, right, answer)
        ends = right if isinstance(right, tuple) else ()
        if fault and any(alike([round(end, digits) for end in ends], call.value, 1e-9) for digits in range(1, 6)):
            return "These are the right ends, but rounded: return them with all their digits."
        return fault.replace("should be a tuple", "should be a pair of numbers")


EXERCISE_8_1 = ChoiceExercise(
    number="8.1",
    title="What differs besides the network?",
    difficulty="medium",
    minutes=4,
    question="Which U-Net differs from the report's UNet++ in the network alone?",
    options={
        "a": Option(
            "Adam, BCE on logits, dropout 0.5 after every block, scored at p > 0.5",
            "The loss still differs: UNet++ was trained with ½ BCE + Dice.",
        ),
        "b": Option(
            "Adam, ½ BCE + Dice, dropout 0.25 / 0.5, scored at p > 0.5",
            "The dropout still differs: UNet++ has 0.5 after every block.",
        ),
        "c": Option(
            "Adam, ½ BCE + Dice, dropout 0.5 after every block, scored at p > 0.5",
            "Now whatever the two scores differ by is the network's doing, or chance.",
            right=True,
        ),
        "d": Option(
            "Adam, ½ BCE + Dice, dropout 0.5 after every block, scored at logit > 0.5",
            "The threshold still differs: a logit of 0.5 is a probability of 0.622, so fewer pixels become white.",
        ),
        "e": Option(
            "SGD with momentum, ½ BCE + Dice, dropout 0.5 after every block, scored at p > 0.5",
            "The optimiser still differs: UNet++ was trained with Adam.",
        ),
    },
    also_wrong=[
        ("f", "by its letter"),
        ({"optimiser", "loss"}, "by its letter"),
    ],
)


# Exercise 8.2: Keep families together


def family(name: str) -> str:
    """Return the slice that a name belongs to: "slice_3" for "slice_3_copy12"."""
    return name.partition("_copy")[0]


def split_families(names: Sequence[str], held_out: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return training and test names: those of the slices ``held_out`` and of their copies are for the test."""
    training: list[str] = []
    test: list[str] = []
    for name in names:
        (test if family(name) in held_out else training).append(name)
    return training, test


def name_lists(random: np.random.Generator) -> Iterator[tuple[list[str], list[str]]]:
    """Yield slices with copies, in no order, and the slices to hold out."""
    yield ["slice_1", "slice_2", "slice_1_copy1", "slice_2_copy1", "slice_1_copy2"], ["slice_1"]
    yield ["slice_10_copy1", "slice_1_copy13", "slice_1", "slice_10", "slice_2", "slice_1_copy9"], ["slice_1"]
    yield ["07_copy2", "05", "07_copy12", "06_copy1", "05_copy10"], ["07", "05"]
    yield ["a", "a7", "a_copy1", "a7_copy2"], ["a"]
    yield ["c_3_copy1", "c", "c_3", "c_copy2"], ["c"]
    yield ["b_copy3", "ab", "a_copy11", "a", "ab_copy1", "b"], ["b"]
    for _ in range(3):
        slices = [f"slice_{k}" for k in range(1, 13)]
        names = slices + [f"{one}_copy{copy}" for one in slices for copy in random.permutation(15)[:4] + 1]
        held_out = random.permutation(slices)[: random.integers(2, 5)]
        yield [str(name) for name in random.permutation(names)], [str(name) for name in held_out]


def divide(names, chosen):
    return [n for n in names if n not in chosen], [n for n in names if n in chosen]


def whole_families(names, held_out):
    return [n for n in names if family(n) in held_out]


def moves_the_slices_alone(names, held_out):
    return divide(names, held_out)


def scores_the_slices_alone(names, held_out):
    return [n for n in names if family(n) not in held_out], [n for n in names if n in held_out]


def tests_the_copies_alone(names, held_out):
    return [n for n in names if family(n) not in held_out], [n for n in whole_families(names, held_out) if "copy" in n]


def trains_on_slices_alone(names, held_out):
    training, test = divide(names, whole_families(names, held_out))
    return [n for n in training if "copy" not in n], test


def compares_beginnings(names, held_out):
    return divide(names, [n for n in names if n.startswith(tuple(held_out))])


def looks_inside_the_name(names, held_out):
    return divide(names, [n for n in names if any(one in n for one in held_out)])


def expects_one_digit(names, held_out):
    return divide(names, [n for n in names if re.sub(r"_copy\d$", "", n) in held_out])


def cuts_at_the_first_underscore(names, held_out):
    return divide(names, [n for n in names if n.split("_")[0] in held_out])


def cuts_at_the_last_underscore(names, held_out):
    return divide(names, [n for n in names if n.rsplit("_", 1)[0] in held_out])


def shortens_both(names, held_out):
    firsts = [one.split("_")[0] for one in held_out]
    return divide(names, [n for n in names if n.split("_")[0] in firsts])


def cuts_at_the_last_underscore_too(names, held_out):
    return divide(names, [n for n in names if n in held_out or n.rsplit("_", 1)[0] in held_out])


def strips_letters(names, held_out):
    return divide(names, [n for n in names if n.rstrip("0123456789").removesuffix("_copy") in held_out])


def strips_letters_of_copies(names, held_out):
    return divide(
        names, [n for n in names if n in held_out or n.rstrip("0123456789").removesuffix("_copy") in held_out]
    )


def builds_sets(names, held_out):
    test = set(whole_families(names, held_out))
    return sorted(set(names) - test, key=lambda n: n[::-1]), sorted(test, key=lambda n: n[::-1])


def holds_out_the_first_family(names, held_out):
    return divide(names, whole_families(names, held_out[:1]))


def swaps_the_parts(names, held_out):
    return divide(names, whole_families(names, held_out))[::-1]


def sorts_the_names(names, held_out):
    training, test = divide(names, whole_families(names, held_out))
    return sorted(training), sorted(test)


def names_one_twice(names, held_out):
    training, test = divide(names, whole_families(names, held_out))
    return training, test + test[:1]


def goes_family_by_family(names, held_out):
    test = [n for one in held_out for n in names if family(n) == one]
    return [n for n in names if n not in test], test


def keeps_all_in_training(names, held_out):
    return list(names), whole_families(names, held_out)


def returns_sets(names, held_out):
    return tuple(set(part) for part in divide(names, whole_families(names, held_out)))


def returns_the_test_alone(names, held_out):
    return whole_families(names, held_out)


def returns_a_dictionary(names, held_out):
    training, test = divide(names, whole_families(names, held_out))
    return {"training": training, "test": test}


def removes_from_the_list(names, held_out):
    test = whole_families(names, held_out)
    for name in test:
        names.remove(name)
    return names, test


def forgets_to_return_a_split(names, held_out):
    divide(names, whole_families(names, held_out))


EXERCISE_8_2 = SplitExercise(
    number="8.2",
    title="Keep families together",
    difficulty="easy",
    minutes=6,
    reference=split_families,
    cases=name_lists,
    mistakes=[
        (
            moves_the_slices_alone,
            "The copies of the held-out slices are still in training. That is the leak: they show the same cells.",
        ),
        (scores_the_slices_alone, "The copies of the held-out slices are lost: whole families go to the test."),
        (tests_the_copies_alone, "The held-out slices themselves are lost: whole families go to the test."),
        (trains_on_slices_alone, "The copies of the training slices are lost: only the held-out families leave."),
        (
            compares_beginnings,
            "The beginning of a name does not tell its family: `slice_10` begins with `slice_1`, but is another slice.",
        ),
        (
            looks_inside_the_name,
            "A name may contain another one by chance: `slice_1` is in `slice_10`, and `b` is in `ab`.",
        ),
        (
            expects_one_digit,
            "Copies with two digits, such as `slice_1_copy13`, are still in training: a leak. A copy's number may be "
            "of any length.",
        ),
        (
            cuts_at_the_first_underscore,
            "You cut at the first underscore, but the names of slices have one, too: `slice_1` becomes `slice`.",
        ),
        (
            cuts_at_the_last_underscore,
            "You cut at the last underscore of every name, also of one that is no copy: `slice_1` becomes `slice`.",
        ),
        (
            cuts_at_the_last_underscore_too,
            "You cut every name at its last underscore: a slice named `c_3` then belongs to the slice `c`. Cut at "
            "`_copy`.",
        ),
        (
            shortens_both,
            "You cut at the first underscore, so all names that begin with `slice` become one family.",
        ),
        (
            strips_letters,
            "You take the digits away from the end of every name, also of one that is no copy: `slice_1` becomes "
            "`slice_`.",
        ),
        (
            strips_letters_of_copies,
            "You take the digits away from the end of every name, also of one that is no copy: `a7` becomes `a`.",
        ),
        (holds_out_the_first_family, "Only the first of the held-out slices goes to the test: all of them should."),
        (swaps_the_parts, "Training and test are swapped: training comes first."),
        (sorts_the_names, "These are the right names in another order: keep the order in which they are given."),
        (
            goes_family_by_family,
            "The test is in the order of `held_out`. Keep the order in which the names are given.",
        ),
        (keeps_all_in_training, "The test names are still in training, too. That is the largest leak there is."),
    ],
    also_wrong=[
        (returns_sets, "not a set"),
        (names_one_twice, "times in the test"),
        (builds_sets, "not in the order of `names`"),
        (returns_the_test_alone, "The answer has length"),
        (returns_a_dictionary, "not a dictionary"),
        (removes_from_the_list, "changes what it is given"),
        (forgets_to_return_a_split, "returns None"),
    ],
)


EXERCISE_8_3 = ChoiceExercise(
    number="8.3",
    title="What is a leak worth here?",
    difficulty="easy",
    minutes=2,
    question="How much higher is the membrane IoU on new copies of known images than on unseen images?",
    options={
        "a": Option(
            "hardly: a copy that is bent like this is a new image",
            "To somebody who compares pixels it is new. The network finds the same membranes again, a little bent.",
        ),
        "b": Option(
            "by more than 0.35: most of what the network learned were these images",
            "The mean of five runs is 0.44. Four images are easily memorised, and too few to learn from.",
            right=True,
        ),
        "c": Option(
            "by about 0.05, as on the real slices",
            "It is far more. On the real slices there were six times as many images to learn from, and larger ones.",
        ),
        "d": Option(
            "by about 0.15, three times as much as on the real slices",
            "The direction is right, but it is far more: look at what your network makes of the unseen image.",
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
    difficulty="easy",
    minutes=3,
    question="What is the unit of an interval that answers the question about new animals?",
    options={
        "a": Option(
            "the animal: 6 values, each the mean of its slices and runs",
            "New tissue means a new animal, and you have looked at six.",
            right=True,
        ),
        "b": Option(
            "the slice: 240 values, each the mean of the five runs",
            "Slices of one animal share its tissue and its stain: they are not 240 independent looks.",
        ),
        "c": Option(
            "the pixel: 6 animals × 40 slices × 262,144 pixels",
            "Neighbouring pixels nearly always agree. An interval from 63 million of them has almost no width.",
        ),
        "d": Option(
            "the training run: 5 values, each the mean of all 240 slices",
            "This interval says how far chance in the training moves the score. The animals are always the same six.",
        ),
    },
    also_wrong=[
        ("animal", "by its letter"),
        (6, "by its letter"),
    ],
)


EXERCISE_8_5 = ChoiceExercise(
    number="8.5",
    title="Does it keep its promise?",
    difficulty="medium",
    minutes=2,
    question="Of 100 intervals of 95 % from sixty neighbouring slices, how many contain the true mean?",
    options={
        "a": Option(
            "about 95: that is what it promises",
            "The promise is for independent values. These are neighbours, and far fewer intervals contain the truth.",
        ),
        "b": Option(
            "about 85: neighbours are alike, and that costs something",
            "The direction is right, but it costs much more: sixty such slices are worth about eleven.",
        ),
        "c": Option(
            "nearly all: sixty values are plenty",
            "The more values it believes to have, the narrower the interval. That is what goes wrong here.",
        ),
        "d": Option(
            "about 60: it is little better than tossing a coin",
            "Of these 2000 it is 59 %. Sixty such slices are worth about eleven, and the formula counts sixty.",
            right=True,
        ),
        "e": Option(
            "about 25: with neighbours it is almost always wrong",
            "It is not as bad as that, but bad enough: somewhat more than half contain the truth.",
        ),
    },
    also_wrong=[
        (59, "by its letter"),
        ("59 %", "by its letter"),
    ],
    prediction=True,
)


# Exercise 8.6: An interval that covers


def unit_interval(scores: Sequence[float], units: Sequence[Hashable]) -> Bounds:
    """Return the ends of the 95 % t-interval of the units' means; ``units`` says to which unit each score belongs."""
    collected: dict[Hashable, list[float]] = {}
    for score, unit in zip(scores, units, strict=True):
        collected.setdefault(unit, []).append(float(score))
    means = [sum(values) / len(values) for values in collected.values()]
    count = len(means)
    centre = sum(means) / count
    spread = (sum((mean - centre) ** 2 for mean in means) / (count - 1)) ** 0.5
    half = float(student.ppf(0.975, count - 1)) * spread / count**0.5
    return centre - half, centre + half


def scored_units(random: np.random.Generator) -> Iterator[tuple[list[float], list[str] | list[int]]]:
    """Yield scores and the unit of each, mixed, with different numbers of scores for the units."""
    yield [0.5, 0.8, 0.7, 0.9, 0.6, 0.62], ["cat", "dog", "cat", "dog", "dog", "owl"]
    yield [0.61, 0.64, 0.58, 0.7], [0, 1, 2, 3]
    yield [0.3, 0.5, 0.4, 0.8, 0.6, 0.7, 0.2], [3, 3, 1, 1, 2, 2, 3]
    for _ in range(4):
        count = int(random.integers(4, 9))
        units = random.permutation(np.repeat(np.arange(count), random.integers(1, 7, count)))
        scores = random.uniform(0.4, 0.9, count)[units] + random.normal(0, 0.03, len(units))
        yield [round(float(score), 4) for score in scores], [int(unit) for unit in units]


def unit_means(scores, units):
    return np.array([np.mean([s for s, u in zip(scores, units) if u == one]) for one in sorted(set(units))])


def bounds(centre, half):
    return float(centre - half), float(centre + half)


def half_of(means, quantile=None, ddof=1):
    quantile = student.ppf(0.975, len(means) - 1) if quantile is None else quantile
    return quantile * means.std(ddof=ddof) / len(means) ** 0.5


def takes_scores_as_independent(scores, units):
    return bounds(np.mean(scores), half_of(np.array(scores)))


def centres_on_all_scores(scores, units):
    return bounds(np.mean(scores), half_of(unit_means(scores, units)))


def counts_scores_for_t(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, student.ppf(0.975, len(scores) - 1)))


def takes_all_degrees(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, student.ppf(0.975, len(means))))


def takes_the_normal(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, 1.96))


def takes_the_normal_exactly(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, 1.959963984540054))


def counts_scores_throughout(scores, units):
    n, means = len(scores), unit_means(scores, units)
    return bounds(means.mean(), student.ppf(0.975, n - 1) * means.std(ddof=1) / n**0.5)


def expects_units_of_one_size(scores, units):
    means = np.reshape(scores, (len(set(units)), -1)).mean(axis=1)
    return bounds(means.mean(), half_of(means))


def takes_the_printed_t(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, 2.78))


def rounds_the_ends(scores, units):
    low, high = unit_interval(scores, units)
    return round(low, 3), round(high, 3)


def takes_t_of_five(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, 2.776))


def takes_both_tails_in_one(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, student.ppf(0.95, len(means) - 1)))


def forgets_the_quantile(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, 1))


def divides_by_all(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means, ddof=0))


def forgets_the_root(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means) * len(means) ** 0.5)


def divides_by_the_count(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means) / len(means) ** 0.5)


def divides_by_the_scores(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means) * (len(means) / len(scores)) ** 0.5)


def spreads_all_scores(scores, units):
    means = unit_means(scores, units)
    spread = np.std(scores, ddof=1) / len(means) ** 0.5
    return bounds(means.mean(), student.ppf(0.975, len(means) - 1) * spread)


def takes_the_middle_of_the_means(scores, units):
    low, high = np.quantile(unit_means(scores, units), [0.025, 0.975])
    return float(low), float(high)


def takes_the_variance(scores, units):
    means = unit_means(scores, units)
    return bounds(means.mean(), half_of(means) * means.std(ddof=1))


def adds_the_scores(scores, units):
    sums = np.array([sum(s for s, u in zip(scores, units) if u == one) for one in sorted(set(units))])
    return bounds(sums.mean(), half_of(sums))


def takes_medians(scores, units):
    medians = [np.median([s for s, u in zip(scores, units) if u == one]) for one in sorted(set(units))]
    return bounds(np.mean(medians), half_of(np.array(medians)))


def joins_neighbours_alone(scores, units):
    runs = [[s for s, _ in run] for _, run in groupby(zip(scores, units), key=lambda pair: pair[1])]
    means = np.array([np.mean(run) for run in runs])
    return bounds(means.mean(), half_of(means))


def keeps_the_last_score(scores, units):
    last = np.array(list(dict(zip(units, scores)).values()))
    return bounds(last.mean(), half_of(last))


def gives_the_range(scores, units):
    means = unit_means(scores, units)
    return float(means.min()), float(means.max())


def gives_mean_and_half(scores, units):
    means = unit_means(scores, units)
    return float(means.mean()), float(half_of(means))


def gives_the_high_end_first(scores, units):
    return unit_interval(scores, units)[::-1]


def returns_the_librarys_interval(scores, units):
    return t_interval(list(unit_means(scores, units)))


def returns_three_numbers(scores, units):
    low, high = unit_interval(scores, units)
    return (low + high) / 2, low, high


def returns_half_the_width(scores, units):
    return float(half_of(unit_means(scores, units)))


def forgets_to_return_the_ends(scores, units):
    unit_interval(scores, units)


EXERCISE_8_6 = EndsExercise(
    number="8.6",
    title="An interval that covers",
    difficulty="hard",
    minutes=10,
    reference=unit_interval,
    cases=scored_units,
    mistakes=[
        (
            takes_scores_as_independent,
            "You take every score as independent. That is the interval that fails: take the mean of each unit first.",
        ),
        (
            centres_on_all_scores,
            "The width is right, but the centre is the mean of all scores, in which a unit with many scores counts "
            "more. It should be the mean of the units' means.",
        ),
        (
            counts_scores_for_t,
            "The degrees of freedom are those of the scores. There are as many as units, minus 1.",
        ),
        (takes_all_degrees, "The degrees of freedom are the number of units minus 1, not the number of units."),
        (takes_the_normal, "1.96 is for very many units. With few, take Student's t, which is larger."),
        (
            takes_the_normal_exactly,
            "You take the normal distribution. With few units, take Student's t, which is larger.",
        ),
        (
            counts_scores_throughout,
            "The spread is that of the units' means, but n is the number of scores. It is the number of units, both "
            "under the root and in t.",
        ),
        (
            expects_units_of_one_size,
            "You cut the scores into pieces of one size. Units may come in any order, and have different numbers of "
            "scores: collect by `units`.",
        ),
        (takes_the_printed_t, "2.78 is for five units. Look t up for the number of units that you are given."),
        (takes_t_of_five, "2.776 is for five units. Look t up for the number of units that you are given."),
        (
            takes_both_tails_in_one,
            "This is an interval of 90 %: 5 % lie above ppf(0.95), and another 5 % below the low end. Take 0.975.",
        ),
        (forgets_the_quantile, "This is the mean plus and minus one standard error: multiply it by t."),
        (
            divides_by_all,
            "Divide the squared deviations by the number of units minus 1 (`ddof=1`), because the mean comes from the "
            "same values.",
        ),
        (
            forgets_the_root,
            "This is the spread of single units. Their mean varies less: divide by the root of their number.",
        ),
        (divides_by_the_count, "You divide by the number of units: divide by its root."),
        (
            divides_by_the_scores,
            "You divide by the root of the number of scores. The mean is of units: divide by the root of their number.",
        ),
        (spreads_all_scores, "The spread is that of all scores: take that of the units' means."),
        (
            takes_the_middle_of_the_means,
            "These are percentiles of the units. They say where single units lie, not how sure their mean is.",
        ),
        (takes_the_variance, "You multiply by the variance: take its root, the standard deviation."),
        (adds_the_scores, "You add the scores of each unit up: take their mean."),
        (takes_medians, "You take the median of each unit: take the mean."),
        (
            joins_neighbours_alone,
            "A unit whose scores are not side by side becomes several units. (`itertools.groupby` needs them sorted.)",
        ),
        (keeps_the_last_score, "Only the last score of each unit counts: take the mean of all its scores."),
        (gives_the_range, "These are the lowest and the highest unit: their mean varies less than that."),
        (gives_mean_and_half, "This is the mean and half the width: return the low end and the high end."),
        (
            gives_the_high_end_first,
            "The ends are swapped: the low one comes first. (`stats.t.ppf(0.025, …)` is negative: take `0.975`.)",
        ),
    ],
    also_wrong=[
        (returns_the_librarys_interval, "Return a pair, not the interval itself"),
        (rounds_the_ends, "but rounded"),
        (returns_three_numbers, "has length 3; it should have length 2"),
        (returns_half_the_width, "not a number"),
        (forgets_to_return_the_ends, "returns None"),
    ],
)


# Exercise 8.7: In pairs

Scores = Mapping[Hashable, float]


def paired_interval(one: Scores, other: Scores) -> Bounds:
    """Return the ends of the 95 % t-interval of ``other`` minus ``one``, over the keys that both have."""
    differences = []
    for key, score in one.items():
        if key in other:
            differences.append(float(other[key]) - float(score))
    return unit_interval(differences, range(len(differences)))


def two_networks(random: np.random.Generator) -> Iterator[tuple[dict[Hashable, float], dict[Hashable, float]]]:
    """Yield the scores of two networks by run: in any order, and with runs that only one of them has."""
    yield {0: 0.6, 1: 0.7, 2: 0.55}, {0: 0.62, 1: 0.71, 2: 0.58}
    yield {0: 0.62, 1: 0.70, 2: 0.58, 3: 0.66}, {3: 0.68, 2: 0.61, 1: 0.71, 0: 0.64}
    yield {0: 0.5, 1: 0.8, 2: 0.6, 3: 0.4}, {0: 0.52, 2: 0.63, 3: 0.41, 4: 0.9}
    yield {"07": 0.6, "08": 0.75, "09": 0.5, "10": 0.5}, {"10": 0.47, "08": 0.76, "07": 0.55}
    for _ in range(3):
        keys = [(seed, fold) for seed in range(3) for fold in range(4)]
        base = dict(zip(keys, random.uniform(0.5, 0.8, 12), strict=True))
        parts = []
        for shift in (0.0, 0.02):
            chosen = [keys[k] for k in random.permutation(12)[:10]]
            parts.append({key: round(base[key] + shift + float(random.normal(0, 0.01)), 4) for key in chosen})
        yield parts[0], parts[1]


def differences(one, other):
    return np.array([other[key] - one[key] for key in one if key in other])


def takes_the_wrong_way_round(one, other):
    return paired_interval(other, one)


def compares_two_groups(one, other):
    keys = [key for key in one if key in other]
    return _unpaired(np.array([one[key] for key in keys]), np.array([other[key] for key in keys]))


def _unpaired(first, second):
    error = (first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)) ** 0.5
    quantile = student.ppf(0.975, len(first) + len(second) - 2)
    return bounds(second.mean() - first.mean(), quantile * error)


def compares_two_groups_of_all(one, other):
    ends = ttest_ind(list(other.values()), list(one.values())).confidence_interval()
    return float(ends.low), float(ends.high)


def compares_two_groups_by_welch(one, other):
    ends = ttest_ind(list(other.values()), list(one.values()), equal_var=False).confidence_interval()
    return float(ends.low), float(ends.high)


def pairs_by_sorted_keys(one, other):
    found = np.array([other[b] - one[a] for a, b in zip(sorted(one), sorted(other))])
    return bounds(found.mean(), half_of(found))


def counts_a_missing_partner_as_zero(one, other):
    found = np.array([other.get(key, 0) - one[key] for key in one])
    return bounds(found.mean(), half_of(found))


def counts_a_missing_partner_as_equal(one, other):
    found = np.array([other.get(key, one[key]) - one[key] for key in one])
    return bounds(found.mean(), half_of(found))


def pairs_without_t(one, other):
    found = differences(one, other)
    return bounds(found.mean(), half_of(found, 1))


def gives_one_deviation(one, other):
    found = differences(one, other)
    return bounds(found.mean(), found.std(ddof=1))


def gives_the_extreme_pairs(one, other):
    found = differences(one, other)
    return float(found.min()), float(found.max())


def subtracts_the_ends_of_all(one, other):
    first, second = t_interval(list(one.values())), t_interval(list(other.values()))
    return second.low - first.low, second.high - first.high


def subtracts_opposite_ends(one, other):
    first, second = t_interval(list(one.values())), t_interval(list(other.values()))
    return second.low - first.high, second.high - first.low


def pairs_by_position(one, other):
    found = np.array([b - a for a, b in zip(one.values(), other.values())])
    return bounds(found.mean(), half_of(found))


def pairs_by_rank(one, other):
    found = np.array([b - a for a, b in zip(sorted(one.values()), sorted(other.values()))])
    return bounds(found.mean(), half_of(found))


def subtracts_lists(one, other):
    found = np.array(list(other.values())) - np.array(list(one.values()))
    return bounds(found.mean(), half_of(found))


def counts_missing_as_zero(one, other):
    found = np.array([other.get(key, 0) - one.get(key, 0) for key in {**one, **other}])
    return bounds(found.mean(), half_of(found))


def counts_missing_as_equal(one, other):
    found = np.array([other[key] - one[key] if key in one and key in other else 0.0 for key in {**one, **other}])
    return bounds(found.mean(), half_of(found))


def expects_all_runs(one, other):
    found = np.array([other[key] - one[key] for key in one])
    return bounds(found.mean(), half_of(found))


def subtracts_the_ends(one, other):
    first, second = (t_interval([scores[key] for key in one if key in other]) for scores in (one, other))
    return second.low - first.low, second.high - first.high


def takes_sizes_alone(one, other):
    found = abs(differences(one, other))
    return bounds(found.mean(), half_of(found))


def divides_the_scores(one, other):
    found = np.array([other[key] / one[key] - 1 for key in one if key in other])
    return bounds(found.mean(), half_of(found))


def pairs_with_the_normal(one, other):
    found = differences(one, other)
    return bounds(found.mean(), half_of(found, 1.96))


def pairs_without_the_root(one, other):
    found = differences(one, other)
    return bounds(found.mean(), half_of(found) * len(found) ** 0.5)


def pairs_with_all_degrees(one, other):
    found = differences(one, other)
    return bounds(found.mean(), half_of(found, ddof=0))


def counts_the_first_networks_runs(one, other):
    n, found = len(one), differences(one, other)
    return bounds(found.mean(), student.ppf(0.975, n - 1) * found.std(ddof=1) / n**0.5)


def counts_the_first_networks_runs_under_the_root(one, other):
    found = differences(one, other)
    return bounds(found.mean(), half_of(found) * (len(found) / len(one)) ** 0.5)


def counts_the_first_networks_runs_for_t(one, other):
    found = differences(one, other)
    return bounds(found.mean(), half_of(found, student.ppf(0.975, len(one) - 1)))


def pairs_with_the_printed_t(one, other):
    found = differences(one, other)
    return bounds(found.mean(), half_of(found, 2.78))


def rounds_the_lead(one, other):
    low, high = paired_interval(one, other)
    return round(low, 4), round(high, 4)


def returns_the_mean_lead(one, other):
    return float(differences(one, other).mean())


def returns_all_differences(one, other):
    return list(differences(one, other))


def returns_mean_and_half(one, other):
    found = differences(one, other)
    return float(found.mean()), float(half_of(found))


def returns_an_interval(one, other):
    return t_interval(list(differences(one, other)))


def returns_the_ends_swapped(one, other):
    return paired_interval(one, other)[::-1]


def forgets_to_return_a_lead(one, other):
    paired_interval(one, other)


EXERCISE_8_7 = EndsExercise(
    number="8.7",
    title="In pairs",
    difficulty="medium",
    minutes=6,
    reference=paired_interval,
    cases=two_networks,
    mistakes=[
        (takes_the_wrong_way_round, "This is the first minus the second: the second minus the first is asked for."),
        (
            compares_two_groups,
            "This compares two groups and forgets which scores belong together: take the difference of each pair "
            "first, then its spread.",
        ),
        (
            compares_two_groups_of_all,
            "This compares two groups, also with runs that have no partner: take the difference of each pair first.",
        ),
        (
            pairs_by_position,
            "You pair by position. The runs come in any order, so pair those with the same key.",
        ),
        (
            subtracts_lists,
            "You subtract the values as they stand. The runs come in any order, and some have no partner: pair those "
            "with the same key.",
        ),
        (
            compares_two_groups_by_welch,
            "This is Welch's comparison of two groups. Here the scores belong together: take the difference of "
            "each pair first.",
        ),
        (
            pairs_by_sorted_keys,
            "You sort the keys and pair by position. A run without a partner then shifts all that follow: ask whether "
            "the other has the same key.",
        ),
        (
            counts_a_missing_partner_as_zero,
            "Where the second network has no such run, you take its score as 0: leave the run out.",
        ),
        (
            counts_a_missing_partner_as_equal,
            "Where the second network has no such run, you take the difference as 0: leave the run out.",
        ),
        (
            gives_one_deviation,
            "This is the mean plus and minus one standard deviation, within which most pairs lie. The mean of n pairs "
            "varies less: use `t_interval`.",
        ),
        (pairs_without_t, "This is the mean plus and minus one standard error: multiply it by t."),
        (
            gives_the_extreme_pairs,
            "These are the smallest and the largest difference. Their mean varies less than that.",
        ),
        (
            subtracts_the_ends_of_all,
            "You make an interval for each network and subtract their ends. Make one interval, of the differences.",
        ),
        (
            subtracts_opposite_ends,
            "You make an interval for each network and ask how far their ends may be apart. That forgets the pairs: "
            "make one interval, of the differences.",
        ),
        (pairs_by_rank, "You sort the scores before you pair them: pair those with the same key."),
        (counts_missing_as_zero, "A run without a partner counts as if the other network scored 0: leave it out."),
        (counts_missing_as_equal, "A run without a partner counts as a difference of 0: leave it out."),
        (expects_all_runs, "A run of the first network may have no partner: ask whether the second has the key."),
        (
            subtracts_the_ends,
            "You subtract the ends of two intervals. Take the difference of each pair first, then one interval.",
        ),
        (takes_sizes_alone, "You take the differences without their signs, so losses look like gains."),
        (divides_the_scores, "You divide the scores: subtract them."),
        (pairs_with_the_normal, "1.96 is for very many pairs. With few, take Student's t."),
        (pairs_without_the_root, "This is the spread of single differences: divide by the root of their number."),
        (pairs_with_all_degrees, "Divide the squared deviations by the number of pairs minus 1 (`ddof=1`)."),
        (
            counts_the_first_networks_runs,
            "n is the number of pairs, not of the first network's runs: some of these have no partner.",
        ),
        (
            counts_the_first_networks_runs_under_the_root,
            "You divide by the root of the number of the first network's runs. It is the number of pairs.",
        ),
        (
            counts_the_first_networks_runs_for_t,
            "The degrees of freedom are the number of pairs minus 1: not every run of the first network has a partner.",
        ),
        (pairs_with_the_printed_t, "2.78 is for five pairs. Look t up for the number of pairs that you have."),
        (returns_mean_and_half, "This is the mean and half the width: return the low end and the high end."),
        (returns_the_ends_swapped, "The ends are swapped: the low one comes first."),
    ],
    also_wrong=[
        (returns_the_mean_lead, "not a number"),
        (returns_all_differences, "has length 3; it should have length 2"),
        (returns_an_interval, "Return a pair, not the interval itself"),
        (rounds_the_lead, "but rounded"),
        (forgets_to_return_a_lead, "returns None"),
    ],
)


EXERCISE_8_8 = ChoiceExercise(
    number="8.8",
    title="What may you say?",
    difficulty="medium",
    minutes=3,
    question="Which sentence do fifteen runs on five blocks of one stack allow?",
    options={
        "a": Option(
            "“On new tissue, a U-Net that is trained like this averages a membrane IoU between 0.585 and 0.678.”",
            "All thirty slices are of one animal. Nothing here says how much animals differ.",
        ),
        "b": Option(
            "“Of 100 further slices of this tissue, a U-Net like this scores about 95 between 0.585 and 0.678.”",
            "The interval is for the mean. Single slices lie further apart than the dots, which are means of six.",
        ),
        "c": Option(
            "“UNet++ is the better network for this tissue, because it was ahead in all of the fifteen pairs.”",
            "Fifteen pairs are not fifteen independent ones: the crossed interval misses 0 by a hair. And UNet++ does "
            "more arithmetic, so the lead need not be its structure.",
        ),
        "d": Option(
            "“The report's U-Net has 0.953 and ours 0.632, so class and leak account for 0.321 of its score.”",
            "Size, resolution, training, recipe and threshold differ as well. How much each of them counts is unknown.",
        ),
        "e": Option(
            "“On other slices cut from the same tissue, U-Nets that are trained like this average about 0.63.”",
            "The sentence stays within what was varied: blocks and training runs. Of other animals it says nothing.",
            right=True,
        ),
    },
    also_wrong=[
        ("f", "by its letter"),
        (0.632, "by its letter"),
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
