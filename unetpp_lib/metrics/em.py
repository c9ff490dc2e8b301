"""Rand and information scores of a segmentation into cells (ISBI 2012 challenge; Arganda-Carreras et al. 2015).

IoU counts pixels; these scores ask which pixels belong together, so that one missing membrane pixel, which merges two
cells, costs much. Let p_ij be the share of pixels in predicted segment i and true segment j, s_i and t_j its margins:

    V_rand = Σ p_ij² / (½ Σ s_i² + ½ Σ t_j²)        V_info = I(S; T) / (½ H(S) + ½ H(T))

Both lie in [0, 1]; 1 means the same segments, whatever their labels. Pixels whose truth is membrane are ignored.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unetpp_lib.errors import InputError

Array = NDArray[Any]


class EMScores(NamedTuple):
    """V_rand and V_info of a slice, or their means over the slices of a stack."""

    v_rand: float
    v_info: float


def segments(interior_probability: Array, threshold: float = 0.5, fill: bool = True) -> NDArray[np.int32]:
    """Label the cells of a slice (H, W): the 4-connected components where the probability is above `threshold`.

    `fill`: give the pixels between to the cells by a watershed without a line, flooding from the most interior-like; if
    there is no cell at all, the slice is one segment. Without `fill` these pixels keep label 0. Raises `InputError` for
    another shape and values outside [0, 1], for a threshold outside (0, 1), and without scipy and scikit-image.

    >>> segments(np.array([[0.9, 0.1, 0.2, 0.9]]))
    array([[1, 1, 2, 2]], dtype=int32)
    """
    try:
        from scipy import ndimage
        from skimage.segmentation import watershed
    except ModuleNotFoundError as error:
        raise InputError(f'{error.name} is missing, and segments needs it: pip install "unetpp[metrics]".') from error
    if interior_probability.ndim != 2 or interior_probability.size == 0:
        raise InputError(f"interior_probability is {interior_probability.shape}: give one slice (H, W).")
    if not 0 < threshold < 1:
        raise InputError(f"threshold is {threshold}: give a probability between 0 and 1, both excluded.")
    # Blending tiles may leave [0, 1] by rounding; logits leave it by far.
    if not np.all((interior_probability > -1e-3) & (interior_probability < 1.001)):
        raise InputError("interior_probability leaves [0, 1]: apply the sigmoid to the logits first.")
    labels: NDArray[np.int32]
    labels, count = ndimage.label(interior_probability > threshold)
    if not fill:
        return labels
    if count == 0:
        return np.ones_like(labels)
    filled: NDArray[np.int32] = watershed(1 - interior_probability.astype(np.float64), markers=labels)  # type: ignore[no-untyped-call]
    return filled


def v_rand(predicted_segments: Array, true_segments: Array) -> float:
    """Return the Rand score of two label arrays of one shape, self-pairs included; 1 if the truth holds no segment.

    Labels are integers from 0 up. Pixels with 0 in `true_segments` are ignored; 0 in `predicted_segments` is a segment
    like others. Raises `InputError` if the shapes differ or the labels are of another kind.

    >>> v_rand(np.array([1, 1, 1, 1]), np.array([1, 1, 2, 2]))  # two equal cells merged: ½ / (½·1 + ½·½)
    0.6666666666666666
    """
    joint, s, t = _distributions(predicted_segments, true_segments)
    if joint.size == 0:
        return 1.0
    return float((joint @ joint) / (0.5 * (s @ s) + 0.5 * (t @ t)))


def v_info(predicted_segments: Array, true_segments: Array) -> float:
    """Return the information score of two label arrays; arguments, errors and the empty truth as in `v_rand`.

    Where both are a single segment the formula is 0 / 0: they agree, so the score is 1.
    """
    joint, s, t = (_entropy(p) for p in _distributions(predicted_segments, true_segments))
    return (s + t - joint) / (0.5 * s + 0.5 * t) if s + t > 0 else 1.0  # I(S; T) = H(S) + H(T) - H(S, T)


def em_scores(interior_probability: Tensor | Array, target: Tensor | Array, threshold: float = 0.5) -> EMScores:
    """Score the probability of cell interior against the truth (1 interior, 0 membrane), with filled `segments`.

    Both (H, W) for one slice or (N, 1, H, W) for several: each slice is scored on its own, then the mean is taken.
    Raises `InputError` if shapes differ or values are wrong. Choose `threshold` on validation data.
    """
    predictions, truths = _slices("interior_probability", interior_probability), _slices("target", target)
    if predictions.shape != truths.shape:
        raise InputError(f"interior_probability holds {predictions.shape} and target {truths.shape}: give one shape.")
    if not np.isin(truths, (0, 1)).all():
        raise InputError("target must hold 0 and 1 alone: divide a mask of 0 and 255 by 255.")
    pairs = [(segments(p, threshold), segments(t, fill=False)) for p, t in zip(predictions, truths, strict=True)]
    return EMScores(
        v_rand=float(np.mean([v_rand(found, true) for found, true in pairs])),
        v_info=float(np.mean([v_info(found, true) for found, true in pairs])),
    )


def _distributions(predicted: Array, truth: Array) -> tuple[Array, Array, Array]:
    """Return p_ij (non-zero entries alone), s_i and t_j over the pixels whose truth is not 0."""
    if predicted.shape != truth.shape:
        raise InputError(f"predicted_segments is {predicted.shape} and true_segments {truth.shape}: give one shape.")
    for labels in (predicted, truth):
        if labels.dtype.kind not in "biu" or labels.min(initial=0) < 0:
            raise InputError(f"labels are of {labels.dtype}: give integers from 0 up, such as those of segments().")
    kept = truth != 0
    i, j = predicted[kept].astype(np.int64), truth[kept].astype(np.int64)
    pair = i * (int(truth.max(initial=0)) + 1) + j
    joint, s, t = (np.unique(labels, return_counts=True)[1] / max(1, len(pair)) for labels in (pair, i, j))
    return joint, s, t


def _entropy(p: Array) -> float:
    return float(-(p * np.log(p)).sum())


def _slices(name: str, values: Tensor | Array) -> Array:
    """Return (H, W) or (N, 1, H, W) values as an array (N, H, W)."""
    if not (values.ndim == 2 or (values.ndim == 4 and values.shape[1] == 1)) or 0 in values.shape:
        raise InputError(f"{name} is {tuple(values.shape)}: give (H, W) or (N, 1, H, W).")
    array = values.detach().float().cpu().numpy() if isinstance(values, torch.Tensor) else values
    return array.reshape(-1, *array.shape[-2:])
