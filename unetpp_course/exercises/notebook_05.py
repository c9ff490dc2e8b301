"""The exercises of notebook 05: the summed loss, the heads that a loss teaches, the length of training, the cut."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from unetpp_course.checks import ChoiceExercise, FunctionExercise, LossExercise, Option

EXERCISE_5_1 = ChoiceExercise(
    number="5.1",
    title="Cut a network that had one loss",
    difficulty="medium",
    minutes=2,
    question="Head 2 of a network that was trained by the loss of head 4 alone",
    options={
        "a": Option(
            "About as good as before: head 4 needs good maps below it, so X02 is good as well.",
            "The map may well be good. But head 2 has to turn its eight channels into a mask, and nothing ever told it "
            "how: its weights are those of the start.",
        ),
        "b": Option(
            "Better than before: the nodes no longer have to serve four heads at once.",
            "Whatever the nodes compute, head 2 has to turn it into a mask, and nothing ever told it how.",
        ),
        "c": Option(
            "A little worse than before: it has been trained only indirectly, through head 4.",
            "The nodes have been trained through head 4. Head 2 has not, not even indirectly: head 4 does not read it.",
        ),
        "d": Option(
            "Useless: its weights are still the random ones of the start.",
            "Yes. Head 4 does not read head 2, so its loss has never moved head 2.",
            right=True,
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.16, "by its letter"),
    ],
    prediction=True,
)


# Exercise 5.2: The loss of all heads


Weights = list[float] | None

SHAPE = (2, 1, 3, 4)  # of the random heads


def supervised_loss(heads: list[Tensor], target: Tensor, weights: Weights = None) -> Tensor:
    """Return the heads' cross-entropies, each times its weight (all 1 for None), added up."""
    total = torch.zeros(())
    for number, head in enumerate(heads):
        weight = 1.0 if weights is None else weights[number]
        total = total + weight * bce(head, target)
    return total


def batches(random: np.random.Generator) -> Iterator[tuple[list[Tensor], Tensor, Weights]]:
    """Yield heads, shallow to deep, a target and weights; the first can be followed by hand, the last have gradients.

    Five heads and nine come without weights: `zip` with a list of four, or of a few more, would forget one of them.
    """
    target = torch.tensor([[[[1, 0], [0, 1]]]], dtype=torch.uint8)
    yield [torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 2.0)], target, [1.0, 3.0]
    given = (3, [0.5, 1.0, 2.0]), (4, None), (5, None), (9, None), (1, [0.25]), (2, [0.0, 2.0]), (2, None)
    for count, weights in given:
        yield _batch(random, count), _target(random), weights
    for count, weights in ((3, [0.5, 1.0, 2.0]), (4, None)):
        yield [head.requires_grad_() for head in _batch(random, count)], _target(random), weights


def _batch(random: np.random.Generator, count: int, shape: Sequence[int] = SHAPE) -> list[Tensor]:
    return [torch.from_numpy(random.normal(0, 2, shape)).float() for _ in range(count)]


def _target(random: np.random.Generator, shape: Sequence[int] = SHAPE) -> Tensor:
    return torch.from_numpy(random.integers(0, 2, shape)).to(torch.uint8)


def bce(head: Tensor, target: Tensor) -> Tensor:
    """Return the binary cross-entropy of one head, as the notebook has it."""
    return binary_cross_entropy_with_logits(head, target.float())


def weighted_terms(heads: list[Tensor], target: Tensor, weights: Weights) -> list[Tensor]:
    """Return the terms of the sum, for the wrong answers below."""
    weights = [1.0] * len(heads) if weights is None else weights
    return [weight * bce(head, target) for weight, head in zip(weights, heads, strict=True)]


def forgets_the_weights(heads, target, weights):
    return sum(bce(head, target) for head in heads)


def takes_the_mean(heads, target, weights):
    return torch.stack(weighted_terms(heads, target, weights)).mean()


def normalises(heads, target, weights):
    weights = weights or [1.0] * len(heads)
    return sum(weighted_terms(heads, target, weights)) / sum(weights)


def writes_over(heads, target, weights):
    for term in weighted_terms(heads, target, weights):
        loss = term
    return loss


def returns_in_the_loop(heads, target, weights):
    for term in weighted_terms(heads, target, weights):
        return term


def turns_the_weights_round(heads, target, weights):
    return sum(weighted_terms(heads, target, weights and weights[::-1]))


