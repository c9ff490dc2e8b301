"""The networks that are compared are matched in what their names say."""

from dataclasses import replace
from itertools import pairwise

import pytest

from unetpp_lib.experiments.architectures import EXPERIMENT, NETWORKS, SCORES, SEEDS, cost, leads, table, trial_name
from unetpp_lib.experiments.supervision import CONFIG
from unetpp_lib.models import UNet, profile


def outcome(*heads: float) -> dict:
    rows = {f"head {number}": dict.fromkeys(SCORES.values(), value) for number, value in enumerate(heads, start=1)}
    mean = {"mean of heads": dict.fromkeys(SCORES.values(), sum(heads) / len(heads))} if len(heads) > 1 else {}
    return {"scores": {"scores": rows | mean}}


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


def test_the_networks_differ_in_nothing_but_the_network():
    varied = {"model", "widths", "deep_supervision", "seed"}
    settings = [{k: v for k, v in trial.settings.items() if k not in varied} for trial in EXPERIMENT.trials]
    assert all(one == settings[0] for one in settings)
    assert len(EXPERIMENT.trials) == len(NETWORKS) * len(SEEDS)


def test_leads_are_paired_by_seed():
    outcomes = {
        trial_name("unet", 0): outcome(0.5),
        trial_name("unet", 1): outcome(0.7),
        trial_name("unetpp", 1): outcome(0.6, 0.9),
        trial_name("unetpp", 2): outcome(0.1, 0.2),
    }
    assert leads(outcomes, "unetpp") == pytest.approx([0.2])
    assert leads(outcomes, "unetpp", "mean of heads") == pytest.approx([0.05])


def test_the_table_shows_the_networks_that_have_two_seeds():
    outcomes = {trial_name("unet", seed): outcome(0.5 + seed / 10) for seed in (0, 1)}
    outcomes |= {trial_name("unetpp", seed): outcome(0.5, 0.8 + seed / 5) for seed in (0, 1)}
    text = table(outcomes)
    assert "unet_wide" not in text
    assert "+0.550 [-0.085, +1.185]" in text  # U-Net: mean of .5 and .6, t = 12.71, standard error .05
    assert "+0.350 [-0.285, +0.985]" in text  # ahead by .3 and .4
    assert "unetpp, mean of heads" in text
