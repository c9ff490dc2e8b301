"""The cost of each depth of a network: taken from profiles, or measured while the network runs anyway."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from unetpp_course.explorers.depth_sheet import Cost
from unetpp_lib.errors import InputError
from unetpp_lib.models import Profile, SegmentationNetwork, prune

PASSES = 2


def costs_of(profiles: Mapping[int, Profile], depth: int) -> dict[int, Cost]:
    """Return the cost of each depth from profiles; raises InputError unless every depth has one."""
    if sorted(profiles) != list(range(1, depth + 1)):
        raise InputError(f"profiles are for depths {sorted(profiles)}; give one for each of 1 to {depth}.")
    return {d: Cost(profile.parameters, profile.macs, profile.latency) for d, profile in sorted(profiles.items())}


class Passes:
    """What forward passes took: ``seconds`` of each with the first one's size, and ``macs`` of the first, by layer."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.macs: dict[str, int] = {}
        self._first_shape: torch.Size | None = None
        self._start = 0.0

    def begin(self, _: torch.nn.Module, inputs: tuple[Tensor]) -> None:
        """Start the clock of a pass."""
        self._first_shape = self._first_shape or inputs[0].shape
        self._start = time.perf_counter()

    def end(self, _: torch.nn.Module, inputs: tuple[Tensor], __: object) -> None:
        """Stop the clock of a pass."""
        if inputs[0].shape == self._first_shape:
            self.seconds.append(time.perf_counter() - self._start)

    def count(self, name: str, layer: torch.nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        """Count the multiply-accumulates of a layer: each weight is used once per pixel of its larger map."""
        pixels = inputs[0] if isinstance(layer, torch.nn.ConvTranspose2d) else output
        self.macs.setdefault(name, layer.weight.numel() * pixels[0, 0].numel())  # type: ignore[operator]


@contextmanager
def measured_passes(model: SegmentationNetwork) -> Iterator["Passes"]:
    """Measure the passes within the block: their seconds, and multiply-accumulates by layer."""
    passes = Passes()
    hooks = [model.register_forward_pre_hook(passes.begin), model.register_forward_hook(passes.end)]
    for name, layer in model.named_modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            hooks.append(layer.register_forward_hook(partial(passes.count, name)))
    try:
        yield passes
    finally:
        for hook in hooks:
            hook.remove()


@torch.inference_mode()
def measured_costs(model: SegmentationNetwork, image: Tensor, passes: Passes) -> dict[int, Cost]:
    """Return the cost of each depth; this takes less than a second, `profile_depths` several.

    The whole network has just run, which also warmed up its pruned copies; the fastest pass counts.
    """
    costs = {}
    for depth in range(1, model.depth + 1):
        pruned = prune(model, depth)
        taken = passes.seconds if depth == model.depth else [_seconds(pruned, image) for _ in range(PASSES)]
        work = sum(passes.macs.get(name, 0) for name, _ in pruned.named_modules())
        costs[depth] = Cost(sum(p.numel() for p in pruned.parameters()), work, min(taken))
    return costs


def _seconds(model: SegmentationNetwork, image: Tensor) -> float:
    start = time.perf_counter()
    model(image)
    return time.perf_counter() - start
