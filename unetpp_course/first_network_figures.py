"""What notebook 01 draws: windows of an image, outlined pixels, a split, losses, and how sure a network is."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch, Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.style import LINE_COLOURS, WIDTH, Pixels, as_picture

MEMBRANE, RING = LINE_COLOURS[2], LINE_COLOURS[4]  # where pixels are outlined, and in `show_sureness`
HALF = 12  # of a window's side, in pixels
PARTS = {"training": LINE_COLOURS[0], "validation": LINE_COLOURS[3], "left out": "#DDDDDD"}


def show_windows(picture: Pixels, windows: Mapping[str, tuple[int, int]], title: str = "image") -> None:
    """Show a picture with a frame around each window, and the windows enlarged beside it.

    ``windows`` maps a letter to the row and the column of the window's centre. A window has 24 × 24 pixels. The letter
    is above the right corner of the frame, where it hides no line that goes down to the right through the window.
    """
    pixels = as_picture(picture)
    panel = 0.9 * WIDTH / (1 + len(windows))
    _, axes = plt.subplots(1, 1 + len(windows), figsize=(0.9 * WIDTH, panel + 0.4), layout="compressed")
    highest = 1 if pixels.dtype.kind == "f" else max(1, pixels.max())
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
    axes[0].imshow(pixels, vmin=0, vmax=highest)
    axes[0].set(title=title, xlabel=f"{pixels.shape[1]} × {pixels.shape[0]} pixels")
    for axis, (letter, (row, column)) in zip(axes[1:], windows.items(), strict=True):
        left, top = column - HALF, row - HALF
        axes[0].add_patch(Rectangle((left, top), 2 * HALF, 2 * HALF, fill=False, color=LINE_COLOURS[3], linewidth=2))
        corner = left + 2 * HALF, top - 2
        label = axes[0].text(*corner, letter, color=LINE_COLOURS[3], size=14, weight="bold", ha="right")
        label.set_path_effects([withStroke(linewidth=3, foreground="white")])
        window = pixels[top : top + 2 * HALF, left : left + 2 * HALF]
        axis.imshow(window, vmin=0, vmax=highest, interpolation="nearest")
        axis.set_title(f"window {letter}", color=LINE_COLOURS[3])


def tint(image: Pixels, where: Pixels, colour: str) -> NDArray[np.uint8]:
    """Return a grey image, in [0, 1], as (H, W, 3), with the pixels that are not 0 in ``where`` in a colour."""
    grey, chosen = as_picture(image), as_picture(where) != 0
    tinted = np.repeat(grey[..., None], 3, axis=-1).clip(0, 1)
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    tinted[chosen] = 0.15 * tinted[chosen] + 0.85 * np.array(rgb)
    return np.asarray((255 * tinted).round(), np.uint8)


def outline(image: Pixels, where: Pixels, colour: str, width: int = 1) -> NDArray[np.uint8]:
    """Return a grey image, in [0, 1], as (H, W, 3), with a line around the pixels that are not 0 in ``where``.

    The line is ``width`` pixels wide and runs outside those pixels, so that they remain visible.
    """
    chosen = as_picture(where) != 0
    grown = chosen
    for _ in range(width):
        inner, grown = grown, grown.copy()
        grown[1:] |= inner[:-1]
        grown[:-1] |= inner[1:]
        grown[:, 1:] |= inner[:, :-1]
        grown[:, :-1] |= inner[:, 1:]
    return tint(image, grown & ~chosen, colour)


def show_parts(names: Sequence[str], splits: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
    """Show for each split, a pair of training and validation names, to which part each slice of a stack belongs."""
    shown = set()
    _, axes = plt.subplots(len(splits), 1, figsize=(WIDTH, 0.75 * len(splits) + 0.8), sharex=True)
    for axis, (title, (training, validation)) in zip(np.atleast_1d(axes), splits.items(), strict=True):
        for place, name in enumerate(names):
            part = "training" if name in training else "validation" if name in validation else "left out"
            axis.bar(place, 1, width=0.9, color=PARTS[part])
            shown.add(part)
        axis.set(yticks=[], ylim=(0, 1))
        axis.set_title(title, loc="left")
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    axis.set(xlabel="slice", xlim=(-0.5, len(names) - 0.5))
    handles = [Patch(color=colour, label=part) for part, colour in PARTS.items() if part in shown]
    axis.figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def show_epochs(losses: Mapping[str, Sequence[float]], lazy: float) -> None:
    """Show losses by epoch, a line for each kind of images; ``lazy`` is what knowing the class balance alone gives."""
    _, axis = plt.subplots(figsize=(0.75 * WIDTH, 2.8))
    for (images, values), marker in zip(losses.items(), "os", strict=True):
        axis.plot(range(1, len(values) + 1), values, f"{marker}-", label=f"your network, {images} images")
    last = max(map(len, losses.values()))
    axis.axhline(lazy, color="black", linestyle=":")
    axis.text(last, lazy + 0.01, "knows only the class balance", ha="right", va="bottom")
    axis.set(xlabel="epoch", ylabel="BCE", ylim=(0, 1.2 * lazy), xticks=range(1, last + 1))
    axis.legend(loc="lower left")


def show_sureness(networks: Mapping[str, tuple[Tensor, Tensor]]) -> None:
    """Show how the probability of membrane is spread: over membrane pixels, and over those of rings, for each network.

    Each network comes with two tensors of probabilities: those of the true membrane pixels, and those of the rings.
    """
    _, axes = plt.subplots(1, len(networks), figsize=(WIDTH, 2.8), sharey=True)
    for axis, (title, probabilities) in zip(np.atleast_1d(axes), networks.items(), strict=True):
        for values, label, colour in zip(probabilities, ("membrane", "ring"), (MEMBRANE, RING), strict=True):
            weights = np.full(values.numel(), 100 / values.numel())
            style = {"histtype": "step", "color": colour, "linewidth": 2}
            axis.hist(values.flatten().numpy(), bins=np.linspace(0, 1, 21), weights=weights, label=label, **style)
        axis.axvline(0.5, color="black", linewidth=1, linestyle=":")
        axis.set(title=title, xlabel="probability of membrane", xlim=(0, 1))
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("% of the pixels")
    first.legend(title="pixels that are", loc="upper left")


def draw_chain(steps: Sequence[str], yours: Sequence[int] = ()) -> None:
    """Draw steps as boxes from left to right with arrows between them; those that the learner wrote are coloured."""
    height = 1.0
    figure = plt.figure(figsize=(WIDTH, height), layout="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
    axes.axis("off")
    pitch = WIDTH / len(steps)
    width = pitch - 0.32
    for number, text in enumerate(steps):
        left = number * pitch + 0.16
        colour = "#FBE3B0" if number in yours else "#EEEEEE"
        box = FancyBboxPatch((left, 0.2), width, 0.6, boxstyle="round,pad=0.04", facecolor=colour, edgecolor="black")
        axes.add_patch(box)
        axes.text(left + width / 2, 0.5, text, ha="center", va="center", size=9)
        if number:
            ends = (left - 0.28, 0.5), (left - 0.04, 0.5)
            axes.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=12, color="black"))
