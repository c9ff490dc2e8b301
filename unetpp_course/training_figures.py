"""The figures of notebook 09, a broken training script and what each test of it shows, and a run's curve (10)."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from torch import Tensor, nn

from unetpp_course import broken_script
from unetpp_course.lab import read_results, sick_runs
from unetpp_course.style import LINE_COLOURS, NETWORK_STYLES
from unetpp_lib.metrics import confusion_counts, iou

BLUE, ORANGE, GREEN, RED = LINE_COLOURS[:4]
WINDOW = 10  # steps: losses are drawn as their mean over so many


def show_script() -> None:
    """Print the four functions of the broken script, without what is for the type checker alone."""
    functions = (broken_script.make_batch, broken_script.loss_of, broken_script.train, broken_script.predict)
    print("\n".join(re.sub(r"  # type: ignore.*", "", inspect.getsource(function)) for function in functions))


def smooth(losses: Sequence[float], window: int = WINDOW) -> list[float]:
    """Return the mean of each loss and those before it, ``window`` at most."""
    starts = (max(0, step + 1 - window) for step in range(len(losses)))
    return [sum(losses[start : step + 1]) / (step + 1 - start) for step, start in enumerate(starts)]


class _Constant(nn.Module):
    """A network that gives the same logit everywhere, whatever the image."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, x: Tensor) -> list[Tensor]:
        return [torch.full_like(x, self.logit)]


def constant_loss(
    batches: Sequence[tuple[Tensor, Tensor]], loss_of: Callable[[nn.Module, Tensor, Tensor], Tensor]
) -> float:
    """Return the lowest loss of a network that ignores the images and gives one and the same logit everywhere."""
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    with torch.no_grad():
        return min(loss_of(_Constant(logit / 2), x, y).item() for logit in range(-4, 21))


def show_losses(curves: Mapping[str, Sequence[float]], window: int = WINDOW, constant: float | None = None) -> None:
    """Draw losses by step, each curve with its name at its end.

    Losses are means over ``window`` steps; a single curve has the losses themselves behind it, in a pale line.
    The loss of the best ``constant`` prediction is drawn as a dashed line.
    """
    _, axis = plt.subplots(figsize=(8, 2.8))
    ends = {}
    for number, (name, losses) in enumerate(curves.items()):
        colour = LINE_COLOURS[number]
        if window > 1 and len(curves) == 1:
            axis.plot(losses, color=colour, alpha=0.25, linewidth=1)
        means = smooth(losses, window)
        axis.plot(means, color=colour)
        ends[name] = (len(means) - 1, means[-1], colour)
    longest = max(map(len, curves.values()))
    axis.set(xlabel="step", ylabel="loss", ylim=(0, None), xlim=(0, longest * 1.3))
    if constant is not None:
        axis.plot((0, longest - 1), (constant, constant), color="#777777", linestyle="--", linewidth=1.2)
        ends["best constant"] = (longest - 1, constant, "#777777")
    lowest = -1.0
    for name, (step, value, colour) in sorted(ends.items(), key=lambda end: end[1][1]):
        lowest = max(value, lowest + 0.09 * axis.get_ylim()[1])  # so that no two names overlap
        axis.annotate(f" {name}", (step, lowest), color=colour, va="center", annotation_clip=False)
    axis.set_xticks(range(0, longest + 1, 20))


def show_outlines(x: Tensor, y: Tensor, title: str) -> None:
    """Show a normalised batch (N, 1, H, W) in grey, with the edges of the masks' membranes in orange."""
    figure, axes = plt.subplots(1, len(x), figsize=(2 * len(x), 2.5))
    figure.suptitle(title)
    for axis, image, mask in zip(axes, x, y, strict=True):
        axis.imshow(image[0], vmin=-3, vmax=3, interpolation="nearest")
        axis.contour(mask[0], [0.5], colors=ORANGE, linewidths=1.5)
        axis.set(xticks=[], yticks=[])
        axis.grid(visible=False)


