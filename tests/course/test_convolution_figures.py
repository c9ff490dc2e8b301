"""The figures of notebook 02 show what a convolution computes, and how far a network of the library really sees."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.patches import Rectangle
from torch import nn

from unetpp_course.convolution_figures import (
    called_membrane,
    dots_seen,
    draw_blindfolded,
    draw_called,
    draw_convolution,
    draw_frames,
    draw_influence,
    draw_reach,
    draw_windows,
    steps,
)
from unetpp_course.explorers.receptive_field import first_and_last, reach
from unetpp_lib.models import UNetPlusPlus

BLOCK = [("conv", 3), ("conv", 3)]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def path_to_head(depth: int) -> list[tuple[str, int]]:
    return [*BLOCK, *[("pool", 2), *BLOCK] * depth, *[("up", 2), *BLOCK] * depth]


def texts() -> list[str]:
    return [text.get_text() for axes in plt.gcf().axes for text in axes.texts]


def test_a_framed_window_and_its_number_belong_together():
    image, kernel = torch.arange(20.0).view(4, 5), torch.arange(9.0).view(3, 3)
    draw_convolution(image, kernel, places=[(0, 0), (2, 3)])
    before, _, after = plt.gcf().axes
    windows = [patch for patch in before.patches if isinstance(patch, Rectangle)][1:]  # the first is the dashed line
    numbers = [patch for patch in after.patches if isinstance(patch, Rectangle)]
    for window, number, (row, column) in zip(windows, numbers, [(0, 0), (2, 3)], strict=True):
        assert window.get_edgecolor() == number.get_edgecolor()
        assert (round(window.get_y()), round(window.get_x()), round(window.get_width())) == (row, column, 3)
        assert (round(number.get_y()), round(number.get_x()), round(number.get_width())) == (row, column, 1)
    expected = nn.functional.conv2d(image[None, None], kernel[None, None], padding=1)[0, 0]
    assert [float(text.get_text()) for text in after.texts] == expected.flatten().tolist()


def test_zero_is_dark_in_the_image_and_a_large_number_in_the_result():
    draw_convolution(torch.eye(3), torch.eye(3), places=[(0, 0), (1, 1)])
    before, _, after = (axes.collections[0] for axes in plt.gcf().axes)
    dark, bright = before.to_rgba([0.0, 1.0])[:, :3].mean(axis=1)
    small, large = after.to_rgba([0.0, 3.0])[:, :3].mean(axis=1)
    assert dark < bright
    assert large < small


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_dots_see_what_a_head_of_the_library_sees(depth):
    edges = first_and_last(reach(UNetPlusPlus(widths=(2,) * (depth + 1)), 256))
    for column in range(120, 128):
        seen = dots_seen(path_to_head(depth), column)[0]
        assert [seen[0], seen[-1]] == edges[depth - 1, column].tolist()


def test_the_steps_are_the_distances_of_neighbouring_dots():
    assert steps([("conv", 3), ("pool", 2), ("pool", 3), ("up", 2)]) == [1, 1, 2, 6, 3]


def test_the_pixels_are_counted_below_the_dots():
    draw_reach(path_to_head(1))
    assert texts()[-1] == "18 pixels"
    assert texts()[:4] == ["image", "convolution 3×3", "convolution 3×3", "pooling 2×2"]


def test_each_dot_that_the_top_one_reads_has_a_bar_as_long_as_its_field():
    draw_reach([("conv", 3), ("pool", 2), ("conv", 3)], parts=True)
    bars = [line for line in plt.gca().lines if line.get_linewidth() == 6]
    ends = [(round(min(bar.get_xdata())), round(max(bar.get_xdata()))) for bar in bars]
    assert [right - left for left, right in ends] == [4, 4, 4]
    assert [left - ends[0][0] for left, _ in ends] == [0, 2, 4]


def test_windows_are_drawn_from_their_first_to_their_last_column():
    draw_windows([10, 11], [(4, 15), (4, 23)], square=8)
    bars = [(bar.get_x(), bar.get_width()) for bar in plt.gca().patches]
    assert bars == [(4, 12), (4, 20)]
    assert texts() == ["12 pixels", "20 pixels"]


def test_frames_lie_around_the_rows_and_columns_of_their_windows():
    frames = {"head 1": (11, 28, 21, 38), "head 2": (2, 41, 8, 51)}
    draw_frames(torch.ones(1, 64, 64), torch.zeros(1, 64, 64), 20, 30, frames)
    drawn = [patch for patch in plt.gca().patches if patch.get_linewidth() == 2.5]
    # half a pixel outside the centres of the outermost pixels
    assert [(patch.get_y(), patch.get_x()) for patch in drawn] == [(10.5, 20.5), (1.5, 7.5)]
    assert [(patch.get_height(), patch.get_width()) for patch in drawn] == [(18, 18), (40, 44)]
    assert texts()[:2] == ["head 1", "head 2"]


def test_only_the_up_sampling_stands_out_in_a_drawing_of_layers():
    draw_reach(path_to_head(1))
    assert [text.get_text() for text in plt.gca().texts if text.get_weight() == "bold"] == [
        "up-sampling by 2",
        "18 pixels",
    ]


def test_the_square_of_an_influence_lies_in_the_middle():
    draw_influence([torch.ones(64, 64)] * 2, squares=[8, 14], windows=[18, 44])
    for axes, square, window in zip(plt.gcf().axes, (8, 14), (18, 44), strict=False):
        (patch,) = axes.patches
        assert patch.get_x() + square / 2 == window / 2 - 0.5  # pixel centres lie on whole numbers


def test_calls_are_counted_for_each_kind_of_pixel_over_all_images():
    rings = torch.tensor([[[0, 1, 2, 3], [0, 1, 2, 3]]])
    mask = torch.tensor([[[0, 1, 1, 1], [1, 1, 1, 1]]])  # 0 is membrane
    logits = torch.tensor([[[-1.0, 1, 1, 1], [-1, -1, 1, 0]], [[1, 1, 1, 1], [1, 1, 1, 1]]])  # of two heads
    sample = (torch.zeros(1, 2, 4), mask, rings)
    called = called_membrane([logits, torch.ones_like(logits)], [sample, sample])
    assert list(called.values()) == [[50, 0], [25, 0], [0, 0], [25, 0]]
    draw_called(called, windows=[18, 44])
    assert [line.get_ydata().tolist() for line in plt.gca().lines] == list(called.values())
    assert [line.get_linestyle() for line in plt.gca().lines] == ["--", "-", "-", "-"]


def test_each_head_has_a_dot_for_every_blindfold_and_a_line_for_the_whole_image():
    probabilities, uncovered = torch.rand(4, 4, 5), torch.rand(4)
    draw_blindfolded(probabilities, uncovered)
    for axes, blind in zip(plt.gcf().axes, probabilities, strict=True):
        lines = {line.get_marker(): [] for line in axes.lines}
        for line in axes.lines:
            lines[line.get_marker()].append(torch.as_tensor(line.get_ydata()))
        assert torch.equal(torch.stack(lines["o"]), blind)
        assert torch.equal(lines["_"][0], uncovered)
