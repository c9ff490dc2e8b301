"""The exercises of notebook 12: what was matched, what a pair isolates, which networks are worth their cost."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

import numpy as np
from scipy.stats import t

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

# Exercise 12.1: Equal in what?


# G multiply-accumulates at 512×512, then M parameters, of the full-size networks without normalisation
UNET_MACS, WIDE_MACS, MATCHED_MACS, UNETPLUS_MACS, UNETPP_MACS = 48.1, 57.6, 122.2, 94.8, 119.0
UNET_PARAMETERS, WIDE_PARAMETERS, UNETPP_PARAMETERS = 7.76, 9.28, 9.04


EXERCISE_12_1 = NumberExercise(
    number="12.1",
    title="Equal in what?",
    difficulty="easy",
    minutes=3,
    question="how many times the multiply-accumulates of the wide U-Net UNet++ takes",
    solution=UNETPP_MACS / WIDE_MACS,
    tolerance=0.01,
    unit="times",
    mistakes=[
        (UNETPP_MACS / UNET_MACS, "This is UNet++ against the plain U-Net: the paper's control is the wide one."),
        (WIDE_MACS / UNETPP_MACS, "Turned round: divide the MACs of UNet++ by those of the wide U-Net."),
        (
            UNETPP_PARAMETERS / WIDE_PARAMETERS,
            "Parameters, or the matched U-Net? In both they are nearly equal. Take the MACs, and the wide U-Net.",
        ),
        (MATCHED_MACS / WIDE_MACS, "This is the matched U-Net against the wide one: take UNet++."),
        (UNETPLUS_MACS / WIDE_MACS, "This is UNet+ against the wide U-Net: take UNet++."),
        (
            UNETPP_PARAMETERS / UNET_PARAMETERS,
            "UNet++ against the plain U-Net, and in parameters: take the wide one, and MACs.",
        ),
        (2.1, "About right, but rounded: give two decimals."),
        (2.0, "About right, but rounded too far: give two decimals."),
        (UNETPP_MACS / WIDE_MACS - 1, "This is how much more it takes: how many times as much is asked for."),
        (100 * UNETPP_MACS / WIDE_MACS, "This is a number of percent: how many times as much is asked for."),
        (UNETPP_MACS - WIDE_MACS, "This is the difference in G: divide instead."),
    ],
    also_wrong=[
        (2.474, "plain U-Net"),
        (0.484, "Turned round"),
        (0.974, "nearly equal"),
        (1.066, "how much more"),
        (206.6, "percent"),
        (119.0 / 122.2, "the matched U-Net?"),
        (2.12, "matched U-Net against"),
        (1.646, "UNet+ against"),
        (1.165, "in parameters"),
        ("twice", "one number"),
        ((57.6, 119.0), "one number"),
    ],
)


EXERCISE_12_2 = ChoiceExercise(
    number="12.2",
    title="One thing at a time",
    difficulty="medium",
    minutes=4,
    question="Which difference speaks of the dense connections, and of nothing else?",
    options={
        "a": Option(
            "UNet++ − U-Net",
            "These differ in the nodes between the arms, in the connections, in the heads and in the arithmetic.",
        ),
        "b": Option(
            "UNet++ − UNet+",
            "Yes. The same nodes, the same heads: one has the long connections, and the weights that read them.",
            right=True,
        ),
        "c": Option(
            "UNet++ − UNet++ without supervision",
            "Both have the dense connections. This pair speaks of the three further heads and their losses.",
        ),
        "d": Option(
            "UNet++ without supervision − wide U-Net",
            "As many parameters, but another grid, and twice the arithmetic: nodes and connections come together.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (2, "by its letter"),
    ],
)


EXERCISE_12_3 = ChoiceExercise(
    number="12.3",
    title="At equal arithmetic",
    difficulty="medium",
    minutes=2,
    question="What will the interval of UNet++ − matched U-Net, five pairs, say of the membrane IoU?",
    options={
        "a": Option(
            "UNet++ is ahead by .02 or more, and the whole interval is above 0",
            "The paper's leads over the wide U-Net are of that size. Here the mean is below 0, not above it.",
        ),
        "b": Option(
            "UNet++ is ahead by less than .02, and the whole interval is above 0",
            "The mean is below 0, and the five pairs do not agree on the sign: see the points.",
        ),
        "c": Option(
            "the interval holds 0: five seeds do not tell them apart",
            "Yes. Neither is ahead, as far as five pairs can show. That is not the same as being equal.",
            right=True,
        ),
        "d": Option(
            "the U-Net is ahead: the whole interval is below 0",
            "The mean is below 0, but two of the five pairs say otherwise, and the interval reaches above 0.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.8, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_12_4 = ChoiceExercise(
    number="12.4",
    title="A precise interval",
    difficulty="hard",
    minutes=5,
    question="Why is the colleague's interval narrower?",
    options={
        "a": Option(
            "the sorting changes the mean of the differences",
            "Compare the two lines: the mean is the same. Whatever is paired with what, all ten values are in it.",
        ),
        "b": Option(
            "the sorting pairs by rank, best with best: no longer a seed with itself",
            "Yes. Ranks always run together, whatever the networks are: the agreement was made by the sorting.",
            right=True,
        ),
        "c": Option(
            "five values are too few: with more seeds both intervals agree",
            "With more seeds both get narrower, and the sorted one stays the narrower: it measures something else.",
        ),
        "d": Option(
            "nothing is wrong: sorting removes noise, so the interval is better",
            "Try it on two lists of pure chance: sorting makes them agree, too. What it removes is the evidence.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (None.__class__, "by its letter"),
    ],
)


# Exercise 12.5: Who is worth its cost?


Networks = Mapping[str, tuple[float, float]]


def front(networks: Networks) -> list[str]:
    """Return the names, in the order given, of the networks (cost, score) that no other one beats."""
    names = []
    for name, (cost, score) in networks.items():
        beaten = False
        for other_cost, other_score in networks.values():
            no_worse = other_cost <= cost and other_score >= score
            better = other_cost < cost or other_score > score
            beaten = beaten or (no_worse and better)
        if not beaten:
            names.append(name)
    return names


def drawn_networks(random: np.random.Generator) -> Iterator[tuple[dict[str, tuple[float, float]]]]:
    """Yield networks with costs and scores: with ties, with equals, with one that wins in both, then random ones."""
    yield ({"A": (1.0, 0.70), "B": (2.0, 0.80), "C": (3.0, 0.75)},)
    yield ({"A": (3.0, 0.80), "B": (1.0, 0.70), "C": (2.0, 0.80), "D": (1.0, 0.60)},)
    yield ({"A": (2.0, 0.80), "B": (2.0, 0.80), "C": (1.0, 0.50), "D": (4.0, 0.70)},)
    yield ({"A": (4.0, 0.60), "B": (1.0, 0.90), "C": (2.0, 0.80)},)
    yield ({"A": (5.0, 0.90), "B": (2.0, 0.70), "C": (1.0, 0.50), "D": (4.0, 0.80), "E": (4.0, 0.60)},)
    for count in (5, 6, 7):
        costs, scores = random.integers(1, 9, count), random.integers(50, 95, count) / 100
        yield ({f"net {k}": (float(costs[k]), float(scores[k])) for k in range(count)},)


def beaten_only_in_both(networks):
    return [
        name
        for name, (cost, score) in networks.items()
        if not any(c < cost and s > score for c, s in networks.values())
    ]


def beaten_in_either(networks):
    return [
        name for name, (cost, score) in networks.items() if not any(c < cost or s > score for c, s in networks.values())
    ]


def beats_itself(networks):
    return [
        name
        for name, (cost, score) in networks.items()
        if not any(c <= cost and s >= score for c, s in networks.values())
    ]


def is_beaten(cost, score, networks):
    pairs = networks.values()
    return any(c <= cost and s >= score and (c, s) != (cost, score) for c, s in pairs)


def returns_the_beaten(networks):
    return [name for name, pair in networks.items() if is_beaten(*pair, networks)]


def takes_the_best_score(networks):
    best = max(score for _, score in networks.values())
    return [name for name, (_, score) in networks.items() if score == best]


def takes_the_cheapest(networks):
    least = min(cost for cost, _ in networks.values())
    return [name for name, (cost, _) in networks.items() if cost == least]


def prefers_dear_ones(networks):
    turned = {name: (-cost, score) for name, (cost, score) in networks.items()}
    return [name for name, pair in turned.items() if not is_beaten(*pair, turned)]


def swaps_cost_and_score(networks):
    turned = {name: (score, cost) for name, (cost, score) in networks.items()}
    return [name for name, pair in turned.items() if not is_beaten(*pair, turned)]


def sorts_by_cost(networks):
    kept = [name for name, pair in networks.items() if not is_beaten(*pair, networks)]
    return sorted(kept, key=lambda name: networks[name])


def sorts_by_score(networks):
    kept = [name for name, pair in networks.items() if not is_beaten(*pair, networks)]
    return sorted(kept, key=lambda name: networks[name][1], reverse=True)


def drops_equals(networks):
    kept = {}
    for name, pair in networks.items():
        if not is_beaten(*pair, networks) and pair not in kept.values():
            kept[name] = pair
    return list(kept)


def climbs_from_cheap_to_dear(networks):
    kept, best = [], 0
    for name, (_, score) in sorted(networks.items(), key=lambda item: (item[1][0], -item[1][1])):
        if score > best:
            kept.append(name)
            best = score
    return kept


def drops_both_equals(networks):
    return [
        name
        for name, (cost, score) in networks.items()
        if not any(other != name and c <= cost and s >= score for other, (c, s) in networks.items())
    ]


def returns_inside_the_loop(networks):
    name, pair = next(iter(networks.items()))
    return [] if is_beaten(*pair, networks) else [name]


def keeps_whom_one_does_not_beat(networks):
    kept = []
    for name, (cost, score) in networks.items():
        for c, s in networks.values():
            beats = c <= cost and s >= score and (c < cost or s > score)
            if not beats and name not in kept:
                kept.append(name)
    return kept


def returns_the_beaters(networks):
    return [
        name
        for name, (cost, score) in networks.items()
        if any(cost <= c and score >= s and (cost < c or score > s) for c, s in networks.values())
    ]


def takes_both_ends(networks):
    best = max(score for _, score in networks.values())
    least = min(cost for cost, _ in networks.values())
    return [name for name, (cost, score) in networks.items() if score == best or cost == least]


def divides_score_by_cost(networks):
    best = max(score / cost for cost, score in networks.values())
    return [name for name, (cost, score) in networks.items() if score / cost == best]


def climbs_with_the_lower_first(networks):
    kept, best = [], 0
    for name, (_, score) in sorted(networks.items(), key=lambda item: item[1]):
        if score > best:
            kept.append(name)
            best = score
    return kept


def returns_a_set(networks):
    return {name for name, pair in networks.items() if not is_beaten(*pair, networks)}


def returns_the_pairs(networks):
    return {name: pair for name, pair in networks.items() if not is_beaten(*pair, networks)}


def forgets_to_return_the_front(networks):
    [name for name, pair in networks.items() if not is_beaten(*pair, networks)]


def unpacks_names(networks):
    return [name for name, cost, score in networks]


EXERCISE_12_5 = FunctionExercise(
    number="12.5",
    title="Who is worth its cost?",
    difficulty="medium",
    minutes=10,
    reference=front,
    cases=drawn_networks,
    mistakes=[
        (
            beaten_only_in_both,
            "A network that costs the same and scores less stays in: one advantage is enough, if the rest is equal.",
        ),
        (beaten_in_either, "You let one advantage beat a network: the other must be no worse in both."),
        (beats_itself, "Nobody is left: a network is no worse than itself, and so it beats itself."),
        (returns_the_beaten, "You return the networks that are beaten: the others are asked for."),
        (
            takes_the_best_score,
            "Only the best score is left: a cheaper network with a lower score is beaten by nobody dearer.",
        ),
        (takes_the_cheapest, "Only the cheapest is left: a dearer network with a higher score is not beaten by it."),
        (prefers_dear_ones, "You let dear networks beat cheap ones: a low cost is the good one."),
        (swaps_cost_and_score, "Cost and score are swapped: each value is (cost, score)."),
        (sorts_by_cost, "The right networks in another order: keep the order in which they are given."),
        (sorts_by_score, "In another order, best score first: keep the order in which they are given."),
        (drops_both_equals, "Both of two equal networks are gone: neither beats the other."),
        (
            returns_inside_the_loop,
            "It ends with the first network: `return` stands inside the loop, move it to the left.",
        ),
        (
            keeps_whom_one_does_not_beat,
            "Everybody is left: a network goes as soon as one other beats it, so ask `any`, then `not`.",
        ),
        (returns_the_beaters, "You return those that beat another: asked for are those that no other beats."),
        (takes_both_ends, "The cheapest and the best are left alone: a network between them may be unbeaten, too."),
        (divides_score_by_cost, "You take the most score for its cost: asked for are all that no other beats."),
        (
            climbs_with_the_lower_first,
            "At equal cost the lower score stays in, and the order is another: keep the order given.",
        ),
        (drops_equals, "One of two equal networks is gone: neither beats the other."),
        (
            climbs_from_cheap_to_dear,
            "One of two equal networks is gone, and the order is another: keep the order given.",
        ),
    ],
    also_wrong=[
        (returns_a_set, "not a value of type set"),
        (returns_the_pairs, "not a dictionary"),
        (forgets_to_return_the_front, "returns None"),
        (unpacks_names, "raises ValueError in line 2"),
    ],
)


# Exercise 12.6: How many seeds?


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


EXERCISE_12_6 = FunctionExercise(
    number="12.6",
    title="How many seeds?",
    difficulty="medium",
    minutes=10,
    reference=seeds_needed,
    cases=drawn_differences,
    mistakes=[
        (takes_the_normal_quantile, "You take 1.96, of very many seeds: t depends on the number that you try."),
        (takes_t_of_five, "You take 2.776, which is t for five seeds: it depends on the number that you try."),
        (
            takes_t_of_the_measured,
            "You take t for the seeds that were measured: it depends on the number that you try.",
        ),
        (divides_by_all, "The spread is too small: divide by one less than there are differences (`ddof=1`)."),
        (forgets_the_root, "You divide the spread by the number of seeds: divide by its root."),
        (takes_the_whole_width, "`half_width` is how far it reaches to *each* side, not from end to end."),
        (takes_one_side, "You take `ppf(0.95, …)`: 95 % in the middle leave 2.5 % on either side."),
        (takes_n_freedoms, "You take n degrees of freedom: n values have n − 1, for the mean took one."),
        (stops_before, "One too few: return the first number whose interval is narrow enough."),
        (goes_one_further, "One too many: return the first number whose interval is narrow enough."),
        (counts_further_seeds, "These are further seeds: count the measured ones too."),
        (solves_with_196, "You take 1.96, of very many seeds, and may return 1: t depends on the number, from 2 on."),
        (
            solves_with_the_measured,
            "You take t for the seeds that were measured, and may return 1: it depends on the number, from 2 on.",
        ),
        (begins_at_1, "You begin at n = 1: there t is not a number, and no comparison with it is true. Begin at 2."),
        (
            takes_the_first_differences,
            "You take the spread of the first n differences: all that were measured tell of it.",
        ),
        (asks_when_0_is_left, "You ask when the interval leaves 0: asked for is when it reaches at most `half_width`."),
        (begins_at_the_measured, "You begin at the seeds that were measured: fewer may be enough."),
    ],
    also_wrong=[
        (forgets_to_return_a_number, "returns None"),
        (divides_a_list, "raises TypeError in line 2"),
    ],
)


EXERCISES = (EXERCISE_12_1, EXERCISE_12_2, EXERCISE_12_3, EXERCISE_12_4, EXERCISE_12_5, EXERCISE_12_6)
