"""Converged folds: the rates are the search's, and the differences are paired by fold and seed."""

import pytest
from long_outcome import long_outcome

from unetpp_course.lab import Outcome, converged, read_results
from unetpp_course.lab.converged import EXPERIMENT, FOLDS, PASSES, RATES, SEARCHED, SEEDS
from unetpp_course.lab.folds import LAPTOP


def outcome(membrane: float) -> Outcome:
    """What a trial holds."""
    return long_outcome(membrane, PASSES)


def test_a_training_is_that_of_folds_but_longer() -> None:
    short, long = LAPTOP.configuration("unet", 3, 1, rate=1e-3), converged.configuration("unet", 3, 1)
    differ = {name for name in vars(short) if getattr(short, name) != getattr(long, name)}
    assert differ == {"epochs", "evaluate_every"}
    assert long.epochs == 4 * short.epochs


def test_differences_are_paired_by_fold_and_seed(results_of) -> None:
    outcomes = {
        converged.trial_name(network, fold, seed): outcome(0.6 + 0.01 * fold + 0.001 * seed + lead)
        for network, lead in (("unet", 0.0), ("unet_matched", 0.01), ("unetpp_plain", 0.03))
        for fold in FOLDS
        for seed in SEEDS
    }
    results = results_of(EXPERIMENT, outcomes)
    lead = converged.lead(results, ("unetpp_plain", "unet_matched"), "membrane")
    assert lead.shape == (len(SEEDS), len(FOLDS))
    assert lead.to_numpy() == pytest.approx(0.02)
    assert "+0.020 [+0.020, +0.020]" in converged.table(results)
    assert converged.curves(results)["unet"].to_dict() == pytest.approx({16: 0.3105, 32: 0.621})


def test_networks_that_have_different_seeds_are_paired_by_those_of_both(results_of) -> None:
    values = {("unet", 0): 0.1, ("unet", 2): 0.3, ("unet_matched", 1): 0.2, ("unet_matched", 2): 0.35}
    outcomes = {
        converged.trial_name(network, fold, seed): outcome(value)
        for (network, seed), value in values.items()
        for fold in FOLDS
    }
    lead = converged.lead(results_of(EXPERIMENT, outcomes), ("unet_matched", "unet"), "membrane")
    assert list(lead.index) == [2]
    assert lead.to_numpy() == pytest.approx(0.05)


def test_the_search_takes_the_mean_of_three_seeds_from_both_experiments(results_of) -> None:
    first, *others = ({LAPTOP.trial_name("unet", 0, seed, rate=1e-2): outcome(0.6 + 0.1 * seed)} for seed in SEEDS)
    of_folds, results = results_of(LAPTOP.experiment(), first), results_of(EXPERIMENT, others[0] | others[1])
    assert converged.search(results, of_folds)["unet", 1e-2] == pytest.approx(0.7)


def test_the_rates_are_those_of_the_search() -> None:
    found = converged.search(read_results("converged"), read_results("folds")).unstack("rate").loc[list(RATES)]
    assert found.columns.tolist() == list(SEARCHED)
    assert found.idxmax(axis="columns").to_dict() == RATES


def test_the_search_alone_can_be_shown(results_of) -> None:
    results = results_of(EXPERIMENT, {LAPTOP.trial_name("unet", 0, 1, rate=1e-2): outcome(0.6)})
    assert converged.table(results) == ""


def test_half_measured_seeds_are_left_out(results_of) -> None:
    outcomes = {converged.trial_name("unet", fold, 0): outcome(0.6) for fold in FOLDS[:-1]}
    assert converged.by_training(results_of(EXPERIMENT, outcomes), "unet", "membrane").shape == (0, len(FOLDS))
    assert set(RATES.values()) <= set(SEARCHED)