def multiplies_sums(heads, target, weights):
    return sum(weights or [1.0] * len(heads)) * sum(bce(head, target) for head in heads)


def joins_the_heads(heads, target, weights):
    weights = weights or [1.0] * len(heads)
    return bce(sum(weight * head for weight, head in zip(weights, heads, strict=True)) / len(heads), target)


def adds_up_the_logits(heads, target, weights):
    weights = weights or [1.0] * len(heads)
    return bce(sum(weight * head for weight, head in zip(weights, heads, strict=True)), target)


def takes_the_weighted_mean_of_the_logits(heads, target, weights):
    weights = weights or [1.0] * len(heads)
    return bce(sum(weight * head for weight, head in zip(weights, heads, strict=True)) / sum(weights), target)


def adds_up_the_heads_without_weights(heads, target, weights):
    return bce(sum(heads), target)


def averages_the_heads_first(heads, target, weights):
    return bce(torch.stack(heads).mean(dim=0), target)


def weights_the_logits(heads, target, weights):
    weights = weights or [1.0] * len(heads)
    return sum(bce(weight * head, target) for weight, head in zip(weights, heads, strict=True))


def applies_a_sigmoid(heads, target, weights):
    return sum(weighted_terms([torch.sigmoid(head) for head in heads], target, weights))


def swaps_the_arguments(heads, target, weights):
    weights = weights or [1.0] * len(heads)
    return sum(weight * bce(target.float(), head) for weight, head in zip(weights, heads, strict=True))


def takes_none_for_the_mean(heads, target, weights):
    return sum(weighted_terms(heads, target, weights or [1 / len(heads)] * len(heads)))


def takes_none_for_zero(heads, target, weights):
    return sum(weighted_terms(heads, target, weights or [0.0] * len(heads)))


def takes_none_for_four(heads, target, weights):
    pairs = zip(weights or [1, 1, 1, 1], heads)
    return sum(weight * bce(head, target) for weight, head in pairs)


def takes_none_for_six(heads, target, weights):
    pairs = zip(weights or [1] * 6, heads)
    return sum(weight * bce(head, target) for weight, head in pairs)


def takes_the_last_head_without_weights(heads, target, weights):
    return bce(heads[-1], target) if weights is None else sum(weighted_terms(heads, target, weights))


def forgets_the_first_head(heads, target, weights):
    return sum(weighted_terms(heads, target, weights)[1:])


def counts_the_first_head_twice(heads, target, weights):
    terms = weighted_terms(heads, target, weights)
    return terms[0] + sum(terms)


def starts_with_the_first_head(heads, target, weights):
    return bce(heads[0], target) + sum(weighted_terms(heads, target, weights))


def counts_the_last_head_twice(heads, target, weights):
    terms = weighted_terms(heads, target, weights)
    return sum(terms) + terms[-1]


def forgets_the_last_head(heads, target, weights):
    return sum(weighted_terms(heads, target, weights)[:-1])


def takes_the_last_head_alone(heads, target, weights):
    return bce(heads[-1], target)


def takes_the_first_head_alone(heads, target, weights):
    return bce(heads[0], target)


def adds_up_the_pixels(heads, target, weights):
    return sum(head.numel() * term for head, term in zip(heads, weighted_terms(heads, target, weights), strict=True))


def squares_the_weights(heads, target, weights):
    return sum(weighted_terms(heads, target, weights and [weight**2 for weight in weights]))


def turns_the_sign(heads, target, weights):
    return -sum(weighted_terms(heads, target, weights))


def multiplies_the_losses(heads, target, weights):
    return torch.stack(weighted_terms(heads, target, weights)).prod()


def forgets_none(heads, target, weights):
    return sum(weight * bce(head, target) for weight, head in zip(weights, heads, strict=True))


def asks_none_for_its_weights(heads, target, weights):
    return sum(weights[number] * bce(head, target) for number, head in enumerate(heads))


def counts_to_four(heads, target, weights):
    weights = weights or [1.0] * len(heads)
    return sum(weights[number] * bce(heads[number], target) for number in range(4))


def starts_with_a_list_of_one(heads, target, weights):
    total = torch.zeros(1)
    for term in weighted_terms(heads, target, weights):
        total = total + term
    return total


def gives_a_number(heads, target, weights):
    return sum(term.item() for term in weighted_terms(heads, target, weights))


