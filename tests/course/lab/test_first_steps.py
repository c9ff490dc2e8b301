"""Why BCE finds no disc at ½: what a start does before the first step, and what the stored networks say."""

from functools import partial

import pytest
import torch

from unetpp_course.lab import first_steps, read_results
from unetpp_course.lab.first_steps import PRIOR, RATE, SEEDS, SHIFTS, measure
from unetpp_course.lab.losses import draw_part, probabilities_of, train_network


def test_a_start_moves_what_the_network_says_before_the_first_step_and_nothing_else():
    usual = train_network("bce", 1, RATE, seed=0, steps=0)
    prior = train_network("bce", 1, RATE, seed=0, steps=0, start=PRIOR)
    images, _ = draw_part("test", 1, 0)
    assert probabilities_of(usual, images).mean().item() == pytest.approx(0.5, abs=0.15)
    assert probabilities_of(prior, images).mean().item() == pytest.approx(PRIOR, abs=0.005)
    other = dict(usual.named_parameters())
    differ = [name for name, value in prior.named_parameters() if not torch.equal(value, other[name])]
    assert differ == ["heads.0.bias"]


def test_what_is_measured_is_in_rows(monkeypatch):
    monkeypatch.setattr(first_steps, "train_network", partial(train_network, steps=2))
    outcome = measure("prior", seed=1)
    rows = {row["score"]: row["value"] for row in first_steps.rows_of(outcome)}
    assert {"highest p", "p of the bias", "weights above 0", "down : up"} < set(rows)
    assert len(rows) == 4 + 2 * len(SHIFTS)
    assert 0 <= rows["iou 0"] <= 1


def test_the_stored_networks_fail_where_no_weight_of_the_head_is_above_0():
    found = read_results("first_steps").frame.pivot_table(index=["variant", "seed"], columns="score", values="value")
    usual, prior = found.loc["usual"], found.loc["prior"]
    assert list(usual.index) == list(prior.index) == list(SEEDS)
    assert ((usual["weights above 0"] == 0) == (usual["iou 0"] < 0.05)).all()
    assert (prior["iou 0"] > 0.5).all()
