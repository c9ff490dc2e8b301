"""Confusion counts, and the scores that follow from them: IoU, Dice, pixel accuracy.

Count each batch with `confusion_counts`, join the batches with `torch.cat`, then score: a score cannot depend on the
size or the order of the batches. Two rules for empty masks, in all scores. A class that is absent from the truth and
from the prediction is left out of a mean over classes: 20 classes that are not there do not hide that the only one
that is there was missed. Where none of the classes that are asked for is in either, the score is 1 (nothing to find,
nothing found): in a binary image without foreground, for example. An image whose pixels are all ignored is left out
of a mean over images, unless all are: then the score is 1.

Every score answers two questions that a number alone leaves open:

- `of`: "foreground" (the mean over classes 1 … K-1, so class 1 if binary), "background" (class 0) or "classes" (the
  mean over all); `iou_by_class` and `dice_by_class` give each class its own score;
- `average`: "image" (the score of each image, then their mean) or "pooled" (all pixels counted together first).
"""

import math
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from unetpp_lib.errors import InputError
from unetpp_lib.labels import IGNORED, as_labels, require_tensor

Of = Literal["foreground", "background", "classes"]
Average = Literal["image", "pooled"]


def classify(probabilities: Tensor, threshold: float = 0.5) -> Tensor:
    """Turn probabilities (N, C, H, W) into class indices, uint8 (N, 1, H, W).

    C = 1: class 1 where the probability is above `threshold`. C >= 2: the most probable class; `threshold` is not used.
    Raises `InputError` for another shape, values outside [0, 1] (logits, for example) and thresholds outside (0, 1).
    """
    require_tensor("probabilities", probabilities)
    if probabilities.ndim != 4 or not 1 <= probabilities.shape[1] <= IGNORED:
        raise InputError(
            f"probabilities are {tuple(probabilities.shape)}: give (N, C, H, W) with 1 to {IGNORED} classes."
        )
    if not 0 < threshold < 1:
        raise InputError(f"threshold is {threshold}: give a probability between 0 and 1, both excluded.")
    # Blending tiles may leave [0, 1] by rounding; logits leave it by far.
    if not ((probabilities > -1e-3) & (probabilities < 1.001)).all():
        raise InputError("probabilities leave [0, 1]: apply the sigmoid or softmax to the logits first.")
    if probabilities.shape[1] == 1:
        return (probabilities > threshold).to(torch.uint8)
    return probabilities.argmax(dim=1, keepdim=True).to(torch.uint8)


def confusion_counts(prediction: Tensor, target: Tensor, num_classes: int = 1) -> Tensor:
    """Count pixels by true and predicted class: int64 (N, K, K), K = max(2, num_classes), on the tensors' device.

    Rows are the truth, columns the prediction: ``counts[n, t, p]`` pixels of image n are of class t and called p.
    `prediction` and `target`: class indices (N, 1, H, W), bool or integer. With two or more classes, pixels whose
    target is 255 are ignored. A binary target must hold 0 and 1 alone: in a mask of 0 and 255 the 255 is foreground,
    and ignoring it would give an all-black prediction a perfect score.

    Raises `InputError` for other shapes, types and class indices.
    """
    prediction, target = as_labels("prediction", prediction), as_labels("target", target)
    if prediction.ndim != 4 or prediction.shape[1] != 1 or prediction.shape != target.shape:
        raise InputError(
            f"prediction is {tuple(prediction.shape)} and target {tuple(target.shape)}: give both as (N, 1, H, W)."
        )
    if not 1 <= num_classes <= IGNORED:
        raise InputError(f"num_classes is {num_classes}: give 1 for a binary problem, up to {IGNORED} for classes.")
    K, N = max(2, num_classes), len(target)
    kept = torch.ones_like(target, dtype=torch.bool) if num_classes == 1 else target != IGNORED
    _check_labels("prediction", prediction, K, "turn probabilities into classes with classify()")
    _check_labels("target", target[kept], K, "divide a binary mask of 0 and 255 by 255")
    image = torch.arange(N, device=target.device).view(N, 1, 1, 1)
    cell = (image * K + target.long()) * K + prediction.long()
    return torch.bincount(cell[kept], minlength=N * K * K).view(N, K, K)


def iou(counts: Tensor, of: Of = "foreground", average: Average = "image") -> float:
    """Return intersection over union, |truth ∩ prediction| / |truth ∪ prediction|, in [0, 1].

    `counts`: (N, K, K) of `confusion_counts`; `of`, `average`, empty masks: see the docstring of this module.

    >>> truth, prediction = torch.tensor([[[[1, 1, 0, 0]]]]), torch.tensor([[[[1, 0, 0, 0]]]])
    >>> iou(confusion_counts(prediction, truth))
    0.5
    """
    return _class_score(counts, of, average, _iou)


def dice(counts: Tensor, of: Of = "foreground", average: Average = "image") -> float:
    """Return Dice, 2·|truth ∩ prediction| / (|truth| + |prediction|), in [0, 1]; arguments as in `iou`.

    For one class and pooled counts D = 2J / (1 + J) with J the IoU; for means over images or classes it is not.
    """
    return _class_score(counts, of, average, _dice)


