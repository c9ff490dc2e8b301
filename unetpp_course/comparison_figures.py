"""What notebook 12 shows: two networks compared in pairs of runs, what was equal, and which difference is which."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from numpy.typing import ArrayLike, NDArray

from unetpp_course.lab import architectures, best_model, converged, fair_stage, read_results
from unetpp_course.lab.blocked_folds import FOLDS, SHARED, by_fold
from unetpp_course.lab.folds import LAPTOP, SEEDS, Arm
from unetpp_course.lab.intervals import Interval, crossed_interval, t_interval
from unetpp_course.lab.results import Results
from unetpp_course.style import LINE_COLOURS, WIDTH
from unetpp_lib.errors import InputError

Pair = tuple[str, str]
Run = dict[str, Any]

BLUE, ORANGE, GREEN = LINE_COLOURS[0], LINE_COLOURS[1], LINE_COLOURS[2]
GREY, BLACK = "0.45", "0.1"
OPPONENTS = {  # name in the laboratory: name, marker and colour in the figures
    "unet": ("U-Net", "o", BLUE),
    "unet_wide": ("wide U-Net", "s", GREEN),
    "unet_matched": ("matched U-Net", "^", BLACK),
    "unetpp_plain": ("UNet++ plain", "P", ORANGE),
}
SCORE = "membrane"
STAGES = {"rings": ("with rings", LINE_COLOURS[3]), "no rings": ("without rings", BLUE)}  # of `fair_stage`
L2_ALONE = ("l2_alone", "head 2")


@cache
def _tissue() -> Results:
    return read_results(LAPTOP.name)


def runs_on_tissue(network: str, arm: Arm = "steps") -> list[Run]:
    """Return the runs of a network on the real slices, one for each seed and block: what they were, and their IoU."""
    table = LAPTOP.by_slice(_tissue(), network, SCORE, arm).to_numpy()
    passes = LAPTOP.configuration(network, 0, 0, arm).epochs
    return [
        {"seed": seed, "block": block, "passes": passes, "iou": iou}
        for seed, means in zip(SEEDS, by_fold(table).tolist(), strict=True)
        for block, iou in zip(FOLDS, means, strict=True)
    ]


def leads_on_tissue(one: str, other: str, arm: Arm = "steps") -> NDArray[np.float64]:
    """Return the membrane IoU of one network minus that of the other, in one arm of `folds`: (seeds, blocks)."""
    return by_fold(LAPTOP.leads(_tissue(), (one, other), SCORE, arm))


def longer_leads(pairs: Mapping[str, Pair]) -> dict[str, NDArray[np.float64]]:
    """Return the leads of the longer runs (seeds, blocks), as far as they were measured; nothing where none were."""
    try:
        results = read_results("converged")
    except InputError:
        return {}
    leads = {name: converged.lead(results, pair, SCORE).to_numpy() for name, pair in pairs.items()}
    return {f"{name},\n{converged.PASSES} passes": values for name, values in leads.items() if len(values)}


def gain_of_length() -> NDArray[np.float64]:
    """Return by how much U-Net's membrane IoU is higher after four times as many passes: (seeds, blocks)."""
    found = best_model.by_slice(read_results("best_model"), SCORE)
    return by_fold(found["long, last weights"] - found[best_model.START])


def lead_of(values: ArrayLike) -> Interval:
    """Return the mean lead with its 95 % interval: crossed for (seeds, blocks), Student's for one lead per seed."""
    table = np.asarray(values, dtype=float)
    return crossed_interval(table, SHARED) if table.ndim == 2 else t_interval(list(table))


def relative_costs() -> dict[str, dict[str, float]]:
    """Return by cost and network how many times U-Net's it is: of the small networks that were compared."""
    timed = _tissue()["step-seconds"]
    found = {network: (*architectures.cost(network), median(timed[network])) for network in OPPONENTS}
    names = ("parameters", "arithmetic", "seconds per step")
    base = found["unet"]
    return {
        name: {network: float(costs[k] / base[k]) for network, costs in found.items()} for k, name in enumerate(names)
    }


def draw_costs(costs: Mapping[str, Mapping[str, float]]) -> None:
    """Draw how many times U-Net's costs each network has: a row for each cost."""
    _, axis = plt.subplots(figsize=(WIDTH, 0.6 * len(costs) + 1.5))
    for network, (label, marker, colour) in OPPONENTS.items():
        values = [row[network] for row in costs.values()]
        axis.plot(values, range(len(costs)), marker, color=colour, markersize=10, alpha=0.8, label=label)
    axis.set_yticks(range(len(costs)), list(costs))
    axis.set(ylim=(len(costs) - 0.5, -0.5), xlim=(0.9, 3), xlabel="times as much as U-Net")
    plt.gcf().legend(loc="outside upper center", ncols=len(OPPONENTS))


