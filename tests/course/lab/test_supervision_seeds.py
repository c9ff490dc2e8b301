"""Twelve pairs of a seed, each read at the deepest head; a run that never gets there is not left out."""

import pandas as pd

from unetpp_course.lab.supervision_seeds import EXPERIMENT, SEEDS, first_step, pairs, table
from unetpp_lib.engine.evaluation import MEAN


def outcome(*scores: float, mean: float | None = None) -> dict:
    """A run that is looked at every seven steps; ``mean`` is the last score of the mean of heads."""
    history = []
    for number, score in enumerate(scores, start=1):
        readings = {"head 4": {"iou/background/pooled": score}}
        if mean is not None:
            readings[MEAN] = {"iou/background/pooled": mean}
        history.append({"step": 7 * number, "validation": readings})
    return {"history": history}


def test_each_seed_has_both_networks_and_only_supervision_differs():
    trials = {trial.name: trial.settings for trial in EXPERIMENT.trials}
    assert len(trials) == 2 * len(SEEDS) == 24
    for seed in SEEDS:
        one, other = (trials[f"{arm}-lr0.01-seed{seed}"] for arm in ("supervised", "plain"))
        assert {key for key in one if one[key] != other[key]} == {"deep_supervision"}
        assert one["seed"] == seed


def test_a_run_that_never_reaches_the_target_counts_as_one_look_after_its_end():
    assert first_step(pd.Series({7: 0.5, 14: 0.6, 21: 0.4})) == 14
    assert first_step(pd.Series({7: 0.5, 14: 0.59})) == 21


def test_differences_are_paired_by_seed_and_a_seed_without_its_partner_waits(results_of):
    outcomes = {
        "supervised-lr0.01-seed0": outcome(0.6, 0.7, mean=0.8),
        "plain-lr0.01-seed0": outcome(0.5, 0.6),
        "supervised-lr0.01-seed1": outcome(0.2, 0.3, mean=0.5),
        "plain-lr0.01-seed1": outcome(0.1, 0.2),
        "supervised-lr0.01-seed2": outcome(0.9, 0.9, mean=0.9),
    }
    results = results_of(EXPERIMENT, outcomes)
    assert [list(curves) for curves in pairs(results)] == [[0, 1], [0, 1]]
    text = " ".join(table(results).split())
    assert "7-14 21-21" in text
    assert "14.000 17.500 -3.500 [-47.972, +40.972]" in text  # differences -7 and 0; t = 12.706, error 3.5
    assert "0.500 0.400 +0.100 [+0.100, +0.100]" in text
    assert "0.650 0.400 +0.250" in text
