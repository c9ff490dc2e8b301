"""What notebook 08 draws: a claim taken apart, a split, intervals that miss, pairs, and what was varied."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch
from numpy.typing import ArrayLike

from unetpp_course.style import LINE_COLOURS, NETWORK_STYLES, WIDTH

BLUE, DARK_ORANGE = LINE_COLOURS[0], LINE_COLOURS[3]
REPORTED = {"unet": 0.953, "unetpp": 0.978}  # IoU of white in Vinayak-VG's report
TRAIN, TEST = "#D6E9F6", DARK_ORANGE  # of files: trained on, held out
GREY = "0.45"
SHOWN = 60  # intervals of a simulation that are drawn; the title is about all of them


def draw_claim(steps: Mapping[str, pd.DataFrame], lazy: Sequence[float], causes: Sequence[str]) -> None:
    """Draw the report's two scores, and below them those of measured steps, one row each.

    ``steps`` maps a row's label to a table with a row for each seed and a column for each network. ``lazy`` is what the
    lazy prediction scores in each row, and ``causes`` is what has changed since the row above. The first of both belong
    to the first step.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 0.95 * len(steps) + 1.7))
    _draw_reported(axis)
    before = float(np.mean(list(REPORTED.values())))
    for row, (table, floor, cause) in enumerate(zip(steps.values(), lazy, causes, strict=True), start=1):
        for shift, (network, (_, colour)) in zip((-0.12, 0.12), NETWORK_STYLES.items(), strict=True):
            axis.plot(table[network], [row + shift] * len(table), "o", mfc="none", color=colour, markersize=7)
        axis.plot(floor, row, "x", color=GREY, markersize=9, markeredgewidth=2.5)
        now = float(table.to_numpy().mean())
        axis.annotate("", (now, row - 0.22), (before, row - 0.78), arrowprops={"arrowstyle": "->", "color": GREY})
        axis.text(
            min(before, now) - 0.03,
            row - 0.5,
            f"{cause}: {now - before:+.2f}".replace("-", "−"),
            ha="right",
            va="center",
        )
        before = now
    axis.set_yticks(range(len(steps) + 1), ["the report:\nwhite, copies held out", *steps])
    axis.set(xlim=(-0.02, 1.02), ylim=(len(steps) + 0.45, -0.5), xlabel="IoU (a dot for each of three training runs)")
    axis.grid(False, axis="y")
    _legend(figure, dict(NETWORK_STYLES.values()), lazy=True)


def _draw_reported(axis: Axes) -> None:
    for network, (_, colour) in NETWORK_STYLES.items():
        axis.plot(REPORTED[network], 0, "D", color=colour, markersize=8)
        place = {"unet": (-4, 9), "unetpp": (4, 9)}[network]
        side = {"unet": "right", "unetpp": "left"}[network]
        axis.annotate(f"{REPORTED[network]:.3f}", (REPORTED[network], 0), place, textcoords="offset points", ha=side)


def _legend(figure: Figure, colours: Mapping[str, str], *, lazy: bool) -> None:
    handles = [
        Line2D([], [], marker="o", mfc="none", color=colour, linestyle="", label=name)
        for name, colour in colours.items()
    ]
    if lazy:
        cross = {"marker": "x", "color": GREY, "linestyle": "", "markersize": 9, "markeredgewidth": 2.5}
        handles.append(Line2D([], [], label="the lazy prediction: everything is white", **cross))  # type: ignore[arg-type]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)


