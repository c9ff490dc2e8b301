"""The figures of notebook 02: a kernel on an image, rows of dots that show how far a value sees, windows that jump."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from unetpp_course.style import WIDTH, show_images, show_numbers

Layer = tuple[str, int]  # its kind ("conv", "pool" or "up") and its size
Window = tuple[int, int, int, int]  # first and last row, first and last column
Row = list[int]  # the dots of a row, by their number from the left

LABELS = {
    "conv": "convolution {0}×{0}",
    "pool": "pooling {0}×{0}",
    "up": "up-sampling by {0}",
}
MEMBRANE = 4  # the number of membranes among the rings, whose sizes are 1 to 3
KINDS = {
    MEMBRANE: "membranes",
    3: "large rings (81 to 106 px)",  # the boxes around the rings of the test images
    2: "medium rings (42 to 68 px)",
    1: "small rings (21 to 37 px)",
}
MARGIN = 2  # pixels beside the seen ones
RINGS = {3: "#542788", 2: "#8073ac", 1: "#b2abd2"}  # purple, as no head is; the larger the rings, the darker
FRAMES = ("C0", "C1", "C2", "C4")  # of heads 1 to 4
PARTS = ("C3", "C1", "C2", "C4", "C5")  # colours of the dots that the top one reads


def draw_convolution(image: Tensor, kernel: Tensor, places: Sequence[tuple[int, int]]) -> None:
    """Draw an image (H, W) in its frame of zeros, a 3×3 kernel and the result, all as numbers.

    In the image, 0 is dark; in the kernel and the result, darker means larger. For each place (row, column) of the
    result, a coloured frame shows the window that it comes from.
    """
    result = conv2d(image[None, None], kernel[None, None], padding=1)[0, 0]
    framed = pad(image, (1, 1, 1, 1))
    show_numbers({"image in a frame of zeros": framed, "kernel": kernel, "result": result}, one_scale=False)
    before, _, after = plt.gcf().axes
    brightest = float(framed.max())
    before.collections[0].set(cmap="gray", clim=(-brightest, 1.1 * brightest))  # bright enough for black numbers
    height, width = image.shape
    before.add_patch(Rectangle((1, 1), width, height, fill=False, edgecolor="black", linestyle="--", linewidth=1.5))
    for colour, (row, column) in zip(("C3", "C2"), places, strict=True):
        style: dict[str, Any] = {"fill": False, "edgecolor": colour, "linewidth": 3}
        before.add_patch(Rectangle((column + 0.06, row + 0.06), 2.88, 2.88, **style))
        after.add_patch(Rectangle((column + 0.06, row + 0.06), 0.88, 0.88, **style))


def dots_read(layer: Layer, dot: int) -> Row:
    """Return which dots of the row below a dot reads."""
    kind, size = layer
    if kind == "conv":
        return [dot + shift for shift in range(-(size // 2), size // 2 + 1)]
    return [size * dot + shift for shift in range(size)] if kind == "pool" else [dot // size]


def dots_seen(layers: Sequence[Layer], dot: int) -> list[Row]:
    """Return row by row, from the image up, what a dot of the top row depends on; the last row is the dot itself."""
    rows = [[dot]]
    for layer in reversed(layers):
        rows.insert(0, sorted({read for seen in rows[0] for read in dots_read(layer, seen)}))
    return rows


def steps(layers: Sequence[Layer]) -> list[float]:
    """Return row by row, from the image up, how many pixels two neighbouring dots lie apart."""
    found = [1.0]
    for kind, size in layers:
        found.append(found[-1] * {"conv": 1, "pool": size, "up": 1 / size}[kind])
    return found


def draw_reach(layers: Sequence[Layer], count: bool = True, parts: bool = False) -> None:
    """Draw a row of dots for the image and for each layer, and in colour all that one dot of the top row depends on.

    ``layers`` are pairs of a kind ("conv", "pool", "up") and a size, from the image up. With ``count`` a line below
    says how many pixels are seen. With ``parts`` the dots that the top one reads have a colour each, and bars in these
    colours show what each of them sees.
    """
    apart = steps(layers)
    dot = 8 * round(max(apart) / apart[-1])  # any dot far enough from number 0
    seen = dots_seen(layers, dot)
    first, last = seen[0][0], seen[0][-1]
    _, axis = plt.subplots(figsize=(WIDTH, 0.42 * len(seen) + 0.35 * count + 0.75 * parts + 0.1))
    for number, row in enumerate(seen):
        draw_row(axis, number, row, apart[number], (first - MARGIN, last + MARGIN + 1))
        if number > 0:
            draw_lines(axis, number, row, layers[number - 1], apart)
        label, weight = "image", "normal"
        if number > 0:
            kind, size = layers[number - 1]
            label = LABELS[kind].format(size)
            if kind == "up":
                weight = "bold"
                axis.axhspan(number - 0.36, number + 0.36, color="C1", alpha=0.25, linewidth=0, zorder=0)
        axis.text(first - MARGIN - 0.2, number, label, ha="right", va="center", weight=weight)
    axis.plot((dot + 0.5) * apart[-1], len(layers), "o", color="black", markersize=11, zorder=4)
    lowest = draw_parts(axis, layers, seen[-2], apart[-2]) if parts else -0.3
    if count:
        draw_count(axis, first, last, lowest - 0.5)
        lowest -= 0.9
    share = (last - first + 1 + 2 * MARGIN) / 0.78  # the labels take the rest of the width
    axis.set(xlim=(last + MARGIN + 1.2 - share, last + MARGIN + 1.2), ylim=(lowest, len(layers) + 0.5))
    axis.axis("off")


def draw_row(axis: Axes, number: int, seen: Row, apart: float, ends: tuple[int, int]) -> None:
    """Draw the dots of a row between two places, those that are seen in blue."""
    places = [(dot + 0.5) * apart for dot in range(ends[1] + 1) if ends[0] < (dot + 0.5) * apart < ends[1]]
    axis.plot(places, [number] * len(places), "o", color="white", markeredgecolor="0.6", markersize=8, zorder=2)
    blue = [(dot + 0.5) * apart for dot in seen]
    axis.plot(blue, [number] * len(blue), "o", color="C0", markersize=9, zorder=3)


def draw_lines(axis: Axes, number: int, seen: Row, layer: Layer, apart: Sequence[float]) -> None:
    """Draw a line from each seen dot of a row to each dot that it reads in the row below."""
    for dot in seen:
        for read in dots_read(layer, dot):
            ends = (dot + 0.5) * apart[number], (read + 0.5) * apart[number - 1]
            axis.plot(ends, (number, number - 1), color="C0", linewidth=1, alpha=0.5, zorder=1)


def draw_parts(axis: Axes, layers: Sequence[Layer], read: Row, apart: float) -> float:
    """Colour the dots that the top one reads, draw what each of them sees below the image; return the lowest place."""
    for number, (dot, colour) in enumerate(zip(read, PARTS, strict=False)):
        axis.plot((dot + 0.5) * apart, len(layers) - 1, "o", color=colour, markersize=11, zorder=4)
        pixels = dots_seen(layers[:-1], dot)[0]
        place = -0.55 - 0.38 * number
        axis.plot([pixels[0] + 0.1, pixels[-1] + 0.9], [place] * 2, color=colour, linewidth=6, solid_capstyle="butt")
    return -0.55 - 0.38 * (len(read) - 1)


def draw_count(axis: Axes, first: int, last: int, place: float) -> None:
    """Draw a line with two arrowheads below the pixels that are seen, and their number."""
    axis.annotate("", (first, place), (last + 1, place), arrowprops={"arrowstyle": "<->", "shrinkA": 0, "shrinkB": 0})
    text = f"{last - first + 1} pixels"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axis.text((first + last + 1) / 2, place, text, ha="center", va="center", weight="bold", bbox=box)


def draw_windows(columns: Sequence[int], edges: Sequence[tuple[int, int]], square: int) -> None:
    """Draw for each pixel, given by its column, the window that is seen: from its first to its last column.

    Dotted lines, ``square`` pixels apart, show where edges can lie.
    """
    _, axis = plt.subplots(figsize=(WIDTH, 0.21 * len(columns) + 0.8))
    lefts, rights = [first for first, _ in edges], [last + 1 for _, last in edges]
    places = [*range(min(lefts), max(lefts) + 1, square), *range(min(rights), max(rights) + 1, square)]
    for place in places:
        axis.axvline(place, color="0.5", linestyle=":", linewidth=1.2, zorder=1)
    for row, (column, left, right) in enumerate(zip(columns, lefts, rights, strict=True)):
        axis.barh(row, right - left, left=left, height=0.7, color="C0", alpha=0.45, zorder=2)
        axis.plot(column + 0.5, row, "s", color="black", markersize=5, zorder=3)
        axis.text(max(rights) + 3, row, f"{right - left} pixels", va="center")
    axis.set_yticks(range(len(columns)), [f"pixel {column}" for column in columns])
    axis.set(ylim=(len(columns) - 0.4, -0.6), xlim=(min(lefts) - 4, max(rights) + 16), xlabel="column of the image")
    axis.grid(visible=False)


def show_checkerboard(network: nn.Module, image: Tensor, batch: Tensor, channel: int) -> None:
    """Show a piece of an image, of a channel of the last up-convolution's map, of the probabilities and of the logits.

    ``network`` is a U-Net with the library's names, ``batch`` is the image as it reads it, (1, 1, H, W). Logits are
    shown from 2 upwards, where the probabilities are close to 1.
    """
    written: list[Tensor] = []
    hook = network.get_submodule("decoder.0.up").register_forward_hook(lambda _layer, _read, map_: written.append(map_))
    try:
        with torch.inference_mode():
            logits = network(batch)[0]
    finally:
        hook.remove()
    piece = (slice(100, 132), slice(80, 112))
    doubled, certain = written[0][0, channel][piece], logits[0, 0][piece].clamp(min=2)
    panels = {"image": image[0][piece], "doubled map": (doubled - doubled.min()) / (doubled.max() - doubled.min())}
    panels["prediction"] = torch.sigmoid(logits[0, 0][piece])
    show_images(panels | {"logits above 2": (certain - 2) / (certain.max() - 2)}, columns=5)


def draw_blindfolded(probabilities: Tensor, uncovered: Tensor) -> None:
    """Draw the heads' probabilities of membrane at one pixel, with a panel for each window that is left open.

    ``probabilities`` is (windows, heads, pictures), ``uncovered`` (heads,) what they say of the whole image.
    """
    heads = range(1, len(uncovered) + 1)
    _, axes = plt.subplots(1, len(probabilities), figsize=(WIDTH, 2.9), sharey=True, squeeze=False)
    for number, (axis, blind) in enumerate(zip(axes[0], probabilities, strict=True), start=1):
        axis.plot(heads, uncovered, "_", color="black", markersize=22, markeredgewidth=2, label="nothing covered")
        for head, dots in zip(heads, blind, strict=True):
            axis.plot([head] * len(dots), dots, "o", color=FRAMES[head - 1], alpha=0.55, markersize=7)
        axis.axhline(0.5, color="0.5", linestyle=":", linewidth=1.2)
        axis.set(title=f"open for head {number}", xlabel="head", xticks=heads, xlim=(0.4, len(uncovered) + 0.6))
    axes[0, 0].set(ylabel="probability of membrane", ylim=(-0.04, 1.04))
    axes[0, -1].legend(loc="center")


def draw_frames(truth: Tensor, rings: Tensor, row: int, column: int, frames: Mapping[str, Window]) -> None:
    """Draw membranes, distractors and a pixel, and frames with their labels.

    ``truth`` (1, H, W) is 0 on membranes, ``rings`` (1, H, W) above 0 on distractors; ``frames`` maps labels to
    windows: the first and the last row, and the first and the last column.
    """
    _, axis = plt.subplots(figsize=(WIDTH, 4.2))
    colours = ListedColormap(["white", "0.35", "0.75"])
    kinds = torch.where(rings[0] > 0, 2, (truth[0] == 0).int())
    axis.imshow(kinds.numpy(), cmap=colours, vmin=0, vmax=2, interpolation="nearest")
    width = truth.shape[-1]
    for number, (label, (top, bottom, left, right)) in enumerate(frames.items()):
        colour = FRAMES[number % len(FRAMES)]
        sides = right - left + 1, bottom - top + 1
        corner = (left - 0.5, top - 0.5)  # pixel centres lie on whole numbers
        axis.add_patch(Rectangle(corner, *sides, fill=False, edgecolor=colour, linewidth=2.5))
        place = (width + 10, 20 + number * 24)  # of the label, beside the image
        axis.annotate(label, place, color=colour, weight="bold", annotation_clip=False, va="center")
    axis.annotate("dark grey: membranes", (width + 10, 130), annotation_clip=False, va="center")
    axis.annotate("light grey: distractors", (width + 10, 150), annotation_clip=False, va="center")
    axis.plot(column, row, "r+", markersize=12, markeredgewidth=2)
    axis.add_patch(Rectangle((-0.5, -0.5), width, len(kinds), fill=False, edgecolor="black"))
    axis.set(xticks=[], yticks=[], xlim=(-8, width + 8), ylim=(len(kinds) + 8, -8))
    axis.spines[:].set_visible(False)
    axis.grid(visible=False)


def called_membrane(
    heads: Sequence[Tensor], samples: Sequence[tuple[Tensor, Tensor, Tensor]]
) -> dict[str, list[float]]:
    """Return for each kind of pixel the percentage that the heads call membrane: one number per head.

    ``heads`` are the logits (heads, H, W) of each image, below or at 0 for membrane. ``samples`` are the images with
    their masks, which are 0 on membranes, and their rings, numbered by size, each (1, H, W).
    """
    found = {}
    for kind, name in KINDS.items():
        calls = []
        for logits, (_, mask, rings) in zip(heads, samples, strict=True):
            kinds = torch.where(mask == 0, MEMBRANE, rings)[0]
            calls.append(logits[:, kinds == kind] <= 0)  # (heads, pixels of this kind)
        found[name] = (100 * torch.cat(calls, dim=1).float().mean(dim=1)).tolist()
    return found


def draw_called(called: Mapping[str, Sequence[float]], windows: Sequence[int]) -> None:
    """Draw what `called_membrane` returns against the heads' windows; membranes, the control, are a dashed line."""
    _, axis = plt.subplots(figsize=(WIDTH, 3.2))
    for kind, name in KINDS.items():
        line = "o--" if kind == MEMBRANE else "o-"
        axis.plot(windows, called[name], line, color=RINGS.get(kind, "black"), label=name)
    axis.set_xticks(windows, [f"head {number}\n{side} px" for number, side in enumerate(windows, start=1)])
    axis.set(ylabel="pixels called membrane, %", xlabel="window (the one that you calculated)", ylim=(-3, 100))
    axis.legend(title="pixels on (with the sides of their boxes)", loc="center right")


