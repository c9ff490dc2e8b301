"""Intervals: against printed tables and simulated designs."""

import numpy as np
import pytest

from unetpp_course.lab.intervals import crossed_interval, t_interval
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


SEEDS, FOLDS = 3, 5


def simulated_coverage(
    of_seed: float,
    of_fold: float,
    of_training: float,
    *,
    together: float = 0.0,
    shared: float = 0.0,
    shape: tuple[int, int] = (SEEDS, FOLDS),
) -> float:
    """Return how often the interval of a simulated design holds the true mean, 0, among 1000.

    Three standard deviations make the values; ``together`` is the correlation of the folds with one another.
    """
    random = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        common = random.normal(0, together**0.5), random.normal(0, (1 - together) ** 0.5, (1, shape[1]))
        values = of_fold * (common[0] + common[1]) + random.normal(0, of_seed, (shape[0], 1))
        interval = crossed_interval(values + random.normal(0, of_training, shape), shared)
        held += interval.low <= 0 <= interval.high
    return held / 1000


@pytest.mark.parametrize(
    ("of_seed", "of_fold", "of_training"), [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1), (0.3, 0.3, 1), (1, 1, 0.1)]
)
def test_a_crossed_interval_holds_the_truth_in_19_of_20_designs(of_seed: float, of_fold: float, of_training: float):
    assert 0.93 <= simulated_coverage(of_seed, of_fold, of_training) <= 0.99


def test_two_seeds_are_too_few_to_tell_how_much_seeds_vary():
    assert 0.88 <= simulated_coverage(1, 0, 1, shape=(2, 6)) <= 0.93


def test_intervals_over_folds_alone_miss_what_varies_with_the_seed():
    random, held = np.random.default_rng(1), 0
    for _ in range(1000):
        values = random.normal(0, 1, (SEEDS, 1)) + random.normal(0, 1, (SEEDS, FOLDS))
        interval = t_interval(list(values.mean(axis=0)))
        held += interval.low <= 0 <= interval.high
    assert held < 800


def test_folds_that_share_training_images_need_the_wider_interval():
    shared = 6 / 21
    together = shared / (1 + shared)  # the correlation that Nadeau and Bengio assume
    assert simulated_coverage(0, 1, 0.5, together=together) < 0.9
    assert 0.93 <= simulated_coverage(0, 1, 0.5, together=together, shared=shared) <= 0.99


def test_one_seed_gives_students_interval_and_sharing_widens_it_as_nadeau_and_bengio_say():
    values = [0.31, 0.62, 0.5, 0.87, 0.44]
    student, one = t_interval(values), crossed_interval([values])
    assert (one.low, one.high) == pytest.approx((student.low, student.high))
    wider = crossed_interval([values], shared=0.3)
    assert (wider.high - wider.low) / (one.high - one.low) == pytest.approx(((1 / 5 + 0.3) / (1 / 5)) ** 0.5)


def test_a_design_with_both_factors_agrees_with_the_analysis_of_variance_by_hand():
    values = np.array([[1.0, 4.0, 5.0], [3.0, 5.0, 9.0]])  # mean squares by hand: seeds 8.1667, folds 12.5, rest 1.1667
    seed, fold, rest = 49 / 6, 12.5, 7 / 6
    variance = (seed + fold - rest) / 6
    degrees = (seed + fold - rest) ** 2 / (seed**2 / 1 + fold**2 / 2 + rest**2 / 2)
    quantile = np.interp(degrees, [2, 3], [4.303, 3.182])  # printed tables
    interval = crossed_interval(values)
    assert interval.mean == pytest.approx(4.5)
    assert interval.high - interval.mean == pytest.approx(quantile * variance**0.5, rel=0.05)


def test_equal_values_give_an_interval_of_no_width():
    interval = crossed_interval(np.full((3, 5), 0.25))
    assert (interval.low, interval.mean, interval.high) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("values", [[0.1, 0.2], [[0.1]], [[0.1], [0.2]], [[0.1, float("nan")]], np.zeros((2, 2, 2))])
def test_what_is_no_crossed_design_is_refused(values: object):
    with pytest.raises(InputError, match="seeds, folds"):
        crossed_interval(values)  # type: ignore[arg-type]


def test_a_negative_overlap_is_refused():
    with pytest.raises(InputError, match="n_test / n_train"):
        crossed_interval([[0.1, 0.2]], shared=-0.1)


def stacks(random: np.random.Generator, memory: float, slices: int) -> np.ndarray:
    """Return 2000 stacks in which each slice takes over a part of its neighbour's deviation; the true mean is 0."""
    new = random.normal(size=(2000, slices))
    found = new.copy()
    for number in range(1, slices):
        found[:, number] = memory * found[:, number - 1] + (1 - memory**2) ** 0.5 * new[:, number]
    return found


def covered(intervals) -> float:
    return float(np.mean([interval.low <= 0 <= interval.high for interval in intervals]))


def test_notebook_08_is_right_about_intervals_over_neighbouring_slices_and_blocks():
    random = np.random.default_rng(0)
    assert covered(t_interval(list(scores)) for scores in stacks(random, 0.5, 60)) == pytest.approx(0.75, abs=0.02)
    blocks = stacks(random, 0.7, 30).reshape(2000, 1, 5, 6).mean(axis=3)
    assert covered(t_interval(list(means[0])) for means in blocks) == pytest.approx(0.90, abs=0.02)
    with_seeds = blocks.repeat(3, axis=1)  # seeds that change nothing
    assert covered(crossed_interval(table, 6 / 21) for table in with_seeds) == pytest.approx(0.97, abs=0.02)