def draw_split(panels: Mapping[str, Collection[str]], slices: Sequence[str], copies: int = 14) -> None:
    """Draw a stack and its copies as a grid of files for each panel, which maps a title to the names that are held out.

    A column is a slice; the lowest row is the slice itself, and those above are its copies, named ``slice_copy3``.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 2.7), sharey=True, squeeze=False)
    for axis, (title, held_out) in zip(axes[0], panels.items(), strict=True):
        chosen = set(held_out)
        rows = [
            [(name if copy == 0 else f"{name}_copy{copy}") in chosen for name in slices] for copy in range(copies + 1)
        ]
        axis.pcolormesh(
            np.array(rows, dtype=int), cmap=ListedColormap([TRAIN, TEST]), vmin=0, vmax=1, edgecolors="white"
        )
        axis.set(title=title, xlabel="slice of the stack")
        axis.set_xticks([0.5, len(slices) / 2, len(slices) - 0.5], [slices[0], slices[len(slices) // 2], slices[-1]])
        axis.grid(False)
    axes[0, 0].set_yticks([0.5, copies / 2 + 0.5, copies + 0.5], ["slice itself", "copies", f"copy {copies}"])
    handles = [Patch(color=TRAIN, label="training"), Patch(color=TEST, label="test")]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)


def draw_known_and_unseen(frame: pd.DataFrame, live: Mapping[str, float]) -> None:
    """Draw the membrane IoU of stored runs on known and on unseen sources, joined run by run, and one live run.

    ``frame`` has a row for each run and the columns "known" and "unseen"; ``live`` has the same two.
    """
    _, axis = plt.subplots(figsize=(5.5, 3.4))
    for _, run in frame.iterrows():
        axis.plot([0, 1], [run["known"], run["unseen"]], "o-", color=BLUE, mfc="white", linewidth=1)
    axis.plot([0, 1], [live["known"], live["unseen"]], "*-", color="black", markersize=13)
    axis.annotate("your run", (0, live["known"]), (-10, 0), textcoords="offset points", ha="right", va="center")
    axis.set_xticks([0, 1], ["new copies of\nknown images", "copies of\nunseen images"])
    axis.set(xlim=(-0.5, 1.3), ylim=(0, 1), ylabel="membrane IoU")


def draw_intervals(panels: Mapping[str, Iterable[tuple[float, float]]], truth: float = 0.0) -> None:
    """Draw intervals (low, high) of repeated experiments for each panel; those that miss the truth are orange.

    The first SHOWN are drawn; the title says how many of all contain the truth.
    """
    _, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.0), sharey=True, squeeze=False)
    for axis, (title, found) in zip(axes[0], panels.items(), strict=True):
        intervals = np.asarray(list(found), dtype=float)
        caught = (intervals[:, 0] <= truth) & (truth <= intervals[:, 1])
        colours = np.where(caught, BLUE, DARK_ORANGE)[:SHOWN]
        axis.vlines(range(len(colours)), intervals[:SHOWN, 0], intervals[:SHOWN, 1], colors=colours, linewidth=2)
        axis.axhline(truth, color="black", linewidth=1.5)
        label = f"experiment (the first {len(colours)} of {len(caught)})"
        axis.set(title=f"{title}\n{caught.mean():.0%} of {len(caught)} contain the truth", xlabel=label)
    axes[0, 0].set_ylabel("score minus true mean")


def draw_pairs(
    one: ArrayLike, other: ArrayLike, names: tuple[str, str], intervals: Mapping[str, tuple[float, float]]
) -> None:
    """Draw paired scores, joined, and beside them their differences with intervals for the mean."""
    first, second = np.ravel(one), np.ravel(other)
    _, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.2), width_ratios=(1, 1.5))
    left.plot([0, 1], [first, second], "o-", color=GREY, mfc="white", linewidth=1)
    left.set_xticks([0, 1], names)
    left.set(xlim=(-0.3, 1.3), ylabel="membrane IoU")
    right.plot(second - first, np.zeros(len(first)), "o", mfc="none", color=GREY)
    for row, (low, high) in enumerate(intervals.values(), start=1):
        right.plot([low, high], [row, row], color=BLUE, linewidth=6, alpha=0.6, solid_capstyle="butt")
        right.plot((low + high) / 2, row, "o", color=BLUE)
    right.set_yticks(range(len(intervals) + 1), [f"{len(first)} pairs", *intervals])
    right.set(ylim=(len(intervals) + 0.5, -0.5), xlabel=f"{names[1]} minus {names[0]}")
    right.axvline(0, color="black", linewidth=1)


def draw_lead_table(leads: ArrayLike, title: str) -> None:
    """Draw a table of differences (seeds, blocks) as numbers on shades, and beside it the means of rows and columns."""
    table = np.asarray(leads, dtype=float)
    seeds, blocks = table.shape
    _, axis = plt.subplots(figsize=(WIDTH, 0.42 * seeds + 1.3))
    axis.pcolormesh(table, cmap="Blues", vmax=1.6 * table.max(), edgecolors="white", linewidth=2)
    for (seed, block), value in np.ndenumerate(table):
        axis.text(block + 0.5, seed + 0.5, f"{value:+.0f}", ha="center", va="center")
    for block, value in enumerate(table.mean(axis=0)):
        axis.text(block + 0.5, seeds + 0.6, f"{value:+.0f}", ha="center", va="center", fontweight="bold")
    for seed, value in enumerate(table.mean(axis=1)):
        axis.text(blocks + 0.6, seed + 0.5, f"{value:+.0f}", ha="center", va="center", fontweight="bold")
    axis.set_xticks(
        [*(np.arange(blocks) + 0.5), blocks + 0.6], [*(f"block {block}" for block in range(blocks)), "mean"]
    )
    axis.set_yticks([*(np.arange(seeds) + 0.5), seeds + 0.6], [*(f"seed {seed}" for seed in range(seeds)), "mean"])
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set(xlim=(0, blocks + 1.1), ylim=(seeds + 1.1, 0), title=title)
    axis.grid(False)


def draw_verdict(
    white: ArrayLike, membrane: ArrayLike, lazy: float, intervals: Mapping[str, Mapping[str, tuple[float, float]]]
) -> None:
    """Draw the report's scores, and below them U-Net's on blocks: runs (seeds, folds) of both classes with intervals.

    ``intervals`` maps a class to its intervals, the learner's first; ``lazy`` is the lazy prediction's IoU of white.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 4.0))
    _draw_reported(axis)
    ticks, labels, row = [0.0], ["the report: white, copies held out"], 1.2
    for title, values in {"white": np.ravel(white), "membrane": np.ravel(membrane)}.items():
        axis.plot(values, np.full(len(values), row), "o", mfc="none", color=BLUE)
        ticks, labels = [*ticks, row], [*labels, f"{title}, blocks held out: {len(values)} runs"]
        for (name, (low, high)), colour in zip(intervals[title].items(), ("black", BLUE), strict=True):
            row += 0.55
            axis.plot([low, high], [row, row], color=colour, linewidth=7, solid_capstyle="butt")
            ticks, labels = [*ticks, row], [*labels, name]
        row += 0.9
    axis.plot(lazy, 1.2, "x", color=GREY, markersize=9, markeredgewidth=2.5)
    axis.set_yticks(ticks, labels)
    axis.set(xlim=(0.55, 1.0), ylim=(row - 0.4, -0.6), xlabel="IoU (the lazy prediction scores 0 on membrane)")
    axis.grid(False, axis="y")
    _legend(figure, dict(NETWORK_STYLES.values()), lazy=True)


