"""Intervals: against tables and exhaustive counts, and what a block does for neighbours that depend on each other."""

from itertools import product

import numpy as np
import pytest

from unetpp_course.lab.intervals import block_bootstrap, t_interval
from unetpp_lib.errors import InputError

# Student's t, two-sided 95 %, from printed tables: number of values -> quantile
TABLE = {2: 12.706, 3: 4.303, 5: 2.776, 10: 2.262}


@pytest.mark.parametrize(("count", "quantile"), TABLE.items())
def test_a_t_interval_is_the_mean_and_the_tables_quantile_of_its_error(count: int, quantile: float):
    values = np.random.default_rng(count).normal(size=count)
    interval = t_interval(list(values))
    spread = (((values - values.sum() / count) ** 2).sum() / (count - 1)) ** 0.5
    assert interval.mean == pytest.approx(values.sum() / count)
    assert interval.high - interval.mean == pytest.approx(quantile * spread / count**0.5, rel=1e-3)
    assert interval.mean - interval.low == pytest.approx(interval.high - interval.mean)


def test_one_value_has_no_interval():
    with pytest.raises(InputError, match="more seeds"):
        t_interval([0.9])


def all_block_means(values: list[float], block: int) -> list[float]:
    """Return the mean of every draw that the moving-block bootstrap can make, each as likely as the others."""
    runs = [values[start : start + block] for start in range(len(values) - block + 1)]
    needed = -(-len(values) // block)
    draws = [sum(draw, [])[: len(values)] for draw in product(runs, repeat=needed)]
    return [sum(draw) / len(draw) for draw in draws]


@pytest.mark.parametrize("block", [1, 2, 3])
def test_block_bootstrap_finds_the_quantiles_of_all_draws(block: int):
    values = [0.31, 0.62, 0.5, 0.87, 0.44, 0.73]
    low, high = np.quantile(all_block_means(values, block), [0.1, 0.9])
    interval = block_bootstrap(values, block, confidence=0.8, draws=40_000)
    assert interval.mean == pytest.approx(sum(values) / 6)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_blocks_widen_the_interval_where_neighbours_resemble_each_other():
    stack = np.repeat(np.random.default_rng(0).normal(size=10), 6)
    single, blocks = (block_bootstrap(list(stack), block) for block in (1, 6))
    assert blocks.high - blocks.low > 1.5 * (single.high - single.low)


def test_the_same_seed_draws_the_same_and_another_does_not():
    values = list(np.random.default_rng(0).normal(size=12))
    assert block_bootstrap(values, 3) == block_bootstrap(values, 3)
    assert block_bootstrap(values, 3) != block_bootstrap(values, 3, seed=1)


@pytest.mark.parametrize("block", [0, 4])
def test_fewer_than_two_blocks_are_refused(block: int):
    with pytest.raises(InputError, match="at most half"):
        block_bootstrap([0.1] * 6, block)
