"""The exercises of notebook 01: images, masks, scores of a mask, splits, normalising and warping."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option
from unetpp_lib.data import warp

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


def _cut(ordered: list[str], start: int, count: int, before: int, after: int) -> Parts:
    """Return a split whose gaps are ``before`` and ``after`` slices wide."""
    end = start + count
    return ordered[: max(0, start - before)] + ordered[end + after :], ordered[start:end]


def _with_gap_in_validation(names: list[str], start: int, count: int, gap: int) -> Parts:
    training, _ = split_stack(names, start, count, gap)
    return training, [name for name in in_order(names) if name not in training]


def _by_slice_numbers(names: list[str], start: int, count: int, gap: int) -> Parts:
    numbers = {name: int(name.split("_")[1]) for name in in_order(names)}
    block = [name for name, number in numbers.items() if start <= number < start + count]
    near = range(start - gap, start + count + gap)
    return [name for name, number in numbers.items() if number not in near], block


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


def _look_up(mask: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return a mask at given places, the edge repeated outside."""
    height, width = mask.shape
    return mask[rows.long().clamp(0, height - 1), columns.long().clamp(0, width - 1)]


def _places(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows (H, 1) and columns (W) of a mask's pixels."""
    return torch.arange(mask.shape[0])[:, None], torch.arange(mask.shape[1])


def _rounded_down(mask: Tensor, field: Tensor) -> Tensor:
    rows, columns = _places(mask)
    return _look_up(mask, (rows + field[0]).floor(), (columns + field[1]).floor())


def _around_the_border(mask: Tensor, field: Tensor) -> Tensor:
    rows, columns = _places(mask)
    places = ((rows + field[0]).round().long(), (columns + field[1]).round().long())
    return mask[places[0] % mask.shape[0], places[1] % mask.shape[1]]


def _not_held(mask: Tensor, field: Tensor) -> Tensor:
    rows, columns = _places(mask)
    return mask[(rows + field[0]).round().long(), (columns + field[1]).round().long()]


def _zero_outside(mask: Tensor, field: Tensor) -> Tensor:
    rows, columns = _places(mask)
    y, x = (rows + field[0]).round(), (columns + field[1]).round()
    inside = (y >= 0) & (y < mask.shape[0]) & (x >= 0) & (x < mask.shape[1])
    return _look_up(mask, y, x) * inside.to(mask.dtype)


def _pushed(mask: Tensor, field: Tensor) -> Tensor:
    moved = torch.zeros_like(mask)
    height, width = mask.shape
    for y in range(height):
        for x in range(width):
            row, column = round(y + float(field[0, y, x])), round(x + float(field[1, y, x]))
            moved[min(max(row, 0), height - 1), min(max(column, 0), width - 1)] = mask[y, x]
    return moved


EXERCISES = (
    ChoiceExercise(
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
    ),
    ChoiceExercise(
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
        prediction=True,
    ),
    NumberExercise(
        number="1.3",
        title="IoU by hand",
        difficulty="easy",
        minutes=4,
        question="the IoU of the membrane (0) of the small answer",
        solution=4 / 7,
        tolerance=0.005,
        mistakes={
            "This is the accuracy: pixels that are interior in both masks do not count here.": 17 / 20,
            "This is the IoU of the interior: the membrane is 0.": 13 / 16,
            "This is the share of the true membrane that is found: divide by the union, which is larger.": 4 / 6,
            "This is the share of the answer's membrane that is right: divide by the union, which is larger.": 4 / 5,
            "This is Dice: it counts the common pixels twice, and divides by the sum of both masks.": 8 / 11,
            "You divide by both masks together, where the common pixels count twice: the union counts them once.": (
                4 / 11
            ),
            "You count the pixels of the intersection: divide them by those of the union.": 4,
            "This is the share on which the two disagree: the share that they have in common is asked for.": 3 / 7,
        },
    ),
    FunctionExercise(
        number="1.4",
        title="Split a stack",
        difficulty="medium",
        minutes=10,
        reference=split_stack,
        cases=stacks,
        mistakes={
            "As text, slice_10 comes before slice_9: sort by the number in the name.": (
                lambda names, start, count, gap: _cut(sorted(names), start, count, gap, gap)
            ),
            "The names come in any order: put them in the order of their numbers first.": (
                lambda names, start, count, gap: _cut(names, start, count, gap, gap)
            ),
            "Neighbours of the block are in the training part: leave out `gap` slices on each side.": (
                lambda names, start, count, _: _cut(in_order(names), start, count, 0, 0)
            ),
            "There is no gap after the block: it has a neighbour on each side.": (
                lambda names, start, count, gap: _cut(in_order(names), start, count, gap, 0)
            ),
            "There is no gap before the block: it has a neighbour on each side.": (
                lambda names, start, count, gap: _cut(in_order(names), start, count, 0, gap)
            ),
            "The slices of the gap belong to neither part; you validate on them.": _with_gap_in_validation,
            "The block is one slice too long: it ends before position start + count.": (
                lambda names, start, count, gap: (
                    split_stack(names, start, count, gap)[0],
                    in_order(names)[start : start + count + 1],
                )
            ),
            "The parts are swapped: return training first, then validation.": (
                lambda *given: tuple(reversed(split_stack(*given)))
            ),
            "`start` is a position in the ordered stack, counted from 0, not the number in a name.": _by_slice_numbers,
            "Where start - gap is below 0, Python counts from the end of the list: hold it at 0.": (
                lambda names, start, count, gap: (
                    in_order(names)[: start - gap] + in_order(names)[start + count + gap :],
                    in_order(names)[start : start + count],
                )
            ),
        },
        seconds=2,
    ),
    ChoiceExercise(
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
    ),
    FunctionExercise(
        number="1.6",
        title="Warp a mask",
        difficulty="hard",
        minutes=15,
        reference=warp_mask,
        cases=masks_and_fields,
        mistakes={
            "You subtract the displacement: the result at (y, x) is the mask at (y, x) plus the field.": (
                lambda mask, field: warp_mask(mask, -field)
            ),
            "Rows and columns are swapped: field[0] points down, field[1] to the right.": (
                lambda mask, field: warp_mask(mask, field.flip(0))
            ),
            "You round down: the nearest pixel is asked for, so round to the nearest whole number.": _rounded_down,
            "What leaves the mask comes back on the other side: repeat the edge instead (`clamp`).": _around_the_border,
            "You put 0 where the place lies outside the mask: repeat the edge instead (`clamp`).": _zero_outside,
            "Some places lie outside the mask, and you look there: hold them within it (`clamp`).": _not_held,
            "You mirror at the border, as the library does: here the edge is repeated (`clamp`).": (
                lambda mask, field: warp(mask[None, None], field[None], "nearest")[0, 0]
            ),
            "You push each pixel to its new place, which leaves holes: look up, for each place, where its value is.": (
                _pushed
            ),
            "The columns stay where they are: add field[1] to them.": (
                lambda mask, field: warp_mask(mask, torch.stack([field[0], 0 * field[1]]))
            ),
            "The rows stay where they are: add field[0] to them.": (
                lambda mask, field: warp_mask(mask, torch.stack([0 * field[0], field[1]]))
            ),
            "You look up the displacement alone: add it to the pixel's own row and column.": (
                lambda mask, field: _look_up(mask, field[0].round(), field[1].round())
            ),
            "The mask is where it was: use the field.": lambda mask, _: mask.clone(),
        },
        seconds=5,
    ),
)