def iou_by_class(counts: Tensor) -> Tensor:
    """Return the IoU of each class, float64 (K,), all pixels pooled; NaN for a class in neither truth nor prediction.

    >>> truth, prediction = torch.tensor([[[[0, 0, 2, 2]]]]), torch.tensor([[[[0, 0, 0, 2]]]])
    >>> [round(value, 3) for value in iou_by_class(confusion_counts(prediction, truth, num_classes=3)).tolist()]
    [0.667, nan, 0.5]
    """
    return _iou(*_margins(counts, "pooled"))[0]


def dice_by_class(counts: Tensor) -> Tensor:
    """Return the Dice of each class, as `iou_by_class` does."""
    return _dice(*_margins(counts, "pooled"))[0]


def pixel_accuracy(counts: Tensor, average: Average = "image") -> float:
    """Return the share of pixels whose class is right, in [0, 1]; `counts` (N, K, K) and `average` as in `iou`."""
    counts = _averaged(counts, average)
    hit, whole = counts.diagonal(dim1=1, dim2=2).sum(dim=1), counts.sum(dim=(1, 2))
    return torch.where(whole > 0, hit / whole, 1.0).mean().item()


def score_table(counts: Tensor, classes: Sequence[str] = ()) -> dict[str, float]:
    """Return every score of (N, K, K) counts, by name.

    The names are "SCORE/OF/AVERAGE", such as "iou/foreground/image" and "dice/classes/pooled", in all twelve
    combinations, then "pixel_accuracy/image" and "pixel_accuracy/pooled". With ``classes``, the K names of the classes,
    also "iou_by_class/NAME" and "dice_by_class/NAME", pooled, of every class that is in the truth or the prediction.
    """
    table = {
        f"{score.__name__}/{of}/{average}": score(counts, of, average)
        for score in (iou, dice)
        for of in get_args(Of)
        for average in get_args(Average)
    }
    table |= {f"pixel_accuracy/{average}": pixel_accuracy(counts, average) for average in get_args(Average)}
    if not classes:
        return table
    if len(classes) != counts.shape[1]:
        raise InputError(f"classes is {tuple(classes)}: give one name for each of the {counts.shape[1]} classes.")
    return table | {
        f"{score.__name__}/{name}": value
        for score in (iou_by_class, dice_by_class)
        for name, value in zip(classes, score(counts).tolist(), strict=True)
        if not math.isnan(value)
    }


def _check_labels(name: str, labels: Tensor, K: int, remedy: str) -> None:
    if labels.is_floating_point() or labels.is_complex():
        raise InputError(f"{name} is of {labels.dtype}: class indices are integers; {remedy}.")
    wrong = labels[(labels < 0) | (labels >= K)]
    if wrong.numel():
        raise InputError(f"{name} holds class {wrong[0].item()}: {K} classes are 0 … {K - 1}; {remedy}.")


def _class_score(counts: Tensor, of: Of, average: Average, score: Callable[[Tensor, Tensor, Tensor], Tensor]) -> float:
    by_class = score(*_margins(counts, average))
    _check_choice("of", of, get_args(Of))
    classes = {"foreground": slice(1, None), "background": slice(0, 1), "classes": slice(None)}[of]
    return by_class[:, classes].nanmean(dim=1).nan_to_num(1.0).mean().item()


def _margins(counts: Tensor, average: Average) -> tuple[Tensor, Tensor, Tensor]:
    """Return each class's pixels that are right, true and found, float64 (N, K) each, with N = 1 if pooled."""
    counts = _averaged(counts, average)
    return counts.diagonal(dim1=1, dim2=2), counts.sum(dim=2), counts.sum(dim=1)


def _iou(hit: Tensor, true: Tensor, found: Tensor) -> Tensor:
    return hit / (true + found - hit)  # 0 / 0 is NaN: the class is in neither


def _dice(hit: Tensor, true: Tensor, found: Tensor) -> Tensor:
    return 2 * hit / (true + found)


def _averaged(counts: Tensor, average: Average) -> Tensor:
    """Return float64 counts on the CPU, one (K, K) an image, or a single one for all."""
    if not isinstance(counts, Tensor) or counts.dtype not in (torch.int32, torch.int64):
        kind = counts.dtype if isinstance(counts, Tensor) else type(counts).__name__
        raise InputError(f"counts are of {kind}: {_COUNT_FIRST}.")
    if counts.ndim != 3 or counts.shape[0] == 0 or counts.shape[1] != counts.shape[2] or counts.shape[1] < 2:
        raise InputError(f"counts are {tuple(counts.shape)}: {_COUNT_FIRST}.")
    _check_choice("average", average, get_args(Average))
    counts = counts.cpu().double()
    if average == "pooled":
        return counts.sum(dim=0, keepdim=True)
    labelled = counts.sum(dim=(1, 2)) > 0
    return counts[labelled] if labelled.any() else counts


def _check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    if not isinstance(value, str):
        raise InputError(f"{name} is of type {type(value).__name__}: {_COUNT_FIRST}.")
    if value not in choices:
        raise InputError(f"{name} is {value!r}: choose one of {', '.join(choices)}.")


_COUNT_FIRST = (
    "give the (N, K, K) of confusion_counts(), N and K - 1 > 0, as in iou(confusion_counts(prediction, target))"
)
