"""The figures of notebook 05: what deep supervision changes, pair by pair, and what each cut costs on which images."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from unetpp_course.lab import folds, read_results
from unetpp_course.lab.blocked_folds import lead_interval
from unetpp_course.lab.intervals import Interval, t_interval
from unetpp_course.lab.supervision import SCORE
from unetpp_course.lab.supervision_seeds import LOOK
from unetpp_course.lab.tables import across

HEADS = ("head 1", "head 2", "head 3", "head 4")
Losses = dict[str, list[Interval]]


def show_differences(steps: Mapping[str, Sequence[float]], scores: Mapping[str, Sequence[float]]) -> None:
    """Draw differences, with deep supervision minus without: of steps above, of IoU below; a row for each label.

    A dot is a pair of seeds, a bar the 95 % interval of their mean. The band is one gap between two scored steps.
    """
    heights = (len(steps), len(scores))
    size = (8, 1.7 + 0.55 * sum(heights))
    _, (above, below) = plt.subplots(2, 1, figsize=size, gridspec_kw={"height_ratios": heights})
    above.axvspan(-LOOK, LOOK, color="C6", alpha=0.08, linewidth=0)
    _draw_rows(above, steps)
    above.set_xlabel("← sooner          steps to an IoU of 0.60, with minus without          later →")
    _draw_rows(below, scores)
    below.set_xlabel("← worse          last IoU, with minus without          better →")


def _draw_rows(axis: Axes, rows: Mapping[str, Sequence[float]]) -> None:
    axis.axvline(0, color="black", linewidth=1)
    for row, values in enumerate(rows.values()):
        interval = t_interval(values)
        axis.plot([interval.low, interval.high], [row, row], color="C0", linewidth=9, alpha=0.3, solid_capstyle="butt")
        for value in set(values):  # equal differences one above the other
            count = list(values).count(value)
            places = [row + 0.1 * (number - (count - 1) / 2) for number in range(count)]
            axis.plot([value] * count, places, "o", color="C0", markersize=4)
        axis.plot(interval.mean, row, "|", color="black", markersize=16, markeredgewidth=2)
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) - 0.45, -0.55)
    axis.grid(axis="y", visible=False)


def cut_losses() -> Losses:
    """Return by image set what each head's IoU is, minus head 4's: means with 95 % intervals, shallow to deep.

    The units are seeds for the drawn membranes (12) and for the nuclei (3, of the images at 96 × 96). For ISBI, three
    seeds are crossed with five folds, as in the tables.
    """
    drawn = across(read_results("supervision_seeds").frame, "output", variant="supervised", score=SCORE)
    where = {"network": "unetpp", "variant": "small", "epoch": "last", "score": "iou/foreground/pooled"}
    small = across(read_results("nuclei").frame, "output", **where)
    stack = read_results("folds")
    slices = {head: folds.LAPTOP.by_slice(stack, "unetpp", "membrane", output=head) for head in HEADS}
    return {
        "nuclei": [t_interval(list(small[head] - small["head 4"])) for head in HEADS],
        "ISBI membranes": [lead_interval(slices[head] - slices["head 4"]) for head in HEADS],
        "drawn membranes": [t_interval(list(drawn[head] - drawn["head 4"])) for head in HEADS],
    }


def show_cut_losses(percentages: Sequence[float], losses: Losses) -> None:
    """Draw what is left of head 4's IoU after each cut, by the arithmetic that the cut leaves."""
    _, axis = plt.subplots(figsize=(8, 3.8))
    axis.axhline(0, color="black", linewidth=1)
    for colour, (name, intervals) in zip(("C2", "C0", "C3"), losses.items(), strict=True):
        means = [interval.mean for interval in intervals]
        spread = [interval.mean - interval.low for interval in intervals]
        axis.errorbar(percentages, means, yerr=spread, fmt="o-", color=colour, capsize=3)
        axis.text(percentages[0] - 2, means[0], name, ha="right", va="center", color=colour)
    depths = [f"{percentage:.0f} %\ndepth {depth}" for depth, percentage in enumerate(percentages, start=1)]
    axis.set_xticks(percentages, depths)
    axis.set(xlim=(-19, 104), ylim=(-0.29, 0.03), xlabel="arithmetic that is left", ylabel="IoU, minus that of head 4")
