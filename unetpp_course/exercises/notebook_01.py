"""The exercises of notebook 01: images, masks, scores of a mask, splits, normalising and warping."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

EXERCISE_1_1 = ChoiceExercise(
    number="1.1",
    title="Read a fault",
    difficulty="easy",
    minutes=3,
    question="A PNG mask holds many values, most of them near 0 or near 255. What happened, and what do you do?",
    options={
        "a": Option(
            "It holds many classes: set `num_classes` to their number.",
            "Classes would be numbered 0, 1, 2 … These values crowd around 0 and 255: two classes, smeared.",
        ),
        "b": Option(
            "It was resampled or compressed on its way: export it anew from where it was drawn.",
            "Yes. Smoothing made the values between; only the original knows the truth at the edges.",
            right=True,
        ),
        "c": Option(
            "The file is damaged: take the image out of the folder.",
            "The file can be read, and all its pixels are there. You would throw away one image of few.",
        ),
        "d": Option(
            "Nothing: a network can be trained on values between 0 and 1 as well.",
            "It can, and then it learns edges that nobody has drawn: the values between lie along the membranes.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
    ],
)


EXERCISE_1_2 = ChoiceExercise(
    number="1.2",
    title="The lazy answer",
    difficulty="easy",
    minutes=2,
    question="An answer calls every pixel interior. What is its IoU of the interior?",
    options={
        "a": Option("0: it has learned nothing", "This is its IoU of the membrane. Interior it finds everywhere."),
        "b": Option("about 0.5: half a point for one class of two", "No class is weighed in: count the pixels."),
        "c": Option(
            "the interior's share of the image, about 0.8",
            "Yes: both masks share all the interior, and together they cover the image.",
            right=True,
        ),
        "d": Option("1: it finds all the interior", "It finds all of it, but calls the membranes interior too."),
    },
    also_wrong=[
        (0.8, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_1_3 = NumberExercise(
    number="1.3",
    title="IoU by hand",
    difficulty="easy",
    minutes=4,
    question="the IoU of the membrane (0) of the small answer",
    solution=4 / 7,
    tolerance=0.005,
    mistakes=[
        (17 / 20, "This is the accuracy: pixels that are interior in both masks do not count here."),
        (13 / 16, "This is the IoU of the interior: the membrane is 0."),
        (4 / 6, "This is the share of the true membrane that is found: divide by the union, which is larger."),
        (4 / 5, "This is the share of the answer's membrane that is right: divide by the union, which is larger."),
        (8 / 11, "This is Dice: it counts the common pixels twice, and divides by the sum of both masks."),
        (4 / 11, "You divide by both masks together, where the common pixels count twice: the union counts them once."),
        (4, "You count the pixels of the intersection: divide them by those of the union."),
        (3 / 7, "This is the share on which the two disagree: the share that they have in common is asked for."),
    ],
    also_wrong=[
        ("4/7", "one number"),
        (float("nan"), "one number"),
    ],
)


# Exercise 1.4: Split a stack


Parts = tuple[list[str], list[str]]


def split_stack(names: list[str], start: int, count: int, gap: int) -> Parts:
    """Return the training and validation names of a stack, whose order is that of the numbers in the names."""
    training, validation = [], []
    for position, name in enumerate(in_order(names)):
        if start <= position < start + count:
            validation.append(name)
        elif position < start - gap or position >= start + count + gap:
            training.append(name)
    return training, validation


def in_order(names: list[str]) -> list[str]:
    """Return names such as slice_9, slice_10 in the order of their numbers."""
    return sorted(names, key=lambda name: int(name.split("_")[1]))


def stacks(random: np.random.Generator) -> Iterator[tuple[list[str], int, int, int]]:
    """Yield names in any order, where the block starts, how long it is, and the gap on each side."""
    yield ["slice_8", "slice_11", "slice_7", "slice_10", "slice_12", "slice_9"], 2, 2, 1
    yield ["slice_10", "slice_9", "slice_11", "slice_8"], 0, 1, 1
    yield ["slice_99", "slice_100", "slice_98", "slice_101", "slice_102"], 1, 2, 2
    for length in random.integers(6, 14, 8):
        first, count, gap = int(random.integers(0, 95)), int(random.integers(1, 4)), int(random.integers(0, 3))
        names = [f"slice_{first + number}" for number in random.permutation(length)]
        yield names, int(random.integers(0, length - count + 1)), count, gap


def number(name):
    return int(name.removeprefix("slice_"))


def sorts_as_text(names, start, count, gap):
    names, end = sorted(names), start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[start:end]


def does_not_sort(names, start, count, gap):
    end = start + count
    return list(names[: max(start - gap, 0)]) + list(names[end + gap :]), list(names[start:end])


def sorts_what_it_was_given(names, start, count, gap):
    names.sort(key=number)
    end = start + count
    return names[: max(start - gap, 0)] + names[end + gap :], names[start:end]


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


EXERCISE_1_4 = FunctionExercise(
    number="1.4",
    title="Split a stack",
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
        (validates_on_the_gap, "The slices of the gap belong to neither part; you validate on them."),
        (takes_one_too_many, "The block is one slice too long: it ends before position start + count."),
        (swaps_the_parts, "The parts are swapped: return training first, then validation."),
        (
            takes_numbers_for_positions,
            "`start` is a position in the ordered stack, counted from 0, not the number in a name.",
        ),
        (counts_from_the_end, "Where start - gap is below 0, Python counts from the end of the list: hold it at 0."),
    ],
    also_wrong=[
        (sorts_what_it_was_given, "changes what it is given"),
        (gives_the_validation_alone, "should be a list, not a value of type str"),
        (gives_sets, "should be a list, not a value of type set"),
        (forgets_to_return_parts, "returns None"),
    ],
    seconds=2,
)


EXERCISE_1_5 = ChoiceExercise(
    number="1.5",
    title="What did the network get?",
    difficulty="medium",
    minutes=4,
    question="The input has mean −3.34 and standard deviation 0.004. What went wrong?",
    options={
        "a": Option(
            "The image was not normalised at all.",
            "Then its values would lie between 0 and 1, and so would their mean; this mean is negative.",
        ),
        "b": Option(
            "The image was normalised twice.",
            "Dividing by 0.154 twice makes the spread larger, 6.2. This spread has all but vanished.",
        ),
        "c": Option(
            "The image was divided by 255 once more before it was normalised.",
            "Yes: every grey value is near 0 then, and what is left is (0 − mean) / std, almost a constant.",
            right=True,
        ),
        "d": Option(
            "Mean and standard deviation were swapped.",
            "(0.527 − 0.154) / 0.516 is about 0.72: positive, and the spread would be 0.28.",
        ),
    },
    also_wrong=[
        ("normalised", "by its letter"),
    ],
)


# Exercise 1.6: Warp a mask


def warp_mask(mask: Tensor, field: Tensor) -> Tensor:
    """Return a mask (H, W) looked up at each pixel's place plus its displacement, field (2, H, W), pixel by pixel."""
    height, width = mask.shape
    moved = torch.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            row = round(y + float(field[0, y, x]))
            column = round(x + float(field[1, y, x]))
            moved[y, x] = mask[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
    return moved


def masks_and_fields(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield small masks (H, W), uint8, with displacements (2, H, W), down and to the right."""
    mask = torch.tensor([[0, 0, 1], [1, 0, 1]], dtype=torch.uint8)
    yield mask, torch.tensor([[[0.0, 0, 0], [0, 0, 0]], [[0.7, 0.7, 0.7], [-0.8, 0, 0]]])
    yield mask, torch.zeros(2, 2, 3)
    for height, width in random.integers(3, 8, (10, 2)):
        values = torch.from_numpy(random.integers(0, 2, (height, width))).to(torch.uint8)
        yield values, torch.from_numpy(random.normal(0, 1.5, (2, height, width))).float()


def positions(mask, field):
    rows, columns = torch.arange(mask.shape[0])[:, None], torch.arange(mask.shape[1])
    return (rows + field[0]).round().long(), (columns + field[1]).round().long()


def at(mask, rows, columns):
    return mask[rows.clamp(0, mask.shape[0] - 1), columns.clamp(0, mask.shape[1] - 1)]


def goes_the_other_way(mask, field):
    return at(mask, *positions(mask, -field))


def swaps_the_axes(mask, field):
    return at(mask, *positions(mask, field[[1, 0]]))


def cuts_off_the_fraction(mask, field):
    rows, columns = torch.arange(mask.shape[0])[:, None], torch.arange(mask.shape[1])
    return at(mask, (rows + field[0]).int(), (columns + field[1]).int())


def wraps_around(mask, field):
    rows, columns = positions(mask, field)
    return mask[rows.remainder(mask.shape[0]), columns.remainder(mask.shape[1])]


def puts_0_outside(mask, field):
    rows, columns = positions(mask, field)
    outside = (rows < 0) | (columns < 0) | (rows >= mask.shape[0]) | (columns >= mask.shape[1])
    return at(mask, rows, columns).masked_fill(outside, 0)


def mirrors(mask, field):
    def mirror(places, length):
        places = places % (2 * length)
        return torch.where(places < length, places, 2 * length - 1 - places)

    rows, columns = positions(mask, field)
    return mask[mirror(rows, mask.shape[0]), mirror(columns, mask.shape[1])]


def pushes(mask, field):
    moved = torch.zeros_like(mask)
    for (y, x), value in zip(torch.cartesian_prod(*map(torch.arange, mask.shape)), mask.flatten(), strict=True):
        row, column = (round(float(place + move)) for place, move in zip((y, x), field[:, y, x], strict=True))
        moved[min(max(row, 0), mask.shape[0] - 1), min(max(column, 0), mask.shape[1] - 1)] = value
    return moved


def moves_rows_alone(mask, field):
    rows, _ = positions(mask, field)
    return at(mask, rows, torch.arange(mask.shape[1]).expand_as(rows))


def moves_columns_alone(mask, field):
    _, columns = positions(mask, field)
    return at(mask, torch.arange(mask.shape[0])[:, None].expand_as(columns), columns)


def forgets_its_own_place(mask, field):
    return at(mask, field[0].round().long(), field[1].round().long())


def does_nothing(mask, field):
    return mask


def leaves_the_mask(mask, field):
    rows, columns = positions(mask, field)
    return mask[rows, columns]


def interpolates(mask, field):
    height, width = mask.shape
    rows, columns = torch.arange(height)[:, None] + field[0], torch.arange(width) + field[1]
    grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], dim=-1)
    return F.grid_sample(mask[None, None].float(), grid[None], padding_mode="border", align_corners=False)[0, 0]


def takes_two_fields(mask, rows, columns):
    return at(mask, *positions(mask, torch.stack([rows, columns])))


def keeps_two_dimensions_more(mask, field):
    return at(mask, *positions(mask, field))[None, None]


def writes_into_the_mask(mask, field):
    mask[:] = at(mask.clone(), *positions(mask, field))
    return mask


def never_ends(mask, field):
    while True:
        field = field / 2


EXERCISE_1_6 = FunctionExercise(
    number="1.6",
    title="Warp a mask",
    difficulty="hard",
    minutes=15,
    reference=warp_mask,
    cases=masks_and_fields,
    mistakes=[
        (
            goes_the_other_way,
            "You subtract the displacement: the result at (y, x) is the mask at (y, x) plus the field.",
        ),
        (swaps_the_axes, "Rows and columns are swapped: field[0] points down, field[1] to the right."),
        (
            cuts_off_the_fraction,
            "You round down: the nearest pixel is asked for, so round to the nearest whole number.",
        ),
        (wraps_around, "What leaves the mask comes back on the other side: repeat the edge instead (`clamp`)."),
        (puts_0_outside, "You put 0 where the place lies outside the mask: repeat the edge instead (`clamp`)."),
        (leaves_the_mask, "Some places lie outside the mask, and you look there: hold them within it (`clamp`)."),
        (mirrors, "You mirror at the border, as the library does: here the edge is repeated (`clamp`)."),
        (
            pushes,
            "You push each pixel to its new place, which leaves holes: look up, for each place, where its value is.",
        ),
        (moves_rows_alone, "The columns stay where they are: add field[1] to them."),
        (moves_columns_alone, "The rows stay where they are: add field[0] to them."),
        (forgets_its_own_place, "You look up the displacement alone: add it to the pixel's own row and column."),
        (does_nothing, "The mask is where it was: use the field."),
    ],
    also_wrong=[
        (interpolates, "The dtype is torch.float32"),
        (takes_two_fields, "cannot be called"),
        (keeps_two_dimensions_more, "The shape is (1, 1, 2, 3)"),
        (writes_into_the_mask, "changes what it is given"),
        (never_ends, "longer than"),
    ],
    seconds=5,
)


EXERCISES = (EXERCISE_1_1, EXERCISE_1_2, EXERCISE_1_3, EXERCISE_1_4, EXERCISE_1_5, EXERCISE_1_6)
