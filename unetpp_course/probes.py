"""What the nodes of a network know: a linear read-out of each, fitted on some images and scored on others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from unetpp_course.graph import Node, node_modules, noted_maps
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.errors import InputError
from unetpp_lib.labels import require_tensor
from unetpp_lib.metrics import confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork
from unetpp_lib.models.mode import evaluation_mode

STEP = 5  # every fifth pixel of every fifth row is fitted on: odd, so that all phases of the halvings are among them
RIDGE = 1e-6  # of a pixel's squared features, so that dead channels do no harm
THRESHOLDS = torch.linspace(0.3, 0.95, 66)


@dataclass(frozen=True)
class Readout:
    """What a network's nodes answer: 1 where a weighted sum of the node's channels, plus a bias, is above a threshold.

    ``scores`` are IoU of the membrane, pooled over the scored images; ``masks`` are ``(N, 1, H, W)``, of ``images``.
    ``weights`` hold a number for each channel of a node, the bias last; with ``model`` and ``card`` they answer for
    other images too.
    """

    model: SegmentationNetwork
    card: Card
    weights: dict[Node, Tensor]
    thresholds: dict[Node, float]
    scores: dict[Node, float]
    masks: dict[Node, Tensor]
    images: Tensor


def node_maps(model: SegmentationNetwork, images: Tensor) -> dict[Node, Tensor]:
    """Return the maps ``(N, C, H/2^i, W/2^i)`` of all nodes for normalised images whose sides need no padding.

    ``model`` may be on any device, answers in evaluation mode, and is left as it is; the maps are on the CPU.
    """
    with torch.inference_mode(), evaluation_mode(model), noted_maps(model) as found:
        model(images.to(next(model.parameters()).device))
    return {node: found[node].cpu() for node in node_modules(model)}


def answer_of(maps: Tensor, weights: Tensor, threshold: float, size: Sequence[int]) -> Tensor:
    """Return the mask ``(N, 1, H, W)``, uint8, that a node's maps say under its weights."""
    values = torch.einsum("nchw,c->nhw", maps, weights[:-1])[:, None] + weights[-1]
    return (enlarge(values, size) > threshold).to(torch.uint8)


def enlarge(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Return maps at the size of the image: between two of its pixels, a map runs straight."""
    return interpolate(maps, tuple(size), mode="bilinear", align_corners=False)


def fit_readout(features: Tensor, truth: Tensor) -> Tensor:
    """Return the weights (C + 1,), the bias last, of the least squares that foretell ``truth`` (P,) from (P, C)."""
    known = torch.cat([features, torch.ones_like(features[:, :1])], dim=1).double()
    gram = known.T @ known
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    weights: Tensor = torch.linalg.solve(gram, known.T @ truth.double())
    return weights.float()


def choose_threshold(values: Tensor, truth: Tensor) -> float:
    """Return the threshold at which the membrane, class 0, has its highest IoU."""
    membrane, called = truth == 0, values <= THRESHOLDS[:, None]  # (66, P)
    hits = (called & membrane).sum(dim=1)
    return THRESHOLDS[(hits / (called | membrane).sum(dim=1)).argmax()].item()


def read_nodes(
    model: SegmentationNetwork, card: Card, fitted: tuple[Tensor, Tensor], scored: tuple[Tensor, Tensor]
) -> Readout:
    """Fit a read-out of every node on images and masks, and score it on others.

    Shape: images ``(N, C, H, W)`` in [0, 1], masks ``(N, 1, H, W)`` of 0 and 1, sides that need no padding.
    Weights and threshold come from the fitted images alone. Raises InputError for other shapes, and for a module that
    is no such network (see `wiring`).
    """
    for pair in (fitted, scored):
        require_fit(model, card, *pair)
    (images, masks), (others, truths) = fitted, scored
    size, pick = images.shape[2:], np.s_[..., ::STEP, ::STEP]
    samples: dict[Node, list[Tensor]] = {}
    for image in images:
        for node, maps in node_maps(model, card.normalise(image)[None]).items():
            samples.setdefault(node, []).append(enlarge(maps, size)[pick].flatten(2)[0].T)  # (P, C)
    truth = masks[pick].flatten()
    features = {node: torch.cat(parts) for node, parts in samples.items()}
    weights = {node: fit_readout(known, truth) for node, known in features.items()}
    thresholds = {node: choose_threshold(features[node] @ w[:-1] + w[-1], truth) for node, w in weights.items()}
    answers: dict[Node, list[Tensor]] = {}
    for image in others:
        for node, maps in node_maps(model, card.normalise(image)[None]).items():
            answers.setdefault(node, []).append(answer_of(maps, weights[node], thresholds[node], others.shape[2:]))
    found = {node: torch.cat(parts) for node, parts in answers.items()}
    scores = {
        node: iou(confusion_counts(mask, truths), of="background", average="pooled") for node, mask in found.items()
    }
    return Readout(model, card, weights, thresholds, scores, found, others)


def require_fit(model: SegmentationNetwork, card: Card, images: Tensor, masks: Tensor) -> None:
    """Raise InputError for images and masks that a network's nodes cannot be read out with."""
    require_tensor("images", images)
    require_tensor("masks", masks)
    step, channels = 2 ** max(i for i, _ in node_modules(model)), len(card.mean)
    if images.ndim != 4 or images.shape[1] != channels or any(side % step for side in images.shape[2:]):
        raise InputError(
            f"images are {tuple(images.shape)}: this network needs (N, {channels}, H, W), H and W multiples of {step}."
        )
    if masks.shape != (len(images), 1, *images.shape[2:]):
        raise InputError(f"images are {tuple(images.shape)}, masks {tuple(masks.shape)}: give a mask for each image.")
