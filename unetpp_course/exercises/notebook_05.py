"""The exercises of notebook 05: the sum of the heads' losses, curves, modes, weights, and a loss with a bug."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

Weights = list[float] | None
Loss = Callable[[list[Tensor], Tensor, Weights], Tensor]


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


def _mistaken(combine: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    """Return a function that puts losses and weights, (heads,) each, together in a wrong way."""

    def wrong(heads: list[Tensor], target: Tensor, weights: Weights) -> Tensor:
        losses = torch.stack([_bce(head, target) for head in heads])
        return combine(losses, torch.ones(len(heads)) if weights is None else torch.tensor(weights))

    return wrong


def _one_loss(heads: list[Tensor], target: Tensor, weights: Weights) -> Tensor:
    factors = [1.0] * len(heads) if weights is None else weights
    return _bce(torch.stack([factor * head for factor, head in zip(factors, heads, strict=True)]).mean(0), target)


def _weighted_logits(heads: list[Tensor], target: Tensor, weights: Weights) -> Tensor:
    factors = [1.0] * len(heads) if weights is None else weights
    return torch.stack([_bce(factor * head, target) for factor, head in zip(factors, heads, strict=True)]).sum()


def _sigmoid_first(heads: list[Tensor], target: Tensor, weights: Weights) -> Tensor:
    return supervised_loss([head.sigmoid() for head in heads], target, weights)


def _arguments_swapped(heads: list[Tensor], target: Tensor, weights: Weights) -> Tensor:
    p = target.float().sigmoid()
    losses = [-torch.where(head == 1, p, 1 - p).log().mean() for head in heads]
    return (torch.stack(losses) * torch.tensor([1.0] * len(heads) if weights is None else weights)).sum()


def _none_as_mean(heads: list[Tensor], target: Tensor, weights: Weights) -> Tensor:
    return supervised_loss(heads, target, [1 / len(heads)] * len(heads) if weights is None else weights)


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


def _reached(target: float, curve: Curve) -> list[int]:
    return [step for step, score in curve.items() if score >= target]


def _to_stay(target: float, curve: Curve) -> int | None:
    below = [step for step, score in curve.items() if score < target]
    return next((step for step in curve if not below or step > below[-1]), None)


EXERCISES = (
    FunctionExercise(
        number="5.1",
        title="The loss of all heads",
        difficulty="easy",
        minutes=8,
        reference=supervised_loss,
        cases=batches,
        mistakes={
            "The weights change nothing: multiply each head's loss by its own.": (
                _mistaken(lambda losses, _: losses.sum())
            ),
            "You take a mean over the heads: their losses are added up.": (
                _mistaken(lambda losses, weights: (weights * losses).mean())
            ),
            "You divide by the sum of the weights: the weighted losses are only added up.": (
                _mistaken(lambda losses, weights: (weights * losses).sum() / weights.sum())
            ),
            "Only the last head counts: each turn of the loop writes over the one before.": (
                _mistaken(lambda losses, weights: weights[-1] * losses[-1])
            ),
            "Only the first head counts: does the loop return in its first turn?": (
                _mistaken(lambda losses, weights: weights[0] * losses[0])
            ),
            "The weights are in the wrong order: the first one belongs to head 1, the shallowest.": (
                _mistaken(lambda losses, weights: (weights.flip(0) * losses).sum())
            ),
            "You multiply the sum of the weights by the sum of the losses: each loss has its own weight.": (
                _mistaken(lambda losses, weights: weights.sum() * losses.sum())
            ),
            "You put the heads together first, and take one loss: each head has a loss of its own.": _one_loss,
            "You weight the logits: that changes the answer of the head. Weight its loss.": _weighted_logits,
            "You apply a sigmoid first: `bce` takes logits, and does that itself.": _sigmoid_first,
            "The two arguments of `bce` have changed places: first the logits, then the target.": _arguments_swapped,
            "`None` stands for a weight of 1 for each head, not for 1 divided by their number.": _none_as_mean,
        },
        tolerance=1e-5,
        seconds=2,
    ),
    NumberExercise(
        number="5.2",
        title="Read the two curves",
        difficulty="easy",
        minutes=4,
        question="validation loss less training loss, both at the end of the epoch",
        solution=0.06,
        mistakes={
            "You compare with the bar, a mean over the epoch: most of its steps belong to a worse network.": -0.18,
            "This is the bar less the validation loss. But the bar is a mean over networks that are gone.": 0.18,
            "You go on along the line, to a step that was not taken: the last one measured is near enough.": 0.14,
            "This is the training loss less the validation loss: the other way round.": -0.06,
            "This is how far the training loss fell in the epoch.": 0.48,
            "This is the training loss of the last step: now take it from the validation loss.": 0.34,
            "You compare with the first step of the epoch: take the last.": -0.42,
        },
    ),
    FunctionExercise(
        number="5.3",
        title="How long to the target?",
        difficulty="easy",
        minutes=5,
        reference=steps_to,
        cases=curves,
        mistakes={
            "A score that is just at the target has reached it: `>=`, not `>`.": (
                lambda target, curve: next((step for step, score in curve.items() if score > target), None)
            ),
            "You ask from when on the curve stays above: the first time counts, also if it falls again.": _to_stay,
            "You give the last step at which the target is reached: the first is asked for.": (
                lambda target, curve: next(iter(_reached(target, curve)[::-1]), None)
            ),
            "You give the score: the step is asked for.": (
                lambda target, curve: next((score for score in curve.values() if score >= target), None)
            ),
            "You count the looks from 0: the step is asked for, the key of the dictionary.": (
                lambda target, curve: next((i for i, score in enumerate(curve.values()) if score >= target), None)
            ),
            "You give the step with the best score, whether or not it is at the target.": (
                lambda _, curve: max(curve, key=curve.__getitem__)
            ),
            "A curve that never reaches the target has no such step: return None, not its last step.": (
                lambda target, curve: next(iter(_reached(target, curve)), max(curve))
            ),
            "You give the step whose score is nearest to the target: it may be below.": (
                lambda target, curve: min(curve, key=lambda step: abs(curve[step] - target))
            ),
            "You give all steps at which the target is reached: the first alone is asked for.": _reached,
            "You compare the step with the target: compare the score that stands at it.": (
                lambda target, curve: next((step for step in curve if step >= target), None)
            ),
            "You look at the first score alone: let `return None` stand after the loop, not in it.": (
                lambda target, curve: next((step for step in list(curve)[:1] if curve[step] >= target), None)
            ),
            "A curve that never reaches the target has no such step: return None, as 0 would mean “at once”.": (
                lambda target, curve: next(iter(_reached(target, curve)), 0)
            ),
            "A curve that never reaches the target has no such step: return None, as −1 is a number like others.": (
                lambda target, curve: next(iter(_reached(target, curve)), -1)
            ),
            "You give the last step before the target is reached.": (
                lambda target, curve: next(
                    (
                        before
                        for before, step in zip([None, *curve], curve, strict=False)
                        if step in _reached(target, curve)
                    ),
                    None,
                )
            ),
        },
        seconds=2,
    ),
    ChoiceExercise(
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
        prediction=True,
    ),
    ChoiceExercise(
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
    ),
    NumberExercise(
        number="5.6",
        title="A list in the wrong order",
        difficulty="medium",
        minutes=4,
        question="the share of the weights that head 1 gets",
        solution=8 / 15,
        tolerance=6e-3,
        mistakes={
            "This is the share of head 4: the list is applied in the order in which the heads come.": 1 / 15,
            "This is its weight: divide by the sum of the four.": 1.0,
            "So it would be with four equal weights.": 0.25,
            "This is the share of head 2.": 4 / 15,
            "You divide by 2: the four weights add up to 1.875.": 0.5,
            "This is the weight of head 4: the first weight meets head 1. Then divide by the sum.": 0.125,
            "This is the sum of the weights: divide the weight of head 1 by it.": 1.875,
            "This is a percentage: give the share itself, between 0 and 1.": 100 * 8 / 15,
        },
    ),
    ChoiceExercise(
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
    ),
)
