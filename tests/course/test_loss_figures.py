"""Where a loss comes to rest, and what the figures of notebook 06 show of the experiment."""

import matplotlib.pyplot as plt
import pytest
import torch

from unetpp_course.gradients import disc, negative_gradient, pull_ratio, settle
from unetpp_course.lab import read_results
from unetpp_course.loss_figures import NAMES, compare_starts, count_failures, show_balance, show_probabilities
from unetpp_lib.losses import bce_dice_loss, bce_loss, soft_dice_loss

FRACTIONS = torch.tensor([0.05, 0.3, 0.35, 0.45, 0.7, 0.95])


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_bce_settles_on_the_fraction_itself():
    assert torch.allclose(settle(bce_loss, FRACTIONS), FRACTIONS, atol=0.01)


@pytest.mark.slow
def test_dice_settles_on_yes_or_no_with_the_jump_at_half_of_its_dice():
    p = settle(soft_dice_loss, FRACTIONS, steps=1500)
    called = (p > 0.5).double()
    assert ((p < 0.02) | (p > 0.98)).all()
    dice = 2 * (called * FRACTIONS).sum() / (called.sum() + FRACTIONS.sum())
    assert torch.equal(called == 1, dice / 2 < FRACTIONS)
    assert called[3] == 1  # less likely than not, and called foreground all the same


@pytest.mark.slow
def test_the_sum_settles_between_its_parts():
    fractions = torch.arange(0.05, 1.0, 0.1)  # those of notebook 06
    bce, dice, both = (settle(loss, fractions) for loss in (bce_loss, soft_dice_loss, bce_dice_loss))
    assert ((both > torch.minimum(bce, dice)) & (both < torch.maximum(bce, dice))).all()
    assert (both.diff() > 0).all()
    assert both[6] == pytest.approx(0.82, abs=0.01)  # 65 % foreground


@pytest.mark.parametrize("p", [0.5, 0.1, 0.02])
def test_the_background_outweighs_the_truth_for_bce_by_its_pixels_times_p_over_one_minus_p(p):
    truth = disc(20, 20, 5, size=40)
    pulls = negative_gradient(bce_loss, torch.full_like(truth, p).logit(), truth)
    expected = (truth == 0).sum() * p / ((truth == 1).sum() * (1 - p))
    assert pull_ratio(pulls) == pytest.approx(expected.item(), rel=1e-4)


def test_the_figure_of_balance_has_bce_falling_to_one_at_the_fraction_and_dice_by_its_formula():
    show_balance(foreground=0.01)
    lines = dict(zip(NAMES, plt.gca().lines, strict=False))
    p, bce = lines["bce"].get_xdata(), lines["bce"].get_ydata()
    assert bce[-1] == pytest.approx(92, abs=0.5)
    assert bce[abs(p - 0.01).argmin()] == pytest.approx(1, abs=0.15)
    fraction = 1 / (bce[-1] + 1)  # at p = ½, BCE pulls all pixels equally hard
    expected = (1 - fraction) * p / (p + fraction - p * fraction)
    assert lines["dice"].get_ydata() == pytest.approx(expected, rel=0.01)


def test_failures_are_counted_by_loss_steps_and_rate():
    found = count_failures(read_results("losses"))
    assert found.loc["BCE"].tolist() == [1, 2, 3, 2, 3]
    assert found.loc["Dice"].tolist() == [1, 0, 0, 0, 0]
    assert found.loc["½BCE + Dice"].tolist() == [0] * 5


def test_bce_finds_nothing_where_no_weight_of_the_head_is_above_0_and_asks_for_a_higher_bias_there():
    found = compare_starts(read_results("first_steps"))
    failed = found["IoU"] < 0.05
    assert found.index[failed].tolist() == [0, 1, 4, 5]
    assert (failed == (found["weights above 0"] == 0)).all()
    assert (failed == (found["best shift"] != "+0")).all()
    assert (found["IoU, shifted"] > 0.55).all()
    assert (found["IoU, started at 0.01"] > 0.6).all()


def test_all_pixels_are_counted_in_the_figure_of_probabilities():
    masks = torch.tensor([[[[1, 0, 0, 0]]]])
    p = torch.tensor([[[[0.9, 0.1, 0.2, 1.0]]]])
    show_probabilities({"one": p, "two": p}, masks)
    assert plt.gcf().axes[0].get_yscale() == "log"


def test_a_settled_loss_pulls_no_more():
    p = settle(bce_loss, FRACTIONS, steps=1500)
    assert negative_gradient(bce_loss, p.logit().view(1, 1, 1, -1), FRACTIONS.view(1, 1, 1, -1)).abs().max() < 1e-4
