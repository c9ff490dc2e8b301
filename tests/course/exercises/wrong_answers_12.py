"""Wrong answers to the exercises of notebook 12, each with words of the message that it must get."""

from math import ceil

import numpy as np
from scipy.stats import t


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


WRONG = {
    "12.1": [
        (2.474, "plain U-Net"),
        (0.484, "Turned round"),
        (0.974, "nearly equal"),
        (1.066, "how much more"),
        (206.6, "percent"),
        (61.4, "divide instead"),
        (119.0 / 122.2, "the matched U-Net?"),
        (2.12, "matched U-Net against"),
        (1.646, "UNet+ against"),
        (1.165, "in parameters"),
        (2.1, "but rounded:"),
        (2, "rounded too far"),
        ("twice", "one number"),
        ((57.6, 119.0), "one number"),
    ],
    "12.2": [("e", "by its letter"), (2, "by its letter")],
    "12.3": [("e", "by its letter"), (0.8, "by its letter")],
    "12.4": [("e", "by its letter"), (None.__class__, "by its letter")],
    "12.5": [
        (beaten_only_in_both, "one advantage is enough"),
        (beaten_in_either, "no worse in both"),
        (beats_itself, "beats itself"),
        (returns_the_beaten, "that are beaten"),
        (takes_the_best_score, "Only the best score"),
        (takes_the_cheapest, "Only the cheapest"),
        (prefers_dear_ones, "low cost is the good one"),
        (swaps_cost_and_score, "are swapped"),
        (sorts_by_cost, "The right networks in another order"),
        (sorts_by_score, "best score first"),
        (drops_equals, "neither beats the other"),
        (climbs_from_cheap_to_dear, "and the order is another"),
        (drops_both_equals, "Both of two equal"),
        (returns_inside_the_loop, "inside the loop"),
        (keeps_whom_one_does_not_beat, "Everybody is left"),
        (returns_the_beaters, "that beat another"),
        (takes_both_ends, "between them"),
        (divides_score_by_cost, "for its cost"),
        (climbs_with_the_lower_first, "lower score stays in, and"),
        (returns_a_set, "not a value of type set"),
        (returns_the_pairs, "not a value of type dict"),
        (forgets_to_return_the_front, "returns None"),
        (unpacks_names, "raises ValueError in line 2"),
    ],
    "12.6": [
        (takes_the_normal_quantile, "of very many seeds"),
        (takes_t_of_five, "2.776"),
        (takes_t_of_the_measured, "seeds that were measured: it depends"),
        (divides_by_all, "ddof=1"),
        (forgets_the_root, "by its root"),
        (takes_the_whole_width, "end to end"),
        (takes_one_side, "either side"),
        (takes_n_freedoms, "n − 1"),
        (stops_before, "One too few"),
        (goes_one_further, "One too many"),
        (counts_further_seeds, "further seeds"),
        (begins_at_the_measured, "fewer may be enough"),
        (solves_with_196, "and may return 1"),
        (solves_with_the_measured, "measured, and may return 1"),
        (begins_at_1, "begin at n = 1"),
        (takes_the_first_differences, "first n differences"),
        (asks_when_0_is_left, "leaves 0"),
        (forgets_to_return_a_number, "returns None"),
        (divides_a_list, "raises TypeError in line 2"),
    ],
}