def detaches_a_head(heads, target, weights):
    return sum(weighted_terms([heads[0].detach(), *heads[1:]], target, weights))


def gives_the_terms(heads, target, weights):
    return torch.stack(weighted_terms(heads, target, weights))


def gives_a_list_of_terms(heads, target, weights):
    return weighted_terms(heads, target, weights)


def changes_the_heads(heads, target, weights):
    loss = sum(weighted_terms(heads, target, weights))
    for head in heads:
        head.sigmoid_()
    return loss


def forgets_to_return_the_loss(heads, target, weights):
    sum(weighted_terms(heads, target, weights))


def takes_no_weights(heads, target):
    return sum(bce(head, target) for head in heads)


EXERCISE_5_2 = LossExercise(
    number="5.2",
    title="The loss of all heads",
    difficulty="medium",
    minutes=10,
    reference=supervised_loss,
    cases=batches,
    mistakes=[
        (forgets_the_weights, "The weights change nothing: multiply each head's loss by its own weight."),
        (takes_the_mean, "You take the mean over the heads. Their losses are added up."),
        (normalises, "You divide by the sum of the weights. The weighted losses are only added up."),
        (
            writes_over,
            "Only the last head counts: each turn of the loop overwrites the term before. Add it to a total.",
        ),
        (returns_in_the_loop, "Only the first head counts: does the loop return in its first turn?"),
        (
            turns_the_weights_round,
            "The weights are in the wrong order: the first one belongs to head 1, the shallowest.",
        ),
        (
            multiplies_sums,
            "You multiply the sum of the weights by the sum of the losses. Each loss has a weight of its own.",
        ),
        (joins_the_heads, "You combine the heads first and take one loss. Each head has a loss of its own."),
        (
            adds_up_the_logits,
            "You add up the weighted logits and take one loss of the sum. Each head has a loss of its own, and the "
            "losses are added up.",
        ),
        (
            takes_the_weighted_mean_of_the_logits,
            "You take the weighted mean of the logits and one loss of it. Each head has a loss of its own, and the "
            "losses are added up.",
        ),
        (
            adds_up_the_heads_without_weights,
            "You add up the logits and take one loss of the sum, without any weights. Each head has a loss of its own.",
        ),
        (averages_the_heads_first, "You average the heads first and take one loss. Each head has a loss of its own."),
        (weights_the_logits, "You multiply the logits by the weight, which changes the prediction. Weight the loss."),
        (applies_a_sigmoid, "You apply a sigmoid first: `bce` takes logits, and applies the sigmoid itself."),
        (swaps_the_arguments, "The two arguments of `bce` are swapped: first the logits, then the target."),
        (takes_none_for_the_mean, "`None` stands for a weight of 1 for each head, not for 1 divided by their number."),
        (takes_none_for_zero, "`None` stands for a weight of 1 for each head, not of 0."),
        (
            takes_none_for_four,
            "Without weights you always take four ones. A network of depth 5 has five heads, and `zip` silently drops "
            "the fifth: make as many ones as there are heads.",
        ),
        (
            takes_none_for_six,
            "Without weights you always take six ones, and `zip` silently drops what is beyond: make as many ones as "
            "there are heads.",
        ),
        (
            forgets_none,
            "It fails without weights: `weights` is None then, and a loop cannot go through None. First make a list of "
            "as many ones as there are heads.",
        ),
        (
            asks_none_for_its_weights,
            "It fails without weights: `weights` is None then, and None has no entries. First make a list of as many "
            "ones as there are heads.",
        ),
        (counts_to_four, "You always take four heads. There can be any number of them: len(heads)."),
        (
            takes_the_last_head_without_weights,
            "Without weights only the last head counts. `None` stands for a weight of 1 for each head.",
        ),
        (forgets_the_first_head, "The first head is missing in the sum."),
        (
            counts_the_first_head_twice,
            "The first head counts twice: start with total = 0, or let the loop begin at the second head.",
        ),
        (
            starts_with_the_first_head,
            "The first head counts twice, once without its weight: start with total = 0.",
        ),
        (counts_the_last_head_twice, "The last head counts twice: is its term added once more after the loop?"),
        (
            starts_with_a_list_of_one,
            "The sum has the shape (1,), but a loss is a single number, of shape (). Start with total = 0 rather than "
            "with torch.zeros(1).",
        ),
        (forgets_the_last_head, "The last head is missing in the sum."),
        (takes_the_last_head_alone, "Only the last head counts, and its weight does not: add up the losses of all."),
        (takes_the_first_head_alone, "Only the first head counts, and its weight does not: add up the losses of all."),
        (adds_up_the_pixels, "You add up the pixels: the loss of one head is a mean over them, as `bce` gives it."),
        (squares_the_weights, "Each weight is multiplied in twice."),
        (turns_the_sign, "The sign is wrong: a loss is small where the predictions are right."),
        (multiplies_the_losses, "You multiply the losses by one another. They are added up."),
    ],
    also_wrong=[
        (gives_a_number, "it has no gradient"),
        (detaches_a_head, "the gradient is not"),
        (gives_the_terms, "not a tensor of shape (2,)"),
        (gives_a_list_of_terms, "not a list"),
        (changes_the_heads, "changes what it is given"),
        (forgets_to_return_the_loss, "returns None"),
        (takes_no_weights, "cannot be called"),
    ],
    tolerance=1e-5,
    seconds=5,
)


