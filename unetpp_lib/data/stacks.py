"""Images that belong together, such as the slices of a stack or the images of an animal, and their way into a split.

Slices of one stack look alike. Were they shuffled over the parts, a test slice would have a near copy among the
training slices, and its score would flatter.
"""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from statistics import fmean

import torch
from torch.nn.functional import adaptive_avg_pool2d

from unetpp_lib.data.catalog import is_stack
from unetpp_lib.data.folder import SegmentationFolder
from unetpp_lib.data.split import Split, natural_order, split_by_image
from unetpp_lib.errors import InputError

Groups = dict[str, list[str]]
"""Names of images by the stack, file or animal that they are of."""

_COMPARED = 40  # images
_THUMBNAIL = 16  # pixels
# Of thumbnails, the correlation of neighbours minus that of other pairs: 0.55 for the slices of ISBI 2012, and at most
# 0.02 for the drawn membranes and for the nuclei of the Data Science Bowl.
_ALIKE = 0.25


def find_stacks(folder: SegmentationFolder) -> tuple[Groups, str]:
    """Return the stacks that a folder holds, and how they were recognised; nothing where its images are single ones.

    Stacks are the pages of a file, the whole of a set that is known to be a stack, and numbered files whose neighbours
    look alike (those whose names are equal up to their last number).
    """
    if is_stack(folder.root):
        return {folder.root.name: list(folder.names)}, f"{folder.root.name} is known to be one stack"
    files = group_names(folder, [path.name for path in folder.files])
    if len(files) < len(folder):
        return files, "the pages of one file are one stack"
    numbered = group_names(folder, [re.sub(r"\d+\D*$", "", name) for name in folder.names])
    alike = _likeness_of_neighbours(folder, numbered)
    if alike > _ALIKE:
        return numbered, f"neighbours look alike (their correlation is {alike:.2f} above that of other pairs)"
    return {}, ""


def find_groups(folder: SegmentationFolder, pattern: str) -> Groups:
    """Group images by what ``pattern``, a regular expression, finds in the names of their files, without the suffix.

    That is its first group in parentheses, where it has one. Raises InputError for names that hold no match.
    """
    expression = re.compile(pattern)
    found: list[str] = []
    for path in folder.files:
        match = expression.search(path.stem)
        text = match[min(1, expression.groups)] if match else ""
        if not text:
            raise InputError(
                f"group is {pattern!r}, which finds nothing in {path.stem}; give a pattern that finds the group of "
                f"every image of {folder.root}."
            )
        found.append(text)
    return group_names(folder, found)


def group_names(folder: SegmentationFolder, keys: Sequence[str]) -> Groups:
    """Return the names of a folder by their keys, one for each image."""
    groups: Groups = {}
    for name, key in zip(folder.names, keys, strict=True):
        groups.setdefault(key, []).append(name)
    return groups


def split_by_group(groups: Mapping[str, Sequence[str]], validation: float, test: float, seed: int) -> Split:
    """Divide whole groups at random into parts whose numbers of images come near to the shares that are asked for.

    Each part with a share gets at least one group, and so does training. Raises InputError for too few groups.
    """
    shares = [share for share in (validation, test) if share]
    if len(groups) < len(shares) + 1:
        raise InputError(
            f"{len(groups)} group(s), {', '.join(sorted(groups)[:5])}, cannot be divided into {len(shares) + 1} parts "
            "without cutting one: bring more groups, or set validation or test to 0."
        )
    waiting = sorted(groups, key=natural_order)
    random.Random(seed).shuffle(waiting)
    total = sum(map(len, groups.values()))
    parts = [
        _take(groups, waiting, validation * total, kept=1 + (test > 0)),
        _take(groups, waiting, test * total, kept=1),
    ]
    return Split(*(_join(groups[key] for key in keys) for keys in (waiting, *parts)))


def _take(groups: Mapping[str, Sequence[str]], waiting: list[str], wanted: float, kept: int) -> list[str]:
    """Take groups out of ``waiting`` until they have about ``wanted`` images: one at least, unless that is 0."""
    chosen: list[str] = []
    missing = wanted
    for key in list(waiting):
        if len(waiting) > kept and abs(missing - len(groups[key])) < missing:
            chosen.append(key)
            waiting.remove(key)
            missing -= len(groups[key])
    if wanted and not chosen:  # every group is too large
        chosen = [min(waiting, key=lambda key: len(groups[key]))]
        waiting.remove(chosen[0])
    return chosen


def split_in_blocks(stacks: Mapping[str, Sequence[str]], validation: float, test: float, seed: int) -> Split:
    """Divide each stack into blocks of neighbours; one that is too short for that is for training."""
    needed = 1 + (validation > 0) + (test > 0)
    rows = list(stacks.values())
    if max(map(len, rows)) < needed:  # each is too short: they are taken for one
        rows = [_join(rows)]
    long, short = [row for row in rows if len(row) >= needed], [row for row in rows if len(row) < needed]
    splits = [split_by_image(row, validation, test, seed, blocked=True) for row in long]
    parts = [[getattr(split, part) for split in splits] for part in ("train", "validation", "test")]
    return Split(_join(parts[0] + short), _join(parts[1]), _join(parts[2]))


def _join(rows: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted((name for row in rows for name in row), key=natural_order))


def _likeness_of_neighbours(folder: SegmentationFolder, stacks: Groups) -> float:
    """Return by how much neighbouring images correlate more than other pairs; 0 where there are no such pairs."""
    names = [name for stack in stacks.values() for name in sorted(stack, key=natural_order)][:_COMPARED]
    stack_of = {name: key for key, stack in stacks.items() for name in stack}
    neighbours = {(i, i + 1) for i, (a, b) in enumerate(pairwise(names)) if stack_of[a] == stack_of[b]}
    others = set(combinations(range(len(names)), 2)) - neighbours
    if len(neighbours) < 3 or not others:
        return 0.0
    images = [adaptive_avg_pool2d(folder[folder.index_of[name]][0].mean(0, keepdim=True), _THUMBNAIL) for name in names]
    correlations = torch.corrcoef(torch.stack(images).flatten(1)).nan_to_num()
    return fmean(correlations[pair].item() for pair in neighbours) - fmean(correlations[pair].item() for pair in others)
