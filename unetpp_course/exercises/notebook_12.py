"""The exercises of notebook 12: a U-Net that is equal in something, true pairs, and the pair that makes a lead."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option
from unetpp_course.checks.comparison import alike, as_number, kind_of
from unetpp_course.checks.isolation import Call, attempt

Widths = Sequence[int]
Run = dict[str, Any]
Key = tuple[int, int]

EXERCISE_12_1 = ChoiceExercise(
    number="12.1",
    title="How large is an equal U-Net?",
    difficulty="medium",
    minutes=2,
    question="How many parameters does a U-Net with the arithmetic of UNet++ have?",
    options={
        "a": Option(
            "about 9 million: equal arithmetic means equal parameters",
            "That is the wide U-Net. With as many parameters as UNet++, it does less than half of its arithmetic.",
        ),
        "b": Option(
            "about 20 million",
            "Yes. In a convolution, parameters and arithmetic both grow with the square of the width: 2.47 times of "
            "the one is 2.47 times of the other.",
            right=True,
        ),
        "c": Option(
            "about 12 million: parameters grow with the width, arithmetic with its square",
            "Both grow with the square: a convolution has weights for each pair of an input and an output channel.",
        ),
        "d": Option(
            "about 47 million: arithmetic grows with the width, parameters with its square",
            "Both grow with the square: each weight is used once at every pixel, so twice the weights are twice the "
            "arithmetic.",
        ),
    },
    also_wrong=[("e", "by its letter"), (19.7, "by its letter")],
    prediction=True,
)


# Exercise 12.2: A fair opponent


def widths_of(base: int) -> tuple[int, ...]:
    """Return the five widths of a U-Net whose first one is ``base``: each is twice the one before."""
    return tuple(base * 2**level for level in range(5))


def match_widths(cost: Callable[[Widths], float], target: float) -> tuple[int, ...]:
    """Return the widths of the smallest U-Net that costs at least ``target``; too large ones are halved in steps."""
    high = 1
    while cost(widths_of(high)) < target:
        high *= 2
    low = high // 2  # too small, or 0
    while high - low > 1:
        middle = (low + high) // 2
        if cost(widths_of(middle)) < target:
            low = middle
        else:
            high = middle
    return widths_of(high)


def count_channels(widths: Widths) -> float:
    """Return the sum of the widths."""
    return sum(widths)


def count_weights(widths: Widths) -> float:
    """Return the weights of one 3×3 convolution from each width to the next, and within it."""
    total, before = 0, 1
    for width in widths:
        total += 9 * (before * width + width * width)
        before = width
    return total


def count_macs(widths: Widths) -> float:
    """Return the multiply-accumulates of the same convolutions at 64 × 64 pixels, in millions."""
    total, before = 0, 1
    for level, width in enumerate(widths):
        total += 9 * (before * width + width * width) * (64 // 2**level) ** 2
        before = width
    return total / 1e6


def add_a_fixed_part(widths: Widths) -> float:
    """Return a cost that is mostly the same for all."""
    return 1000 + 5 * widths[0] + widths[-1]


def targets(random: np.random.Generator) -> Iterator[tuple[Callable[[Widths], float], float]]:
    """Yield costs of widths, and what the network must cost at least."""
    yield count_channels, 100
    yield count_weights, 9000
    yield count_channels, 31 * 40
    yield count_macs, 90.0
    yield add_a_fixed_part, 1400
    yield count_weights, count_weights(widths_of(35))
    yield count_macs, 0.4
    yield count_channels, 31  # the smallest of all is enough
    for cost in (count_channels, count_weights, count_macs, add_a_fixed_part):
        base = int(random.integers(3, 60))
        low, high = cost(widths_of(base)), cost(widths_of(base + 1))
        yield cost, low + (high - low) * float(random.uniform(0.2, 0.8))


def describe_target(cost: Callable[[Widths], float], target: float) -> str:
    """Return in words what is asked for."""
    smallest = cost(widths_of(1))
    return f"target = {target:g}, and a cost that is {smallest:g} for the widths (1, 2, 4, 8, 16)"


class WidthsExercise(FunctionExercise):
    """A function that returns a few whole numbers, as a tuple, a list, an array or a tensor."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        if isinstance(call.value, np.ndarray | Tensor):
            call = replace(call, value=call.value.tolist())
        if as_number(call.value) is not None:
            return "This is a single number. If it is b, it is the first width: return all five of them."
        return super()._fault(call, right, answer)


def first_base(cost, target, bases, widths=widths_of):
    return next(widths(base) for base in bases if cost(widths(base)) >= target)


def wants_more_than_the_target(cost, target):
    b = 1
    while cost(widths_of(b)) <= target:
        b += 1
    return widths_of(b)


