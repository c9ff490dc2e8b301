"""The explorer of losses: its numbers are the library's, its pulls are autograd's, its picture follows the controls."""

import base64
import io

import pytest
import torch
from PIL import Image

from unetpp_course import LossGradientExplorer
from unetpp_course.gradients import disc, negative_gradient
from unetpp_lib.errors import InputError
from unetpp_lib.losses import bce_dice_loss, bce_loss, soft_dice_loss
from unetpp_lib.metrics import confusion_counts, iou


@pytest.fixture
def mask():
    return disc(12, 10, 5, size=32)


def test_unmoved_the_shape_is_the_truth(mask):
    explorer = LossGradientExplorer(mask)
    assert torch.equal(explorer.probabilities() > 0.5, mask == 1)
    assert explorer.values["IoU"] == 1


def test_moved_by_whole_pixels_the_shape_is_the_truth_elsewhere(mask):
    explorer = LossGradientExplorer(mask, right=7, down=3)
    assert torch.equal(explorer.probabilities() > 0.5, disc(15, 17, 5, size=32) == 1)


def test_half_the_size_is_a_quarter_of_the_pixels(mask):
    explorer = LossGradientExplorer(mask)
    explorer.size.value = 50
    assert (explorer.probabilities() > 0.5).sum() / mask.sum() == pytest.approx(0.25, abs=0.06)


def test_losses_and_score_are_the_librarys(mask):
    explorer = LossGradientExplorer(mask, right=4)
    explorer.confidence.value = 80
    p = explorer.probabilities()
    assert sorted(set(p.flatten().tolist())) == pytest.approx([0.2, 0.8])
    counts = confusion_counts((p > 0.5).to(torch.uint8), mask.to(torch.uint8))
    expected = [bce_loss(p.logit(), mask), soft_dice_loss(p.logit(), mask), bce_dice_loss(p.logit(), mask), iou(counts)]
    assert list(explorer.values.values()) == pytest.approx([float(value) for value in expected])


def test_the_pull_of_bce_is_truth_less_probability_and_pulls_add_up(mask):
    explorer = LossGradientExplorer(mask, right=4)
    half, dice, both = explorer.pulls.values()
    torch.testing.assert_close(half, (mask - explorer.probabilities()) / 2)
    torch.testing.assert_close(half + dice, both)


def test_a_pull_points_the_way_that_lowers_the_loss(mask):
    logits = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    step = 1e-3 * negative_gradient(soft_dice_loss, logits, mask)
    assert soft_dice_loss(logits + step, mask) < soft_dice_loss(logits, mask)


@pytest.mark.parametrize(("control", "value"), [("right", 9), ("down", -4), ("size", 150), ("confidence", 60)])
def test_every_control_changes_picture_status_and_words(mask, control, value):
    explorer = LossGradientExplorer(mask)
    before = explorer.png, explorer.status
    getattr(explorer, control).value = value
    assert explorer.png != before[0]
    assert explorer.status != before[1]
    assert explorer.status.splitlines()[0] in explorer.children[-1].value
    assert 'alt="The prediction in grey' in explorer.children[-1].value


def test_on_an_empty_truth_a_disc_is_predicted_and_only_false_positives_are_named():
    explorer = LossGradientExplorer(torch.zeros(40, 60))
    assert 0 < (explorer.probabilities() > 0.5).sum() < 400
    assert explorer.values["IoU"] == 0
    assert "of the truth" not in explorer.status


@pytest.mark.parametrize("shape", [(32, 48), (1, 32, 48), (1, 1, 32, 48)])
def test_a_mask_of_the_learners_comes_as_they_have_it(shape):
    mask = (torch.arange(32 * 48).reshape(shape) % 7 == 0).to(torch.uint8)
    copy = mask.clone()
    picture = Image.open(io.BytesIO(LossGradientExplorer(mask).png))
    assert picture.size == (4 * 192 + 3 * 10, 32 * 4 + 40)
    assert torch.equal(mask, copy)


def test_a_picture_stands_where_no_widget_runs(mask):
    explorer = LossGradientExplorer(mask)
    bundle = explorer._repr_mimebundle_()
    pictures = [Image.open(io.BytesIO(png)) for png in (base64.b64decode(bundle["image/png"]), explorer.png)]
    assert pictures[0].size == pictures[1].size
    assert bundle["text/plain"].startswith("LossGradientExplorer: BCE 0.105")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (torch.zeros(2, 1, 8, 8), "give one mask"),
        (torch.zeros(0, 8), "give one mask"),
        ([[0, 1]], "target is list"),
        (torch.tensor([[0, 255]]), "divide a mask of 0 and 255 by 255"),
        (torch.tensor([[0.0, float("nan")]]), "may contain only 0 and 1"),
    ],
)
def test_what_is_no_mask_is_refused(target, words):
    with pytest.raises(InputError, match=words):
        LossGradientExplorer(target)


def test_a_move_beyond_the_mask_is_refused(mask):
    with pytest.raises(InputError, match="32 rows"):
        LossGradientExplorer(mask, right=33)
