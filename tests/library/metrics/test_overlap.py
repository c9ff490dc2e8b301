import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unetpp_lib.errors import InputError
from unetpp_lib.metrics import (
    classify,
    confusion_counts,
    dice,
    dice_by_class,
    iou,
    iou_by_class,
    pixel_accuracy,
    score_table,
)

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
    """IoU and Dice of each class (None where it is in neither), and accuracy, from sets of pixel positions."""
    predicted, truth = prediction.flatten().tolist(), target.flatten().tolist()
    kept = {i for i, t in enumerate(truth) if t != 255}
    ious, dices = [], []
    for k in range(K):
        P, T = {i for i in kept if predicted[i] == k}, {i for i in kept if truth[i] == k}
        ious.append(len(P & T) / len(P | T) if P | T else None)
        dices.append(2 * len(P & T) / (len(P) + len(T)) if P | T else None)
    accuracy = sum(predicted[i] == truth[i] for i in kept) / len(kept) if kept else 1.0
    return {"iou": ious, "dice": dices}, accuracy


def mean(values):
    """The mean of those that are there, 1 where none is."""
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else 1.0


@settings(max_examples=60)
@given(segmentations())
def test_scores_equal_those_of_sets_of_pixels(case):
    prediction, target, num_classes = case
    K = max(2, num_classes)
    pairs = list(zip(prediction, target, strict=True))
    single = [set_scores(p, t, K) for p, t in [pair for pair in pairs if (pair[1] != 255).any()] or pairs]
    pooled = [set_scores(prediction, target, K)]
    classes = {"foreground": range(1, K), "background": [0], "classes": range(K)}
    expected = {
        f"{score}/{of}/{average}": mean([mean(by_class[score][k] for k in classes[of]) for by_class, _ in images])
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


@pytest.mark.parametrize("num_classes", [1, 2, 21])
def test_an_image_without_foreground_in_truth_and_prediction_scores_one(num_classes):
    empty = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    assert set(score_table(confusion_counts(empty, empty, num_classes)).values()) == {1.0}


@pytest.mark.parametrize("average", ["image", "pooled"])
def test_missing_the_only_object_is_not_hidden_by_classes_that_are_not_there(average):
    truth = torch.zeros(4, 1, 10, 10, dtype=torch.long)
    found = truth.clone()
    found[:, :, :3, :3] = 1
    for prediction, target, background in ((found, truth, 0.91), (truth, found, 0.91)):
        counts = confusion_counts(prediction, target, 21)
        assert iou(counts, "foreground", average) == dice(counts, "foreground", average) == 0
        assert iou(counts, "classes", average) == pytest.approx(background / 2)


def test_a_network_that_predicts_classes_that_no_mask_holds_scores_zero_for_them():
    truth = torch.ones(2, 1, 6, 6, dtype=torch.long)
    prediction = truth.clone()
    for column, wrong in enumerate((4, 5, 16, 24)):
        prediction[..., column] = wrong
    counts = confusion_counts(prediction, truth, 30)
    assert iou(counts, "foreground", "pooled") == pytest.approx((2 / 6) / 5)  # class 1, and four classes of IoU 0


def test_a_class_that_is_in_one_image_alone_counts_there_alone():
    truth = torch.tensor([[1, 1, 0, 0], [0, 2, 2, 0]]).view(2, 1, 1, 4)
    prediction = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0]]).view(2, 1, 1, 4)
    counts = confusion_counts(prediction, truth, 4)
    assert iou(counts, "foreground") == (1 + 0) / 2  # image 1: class 1; image 2: class 2; class 3 nowhere
    assert iou(counts, "foreground", "pooled") == (1 + 0) / 2
    assert iou(counts, "classes") == pytest.approx(((1 + 1) / 2 + (2 / 4 + 0) / 2) / 2)