# Exercise 5.3: Which heads does a loss teach?


HeadsLoss = Callable[[list[Tensor], Tensor], Tensor]


def taught_heads(loss: HeadsLoss, heads: list[Tensor], target: Tensor) -> list[int]:
    """Return the numbers, from 1, of the heads that the loss has a gradient for, one backward pass for each."""
    taught = []
    for number in range(len(heads)):
        copies = [head.detach().clone() for head in heads]
        copies[number].requires_grad_()
        value = loss(copies, target)
        if value.requires_grad:
            (gradient,) = torch.autograd.grad(value, copies[number], allow_unused=True)
            if gradient is not None and gradient.count_nonzero() > 0:
                taught.append(number + 1)
    return taught


def sum_of_all(heads, target):
    return sum(bce(head, target) for head in heads)


def last_head_only(heads, target):
    return bce(heads[-1], target)


def first_head_only(heads, target):
    return bce(heads[0], target)


def second_head_without_weight(heads, target):
    terms = [bce(head, target) for head in heads]
    return sum(terms) - terms[1] + 0 * terms[1]


def last_head_at_its_first_row(heads, target):
    return bce(heads[-1][..., :1, :], target[..., :1, :])


def last_head_at_one_pixel(heads, target):
    return bce(heads[-1][1:, :, 1:2, 1:2], target[1:, :, 1:2, 1:2])


def first_head_detached(heads, target):
    return sum_of_all([heads[0].detach(), *heads[1:]], target)


def loss_of_the_mean_head(heads, target):
    return bce(torch.stack(heads).mean(dim=0), target)


def losses(random: np.random.Generator) -> Iterator[tuple[HeadsLoss, list[Tensor], Tensor]]:
    """Yield losses with heads and a target; gradients may cancel, have one sign, or be 0 at some of the pixels.

    On large heads every gradient is tiny. Heads of one pixel and a single head tell apart what raises the same error.
    """
    yield last_head_only, _batch(random, 4), _target(random)
    yield sum_of_all, _batch(random, 4), _target(random)
    yield second_head_without_weight, _batch(random, 3), _target(random)
    yield first_head_detached, _batch(random, 3), _target(random)
    yield first_head_only, _batch(random, 2), _target(random)
    halves = torch.tensor([[[[1, 0], [0, 1]]]], dtype=torch.uint8)
    yield last_head_only, [torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)], halves
    yield last_head_only, _batch(random, 3), torch.ones(2, 1, 3, 4, dtype=torch.uint8)
    yield last_head_at_its_first_row, _batch(random, 3), _target(random)
    yield loss_of_the_mean_head, _batch(random, 3), _target(random)
    large, pixel = (2, 1, 128, 128), (1, 1, 1, 1)
    yield sum_of_all, _batch(random, 4, large), _target(random, large)
    yield sum_of_all, _batch(random, 2, pixel), _target(random, pixel)
    yield sum_of_all, _batch(random, 1), _target(random)
    for value in (0, 1):  # its gradient is above 0, then below
        yield last_head_at_one_pixel, _batch(random, 3), torch.full((2, 1, 3, 4), value, dtype=torch.uint8)


def describe_loss(loss: HeadsLoss, heads: Sequence[Tensor], target: Tensor) -> str:
    """Return in words what is given."""
    return f"loss = {loss.__name__}, {len(heads)} heads of shape {tuple(heads[0].shape)}"


