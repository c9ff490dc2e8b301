"""The explorer of heads and steps shows what was kept, of any training, with its mistakes and scores."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_course import HeadStepExplorer
from unetpp_course.heads_in_time import KeptHeads, heads_now, keep_heads, shipped_heads
from unetpp_course.lab.head_weights import HeadTraining
from unetpp_lib.engine import Card
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNetPlusPlus


@pytest.fixture
def kept():
    mask = torch.zeros(1, 20, 30, dtype=torch.uint8)
    mask[..., 15:] = 1
    right = mask[0].float()
    steps = {40: torch.stack([right, right]), 0: torch.stack([1 - right, torch.ones(20, 30)])}
    return KeptHeads(steps, mask, torch.rand(1, 20, 30))


@pytest.fixture
def explorer(kept):
    return HeadStepExplorer(kept)


def pixels(explorer):
    return np.asarray(Image.open(io.BytesIO(explorer.png)).convert("RGB"))


def test_it_opens_on_the_last_step_with_the_score_of_every_head(explorer):
    assert explorer.status.startswith("Step 40 of 40. IoU of the membrane: head 1 1.00, head 2 1.00.")


def test_the_steps_are_in_order_whatever_order_they_were_kept_in(explorer):
    explorer.moment.value = 0
    assert explorer.step == 0
    assert "head 1 0.00, head 2 0.00" in explorer.status


def test_mistakes_are_in_the_colours_of_the_course(explorer):
    orange, blue = (230, 159, 0), (0, 114, 178)
    assert not (pixels(explorer)[30:200, 270:500] == orange).all(-1).any()
    explorer.moment.value = 0
    shown = pixels(explorer)[30:200, 270:500]  # head 1, all wrong
    assert (shown == orange).all(-1).mean() > 0.3
    assert (shown == blue).all(-1).mean() > 0.3


def test_one_head_alone_and_the_mean_can_be_chosen(explorer):
    explorer.moment.value = 0
    explorer.head.value = "2"
    assert "membrane: head 2 0.00." in explorer.status
    explorer.head.value = "mean"
    assert "membrane: mean 1.00." not in explorer.status
    assert "Decision of mean" in explorer.children[-1].value


def test_every_control_changes_the_picture(explorer):
    seen = {explorer.png}
    for control, value in ((explorer.moment, 0), (explorer.head, "1"), (explorer.view, "probability")):
        control.value = value
        assert explorer.png not in seen
        seen.add(explorer.png)


def test_the_mean_is_of_probabilities():
    mask = torch.ones(1, 4, 4, dtype=torch.uint8)
    kept = KeptHeads({0: torch.stack([torch.full((4, 4), 0.9), torch.full((4, 4), 0.3)])}, mask)
    torch.testing.assert_close(kept.probabilities(0, "mean"), torch.full((4, 4), 0.6))
    assert kept.outputs == ["head 1", "head 2", "mean"]


def test_without_an_image_the_truth_is_shown(kept):
    explorer = HeadStepExplorer(KeptHeads(kept.steps, kept.mask))
    assert explorer.png != HeadStepExplorer(kept).png


def test_a_picture_with_words_stands_where_no_widget_runs(explorer):
    assert explorer.png.startswith(b"\x89PNG")
    assert explorer._repr_mimebundle_().keys() >= {"image/png", "text/plain"}
    assert repr(explorer).startswith("HeadStepExplorer: Step 40 of 40")
    assert 'alt="Decision of head 1, head 2. Step 40 of 40.' in explorer.children[-1].value
    assert 'role="status"' in explorer.children[-1].value


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ({}, "steps is empty"),
        ({0: torch.rand(2, 20, 31)}, r"step 0 is \(2, 20, 31\) and the mask \(1, 20, 30\)"),
        ({0: torch.rand(2, 20, 30), 5: torch.rand(3, 20, 30)}, "step 5"),
        ({0: torch.full((2, 20, 30), 4.0)}, "sigmoid"),
    ],
)
def test_what_are_no_probabilities_of_this_mask_is_refused(kept, steps, words):
    with pytest.raises(InputError, match=words):
        KeptHeads(steps, kept.mask)


def test_a_moment_that_was_not_kept_is_refused(kept):
    with pytest.raises(InputError, match="2 kept steps"):
        HeadStepExplorer(kept, moment=2)


def test_your_own_training_in_one_line():
    training = HeadTraining(weights=(1.0, 1.0), steps=2, patch=32, batch_size=2, widths=(2, 4, 8))
    kept = keep_heads(training, (0, 2), "membrane_32", part=64)
    assert list(kept.steps) == [0, 2]
    assert kept.steps[2].shape == (2, 64, 64)
    assert not torch.equal(kept.steps[0], kept.steps[2])
    with pytest.raises(InputError, match="no image 'membrane_99'"):
        keep_heads(training, (0,), "membrane_99")


def test_heads_now_are_the_networks_probabilities():
    torch.manual_seed(0)
    model, image = UNetPlusPlus(widths=(2, 4, 8)).eval(), torch.rand(1, 32, 48)
    card = Card(mean=(0.5,), std=(0.2,))
    with torch.inference_mode():
        expected = torch.cat([torch.sigmoid(head[0]) for head in model(card.normalise(image)[None])])
    torch.testing.assert_close(heads_now(model, card, image), expected)


def test_the_shipped_pictures_are_of_one_training_that_learned():
    kept = shipped_heads()
    assert len(kept.steps) >= 8
    assert kept.outputs == ["head 1", "head 2", "head 3", "head 4", "mean"]
    scores = kept.scores("head 4")
    assert scores[min(scores)] < 0.4 < 0.7 < scores[max(scores)]
    assert all(((heads * 255 - 4).round() % 8 == 0).all() for heads in kept.steps.values())  # 32 greys, none at ½
