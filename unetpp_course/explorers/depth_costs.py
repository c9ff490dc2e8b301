"""What each depth of a network costs: taken from profiles, or measured while the network runs anyway."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from unetpp_course.explorers.depth_sheet import Cost
from unetpp_lib.errors import InputError
from unetpp_lib.models import Profile, SegmentationNetwork, prune

PASSES = 2


def costs_of(profiles: Mapping[int, Profile], depth: int) -> dict[int, Cost]:
    """Return what each depth costs as profiles have it; InputError where not every depth has one."""
    if sorted(profiles) != list(range(1, depth + 1)):
        raise InputError(f"profiles are for depths {sorted(profiles)}; give one for each of 1 to {depth}.")
    return {d: Cost(profile.parameters, profile.macs, profile.latency) for d, profile in sorted(profiles.items())}


@contextmanager
def watched(model: SegmentationNetwork) -> Iterator[tuple[list[float], dict[str, int]]]:
    """Note what passes within the block take: the seconds of those of the first one's size, and its layers' MACs."""
    seconds: list[float] = []
    macs: dict[str, int] = {}
    first: list[torch.Size] = []
    start = [0.0]

    def begin(_: torch.nn.Module, inputs: tuple[Tensor]) -> None:
        first.append(inputs[0].shape)
        start[0] = time.perf_counter()

    def end(_: torch.nn.Module, inputs: tuple[Tensor], __: object) -> None:
        if inputs[0].shape == first[0]:
            seconds.append(time.perf_counter() - start[0])

    def note(name: str, layer: torch.nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        pixels = inputs[0] if isinstance(layer, torch.nn.ConvTranspose2d) else output  # each weight works once a pixel
        macs.setdefault(name, layer.weight.numel() * pixels[0, 0].numel())  # type: ignore[operator]

    hooks = [model.register_forward_pre_hook(begin), model.register_forward_hook(end)]
    for name, layer in model.named_modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            hooks.append(layer.register_forward_hook(partial(note, name)))
    try:
        yield seconds, macs
    finally:
        for hook in hooks:
            hook.remove()


@torch.inference_mode()
def measured_costs(
    model: SegmentationNetwork, image: Tensor, seconds: Sequence[float], macs: Mapping[str, int]
) -> dict[int, Cost]:
    """Return what each depth costs, in less than a second where `profile_depths` takes several.

    The whole network has just run, which warmed up what its pruned copies share with it; the fastest pass counts.
    """
    costs = {}
    for depth in range(1, model.depth + 1):
        pruned = prune(model, depth)
        taken = list(seconds) if depth == model.depth else [_seconds(pruned, image) for _ in range(PASSES)]
        work = sum(macs.get(name, 0) for name, _ in pruned.named_modules())
        costs[depth] = Cost(sum(p.numel() for p in pruned.parameters()), work, min(taken))
    return costs


def _seconds(model: SegmentationNetwork, image: Tensor) -> float:
    start = time.perf_counter()
    model(image)
    return time.perf_counter() - start
