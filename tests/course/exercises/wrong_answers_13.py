"""Wrong answers to the exercises of notebook 13, each with words of the message that it must get."""

import numpy as np
import torch


def parts(left, right, overlap):
    return left[:-overlap], left[-overlap:], right[:overlap], right[overlap:]


def join(left, right, overlap, share):
    before, one, other, behind = parts(left, right, overlap)
    return np.concatenate([before, one + share * (other - one), behind])


def fades_the_wrong_way(left, right, overlap):
    return join(left, right, overlap, (overlap - np.arange(overlap) - 0.5) / overlap)


def begins_at_zero(left, right, overlap):
    return join(left, right, overlap, np.arange(overlap) / overlap)


def ends_at_one(left, right, overlap):
    return join(left, right, overlap, np.arange(1, overlap + 1) / overlap)


def spans_zero_to_one(left, right, overlap):
    return join(left, right, overlap, np.linspace(0, 1, overlap))


def leaves_out_both_ends(left, right, overlap):
    return join(left, right, overlap, np.linspace(0, 1, overlap + 2)[1:-1])


def takes_the_mean(left, right, overlap):
    return join(left, right, overlap, 0.5)


def keeps_the_left(left, right, overlap):
    return np.append(left, right[overlap:])


def keeps_the_right(left, right, overlap):
    return np.append(left[:-overlap], right)


def forgets_the_overlap(left, right, overlap):
    return np.append(left, right)


def adds(left, right, overlap):
    before, one, other, behind = parts(left, right, overlap)
    return np.concatenate([before, one + other, behind])


def returns_the_overlap(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return (1 - share) * left[-overlap:] + share * right[:overlap]


def drops_the_overlap(left, right, overlap):
    return np.append(left[:-overlap], right[overlap:])


def fades_the_wrong_pixels(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left[overlap:], (1 - share) * left[:overlap] + share * right[:overlap], right[overlap:]])


def forgets_the_brackets(left, right, overlap):
    return join(left, right, overlap, np.arange(overlap) + 0.5 / overlap)


def reads_the_left_from_its_beginning(left, right, overlap):
    row = list(left[:-overlap])
    for k in range(overlap):
        share = (k + 0.5) / overlap
        row.append((1 - share) * left[k] + share * right[k])
    return np.array(row + list(right[overlap:]))


def reads_the_right_at_its_end(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    both = (1 - share) * left[-overlap:] + share * right[-overlap:]
    return np.concatenate([left[:-overlap], both, right[overlap:]])


def begins_with_the_overlap(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    both = (1 - share) * left[-overlap:] + share * right[:overlap]
    return np.concatenate([left[:overlap], both, right[overlap:]])


def ends_with_the_overlap(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    both = (1 - share) * left[-overlap:] + share * right[:overlap]
    return np.concatenate([left[:-overlap], both, right[-overlap:]])


def adds_a_share(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left[:-overlap], left[-overlap:] + share * right[:overlap], right[overlap:]])


def shares_alike(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([left[:-overlap], share * left[-overlap:] + share * right[:overlap], right[overlap:]])


def counts_back(left, right, overlap):
    row = list(left[:-overlap])
    for k in range(overlap):
        share = (k + 0.5) / overlap
        row.append((1 - share) * left[-k] + share * right[k])
    return np.array(row + list(right[overlap:]))


def writes_into_the_left(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    left[-overlap:] = (1 - share) * left[-overlap:] + share * right[:overlap]
    return np.append(left, right[overlap:])


def forgets_to_return(left, right, overlap):
    join(left, right, overlap, (np.arange(overlap) + 0.5) / overlap)


def adds_as_lists_do(left, right, overlap):
    share = (np.arange(overlap) + 0.5) / overlap
    return left[:-overlap] + ((1 - share) * left[-overlap:] + share * right[:overlap]) + right[overlap:]


def takes_tensors(left, right, overlap):
    return torch.cat([left, right])


WRONG = {
    "13.1": [("e", "by its letter"), (2, "by its letter")],
    "13.2": [
        (3, "round down"),
        (13, "counts the patches"),
        (1, "small images"),
        (2.0142, "image by image"),
        (2.17, "Steps are whole"),
        (2.1667, "Steps are whole"),
        (12, "12 of the 13"),
        (14, "rounds each image up"),
        (11, "without the small images"),
        (2.33, "not up"),
        (1.83, "Steps are whole; and each"),
        (4, "one step for each image"),
        ("two", "one number"),
    ],
    "13.3": [(22, "by its letter"), ("e", "by its letter")],
    "13.4": [
        (fades_the_wrong_way, "the wrong way"),
        (begins_at_zero, "begins at 0"),
        (ends_at_one, "one step late"),
        (spans_zero_to_one, "exactly 0 to exactly 1"),
        (leaves_out_both_ends, "a little short"),
        (takes_the_mean, "no fade"),
        (keeps_the_left, "keep the left tile"),
        (keeps_the_right, "keep the right tile"),
        (forgets_the_overlap, "one after another"),
        (adds, "add up to 1"),
        (returns_the_overlap, "overlap alone"),
        (drops_the_overlap, "is missing"),
        (fades_the_wrong_pixels, "wrong end"),
        (forgets_the_brackets, "put brackets"),
        (reads_the_left_from_its_beginning, "last pixels are the shared"),
        (reads_the_right_at_its_end, "first pixels are the shared"),
        (begins_with_the_overlap, "not its first ones"),
        (ends_with_the_overlap, "not its last ones"),
        (adds_a_share, "counts in full"),
        (shares_alike, "the same share"),
        (counts_back, "counts back"),
        (writes_into_the_left, "changes what it is given"),
        (forgets_to_return, "returns None"),
        (adds_as_lists_do, "The shape is (2,)"),
        (takes_tensors, "raises TypeError in line 2"),
    ],
    "13.5": [("line 1", "by its letter"), (1, "by its letter")],
}