def show_memorised(x: Tensor, y: Tensor, found: Tensor) -> None:
    """Show a normalised piece (1, H, W), its mask, and what a network predicts for it after training on it alone."""
    _, axes = plt.subplots(1, 3, figsize=(6, 2.4))
    score = iou(confusion_counts(found[None], y[None].byte()), of="background")
    pictures = {"image": x[0], "truth": y[0], f"memorised: IoU {score:.2f}": found[0]}
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        low, high = (-3, 3) if title == "image" else (0, 1)
        axis.imshow(picture, vmin=low, vmax=high, interpolation="nearest")
        axis.set(title=title, xticks=[], yticks=[])
        axis.grid(visible=False)
        axis.spines[:].set_visible(True)


def show_overfitting() -> None:
    """Draw the membrane IoU of two stored runs by step, on training and on validation images."""
    runs = sick_runs.lettered(read_results("sick_runs"))
    _, axes = plt.subplots(1, 2, figsize=(8, 2.8), sharey=True)
    titles = {"healthy": "28 training images, augmented", "B": "2 training images, as they are"}
    for axis, (letter, title) in zip(axes, titles.items(), strict=True):
        for part, colour in {"train": BLUE, "validation": ORANGE}.items():
            curve = sick_runs.curve(runs[letter][0], part, "iou")
            axis.plot(list(curve), list(curve.values()), color=colour, label=part.replace("train", "training"))
        axis.set(title=title, xlabel="step", ylim=(0, 1))
    axes[0].set(ylabel="membrane IoU")
    axes[0].legend(loc="lower right")


def show_curves(curves: pd.DataFrame) -> None:
    """Draw the validation IoU of membrane by pass, each curve with its network's name at its end.

    ``curves`` is what `full_width.curves` returns: passes × networks.
    """
    _, axis = plt.subplots(figsize=(8, 3.2))
    last = curves.iloc[-1]
    for network, values in curves.items():
        name, colour = NETWORK_STYLES[network]
        axis.plot(curves.index, values, "o-", color=colour)
        side = "bottom" if last[network] == last.max() else "top"  # so that no two names overlap
        axis.annotate(f"  {name}", (curves.index[-1], last[network]), color=colour, va=side, annotation_clip=False)
    axis.set_xticks(curves.index)
    axis.set(xlabel="passes over the training slices", ylabel="membrane IoU, validation")
    axis.set(xlim=(0, curves.index[-1] * 1.15))


def show_rates(rates: Sequence[float], losses: Sequence[float], chosen: Mapping[str, float]) -> None:
    """Draw the losses of a range test over the learning rate, and mark some rates with their letters."""
    _, axis = plt.subplots(figsize=(8, 2.8))
    axis.semilogx(rates, losses, color="#999999", linewidth=1)
    axis.semilogx(rates, smooth(losses, 5), color="black")
    for number, (name, rate) in enumerate(chosen.items()):
        axis.axvline(rate, color=LINE_COLOURS[number], linestyle="--")
        axis.annotate(f" {name}", (rate, 0.03), color=LINE_COLOURS[number])
    axis.set(xlabel="learning rate of the step", ylabel="loss of the step", ylim=(0, 1))


def show_checklist(evidence: Mapping[str, tuple[str, str]]) -> None:
    """Draw the tests from left to right: what each is called, what the script showed, and what the repair shows.

    What the script showed is red, unless it is "no fault".
    """
    figure = plt.figure(figsize=(8, 2.5), layout="none")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.axis("off")
    axis.set(xlim=(0, len(evidence)), ylim=(0, 3))
    for place, (name, (before, after)) in enumerate(evidence.items()):
        _box(axis, place, 2.05, f"{place + 1}. {name}", "black")
        _box(axis, place, 1.05, before, GREEN if before == "no fault" else RED)
        _box(axis, place, 0.05, after, GREEN)
        if place:
            axis.annotate("", (place + 0.05, 2.5), (place - 0.05, 2.5), arrowprops={"arrowstyle": "->"})


def _box(axis: Axes, place: int, bottom: float, text: str, colour: str) -> None:
    axis.add_patch(
        FancyBboxPatch((place + 0.08, bottom + 0.05), 0.84, 0.8, boxstyle="round,pad=0.02", fill=False, ec=colour)
    )
    axis.text(place + 0.5, bottom + 0.45, text.replace("-", "−"), ha="center", va="center", color=colour, fontsize=10)
