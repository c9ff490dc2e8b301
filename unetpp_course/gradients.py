"""Loss gradients: how a loss pulls on the logit of each pixel, and how the course draws that."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import torch
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor

from unetpp_course.style import LINE_COLOURS, WIDTH

Loss = Callable[[Tensor, Tensor], Tensor]

# blue pulls a logit down, orange (vermilion) pulls it up; colour-blind readers can tell them apart
GRADIENT_COLOURS = LinearSegmentedColormap.from_list("pull", [LINE_COLOURS[0], "white", LINE_COLOURS[3]])


def disc(row: float, column: float, radius: float, size: int = 64) -> Tensor:
    """Return a mask (1, 1, size, size), float, 1 within ``radius`` pixels of a point and 0 elsewhere."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return ((y - row) ** 2 + (x - column) ** 2 <= radius**2).float()[None, None]


def negative_gradient(loss: Loss, logits: Tensor, target: Tensor) -> Tensor:
    """Return minus the gradient of a loss with respect to each logit, times the number of logits; (N, 1, H, W).

    Where it is above 0, gradient descent raises the logit: the course calls it the pull of the loss. That of BCE is
    between -1 and 1, because its mean over the pixels divides by the number that is multiplied here.
    """
    logits = logits.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(logits, target), logits)
    return -gradient * logits.numel()


def pull_ratio(pulls: Tensor) -> float:
    """Return all pulls down, added up, divided by all pulls up."""
    return (-pulls.clamp(max=0).sum() / pulls.clamp(min=0).sum()).item()


def show_gradients(
    gradients: Mapping[str, Tensor],
    truth: Tensor | Mapping[str, Tensor],
    limit: float | None = None,
    columns: int = 4,
    width: float = WIDTH,
) -> None:
    """Show maps of `negative_gradient`, (1, 1, H, W), below their titles, on one scale from −limit to limit.

    The default limit is the largest absolute value. A black line outlines the truth (1, 1, H, W), which is one for all
    maps or one per title; ``width`` is in inches.
    """
    limit = limit or max(values.abs().max().item() for values in gradients.values())
    rows, used = -(-len(gradients) // columns), min(columns, len(gradients))
    panel = (width - 0.8) / columns  # inches; the rest is for the colour bar
    size = (used * panel + 0.8, rows * (panel + 0.35))
    figure, axes = plt.subplots(rows, used, figsize=size, squeeze=False, layout="compressed")
    for axis in axes.flat[len(gradients) :]:
        axis.axis("off")
    for axis, (title, values) in zip(axes.flat, gradients.items(), strict=False):
        picture = axis.imshow(values[0, 0], cmap=GRADIENT_COLOURS, vmin=-limit, vmax=limit, interpolation="nearest")
        outline = truth if isinstance(truth, Tensor) else truth[title]
        if outline.any():
            axis.contour(outline[0, 0], levels=[0.5], colors="black", linewidths=1)
        axis.set(title=title, xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
    figure.colorbar(picture, ax=axes, label="pull", shrink=0.9, aspect=30)


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
