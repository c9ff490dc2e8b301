"""Wrong answers to the exercises of notebook 05, each with words of the message that it must get."""
# ruff: noqa: B007, B905, RET503, RET504, RET505, RUF015 (learners write so)

import torch
from torch.nn.functional import binary_cross_entropy_with_logits


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


WRONG = {
    "5.1": [
        (forgets_the_weights, "weights change nothing"),
        (takes_the_mean, "mean over the heads"),
        (normalises, "divide by the sum"),
        (writes_over, "Only the last head"),
        (returns_in_the_loop, "Only the first head"),
        (turns_the_weights_round, "wrong order"),
        (multiplies_sums, "sum of the weights by the sum"),
        (joins_the_heads, "heads together first"),
        (weights_the_logits, "weight the logits"),
        (forgets_none, "raises TypeError in line 2"),
        (gives_a_number, "should be a tensor of shape (), not a number"),
        (gives_the_terms, "The shape is (2,)"),
        (changes_the_heads, "changes what it is given"),
        (applies_a_sigmoid, "sigmoid first"),
        (swaps_the_arguments, "changed places"),
        (takes_none_for_the_mean, "stands for a weight of 1"),
        (says_nothing, "returns None"),
        (takes_no_weights, "cannot be called"),
    ],
    "5.2": [
        (0.40 - 4.06 / 7, "mean over the epoch"),
        (0.58 - 0.40, "networks that are gone"),
        (0.40 - 0.26, "near enough"),
        (-0.06, "other way round"),
        (0.48, "fell in the epoch"),
        (0.34, "now take it from"),
        (-0.42, "first step"),
        ([0.40, 0.34], "one number, not a list"),
    ],
    "5.3": [
        (strictly_above, "`>=`"),
        (waits_until_it_stays, "stays above"),
        (takes_the_last, "last step at which"),
        (gives_the_score, "give the score"),
        (counts_looks, "count the looks"),
        (takes_the_best, "best score"),
        (ends_at_the_last_step, "not its last step"),
        (takes_the_nearest, "nearest"),
        (gives_all, "give all steps"),
        (stops_before, "before the target"),
        (compares_the_steps, "compare the score"),
        (gives_up_at_once, "after the loop"),
        (says_zero_for_never, "at once"),
        (says_minus_one_for_never, "−1"),
        (forgets_never, "raises IndexError in line 2"),
        (never_returns_anything, "returns None"),
    ],
    "5.4": [("e", "by its letter"), (0.769, "by its letter")],
    "5.5": [("depth 3", "by its letter"), (3, "by its letter")],
    "5.6": [
        (1 / 15, "share of head 4"),
        (1, "divide by the sum"),
        (0.25, "four equal weights"),
        (0.5, "1.875"),
        (0.125, "weight of head 4"),
        (1.875, "sum of the weights"),
        (100 / 1.875, "percentage"),
        ("8/15", "one number, not a value of type str"),
    ],
    "5.7": [("loss", "by its letter"), (2, "by its letter")],
}
