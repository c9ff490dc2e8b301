"""What a loss pulls on: minus its gradient by the logit of each pixel, and how the course draws that."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import torch
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor

from unetpp_course.style import LINE_COLOURS, WIDTH

Loss = Callable[[Tensor, Tensor], Tensor]

# blue pulls the logit down, vermilion pulls it up; colour-blind eyes tell them apart
PULL_COLOURS = LinearSegmentedColormap.from_list("pull", [LINE_COLOURS[0], "white", LINE_COLOURS[3]])


def disc(row: float, column: float, radius: float, size: int = 64) -> Tensor:
    """Return a mask (1, 1, size, size), float, 1 within ``radius`` pixels of a place and 0 elsewhere."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return ((y - row) ** 2 + (x - column) ** 2 <= radius**2).float()[None, None]


def pull(loss: Loss, logits: Tensor, target: Tensor) -> Tensor:
    """Return minus the gradient of a loss by each logit, times the number of logits; shapes (N, 1, H, W).

    Above 0, a step of gradient descent raises the logit. BCE never pulls harder than 1, because its mean over the
    pixels divides by the number that is multiplied here.
    """
    logits = logits.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(logits, target), logits)
    return -gradient * logits.numel()


def show_pulls(
    pulls: Mapping[str, Tensor],
    truth: Tensor | Mapping[str, Tensor],
    limit: float | None = None,
    columns: int = 4,
    width: float = WIDTH,
) -> None:
    """Show pulls (1, 1, H, W) under their titles, in one scale from −limit to limit (default: the largest of all).

    A black line runs around the truth (1, 1, H, W), one for all pulls or one each, by title; ``width`` is in inches.
    """
    limit = limit or max(values.abs().max().item() for values in pulls.values())
    rows, used = -(-len(pulls) // columns), min(columns, len(pulls))
    panel = (width - 0.8) / columns  # inches; the rest is for the colour bar
    size = (used * panel + 0.8, rows * (panel + 0.35))
    figure, axes = plt.subplots(rows, used, figsize=size, squeeze=False, layout="compressed")
    for axis in axes.flat[len(pulls) :]:
        axis.axis("off")
    for axis, (title, values) in zip(axes.flat, pulls.items(), strict=False):
        picture = axis.imshow(values[0, 0], cmap=PULL_COLOURS, vmin=-limit, vmax=limit, interpolation="nearest")
        outline = truth if isinstance(truth, Tensor) else truth[title]
        if outline.any():
            axis.contour(outline[0, 0], levels=[0.5], colors="black", linewidths=1)
        axis.set(title=title, xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
    figure.colorbar(picture, ax=axes, label="pull × pixels", shrink=0.9, aspect=30)


def settle(loss: Loss, fractions: Tensor, steps: int = 400) -> Tensor:
    """Return the probabilities (K,) at which a loss comes to rest on K kinds of pixels that cannot be told apart.

    Of kind k, the fraction ``fractions[k]`` is foreground; each kind has 100 pixels and one logit, starting at 0.
    In a large image the sums over pixels come out at their means, so the truth of a pixel may be the fraction itself.
    """
    target = fractions.view(1, 1, 1, -1).repeat(1, 1, 100, 1)
    logits = torch.zeros_like(target, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(logits, target).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return logits.detach()[0, 0, 0].sigmoid()
