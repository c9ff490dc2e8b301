"""The training step and the learning-rate schedule.

`train` and every experiment of the course make the same step; what they vary, they pass as arguments. A step depends on
its arguments alone, also in a network with dropout.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.losses import deep_supervision_loss

WARM_UP = 0.05  # fraction of the steps over which the learning rate rises

HeadsLoss = Callable[[Sequence[Tensor], Tensor], Tensor]
"""Maps the logits of all heads, shallow to deep, and the masks to a scalar."""

Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""Maps images, masks and a random generator to changed images and masks, as `data.Augmentation` does."""


def make_optimizer(network: nn.Module) -> Adam:
    """Return Adam for all parameters of ``network``; it is fused, which is faster on every device."""
    return Adam(network.parameters(), fused=True)


def learning_rate(step: int, steps: int, highest: float, warm_up: float = WARM_UP) -> float:
    """Return the rate of one of ``steps`` steps, counted from 0: a linear warm-up, then a cosine to 0."""
    rising = max(1, round(warm_up * steps)) if warm_up else 0
    if step < rising:
        return highest * (step + 1) / rising
    return highest * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def prepare_batch(
    images: Tensor, masks: Tensor, card: Card, augment: Augment | None, seed: int
) -> tuple[Tensor, Tensor]:
    """Return a batch as the network takes it: normalised by the ``card``, then augmented by means of ``seed``.

    Shapes: images ``(N, C, H, W)`` in [0, 1] and masks ``(N, 1, H, W)`` on one device; the results have the same.
    """
    images = card.normalise(images)
    if augment is None:
        return images, masks
    return augment(images, masks, torch.Generator(images.device).manual_seed(seed))


def training_step(
    network: nn.Module,
    optimizer: Optimizer,
    images: Tensor,
    masks: Tensor,
    rate: float,
    runtime: Runtime,
    loss: HeadsLoss = deep_supervision_loss,
    seed: int = 0,
) -> Tensor:
    """Make one step with the learning rate ``rate``; return the loss before the step, still on the device.

    Shapes: images ``(N, C, H, W)`` from `prepare_batch`, masks ``(N, 1, H, W)`` → a scalar. ``network`` is in training
    mode and returns a list of logits; ``seed`` determines dropout. Nothing waits for a GPU.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate
    captured = runtime.compiled and runtime.device.type == "cuda"
    if captured:
        optimizer.zero_grad()  # before the next forward pass, which overwrites the gradients
    with runtime.arithmetic():
        with seeded(seed, images.device), runtime.autocast():
            heads = network(images)
        value = loss(heads, masks)
        if not captured:
            optimizer.zero_grad()  # not earlier: a CPU would return the memory, and a step would take a tenth longer
        value.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return value.detach()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed PyTorch's global random generators within the block, and restore them after it."""
    apple = torch.backends.mps.is_available()
    used = apple or device.type == "cuda" or torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    count = 1 if apple else torch.cuda.device_count()
    gpus = range(count) if used else ()  # all of them, because manual_seed seeds them all
    with torch.random.fork_rng(gpus, device_type="mps" if apple else "cuda"):
        torch.manual_seed(seed)
        yield
