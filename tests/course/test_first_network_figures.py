"""What the figures of notebook 01 show."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from unetpp_course.first_network_figures import (
    PARTS,
    RING,
    draw_chain,
    outline,
    show_epochs,
    show_parts,
    show_sureness,
    show_windows,
    tint,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_a_window_is_framed_in_the_picture_and_shown_enlarged():
    image = torch.arange(64 * 64).reshape(1, 64, 64) / 4096
    show_windows(image, {"A": (20, 30)})
    whole, window = plt.gcf().axes
    (frame,) = whole.patches
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (18, 8, 24)
    assert np.array_equal(window.images[0].get_array(), image[0, 8:32, 18:42])


def test_the_letter_of_a_window_is_above_its_frame():
    show_windows(torch.zeros(1, 64, 64), {"A": (20, 30)})
    (letter,) = plt.gcf().axes[0].texts
    plt.gcf().canvas.draw()
    frame = plt.gcf().axes[0].patches[0].get_window_extent()
    assert letter.get_window_extent().y0 >= frame.y1


def test_tinted_pixels_are_those_that_are_asked_for():
    image = torch.full((1, 4, 4), 0.5)
    tinted = tint(image, torch.eye(4)[None], RING)
    grey = (tinted == 128).all(axis=-1)
    assert np.array_equal(~grey, np.eye(4, dtype=bool))


def test_an_outline_runs_around_what_is_asked_for_and_leaves_it_visible():
    where = torch.zeros(1, 5, 5)
    where[0, 2, 2] = 1
    outlined = outline(torch.full((1, 5, 5), 0.5), where, RING)
    line = ~(outlined == 128).all(axis=-1)
    assert {tuple(pixel) for pixel in np.argwhere(line).tolist()} == {(1, 2), (3, 2), (2, 1), (2, 3)}


def test_the_parts_of_a_split_have_their_colours_in_the_order_of_the_stack():
    names = ["a", "b", "c", "d"]
    show_parts(names, {"with a gap": (["a", "d"], ["b"])})
    colours = [to_hex(bar.get_facecolor()).upper() for bar in plt.gcf().axes[0].patches]
    assert colours == [PARTS[part].upper() for part in ("training", "validation", "left out", "training")]
    legend = [text.get_text() for text in plt.gcf().legends[0].get_texts()]
    assert legend == list(PARTS)


def test_the_legend_names_no_part_that_is_not_there():
    show_parts(["a", "b"], {"at random": (["a"], ["b"])})
    assert [text.get_text() for text in plt.gcf().legends[0].get_texts()] == ["training", "validation"]


def test_the_losses_have_a_line_each_and_the_lazy_one_is_named():
    show_epochs({"training": [0.4, 0.3], "validation": [0.35, 0.3]}, lazy=0.45)
    axis = plt.gcf().axes[0]
    assert [line.get_ydata()[0] for line in axis.lines] == [0.4, 0.35, 0.45]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == [
        "your network, training images",
        "your network, validation images",
    ]


def test_each_curve_of_probabilities_adds_up_to_all_pixels():
    show_sureness({"one": (torch.rand(50), torch.rand(20)), "other": (torch.rand(9), torch.ones(3))})
    for axis in plt.gcf().axes:
        for curve in axis.patches:
            x, y = curve.get_xy().T
            area = sum(y[i] * (x[i + 1] - x[i]) for i in range(len(x) - 1)) / 0.05
            assert area == pytest.approx(100)


def test_a_chain_has_a_box_for_each_step_and_an_arrow_between_two():
    draw_chain(["image", "network", "logits"], yours=(1,))
    patches = plt.gcf().axes[0].patches
    assert [text.get_text() for text in plt.gcf().axes[0].texts] == ["image", "network", "logits"]
    assert len(patches) == 3 + 2
