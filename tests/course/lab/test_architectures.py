"""The networks that are compared are matched in what their names say."""

from dataclasses import replace
from itertools import pairwise

import pytest

from unetpp_course.lab import read_results
from unetpp_course.lab.architectures import (
    BEST_RATE,
    EXPERIMENT,
    NETWORKS,
    RATES,
    SCORES,
    SEEDS,
    by_seed,
    cost,
    search,
    table,
)
from unetpp_course.lab.supervision import CONFIG
from unetpp_lib.models import UNet, profile


def outcome(*heads: float) -> dict:
    rows = {f"head {number}": dict.fromkeys(SCORES.values(), value) for number, value in enumerate(heads, start=1)}
    mean = {"mean of heads": dict.fromkeys(SCORES.values(), sum(heads) / len(heads))} if len(heads) > 1 else {}
    looks = [{"validation": {name: {"iou/background/pooled": value} for name in rows}} for value in (heads[-1], 0.1)]
    return {"scores": {"scores": rows | mean}, "history": looks}


@pytest.mark.parametrize(("network", "matched"), [("unet_wide", 0), ("unet_matched", 1)])
def test_a_matched_unet_is_the_smallest_that_is_not_below_unetpp(network, matched):
    goal = cost("unetpp")[matched]
    assert cost(network)[matched] >= goal
    base = NETWORKS[network]["widths"][0]
    smaller = UNet(widths=tuple((base - 1) * 2**level for level in range(5)))
    costs = profile(smaller, 256, repeats=1)
    assert (costs.parameters, costs.macs)[matched] < goal


def test_widths_double_from_level_to_level():
    for network in NETWORKS:
        for above, below in pairwise(replace(CONFIG, **NETWORKS[network]).widths):
            assert below in (2 * above - 1, 2 * above, 2 * above + 1)


def test_the_networks_differ_in_nothing_but_the_network_and_its_rate():
    trainings = [trial for trial in EXPERIMENT.trials if "-seed" in trial.name]
    varied = {"model", "widths", "deep_supervision", "seed", "lr"}
    settings = [{k: v for k, v in trial.settings.items() if k not in varied} for trial in trainings]
    assert all(one == settings[0] for one in settings)
    assert len(trainings) == len(NETWORKS) * (len(RATES) + len(SEEDS) - 1)  # one seed of five is searched at all rates


def test_a_networks_rate_is_the_one_that_did_best_on_validation_images_after_any_epoch(results_of):
    scores = dict(zip(RATES, (0.5, 0.7, 0.6), strict=True))
    found = search(results_of(EXPERIMENT, {f"unet-lr{rate:g}-seed0": outcome(score) for rate, score in scores.items()}))
    assert found["unet"].to_dict() == scores
    assert found["unet"].idxmax() == RATES[1]


def test_the_rates_are_those_that_the_stored_search_found():
    assert search(read_results("architectures")).idxmax().to_dict() == BEST_RATE


def test_leads_are_paired_by_seed(results_of):
    outcomes = {
        "unet-lr0.01-seed0": outcome(0, 0, 0, 0.5),
        "unet-lr0.01-seed1": outcome(0, 0, 0, 0.7),
        "unet-lr0.003-seed0": outcome(0, 0, 0, 0.9),  # another rate than its best
        "unetpp-lr0.03-seed1": outcome(0.6, 0.2, 0.2, 0.9),
        "unetpp-lr0.03-seed2": outcome(0.1, 0.2, 0.2, 0.2),
    }
    results = results_of(EXPERIMENT, outcomes)
    heads, means = by_seed(results), by_seed(results, output="mean of heads")
    assert (heads["unetpp"] - heads["unet"]).dropna().to_dict() == pytest.approx({1: 0.2})
    assert means["unetpp"].dropna().to_dict() == pytest.approx({1: 0.475, 2: 0.175})


def test_the_table_shows_the_networks_that_have_two_seeds(results_of):
    outcomes = {f"unet-lr0.01-seed{seed}": outcome(0, 0, 0, 0.5 + seed / 10) for seed in (0, 1)}
    outcomes |= {f"unetpp-lr0.03-seed{seed}": outcome(0, 0, 0.5, 0.8 + seed / 5) for seed in (0, 1)}
    text = table(results_of(EXPERIMENT, outcomes))
    assert "unet_wide  " not in text.partition("IoU of the test part")[0]
    assert "+0.550 [-0.085, +1.185]" in text  # U-Net: mean of .5 and .6, t = 12.71, standard error .05
    assert "+0.350 [-0.285, +0.985]" in text  # ahead by .3 and .4
    assert "unetpp mean of heads" in text