def draw_influence(maps: Sequence[Tensor], squares: Sequence[int], windows: Sequence[int]) -> None:
    """Draw for each head how much the pixels around the middle count, relative to the one that counts most.

    ``maps`` are (H, W), one for each head, ``squares`` the sides of the squares to mark, ``windows`` those to show.
    """
    figure, axes = plt.subplots(1, len(maps), figsize=(WIDTH, 2.4))
    colours = plt.get_cmap("cividis", 8)
    for number, (axis, influence, square, window) in enumerate(zip(axes, maps, squares, windows, strict=True), start=1):
        middle, half = len(influence) // 2, window // 2
        part = influence[middle - half : middle + half, middle - half : middle + half]
        shades = (part / part.max()).clamp(min=1e-5).log10()
        shown = axis.imshow(shades.numpy(), cmap=colours, vmin=-4, vmax=0, interpolation="nearest")
        corner = half - square / 2 - 0.5
        axis.add_patch(Rectangle((corner, corner), square, square, fill=False, edgecolor="red", linewidth=1.8))
        axis.set(title=f"head {number}: {window} px", xticks=[], yticks=[])
    bar = figure.colorbar(shown, ax=axes, shrink=0.85, ticks=[-4, -3, -2, -1, 0])
    bar.ax.set_yticklabels(["1/10000", "1/1000", "1/100", "1/10", "largest"])
