"""The figures of the results page, drawn from the stored results: what they show is said there."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unetpp_course import use_course_style
from unetpp_course.comparison_figures import draw_stage
from unetpp_course.lab import best_model, leakage, nuclei, read_results, supervision_seeds
from unetpp_course.lab.blocked_folds import FOLDS, TEST, by_fold, lead_interval
from unetpp_course.lab.folds import LAPTOP
from unetpp_course.style import WIDTH
from unetpp_course.supervision_figures import cut_losses, show_cut_losses, show_differences
from unetpp_lib.models import UNetPlusPlus, profile, prune

LOOK = {
    "unet": ("U-Net", "o", "#56B4E9"),
    "unet_matched": ("matched U-Net", "^", "#000000"),
    "unetpp_plain": ("UNet++ plain", "P", "#E69F00"),
    "unetpp": ("UNet++", "D", "#D55E00"),
}
SHOWN_PAIRS = (
    ("unetpp", "unet"), ("unetpp", "unet_matched"), ("unetpp_plain", "unet"), ("unetpp_plain", "unet_matched"),
    ("unetpp", "unetpp_plain"),
)  # fmt: skip
HELD_OUT = {"copies": "copies of the\ntraining slices", "slices": "other slices", "blocked": "a block of\nother slices"}
GAINS = {
    "train four times as long": ("long, last weights", best_model.START),
    "… and without augmentation": ("long, not augmented, last weights", "long, last weights"),
    "… and average over flips and turns": ("long, last weights, flips", "long, last weights"),
    "… and average the weights": ("long, average of weights", "long, last weights"),
}


def draw_lead(axis: Axes, row: int, lead: pd.DataFrame) -> None:
    """Draw differences (seeds × slices) as one row: a point for each fold and seed, their mean, its 95 % interval."""
    colour, values = "#0072B2", lead.to_numpy()
    found = lead_interval(values)
    axis.plot([found.low, found.high], [row, row], color=colour)
    axis.plot(found.mean, row, "|", color=colour, markersize=14, markeredgewidth=3)
    for means in by_fold(values):
        axis.plot(means, [row + 0.3] * len(FOLDS), "o", color="black", alpha=0.4, markersize=4)


def draw_leakage() -> Figure:
    """Draw the IoU of both classes by what was held out, a dot for each training."""
    use_course_style()
    results = read_results("leakage")
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.3), layout="constrained")
    for axis, (score, name) in zip(
        axes, {"white": "white, the cells' inside", "membrane": "membrane"}.items(), strict=True
    ):
        scores = leakage.by_seed(results, score, "head 4")
        for shift, network in ((-0.1, "unet"), (0.1, "unetpp")):
            label, marker, colour = LOOK[network]
            for place, protocol in enumerate(HELD_OUT):
                values = scores[protocol, network]
                axis.plot([place + shift] * len(values), values, marker, color=colour, label=label)
        axis.set_xticks(range(len(HELD_OUT)), list(HELD_OUT.values()))
        axis.set(title=name, xlim=(-0.5, 2.5), ylim=(0.55, 1))
        axis.grid(visible=False, axis="x")
    axes[0].axhline(0.8, color="0.4", linestyle=":")
    axes[0].text(2.45, 0.795, "everything called white", ha="right", va="top", color="0.3")
    axes[0].set_ylabel("IoU of what was held out")
    handles, labels = axes[1].get_legend_handles_labels()
    axes[1].legend(handles[:: len(HELD_OUT)], labels[:: len(HELD_OUT)], loc="upper right")
    return figure


def draw_folds() -> Figure:
    """Draw the membrane IoU of each slice of real tissue by network, and the paired differences between networks."""
    use_course_style()
    outcomes = read_results(LAPTOP.name)
    figure, (stack, pairs) = plt.subplots(1, 2, figsize=(WIDTH, 3.6), width_ratios=(3, 2), layout="constrained")
    for network, (label, marker, colour) in LOOK.items():
        values = LAPTOP.by_slice(outcomes, network, "membrane")
        stack.plot(values.T, marker, color=colour, markersize=3, alpha=0.3, markeredgewidth=0)
        stack.plot(values.mean(axis=0), marker + "-", color=colour, label=label, markersize=4, linewidth=1)
    for fold in FOLDS[1:]:
        stack.axvline(fold * TEST - 0.5, color="0.8", linewidth=1)
    stack.grid(visible=False, axis="x")
    stack.set(xlabel="slice of the stack (lines: folds)", xticks=range(0, 30, TEST), ylabel="membrane IoU, held out")
    stack.set_yticks([0.5, 0.55, 0.6, 0.65, 0.7])
    figure.legend(*stack.get_legend_handles_labels(), loc="outside upper left", ncols=4, frameon=False, fontsize=9)
    for row, (one, other) in enumerate(SHOWN_PAIRS):
        lead = LAPTOP.leads(outcomes, (one, other), "membrane")
        draw_lead(pairs, row, lead)
    pairs.axvline(0, color="black", linewidth=1)
    names = {network: label for network, (label, *_) in LOOK.items()}
    labels = [f"{names[one]}\n− {names[other]}" for one, other in SHOWN_PAIRS]
    pairs.set_yticks(range(len(labels)), labels, fontsize=8)
    pairs.set(ylim=(len(labels) - 0.4, -0.6), xlabel="difference in membrane IoU\n(points: fold, seed; lines: 95 %)")
    return figure


def draw_supervision() -> Figure:
    """Draw what deep supervision changes in twelve pairs of trainings: steps to an IoU of .60, and the last IoU."""
    use_course_style()
    results = read_results("supervision_seeds")
    supervised, plain = supervision_seeds.pairs(results)
    means, _ = supervision_seeds.pairs(results, "mean of heads")
    steps = supervised.apply(supervision_seeds.first_step) - plain.apply(supervision_seeds.first_step)
    scores = {"head 4": list((supervised - plain).iloc[-1]), "mean of heads": list((means - plain).iloc[-1])}
    show_differences({"head 4": list(steps)}, scores)
    return plt.gcf()


def draw_cuts() -> Figure:
    """Draw what each cut costs in IoU on three kinds of images, by the arithmetic that it leaves."""
    use_course_style()
    model = UNetPlusPlus(widths=(8, 16, 32, 64, 128)).eval()
    costs = [profile(prune(model, depth), 256, device="meta", repeats=1).macs for depth in range(1, 5)]
    show_cut_losses([100 * cost / costs[-1] for cost in costs], cut_losses())
    return plt.gcf()


def draw_view() -> Figure:
    """Draw what each head scores on drawn images with and without rings, and L2 trained alone beside head 2."""
    use_course_style()
    draw_stage(read_results("fair_stage"))
    return plt.gcf()


def draw_gains() -> Figure:
    """Draw what longer training and three further steps add to U-Net's membrane IoU, by fold and seed."""
    use_course_style()
    found = best_model.by_slice(read_results("best_model"), "membrane")
    figure, axis = plt.subplots(figsize=(WIDTH, 2.8), layout="constrained")
    for row, (one, other) in enumerate(GAINS.values()):
        draw_lead(axis, row, found[one] - found[other])
    axis.axvline(0, color="black", linewidth=1)
    axis.set_yticks(range(len(GAINS)), list(GAINS))
    axis.set(
        ylim=(len(GAINS) - 0.4, -0.6), xlabel="what it adds to the membrane IoU (points: fold and seed; lines: 95 %)"
    )
    axis.grid(visible=False, axis="y")
    return figure


