"""The exercises of notebook 01: two scores, a split that does not leak, normalising, and a first network."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option
from unetpp_course.checks.isolation import Call

EXERCISE_1_1 = ChoiceExercise(
    number="1.1",
    title="The lazy prediction",
    difficulty="easy",
    minutes=2,
    question="A prediction calls every pixel interior. What is its IoU of the interior, and of the membrane?",
    options={
        "a": Option(
            "0 for both, because it has learned nothing",
            "It has learned nothing, but it does find the interior: every pixel of it.",
        ),
        "b": Option("about 0.5 for both", "The IoU looks at one class at a time, and this prediction has only one."),
        "c": Option(
            "1 for the interior, because all of it is found, and 0 for the membrane",
            "All of the interior is found, but the membrane is called interior too, and that makes the union larger.",
        ),
        "d": Option(
            "about 0.8 for the interior, 0 for the membrane",
            "Prediction and mask have the whole interior in common, and together they cover the image. So the IoU of "
            "the interior is just its fraction of the image. Of membrane they have nothing in common.",
            right=True,
        ),
    },
    also_wrong=[(0.8, "by its letter"), ("e", "by its letter")],
    prediction=True,
)


# Exercise 1.2: The IoU of the membrane


def membrane_iou(prediction: Tensor, mask: Tensor) -> float:
    """Return the IoU of class 0, counted pixel by pixel."""
    both = either = 0
    for predicted, true in zip(prediction.flatten().tolist(), mask.flatten().tolist(), strict=True):
        both += predicted == 0 and true == 0
        either += predicted == 0 or true == 0
    return both / either


@dataclass(frozen=True, kw_only=True)
class IouExercise(FunctionExercise):
    """A function of two masks; a truth value of a whole tensor is told from other errors."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        if isinstance(call.error, RuntimeError | ValueError) and "ambiguous" in str(call.error):
            if call.given[1].ndim > 2:  # the masks before, (H, W), were right
                return (
                    "It is right for masks of shape (H, W). A mask may have more dimensions, such as (1, H, W): then "
                    "`prediction[y, x]` is a whole row. Compare the tensors as a whole, or flatten them first."
                )
            return (
                "It asks a whole tensor whether it is true, as `and` and `or` do, and `&` without brackets too. "
                "Put each comparison in brackets, and join the two with & or |."
            )
        return super()._fault(call, right, answer)


