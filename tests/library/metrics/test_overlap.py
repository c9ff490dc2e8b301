import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, dice, iou, pixel_accuracy, score_table

OF = ("foreground", "background", "classes")


@st.composite
def segmentations(draw):
    """(prediction, target, num_classes), small enough that classes are often absent, with ignored pixels."""
    num_classes = draw(st.sampled_from([1, 2, 3, 5]))
    shape = (draw(st.integers(1, 4)), 1, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    K, ignored = max(2, num_classes), 0.2 * (num_classes > 1)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    prediction, target = (torch.randint(0, K, shape, generator=generator, dtype=torch.uint8) for _ in range(2))
    target[torch.rand(shape, generator=generator) < ignored] = 255
    return prediction, target, num_classes


def set_scores(prediction, target, K):
    """IoU and Dice of each class, and accuracy, from sets of pixel positions, in plain Python."""
    predicted, truth = prediction.flatten().tolist(), target.flatten().tolist()
    kept = {i for i, t in enumerate(truth) if t != 255}
    ious, dices = [], []
    for k in range(K):
        P, T = {i for i in kept if predicted[i] == k}, {i for i in kept if truth[i] == k}
        ious.append(len(P & T) / len(P | T) if P | T else 1.0)
        dices.append(2 * len(P & T) / (len(P) + len(T)) if P | T else 1.0)
    accuracy = sum(predicted[i] == truth[i] for i in kept) / len(kept) if kept else 1.0
    return {"iou": ious, "dice": dices}, accuracy


def mean(values):
    values = list(values)
    return sum(values) / len(values)


@settings(max_examples=60)
@given(segmentations())
def test_scores_equal_those_of_sets_of_pixels(case):
    prediction, target, num_classes = case
    K = max(2, num_classes)
    single = [set_scores(p, t, K) for p, t in zip(prediction, target, strict=True)]
    pooled = [set_scores(prediction, target, K)]
    classes = {"foreground": range(1, K), "background": [0], "classes": range(K)}
    expected = {
        f"{score}/{of}/{average}": mean(by_class[score][k] for by_class, _ in images for k in classes[of])
        for score in ("iou", "dice")
        for of in OF
        for average, images in (("image", single), ("pooled", pooled))
    }
    expected["pixel_accuracy/image"] = mean(accuracy for _, accuracy in single)
    expected["pixel_accuracy/pooled"] = pooled[0][1]
    assert score_table(confusion_counts(prediction, target, num_classes)) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30)
@given(segmentations(), st.randoms(use_true_random=False))
def test_scores_depend_neither_on_batch_size_nor_on_order(case, random):
    prediction, target, num_classes = case
    order = list(range(len(target)))
    random.shuffle(order)
    one_by_one = torch.cat([confusion_counts(prediction[i : i + 1], target[i : i + 1], num_classes) for i in order])
    whole = confusion_counts(prediction, target, num_classes)
    assert torch.equal(one_by_one, whole[order])
    assert score_table(one_by_one) == pytest.approx(score_table(whole), abs=1e-12)


@settings(max_examples=30)
@given(segmentations())
def test_dice_follows_from_iou_for_one_class_of_pooled_counts(case):
    counts = confusion_counts(*case)
    J = iou(counts, "background", "pooled")
    assert dice(counts, "background", "pooled") == pytest.approx(2 * J / (1 + J))


def test_dice_does_not_follow_from_iou_for_means_over_images():
    # IoU 1 and 0, so J = ½ and 2J/(1+J) = 2/3, but Dice 1 and 0, so D = ½.
    target = torch.tensor([1, 0]).view(2, 1, 1, 1)
    counts = confusion_counts(torch.ones_like(target), target)
    assert iou(counts) == 0.5
    assert dice(counts) == 0.5


def test_rows_are_the_truth_and_columns_the_prediction_image_by_image():
    target = torch.tensor([[0, 0, 1, 2], [255, 2, 2, 255]]).view(2, 1, 2, 2)
    prediction = torch.tensor([[0, 1, 1, 0], [2, 2, 1, 0]]).view(2, 1, 2, 2)
    counts = confusion_counts(prediction, target, num_classes=3)
    assert counts.tolist() == [[[1, 1, 0], [0, 1, 0], [1, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 1, 1]]]
    assert counts.dtype == torch.int64


@pytest.mark.parametrize("dtype", [torch.int16, torch.int64, torch.uint16, torch.uint32, torch.uint64])
def test_class_indices_may_be_of_any_integer_type(dtype):
    target = torch.tensor([[0, 0, 1, 2], [255, 2, 2, 255]]).view(2, 1, 2, 2)
    prediction = torch.tensor([[0, 1, 1, 0], [2, 2, 1, 0]]).view(2, 1, 2, 2)
    expected = confusion_counts(prediction, target, num_classes=3)
    assert torch.equal(confusion_counts(prediction.to(dtype), target.to(dtype), num_classes=3), expected)
    with pytest.raises(InputError, match="target holds class 2: 2 classes are 0 … 1"):
        confusion_counts(prediction.clamp(max=1).to(dtype), target.to(dtype), num_classes=2)


def test_a_class_absent_from_truth_and_prediction_scores_one():
    empty = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    assert set(score_table(confusion_counts(empty, empty)).values()) == {1.0}


def test_one_false_pixel_on_an_empty_truth_scores_zero():
    empty = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    speck = empty.clone()
    speck[0, 0, 0, 0] = 1
    for prediction, truth in ((speck, empty), (empty, speck)):
        counts = confusion_counts(prediction, truth)
        assert iou(counts) == dice(counts) == 0
        assert iou(counts, "background") == 15 / 16