def draw_nuclei() -> Figure:
    """Draw what the same predictions of U-Net score by each definition, a dot for each seed."""
    use_course_style()
    results = read_results("nuclei")
    figure, axis = plt.subplots(figsize=(WIDTH, 3.8), layout="constrained")
    names = sorted(
        nuclei.DEFINITIONS, key=lambda name: nuclei.by_seed(results, "small", nuclei.DEFINITIONS[name])["unet"].mean()
    )
    for row, name in enumerate(names):
        values = nuclei.by_seed(results, "small", nuclei.DEFINITIONS[name])["unet"]
        axis.plot(values, [row] * len(values), "o", color=LOOK["unet"][2])
        axis.plot(values.mean(), row, "|", color="black", markersize=14, markeredgewidth=2)
    for value, label in ((0.839, "re-implementation\n.839"), (0.9077, "paper\n.9077")):
        axis.plot([value, value], [-0.6, len(names) - 0.5], color="0.4", linestyle=":")
        axis.text(value, len(names) - 0.3, label, ha="center", va="bottom", color="0.3", linespacing=1.1)
    axis.set_yticks(range(len(names)), names)
    axis.set(ylim=(-0.6, len(names) + 1.1), xlabel="score of the same predictions (dots: three seeds)")
    axis.grid(visible=False, axis="y")
    return figure


RESULT_FIGURES: dict[str, Callable[[], Figure]] = {
    "leakage": draw_leakage,
    "folds": draw_folds,
    "supervision": draw_supervision,
    "cuts": draw_cuts,
    "view": draw_view,
    "gains": draw_gains,
    "nuclei": draw_nuclei,
}
