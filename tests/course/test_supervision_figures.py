"""What the figures of notebook 05 show is what the experiments have measured."""

import matplotlib.pyplot as plt
import pytest
import torch

from unetpp_course import shipped_model
from unetpp_course.lab import read_results
from unetpp_course.lab.base import open_set, stack_images
from unetpp_course.supervision_figures import HEADS, cut_losses, show_cut_losses, show_differences


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_every_pair_is_a_dot_and_the_bar_is_the_interval_of_their_mean():
    show_differences({"head 4": [-7.0, -7.0, 0.0, 14.0]}, {"head 4": [0.1, 0.3], "mean": [-0.2, -0.1]})
    above, below = plt.gcf().axes
    dots = [x for line in above.lines if line.get_marker() == "o" for x in line.get_xdata()]
    assert sorted(dots) == [-7, -7, 0, 14]
    bar = next(line for line in above.lines if line.get_linewidth() == 9)
    assert list(bar.get_xdata()) == pytest.approx([-15.76, 15.76], abs=0.01)  # mean 0, t(3) = 3.182, sd 9.899 / 2
    assert [label.get_text() for label in below.get_yticklabels()] == ["head 4", "mean"]


def test_the_cuts_cost_what_was_measured():
    losses = cut_losses()
    found = {name: [round(interval.mean, 3) for interval in intervals] for name, intervals in losses.items()}
    frame = read_results("supervision_seeds").frame
    frame = frame[(frame["variant"] == "supervised") & (frame["score"] == "iou/background/pooled")]
    means = frame.groupby("output")["value"].mean()
    assert found["drawn membranes"] == [round(means[head] - means["head 4"], 3) for head in HEADS]
    assert found["ISBI membranes"] == [-0.146, -0.036, 0.001, 0]
    assert found["nuclei"] == [-0.040, -0.008, -0.004, 0]


def test_a_cut_is_drawn_by_the_arithmetic_that_it_leaves():
    show_cut_losses([12, 30, 59, 100], cut_losses())
    (axis,) = plt.gcf().axes
    assert [tick.get_text().split("\n") for tick in axis.get_xticklabels()][1] == ["30 %", "depth 2"]
    assert {text.get_text() for text in axis.texts} == {"nuclei", "ISBI membranes", "drawn membranes"}


def test_the_sum_of_the_heads_gradients_is_longer_than_that_of_head_4_and_points_elsewhere():
    trials = [read_results("supervision")[f"gradients-untrained-seed{seed}"] for seed in range(5)]
    ratios = [trial["total_norm"] / trial["norms"][3] for trial in trials]
    cosines = [trial["shares"][3] * ratio for trial, ratio in zip(trials, ratios, strict=True)]
    assert (round(min(ratios), 1), round(max(ratios), 1)) == (2.6, 11.6)  # as notebook 05 says
    assert max(cosines) < 0.7


@pytest.mark.slow
def test_nine_tenths_of_what_the_mean_of_the_heads_misses_are_missed_by_heads_1_and_2():
    network, card = shipped_model("unetpp_membranes")
    folder, split = open_set("membranes")
    images, masks = stack_images(folder, split.test)
    with torch.inference_mode():
        heads = torch.stack(network.eval()(card.normalise(images))).sigmoid()
    missed = (heads.mean(dim=0) > 0.5) & (masks == 0)
    by_both = missed & (heads[:2] > 0.5).all(dim=0)
    assert by_both.sum() / missed.sum() == pytest.approx(0.9, abs=0.02)  # as notebook 05 says
