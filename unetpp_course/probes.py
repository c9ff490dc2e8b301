"""Linear probes: how well each node's features alone predict the mask, fitted on some images and scored on others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.errors import InputError
from unetpp_lib.labels import require_tensor
from unetpp_lib.metrics import confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork
from unetpp_lib.models.graph import Node, node_modules, recorded_outputs
from unetpp_lib.models.mode import evaluation_mode

STEP = 5  # a probe is fitted on every fifth pixel of every fifth row: odd, so that it meets all phases of the halvings
RIDGE = 1e-6  # relative to the mean square of the features, so that dead channels do no harm
THRESHOLDS = torch.linspace(0.3, 0.95, 66)


@dataclass(frozen=True)
class NodeProbes:
    """One linear probe per node: it predicts 1 where a weighted sum of the channels, plus a bias, passes a threshold.

    ``weights`` hold one number per channel of a node, then the bias. ``scores`` are the IoU of the membrane, pooled
    over the scored ``images``, and ``masks`` the predictions for them, ``(N, 1, H, W)``. With ``model`` and ``card``
    the probes can predict other images too.
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

    ``model`` may be on any device, runs in evaluation mode and is left as it is; the maps are on the CPU.
    """
    with torch.inference_mode(), evaluation_mode(model), recorded_outputs(node_modules(model)) as outputs:
        model(images.to(next(model.parameters()).device))
    return {node: maps[-1].cpu() for node, maps in outputs.items()}


def probe_mask(maps: Tensor, weights: Tensor, threshold: float, size: Sequence[int]) -> Tensor:
    """Return the mask ``(N, 1, H, W)``, uint8, that a probe predicts from a node's maps."""
    values = torch.einsum("nchw,c->nhw", maps, weights[:-1])[:, None] + weights[-1]
    return (enlarge(values, size) > threshold).to(torch.uint8)


def enlarge(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Return maps at the size of the image, with linear interpolation between their pixels."""
    return interpolate(maps, tuple(size), mode="bilinear", align_corners=False)


def fit_probe(features: Tensor, truth: Tensor) -> Tensor:
    """Return the least-squares weights (C + 1,) that predict ``truth`` (P,) from ``features`` (P, C); the bias is last.

    A very small ridge penalty keeps the solution unique.
    """
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


def fit_node_probes(
    model: SegmentationNetwork, card: Card, fitted: tuple[Tensor, Tensor], scored: tuple[Tensor, Tensor]
) -> NodeProbes:
    """Fit a linear probe on every node with some images and masks, and score it on others.

    Shape: images ``(N, C, H, W)`` in [0, 1], masks ``(N, 1, H, W)`` of 0 and 1, with sides that need no padding.
    Weights and thresholds come from the fitted images alone. Raises InputError for other shapes, and for a module that
    `read_graph` cannot read.
    """
    for pair in (fitted, scored):
        require_fit(model, card, *pair)
    weights, thresholds = _fit(model, card, *fitted)
    images, truths = scored
    predictions: dict[Node, list[Tensor]] = {}
    for image in images:
        for node, maps in node_maps(model, card.normalise(image)[None]).items():
            mask = probe_mask(maps, weights[node], thresholds[node], images.shape[2:])
            predictions.setdefault(node, []).append(mask)
    masks = {node: torch.cat(parts) for node, parts in predictions.items()}
    scores = {
        node: iou(confusion_counts(mask, truths), of="background", average="pooled") for node, mask in masks.items()
    }
    return NodeProbes(model, card, weights, thresholds, scores, masks, images)


def _fit(
    model: SegmentationNetwork, card: Card, images: Tensor, masks: Tensor
) -> tuple[dict[Node, Tensor], dict[Node, float]]:
    """Return the weights and the threshold of each node's probe."""
    pick = np.s_[..., ::STEP, ::STEP]
    samples: dict[Node, list[Tensor]] = {}
    for image in images:
        for node, maps in node_maps(model, card.normalise(image)[None]).items():
            samples.setdefault(node, []).append(enlarge(maps, images.shape[2:])[pick].flatten(2)[0].T)  # (P, C)
    truth = masks[pick].flatten()
    features = {node: torch.cat(parts) for node, parts in samples.items()}
    weights = {node: fit_probe(known, truth) for node, known in features.items()}
    thresholds = {node: choose_threshold(features[node] @ w[:-1] + w[-1], truth) for node, w in weights.items()}
    return weights, thresholds


def require_fit(model: SegmentationNetwork, card: Card, images: Tensor, masks: Tensor) -> None:
    """Raise InputError for images and masks on which this network's nodes cannot be probed."""
    require_tensor("images", images)
    require_tensor("masks", masks)
    step, channels = 2 ** max(i for i, _ in node_modules(model)), len(card.mean)
    if images.ndim != 4 or images.shape[1] != channels or any(side % step for side in images.shape[2:]):
        raise InputError(
            f"images are {tuple(images.shape)}: this network needs (N, {channels}, H, W), H and W multiples of {step}."
        )
    if masks.shape != (len(images), 1, *images.shape[2:]):
        raise InputError(f"images are {tuple(images.shape)}, masks {tuple(masks.shape)}: give a mask for each image.")
