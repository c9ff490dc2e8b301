"""The gap between the two maps that the last node joins, read off the nodes' scores."""

import pytest

from unetpp_course.lab.semantic_gap import EXPERIMENT, SEEDS, gaps, node_scores, table


def outcome(left: float, below: float, last: float, nested: bool = True) -> dict:
    nodes = {"0,0": 0.1, "4,0": 0.2, "1,3": below, "0,4": last}
    return {"nodes": nodes | ({"0,3": left} if nested else {"0,0": left})}


def test_the_map_at_the_left_is_the_skip_in_unet_and_the_nearest_node_in_unetpp(results_of):
    outcomes = {"unetpp-seed0": outcome(0.3, 0.7, 0.8), "unet-seed0": outcome(0.6, 0.7, 0.8, nested=False)}
    results = results_of(EXPERIMENT, outcomes)
    assert gaps(results).loc[0].to_dict() == pytest.approx({"unet": 0.1, "unetpp": 0.4})
    assert node_scores(results)["1,3"].tolist() == [0.7, 0.7]


def test_the_table_shows_networks_with_two_seeds(results_of):
    outcomes = {f"unet-seed{seed}": outcome(0.3, 0.5 + seed / 10, 0.8, nested=False) for seed in (0, 1)}
    text = table(results_of(EXPERIMENT, outcomes | {"unetpp-seed0": outcome(0.3, 0.5, 0.8)}))
    assert "+0.250 [-0.385, +0.885]" in text  # .2 and .3, t = 12.71
    assert "unetpp" not in text


def test_each_network_has_every_seed_and_the_untrained_ones_differ():
    assert len(EXPERIMENT.trials) == 4 * len(SEEDS)
    assert sum(not trial.settings["trained"] for trial in EXPERIMENT.trials) == len(SEEDS)