def pairs_of_masks(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield predictions and masks of several shapes; every mask contains both classes."""
    toy = [[1, 0, 1, 1, 1], [1, 0, 1, 1, 1], [1, 0, 0, 0, 0]], [[1, 0, 1, 1, 1], [1, 1, 0, 1, 1], [1, 0, 0, 0, 1]]
    yield as_mask(toy[1]), as_mask(toy[0])
    yield as_mask([[1, 1], [1, 1]]), as_mask([[1, 0], [1, 1]])
    for shape in ((1, 6, 9), (2, 1, 8, 8), (1, 1, 20, 30), (1, 40, 40)):
        mask = random.random(shape) < 0.8
        mask.flat[:2] = 0, 1
        prediction = np.where(random.random(shape) < 0.8, mask, random.random(shape) < 0.7)
        yield as_mask(prediction), as_mask(mask)


def as_mask(values: object) -> Tensor:
    """Return a mask of 0 and 1, uint8."""
    return torch.from_numpy(np.asarray(values).astype(np.uint8))


def counts(prediction, mask):
    p, m = prediction == 0, mask == 0
    return (p & m).sum().item(), p.sum().item(), m.sum().item(), (p | m).sum().item(), m.numel()


def scores_the_interior(prediction, mask):
    p, m = prediction == 1, mask == 1
    return (p & m).sum() / (p | m).sum()


def takes_the_accuracy(prediction, mask):
    return (prediction == mask).float().mean()


def divides_by_the_mask(prediction, mask):
    both, _, true, _, _ = counts(prediction, mask)
    return both / true


def divides_by_the_prediction(prediction, mask):
    both, predicted, _, _, _ = counts(prediction, mask)
    return both / max(predicted, 1)


def divides_by_the_sum(prediction, mask):
    both, predicted, true, _, _ = counts(prediction, mask)
    return both / (predicted + true)


def takes_dice(prediction, mask):
    both, predicted, true, _, _ = counts(prediction, mask)
    return 2 * both / (predicted + true)


def divides_by_all_pixels(prediction, mask):
    both, _, _, _, pixels = counts(prediction, mask)
    return both / pixels


def counts_the_pixels_in_both(prediction, mask):
    return counts(prediction, mask)[0]


def takes_the_mean_of_both_classes(prediction, mask):
    return (scores_the_interior(prediction, mask) + membrane_iou(prediction, mask)) / 2


def takes_what_differs(prediction, mask):
    return 1 - membrane_iou(prediction, mask)


def turns_the_fraction_over(prediction, mask):
    both, _, _, either, _ = counts(prediction, mask)
    return either / both if both else float("inf")


def flips_the_bits(prediction, mask):
    p, m = ~prediction, ~mask
    return (p & m).sum() / (p | m).sum()


def takes_one_sample_each(prediction, mask):
    p, m = prediction == 0, mask == 0
    return (p & m).sum(dim=-1) / (p | m).sum(dim=-1)


def forgets_the_brackets(prediction, mask):
    return (prediction == 0 & mask == 0).sum() / (prediction == 0 | mask == 0).sum()


def counts_the_same_pixels_as_intersection(prediction, mask):
    return (prediction == mask).sum() / ((prediction == 0) | (mask == 0)).sum()


def counts_both_black_over_what_is_not_both_white_twice(prediction, mask):
    p, m = prediction == 0, mask == 0
    return (p & m).sum() / (p ^ m).sum().clamp(min=1)


def rounds_to_whole(prediction, mask):
    return int(membrane_iou(prediction, mask))


def divides_by_a_prediction_of_nothing(prediction, mask):
    p, m = prediction == 0, mask == 0
    return (p & m).sum() / p.sum()


def takes_the_mean_over_the_batch(prediction, mask):
    return sum(membrane_iou(*pair) for pair in zip(prediction, mask, strict=True)) / len(mask)


def gives_a_percentage(prediction, mask):
    return 100 * membrane_iou(prediction, mask)


def rounds_to_two_places(prediction, mask):
    return round(membrane_iou(prediction, mask), 2)


def adds_one_to_both(prediction, mask):
    both, _, _, either, _ = counts(prediction, mask)
    return (both + 1) / (either + 1)


def scores_what_is_wrongly_called_membrane(prediction, mask):
    p, m = prediction == 0, mask == 0
    return (p & ~m).sum() / (p | m).sum()


def loops_over_rows_and_columns(prediction, mask):
    both = either = 0
    for y in range(prediction.shape[0]):
        for x in range(prediction.shape[1]):
            both += int(prediction[y, x] == 0 and mask[y, x] == 0)
            either += int(prediction[y, x] == 0 or mask[y, x] == 0)
    return both / either


def forgets_a_comparison(prediction, mask):
    p = prediction == 0
    return (p & mask).sum() / (p | mask).sum()


def forgets_the_other_comparison(prediction, mask):
    m = mask == 0
    return (prediction & m).sum() / (prediction | m).sum()


def compares_the_numbers(prediction, mask):
    _, predicted, true, _, _ = counts(prediction, mask)
    return min(predicted, true) / max(predicted, true)


def forgets_to_return_the_score(prediction, mask):
    membrane_iou(prediction, mask)


EXERCISE_1_2 = IouExercise(
    number="1.2",
    title="The IoU of the membrane",
    difficulty="easy",
    minutes=5,
    reference=membrane_iou,
    cases=pairs_of_masks,
    tolerance=1e-5,
    mistakes=[
        (scores_the_interior, "This is the IoU of the interior. Membrane is class 0."),
        (takes_the_accuracy, "This is the accuracy. For the IoU, pixels that are interior in both masks do not count."),
        (
            divides_by_the_mask,
            "You divide by the true membrane alone. Divide by the pixels that are membrane in at least one of the two.",
        ),
        (
            divides_by_the_prediction,
            "You divide by the predicted membrane alone. Divide by the pixels that are membrane in at least one of the "
            "two.",
        ),
        (
            divides_by_the_sum,
            "You divide by predicted and true membrane added up, so the pixels in both are counted twice. The union "
            "counts them once.",
        ),
        (takes_dice, "This is the Dice score, a relative of the IoU: it counts the pixels in both twice."),
        (divides_by_all_pixels, "You divide by all pixels of the image. The union has only those that are membrane."),
        (counts_the_pixels_in_both, "You count the pixels of the intersection. Divide them by those of the union."),
        (
            takes_the_mean_of_both_classes,
            "This is the mean over both classes. Here only the membrane, class 0, is asked for.",
        ),
        (takes_what_differs, "This is 1 minus the IoU."),
        (turns_the_fraction_over, "The fraction is upside down: divide the intersection by the union."),
        (
            flips_the_bits,
            "A mask contains the numbers 0 and 1, and ~ turns 0 into 255 and 1 into 254. Ask prediction == 0 instead.",
        ),
        (
            counts_the_same_pixels_as_intersection,
            "Your intersection counts the pixels that are interior in both, too. Count those that are 0 in both.",
        ),
        (
            counts_both_black_over_what_is_not_both_white_twice,
            "Your union leaves out the pixels that are membrane in both. Either one, or both: that is | and not ^.",
        ),
        (
            divides_by_a_prediction_of_nothing,
            "You divide by the predicted membrane alone, which gives 0/0 where none is predicted. Divide by the pixels "
            "that are membrane in at least one of the two.",
        ),
        (
            takes_the_mean_over_the_batch,
            "This is the mean over the images of a batch. Count the pixels of all images together, then divide once.",
        ),
        (gives_a_percentage, "This is a percentage. The IoU goes from 0 to 1."),
        (rounds_to_two_places, "Return the score as it is, without rounding."),
        (adds_one_to_both, "You add 1 above and below. Here the IoU is the plain fraction."),
        (
            scores_what_is_wrongly_called_membrane,
            "You count the interior that is called membrane. Count the pixels that are membrane in both.",
        ),
        (
            forgets_a_comparison,
            "The mask is 1 where it is interior. Compare it with 0, as you did with the prediction.",
        ),
        (
            forgets_the_other_comparison,
            "The prediction is 1 where it is interior. Compare it with 0, as you did with the mask.",
        ),
        (
            compares_the_numbers,
            "You divide one number of membrane pixels by the other. Where they are matters, too: count the pixels that "
            "are membrane in both.",
        ),
        (rounds_to_whole, "The score is cut to a whole number. Divide with /, and do not round."),
    ],
    also_wrong=[
        (forgets_the_brackets, "Put each comparison in brackets"),
        (loops_over_rows_and_columns, "is a whole row"),
        (takes_one_sample_each, "should be one number, not a tensor"),
        (forgets_to_return_the_score, "returns None"),
    ],
)


# Exercise 1.3: A split that does not leak


Parts = tuple[list[str], list[str]]


@dataclass(frozen=True, kw_only=True)
class SplitExercise(FunctionExercise):
    """A function that returns two lists of names; a difference is told by the part and the names in it.

    Any sequences of names are taken for lists. The names that are given must stay as they are.
    """

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        if isinstance(call.error, TypeError) and "NoneType" in str(call.error):
            return "Something is None: `.sort()` and `.extend()` change a list and return None; `sorted` and + do not."
        if call.error is not None or call.value is None:
            return super()._fault(call, right, answer)
        if call.after[0] != call.given[0]:
            does = "sorts" if sorted(call.after[0]) == sorted(call.given[0]) else "takes names out of"
            return (
                f"It {does} the very list that it is given, which is needed again: begin with a sorted copy, as "
                "`sorted(names, key=…)` returns it."
            )
        value = call.value
        if not isinstance(value, list | tuple) or len(value) != 2 or any(isinstance(part, str) for part in value):
            return "Return two lists of names: first the training part, then the validation part."
        assert isinstance(right, tuple)
        faults = (difference_of(*part) for part in zip(("training", "validation"), value, right, strict=True))
        return next(filter(None, faults), "")


def difference_of(part: str, given: object, wanted: list[str]) -> str:
    """Return a sentence on how a part differs from the one that is wanted; nothing where it does not."""
    if isinstance(given, set | frozenset):
        return f"The {part} part is a set, which has no order: return a list."
    if given is None:
        return f"The {part} part is None: `.sort()` and `.extend()` change a list and return None."
    found = [str(name) for name in given if isinstance(name, str)] if isinstance(given, Iterable) else []
    if not isinstance(given, list | tuple | np.ndarray) or len(found) < len(given):
        return f"The {part} part should be a list of the names that you were given."
    if found == wanted:
        return ""
    if sorted(found) == sorted(wanted):
        return f"The {part} part has the right slices, but not in the order of the stack."
    if found[:-1] == wanted:
        return f"The {part} part is one slice too long: {found[-1]} does not belong there."
    if len(found) != len(wanted):
        return f"The number of slices in the {part} part is {len(found)}; it should be {len(wanted)}."
    wrong = next((name for name in found if name not in wanted), found[0])
    return f"The {part} part contains {wrong}, which does not belong there."


def split_stack(names: Sequence[str], start: int, count: int, gap: int) -> Parts:
    """Return the training and validation names of a stack, whose order is that of the numbers in the names."""
    training, validation = [], []
    for position, name in enumerate(in_order(names)):
        if start <= position < start + count:
            validation.append(name)
        elif position < start - gap or position >= start + count + gap:
            training.append(name)
    return training, validation


def in_order(names: Sequence[str]) -> list[str]:
    """Return names such as slice_9, slice_10 or 09, 10 in the order of their numbers."""
    return sorted(names, key=lambda name: int(name.split("_")[-1]))


def stacks(random: np.random.Generator) -> Iterator[tuple[list[str], int, int, int]]:
    """Yield names in any order, where the block starts, how long it is, and the gap on each side."""
    yield ["slice_8", "slice_11", "slice_7", "slice_10", "slice_12", "slice_9"], 2, 2, 1
    yield ["slice_10", "slice_9", "slice_11", "slice_8"], 0, 1, 1
    yield ["slice_99", "slice_100", "slice_98", "slice_101", "slice_102"], 1, 2, 2
    for length in random.integers(6, 14, 8):
        first, count, gap = int(random.integers(0, 95)), int(random.integers(1, 4)), int(random.integers(0, 3))
        names = [f"slice_{first + number}" for number in random.permutation(length)]
        yield names, int(random.integers(0, length - count + 1)), count, gap
    yield ["03", "01", "00", "02", "04"], 3, 1, 1
    yield ["membrane_10", "membrane_08", "membrane_09", "membrane_11"], 1, 1, 0


def number(name):
    return int(name.split("_")[-1])


def sorts_as_text(names, start, count, gap):
    names, end = sorted(names), start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[start:end]


def does_not_sort(names, start, count, gap):
    end = start + count
    return list(names[: max(start - gap, 0)]) + list(names[end + gap :]), list(names[start:end])


def leaves_no_gap(names, start, count, gap):
    names = sorted(names, key=number)
    validation = names[start : start + count]
    return [name for name in names if name not in validation], validation


def leaves_a_gap_before(names, start, count, gap):
    names = sorted(names, key=number)
    left_out = names[max(start - gap, 0) : start + count]
    return [name for name in names if name not in left_out], names[start : start + count]


def leaves_a_gap_after(names, start, count, gap):
    names = sorted(names, key=number)
    left_out = names[start : start + count + gap]
    return [name for name in names if name not in left_out], names[start : start + count]


def validates_on_the_gap(names, start, count, gap):
    names = sorted(names, key=number)
    block = names[max(start - gap, 0) : start + count + gap]
    return [name for name in names if name not in block], block


def takes_one_too_many(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[start : end + 1]


def swaps_the_parts(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[start:end], names[: max(start - gap, 0)] + names[end + gap :]


def takes_numbers_for_positions(names, start, count, gap):
    names = sorted(names, key=number)
    validation = [name for name in names if number(name) in range(start, start + count)]
    left_out = range(start - gap, start + count + gap)
    return [name for name in names if number(name) not in left_out], validation


def counts_from_the_end(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[: start - gap] + names[end + gap :], names[start:end]


def gives_the_validation_alone(names, start, count, gap):
    return sorted(names, key=number)[start : start + count]


def gives_sets(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return set(names[: max(start - gap, 0)] + names[end + gap :]), set(names[start:end])


def forgets_to_return_parts(names, start, count, gap):
    sorted(names, key=number)


def keeps_the_gap_for_training_and_skips_beyond(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[: max(start - gap - 1, 0)] + names[end + gap + 1 :], names[start:end]


def ends_where_count_says(names, start, count, gap):
    names = sorted(names, key=number)
    return names[: max(start - gap, 0)] + names[count + gap :], names[start:count]


def sorts_backwards(names, start, count, gap):
    names, end = sorted(names, key=number, reverse=True), start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[start:end]


def expects_the_word_slice(names, start, count, gap):
    names, end = sorted(names, key=lambda name: int(name.removeprefix("slice_"))), start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[start:end]


def expects_an_underscore(names, start, count, gap):
    names, end = sorted(names, key=lambda name: int(name.split("_")[1])), start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[start:end]


def cuts_letters_off(names, start, count, gap):
    names, end = sorted(names, key=lambda name: int(name[6:])), start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[start:end]


def shortens_both_gaps(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    gap = min(gap, start)
    return names[: start - gap] + names[end + gap :], names[start:end]


def halves_the_gap(names, start, count, gap):
    names, end, half = sorted(names, key=number), start + count, gap // 2
    return names[: max(start - half, 0)] + names[end + half :], names[start:end]


def skips_one_too_many_behind(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[: max(start - gap, 0)] + names[end + gap + 1 :], names[start:end]


def skips_one_too_many_before(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[: max(start - gap - 1, 0)] + names[end + gap :], names[start:end]


def takes_the_distance(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[: abs(start - gap)] + names[end + gap :], names[start:end]


def counts_from_one(names, start, count, gap):
    names, start = sorted(names, key=number), start - 1
    end = start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[max(start, 0) : end]


def trains_before_the_block(names, start, count, gap):
    names = sorted(names, key=number)
    return names[: max(start - gap, 0)], names[start : start + count]


def trains_behind_the_block(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[end + gap :], names[start:end]


def takes_the_end_for_the_last(names, start, count, gap):
    names, end = sorted(names, key=number), start + count
    return names[: max(start - gap, 0)] + names[end + gap + 1 :], names[start : end + 1]


def sorts_in_place(names, start, count, gap):
    names.sort(key=number)
    return split_stack(names, start, count, gap)


def deletes_from_the_list(names, start, count, gap):
    names.sort(key=number)
    validation = names[start : start + count]
    del names[max(0, start - gap) : start + count + gap]
    return names, validation


def keeps_what_sort_returns(names, start, count, gap):
    ordered = list(names).sort(key=number)
    return ordered[: max(start - gap, 0)] + ordered[start + count + gap :], ordered[start : start + count]


def keeps_what_extend_returns(names, start, count, gap):
    ordered, end = sorted(names, key=number), start + count
    training = ordered[: max(start - gap, 0)].extend(ordered[end + gap :])
    return training, ordered[start:end]


def gives_numbers(names, start, count, gap):
    numbers, end = sorted(number(name) for name in names), start + count
    return numbers[: max(start - gap, 0)] + numbers[end + gap :], numbers[start:end]


EXERCISE_1_3 = SplitExercise(
    number="1.3",
    title="A split that does not leak",
    difficulty="medium",
    minutes=10,
    reference=split_stack,
    cases=stacks,
    mistakes=[
        (sorts_as_text, "As text, slice_10 comes before slice_9: sort by the number in the name."),
        (does_not_sort, "The names come in any order: put them in the order of their numbers first."),
        (leaves_no_gap, "Neighbours of the block are in the training part: leave out `gap` slices on each side."),
        (leaves_a_gap_before, "There is no gap after the block: it has a neighbour on each side."),
        (leaves_a_gap_after, "There is no gap before the block: it has a neighbour on each side."),
        (validates_on_the_gap, "The slices of the gap belong to neither part, but you validate on them."),
        (takes_one_too_many, "The block is one slice too long: it ends before position start + count."),
        (swaps_the_parts, "The parts are swapped: return training first, then validation."),
        (
            takes_numbers_for_positions,
            "`start` is a position in the ordered stack, counted from 0, not the number in a name.",
        ),
        (
            counts_from_the_end,
            "Where start - gap is below 0, Python counts from the end of the list: use 0 there.",
        ),
        (
            keeps_the_gap_for_training_and_skips_beyond,
            "The gap is one slice too long on each side: training ends before position start - gap, and goes on at "
            "start + count + gap.",
        ),
        (ends_where_count_says, "`count` says how many slices the block has. It ends before position start + count."),
        (sorts_backwards, "The stack runs backwards: the lowest number comes first."),
        (
            expects_the_word_slice,
            'Not every name begins with "slice_". The number is what comes behind the underscore, where there is one.',
        ),
        (
            expects_an_underscore,
            'Not every name has an underscore. name.split("_")[-1] gives the last piece, whether there is one or not.',
        ),
        (
            cuts_letters_off,
            'Not every name begins with six characters that are no number. name.split("_")[-1] gives the last piece.',
        ),
        (counts_from_one, "`start` is counted from 0: the first slice of the block is ordered[start]."),
        (
            trains_before_the_block,
            "The slices behind the block are missing: behind the gap, they are for training too.",
        ),
        (
            trains_behind_the_block,
            "The slices before the block are missing: before the gap, they are for training too.",
        ),
        (
            takes_the_end_for_the_last,
            "The block is one slice too long, and the gap begins one too late: the block ends before start + count.",
        ),
        (shortens_both_gaps, "The gap behind the block stays `gap` long, even where the one before it is shorter."),
        (halves_the_gap, "`gap` slices are left out on each side, not on both sides together."),
        (
            skips_one_too_many_behind,
            "The gap behind the block is one slice too long: training goes on at position start + count + gap.",
        ),
        (
            skips_one_too_many_before,
            "The gap before the block is one slice too long: training ends before position start - gap.",
        ),
        (
            takes_the_distance,
            "Where start - gap is below 0, no slice is left before the gap, but abs turns it into a number above 0: "
            "use 0 there.",
        ),
    ],
    also_wrong=[
        (gives_the_validation_alone, "Return two lists of names"),
        (gives_numbers, "should be a list of the names"),
        (sorts_in_place, "It sorts the very list"),
        (deletes_from_the_list, "It takes names out of the very list"),
        (keeps_what_sort_returns, "Something is None"),
        (keeps_what_extend_returns, "The training part is None"),
        (gives_sets, "is a set"),
        (forgets_to_return_parts, "returns None"),
    ],
    seconds=2,
)


EXERCISE_1_4 = ChoiceExercise(
    number="1.4",
    title="What did the network get?",
    difficulty="medium",
    minutes=5,
    question="The input has mean −3.34 and standard deviation 0.004. What went wrong?",
    options={
        "a": Option(
            "It was divided by 255 once more, then normalised.",
            "All grey values were close to 0 then, so what is left is about (0 − mean) / std everywhere: almost a "
            "constant, −3.34.",
            right=True,
        ),
        "b": Option(
            "It was not normalised at all.",
            "Then its values would lie between 0 and 1, and so would their mean. This mean is negative.",
        ),
        "c": Option(
            "It was normalised twice.",
            "Dividing by 0.154 twice makes the spread larger, about 6. This spread has all but vanished.",
        ),
        "d": Option(
            "Mean and standard deviation of the training images were swapped.",
            "(0.527 − 0.154) / 0.516 is about 0.72, which is positive, and the spread would be 0.28.",
        ),
    },
    also_wrong=[("normalised", "by its letter")],
)


# Exercise 1.5: A first network


@dataclass(frozen=True, kw_only=True)
class NetworkExercise(FunctionExercise):
    """A network made of three convolutions that are given; it must be possible to train them through its logits."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        if isinstance(call.error, TypeError) and "got (ReLU" in str(call.error):
            return "nn.ReLU is a layer, which is made first and then called: nn.ReLU()(y), or torch.relu(y)."
        if isinstance(call.error, RuntimeError) and "ambiguous" in str(call.error):
            return "Python's `max` cannot compare a whole tensor with 0: use torch.relu(y), or y.clamp(min=0)."
        if isinstance(call.error, TypeError) and "max()" in str(call.error):
            return "`torch.max` compares two tensors, and 0 is none: use torch.relu(y), or y.clamp(min=0)."
        if isinstance(call.error, TypeError) and "relu" in str(call.error) and "Conv2d" in str(call.error):
            return "torch.relu takes what a convolution returns, not the convolution itself: torch.relu(conv1(x))."
        fault = super()._fault(call, right, answer)
        if call.error is not None or call.value is None or fault.startswith("It changes what it is given"):
            return fault
        if not fault and not isinstance(call.value, Tensor):
            return "The values are right, but an array of NumPy has no gradient to learn from: return the tensor."
        untrained = convolutions_without_gradient(call.value, call.after[1:])
        if not fault and untrained:
            return (
                f"The values are right, but no gradient reaches {', '.join(untrained)}, so nothing would be "
                "learned there. Leave out what cuts the gradient off, such as .detach() or torch.no_grad()."
            )
        tracked = isinstance(call.value, Tensor) and call.value.requires_grad
        if fault and tracked and len(untrained) == len(call.after) - 1:
            return (
                "Use the convolutions that you are given. New ones have other weights, and the optimiser would not "
                "know them."
            )
        return fault


def convolutions_without_gradient(logits: object, layers: Sequence[nn.Module]) -> list[str]:
    """Return the names of the convolutions that have no influence on the logits that could be learned from."""
    names = [f"conv{number}" for number in range(1, len(layers) + 1)]
    if not isinstance(logits, Tensor) or not logits.requires_grad:
        return names
    total = logits.sum()
    untrained = []
    for name, layer in zip(names, layers, strict=True):
        gradients = torch.autograd.grad(total, list(layer.parameters()), retain_graph=True, allow_unused=True)
        if any(gradient is None for gradient in gradients):
            untrained.append(name)
    return untrained


def three_layers(x: Tensor, conv1: nn.Module, conv2: nn.Module, conv3: nn.Module) -> Tensor:
    """Return the logits of three convolutions; behind the first two, negative numbers are replaced by 0."""
    first = conv1(x)
    first = torch.where(first > 0, first, torch.zeros_like(first))
    second = conv2(first)
    second = torch.where(second > 0, second, torch.zeros_like(second))
    logits: Tensor = conv3(second)
    return logits


def networks(random: np.random.Generator) -> Iterator[tuple[Tensor, nn.Module, nn.Module, nn.Module]]:
    """Yield images with three convolutions; where all have one channel, they fit in any order."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(1)
        for widths, shape in (((1, 1), (1, 1, 5, 6)), ((1, 1), (2, 1, 7, 7)), ((4, 3), (2, 1, 8, 8))):
            layers = [
                nn.Conv2d(1, widths[0], 3, padding=1),
                nn.Conv2d(*widths, 3, padding=1),
                nn.Conv2d(widths[1], 1, 3, padding=1),
            ]
            for layer in layers:
                for parameter in layer.parameters():
                    nn.init.normal_(parameter)
            x = torch.from_numpy(random.normal(size=shape)).float()
            yield x, layers[0], layers[1], layers[2]


def describe_network(x: Tensor, conv1: nn.Conv2d, conv2: nn.Conv2d, conv3: nn.Conv2d) -> str:
    """Return in words what a network is run on."""
    channels = " → ".join(str(layer.out_channels) for layer in (conv1, conv2, conv3))
    return f"x of shape {tuple(x.shape)}, convolutions with 1 → {channels} channels"


def uses_relu_once(x, conv1, conv2, conv3):
    return conv3(conv2(torch.relu(conv1(x))))


def uses_relu_late(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv2(conv1(x))))


def cuts_off_the_logits(x, conv1, conv2, conv3):
    return torch.relu(conv3(torch.relu(conv2(torch.relu(conv1(x))))))


def gives_probabilities(x, conv1, conv2, conv3):
    return torch.sigmoid(conv3(torch.relu(conv2(torch.relu(conv1(x))))))


def gives_classes(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv2(torch.relu(conv1(x))))) > 0


def uses_relu_before_each(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv2(torch.relu(conv1(torch.relu(x))))))


def runs_backwards(x, conv1, conv2, conv3):
    return conv1(torch.relu(conv2(torch.relu(conv3(x)))))


def stops_after_two(x, conv1, conv2, conv3):
    return torch.relu(conv2(torch.relu(conv1(x))))


def leaves_out_the_second(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv1(x)))


def runs_the_first_twice(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv1(torch.relu(conv1(x)))))


def uses_sigmoid_between(x, conv1, conv2, conv3):
    return conv3(torch.sigmoid(conv2(torch.sigmoid(conv1(x)))))


def takes_absolute_values(x, conv1, conv2, conv3):
    return conv3(conv2(conv1(x).abs()).abs())


def forgets_to_pass_the_map_on(x, conv1, conv2, conv3):
    torch.relu(conv1(x))
    torch.relu(conv2(x))
    return conv3(x)


def forgets_to_keep_what_relu_returns(x, conv1, conv2, conv3):
    x = conv1(x)
    torch.relu(x)
    x = conv2(x)
    torch.relu(x)
    return conv3(x)


def adds_the_layers_up(x, conv1, conv2, conv3):
    return torch.relu(conv1(x)) + torch.relu(conv2(x)) + conv3(x)


def leaks_a_little(x, conv1, conv2, conv3):
    return conv3(functional.leaky_relu(conv2(functional.leaky_relu(conv1(x)))))


def uses_tanh_between(x, conv1, conv2, conv3):
    return conv3(torch.tanh(conv2(torch.tanh(conv1(x)))))


def swaps_the_first_two(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv1(torch.relu(conv2(x)))))


def uses_relu_at_the_end_alone(x, conv1, conv2, conv3):
    return torch.relu(conv3(conv2(conv1(x))))


def throws_the_first_map_away(x, conv1, conv2, conv3):
    y = torch.relu(conv1(x))
    y = torch.relu(conv2(x))
    return conv3(y)


def keeps_what_is_negative(x, conv1, conv2, conv3):
    return conv3(conv2(conv1(x).clamp(max=0)).clamp(max=0))


def adds_the_image(x, conv1, conv2, conv3):
    return x + conv3(torch.relu(conv2(torch.relu(conv1(x)))))


def forgets_to_return_the_logits(x, conv1, conv2, conv3):
    conv3(torch.relu(conv2(torch.relu(conv1(x)))))


def returns_all_maps(x, conv1, conv2, conv3):
    first = torch.relu(conv1(x))
    second = torch.relu(conv2(first))
    return first, second, conv3(second)


def uses_a_module_wrongly(x, conv1, conv2, conv3):
    return conv3(nn.ReLU(conv2(nn.ReLU(conv1(x)))))


def uses_the_max_of_python(x, conv1, conv2, conv3):
    return conv3(max(conv2(max(conv1(x), 0)), 0))


def uses_the_max_of_torch(x, conv1, conv2, conv3):
    y = torch.max(conv1(x), 0.0)
    return conv3(torch.max(conv2(y), 0.0))


def applies_relu_to_a_layer(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv2)(torch.relu(conv1)(x)))


def changes_the_image_afterwards(x, conv1, conv2, conv3):
    logits = three_layers(x, conv1, conv2, conv3)
    x += 1
    return logits


def uses_gelu_between(x, conv1, conv2, conv3):
    return conv3(functional.gelu(conv2(functional.gelu(conv1(x)))))


def detaches_the_logits(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv2(torch.relu(conv1(x))))).detach()


def detaches_a_map(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv2(torch.relu(conv1(x)).detach())))


def gives_an_array(x, conv1, conv2, conv3):
    return conv3(torch.relu(conv2(torch.relu(conv1(x))))).detach().numpy()


def makes_its_own_layers(x, conv1, conv2, conv3):
    conv1, conv2, conv3 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 1, 3, padding=1)
    return conv3(torch.relu(conv2(torch.relu(conv1(x)))))


EXERCISE_1_5 = NetworkExercise(
    number="1.5",
    title="A first network",
    difficulty="easy",
    minutes=6,
    reference=three_layers,
    cases=networks,
    describe=describe_network,
    tolerance=1e-4,
    only_values=True,
    mistakes=[
        (
            forgets_to_keep_what_relu_returns,
            "No ReLU takes effect. If you did call torch.relu, go on with what it returns.",
        ),
        (uses_relu_once, "The ReLU behind the second convolution is missing."),
        (uses_relu_late, "The ReLU behind the first convolution is missing."),
        (cuts_off_the_logits, "The last layer gets no ReLU: a logit below 0 says membrane, and it would be lost."),
        (gives_probabilities, "These are probabilities. Return the logits; the sigmoid comes later."),
        (gives_classes, "These are classes. Return the logits; the decision comes later."),
        (
            uses_relu_before_each,
            "The image itself has gone through a ReLU. A normalised image has negative numbers, and they are needed.",
        ),
        (runs_backwards, "The order is conv1, conv2, conv3: here it is turned round."),
        (stops_after_two, "The third convolution is missing."),
        (leaves_out_the_second, "The second convolution is missing."),
        (runs_the_first_twice, "conv1 runs twice, and conv2 not at all."),
        (uses_sigmoid_between, "Between the convolutions is a sigmoid. It should be a ReLU."),
        (takes_absolute_values, "Negative numbers should become 0. Here they lose their sign."),
        (
            forgets_to_pass_the_map_on,
            "Every convolution reads the image. Each should read what the one before it has made.",
        ),
        (leaks_a_little, "Negative numbers are made smaller. A ReLU replaces them by 0."),
        (uses_tanh_between, "Between the convolutions is a tanh. It should be a ReLU."),
        (uses_gelu_between, "Between the convolutions is a GELU. It should be a ReLU."),
        (swaps_the_first_two, "conv1 and conv2 have changed places."),
        (
            uses_relu_at_the_end_alone,
            "The only ReLU is behind the last convolution. It belongs between two convolutions, not behind the last.",
        ),
        (throws_the_first_map_away, "conv2 reads the image. It should read what conv1 and the ReLU have made."),
        (
            keeps_what_is_negative,
            "Positive numbers become 0, and negative ones stay. It should be the other way round.",
        ),
        (adds_the_image, "You add the image to the result. Return what conv3 gives."),
        (adds_the_layers_up, "Three results are added up. Each convolution should read what the one before has made."),
    ],
    also_wrong=[
        (forgets_to_return_the_logits, "returns None"),
        (returns_all_maps, "should be a tensor of shape"),
        (uses_a_module_wrongly, "nn.ReLU is a layer"),
        (uses_the_max_of_python, "Python's `max` cannot"),
        (uses_the_max_of_torch, "`torch.max` compares two tensors"),
        (applies_relu_to_a_layer, "not the convolution itself"),
        (changes_the_image_afterwards, "It changes what it is given"),
        (detaches_the_logits, "no gradient reaches conv1, conv2, conv3"),
        (detaches_a_map, "no gradient reaches conv1, so"),
        (gives_an_array, "an array of NumPy has no gradient"),
        (makes_its_own_layers, "Use the convolutions that you are given"),
    ],
)


EXERCISE_1_6 = ChoiceExercise(
    number="1.6",
    title="How sure is it of the darkest pixels?",
    difficulty="easy",
    minutes=2,
    question="What probability of membrane does your network give to pixels darker than 0.3, on average?",
    options={
        "a": Option(
            "nearly 1, because the darkest lines are membranes",
            "Rings are as dark as membranes, and white in the masks. Being sure of both is expensive at every ring.",
        ),
        "b": Option(
            "about two thirds",
            "About two thirds of these pixels are membrane, and most of the others belong to rings. For pixels that it "
            "cannot tell apart, that fraction is the probability with the lowest loss.",
            right=True,
        ),
        "c": Option(
            "one half, because it can only guess",
            "It cannot tell rings from membranes, but among the dark pixels membranes are more common than rings.",
        ),
        "d": Option(
            "about 0.2, because four fifths of all pixels are interior",
            "Among all pixels, yes. But it does look at the grey value, and dark pixels are rarely plain interior.",
        ),
    },
    also_wrong=[("e", "by its letter")],
    prediction=True,
)


EXERCISES = (
    EXERCISE_1_1,
    EXERCISE_1_2,
    EXERCISE_1_3,
    EXERCISE_1_4,
    EXERCISE_1_5,
    EXERCISE_1_6,
)
