"""The exercises of notebook 05: the sum of the heads' losses, curves, modes, weights, and a loss with a bug."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

# Exercise 5.1: The loss of all heads


Weights = list[float] | None


def supervised_loss(heads: list[Tensor], target: Tensor, weights: Weights) -> Tensor:
    """Return the heads' cross-entropies, each times its weight (all 1 for None), added up."""
    total = torch.zeros(())
    for number, head in enumerate(heads):
        weight = 1.0 if weights is None else weights[number]
        total = total + weight * _bce(head, target)
    return total


def batches(random: np.random.Generator) -> Iterator[tuple[list[Tensor], Tensor, Weights]]:
    """Yield heads, shallow to deep, a target and weights; the first ones can be followed by hand."""
    target = torch.tensor([[[[1, 0], [0, 1]]]], dtype=torch.uint8)
    yield [torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 2.0)], target, [1.0, 3.0]
    for count, weights in ((3, [0.5, 1.0, 2.0]), (4, None), (1, [0.25]), (2, None)):
        shape = (2, 1, *random.integers(2, 6, 2))
        heads = [torch.from_numpy(random.normal(0, 2, shape)).float() for _ in range(count)]
        yield heads, torch.from_numpy(random.integers(0, 2, shape)).to(torch.uint8), weights


