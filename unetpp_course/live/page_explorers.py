"""The explorers that run on a page without Python, each with what it must know and the files that it fetches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor

from unetpp_course.live.sent_ahead import about_explorer, image_pack
from unetpp_course.live.wiring_facts import KEYS, about_wiring
from unetpp_course.shipped import shipped_model
from unetpp_lib.data import SegmentationFolder, find_dataset, read_split
from unetpp_lib.engine.network_file import network_bytes, stored_network
from unetpp_lib.models import UNetPlusPlus, prune
from unetpp_lib.models.profiling import profile

NETWORK = "unetpp_membranes"
CLASSES = ("membrane", "interior")


@dataclass(frozen=True)
class PageExplorer:
    """An explorer on a page: ``about`` and ``start`` are its model's first values, ``packs`` and ``network`` files."""

    script: str
    """The file of this folder that shows it."""
    about: dict[str, Any]
    start: dict[str, Any]
    packs: dict[str, bytes] = field(default_factory=dict)
    network: dict[str, bytes] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        """The files that it fetches, by name."""
        return self.packs | self.network


@cache
def predictions() -> list[tuple[str, Tensor, Tensor, Tensor]]:
    """Return name, image, mask and the probabilities (depths, H, W) of the network, for each image of validation."""
    model, card = shipped_model(NETWORK)
    stored = stored_network(model)  # its predictions are those that a page computes
    root = find_dataset("membranes")
    folder, found = SegmentationFolder(root), []
    for name in read_split(root / "split.json").validation:
        image, mask = folder[folder.index_of[name]]
        with torch.inference_mode():
            heads = torch.cat([head[0].sigmoid() for head in stored(card.normalise(image)[None])])
        found.append((name, image, mask, heads))
    return found


@cache
def depth_explorer() -> PageExplorer:
    """Return the pruning explorer."""
    model, card = shipped_model(NETWORK)
    assert isinstance(model, UNetPlusPlus)
    packs = {}
    for number, (name, image, mask, heads) in enumerate(predictions()):
        means = torch.stack([heads[:depth].mean(0) for depth in model.head_depths])
        packs[f"image_{number}.bin"] = image_pack(name, image, mask, torch.stack([heads, means]))
    names, images, _, _ = zip(*predictions(), strict=True)
    costs = {}
    for depth in model.head_depths:
        cost = profile(prune(model, depth), images[0].shape[1:], repeats=1)
        costs[depth] = (cost.parameters, cost.macs, None)
    about = about_explorer(model, costs, images[0].shape[1:], names, CLASSES, "background")
    start = {"depth": model.depth, "image": 0, "threshold": round(100 * card.threshold), "mode": "fast"}
    return PageExplorer("depth_page.js", about, start, packs, {"network.bin": network_bytes(model, card)})


@cache
def threshold_explorer() -> PageExplorer:
    """Return the threshold explorer, with what the network's deepest head predicts."""
    packs = {
        f"map_{number}.bin": image_pack(name, image, mask, heads[-1:][None])
        for number, (name, image, mask, heads) in enumerate(predictions())
    }
    start = {"threshold": 50, "image": 0, "score": "IoU", "of": "background", "average": "image"}
    about = {"names": [name for name, *_ in predictions()], "classes": CLASSES}
    return PageExplorer("threshold_page.js", about, start, packs)


@cache
def wiring_explorer() -> PageExplorer:
    """Return the wiring explorer."""
    return PageExplorer("wiring_page.js", about_wiring(), {"network": KEYS["U-Net"], "node": "X0,4", "switched": []})


EXPLORERS: dict[str, Callable[[], PageExplorer]] = {
    "depth": depth_explorer,
    "threshold": threshold_explorer,
    "wiring": wiring_explorer,
}