def stays_below_the_target(cost, target):
    b = 1
    while cost(widths_of(b + 1)) <= target:
        b += 1
    return widths_of(b)


def stops_one_before(cost, target):
    return widths_of(match_widths(cost, target)[0] - 1)


def goes_one_too_far(cost, target):
    b = 1
    while cost(widths_of(b)) < target:
        b += 1
    return widths_of(b + 1)


def takes_the_closest(cost, target):
    return min((widths_of(b) for b in range(1, 200)), key=lambda widths: abs(cost(widths) - target))


def doubles_the_base(cost, target):
    return first_base(cost, target, [2**k for k in range(12)])


def begins_at_32(cost, target):
    return first_base(cost, target, range(32, 1000))


def begins_at_8(cost, target):
    return first_base(cost, target, range(8, 1000))


def begins_at_2(cost, target):
    return first_base(cost, target, range(2, 1000))


def takes_even_widths(cost, target):
    return first_base(cost, target, range(2, 1000, 2))


def takes_multiples_of_8(cost, target):
    return first_base(cost, target, range(8, 2000, 8))


def takes_equal_widths(cost, target):
    return first_base(cost, target, range(1, 2000), lambda base: (base,) * 5)


def adds_instead_of_doubling(cost, target):
    return first_base(cost, target, range(1, 2000), lambda base: tuple(base * k for k in range(1, 6)))


def takes_the_root(cost, target):
    return widths_of(ceil((target / cost(widths_of(1))) ** 0.5))


def divides_by_the_smallest(cost, target):
    return widths_of(ceil(target / cost(widths_of(1))))


def turns_the_widths_round(cost, target):
    return match_widths(cost, target)[::-1]


def knows_the_answer_of_the_notebook(cost, target):
    return widths_of(51)


def never_leaves_the_first(cost, target):
    return widths_of(1)


def returns_within_the_loop(cost, target):
    b = 1
    while cost(widths_of(b)) < target:
        b += 1
        return widths_of(b)
    return widths_of(b)


def count_parameters(widths):
    total, before = 0, 1
    for row, width in enumerate(widths):
        total += 9 * before * width + 9 * width * width + 2 * width  # the encoder
        if row < len(widths) - 1:
            total += 4 * widths[row + 1] * width + 27 * width * width + 3 * width  # the decoder
        before = width
    return total + widths[0] + 1  # the head


def counts_parameters_whatever_the_cost(cost, target):
    return match_widths(count_parameters, target)


def scales_from_32(cost, target):
    return widths_of(round(32 * (target / cost(widths_of(32))) ** 0.5))


def scales_from_32_and_rounds_up(cost, target):
    return widths_of(ceil(32 * (target / cost(widths_of(32))) ** 0.5))


def scales_from_32_and_cuts_off(cost, target):
    return widths_of(int(32 * (target / cost(widths_of(32))) ** 0.5))


def returns_the_base(cost, target):
    return match_widths(cost, target)[0]


def returns_the_cost(cost, target):
    return cost(match_widths(cost, target)), target


def gives_four_widths(cost, target):
    return match_widths(cost, target)[:4]


def forgets_to_return_widths(cost, target):
    match_widths(cost, target)


def gives_one_width(cost, target):
    base = 1
    while cost(base) < target:
        base += 1
    return widths_of(base)


AS_A_SQUARE = "as if every cost grew exactly with the square. Try b = 1, 2, 3 … instead."

