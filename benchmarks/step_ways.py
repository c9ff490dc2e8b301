"""One training step of UNet++ in several ways, in turn: what a change of the step gains on this machine.

    python benchmarks/step_ways.py                                                  # the laptop preset's step
    python benchmarks/step_ways.py --widths 32 64 128 256 512 --batch 8 --side 96

"not fused" is Adam as PyTorch comes. "matrix product" takes the weight gradient of the transposed convolutions as one
matrix product: with a stride of 2, their 2×2 windows do not overlap. NOTES.md says what came of it.
"""

from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import torch
import tyro
from torch import Tensor, nn
from torch.nn import functional as F

from unetpp_course.lab.timing import in_turn
from unetpp_lib.engine import choose_runtime
from unetpp_lib.engine.loop import make_optimizer, training_step
from unetpp_lib.models import UNetPlusPlus

WAYS = ("as it is", "not fused", "matrix product")


@dataclass(frozen=True)
class Settings:
    """What is timed, and how often."""

    widths: tuple[int, ...] = (8, 16, 32, 64, 128)
    batch: int = 4
    side: int = 256
    rounds: int = 21


class UpByProduct(torch.autograd.Function):
    """A 2×2 transposed convolution of stride 2 whose weight gradient is one matrix product."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv_transpose2d(x, weight, bias, stride=2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        N, C, H, W = x.shape
        outputs = weight.shape[1]
        windows = gradient.permute(0, 2, 3, 1).reshape(N, H, 2, W, 2, outputs).transpose(2, 3).reshape(-1, 4 * outputs)
        by_weight = x.permute(0, 2, 3, 1).reshape(-1, C).T @ windows  # (C, 4·outputs)
        by_weight = by_weight.reshape(C, 2, 2, outputs).permute(0, 3, 1, 2)
        return F.conv2d(gradient, weight, stride=2), by_weight, gradient.sum((0, 2, 3))


class ProductUp(nn.ConvTranspose2d):
    """The transposed convolution with `UpByProduct`, in the precision of autocast."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        parts = (x, self.weight, self.bias)
        if torch.is_autocast_enabled(x.device.type):
            parts = tuple(part.to(torch.get_autocast_dtype(x.device.type)) for part in parts)
        return UpByProduct.apply(*parts)


def make_step(way: str, settings: Settings) -> partial[Tensor]:
    runtime = choose_runtime()
    torch.manual_seed(0)
    model = runtime.place(UNetPlusPlus(widths=settings.widths)).train()
    if way == "matrix product":
        for module in model.modules():
            if isinstance(module, nn.ConvTranspose2d):
                module.__class__ = ProductUp
    optimizer = torch.optim.Adam(model.parameters()) if way == "not fused" else make_optimizer(model)
    images = torch.randn(settings.batch, 1, settings.side, settings.side, device=runtime.device)
    masks = (torch.rand_like(images) < 0.8).to(torch.uint8)
    return partial(training_step, model, optimizer, images, masks, 1e-3, runtime)


def main(settings: Settings) -> None:
    runtime = choose_runtime()
    seconds = in_turn({way: make_step(way, settings) for way in WAYS}, settings.rounds, runtime.device)
    print(f"{runtime}, torch {torch.__version__}; {settings}")
    print(f"{'':16}{'median':>9}{'least':>9}   as it is ÷ this, median and least")
    first = seconds[WAYS[0]]
    for way, spent in seconds.items():
        ratios = f"{median(first) / median(spent):.2f}  {min(first) / min(spent):.2f}"
        print(f"{way:16}{median(spent):>9.4f}{min(spent):>9.4f}   {ratios}")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
