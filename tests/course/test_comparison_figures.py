"""What the figures of notebook 12 show: every pair of runs, the interval that belongs to it, and what was equal."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from unetpp_course import comparison_figures as figures
from unetpp_course.lab import converged, fair_stage
from unetpp_course.lab.blocked_folds import FOLDS
from unetpp_course.lab.converged import PASSES
from unetpp_course.lab.results import Results
from unetpp_lib.errors import InputError


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_runs_and_leads_are_those_of_the_laboratory():
    runs = {name: figures.runs_on_tissue(name) for name in ("unet", "unetpp_plain")}
    assert {(run["seed"], run["block"]) for run in runs["unet"]} == {(s, b) for s in range(3) for b in FOLDS}
    assert {run["passes"] for run in runs["unet"]} == {8}
    assert {run["passes"] for run in figures.runs_on_tissue("unetpp_plain", "seconds")} == {3}
    one, other = (np.reshape([run["iou"] for run in runs[name]], (3, 5)) for name in ("unetpp_plain", "unet"))
    assert figures.leads_on_tissue("unetpp_plain", "unet") == pytest.approx(one - other)


def test_what_is_equal_decides_what_is_left_of_the_lead():
    pair = ("unetpp_plain", "unet_wide"), ("unetpp_plain", "unet", "seconds"), ("unetpp_plain", "unet_matched")
    found = [str(figures.lead_of(figures.leads_on_tissue(*arguments))) for arguments in pair]
    assert found == ["+0.010 [+0.004, +0.016]", "-0.005 [-0.032, +0.021]", "+0.005 [-0.003, +0.012]"]
    best_rates = figures.leads_on_tissue("unetpp_plain", "unet_matched", "wider search")
    assert str(figures.lead_of(best_rates)) == "-0.001 [-0.009, +0.006]"


def test_the_whole_lead_is_what_comes_with_size_and_what_does_not():
    whole, bigger, wired = (
        figures.leads_on_tissue(*pair)
        for pair in (("unetpp_plain", "unet"), ("unet_matched", "unet"), ("unetpp_plain", "unet_matched"))
    )
    assert whole == pytest.approx(bigger + wired)
    assert str(figures.lead_of(wired)) == "+0.005 [-0.003, +0.012]"


def test_costs_are_multiples_of_those_of_unet():
    costs = figures.relative_costs()
    assert all(row["unet"] == 1 for row in costs.values())
    assert 0 < costs["parameters"]["unet_wide"] - costs["parameters"]["unetpp_plain"] < 0.1
    assert costs["arithmetic"]["unetpp_plain"] < costs["arithmetic"]["unet_matched"] < 1.1 * 2.5
    figures.draw_costs(costs)
    assert [label.get_text() for label in plt.gca().get_yticklabels()] == list(costs)


def test_every_pair_of_runs_is_a_dot_and_every_row_has_its_interval():
    crossed, by_seed = np.array([[0.01, 0.02], [0.03, 0.0]]), [0.01, 0.03, 0.02]
    figures.draw_leads({"crossed": crossed, "by seed": by_seed}, {"by seed": "red"})
    axis = plt.gca()
    dots = np.concatenate([line.get_xdata() for line in axis.lines if line.get_marker() == "o"])
    assert sorted(dots) == pytest.approx(sorted([*crossed.ravel(), *by_seed]))
    assert {text.get_text().splitlines()[0] for text in axis.texts} == {"+0.015", "+0.020"}


def test_longer_runs_are_shown_once_they_are_measured(monkeypatch):
    def nothing(name):
        raise InputError("not measured")

    monkeypatch.setattr(figures, "read_results", nothing)
    assert figures.longer_leads({"a − b": ("a", "b")}) == {}
    monkeypatch.setattr(figures, "read_results", lambda name: name)
    monkeypatch.setattr(converged, "lead", lambda results, pair, score: pd_table(0.01 if pair == ("a", "b") else None))
    found = figures.longer_leads({"a − b": ("a", "b"), "a − c": ("a", "c")})
    assert list(found) == [f"a − b,\n{PASSES} passes"]


def pd_table(value):
    return pd.DataFrame([] if value is None else np.full((3, 5), value))


def test_longer_training_helps_unet_more_than_unetpp_is_ahead():
    gain, lead = figures.gain_of_length(), figures.leads_on_tissue("unetpp_plain", "unet")
    assert gain.shape == lead.shape
    assert gain.mean() > 2 * lead.mean()


def test_networks_stand_in_a_chain():
    lead = figures.lead_of([[0.01, 0.02], [0.0, 0.01]])
    figures.draw_chain({"one": 0.6, "other": 0.61}, [1, 2.5], [("only bigger", lead)])
    words = " ".join(text.get_text() for text in plt.gca().texts)
    assert "arithmetic × 2.5" in words
    assert "only bigger" in words


def stage_outcome(head_4):
    outputs = {f"head {depth}": {"iou/background/image": head_4 - 0.1 * (4 - depth)} for depth in range(1, 5)}
    return {"last": outputs | {"mean of heads": {"iou/background/image": head_4 - 0.02}}, "history": []}


def stage_results(values):
    outcomes = {name: {"outcome": stage_outcome(value)} for name, value in values.items()}
    return Results(fair_stage.EXPERIMENT, outcomes)


def complete(seed):
    trials = [
        f"{network}-{version}-seed{seed}" for network in ("unetpp", "l2_alone") for version in ("rings", "no_rings")
    ]
    return dict.fromkeys(trials, 0.8)


def test_only_seeds_that_are_complete_on_both_stages_are_drawn():
    results = stage_results(complete(0) | complete(3) | {"unetpp-rings-seed1": 0.82, "l2_alone-rings-seed1": 0.8})
    assert fair_stage.complete_seeds(results) == [0, 3]
    figures.draw_stage(results)
    dots = [line for line in plt.gca().lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in dots) == 2 * 2 * 4
    diamonds = [line for line in plt.gca().lines if line.get_marker() == "D"]
    assert [len(line.get_xdata()) for line in diamonds] == [2, 2]
    words = [text.get_text() for text in plt.gca().get_legend().get_texts()]
    assert words == ["with rings", "L2 alone, with rings", "without rings", "L2 alone, without rings"]


def test_a_pair_gets_its_ring_in_every_row():
    leads = np.array([[0.01, 0.02], [0.03, 0.0], [0.01, 0.01]])
    figures.draw_leads({"one": leads, "other": -leads}, ringed=(1, 0))
    rings = [line.get_xdata()[0] for line in plt.gca().lines if line.get_markersize() == 11]
    assert rings == pytest.approx([0.03, -0.03])