def test_each_class_has_its_own_score_and_a_class_in_neither_none():
    truth = torch.tensor([[0, 0, 1, 1, 3, 255], [0, 0, 0, 0, 1, 1]]).view(2, 1, 2, 3)
    prediction = torch.tensor([[0, 1, 1, 1, 0, 2], [0, 0, 0, 0, 1, 0]]).view(2, 1, 2, 3)
    counts = confusion_counts(prediction, truth, 4)
    expected = [5 / 8, 3 / 5, math.nan, 0.0]
    assert iou_by_class(counts).tolist() == pytest.approx(expected, nan_ok=True)
    assert dice_by_class(counts).tolist() == pytest.approx([10 / 13, 6 / 8, math.nan, 0.0], nan_ok=True)
    assert iou(counts, "classes", "pooled") == pytest.approx(np.nanmean(expected))
    table = score_table(counts, ("ground", "cell", "edge", "bead"))
    named = {key: value for key, value in table.items() if "by_class" in key}
    assert named == pytest.approx(
        {
            "iou_by_class/ground": 5 / 8,
            "iou_by_class/cell": 3 / 5,
            "iou_by_class/bead": 0,
            "dice_by_class/ground": 10 / 13,
            "dice_by_class/cell": 6 / 8,
            "dice_by_class/bead": 0,
        }
    )
    with pytest.raises(InputError, match=r"classes is \('ground',\): give one name for each of the 4 classes"):
        score_table(counts, ("ground",))


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


@pytest.mark.parametrize("score", [iou, dice, pixel_accuracy])
def test_an_image_that_is_wholly_ignored_does_not_flatter_the_others(score):
    target = torch.tensor([[0, 1, 1, 1], [255] * 4], dtype=torch.uint8).view(2, 1, 2, 2)
    counts = confusion_counts(torch.tensor([[0, 0, 0, 1], [0] * 4]).view(2, 1, 2, 2), target, num_classes=2)
    assert score(counts, average="image") == score(counts[:1], average="image") < 1


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


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.uint64, torch.int16, torch.int64, torch.bool])
def test_labels_of_any_integer_type_are_counted_alike(dtype):
    prediction, target = torch.tensor([[0, 1, 1, 0], [1, 1, 0, 0]], dtype=torch.uint8).view(2, 2, 1, 1, 2).unbind(0)
    expected = confusion_counts(prediction, target)
    assert torch.equal(confusion_counts(prediction.to(dtype), target.to(dtype)), expected)


def test_uint16_labels_are_checked_and_255_is_ignored_among_them():
    target = torch.tensor([0, 2, 255, 1], dtype=torch.uint16).view(1, 1, 2, 2)
    prediction = torch.tensor([0, 2, 1, 1], dtype=torch.uint16).view(1, 1, 2, 2)
    assert confusion_counts(prediction, target, 3).tolist() == [[[1, 0, 0], [0, 1, 0], [0, 0, 1]]]
    with pytest.raises(InputError, match="target holds class 300: 3 classes are 0 … 2"):
        confusion_counts(prediction, torch.full((1, 1, 2, 2), 300, dtype=torch.uint16), 3)


@pytest.mark.parametrize(
    "score",
    [
        lambda p, t: iou(p, t),
        lambda p, t: iou(p),
        lambda p, t: dice(p, t),
        lambda p, t: pixel_accuracy(p, t),
        lambda p, t: score_table(p),
        lambda p, t: iou_by_class(p),
        lambda p, t: iou(p[:, 0], t[:, 0]),
        lambda p, t: iou(p[:, 0]),
        lambda p, t: pixel_accuracy(p[:, 0].long(), t),
        lambda p, t: iou(confusion_counts(p, t), t),
        lambda p, t: iou(p[:, 0].long(), t),
        lambda p, t: iou(p.numpy(), t.numpy()),
        lambda p, t: iou([p], t),
        lambda p, t: iou(p.float(), t),
    ],
)
def test_masks_in_the_place_of_counts_are_refused_with_the_call_that_is_meant(score):
    with pytest.raises(InputError, match=r"as in iou\(confusion_counts\(prediction, target\)\)"):
        score(MASK, MASK)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: classify(torch.zeros(1, 1, 2, 2).numpy()),
            r"probabilities is of type ndarray; give a tensor, such as",
        ),
        (lambda: classify([torch.zeros(1, 1, 2, 2)] * 4), r"probabilities is a list of 4.*heads\[-1\]"),
        (lambda: confusion_counts([MASK] * 4, MASK), r"prediction is a list of 4.*heads\[-1\]"),
        (lambda: confusion_counts(MASK, MASK.numpy()), r"target is of type ndarray; .*from_numpy\(target\)"),
    ],
)
def test_what_is_no_tensor_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()


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
