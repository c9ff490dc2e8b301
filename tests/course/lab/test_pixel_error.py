"""The arithmetic between pixel error and IoU is that of counted pixels, and the page shows what the module prints."""

from pathlib import Path

import pytest
import torch

from unetpp_course.lab.pixel_error import PUBLISHED, WHITE, iou_of, measured, other_iou, pixel_error, table
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, dice, iou

PAGE = Path(__file__).parents[3] / "docs" / "results_tables.md"


def random_counts(seed: int, flipped: float) -> torch.Tensor:
    """Count a random mask, about 78 % white, against a copy with that fraction of its pixels flipped."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(3, 1, 32, 32, generator=generator) < WHITE
    return confusion_counts(target ^ (torch.rand(3, 1, 32, 32, generator=generator) < flipped), target)


@pytest.mark.parametrize("flipped", [0.0, 0.02, 0.1, 0.4])
def test_pixel_error_is_one_minus_the_dice_of_pooled_counts(flipped):
    counts = random_counts(seed=0, flipped=flipped)
    error = 1 - dice(counts, "foreground", "pooled")
    assert pixel_error(iou(counts, "foreground", "pooled")) == pytest.approx(error, abs=1e-12)
    assert iou_of(error) == pytest.approx(iou(counts, "foreground", "pooled"), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("flipped", [0.0, 0.02, 0.1, 0.3])
def test_the_iou_of_one_class_gives_that_of_the_other_once_the_mistakes_are_named(seed, flipped):
    counts = random_counts(seed, flipped)
    (_, false_positives), (false_negatives, _) = pooled = counts.sum(dim=0).tolist()
    missed = false_negatives / (false_negatives + false_positives) if flipped else 0.5
    fraction = sum(pooled[1]) / sum(map(sum, pooled))
    found = other_iou(iou(counts, "foreground", "pooled"), fraction, missed)
    assert found == pytest.approx(iou(counts, "background", "pooled"), abs=1e-9)


def test_balanced_mistakes_are_what_a_reader_computes_by_hand():
    # 1000 pixels, 780 of them white; 11 white ones are missed and 11 others called white
    assert other_iou((780 - 11) / (780 + 11), 0.78) == pytest.approx((220 - 11) / (220 + 11))


def test_an_all_white_prediction_finds_no_membrane():
    for white in (percent / 100 for percent in range(1, 100)):  # some of these products are rounded up
        assert other_iou(white, white, missed=0.0) == pytest.approx(0, abs=1e-9)


def test_a_class_that_is_everywhere_leaves_nothing_to_score():
    assert other_iou(1.0, 1.0) == 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pixel_error(97.8), "iou is 97.8"),
        (lambda: iou_of(-0.1), "error is -0.1"),
        (lambda: other_iou(0.9, 78), "fraction is 78"),
        (lambda: other_iou(0.9, 0.78, missed=2), "missed is 2"),
        (lambda: other_iou(0.5, 0.78, missed=0.0), "cannot score so low with missed=0.0"),
        (lambda: other_iou(0.0, 0.78, missed=0.0), "cannot score so low with missed=0.0"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_u_nets_entry_lies_where_our_u_net_does():
    white, membrane = measured()["our U-Net, blocked folds"]
    assert white == pytest.approx(iou_of(PUBLISHED["U-Net's entry to the challenge"]), abs=0.005)
    assert other_iou(white, WHITE, 0.0) < membrane < other_iou(white, WHITE, 1.0)


def test_the_page_shows_the_table():
    assert f"```text\n{table()}\n```" in PAGE.read_text(), "run python -m unetpp_course.lab.pixel_error, copy its table"
