"""What notebook 07 draws: the nine scores are the library's, and every figure can be drawn."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch

from unetpp_course import score_figures
from unetpp_course.lab.pixel_error import other_iou
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, dice, iou

TRUTH = torch.zeros(1, 1, 64, 64, dtype=torch.uint8)
TRUTH[..., 10:40, 5:60] = 1  # three patches of 32 × 32 hold some of both classes
PREDICTION = TRUTH.roll(3, dims=-1)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def texts() -> set[str]:
    """Return all texts of the last figure."""
    return {text.get_text() for text in plt.gcf().findobj(plt.Text)}


def test_patches_keep_every_pixel_in_its_place():
    image = torch.arange(2 * 64 * 96).view(2, 1, 64, 96)
    patches = score_figures.cut_patches(image)
    assert patches.shape == (2 * 2 * 3, 1, 32, 32)
    assert torch.equal(patches[1, 0], image[0, 0, :32, 32:64])
    assert torch.equal(patches[9, 0], image[1, 0, 32:, :32])


def test_the_nine_scores_are_those_of_the_library():
    scores = score_figures.nine_scores(PREDICTION, TRUTH)
    counts = confusion_counts(PREDICTION, TRUTH)
    assert scores.shape == (3, 3)
    assert scores.loc["IoU, all pixels", "membrane"] == iou(counts, "background")
    assert scores.loc["Dice, all pixels", "interior"] == dice(counts, "foreground")
    assert scores.loc["IoU, mean of patches", "interior"] != iou(counts, "foreground")


def test_every_score_stands_in_its_figure():
    scores = score_figures.nine_scores(PREDICTION, TRUTH)
    score_figures.show_nine_scores(TRUTH[0] * 1.0, TRUTH[0], PREDICTION[0], scores)
    assert {f"{score:.3f}" for score in scores.to_numpy().ravel()} <= texts()
    score_figures.show_score_table(scores, brackets=scores / 2)
    assert {f"({score / 2:.3f})" for score in scores.to_numpy().ravel()} <= texts()


def test_counts_mark_the_row_and_the_column_of_a_class():
    score_figures.draw_counts(torch.tensor([[5, 1, 0], [2, 7, 3], [0, 4, 6]]), 1, ["a", "b", "c"])
    cells = [patch for patch in plt.gca().patches if patch.get_width() == 1]
    marked = [cell.get_xy() for cell in cells if cell.get_facecolor() != (1, 1, 1, 1)]
    assert set(marked) == {(0, 1), (1, 0), (1, 1), (2, 1), (1, 2)}


def test_published_scores_lie_where_the_given_function_puts_them():
    score_figures.show_interior_and_membrane(other_iou)
    assert {"the report's UNet++: 0.978 / 0.924", "U-Net's entry to the challenge:\n0.885 / 0.539 to 0.710"} <= texts()


def test_scores_by_batch_size_and_the_map_can_be_drawn():
    score_figures.show_by_batch_size({"order 0": [0.8, 0.9]}, [1, 2], {"all pixels": 0.85})
    assert " all pixels" in texts()
    score_figures.draw_score_map()
    assert {"V_rand", "the printed\nscore"} <= texts()


def test_a_table_without_brackets_has_one_number_in_each_cell():
    score_figures.show_score_table(pd.DataFrame({"IoU": [0.5]}, index=["thin"]))
    assert {"0.500", "IoU", "thin"} <= texts()
    score_figures.show_score_table(pd.DataFrame({"IoU": [0.99953]}, index=["thin"]), digits=4)
    assert "0.9995" in texts()


def test_regions_are_framed_where_they_lie_in_the_part_that_is_shown():
    score_figures.show_regions(TRUTH[0], PREDICTION[0], {"A": (slice(30, 36), slice(25, 35))})
    axes = plt.gcf().axes
    assert len(axes) == 2
    frame = axes[1].patches[0]
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((9.5, 11.5), 10, 6)
    assert "A" in texts()


def test_masks_of_different_sizes_are_refused():
    with pytest.raises(InputError):
        score_figures.nine_scores(PREDICTION[..., :32], TRUTH)
