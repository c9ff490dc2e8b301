"""What notebook 07 draws: nine scores of one prediction, what a class's IoU counts, and scores as tables."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle
from torch import Tensor

from unetpp_course.lab import pixel_error
from unetpp_course.style import LINE_COLOURS, MISTAKES, WIDTH, Pixels, as_picture, mark_mistakes, show_images
from unetpp_lib.metrics import confusion_counts, dice, iou

PATCH = 32  # pixels: the side of the patches that are scored one by one
CLASSES = {"membrane": "background", "mean of both": "classes", "interior": "foreground"}
KNOWN, ASKED = "#D6E9F6", "#FBE9C6"  # of boxes: what is counted, what must be said
STEPS = 4  # rows of numbers above the line, so that neighbours do not overlap
# the meaning of the colours of `mark_mistakes`, if interior is positive
KINDS = {
    f"{kind}: {name}": colour for kind, (name, colour) in zip(("TP", "TN", "FN", "FP"), MISTAKES.items(), strict=True)
}
BLUE, ORANGE, GREEN = LINE_COLOURS[0], LINE_COLOURS[3], LINE_COLOURS[2]
FRAME = "#B0127B"  # around what the text talks about: a colour that no kind of pixel has
MARGIN = 10  # pixels shown around what is framed

Region = tuple[slice, slice]  # rows and columns of a picture


def cut_patches(masks: Tensor, side: int = PATCH) -> Tensor:
    """Return masks (N, 1, H, W) as patches (M, 1, side, side), image by image; H and W are multiples of ``side``."""
    rows = masks.unfold(2, side, side)  # (N, 1, H / side, W, side)
    squares = rows.unfold(3, side, side)  # (N, 1, H / side, W / side, side, side)
    return squares.reshape(-1, 1, side, side)


def nine_scores(predictions: Tensor, truths: Tensor) -> pd.DataFrame:
    """Return nine scores of the same masks (N, 1, H, W): a column for each class, a row for formula and average."""
    patches = confusion_counts(cut_patches(predictions), cut_patches(truths))
    table = {
        name: {
            "IoU, all pixels": iou(patches, of, "pooled"),  # type: ignore[arg-type]
            "IoU, mean of patches": iou(patches, of, "image"),  # type: ignore[arg-type]
            "Dice, all pixels": dice(patches, of, "pooled"),  # type: ignore[arg-type]
        }
        for name, of in CLASSES.items()
    }
    return pd.DataFrame(table)


def show_nine_scores(image: Pixels, truth: Pixels, prediction: Pixels, scores: pd.DataFrame) -> None:
    """Show an image, its truth and its prediction, and below them the scores on a line."""
    figure, axes = plt.subplot_mosaic("abc;ddd", figsize=(WIDTH, 4.9), height_ratios=(2.7, 1.3))
    panels = {"image": image, "truth": truth, "prediction": mark_mistakes(truth, prediction)}
    for key, (title, pixels) in zip("abc", panels.items(), strict=True):
        axes[key].imshow(as_picture(pixels), interpolation="nearest")
        axes[key].set(title=title, xticks=[], yticks=[])
        axes[key].spines[:].set_visible(True)
        axes[key].grid(False)
    line = axes["d"]
    for k, score in enumerate(sorted(scores.to_numpy().ravel())):
        height = 0.5 + k % STEPS
        line.plot([score, score], [0, height], color="0.7", linewidth=1)
        line.plot(score, 0, "o", color=BLUE, clip_on=False)
        background = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # hides the line of a neighbour
        line.text(score, height, f"{score:.3f}", ha="center", va="bottom", bbox=background, zorder=3)
    line.set(xlabel="nine scores of the same eight predictions", yticks=[], ylim=(0, STEPS + 1), xlim=(0.78, 1))
    line.spines["left"].set_visible(False)
    line.grid(False)
    wrong = list(MISTAKES)[2:]
    patches = [Patch(facecolor=MISTAKES[name], edgecolor="black", label=name) for name in wrong]
    figure.legend(handles=patches, loc="outside lower center", ncols=2)


def show_regions(truth: Pixels, prediction: Pixels, regions: Mapping[str, Region]) -> None:
    """Show the square part of two masks (H, W) or (1, H, W) with some regions, and frame these, with their names."""
    down, across = zip(*regions.values(), strict=True)
    ends = [(min(one.start for one in slices), max(one.stop for one in slices)) for slices in (down, across)]
    side = max(stop - start for start, stop in ends) + 2 * MARGIN
    top, left = (max(0, (start + stop - side) // 2) for start, stop in ends)
    masks = [np.asarray(mask).squeeze()[top : top + side, left : left + side] for mask in (truth, prediction)]
    show_images({"truth": masks[0], "prediction": mark_mistakes(*masks)}, columns=3, legend=KINDS)
    for axis in plt.gcf().axes:
        for name, (rows, columns) in regions.items():
            corner = columns.start - left - 0.5, rows.start - top - 0.5
            width, height = columns.stop - columns.start, rows.stop - rows.start
            axis.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=FRAME, linewidth=2))
            axis.text(corner[0] + 2, corner[1] + 2, name, color=FRAME, fontsize=14, ha="left", va="top")


def show_score_table(
    table: pd.DataFrame, brackets: pd.DataFrame | None = None, low: float = 0.6, digits: int = 3
) -> None:
    """Show scores as a table, a deeper blue for a higher one; ``brackets`` are other scores, in brackets below each."""
    rows, columns = table.shape
    _, axis = plt.subplots(figsize=(WIDTH, 0.75 * rows + 0.5))
    axis.imshow(table.to_numpy(), cmap="Blues", vmin=low, vmax=2.2 - low, aspect="auto")
    for (i, j), score in np.ndenumerate(table.to_numpy()):
        axis.text(j, i, f"{score:.{digits}f}", ha="center", va="center" if brackets is None else "bottom", fontsize=17)
        if brackets is not None:
            axis.text(j, i + 0.08, f"({brackets.iloc[i, j]:.3f})", ha="center", va="top", fontsize=12)
    axis.set_xticks(range(columns), list(table.columns), fontsize=11)
    axis.set_yticks(range(rows), list(table.index), fontsize=11)
    axis.set_xticks(np.arange(columns - 1) + 0.5, minor=True)
    axis.set_yticks(np.arange(rows - 1) + 0.5, minor=True)
    axis.tick_params(which="both", length=0, top=False, labeltop=True, labelbottom=False)
    axis.grid(False)
    axis.grid(which="minor", color="white", linewidth=3, alpha=1)
    axis.spines[:].set_visible(False)


def draw_counts(counts: Tensor, k: int, names: Sequence[str]) -> None:
    """Draw confusion counts (K, K) and mark, for class ``k``, the shared pixels and those that are in one mask only."""
    size = len(names)
    figure, axis = plt.subplots(figsize=(6, 0.55 * size + 1.2))
    for (row, column), number in np.ndenumerate(counts.numpy()):
        colour = "white"
        if row == column == k:
            colour = "#8FC3E5"
        elif k in (row, column):
            colour = "#D6E9F6"
        axis.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="0.6"))
        axis.text(column + 0.5, row + 0.5, f"{number}", ha="center", va="center", fontsize=13)
    axis.set(xlim=(0, size), ylim=(size, 0))
    axis.set_xticks(np.arange(size) + 0.5, [f"called {name}" for name in names])
    axis.set_yticks(np.arange(size) + 0.5, [f"truth: {name}" for name in names])
    axis.tick_params(length=0, labeltop=True, labelbottom=False)
    axis.spines[:].set_visible(False)
    axis.grid(False)
    legend = {f"shared by both: {names[k]}": "#8FC3E5", f"{names[k]} in one of the two": "#D6E9F6"}
    patches = [Patch(facecolor=colour, edgecolor="0.6", label=label) for label, colour in legend.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=2)


def show_interior_and_membrane(other_iou: Callable[[float, float], float]) -> None:
    """Show the IoU of the membrane against that of the interior, and where published and own networks lie.

    ``other_iou(iou, fraction)`` gives the IoU of the other class if false positives and false negatives balance. A band
    reaches from false positives alone to false negatives alone.
    """
    white = pixel_error.WHITE
    _, axis = plt.subplots(figsize=(7.5, 4.3))
    curve = np.linspace(white, 1, 100)
    band = np.array([_bounds(float(value)) for value in curve])
    axis.fill_between(curve, *band.T, color="0.9", linewidth=0)
    axis.plot(curve, [other_iou(float(value), white) for value in curve], color="0.6")
    axis.plot(white, 0, "X", color="black", markersize=9, clip_on=False, zorder=3)
    axis.annotate("everything called interior", (white, 0), (10, 5), textcoords="offset points")
    best, measured = list(pixel_error.measured().items())[-1]  # the best of this course
    entry = "U-Net's entry to the challenge"
    whites = {entry: pixel_error.iou_of(pixel_error.PUBLISHED[entry])} | pixel_error.REPORTED
    points = {name: (value, other_iou(value, white)) for name, value in whites.items()} | {best: measured}
    for (name, (x, y)), colour in zip(points.items(), (BLUE, ORANGE, ORANGE, GREEN), strict=True):
        axis.plot(x, y, "s" if name == best else "o", color=colour, markersize=8)
        if name == entry:
            low, high = _bounds(x)
            axis.vlines(x, low, high, color=colour, linewidth=2)
            text = f"{name}:\n{x:.3f} / {low:.3f} to {high:.3f}"
            axis.annotate(text, (x, y), (10, -34), textcoords="offset points", va="center")
        else:
            text = f"{'the best U-Net of this course' if name == best else name}: {x:.3f} / {y:.3f}"
            up = 20 if name == best else 8
            axis.annotate(text, (x, y), (-10, up), textcoords="offset points", ha="right", va="center")
    axis.set(xlabel="IoU of the interior", ylabel="IoU of the membrane", xlim=(0.72, 1), ylim=(-0.02, 1))


def _bounds(interior: float) -> tuple[float, float]:
    """Return the lowest and the highest IoU of the membrane: all mistakes are false positives, or false negatives."""
    low, high = (pixel_error.other_iou(interior, pixel_error.WHITE, missed) for missed in (0, 1))
    return low, high


def show_by_batch_size(
    scores: Mapping[str, Sequence[float]], sizes: Sequence[int], steady: Mapping[str, float]
) -> None:
    """Show scores that change with the batch size as curves, and those that do not as labelled lines."""
    _, axis = plt.subplots(figsize=(WIDTH, 3))
    for name, values in scores.items():
        axis.semilogx(sizes, values, "o-", base=2, label=name)
    for name, value in steady.items():
        axis.axhline(value, color="black", linewidth=1, linestyle="--")
        axis.annotate(f" {name}", (1, value), xycoords=("axes fraction", "data"), va="center")
    axis.set(xlabel="batch size", ylabel="IoU of the membrane")
    axis.set_xticks(sizes, list(map(str, sizes)))
    axis.minorticks_off()
    axis.legend(title="mean of the batches")


def draw_score_map() -> None:
    """Draw the path from two masks to a printed score: what is counted, and what must be said beside the number."""
    _, axis = plt.subplots(figsize=(WIDTH, 3.4))
    counted = {
        "IoU, Dice": "pixels: TP,\nFP, FN, TN",
        "boundary\nscore": "borders:\nhow near?",
        "V_rand": "cells: which\npixels together?",
    }
    asked = ["whose class?\nempty masks?", "within how\nmany pixels?", "who gets the\nmembrane's\npixels?"]
    _box(axis, 0.0, 1, "truth and\nprediction", KNOWN)
    _box(axis, 0.83, 1, "over what?\nall pixels,\nimages, patches", ASKED)
    _box(axis, 0.83, 0, "the printed\nscore", KNOWN)
    axis.annotate("", (0.915, 0.38), (0.915, 0.62), arrowprops={"arrowstyle": "->", "color": "0.3"})
    for row, ((name, text), question) in enumerate(zip(counted.items(), asked, strict=True)):
        y = 2 - row
        _box(axis, 0.26, y, f"{text}", KNOWN)
        _box(axis, 0.55, y, question, ASKED)
        axis.text(0.49, y + 0.12, name, ha="center", va="bottom", fontsize=10)
        for start, end in (((0.17, 1), (0.26, y)), ((0.43, y), (0.55, y)), ((0.72, y), (0.83, 1))):
            axis.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.3"})
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.5, 2.5))
    axis.axis("off")


def _box(axis: Axes, x: float, y: float, text: str, colour: str) -> None:
    box = FancyBboxPatch((x, y - 0.38), 0.17, 0.76, boxstyle="round,pad=0.002", facecolor=colour, edgecolor="0.5")
    axis.add_patch(box)
    axis.text(x + 0.085, y, text, ha="center", va="center", fontsize=10)
