"""Means with intervals: what a few measured values say of the mean that many would have."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from unetpp_lib.errors import InputError


@dataclass(frozen=True)
class Interval:
    """A mean and the interval around it."""

    mean: float
    low: float
    high: float
    confidence: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def t_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of independent ``values`` with Student's t-interval.

    For a comparison give the differences of pairs (same seed, same image, same fold): the interval is then paired.
    Raises InputError for fewer than two values.
    """
    if len(values) < 2:
        raise InputError(f"An interval needs at least two values, and {len(values)} was given: repeat with more seeds.")
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(t.ppf((1 + confidence) / 2, len(values) - 1)) * error
    return Interval(mean, mean - half, mean + half, confidence)


def block_bootstrap(
    values: Sequence[float], block: int, confidence: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """Return the mean of ``values``, which stand in the order of a stack, with a moving-block bootstrap interval.

    Runs of ``block`` neighbours are drawn with replacement and joined to as many values as there are; the interval
    holds the middle share of the means of such draws. Neighbours that depend on each other so stay together; a block
    of 1 is the ordinary bootstrap. InputError where a block is no whole number from 1 to half of the values.

    Source: Künsch, *The jackknife and the bootstrap for general stationary observations*, Annals of Statistics 1989.
    """
    count = len(values)
    if not 1 <= block <= count // 2:
        raise InputError(
            f"block is {block} and there are {count} values: give at least 1 and at most half of them, "
            "for fewer than two blocks show no spread."
        )
    random = np.random.default_rng(seed)
    starts = random.integers(count - block + 1, size=(draws, -(-count // block)))
    places = (starts[..., None] + np.arange(block)).reshape(draws, -1)[:, :count]
    means = np.asarray(values, dtype=float)[places].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(np.mean(values)), float(low), float(high), confidence)