EXERCISE_12_2 = WidthsExercise(
    number="12.2",
    title="A fair opponent",
    difficulty="medium",
    minutes=8,
    reference=match_widths,
    cases=targets,
    describe=describe_target,
    mistakes=[
        (
            wants_more_than_the_target,
            "Where a network costs exactly the target, you go on to the next: “at least” includes equal. Go on while "
            "the cost is below the target (`<`).",
        ),
        (
            stays_below_the_target,
            "Your network costs less than the target, or just as much: asked for is the first that does not cost less.",
        ),
        (stops_one_before, "Your network is one step too small: it still costs less than the target."),
        (goes_one_too_far, "Your network is one step too large: the one before it costs at least the target, too."),
        (takes_the_closest, "You take the network whose cost is closest. It may be below the target."),
        (doubles_the_base, "You double b in each step and jump over smaller networks: raise it by 1."),
        (begins_at_32, "You begin at b = 32. A smaller network may be enough: begin at 1."),
        (begins_at_8, "You begin at b = 8. A smaller network may be enough: begin at 1."),
        (begins_at_2, "You begin at b = 2. The smallest network may be enough: begin at 1."),
        (
            takes_even_widths,
            "Your b is always even, so the smallest network may lie between: raise it by 1, and begin with b.",
        ),
        (takes_multiples_of_8, "You try multiples of 8. The smallest may lie between: begin at 1, and raise b by 1."),
        (takes_equal_widths, "All five widths are equal: each should be twice the one before."),
        (adds_instead_of_doubling, "Your widths are b, 2b, 3b, 4b and 5b: each should be twice the one before."),
        (takes_the_root, f"You calculate b with a root, {AS_A_SQUARE}"),
        (scales_from_32, f"You scale 32 with a root, {AS_A_SQUARE}"),
        (scales_from_32_and_rounds_up, f"You scale 32 with a root and round up, {AS_A_SQUARE}"),
        (scales_from_32_and_cuts_off, f"You scale 32 with a root and cut off the rest, {AS_A_SQUARE}"),
        (
            counts_parameters_whatever_the_cost,
            "You count the parameters of a U-Net, whatever is to be counted: call `cost`, the function you are given.",
        ),
        (
            divides_by_the_smallest,
            "You calculate b as if the cost grew in proportion to it. Try b = 1, 2, 3 … instead.",
        ),
        (
            knows_the_answer_of_the_notebook,
            "These are the widths of one network. They should follow from the cost and the target that are given.",
        ),
        (
            never_leaves_the_first,
            "You never get beyond b = 1: go on while the cost is below the target, not while it is above.",
        ),
        (returns_within_the_loop, "It ends after one step: `return` is inside the loop. Move it to the left."),
        (turns_the_widths_round, "Your widths run from the bottom to the top: the smallest comes first."),
    ],
    also_wrong=[
        (returns_the_base, "return all five"),
        (returns_the_cost, "has length 2; it should have length 5"),
        (gives_four_widths, "has length 4; it should have length 5"),
        (forgets_to_return_widths, "returns None"),
        (gives_one_width, "raises TypeError in line 3"),
    ],
)


# Exercise 12.3: Are these pairs?

Paired = tuple[dict[Key, float], list[Key]]


def pair_runs(one: Sequence[Run], other: Sequence[Run]) -> Paired:
    """Return the differences of the true pairs by (seed, block), and the sorted keys of all runs that are in none."""
    leads: dict[Key, float] = {}
    for first in one:
        for second in other:
            if all(first[what] == second[what] for what in ("seed", "block", "passes")):
                leads[first["seed"], first["block"]] = first["iou"] - second["iou"]
    keys = {(run["seed"], run["block"]) for run in [*one, *other]}
    return leads, sorted(keys - leads.keys())


def run_of(seed: int, block: int, passes: int, iou: float) -> Run:
    """Return a run as the notebook has it."""
    return {"seed": seed, "block": block, "passes": passes, "iou": iou}


def two_lists(random: np.random.Generator) -> Iterator[tuple[list[Run], list[Run]]]:
    """Yield the runs of two networks: in any order, some without a partner, some with one that trained for less."""
    yield (
        [run_of(0, 1, 8, 0.625), run_of(0, 2, 8, 0.5)],
        [run_of(0, 2, 8, 0.375), run_of(0, 1, 8, 0.75)],
    )
    yield (
        [run_of(0, 1, 8, 0.625), run_of(1, 1, 8, 0.75), run_of(1, 3, 8, 0.5)],
        [run_of(1, 1, 4, 0.5), run_of(0, 1, 8, 0.5), run_of(1, 3, 8, 0.625)],
    )
    yield (
        [run_of(2, 4, 8, 0.625), run_of(0, 3, 8, 0.75), run_of(1, 0, 8, 0.25)],
        [run_of(1, 0, 8, 0.5), run_of(1, 2, 8, 0.25), run_of(0, 3, 8, 0.375), run_of(0, 0, 8, 0.5)],
    )
    yield ([run_of(0, 0, 8, 0.5), run_of(0, 1, 32, 0.75)], [run_of(0, 0, 32, 0.625), run_of(0, 1, 32, 0.5)])
    for _ in range(3):
        lists = []
        for _ in range(2):
            chosen = random.permutation([(seed, block) for seed in range(3) for block in range(5)])[:12]
            passes = random.choice([8, 8, 8, 4], 12)
            ious = random.uniform(0.5, 0.7, 12).round(4)
            runs = zip(chosen, passes, ious, strict=True)
            lists.append([run_of(int(key[0]), int(key[1]), int(p), float(iou)) for key, p, iou in runs])
        yield lists[0], lists[1]


def key_of(run):
    return run["seed"], run["block"]


def keyed(runs):
    return {key_of(run): run for run in runs}


def true_partner(run, runs):
    partner = keyed(runs).get(key_of(run))
    return partner if partner and partner["passes"] == run["passes"] else None


def same_kind(one, other):
    return all(one[what] == other[what] for what in ("seed", "block", "passes"))