def _bce(head: Tensor, target: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(head, target.float())


def bce(head, target):
    return binary_cross_entropy_with_logits(head, target.float())


def ones(heads, weights):
    return [1.0] * len(heads) if weights is None else weights


def forgets_the_weights(heads, target, weights):
    return sum(bce(head, target) for head in heads)


def takes_the_mean(heads, target, weights):
    total = sum(weight * bce(head, target) for weight, head in zip(ones(heads, weights), heads, strict=True))
    return total / len(heads)


def normalises(heads, target, weights):
    weights = ones(heads, weights)
    total = sum(weight * bce(head, target) for weight, head in zip(weights, heads, strict=True))
    return total / sum(weights)


def writes_over(heads, target, weights):
    for head, weight in zip(heads, ones(heads, weights), strict=True):
        loss = weight * bce(head, target)
    return loss


def returns_in_the_loop(heads, target, weights):
    total = 0
    for head, weight in zip(heads, ones(heads, weights), strict=True):
        total = total + weight * bce(head, target)
        return total


def turns_the_weights_round(heads, target, weights):
    weights = ones(heads, weights)[::-1]
    return sum(weight * bce(head, target) for weight, head in zip(weights, heads, strict=True))


def multiplies_sums(heads, target, weights):
    return sum(ones(heads, weights)) * sum(bce(head, target) for head in heads)


def joins_the_heads(heads, target, weights):
    pairs = zip(ones(heads, weights), heads, strict=True)
    return bce(sum(weight * head for weight, head in pairs) / len(heads), target)


def weights_the_logits(heads, target, weights):
    return sum(bce(weight * head, target) for weight, head in zip(ones(heads, weights), heads, strict=True))


def forgets_none(heads, target, weights):
    return sum(weight * bce(head, target) for weight, head in zip(weights, heads, strict=True))


def gives_a_number(heads, target, weights):
    return sum((weight * bce(head, target)).item() for weight, head in zip(ones(heads, weights), heads, strict=True))


def gives_the_terms(heads, target, weights):
    return torch.stack([weight * bce(h, target) for weight, h in zip(ones(heads, weights), heads, strict=True)])


def changes_the_heads(heads, target, weights):
    total = 0
    for head, weight in zip(heads, ones(heads, weights), strict=True):
        total = total + weight * bce(head, target)
        head.sigmoid_()
    return total


def says_nothing(heads, target, weights):
    sum(bce(head, target) for head in heads)


def takes_no_weights(heads, target):
    return sum(bce(head, target) for head in heads)


def applies_a_sigmoid(heads, target, weights):
    return sum(weight * bce(torch.sigmoid(head), target) for weight, head in zip(ones(heads, weights), heads))


def box(logits, target):  # the notebook's bce, which takes any two tensors
    p = torch.sigmoid(logits)
    return -torch.where(target == 1, p, 1 - p).clamp(min=1e-7).log().mean()


def swaps_the_arguments(heads, target, weights):
    return sum(weight * box(target, head) for weight, head in zip(ones(heads, weights), heads))


def takes_none_for_the_mean(heads, target, weights):
    weights = weights or [1 / len(heads)] * len(heads)
    return sum(weight * bce(head, target) for weight, head in zip(weights, heads))


EXERCISE_5_1 = FunctionExercise(
    number="5.1",
    title="The loss of all heads",
    difficulty="easy",
    minutes=8,
    reference=supervised_loss,
    cases=batches,
    mistakes=[
        (forgets_the_weights, "The weights change nothing: multiply each head's loss by its own."),
        (takes_the_mean, "You take a mean over the heads: their losses are added up."),
        (normalises, "You divide by the sum of the weights: the weighted losses are only added up."),
        (writes_over, "Only the last head counts: each turn of the loop writes over the one before."),
        (returns_in_the_loop, "Only the first head counts: does the loop return in its first turn?"),
        (
            turns_the_weights_round,
            "The weights are in the wrong order: the first one belongs to head 1, the shallowest.",
        ),
        (
            multiplies_sums,
            "You multiply the sum of the weights by the sum of the losses: each loss has its own weight.",
        ),
        (joins_the_heads, "You put the heads together first, and take one loss: each head has a loss of its own."),
        (weights_the_logits, "You weight the logits: that changes the answer of the head. Weight its loss."),
        (applies_a_sigmoid, "You apply a sigmoid first: `bce` takes logits, and does that itself."),
        (swaps_the_arguments, "The two arguments of `bce` have changed places: first the logits, then the target."),
        (takes_none_for_the_mean, "`None` stands for a weight of 1 for each head, not for 1 divided by their number."),
    ],
    also_wrong=[
        (forgets_none, "raises TypeError in line 2"),
        (gives_a_number, "should be a tensor of shape (), not a number"),
        (gives_the_terms, "The shape is (2,)"),
        (changes_the_heads, "changes what it is given"),
        (says_nothing, "returns None"),
        (takes_no_weights, "cannot be called"),
    ],
    tolerance=1e-5,
    seconds=2,
)


EXERCISE_5_2 = NumberExercise(
    number="5.2",
    title="Read the two curves",
    difficulty="easy",
    minutes=4,
    question="validation loss less training loss, both at the end of the epoch",
    solution=0.06,
    mistakes=[
        (-0.18, "You compare with the bar, a mean over the epoch: most of its steps belong to a worse network."),
        (0.18, "This is the bar less the validation loss. But the bar is a mean over networks that are gone."),
        (0.14, "You go on along the line, to a step that was not taken: the last one measured is near enough."),
        (-0.06, "This is the training loss less the validation loss: the other way round."),
        (0.48, "This is how far the training loss fell in the epoch."),
        (0.34, "This is the training loss of the last step: now take it from the validation loss."),
        (-0.42, "You compare with the first step of the epoch: take the last."),
    ],
    also_wrong=[
        ([0.40, 0.34], "one number, not a list"),
    ],
)


# Exercise 5.3: How long to the target?


Curve = dict[int, float]


def steps_to(target: float, curve: Curve) -> int | None:
    """Return the first step whose score is at ``target`` or above; None where there is none."""
    for step, score in curve.items():
        if score >= target:
            return step
    return None


def curves(random: np.random.Generator) -> Iterator[tuple[float, Curve]]:
    """Yield targets and curves: one that falls again, one that meets the target exactly, one that never reaches it."""
    yield 0.5, {7: 0.31, 14: 0.52, 21: 0.44, 28: 0.61}
    yield 0.44, {7: 0.31, 14: 0.44, 21: 0.58}
    yield 0.7, {7: 0.31, 14: 0.52}
    yield 0.3, {10: 0.3, 20: 0.6, 30: 0.5}
    for _ in range(4):
        scores = random.uniform(0, 1, 8)
        yield 0.6, {5 * (place + 1): float(score) for place, score in enumerate(scores)}


def strictly_above(target, curve):
    return next((step for step, score in curve.items() if score > target), None)


def waits_until_it_stays(target, curve):
    found = None
    for step, score in curve.items():
        if score < target:
            found = None
        elif found is None:
            found = step
    return found


def takes_the_last(target, curve):
    reached = [step for step, score in curve.items() if score >= target]
    return reached[-1] if reached else None


def gives_the_score(target, curve):
    for score in curve.values():
        if score >= target:
            return score


def counts_looks(target, curve):
    for number, score in enumerate(curve.values()):
        if score >= target:
            return number


def takes_the_best(target, curve):
    return max(curve, key=curve.get)


def ends_at_the_last_step(target, curve):
    for step, score in curve.items():
        if score >= target:
            break
    return step


def takes_the_nearest(target, curve):
    return sorted(curve, key=lambda step: abs(curve[step] - target))[0]


def gives_all(target, curve):
    return [step for step, score in curve.items() if score >= target]


def stops_before(target, curve):
    before = None
    for step, score in curve.items():
        if score >= target:
            return before
        before = step


def forgets_never(target, curve):
    return [step for step, score in curve.items() if score >= target][0]


def compares_the_steps(target, curve):
    for step in curve:
        if step >= target:
            return step
    return None


def gives_up_at_once(target, curve):
    for step, score in curve.items():
        if score >= target:
            return step
        else:
            return None


def says_zero_for_never(target, curve):
    for step, score in curve.items():
        if score >= target:
            return step
    return 0


def says_minus_one_for_never(target, curve):
    for step, score in curve.items():
        if score >= target:
            return step
    return -1


def never_returns_anything(target, curve):
    for score in curve.values():
        if score >= target:
            pass


EXERCISE_5_3 = FunctionExercise(
    number="5.3",
    title="How long to the target?",
    difficulty="easy",
    minutes=5,
    reference=steps_to,
    cases=curves,
    mistakes=[
        (strictly_above, "A score that is just at the target has reached it: `>=`, not `>`."),
        (
            waits_until_it_stays,
            "You ask from when on the curve stays above: the first time counts, also if it falls again.",
        ),
        (takes_the_last, "You give the last step at which the target is reached: the first is asked for."),
        (gives_the_score, "You give the score: the step is asked for."),
        (counts_looks, "You count the looks from 0: the step is asked for, the key of the dictionary."),
        (takes_the_best, "You give the step with the best score, whether or not it is at the target."),
        (
            ends_at_the_last_step,
            "A curve that never reaches the target has no such step: return None, not its last step.",
        ),
        (takes_the_nearest, "You give the step whose score is nearest to the target: it may be below."),
        (gives_all, "You give all steps at which the target is reached: the first alone is asked for."),
        (compares_the_steps, "You compare the step with the target: compare the score that stands at it."),
        (gives_up_at_once, "You look at the first score alone: let `return None` stand after the loop, not in it."),
        (
            says_zero_for_never,
            "A curve that never reaches the target has no such step: return None, as 0 would mean “at once”.",
        ),
        (
            says_minus_one_for_never,
            "A curve that never reaches the target has no such step: return None, as −1 is a number like others.",
        ),
        (stops_before, "You give the last step before the target is reached."),
    ],
    also_wrong=[
        (forgets_never, "raises IndexError in line 2"),
        (never_returns_anything, "returns None"),
    ],
    seconds=2,
)


EXERCISE_5_4 = ChoiceExercise(
    number="5.4",
    title="Is the mean more accurate?",
    difficulty="medium",
    minutes=2,
    question="The mean of the four heads against head 4, on the eight test images",
    options={
        "a": Option(
            "the mean wins on all eight: averaging removes noise",
            "Averaging helps where answers are about equally good and err in different places. Here two of the "
            "four are much worse, and err in the same places.",
        ),
        "b": Option(
            "head 4 wins on all eight: weak heads pull the mean down",
            "Yes. Heads 1 and 2 call distractors membrane, and with half of the votes they are heard.",
            right=True,
        ),
        "c": Option(
            "now the one wins, now the other: about the same",
            "So it would be if all heads were about equally good. Look at their scores.",
        ),
        "d": Option(
            "they are equal: at the end all heads say the same",
            "All heads have learned from the same mask, but not all can see far enough to answer alike.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.769, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_5_5 = ChoiceExercise(
    number="5.5",
    title="Choose a mode under a budget",
    difficulty="medium",
    minutes=4,
    question="At most 60 % of the multiply-accumulates: which answer has the best IoU?",
    options={
        "a": Option(
            "the whole network, accurate mode",
            "It needs all four heads, so it costs 100 %; and its IoU is not the best of the table either.",
        ),
        "b": Option(
            "the whole network, fast mode with head 3",
            "Its IoU is right, but the whole network still runs: fast mode saves nothing before you prune.",
        ),
        "c": Option(
            "cut to depth 3, fast mode",
            "Yes. Cut first, then read the deepest head that is left.",
            right=True,
        ),
        "d": Option(
            "cut to depth 3, accurate mode",
            "It keeps the budget, but heads 1 and 2 weigh even more in a mean of three.",
        ),
    },
    also_wrong=[
        ("depth 3", "by its letter"),
        (3, "by its letter"),
    ],
)


EXERCISE_5_6 = NumberExercise(
    number="5.6",
    title="A list in the wrong order",
    difficulty="medium",
    minutes=4,
    question="the share of the weights that head 1 gets",
    solution=8 / 15,
    tolerance=6e-3,
    mistakes=[
        (1 / 15, "This is the share of head 4: the list is applied in the order in which the heads come."),
        (1.0, "This is its weight: divide by the sum of the four."),
        (0.25, "So it would be with four equal weights."),
        (4 / 15, "This is the share of head 2."),
        (0.5, "You divide by 2: the four weights add up to 1.875."),
        (0.125, "This is the weight of head 4: the first weight meets head 1. Then divide by the sum."),
        (1.875, "This is the sum of the weights: divide the weight of head 1 by it."),
        (100 * 8 / 15, "This is a percentage: give the share itself, between 0 and 1."),
    ],
    also_wrong=[
        ("8/15", "one number, not a value of type str"),
    ],
)


EXERCISE_5_7 = ChoiceExercise(
    number="5.7",
    title="Find the bug",
    difficulty="hard",
    minutes=6,
    question="Why do heads 1 to 3 of this training answer nothing useful?",
    options={
        "a": Option(
            "the learning rate is too high for shallow heads",
            "Then head 4, which shares their nodes, would suffer too. And too high a rate gives wild losses, "
            "not weights that stay as they were drawn.",
        ),
        "b": Option(
            "the heads see too little of the image",
            "That explains a low score, such as head 1 has in a sound training. It does not explain weights that "
            "have not moved at all.",
        ),
        "c": Option(
            "the loss keeps only the last head's term",
            "Yes. `loss = ` in the loop writes over the term before. Heads 1 to 3 get no gradient.",
            right=True,
        ),
        "d": Option(
            "the heads' logits were not put through a sigmoid",
            "`bce` does that itself, for every head alike; and head 4 has learned.",
        ),
    },
    also_wrong=[
        ("loss", "by its letter"),
        (2, "by its letter"),
    ],
)


EXERCISES = (EXERCISE_5_1, EXERCISE_5_2, EXERCISE_5_3, EXERCISE_5_4, EXERCISE_5_5, EXERCISE_5_6, EXERCISE_5_7)
