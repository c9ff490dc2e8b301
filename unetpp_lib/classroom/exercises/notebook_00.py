"""The exercise of notebook 00, which shows how exercises work."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from unetpp_lib.classroom.exercises import FunctionExercise


def foreground_share(mask: Tensor) -> float:
    """Return the share of the pixels of a mask (1, H, W) that are 1, counted one by one."""
    pixels: list[int] = [pixel for row in mask[0].tolist() for pixel in row]
    return pixels.count(1) / len(pixels)


def masks(random: np.random.Generator) -> Iterator[tuple[Tensor]]:
    """Yield small masks (1, H, W), as they come out of a folder: int64, 0 and 1."""
    yield (torch.tensor([[[1, 0, 0], [1, 1, 1]]]),)
    yield (torch.zeros(1, 2, 2, dtype=torch.int64),)
    yield (torch.ones(1, 1, 3, dtype=torch.int64),)
    for height, width in random.integers(2, 9, (8, 2)):
        yield (torch.from_numpy(random.integers(0, 2, (1, height, width))),)


EXERCISES = (
    FunctionExercise(
        number="0.1",
        title="The share of foreground",
        difficulty="easy",
        minutes=3,
        reference=foreground_share,
        cases=masks,
        mistakes={
            "You count the pixels that are 1: divide by the number of all pixels.": lambda mask: mask.sum(),
            "`mean` works on floats, and the mask holds whole numbers: turn it into floats first.": torch.mean,
            "This is the share of the background: count the pixels that are 1.": lambda mask: 1 - mask.float().mean(),
            "This is a percentage: a share runs from 0 to 1.": lambda mask: 100 * mask.float().mean(),
            "You divide by the pixels that are 0: divide by the number of all pixels.": (
                lambda mask: mask.sum() / (mask == 0).sum()
            ),
            "This is one side alone: you divide by the width, but there are height times width pixels.": (
                lambda mask: mask.sum() / mask.shape[-1]
            ),
            "This is one side alone: you divide by the height, but there are height times width pixels.": (
                lambda mask: mask.sum() / mask.shape[-2]
            ),
            "`//` drops what follows the point: divide with `/`.": lambda mask: mask.sum() // mask.numel(),
            "You round to 0 or 1: give the share as it is.": lambda mask: round(mask.float().mean().item()),
            "This is the largest value of the mask, not the share of the ones.": lambda mask: mask.max(),
        },
        tolerance=1e-5,
        seconds=2,
    ),
)