def rest(one, other, leads):
    return sorted({key_of(run) for run in [*one, *other]} - set(leads))


def subtracts_the_wrong_way(one, other):
    leads, left = pair_runs(one, other)
    return {key: -lead for key, lead in leads.items()}, left


def ignores_the_passes(one, other):
    partners = keyed(other)
    leads = {key_of(r): r["iou"] - partners[key_of(r)]["iou"] for r in one if key_of(r) in partners}
    return leads, rest(one, other, leads)


def pairs_by_the_place(one, other):
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in zip(one, other)}
    return leads, rest(one, other, leads)


def pairs_by_the_seed(one, other):
    leads = {key_of(a): a["iou"] - b["iou"] for a in one for b in other if a["seed"] == b["seed"]}
    return leads, rest(one, other, leads)


def pairs_by_the_block(one, other):
    leads = {key_of(a): a["iou"] - b["iou"] for a in one for b in other if a["block"] == b["block"]}
    return leads, rest(one, other, leads)


def pairs_by_block_and_passes(one, other):
    same = [(a, b) for a in one for b in other if (a["block"], a["passes"]) == (b["block"], b["passes"])]
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in same}
    return leads, rest(one, other, leads)


def pairs_by_seed_and_passes(one, other):
    same = [(a, b) for a in one for b in other if (a["seed"], a["passes"]) == (b["seed"], b["passes"])]
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in same}
    return leads, rest(one, other, leads)


def forgets_runs_of_the_other(one, other):
    leads, _ = pair_runs(one, other)
    return leads, rest(one, [], leads)


def forgets_runs_of_the_first(one, other):
    leads, _ = pair_runs(one, other)
    return leads, rest(other, [], leads)


def leaves_out_other_passes_alone(one, other):
    leads, left = pair_runs(one, other)
    return leads, [key for key in left if key in keyed(one) and key in keyed(other)]


def leaves_out_lonely_runs_alone(one, other):
    leads, left = pair_runs(one, other)
    return leads, [key for key in left if not (key in keyed(one) and key in keyed(other))]


def lists_a_key_twice(one, other):
    leads, _ = pair_runs(one, other)
    return leads, sorted(key_of(run) for run in [*one, *other] if key_of(run) not in leads)


def forgets_to_sort(one, other):
    leads, _ = pair_runs(one, other)
    left = []
    for run in [*one, *other]:
        if key_of(run) not in leads and key_of(run) not in left:
            left.append(key_of(run))
    return leads, left


def counts_a_missing_run_as_0(one, other):
    partners = keyed(other)
    leads = {key_of(r): r["iou"] - partners.get(key_of(r), {"iou": 0})["iou"] for r in one}
    return leads, rest(one, other, leads)


def takes_lengths_of_leads(one, other):
    leads, left = pair_runs(one, other)
    return {key: abs(lead) for key, lead in leads.items()}, left


def divides_the_ious(one, other):
    leads = {key_of(run): run["iou"] / true_partner(run, other)["iou"] for run in one if true_partner(run, other)}
    return leads, rest(one, other, leads)


def puts_the_block_first(one, other):
    leads, left = pair_runs(one, other)
    return {(block, seed): lead for (seed, block), lead in leads.items()}, sorted((b, s) for s, b in left)


def puts_the_passes_into_the_key(one, other):
    leads = {(*key_of(r), r["passes"]): r["iou"] - true_partner(r, other)["iou"] for r in one if true_partner(r, other)}
    return leads, rest(one, other, [key[:2] for key in leads])


def returns_the_list_first(one, other):
    return pair_runs(one, other)[::-1]


def leaves_out_the_pairs(one, other):
    leads, _ = pair_runs(one, other)
    return leads, sorted(leads)


def lists_every_run_that_is_no_partner(one, other):
    leads, left = {}, []
    for a in one:
        for b in other:
            if key_of(a) == key_of(b) and a["passes"] == b["passes"]:
                leads[key_of(a)] = a["iou"] - b["iou"]
            else:
                left.append(key_of(a))
    return leads, sorted(left)


def lists_such_runs_once(one, other):
    leads, left = lists_every_run_that_is_no_partner(one, other)
    return leads, sorted(set(left))


def sorts_and_pairs_by_the_place(one, other):
    pairs = zip(sorted(one, key=key_of), sorted(other, key=key_of))
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in pairs if a["passes"] == b["passes"]}
    return leads, rest(one, other, leads)


def leaves_nothing_out(one, other):
    return pair_runs(one, other)[0], []


def rounds_the_leads(one, other):
    leads, left = pair_runs(one, other)
    return {key: round(lead, 2) for key, lead in leads.items()}, left


def rounds_the_leads_to_three(one, other):
    leads, left = pair_runs(one, other)
    return {key: round(lead, 3) for key, lead in leads.items()}, left