def gradients(loss, heads, target):
    """Return the gradient of each head, None where there is none, for the wrong answers below."""
    copies = [head.detach().clone().requires_grad_() for head in heads]
    loss(copies, target).backward()
    return [copy.grad for copy in copies]


def has_gradient(gradient):
    return gradient is not None and bool(gradient.count_nonzero())


def counts_from_zero(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target)) if has_gradient(g)]


def counts_zeros_as_gradients(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if g is not None]


def gives_those_left_out(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if not has_gradient(g)]


def gives_yes_or_no(loss, heads, target):
    return [has_gradient(g) for g in gradients(loss, heads, target)]


def gives_one_or_zero(loss, heads, target):
    return [int(has_gradient(g)) for g in gradients(loss, heads, target)]


def adds_up_the_gradient(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if g is not None and g.sum().abs() > 1e-7]


def asks_for_a_positive_gradient(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if g is not None and g.max() > 0]


def asks_for_a_gradient_everywhere(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if g is not None and bool((g != 0).all())]


def goes_from_deep_to_shallow(loss, heads, target):
    return taught_heads(loss, heads, target)[::-1]


def counts_from_the_deep_end(loss, heads, target):
    return sorted(len(heads) + 1 - number for number in taught_heads(loss, heads, target))


def looks_at_the_value_of_the_loss(loss, heads, target):
    found = []
    for i in range(len(heads)):
        other = [head + 1 if k == i else head for k, head in enumerate(heads)]
        if loss(other, target) != loss(heads, target):
            found.append(i + 1)
    return found


def gives_one_head_at_a_time(loss, heads, target):
    return [i for i, head in enumerate(heads, start=1) if has_gradient(gradients(loss, [head, head], target)[0])]


def asks_for_a_large_gradient(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if g is not None and g.abs().max() > 1e-3]


def hands_over_one_head_alone(loss, heads, target):
    return [i for i, head in enumerate(heads, start=1) if has_gradient(gradients(loss, [head], target)[0])]


def hands_over_a_head_without_a_list(loss, heads, target):
    found = []
    for i, head in enumerate(heads, start=1):
        copy = head.clone().requires_grad_()
        loss(copy, target).backward()
        if copy.grad is not None and copy.grad.abs().max() > 0:
            found.append(i)
    return found


def never_goes_back(loss, heads, target):
    copies = [head.clone().requires_grad_() for head in heads]
    loss(copies, target)
    return [i for i, copy in enumerate(copies, start=1) if copy.grad is not None]


def never_goes_back_and_forgets_none(loss, heads, target):
    copies = [head.clone().requires_grad_() for head in heads]
    loss(copies, target)
    return [i for i, copy in enumerate(copies, start=1) if copy.grad.abs().max() > 0]


def goes_back_again_and_again(loss, heads, target):
    copies = [head.clone().requires_grad_() for head in heads]
    value = loss(copies, target)
    found = []
    for i, copy in enumerate(copies, start=1):
        value.backward()
        if has_gradient(copy.grad):
            found.append(i)
    return found


def takes_many_pixels_for_one_answer(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if g is not None and g != 0]


def works_on_the_heads_themselves(loss, heads, target):
    for head in heads:
        head.requires_grad_()
    loss(heads, target).backward()
    return [i for i, head in enumerate(heads, start=1) if has_gradient(head.grad)]


def takes_them_all(loss, heads, target):
    return [i for i, _ in enumerate(heads, start=1)]


def gives_the_gradients(loss, heads, target):
    return [g for g in gradients(loss, heads, target) if has_gradient(g)]


def counts_the_taught_heads(loss, heads, target):
    return sum(has_gradient(g) for g in gradients(loss, heads, target))


def gives_names(loss, heads, target):
    return [f"head {i}" for i, g in enumerate(gradients(loss, heads, target), start=1) if has_gradient(g)]


def asks_for_no_gradient(loss, heads, target):
    loss(heads, target).backward()
    return [i for i, head in enumerate(heads, start=1) if head.grad is not None]


def does_not_allow_unused_heads(loss, heads, target):
    copies = [head.clone().requires_grad_() for head in heads]
    found = torch.autograd.grad(loss(copies, target), copies)
    return [i for i, g in enumerate(found, start=1) if has_gradient(g)]