def test_an_image_that_is_wholly_ignored_scores_one():
    ignored = torch.full((1, 1, 4, 4), 255, dtype=torch.uint8)
    assert set(score_table(confusion_counts(torch.zeros_like(ignored), ignored, num_classes=3)).values()) == {1.0}


def test_mean_over_images_and_pooled_counts_tell_different_stories():
    # Image 1: 1 of 1 pixel found; image 2: 1 of 15. Mean (1 + 1/15)/2, pooled 2/16.
    target, prediction = torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    target[0, 0, 0, 0] = prediction[0, 0, 0, 0] = prediction[1, 0, 0, 0] = 1
    target[1] = 1
    target[1, 0, 3, 3] = 0
    counts = confusion_counts(prediction, target)
    assert iou(counts) == iou(counts, "foreground", "image") == pytest.approx((1 + 1 / 15) / 2)
    assert iou(counts, average="pooled") == 2 / 16


def test_pixel_accuracy_weighs_images_alike_unless_pooled():
    # 3 of 4 pixels right; in the second image 2 are ignored, and none of the other 2 is right.
    counts = torch.tensor([[[3, 1], [0, 0]], [[0, 2], [0, 0]]])
    assert pixel_accuracy(counts) == pixel_accuracy(counts, "image") == 3 / 8
    assert pixel_accuracy(counts, "pooled") == 3 / 6


def test_table_names_every_score_once():
    table = score_table(torch.eye(2, dtype=torch.int64)[None])
    names = {f"{score}/{of}/{average}" for score in ("iou", "dice") for of in OF for average in ("image", "pooled")}
    assert set(table) == names | {"pixel_accuracy/image", "pixel_accuracy/pooled"}
    assert all(type(value) is float for value in table.values())


def test_counts_beyond_float32_are_scored_exactly():
    counts = torch.tensor([[[0, 1], [0, 2**30]]])  # one false positive beside a thousand million hits
    assert iou(counts) == 2**30 / (2**30 + 1)


def test_classify_takes_what_lies_above_the_threshold():
    probabilities = torch.tensor([0.2, 0.5, 0.50001, 1.0]).view(1, 1, 2, 2)
    labels = classify(probabilities)
    assert labels.flatten().tolist() == [0, 0, 1, 1]
    assert labels.dtype == torch.uint8
    assert classify(probabilities, threshold=0.1).all()
    assert classify(probabilities, threshold=0.9).flatten().tolist() == [0, 0, 0, 1]


def test_classify_takes_the_most_probable_of_several_classes():
    probabilities = torch.tensor([[0.2, 0.4, 0.4], [0.1, 0.2, 0.7]]).T.reshape(1, 3, 1, 2)
    labels = classify(probabilities, threshold=0.99)
    assert labels.shape == (1, 1, 1, 2)
    assert labels.dtype == torch.uint8
    assert labels.flatten().tolist() == [1, 2]


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, 127, math.nan])
def test_threshold_must_be_a_probability(threshold):
    with pytest.raises(InputError, match="threshold is"):
        classify(torch.zeros(1, 1, 2, 2), threshold)


@pytest.mark.parametrize("value", [-3.0, 1.5, math.nan])
def test_logits_are_not_probabilities(value):
    with pytest.raises(InputError, match="sigmoid or softmax"):
        classify(torch.full((1, 1, 2, 2), value))


def test_classify_forgives_the_rounding_of_blended_tiles():
    assert classify(torch.full((1, 1, 2, 2), 1.0000002)).all()


def test_classify_needs_a_batch():
    with pytest.raises(InputError, match=r"probabilities are \(2, 2\)"):
        classify(torch.zeros(2, 2))


MASK = torch.zeros(2, 1, 3, 3, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("prediction", "target", "num_classes", "message"),
    [
        (MASK[:, 0], MASK[:, 0], 1, r"\(N, 1, H, W\)"),
        (MASK, MASK[:1], 1, r"prediction is \(2, 1, 3, 3\) and target \(1, 1, 3, 3\)"),
        (MASK.expand(2, 3, 3, 3), MASK.expand(2, 3, 3, 3), 3, r"\(N, 1, H, W\)"),
        (MASK.float(), MASK, 1, "prediction is of torch.float32.*classify"),
        (MASK, MASK.float(), 1, "target is of torch.float32"),
        (MASK + 2, MASK, 1, "prediction holds class 2: 2 classes are 0 … 1"),
        (MASK + 255, MASK, 3, "prediction holds class 255"),
        (MASK.int() - 1, MASK, 3, "prediction holds class -1"),
        (MASK, MASK.int() - 1, 3, "target holds class -1"),
        (MASK, MASK + 3, 3, "target holds class 3: 3 classes are 0 … 2"),
        (MASK, MASK + 255, 1, "target holds class 255.*divide"),
        (MASK, MASK, 0, "num_classes is 0"),
        (MASK, MASK, 256, "num_classes is 256"),
    ],
)
def test_wrong_masks_are_named(prediction, target, num_classes, message):
    with pytest.raises(InputError, match=message):
        confusion_counts(prediction, target, num_classes)


@pytest.mark.parametrize("shape", [(2, 2), (0, 2, 2), (1, 2, 3), (1, 1, 1)])
def test_counts_must_be_those_of_at_least_one_image(shape):
    with pytest.raises(InputError, match="counts are"):
        pixel_accuracy(torch.ones(shape, dtype=torch.int64))


def test_unknown_choices_list_the_known_ones():
    counts = torch.ones(1, 2, 2, dtype=torch.int64)
    with pytest.raises(InputError, match="of is 'white': choose one of foreground, background, classes"):
        iou(counts, of="white")
    with pytest.raises(InputError, match="average is 'mean': choose one of image, pooled"):
        dice(counts, average="mean")
