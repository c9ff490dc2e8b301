"""The common look of the course's figures, and its most frequent figure: images side by side."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.colors import to_hex
from matplotlib.patches import Patch
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.figures import load_backend, use_small_figures
from unetpp_lib.engine.pictures import COLOURS
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou

Pixels = Tensor | NDArray[Any]

WIDTH = 8.0  # inches: the width of a notebook's page, so that letters are shown at about their true size

# Okabe and Ito's colours, which colour-blind readers can tell apart, without yellow, which is invisible on white
LINE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
NETWORK_STYLES = {"unet": ("U-Net", LINE_COLOURS[0]), "unetpp": ("UNet++", LINE_COLOURS[1])}
"""The name and the colour that the two networks have in figures."""

STYLE: dict[str, Any] = {
    "figure.figsize": (WIDTH, 4.5),
    "figure.dpi": 100,
    "figure.facecolor": "white",  # opaque, because black letters could not be read on JupyterLab's dark theme
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "axes.prop_cycle": cycler(color=LINE_COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "lines.linewidth": 2,
    "image.cmap": "gray",
}

# the meaning of the colours of `mark_mistakes`, for the legend of `show_images`
MISTAKES = {
    "interior, found": to_hex(COLOURS[1, 1] / 255),
    "membrane, found": to_hex(COLOURS[0, 0] / 255),
    "interior called membrane": to_hex(COLOURS[1, 0] / 255),
    "membrane called interior": to_hex(COLOURS[0, 1] / 255),
}


def use_course_style() -> None:
    """Give every figure from now on the look of the course, and keep the file of the notebook small."""
    plt.style.use(STYLE)
    use_small_figures()


@contextmanager
def course_style() -> Iterator[None]:
    """Give the figures of a block, or of a decorated function, the look of the course."""
    load_backend()
    with plt.style.context(STYLE, after_reset=True):
        yield


def show_images(panels: Mapping[str, Pixels], columns: int = 4, legend: Mapping[str, str] | None = None) -> None:
    """Show pictures of one size below their titles, in rows of ``columns`` that span the page.

    A picture is (H, W) or (1, H, W) in grey, or (H, W, 3) in colour. Floats go from 0, black, to 1, white; integers
    (masks, classes) from 0 to the highest in the picture. The first picture is labelled with its size. ``legend`` maps
    labels to colours.
    """
    pictures = {title: as_picture(pixels) for title, pixels in panels.items()}
    height, width = next(iter(pictures.values())).shape[:2]
    rows, used = -(-len(pictures) // columns), min(columns, len(pictures))
    panel = WIDTH / columns  # inches
    size = (used * panel, rows * (panel * height / width + 0.4) + (0.7 if legend else 0))
    figure, axes = plt.subplots(rows, used, figsize=size, squeeze=False, layout="compressed")
    for axis in axes.flat[len(pictures) :]:
        axis.axis("off")
    for axis, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
        if picture.dtype.kind == "f":
            axis.imshow(picture, vmin=0, vmax=1)
        else:  # interpolation between two classes would show a third one
            axis.imshow(picture, vmin=0, vmax=max(1, picture.max()), interpolation="nearest")
        axis.set(title=title, xticks=[], yticks=[])
        axis.spines[:].set_visible(True)  # a white mask on a white page needs a frame
    axes[0, 0].set_xlabel(f"{width} × {height} pixels")
    if legend:
        patches = [Patch(facecolor=colour, edgecolor="black", label=label) for label, colour in legend.items()]
        figure.legend(handles=patches, loc="outside lower center", ncols=2)


def show_numbers(panels: Mapping[str, Pixels], number_format: str = "g", one_scale: bool = True) -> None:
    """Show small maps (H, W) side by side under their titles, as grids of numbers; darker cells hold higher numbers.

    All panels have one size of cells, so that a doubled map is twice as wide on the page. They have one scale of
    colours, too; with ``one_scale=False`` each has its own, for numbers that are not of one kind.
    """
    grids = {title: np.asarray(pixels, dtype=float) for title, pixels in panels.items()}
    low, high = min(grid.min() for grid in grids.values()), max(grid.max() for grid in grids.values())
    gap, title_height = 0.5, 0.35  # inches
    cell = min(0.5, (WIDTH - gap * (len(grids) - 1)) / sum(grid.shape[1] for grid in grids.values()))
    height = cell * max(grid.shape[0] for grid in grids.values()) + title_height
    left = (WIDTH - cell * sum(grid.shape[1] for grid in grids.values()) - gap * (len(grids) - 1)) / 2
    figure = plt.figure(figsize=(WIDTH, height), layout="none")
    for title, grid in grids.items():
        rows, columns = grid.shape
        bottom = height - title_height - cell * rows
        axes = figure.add_axes((left / WIDTH, bottom / height, cell * columns / WIDTH, cell * rows / height))
        if not one_scale:
            low, high = grid.min(), grid.max()
        shades = {"cmap": "Blues", "vmin": low, "vmax": low + 1.6 * (high - low)}  # pale enough for black numbers
        axes.pcolormesh(grid, edgecolors="white", linewidth=2, **shades)
        for (row, column), value in np.ndenumerate(grid):
            axes.text(column + 0.5, row + 0.5, format(value, number_format), ha="center", va="center")
        axes.set_title(title)
        axes.invert_yaxis()
        axes.axis("off")
        left += cell * columns + gap


def mark_mistakes(truth: Pixels, prediction: Pixels) -> NDArray[np.uint8]:
    """Return a prediction with its mistakes in colour, (H, W, 3); `MISTAKES` says what the colours mean.

    ``truth`` and ``prediction`` contain 0 and 1 and are (H, W), (1, H, W) or (1, 1, H, W); else raises InputError.
    """
    true, predicted = (np.asarray(labels).squeeze() for labels in (truth, prediction))
    if true.ndim != 2 or true.shape != predicted.shape:
        raise InputError(
            f"truth is {np.shape(truth)} and prediction {np.shape(prediction)}: give two masks of one size."
        )
    if not np.isin([true, predicted], [0, 1]).all():
        raise InputError(
            "truth and prediction may contain only 0 and 1: turn probabilities into classes with classify()."
        )
    marked: NDArray[np.uint8] = COLOURS[true.astype(int), predicted.astype(int)]
    return marked


def show_predictions(
    truth: Pixels, predictions: Mapping[str, Pixels], image: Pixels | None = None, columns: int = 5
) -> None:
    """Show a mask, and predictions of it with their mistakes in colour; titles give the IoU of the membrane, class 0.

    ``image`` comes first where it is given. Shapes and values of the masks as for `mark_mistakes`.
    """
    panels: dict[str, Pixels] = {"truth": truth} if image is None else {"image": image, "truth": truth}
    for name, prediction in predictions.items():
        picture = mark_mistakes(truth, prediction)
        true, predicted = (torch.as_tensor(mask).reshape(1, 1, *picture.shape[:2]) for mask in (truth, prediction))
        score = iou(confusion_counts(predicted, true), of="background")
        panels[f"{name}: IoU {score:.2f}"] = picture
    show_images(panels, columns, legend=MISTAKES)


def as_picture(pixels: Pixels) -> NDArray[Any]:
    """Return an array that matplotlib can show: (H, W) or (H, W, 3)."""
    picture = np.asarray(pixels)
    if picture.ndim == 3 and picture.shape[0] == 1:
        picture = picture[0]
    if picture.ndim != 2 and picture.shape[2:] != (3,):
        raise InputError(f"This picture is {picture.shape}: give (H, W), (1, H, W) or (H, W, 3).")
    return picture
