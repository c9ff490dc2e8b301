"""The cost of a network in parameters, multiply-accumulates, memory and time; and the choice of a depth."""

import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import nan
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import SegmentationNetwork, require_network, require_whole_number
from unetpp_lib.models.pruning import prune


@dataclass(frozen=True)
class Profile:
    """The cost of one forward pass of one network."""

    parameters: int
    """The number of trained parameters."""
    macs: int
    """Multiply-accumulates of all convolutions (two floating-point operations each)."""
    peak_memory: int
    """Largest number of bytes of weights, input and feature maps at once, without the workspace of convolutions."""
    latency: float
    """Seconds, the median of several passes after a warm-up."""


class PeakMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts within its block the bytes of all live tensors; ``peak`` is the largest number."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive = self.peak = 0
        self._seen: set[int] = set()
        self._count(tensors)

    def _count(self, tree: Any) -> None:
        for storage in [leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]:
            if (key := storage._cdata) not in self._seen:
                self._seen.add(key)
                self.alive += storage.nbytes()
                self.peak = max(self.peak, self.alive)
                weakref.finalize(storage, self._release, key, storage.nbytes())

    def _release(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.alive -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self._count(result)
        return result


def _latency(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the median seconds of ``repeats`` calls after a first one that warms up."""
    return median([_seconds(work, device) for _ in range(repeats + 1)][1:])


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter() - start


@torch.inference_mode()
def profile(
    model: SegmentationNetwork, size: int | tuple[int, int] = 512, device: str | torch.device = "cpu", repeats: int = 5
) -> Profile:
    """Measure a forward pass on one image of ``size`` pixels: one number for a square, or height and width.

    A copy of the network is measured in evaluation mode on ``device``; ``model`` is left as it is. The latency is the
    median of ``repeats`` passes, in seconds; on the device "meta", where nothing is computed, it is nan.
    Raises InputError for sizes and repeats below 1.
    """
    require_network(model)
    sides = size if isinstance(size, Iterable) else (size, size)
    height, width = (require_whole_number("size", side) for side in sides)
    if min(height, width, require_whole_number("repeats", repeats)) < 1:
        raise InputError(f"size={size} and repeats={repeats} must be at least 1.")
    device = torch.device(device)
    model = deepcopy(model).to(device).eval()
    image = torch.zeros(1, model.in_channels, height, width, device=device, dtype=next(model.parameters()).dtype)
    with FlopCounterMode(display=False) as flops, PeakMemory([image, *model.parameters(), *model.buffers()]) as memory:
        model(image)
    latency = nan if device.type == "meta" else _latency(lambda: model(image), device, repeats)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Profile(parameters, flops.get_total_flops() // 2, memory.peak, latency)


def profile_depths(
    model: SegmentationNetwork, size: int | tuple[int, int] = 512, device: str | torch.device = "cpu", repeats: int = 5
) -> dict[int, Profile]:
    """Return the profile of ``model`` pruned to each depth, by depth; ``size`` in pixels, errors as in `prune`."""
    return {depth: profile(prune(model, depth), size, device, repeats) for depth in range(1, model.depth + 1)}


def choose_depth(
    profiles: Mapping[int, Profile],
    scores: Mapping[int, float],
    max_iou_drop: float = 0.0,
    max_latency: float | None = None,
) -> int:
    """Return the depth of the smallest network within the budget.

    ``profiles`` and ``scores`` (IoU) are by depth. Only networks that take at most ``max_latency`` seconds are
    considered. Among those whose IoU is at most ``max_iou_drop`` (0.01 is one point) below the best, the one with the
    fewest parameters is chosen. Raises InputError if the depths of the two differ, or if no network is fast enough.
    """
    if not profiles or profiles.keys() != scores.keys():
        raise InputError(
            f"profiles are for depths {sorted(profiles)} and scores for depths {sorted(scores)}; give the same depths."
        )
    if max_iou_drop < 0:
        raise InputError(f"max_iou_drop is {max_iou_drop}; give 0 or more (0.01 is one point of IoU).")
    in_time = [depth for depth, cost in profiles.items() if max_latency is None or cost.latency <= max_latency]
    if not in_time:
        fastest = min(cost.latency for cost in profiles.values())
        raise InputError(f"No depth takes at most max_latency={max_latency:g} s; the fastest takes {fastest:g} s.")
    best = max(scores[depth] for depth in in_time)
    good = [depth for depth in in_time if scores[depth] >= best - max_iou_drop]
    return min(good, key=lambda depth: profiles[depth].parameters)
