"""The exercises of notebook 12: what was matched, what a pair isolates, which networks are worth their cost."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

import numpy as np
from scipy.stats import t

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

Networks = Mapping[str, tuple[float, float]]

# G multiply-accumulates at 512×512, then M parameters, of the full-size networks without normalisation
UNET_MACS, WIDE_MACS, MATCHED_MACS, UNETPLUS_MACS, UNETPP_MACS = 48.1, 57.6, 122.2, 94.8, 119.0
UNET_PARAMETERS, WIDE_PARAMETERS, UNETPP_PARAMETERS = 7.76, 9.28, 9.04


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


def _kept(networks: Networks, keep_ties: bool = False, by_either: bool = False, sign: int = 1) -> list[str]:
    """Return what is left where ties beat nobody, where one advantage is enough, or where dear networks win."""

    def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
        cheaper, higher = sign * (other[0] - one[0]), one[1] - other[1]
        if keep_ties:
            return cheaper > 0 and higher > 0
        return cheaper > 0 or higher > 0 if by_either else cheaper >= 0 and higher >= 0 and cheaper + higher > 0

    return [name for name, mine in networks.items() if not any(beats(other, mine) for other in networks.values())]


def _lowest(values: Mapping[str, float]) -> list[str]:
    return [name for name, value in values.items() if value == min(values.values())]


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


def _ends(networks: Networks) -> list[str]:
    best = max(score for _, score in networks.values())
    least = min(cost for cost, _ in networks.values())
    return [name for name, (cost, score) in networks.items() if cost == least or score == best]


def _best_ratio(networks: Networks) -> list[str]:
    ratios = {name: score / cost for name, (cost, score) in networks.items()}
    return [name for name, ratio in ratios.items() if ratio == max(ratios.values())]


def _rising(networks: Networks) -> list[str]:
    """Return the networks, by cost, whose score is above all before; of equal cost, the lower score first."""
    ordered = sorted(networks, key=lambda name: networks[name])
    return [name for k, name in enumerate(ordered) if all(networks[name][1] > networks[o][1] for o in ordered[:k])]


def _climb(networks: Networks) -> list[str]:
    """Return the front as one who goes from cheap to dear finds it, in that order, without equals."""
    found: list[str] = []
    best = -1.0
    for name in sorted(networks, key=lambda name: (networks[name][0], -networks[name][1])):
        if networks[name][1] > best:
            found.append(name)
            best = networks[name][1]
    return found


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


def _seeds(
    differences: Sequence[float],
    half_width: float,
    quantile: float = 0.975,
    ddof: int = 1,
    root: float = 0.5,
    freedoms: int = 1,
    start: int = 2,
) -> int:
    spread = float(np.std(differences, ddof=ddof))
    seeds = start
    while float(t.ppf(quantile, seeds - freedoms)) * spread / seeds**root > half_width:
        seeds += 1
    return seeds


def _first_differences(differences: Sequence[float], half_width: float) -> int:
    seeds = 2
    while float(t.ppf(0.975, seeds - 1)) * float(np.std(differences[:seeds], ddof=1)) / seeds**0.5 > half_width:
        seeds += 1
    return seeds


def _until_it_leaves_0(differences: Sequence[float], half_width: float) -> int:
    del half_width
    mean, spread = abs(float(np.mean(differences))), float(np.std(differences, ddof=1))
    seeds = 2
    while mean and float(t.ppf(0.975, seeds - 1)) * spread / seeds**0.5 > mean:
        seeds += 1
    return seeds


def _fixed(differences: Sequence[float], half_width: float, factor: float, least: int = 2) -> int:
    """Return the number of seeds where t does not change with it."""
    return max(least, ceil((factor * float(np.std(differences, ddof=1)) / half_width) ** 2))


EXERCISES = (
    NumberExercise(
        number="12.1",
        title="Equal in what?",
        difficulty="easy",
        minutes=3,
        question="how many times the multiply-accumulates of the wide U-Net UNet++ takes",
        solution=UNETPP_MACS / WIDE_MACS,
        tolerance=0.01,
        unit="times",
        mistakes={
            "This is UNet++ against the plain U-Net: the paper's control is the wide one.": UNETPP_MACS / UNET_MACS,
            "Turned round: divide the MACs of UNet++ by those of the wide U-Net.": WIDE_MACS / UNETPP_MACS,
            "Parameters, or the matched U-Net? In both they are nearly equal. Take the MACs, and the wide U-Net.": (
                UNETPP_PARAMETERS / WIDE_PARAMETERS
            ),
            "This is the matched U-Net against the wide one: take UNet++.": MATCHED_MACS / WIDE_MACS,
            "This is UNet+ against the wide U-Net: take UNet++.": UNETPLUS_MACS / WIDE_MACS,
            "UNet++ against the plain U-Net, and in parameters: take the wide one, and MACs.": (
                UNETPP_PARAMETERS / UNET_PARAMETERS
            ),
            "About right, but rounded: give two decimals.": 2.1,
            "About right, but rounded too far: give two decimals.": 2.0,
            "This is how much more it takes: how many times as much is asked for.": UNETPP_MACS / WIDE_MACS - 1,
            "This is a number of percent: how many times as much is asked for.": 100 * UNETPP_MACS / WIDE_MACS,
            "This is the difference in G: divide instead.": UNETPP_MACS - WIDE_MACS,
        },
    ),
    ChoiceExercise(
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
    ),
    ChoiceExercise(
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
        prediction=True,
    ),
    ChoiceExercise(
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
    ),
    FunctionExercise(
        number="12.5",
        title="Who is worth its cost?",
        difficulty="medium",
        minutes=10,
        reference=front,
        cases=drawn_networks,
        mistakes={
            "A network that costs the same and scores less stays in: one advantage is enough, if the rest is equal.": (
                lambda networks: _kept(networks, keep_ties=True)
            ),
            "You let one advantage beat a network: the other must be no worse in both.": lambda networks: _kept(
                networks, by_either=True
            ),
            "Nobody is left: a network is no worse than itself, and so it beats itself.": lambda _: [],
            "You return the networks that are beaten: the others are asked for.": lambda networks: [
                name for name in networks if name not in front(networks)
            ],
            "Only the best score is left: a cheaper network with a lower score is beaten by nobody dearer.": (
                lambda networks: [
                    name for name in networks if networks[name][1] == max(s for _, s in networks.values())
                ]
            ),
            "Only the cheapest is left: a dearer network with a higher score is not beaten by it.": (
                lambda networks: [
                    name for name in networks if networks[name][0] == min(c for c, _ in networks.values())
                ]
            ),
            "You let dear networks beat cheap ones: a low cost is the good one.": lambda networks: _kept(
                networks, sign=-1
            ),
            "Cost and score are swapped: each value is (cost, score).": lambda networks: front(
                {name: (score, cost) for name, (cost, score) in networks.items()}
            ),
            "The right networks in another order: keep the order in which they are given.": lambda networks: sorted(
                front(networks), key=lambda name: networks[name][0]
            ),
            "In another order, best score first: keep the order in which they are given.": lambda networks: sorted(
                front(networks), key=lambda name: -networks[name][1]
            ),
            "Both of two equal networks are gone: neither beats the other.": lambda networks: [
                name
                for name, mine in networks.items()
                if not any(_beats(pair, mine) or pair == mine for o, pair in networks.items() if o != name)
            ],
            "It ends with the first network: `return` stands inside the loop, move it to the left.": lambda networks: [
                name for name in list(networks)[:1] if name in front(networks)
            ],
            "Everybody is left: a network goes as soon as one other beats it, so ask `any`, then `not`.": list,
            "You return those that beat another: asked for are those that no other beats.": lambda networks: [
                name for name, mine in networks.items() if any(_beats(mine, pair) for pair in networks.values())
            ],
            "The cheapest and the best are left alone: a network between them may be unbeaten, too.": _ends,
            "You take the most score for its cost: asked for are all that no other beats.": _best_ratio,
            "At equal cost the lower score stays in, and the order is another: keep the order given.": (
                lambda networks: _rising(networks)
            ),
            "One of two equal networks is gone: neither beats the other.": lambda networks: [
                name for name in networks if name in _climb(networks)
            ],
            "One of two equal networks is gone, and the order is another: keep the order given.": _climb,
        },
    ),
    FunctionExercise(
        number="12.6",
        title="How many seeds?",
        difficulty="medium",
        minutes=10,
        reference=seeds_needed,
        cases=drawn_differences,
        mistakes={
            "You take 1.96, of very many seeds: t depends on the number that you try.": lambda d, h: _fixed(d, h, 1.96),
            "You take 2.776, which is t for five seeds: it depends on the number that you try.": (
                lambda d, h: _fixed(d, h, 2.776)
            ),
            "You take t for the seeds that were measured: it depends on the number that you try.": (
                lambda d, h: _fixed(d, h, float(t.ppf(0.975, len(d) - 1)))
            ),
            "The spread is too small: divide by one less than there are differences (`ddof=1`).": (
                lambda d, h: _seeds(d, h, ddof=0)
            ),
            "You divide the spread by the number of seeds: divide by its root.": lambda d, h: _seeds(d, h, root=1),
            "`half_width` is how far it reaches to *each* side, not from end to end.": lambda d, h: _seeds(d, h / 2),
            "You take `ppf(0.95, …)`: 95 % in the middle leave 2.5 % on either side.": (
                lambda d, h: _seeds(d, h, quantile=0.95)
            ),
            "You take n degrees of freedom: n values have n − 1, for the mean took one.": (
                lambda d, h: _seeds(d, h, freedoms=0)
            ),
            "One too few: return the first number whose interval is narrow enough.": (
                lambda d, h: seeds_needed(d, h) - 1
            ),
            "One too many: return the first number whose interval is narrow enough.": (
                lambda d, h: seeds_needed(d, h) + 1
            ),
            "These are further seeds: count the measured ones too.": lambda d, h: seeds_needed(d, h) - len(d),
            "You take 1.96, of very many seeds, and may return 1: t depends on the number, from 2 on.": (
                lambda d, h: _fixed(d, h, 1.96, least=1)
            ),
            "You take t for the seeds that were measured, and may return 1: it depends on the number, from 2 on.": (
                lambda d, h: _fixed(d, h, float(t.ppf(0.975, len(d) - 1)), least=1)
            ),
            "You begin at n = 1: there t is not a number, and no comparison with it is true. Begin at 2.": lambda *_: 1,
            "You take the spread of the first n differences: all that were measured tell of it.": _first_differences,
            "You ask when the interval leaves 0: asked for is when it reaches at most `half_width`.": (
                _until_it_leaves_0
            ),
            "You begin at the seeds that were measured: fewer may be enough.": (
                lambda d, h: _seeds(d, h, start=len(d))
            ),
        },
    ),
)
