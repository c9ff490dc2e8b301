"""Where does the time of a training step go? The full UNet++, as PyTorch comes and then faster, one way at a time.

A step is what `train` makes of a batch: augmentation, forward pass, loss, backward pass, Adam. All ways take turns in
one process, so that a slow moment of the machine hits all of them; the best convolution of the network is measured
alone in the same run. On the CPU a step has one patch, on a GPU the batch of the `full` preset.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from unetpp_lib.data import Augmentation
from unetpp_lib.engine import PRESETS, choose_runtime
from unetpp_lib.experiments.base import Experiment, Outcome, Trial
from unetpp_lib.losses import deep_supervision_loss
from unetpp_lib.models import SegmentationNetwork

WAYS: dict[str, dict[str, bool]] = {
    "as PyTorch comes": {"channels_last": False, "bf16": False, "compiled": False},
    "channels last": {"channels_last": True, "bf16": False, "compiled": False},
    "and bf16": {"channels_last": True, "bf16": True, "compiled": False},
    "and compiled": {"channels_last": True, "bf16": True, "compiled": True},
}
BATCH = {"cpu": 1, "cuda": PRESETS["full"].batch_size}
SIDE = PRESETS["full"].patch  # pixels
WARM_UP, ROUNDS = 1, 5

# what PyTorch's operations are for, by words in their names; the first that fits
FAMILIES: dict[str, tuple[str, ...]] = {
    "convolution": ("conv",),
    "normalisation": ("batch_norm", "group_norm", "instance_norm"),
    "fused loops": ("CompiledFxGraph", "CompiledFunction", "triton", "graph_"),
    "ReLU, pooling": ("relu", "clamp_min", "threshold", "max_pool"),
    "joining, cropping": ("aten::cat", "index_select", "index_add", "slice", "narrow"),
    "copying, casting": ("copy_", "clone", "_to_copy", "aten::to", "fill_", "zero"),
    "Adam": ("_foreach", "_fused_adam", "Optimizer"),
    "augmentation": ("grid_sampl", "upsample", "flip", "where", "normal_", "randn"),
}
REST = "the rest"


@dataclass(frozen=True)
class Step:
    """One training step of a new network on one random batch: call it to make it."""

    network: SegmentationNetwork
    images: Tensor
    masks: Tensor
    bf16: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "optimizer", torch.optim.Adam(self.network.parameters()))
        object.__setattr__(self, "generator", torch.Generator(self.images.device).manual_seed(0))

    def __call__(self) -> None:
        """Make the step, and wait until the device has made it."""


