"""What the figures of notebook 11 show is what the experiments have measured."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from unetpp_course.depth_figures import complete_stages, losses_by_images, show_arms, show_losses, show_stages
from unetpp_course.lab import fair_stage
from unetpp_course.lab.results import Results


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_the_cuts_of_notebook_11_cost_what_its_ledger_says():
    losses = losses_by_images()
    at_depth_2 = {name: round(intervals[1].mean, 3) for name, intervals in losses.items()}
    assert at_depth_2["nuclei, 96 × 96"] == -0.008
    assert at_depth_2["nuclei, full size"] == -0.037
    assert at_depth_2["ISBI membranes"] == -0.036
    assert at_depth_2["drawn membranes"] == -0.182
    assert all(intervals[3].mean == 0 for intervals in losses.values())


def test_each_depth_has_a_panel_and_each_image_set_a_row():
    losses = losses_by_images()
    show_losses(losses, depths=(3, 2))
    axes = plt.gcf().axes
    assert [axis.get_title() for axis in axes] == ["L3", "L2"]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == list(losses)
    assert [text.get_text() for text in axes[1].texts] == ["−0.008", "−0.037", "−0.036", "−0.182"]


def test_each_arm_has_its_dots_and_its_mean():
    show_arms({"cut": [0.5, 0.6], "alone": [0.7, 0.8]})
    (axis,) = plt.gcf().axes
    dots = [line.get_xdata().tolist() for line in axis.lines if line.get_marker() == "o"]
    assert dots == [[0.5, 0.6], [0.7, 0.8]]
    assert [text.get_text() for text in axis.texts] == ["0.550", "0.750"]


@pytest.mark.parametrize(("seeds", "title"), [([0], "rings (1 seed)"), ([0, 1], "rings (2 seeds)")])
def test_each_seed_is_a_line_and_their_number_is_told(seeds, title):
    scores = pd.DataFrame({"L2 alone": 0.7, "head 2": 0.68, "head 4": 0.8}, index=seeds)
    show_stages({"rings": scores, "no rings": scores.iloc[:0]})
    rings, empty = plt.gcf().axes
    assert rings.get_title() == title
    assert (len(rings.lines), len(empty.lines)) == (len(seeds), 0)


def test_only_seeds_that_are_complete_in_both_versions_are_shown():
    complete = ["unetpp-rings-seed0", "l2_alone-rings-seed0", "unetpp-no_rings-seed0", "l2_alone-no_rings-seed0"]
    outcome = {"last": {"head 2": {"iou/background/image": 0.7}}, "history": []}
    outcomes = {name: {"outcome": outcome} for name in [*complete, "unetpp-rings-seed1", "l2_alone-rings-seed1"]}
    outputs = {"L2 alone": ("l2_alone", "head 2"), "head 2": ("unetpp", "head 2")}
    stages = complete_stages(Results(fair_stage.EXPERIMENT, outcomes), outputs)
    assert list(stages) == ["rings", "no rings"]
    for scores in stages.values():
        assert list(scores) == list(outputs)
        assert list(scores.index) == [0]
