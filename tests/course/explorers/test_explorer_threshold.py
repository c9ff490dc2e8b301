"""Threshold and class: counts at every threshold from one look, the scores of the library, a picture that follows."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_course import ThresholdExplorer
from unetpp_course.explorers.threshold import counts_by_threshold
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, dice, iou


def make_pair():
    generator = torch.Generator().manual_seed(0)
    masks = (torch.rand(3, 1, 12, 20, generator=generator) > 0.3).to(torch.uint8)
    return (0.35 * masks + 0.65 * torch.rand(masks.shape, generator=generator)), masks


@pytest.fixture
def pair():
    return make_pair()


@pytest.fixture
def explorer(pair):
    return ThresholdExplorer(*pair)


@pytest.fixture(scope="module")
def used():
    """An explorer whose controls may stand anywhere."""
    return ThresholdExplorer(*make_pair())


def test_the_counts_are_those_of_a_decision_at_each_threshold(pair):
    probabilities, masks = pair
    probabilities[0, 0, 0] = torch.arange(20) / 20  # exactly at a threshold: not above it
    counts = counts_by_threshold(probabilities, masks)
    expected = [confusion_counts(classify(probabilities, percent / 100), masks) for percent in range(1, 100)]
    assert torch.equal(counts, torch.stack(expected))


@pytest.mark.parametrize("score", [iou, dice])
@pytest.mark.parametrize("of", ["foreground", "background", "classes"])
@pytest.mark.parametrize("average", ["image", "pooled"])
def test_the_value_is_the_librarys(used, pair, score, of, average):
    used.score.value = {iou: "IoU", dice: "Dice"}[score]
    used.of.value, used.average.value, used.threshold.value = of, average, 37
    expected = score(confusion_counts(classify(pair[0], 0.37), pair[1]), of, average)
    assert used.value == expected
    assert f"Threshold 0.37: {used.name}, {expected:.3f}" in used.status


def test_picture_and_status_follow_every_control(explorer):
    for control, value in (
        (explorer.threshold, 61),
        (explorer.image, 2),
        (explorer.score, "Dice"),
        (explorer.of, "foreground"),
        (explorer.average, "pooled"),
    ):
        before = explorer.png, explorer.status
        control.value = value
        assert explorer.png != before[0]
        assert explorer.status != before[1]


def test_the_status_says_the_best_threshold(explorer):
    best = max(range(99), key=lambda k: explorer.curve[k])
    assert f"the best, {explorer.curve[best]:.3f}, is at {(best + 1) / 100:.2f}" in explorer.status


def test_a_threshold_can_be_typed(explorer):
    explorer.children[0].children[1].value = 80
    assert explorer.threshold.value == 80


def test_classes_have_the_learners_names(pair):
    explorer = ThresholdExplorer(*pair, threshold=20, classes=("background", "nucleus"))
    assert "IoU of background" in explorer.status
    assert "of nucleus called background" in explorer.status


def test_the_picture_stands_where_widgets_cannot_run_and_has_words(explorer):
    bundle = explorer._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("RGB")
    assert np.asarray(picture).std() > 10
    assert bundle["text/plain"] == f"ThresholdExplorer: {explorer.status}"
    assert '<img alt="Image 0 with its mistakes in colour' in explorer.children[-1].value


@pytest.mark.parametrize(
    ("probabilities", "mask", "words"),
    [
        (torch.full((2, 1, 4, 4), 7.0), torch.ones(2, 1, 4, 4, dtype=torch.uint8), "sigmoid"),
        (torch.rand(1, 4, 4), torch.ones(1, 4, 4, dtype=torch.uint8), "N, C, H, W"),
        (torch.rand(1, 1, 4, 4), torch.ones(1, 1, 4, 5, dtype=torch.uint8), "target"),
        (torch.rand(1, 1, 4, 4), torch.full((1, 1, 4, 4), 255), "255"),
    ],
)
def test_what_is_no_answer_and_truth_is_refused(probabilities, mask, words):
    with pytest.raises(InputError, match=words):
        ThresholdExplorer(probabilities, mask)


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"threshold": 100}, {"classes": ("cell", "cell")}])
def test_a_threshold_or_names_that_mean_nothing_are_refused(pair, wrong):
    with pytest.raises(InputError, match="per cent"):
        ThresholdExplorer(*pair, **wrong)