def asks_none_for_its_size(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if g.abs().max() > 0]


def asks_none_for_any(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if g.any()]


def compares_none(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if (g != 0).any()]


def computes_with_none(loss, heads, target):
    return [i for i, g in enumerate(gradients(loss, heads, target), start=1) if torch.any(g != 0)]


def forgets_to_return_the_heads(loss, heads, target):
    counts_from_zero(loss, heads, target)


EXERCISE_5_3 = FunctionExercise(
    number="5.3",
    title="Which heads does a loss teach?",
    difficulty="medium",
    minutes=8,
    reference=taught_heads,
    cases=losses,
    describe=describe_loss,
    mistakes=[
        (counts_from_zero, "You count from 0: the shallowest head is head 1."),
        (
            counts_zeros_as_gradients,
            "A gradient can be there and be 0 at every pixel, as for a head whose weight is 0. It teaches nothing.",
        ),
        (gives_those_left_out, "These are the heads that the loss leaves out: give those that it teaches."),
        (gives_yes_or_no, "You return True or False for each head: give the numbers of those that are taught."),
        (gives_one_or_zero, "You return 1 or 0 for each head: give the numbers of those that are taught."),
        (
            adds_up_the_gradient,
            "You add up the gradient over the pixels, where positive and negative values can cancel. Ask whether any "
            "of its values is not 0.",
        ),
        (asks_for_a_positive_gradient, "A gradient may be negative at every pixel: ask whether any value is not 0."),
        (
            asks_for_a_gradient_everywhere,
            "A loss may use a part of the pixels only. One pixel with a gradient that is not 0 is enough.",
        ),
        (
            asks_for_a_large_gradient,
            "You compare the gradient with a threshold. The loss is a mean over all pixels, so on large maps every "
            "gradient is small: ask whether any of its values is not 0.",
        ),
        (goes_from_deep_to_shallow, "The right heads, but from deep to shallow: start with the shallowest."),
        (counts_from_the_deep_end, "You count from the deep end: the first head of the list is head 1."),
        (
            looks_at_the_value_of_the_loss,
            "You ask whether the value of the loss changes with the head. It does, but the head is detached: no "
            "gradient flows back to it. Ask for the gradient.",
        ),
        (
            gives_one_head_at_a_time,
            "You hand the loss one head at a time. It expects all of them, and may treat each differently.",
        ),
        (
            hands_over_one_head_alone,
            "You hand the loss a list with a single head, one head at a time. It expects the list of all copies.",
        ),
        (
            hands_over_a_head_without_a_list,
            "You hand the loss a head instead of a list of heads: loss(copies, target), with all copies in the list.",
        ),
        (
            never_goes_back,
            "No copy has a gradient. Did you call backward()? If so, is requires_grad_() the last step: "
            "head.clone().requires_grad_()?",
        ),
        (
            never_goes_back_and_forgets_none,
            "The gradient of every copy is None. Did you call backward()? If so, is requires_grad_() the last step: "
            "head.clone().requires_grad_()?",
        ),
        (
            asks_for_no_gradient,
            "The loss is computed from tensors that do not ask for a gradient: hand it your copies, loss(copies, "
            "target), each made by head.clone().requires_grad_().",
        ),
        (
            does_not_allow_unused_heads,
            "This raises an error where the loss does not use a head. torch.autograd.grad needs allow_unused=True and "
            "then gives None for such a head; a single backward() for all copies needs nothing.",
        ),
        (
            goes_back_again_and_again,
            "You call backward() on the same loss more than once. One call gives all copies their gradients: put it "
            "before the loop.",
        ),
        (
            takes_many_pixels_for_one_answer,
            "`gradient != 0` is an answer for each pixel, not one for the head: add `.any()`.",
        ),
        (
            asks_none_for_its_size,
            "A head that the loss does not use has no gradient: copy.grad is None, and None has no `abs()`. Ask first "
            "whether `copy.grad is not None`.",
        ),
        (
            asks_none_for_any,
            "A head that the loss does not use has no gradient: copy.grad is None, and None has no `any()`. Ask first "
            "whether `copy.grad is not None`.",
        ),
        (
            compares_none,
            "A head that the loss does not use has no gradient: copy.grad is None, and a comparison with None gives a "
            "single True or False. Ask first whether `copy.grad is not None`.",
        ),
        (
            computes_with_none,
            "A head that the loss does not use has no gradient: copy.grad is None, with which nothing can be computed. "
            "Ask first whether `copy.grad is not None`.",
        ),
        (takes_them_all, "You return all heads, whatever the loss is."),
        (gives_the_gradients, "You return gradients: give the numbers of the heads."),
        (gives_names, "You return names: give the numbers alone, such as [1, 2]."),
    ],
    also_wrong=[
        (counts_the_taught_heads, "should be a list, not a number"),
        (works_on_the_heads_themselves, "You change the heads that you were given"),
        (forgets_to_return_the_heads, "returns None"),
    ],
    seconds=5,
)


