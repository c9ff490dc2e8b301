"""What the explorer is sent before it has computed anything: images, masks, and what every depth predicts for them."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unetpp_lib.engine.network_file import pack
from unetpp_lib.models import UNetPlusPlus
from unetpp_lib.models.graph import grid_nodes, node_inputs

PERCENT = range(1, 100)  # thresholds


def levels_of(probabilities: Tensor) -> Tensor:
    """Return for each pixel how many of the thresholds 0.01 … 0.99 its probability is above, as uint8.

    A pixel is thus called class 1 at a threshold of t per cent if its level is at least t: exactly what `classify`
    says of the probability itself, with one byte per pixel.
    """
    thresholds = torch.tensor([percent / 100 for percent in PERCENT], dtype=probabilities.dtype)
    return torch.bucketize(probabilities.contiguous(), thresholds).to(torch.uint8)


def image_pack(name: str, image: Tensor, mask: Tensor, predictions: Tensor) -> bytes:
    """Return a packed image (C, H, W), with its mask (1, H, W) and the probabilities (modes, depths, H, W).

    The payload is the image as grey bytes, the mask, then the levels of each depth, first alone and then as means.
    """
    grey = (255 * image.mean(0).clamp(0, 1)).round().to(torch.uint8)
    planes = [grey, mask[0].to(torch.uint8), *levels_of(predictions).flatten(0, 1)]
    height, width = grey.shape
    about = {"name": name, "height": height, "width": width, "depths": predictions.shape[1]}
    return pack(about, b"".join(plane.contiguous().numpy().tobytes() for plane in planes))


def about_explorer(
    model: UNetPlusPlus,
    costs: Mapping[int, tuple[int, int, float | None]],
    size: Sequence[int],
    names: Sequence[str],
    classes: tuple[str, str],
    of: str,
) -> dict[str, Any]:
    """Return what the explorer must know of a network besides its images.

    ``costs`` are the parameters, multiply-accumulates and seconds of each depth for an image of ``size``, (H, W);
    without seconds, the page measures them.
    """
    nodes = sorted(grid_nodes(model.depth))
    return {
        "depth": model.depth,
        "nodes": [{"node": node, "inputs": node_inputs(node, model.dense)} for node in nodes],
        "costs": [
            {"parameters": parameters, "macs": macs, "seconds": seconds}
            for parameters, macs, seconds in (costs[depth] for depth in sorted(costs))
        ],
        "size": list(size),
        "names": list(names),
        "classes": list(classes),
        "of": of,
    }