def checks_the_partner_in_the_same_place(one, other):
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in zip(one, other) if same_kind(a, b)}
    return leads, rest(one, other, leads)


def sorts_and_checks_the_same_place(one, other):
    pairs = zip(sorted(one, key=key_of), sorted(other, key=key_of))
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in pairs if same_kind(a, b)}
    return leads, rest(one, other, leads)


def sorts_and_checks_nothing(one, other):
    pairs = zip(sorted(one, key=key_of), sorted(other, key=key_of))
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in pairs}
    return leads, rest(one, other, leads)


def takes_a_partner_with_fewer_passes(one, other):
    partners = keyed(other)
    found = [(a, partners[key_of(a)]) for a in one if key_of(a) in partners]
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in found if a["passes"] >= b["passes"]}
    return leads, rest(one, other, leads)


def takes_a_partner_with_more_passes(one, other):
    partners = keyed(other)
    found = [(a, partners[key_of(a)]) for a in one if key_of(a) in partners]
    leads = {key_of(a): a["iou"] - b["iou"] for a, b in found if a["passes"] <= b["passes"]}
    return leads, rest(one, other, leads)


def wants_8_passes(one, other):
    leads, _ = pair_runs([run for run in one if run["passes"] == 8], [run for run in other if run["passes"] == 8])
    return leads, rest(one, other, leads)


def wants_8_passes_of_the_first(one, other):
    leads, _ = ignores_the_passes([run for run in one if run["passes"] == 8], other)
    return leads, rest(one, other, leads)


def lists_the_seeds(one, other):
    leads, left = pair_runs(one, other)
    return leads, sorted(seed for seed, _ in left)


def lists_the_runs(one, other):
    leads, left = pair_runs(one, other)
    return leads, [run for run in [*one, *other] if key_of(run) in left]


def returns_a_set(one, other):
    leads, left = pair_runs(one, other)
    return leads, set(left)


def checks_the_place_and_lists_the_first(one, other):
    leads, left = {}, []
    for a, b in zip(one, other):
        if same_kind(a, b):
            leads[key_of(a)] = a["iou"] - b["iou"]
        else:
            left.append(key_of(a))
    return leads, sorted(left)


def returns_the_leads_alone(one, other):
    return pair_runs(one, other)[0]


def returns_lists(one, other):
    leads, left = pair_runs(one, other)
    return list(leads.values()), left


def counts_what_is_left(one, other):
    leads, left = pair_runs(one, other)
    return leads, len(left)


def takes_a_partner_for_granted(one, other):
    leads, partners = {}, keyed(other)
    for r in one:
        partner = partners[key_of(r)]
        if partner["passes"] == r["passes"]:
            leads[key_of(r)] = r["iou"] - partner["iou"]
    return leads, rest(one, other, leads)


def treats_runs_as_dictionaries(one, other):
    leads = {key: one[key]["iou"] - other[key]["iou"] for key in one}
    return leads, []


def forgets_to_return_the_pairs(one, other):
    pair_runs(one, other)


BY_POSITION = (
    "You pair by position. The runs are in any order, and one list may have runs that the other has not: for each run, "
    "look for the one with the same seed, block and passes."
)
SORTED = "You sort both lists and pair by position. A run without a partner then shifts all that follow."
EIGHT = "You only take runs of 8 passes: what counts is that both runs of a pair have the same number."


class PairsExercise(FunctionExercise):
    """A function that returns a dictionary of leads and a list of what was left out: each is looked at by itself."""

    def _known_mistake(self, calls: Sequence[Call]) -> str:
        return super()._known_mistake(calls) or self._mistake_in_the_leads(calls)

    def _mistake_in_the_leads(self, calls: Sequence[Call]) -> str:
        """Return the sentence of a mistake that gives the same leads, whatever the list is."""
        values = [call.value for call in calls]
        found = [value[0] for value in values if isinstance(value, tuple | list) and len(value) == 2]
        if len(found) < len(calls) or self._same_leads(self.reference, calls, found):
            return ""
        known = (sentence for wrong, sentence in self.mistakes if self._same_leads(wrong, calls, found))
        sentence = next(known, "")
        return sentence and f"{sentence} Then look at left_out again."

    def _same_leads(self, function: Callable[..., Any], calls: Sequence[Call], found: Sequence[object]) -> bool:
        answers: list[Any] = [attempt(function, call.given).value for call in calls]
        firsts = [answer[0] if isinstance(answer, tuple | list) else answer for answer in answers]
        return all(
            isinstance(leads, dict) and alike(first, leads, self.tolerance)
            for first, leads in zip(firsts, found, strict=True)
        )

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        if isinstance(call.value, dict):
            return "This is the dictionary alone. Return two things: `leads, left_out`."
        fault = super()._fault(call, right, answer)
        if isinstance(call.error, KeyError) and call.error.args and isinstance(call.error.args[0], tuple):
            return f"{fault} A run may have no partner, and `.get(key)` then gives None."
        if isinstance(call.value, tuple | list) and len(call.value) == 2:
            return _fault_of_the_list(call.value[1]) or fault
        return fault


