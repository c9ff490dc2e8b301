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
