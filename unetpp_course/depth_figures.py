"""The figures of notebook 11: what each cut costs on which images, and a cut head beside a network trained alone."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from unetpp_course.lab import fair_stage, read_results
from unetpp_course.lab.intervals import Interval, t_interval
from unetpp_course.lab.results import Results
from unetpp_course.lab.tables import across
from unetpp_course.supervision_figures import HEADS, Losses, cut_losses

WHOLE_NUCLEI = {"network": "unetpp", "variant": "whole", "epoch": "last", "score": "iou/foreground/pooled"}


def losses_by_images() -> Losses:
    """Return by image set what each head's IoU is, minus head 4's, shallow to deep: `cut_losses`, and whole nuclei."""
    known = cut_losses()
    whole = across(read_results("nuclei").frame, "output", **WHOLE_NUCLEI)
    return {
        "nuclei, 96 × 96": known["nuclei"],
        "nuclei, full size": [t_interval(list(whole[head] - whole["head 4"])) for head in HEADS],
        "ISBI membranes": known["ISBI membranes"],
        "drawn membranes": known["drawn membranes"],
    }


def show_losses(losses: Losses, depths: Sequence[int] = (3, 2)) -> None:
    """Draw the loss of each cut, one panel for each depth and one row for each image set, with its 95 % interval."""
    _, axes = plt.subplots(1, len(depths), figsize=(8, 2.8), sharey=True, squeeze=False)
    for axis, depth in zip(axes.flat, depths, strict=True):
        for row, intervals in enumerate(losses.values()):
            _draw_interval(axis, row, intervals[depth - 1])
            axis.text(intervals[depth - 1].mean, row - 0.22, _signed(intervals[depth - 1].mean), ha="center")
        axis.axvline(0, color="black", linewidth=1)
        axis.set(title=f"L{depth}", xlabel="IoU, minus that of L4", xlim=(-0.22, 0.04))
        _name_rows(axis, list(losses))


def show_arms(arms: Mapping[str, Sequence[float]]) -> None:
    """Draw scores, one row for each arm: a dot for each seed, the 95 % interval of their mean, and the mean."""
    _, axis = plt.subplots(figsize=(8, 0.9 + 0.45 * len(arms)))
    right = max(max(values) for values in arms.values()) + 0.06
    for row, values in enumerate(arms.values()):
        interval = t_interval(list(values))
        _draw_interval(axis, row, interval, mean=False)
        axis.plot(values, [row] * len(values), "o", color="C0", markersize=4)
        axis.text(right, row, f"{interval.mean:.3f}", ha="right", va="center")
    _name_rows(axis, list(arms))
    axis.set(xlabel="membrane IoU on the test images; on the right: the mean", xlim=(None, right + 0.005))


def complete_stages(results: Results, outputs: Mapping[str, fair_stage.Output]) -> dict[str, pd.DataFrame]:
    """Return the scores of the named outputs in each version of `fair_stage`: the seeds that have all of them."""
    seeds = fair_stage.complete_seeds(results, outputs.values())
    return {
        version: pd.DataFrame(
            {name: fair_stage.by_seed(results, version, output)[seeds] for name, output in outputs.items()}
        )
        for version in fair_stage.VERSIONS
    }


def show_stages(stages: Mapping[str, pd.DataFrame]) -> None:
    """Draw scores, one panel for each version of the images and one line for each seed; outputs are in the columns."""
    _, axes = plt.subplots(1, len(stages), figsize=(8, 3), sharey=True, squeeze=False)
    for axis, (version, scores) in zip(axes.flat, stages.items(), strict=True):
        places = range(scores.shape[1])
        for _, row in scores.iterrows():
            axis.plot(places, row.to_numpy(), "o-", color="C0", linewidth=1)
        for place, mean in zip(places, scores.mean(), strict=True):
            if len(scores):
                axis.annotate(f"{mean:.2f}", (place, scores.to_numpy()[:, place].min()), (0, -17), **BELOW)
        count = "1 seed" if len(scores) == 1 else f"{len(scores)} seeds"
        axis.set(title=f"{version} ({count})", xlim=(-0.4, scores.shape[1] - 0.6))
        axis.set_xticks(places, list(scores))
        axis.grid(visible=False, axis="x")
    axes[0, 0].set(ylabel="membrane IoU, test", ylim=(0.6, 0.9))


BELOW = {"textcoords": "offset points", "ha": "center"}


def _draw_interval(axis: Axes, row: int, interval: Interval, mean: bool = True) -> None:
    axis.plot([interval.low, interval.high], [row, row], color="C0", linewidth=8, alpha=0.3, solid_capstyle="butt")
    if mean:
        axis.plot(interval.mean, row, "o", color="C0")


def _name_rows(axis: Axes, names: Sequence[str]) -> None:
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.7)
    axis.grid(visible=False, axis="y")


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