def draw_units() -> None:
    """Draw what contains what, from pixels to laboratories, and training runs beside it: what was varied is blue."""
    levels = {
        "laboratories": "another microscope, other stains, other annotators",
        "animals": "new tissue: the stack is from one fly, so nothing is known",
        "blocks of slices": "the unit of your interval; the crossed one sees them, too",
        "slices": "neighbours are alike, and count for less than their number",
        "files": "copies and tiles of one slice belong on one side",
        "pixels": "many, but neighbours nearly always agree",
    }
    _, axis = plt.subplots(figsize=(WIDTH, 3.95))
    for depth, (name, meaning) in enumerate(levels.items()):
        inset, top = 0.25 * depth, 5.4 - 0.77 * depth
        _draw_level(axis, (inset, 0.18 * depth), (10 - 2 * inset, top - 0.18 * depth), known=depth >= 2)
        axis.text(inset + 0.2, top - 0.36, f"{name}:", va="center", fontweight="bold")
        axis.text(3.2, top - 0.36, meaning, va="center")
    _draw_level(axis, (0, -1.15), (10, 0.75), known=True)
    axis.text(0.2, -0.78, "training runs:", va="center", fontweight="bold")
    axis.text(3.2, -0.78, "every seed met every block: crossed, not nested", va="center")
    axis.set(xlim=(-0.1, 10.1), ylim=(-1.25, 5.5))
    axis.axis("off")


def _draw_level(axis: Axes, corner: tuple[float, float], size: tuple[float, float], *, known: bool) -> None:
    style = "round,pad=0,rounding_size=0.15"
    face, edge, line = ("#D6E9F6", BLUE, "-") if known else ("white", GREY, "--")
    axis.add_patch(
        FancyBboxPatch(
            corner, *size, boxstyle=style, facecolor=face, edgecolor=edge, linestyle=line, linewidth=1.5, alpha=1
        )
    )