def _fault_of_the_list(left_out: object) -> str:
    if isinstance(left_out, set | np.ndarray):
        return f"Your left_out should be a sorted list, not {kind_of(left_out)}."
    entries = left_out if isinstance(left_out, list | tuple) else []
    if any(isinstance(entry, dict) for entry in entries):
        return "Your left_out contains runs. It should contain their (seed, block)."
    if any(not isinstance(entry, tuple | list) or len(entry) != 2 for entry in entries):
        return "Each entry of left_out should be a pair: (seed, block)."
    return ""


EXERCISE_12_3 = PairsExercise(
    number="12.3",
    title="Are these pairs?",
    difficulty="hard",
    minutes=10,
    reference=pair_runs,
    cases=two_lists,
    mistakes=[
        (subtracts_the_wrong_way, "You subtract the first network from the second: `one` minus `other` is asked for."),
        (
            ignores_the_passes,
            "You also pair runs that were trained for different numbers of passes: compare `passes` as well.",
        ),
        (pairs_by_the_place, BY_POSITION),
        (checks_the_partner_in_the_same_place, f"{BY_POSITION} It need not be in the same place."),
        (sorts_and_checks_the_same_place, f"{SORTED} Then you miss their partners."),
        (sorts_and_checks_nothing, f"{SORTED} So you subtract what is no pair."),
        (
            takes_a_partner_with_fewer_passes,
            "You also pair a run with one that was trained for fewer passes: the numbers must be equal (`==`).",
        ),
        (
            takes_a_partner_with_more_passes,
            "You also pair a run with one that was trained for more passes: the numbers must be equal (`==`).",
        ),
        (wants_8_passes, EIGHT),
        (wants_8_passes_of_the_first, f"You only look at the passes of `one`. {EIGHT}"),
        (pairs_by_the_seed, "You pair runs with the same seed: block and passes must be the same as well."),
        (pairs_by_the_block, "You pair runs with the same block: seed and passes must be the same as well."),
        (pairs_by_block_and_passes, "You compare block and passes: the seed must be the same as well."),
        (pairs_by_seed_and_passes, "You compare seed and passes: the block must be the same as well."),
        (forgets_runs_of_the_other, "What only the second list has is missing in your list: it belongs there, too."),
        (forgets_runs_of_the_first, "What only the first list has is missing in your list: it belongs there, too."),
        (
            leaves_out_other_passes_alone,
            "Your list names the runs with different passes: those that have no partner at all belong there, too.",
        ),
        (
            leaves_out_lonely_runs_alone,
            "Your list names the runs without a partner: those with a partner of other passes belong there, too.",
        ),
        (lists_a_key_twice, "Where the passes differ, your list names the same (seed, block) twice: once is enough."),
        (forgets_to_sort, "Your list has the right entries in another order: sort them."),
        (counts_a_missing_run_as_0, "A missing partner counts as an IoU of 0: leave such a run out."),
        (takes_lengths_of_leads, "Your differences have lost their signs, so a loss looks like a lead."),
        (divides_the_ious, "You divide the IoUs: subtract them."),
        (puts_the_block_first, "Your keys are (block, seed): they should be (seed, block)."),
        (puts_the_passes_into_the_key, "Your keys have three parts: they should be (seed, block)."),
        (
            lists_every_run_that_is_no_partner,
            "Your list grows at every run that is not the partner. A run is left out only if *no* run of the other "
            "list is its partner, so decide after the inner loop.",
        ),
        (
            lists_such_runs_once,
            "Your list also names runs that have a partner. A run is left out only if *no* run of the other list is "
            "its partner.",
        ),
        (sorts_and_pairs_by_the_place, SORTED),
        (leaves_nothing_out, "Your list stays empty. It should name the runs, of both lists, that are in no pair."),
        (rounds_the_leads, "You round the differences: leave them as they are."),
        (rounds_the_leads_to_three, "You round the differences to three digits: leave them as they are."),
        (returns_the_list_first, "The two results are swapped: first the dictionary, then the list."),
        (leaves_out_the_pairs, "Your list names the runs that are pairs: the others are asked for."),
    ],
    also_wrong=[
        (returns_the_leads_alone, "Return two things"),
        (checks_the_place_and_lists_the_first, "You pair by position"),
        (lists_the_seeds, "should be a pair: (seed, block)"),
        (lists_the_runs, "contains runs"),
        (returns_a_set, "a sorted list, not a set"),
        (returns_lists, "should be a dictionary, not a list"),
        (counts_what_is_left, "should be a list, not a number"),
        (takes_a_partner_for_granted, "A run may have no partner"),
        (treats_runs_as_dictionaries, "raises TypeError in line 2"),
        (forgets_to_return_the_pairs, "returns None"),
    ],
)


