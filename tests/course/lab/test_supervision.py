"""The experiment on supervision: how its table reads curves, pairs them, and compares the heads' gradients."""

import re

import pandas as pd
import pytest
import torch

from unetpp_course.lab.supervision import (
    EXPERIMENT,
    RATES,
    SEEDS,
    best_rate,
    compare_gradients,
    curves,
    head_gradients,
    paired_curves,
    step_ratio,
    steps_to,
    table,
)
from unetpp_lib.losses import bce_dice_loss
from unetpp_lib.models import UNetPlusPlus


def outcome(head, mean=None):
    rows = {"head 4": head} | ({"mean of heads": mean} if mean else {})
    history = [
        {"step": 7 * (i + 1), "validation": {name: {"iou/background/pooled": row[i]} for name, row in rows.items()}}
        for i in range(len(head))
    ]
    return {"history": history}


def trial_name(arm: str, rate: float, seed: int) -> str:
    return f"{arm}-lr{rate:g}-seed{seed}"


@pytest.fixture
def outcomes():
    """At a rate of 0.003 both arms do best; there the supervised head is 7 steps earlier, its mean 14."""
    found = {}
    for seed in SEEDS:
        for rate in RATES:
            less = 0 if rate == 3e-3 else 0.2
            plain = [0.1, 0.2, 0.3, 0.41 + seed / 100, 0.61]
            head = [0.1, 0.2, 0.42, 0.5, 0.71 + seed / 100]
            mean = [0.1, 0.43, 0.45, 0.5, 0.62]
            found[trial_name("plain", rate, seed)] = outcome([v - less for v in plain])
            rows = ([v - less for v in head], [v - less for v in mean])
            found[trial_name("supervised", rate, seed)] = outcome(*rows)
    return found


def test_the_first_step_at_the_target_counts_also_if_the_curve_falls_again():
    assert steps_to(0.5, pd.Series({7: 0.4, 14: 0.5, 21: 0.3, 28: 0.6})) == 14
    assert steps_to(0.7, pd.Series({7: 0.4, 14: 0.6})) is None


def test_a_curve_is_the_membranes_and_of_one_output(outcomes, results_of):
    found = curves(results_of(EXPERIMENT, outcomes), "supervised", 3e-3, "mean of heads")
    assert list(found) == list(SEEDS)
    assert found[0].to_dict() == {7: 0.1, 14: 0.43, 21: 0.45, 28: 0.5, 35: 0.62}


def test_each_arm_is_compared_at_its_own_best_rate(outcomes, results_of):
    outcomes |= {trial_name("plain", 1e-2, seed): outcome([0.5] * 5) for seed in SEEDS}
    results = results_of(EXPERIMENT, outcomes)
    assert best_rate(results, "plain") == 1e-2
    assert best_rate(results, "supervised") == 3e-3
    supervised, plain = paired_curves(results, "mean of heads")
    assert supervised.loc[35].tolist() == [0.62] * 3
    assert plain.loc[35].tolist() == [0.5] * 3


def test_a_rate_is_best_by_the_height_or_by_the_end_of_its_curves(outcomes, results_of):
    outcomes |= {trial_name("plain", 1e-3, seed): outcome([0, 0, 0, 0, 0.9]) for seed in SEEDS}
    results = results_of(EXPERIMENT, outcomes)
    assert best_rate(results, "plain") == 3e-3
    assert best_rate(results, "plain", rule="last") == 1e-3


def test_the_table_pairs_by_seed(outcomes, results_of):
    text = table(results_of(EXPERIMENT, outcomes))
    assert "supervised (head 4) minus plain, best rates by height 0.003 and 0.003" in text
    head, mean, *_ = re.split(r"supervised \(.*\) minus plain", text)[1:]
    assert "steps to 0.40: -7.000 [-7.000, -7.000]" in head
    assert "steps to 0.40: -14.000 [-14.000, -14.000]" in mean
    assert "steps to 0.65: not reached by all" in mean
    assert "IoU at step 35: +0.110 [+0.085, +0.135]" in head  # three values 0.01 apart: ± 4.303 · 0.01 / √3


def test_the_table_can_be_read_while_trainings_are_missing(outcomes, results_of):
    some = dict(list(outcomes.items())[:3])
    assert "minus plain" not in table(results_of(EXPERIMENT, some))
    timed = results_of(EXPERIMENT, {"step-seconds": {"supervised": [1.2, 9, 2.4], "plain": [1, 9, 2]}})
    assert "takes 1.200 times as long" in table(timed)


def test_the_ratio_of_a_step_is_the_median_of_the_rounds(results_of):
    timed = {"step-seconds": {"supervised": [1.1, 30, 2.4], "plain": [1, 10, 2]}}
    assert step_ratio(results_of(EXPERIMENT, timed)) == pytest.approx(1.2)


def test_the_heads_gradients_add_up_to_that_of_the_sum():
    torch.manual_seed(0)
    model, images = UNetPlusPlus(widths=(2, 4, 8)), torch.randn(2, 1, 16, 16)
    masks = (images > 0).byte()
    gradients = head_gradients(model, images, masks)
    sum(bce_dice_loss(head, masks) for head in model(images)).backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in model.nodes[0][0].parameters()])
    torch.testing.assert_close(gradients.sum(0), expected)


def test_shares_add_up_and_cosines_tell_directions():
    found = compare_gradients(torch.tensor([[3.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    assert found["norms"] == [3, 1, 1]
    assert found["shares"] == pytest.approx([6 / 5, 1 / 5, -2 / 5])
    assert found["cosines"] == [[1, 0, -1], [0, 1, 0], [-1, 0, 1]]


def test_every_trial_has_its_own_name_and_says_its_seed():
    names = [trial.name for trial in EXPERIMENT.trials]
    assert len(set(names)) == len(names)
    assert all("seed" in trial.settings for trial in EXPERIMENT.trials)