# Exercise 5.4: How long to the target?


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


def compares_the_wrong_way_round(target, curve):
    for step, score in curve.items():
        if score <= target:
            return step
    return None


def goes_through_the_steps_alone(target, curve):
    for step, score in curve:
        if score >= target:
            return step
    return None


def waits_until_it_stays(target, curve):
    found = None
    for step, score in curve.items():
        if score < target:
            found = None
        elif found is None:
            found = step
    return found


def waits_until_all_later_ones_are_above(target, curve):
    for step in curve:
        if all(score >= target for later, score in curve.items() if later > step):
            return step
    return None


def gives_the_last_step_below(target, curve):
    below = None
    for step, score in curve.items():
        if score < target:
            below = step
    return below


def waits_for_two_in_a_row(target, curve):
    steps = list(curve)
    for step, following in pairwise(steps):
        if curve[step] >= target and curve[following] >= target:
            return step
    return None


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


def counts_looks_from_one(target, curve):
    for number, score in enumerate(curve.values(), start=1):
        if score >= target:
            return number


def says_infinity_for_never(target, curve):
    for step, score in curve.items():
        if score >= target:
            return step
    return float("inf")


def sorts_by_score(target, curve):
    for step, score in sorted(curve.items(), key=lambda entry: entry[1]):
        if score >= target:
            return step
    return None


def takes_the_best(target, curve):
    return max(curve, key=curve.get)


def takes_the_best_at_the_target(target, curve):
    best = max(curve, key=curve.get)
    return best if curve[best] >= target else None


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


def says_false_for_never(target, curve):
    return next((step for step, score in curve.items() if score >= target), False)


def never_returns_anything(target, curve):
    for score in curve.values():
        if score >= target:
            pass


EXERCISE_5_4 = FunctionExercise(
    number="5.4",
    title="How long to the target?",
    difficulty="easy",
    minutes=5,
    reference=steps_to,
    cases=curves,
    mistakes=[
        (
            compares_the_wrong_way_round,
            "You return the first step at or below the target. At least the target is asked for: `>=`, not `<=`.",
        ),
        (
            goes_through_the_steps_alone,
            "A loop over a dictionary goes through its keys, the steps alone. `curve.items()` gives steps and scores.",
        ),
        (strictly_above, "A score that equals the target has reached it: `>=`, not `>`."),
        (
            waits_until_it_stays,
            "You ask from when on the curve stays above the target. The first time counts, even if it falls again.",
        ),
        (
            waits_until_all_later_ones_are_above,
            "You ask after which step all later scores are at the target. The first score at the target counts, even "
            "if later ones fall below it.",
        ),
        (
            gives_the_last_step_below,
            "You return the last step below the target. The first one at the target is asked for, even if the curve "
            "falls again.",
        ),
        (waits_for_two_in_a_row, "You ask for two scores in a row at the target. The first one is enough."),
        (takes_the_last, "You return the last step at which the target is reached: the first one is asked for."),
        (gives_the_score, "You return the score: the step is asked for."),
        (counts_looks, "You count the entries from 0: the step is asked for, the key of the dictionary."),
        (counts_looks_from_one, "You count the entries from 1: the step is asked for, the key of the dictionary."),
        (
            sorts_by_score,
            "You go through the scores from low to high. The first step in the order of time is asked for.",
        ),
        (
            says_infinity_for_never,
            "A curve that never reaches the target has no such step: return None rather than infinity.",
        ),
        (takes_the_best, "You return the step with the best score, whether or not it is the first at the target."),
        (
            takes_the_best_at_the_target,
            "You return the step with the best score. An earlier step may have reached the target already.",
        ),
        (
            ends_at_the_last_step,
            "A curve that never reaches the target has no such step: return None, not its last step.",
        ),
        (takes_the_nearest, "You return the step whose score is nearest to the target: it may be below."),
        (gives_all, "You return all steps at which the target is reached: only the first is asked for."),
        (compares_the_steps, "You compare the step with the target: compare the score at this step."),
        (gives_up_at_once, "You look at the first score only: `return None` belongs after the loop, not in it."),
        (
            says_zero_for_never,
            "A curve that never reaches the target has no such step: return None, because 0 would mean “at once”.",
        ),
        (
            says_minus_one_for_never,
            "A curve that never reaches the target has no such step: return None, because −1 would be counted like any "
            "other number.",
        ),
        (says_false_for_never, "A curve that never reaches the target has no such step: return None, not False."),
        (stops_before, "You return the last step before the target is reached."),
    ],
    also_wrong=[
        (forgets_never, "raises IndexError in line 2"),
        (never_returns_anything, "returns None"),
    ],
    seconds=2,
)


