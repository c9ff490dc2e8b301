"""What the figures of notebook 08 show: every score, the sides of a split, and which intervals miss."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from unetpp_course import evaluation_figures as figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_claim_is_followed_by_every_step_and_by_what_moved_the_scores():
    step = pd.DataFrame({"unet": [0.9, 0.92], "unetpp": [0.91, 0.93]})
    figures.draw_claim({"white": step, "membrane": step - 0.2}, [0.8, 0.0], ["size", "class"])
    axis = plt.gca()
    assert [label.get_text() for label in axis.get_yticklabels()][1:] == ["white", "membrane"]
    assert {"0.953", "0.978", "size: −0.05", "class: −0.20"} <= {text.get_text() for text in axis.texts}


def test_a_held_out_file_is_a_square_of_its_own():
    slices = ["00", "01", "02"]
    figures.draw_split({"leaks": ["00", "02_copy1"], "blocked": ["01", "01_copy1", "01_copy2"]}, slices, copies=2)
    left, right = (axis.collections[0].get_array().reshape(3, 3) for axis in plt.gcf().axes)
    assert np.array_equal(left, [[1, 0, 0], [0, 0, 1], [0, 0, 0]])
    assert np.array_equal(right, [[0, 1, 0]] * 3)


def test_an_interval_that_misses_the_truth_has_another_colour():
    figures.draw_intervals({"three": [(-1, 1), (0.1, 0.2), (0, 2)]})
    axis = plt.gca()
    assert "67% of 3 contain the truth" in axis.get_title()
    colours = [to_hex(colour).upper() for colour in axis.collections[0].get_colors()]
    assert colours == [figures.BLUE, figures.DARK_ORANGE, figures.BLUE]


def test_pairs_are_joined_and_their_differences_shown():
    figures.draw_pairs([0.5, 0.6], [0.52, 0.65], ("one", "other"), {"in pairs": (0.0, 0.07)})
    left, right = plt.gcf().axes
    assert [list(line.get_ydata()) for line in left.lines] == [[0.5, 0.52], [0.6, 0.65]]
    assert right.lines[0].get_xdata() == pytest.approx([0.02, 0.05])


def test_leads_are_shown_with_the_means_of_rows_and_columns():
    figures.draw_lead_table([[1.0, 3.0], [5.0, 7.0]], "leads")
    assert [text.get_text() for text in plt.gca().texts] == ["+1", "+3", "+5", "+7", "+3", "+5", "+2", "+6"]


def test_the_verdict_shows_all_runs_of_both_classes():
    ends = {"yours": (0.6, 0.7), "crossed": (0.58, 0.72)}
    figures.draw_verdict(np.full((3, 5), 0.9), np.full((3, 5), 0.65), 0.78, {"white": ends, "membrane": ends})
    assert sum(len(line.get_xdata()) == 15 for line in plt.gca().lines) == 2


def test_runs_and_units_can_be_drawn():
    figures.draw_known_and_unseen(pd.DataFrame({"known": [0.8], "unseen": [0.3]}), {"known": 0.7, "unseen": 0.4})
    assert len(plt.gca().lines) == 2
    figures.draw_units()
    assert "animals:" in [text.get_text() for text in plt.gca().texts]