EXERCISE_12_4 = ChoiceExercise(
    number="12.4",
    title="How much is left?",
    difficulty="medium",
    minutes=2,
    question="What is left of the lead of 0.015 if U-Net has the same arithmetic?",
    options={
        "a": Option(
            "nearly all of it: the wiring makes the lead, and size does not matter",
            "The widened U-Net makes up two thirds of it on average, although nothing in it is wired differently.",
        ),
        "b": Option(
            "about two thirds, with the interval above 0",
            "It is the other way round: on average, two thirds are gone once the U-Net does as much arithmetic.",
        ),
        "c": Option(
            "nothing: now the U-Net is ahead, with the interval below 0",
            "UNet++ stays a little ahead on average, in eleven of the fifteen pairs.",
        ),
        "d": Option(
            "about a third, and the interval contains 0",
            "Yes. On average, two thirds go with the arithmetic, and of the rest these runs cannot tell the sign.",
            right=True,
        ),
    },
    also_wrong=[("e", "by its letter"), (0.005, "by its letter")],
    prediction=True,
)


# Exercise 12.5: Which pair makes the lead?

Table = NDArray[np.float64]


def without_each(leads: Table) -> Table:
    """Return for each lead the mean of all others, in a table of the same shape."""
    found = np.empty(leads.shape)
    for place in np.ndindex(leads.shape):
        others = [float(leads[other]) for other in np.ndindex(leads.shape) if other != place]
        found[place] = sum(others) / len(others)
    return found


def lead_tables(random: np.random.Generator) -> Iterator[tuple[Table]]:
    """Yield leads of seeds and blocks."""
    yield (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 9.0]]),)
    yield (np.array([[0.01, -0.02], [0.03, 0.02]]),)
    yield (np.array([[0.02, 0.01], [0.02, -0.01]]),)
    for shape in ((3, 5), (2, 4), (4, 2), (5, 3)):
        yield (random.normal(0.005, 0.01, shape).round(4),)


def divides_by_all_leads(leads):
    return (leads.sum() - leads) / leads.size


def leaves_out_the_row(leads):
    return np.stack([np.full(leads.shape[1], np.delete(leads, row, 0).mean()) for row in range(len(leads))])


def leaves_out_the_column(leads):
    means = [np.delete(leads, column, 1).mean() for column in range(leads.shape[1])]
    return np.stack([np.array(means)] * len(leads))


def leaves_out_row_and_column(leads):
    found = np.empty(leads.shape)
    for i, j in np.ndindex(leads.shape):
        found[i, j] = np.delete(np.delete(leads, i, 0), j, 1).mean()
    return found


def stays_in_its_row(leads):
    return (leads.sum(axis=1, keepdims=True) - leads) / (leads.shape[1] - 1)


def stays_in_its_column(leads):
    return (leads.sum(axis=0) - leads) / (len(leads) - 1)


def subtracts_from_the_mean(leads):
    return leads.mean() - leads


def subtracts_the_mean(leads):
    return leads - leads.mean()


def returns_the_change(leads):
    return leads.mean() - without_each(leads)


def repeats_the_mean(leads):
    return np.full(leads.shape, leads.mean())


def keeps_each_alone(leads):
    return leads.copy()


def sums_the_others(leads):
    return leads.sum() - leads


def takes_the_median_of_the_others(leads):
    found = np.empty(leads.shape)
    for index in range(leads.size):
        found.flat[index] = np.median(np.delete(leads, index))
    return found


def divides_by_rows_and_columns(leads):
    rows, columns = leads.shape
    return (leads.sum() - leads) / ((rows - 1) * (columns - 1))


def divides_by_the_rows(leads):
    return (leads.sum() - leads) / (len(leads) - 1)


def divides_by_14(leads):
    return (leads.sum() - leads) / 14


def adds_up_the_rows(leads):
    return (sum(leads) - leads) / (leads.size - 1)


def leaves_out_equal_leads(leads):
    found = np.empty(leads.shape)
    for i, j in np.ndindex(leads.shape):
        found[i, j] = leads[leads != leads[i, j]].mean()
    return found


def returns_a_flat_table(leads):
    return np.array([np.delete(leads, index).mean() for index in range(leads.size)])


def returns_one_number(leads):
    return float((leads.sum() - leads.max()) / (leads.size - 1))