def draw_leads(
    rows: Mapping[str, ArrayLike],
    colours: Mapping[str, str] | None = None,
    xlabel: str = "difference in membrane IoU",
    ringed: tuple[int, int] | None = None,
) -> None:
    """Draw differences, one row for each name: a dot for each pair of runs, and the 95 % interval of their mean.

    Leads are (seeds, blocks), drawn seed above seed, or one per seed. ``colours`` are of rows that are not blue.
    ``ringed`` is the (seed, block) of a pair that gets a ring in every row.
    """
    _, axis = plt.subplots(figsize=(WIDTH, 0.8 * len(rows) + 0.8))
    axis.axvline(0, color="black", linewidth=1)
    for row, (name, leads) in enumerate(rows.items()):
        values, found = np.asarray(leads, dtype=float), lead_of(leads)
        colour = (colours or {}).get(name, BLUE)
        axis.plot([found.low, found.high], [row, row], color=colour, linewidth=10, alpha=0.3, solid_capstyle="butt")
        axis.plot(found.mean, row, "|", color="black", markersize=18, markeredgewidth=2.5)
        for line, seed in enumerate(np.atleast_2d(values)):
            height = row + (0.16 * (line - 1) if values.ndim == 2 else 0)
            axis.plot(seed, [height] * len(seed), "o", color=colour, markersize=4.5)
        if ringed is not None:
            height = row + 0.16 * (ringed[0] - 1)
            axis.plot(values[ringed], height, "o", color=ORANGE, markersize=11, mfc="none", markeredgewidth=2)
        axis.text(1.01, row, _in_words(found), transform=axis.get_yaxis_transform(), va="center")
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set(ylim=(len(rows) - 0.4, -0.6), xlabel=f"{xlabel} (dots: pairs of runs; bar: 95 % interval of the mean)")
    axis.grid(visible=False, axis="y")


def _in_words(found: Interval) -> str:
    return f"{found.mean:+.3f}\n[{found.low:+.3f}, {found.high:+.3f}]".replace("-", "−")


def draw_stage(results: Results) -> None:
    """Draw what each head of UNet++ scores on drawn images, and L2 alone, by version: a dot for each complete seed.

    A line joins the means of the heads.
    """
    seeds, heads = fair_stage.complete_seeds(results), [f"head {depth}" for depth in range(1, 5)]
    _, axis = plt.subplots(figsize=(WIDTH, 3.6))
    for shift, (version, (label, colour)) in zip((-0.07, 0.07), STAGES.items(), strict=True):
        scores = [fair_stage.by_seed(results, version, ("unetpp", head))[seeds].to_numpy() for head in heads]
        for place, values in enumerate(scores):
            axis.plot([place + shift] * len(values), values, "o", color=colour, alpha=0.7)
        axis.plot(np.arange(len(heads)) + shift, np.mean(scores, axis=1), color=colour, label=label)
        alone = fair_stage.by_seed(results, version, L2_ALONE)[seeds].to_numpy()
        axis.plot([1 + 3 * shift] * len(alone), alone, "D", color=colour, mfc="white", label=f"L2 alone, {label}")
    axis.set_xticks(range(len(heads)), heads)
    axis.set(xlim=(-0.5, len(heads) - 0.5), ylabel="membrane IoU, test images")
    axis.legend(loc="lower right")


def draw_chain(ious: Mapping[str, float], arithmetic: Sequence[float], changes: Sequence[tuple[str, Interval]]) -> None:
    """Draw networks as boxes from left to right, and between two of them what changes and what it adds."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.5))
    for place, ((name, iou), times) in enumerate(zip(ious.items(), arithmetic, strict=True)):
        box = FancyBboxPatch(
            (2 * place - 0.42, -0.5), 0.84, 1, boxstyle="round,pad=0.05", facecolor="#D6E9F6", edgecolor=BLUE
        )
        axis.add_patch(box)
        text = f"{name}\narithmetic × {times:.1f}\nIoU {iou:.3f}"
        axis.text(2 * place, 0, text, ha="center", va="center", fontsize=11, linespacing=1.5)
    for place, ((left, right), (change, lead)) in enumerate(zip(pairwise(range(len(ious))), changes, strict=True)):
        _arrow(axis, 2 * left + 0.5, 2 * right - 0.5, 0)
        axis.text(2 * place + 1, 0.1, change, ha="center", va="bottom", fontsize=11)
        axis.text(2 * place + 1, -0.1, _in_words(lead), ha="center", va="top", fontsize=11)
    axis.set(xlim=(-0.6, 2 * len(ious) - 1.4), ylim=(-0.9, 0.9))
    axis.axis("off")
    figure.set_layout_engine("constrained")


def _arrow(axis: Axes, start: float, end: float, height: float) -> None:
    style = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.5}
    axis.annotate("", (end, height), (start, height), arrowprops=style)