EXERCISE_5_5 = ChoiceExercise(
    number="5.5",
    title="What may you write?",
    difficulty="medium",
    minutes=3,
    question="What may you conclude about the length of training?",
    options={
        "a": Option(
            "This experiment cannot tell whether deep supervision shortens training.",
            "Yes. A gain of eleven steps and a loss of almost seven both fit what was measured.",
            right=True,
        ),
        "b": Option(
            "Deep supervision shortens training by about 2 steps out of 60.",
            "That is the mean of these twelve pairs. The interval contains 0: twelve other seeds could easily show a "
            "loss.",
        ),
        "c": Option(
            "Deep supervision does not shorten training, because the interval contains 0.",
            "It also contains a gain of eleven steps, almost a fifth of the way. That a few noisy runs show no effect "
            "does not mean that there is none.",
        ),
        "d": Option(
            "Deep supervision shortens training, because it was faster in eight pairs of twelve.",
            "One pair of the twelve was equal, so eight of eleven were faster. A coin that is tossed eleven times "
            "shows heads eight times or more in one case of nine.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (-2.3, "by its letter"),
    ],
)


EXERCISE_5_6 = ChoiceExercise(
    number="5.6",
    title="The cut on nuclei",
    difficulty="medium",
    minutes=2,
    question="IoU of nuclei that is lost by the cut to depth 2, at 30 % of the arithmetic",
    options={
        "a": Option(
            "about 0.2, as on the drawn membranes",
            "On the drawn membranes most of the loss is due to the rings: without them, this cut costs 0.03 in "
            "notebook 11. Nuclei can be recognised from nearby.",
        ),
        "b": Option(
            "less than 0.01",
            "It is 0.008. Nuclei can be recognised from nearby, so the deeper nodes have little to add.",
            right=True,
        ),
        "c": Option(
            "about 0.05",
            "On unshrunk nuclei that would be about right; these were shrunk to 96 × 96. There the cut costs 0.008.",
        ),
        "d": Option(
            "about 0.1, half as much as on the drawn membranes",
            "The direction is right, but it is far less. Nuclei can be recognised from nearby.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.008, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_5_7 = ChoiceExercise(
    number="5.7",
    title="The best prediction for the money",
    difficulty="medium",
    minutes=3,
    question="At most 60 % of the multiply-accumulates, drawn membranes: which prediction has the best IoU?",
    options={
        "a": Option(
            "the whole network, mean of all four heads",
            "It needs all fifteen nodes, so it costs 100 %. And the first two heads pull the mean down.",
        ),
        "b": Option(
            "the whole network, head 3",
            "Its IoU is right, but all fifteen nodes are still computed. You save nothing before you cut.",
        ),
        "c": Option(
            "cut to depth 3, head 3",
            "Yes. Cut first, then use the deepest head that is left.",
            right=True,
        ),
        "d": Option(
            "cut to depth 3, mean of heads 1 to 3",
            "It is cheap enough, but heads 1 and 2 are much worse than head 3. They miss many of the same membranes, "
            "and together they outvote it.",
        ),
    },
    also_wrong=[
        ("depth 3", "by its letter"),
        (3, "by its letter"),
    ],
)


EXERCISES = (EXERCISE_5_1, EXERCISE_5_2, EXERCISE_5_3, EXERCISE_5_4, EXERCISE_5_5, EXERCISE_5_6, EXERCISE_5_7)