def returns_nested_lists(leads):
    return without_each(leads).tolist()


def changes_the_leads(leads):
    total, count = leads.sum(), leads.size
    for i in range(leads.shape[0]):
        for j in range(leads.shape[1]):
            leads[i, j] = (total - leads[i, j]) / (count - 1)
    return leads


def forgets_to_return_the_means(leads):
    without_each(leads)


def deletes_by_a_pair(leads):
    found = np.zeros_like(leads)
    for i, j in np.ndindex(leads.shape):
        found[i, j] = leads.remove(leads[i, j]).mean()
    return found


EXERCISE_12_5 = FunctionExercise(
    number="12.5",
    title="Which pair makes the lead?",
    difficulty="medium",
    minutes=6,
    reference=without_each,
    cases=lead_tables,
    only_values=True,
    mistakes=[
        (
            divides_by_all_leads,
            "You divide by the number of all leads: one is left out, so divide by one less. (If you set it to 0 and "
            "take the mean, it still counts.)",
        ),
        (leaves_out_the_row, "You leave a whole row out, a seed: leave one lead out, and keep all others."),
        (leaves_out_the_column, "You leave a whole column out, a block: leave one lead out, and keep all others."),
        (leaves_out_row_and_column, "You leave a row and a column out: leave one lead out, and keep all others."),
        (stays_in_its_row, "You take the mean of the others in the same row: take that of all others in the table."),
        (
            stays_in_its_column,
            "You take the mean of the others in the same column: take that of all others in the table.",
        ),
        (subtracts_from_the_mean, "This is the mean minus each lead: asked for is the mean of all other leads."),
        (subtracts_the_mean, "This is each lead minus the mean: asked for is the mean of all other leads."),
        (returns_the_change, "This is by how much the mean falls: return the mean of the others itself."),
        (repeats_the_mean, "This is the mean of all leads, everywhere: leave a different one out each time."),
        (keeps_each_alone, "These are the leads themselves: asked for is the mean of all *others*."),
        (sums_the_others, "This is the sum of the others: divide by how many they are."),
        (takes_the_median_of_the_others, "You take the median of the others: take the mean."),
        (divides_by_rows_and_columns, "You divide by (rows − 1) · (columns − 1): the others are rows · columns − 1."),
        (divides_by_14, "You divide by 14, which is right for fifteen leads: take `leads.size - 1`."),
        (adds_up_the_rows, "Python's `sum` adds up rows and gives one sum per column: take `leads.sum()`."),
        (
            leaves_out_equal_leads,
            "You leave out every lead that has the same value: leave out the one at this place, and keep its equals.",
        ),
        (divides_by_the_rows, "You divide by the number of rows minus 1: `len` counts rows. Take `leads.size - 1`."),
    ],
    also_wrong=[
        (returns_a_flat_table, "The shape is (6,); it should be (2, 3)."),
        (returns_one_number, "not a number"),
        (returns_nested_lists, "not a list"),
        (changes_the_leads, "changes what it is given"),
        (forgets_to_return_the_means, "returns None"),
        (deletes_by_a_pair, "raises AttributeError in line 4"),
    ],
)


EXERCISE_12_6 = ChoiceExercise(
    number="12.6",
    title="What do you sign?",
    difficulty="medium",
    minutes=3,
    question="Which sentence do these runs allow?",
    options={
        "a": Option(
            "“UNet++ segments this tissue better than U-Net, because its dense skips close the semantic gap.”",
            "It was ahead of U-Net. But a U-Net of the same arithmetic is nearly as good, and nothing here says why.",
        ),
        "b": Option(
            "“UNet++ is no better than a U-Net of the same arithmetic, because the interval contains 0.”",
            "The interval also contains 0.01. “Not resolved” means neither “better” nor “equal”.",
        ),
        "c": Option(
            "“UNet++ led in short runs on this tissue. At equal arithmetic its lead is not resolved.”",
            "It names the images, the length and the control, and it claims neither a difference nor equality.",
            right=True,
        ),
        "d": Option(
            "“On any electron microscopy of brain tissue, the wiring adds between −0.003 and +0.012.”",
            "All thirty slices are of one fly. The interval is for other runs and blocks like these.",
        ),
        "e": Option(
            "“UNet++ won fifteen pairs of fifteen, so take it: by chance, that happens once in 32,768 times.”",
            "The pairs share seeds and slices, so they are not fifteen tosses of a coin. And the two were not equal in "
            "size.",
        ),
    },
    also_wrong=[("f", "by its letter"), (15, "by its letter")],
)


EXERCISES = (EXERCISE_12_1, EXERCISE_12_2, EXERCISE_12_3, EXERCISE_12_4, EXERCISE_12_5, EXERCISE_12_6)
