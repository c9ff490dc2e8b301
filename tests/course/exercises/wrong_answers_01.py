"""Wrong answers to the exercises of notebook 01, each with words of the message that it must get."""

import torch
from torch.nn import functional as F


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


WRONG = {
    "1.1": [("e", "by its letter")],
    "1.2": [(0.8, "by its letter")],
    "1.3": [
        ("4/7", "one number"),
        (float("nan"), "one number"),
    ],
    "1.4": [
        (sorts_as_text, "sort by the number"),
        (does_not_sort, "come in any order"),
        (sorts_what_it_was_given, "changes what it is given"),
        (leaves_no_gap, "Neighbours of the block are in the training part"),
        (leaves_a_gap_before, "no gap after the block"),
        (leaves_a_gap_after, "no gap before the block"),
        (validates_on_the_gap, "belong to neither part"),
        (takes_one_too_many, "one slice too long"),
        (swaps_the_parts, "The parts are swapped"),
        (takes_numbers_for_positions, "not the number in a name"),
        (counts_from_the_end, "counts from the end"),
        (gives_the_validation_alone, "should be a list, not a value of type str"),
        (gives_sets, "should be a list, not a value of type set"),
        (forgets_to_return_parts, "returns None"),
    ],
    "1.5": [("normalised", "by its letter")],
    "1.6": [
        (goes_the_other_way, "You subtract the displacement"),
        (swaps_the_axes, "Rows and columns are swapped"),
        (cuts_off_the_fraction, "You round down"),
        (wraps_around, "comes back on the other side"),
        (puts_0_outside, "You put 0"),
        (mirrors, "You mirror at the border"),
        (pushes, "You push each pixel"),
        (moves_rows_alone, "The columns stay"),
        (moves_columns_alone, "The rows stay"),
        (forgets_its_own_place, "the displacement alone"),
        (does_nothing, "use the field"),
        (leaves_the_mask, "lie outside the mask"),
        (interpolates, "The dtype is torch.float32"),
        (takes_two_fields, "cannot be called"),
        (keeps_two_dimensions_more, "The shape is (1, 1, 2, 3)"),
        (writes_into_the_mask, "changes what it is given"),
        (never_ends, "longer than"),
    ],
}
