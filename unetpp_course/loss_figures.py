"""What notebooks 06 and 23 draw from numbers: pulls along a logit, where losses settle, what became of the seeds."""

from collections.abc import Mapping
from functools import partial
from math import pi

import matplotlib.pyplot as plt
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from unetpp_course.gradients import Loss, disc, negative_gradient, pull_ratio
from unetpp_course.lab import first_steps, losses
from unetpp_course.lab.results import Results
from unetpp_course.lab.tables import across, pick
from unetpp_lib.losses import bce_dice_loss, bce_loss, soft_dice_loss

NAMES = {"bce": "BCE", "dice": "Dice", "both": "½BCE + Dice"}


def show_pull_by_logit() -> None:
    """Show how hard BCE and Dice pull a pixel of the truth, against its logit; each relative to its pull at p = ½."""
    z = torch.linspace(-8, 8, 161)
    p = z.sigmoid()
    _, axis = plt.subplots(figsize=(7, 2.8))
    for name, curve, place in (("BCE", 2 * (1 - p), (-7.5, 1.8)), ("Dice", 4 * p * (1 - p), (-2.9, 0.55))):
        (line,) = axis.plot(z, curve)
        axis.annotate(name, place, color=line.get_color(), fontsize=12)
    for logit, text in ((-4, "wrong, and certain"), (0, "in doubt"), (4, "right, and certain")):
        axis.annotate(text, (logit, 2.15), ha="center")
    axis.set(xlabel="logit of a pixel of the truth", ylabel="pull, times that at p = ½", ylim=(0, 2.35))


def show_balance(foreground: float) -> None:
    """Show the `pull_ratio` of each loss, Dice without smoothing, where a network says the same p everywhere.

    ``foreground`` is the fraction of the pixels that belongs to the truth, a disc.
    """
    truth = disc(31.5, 31.5, (foreground * 64 * 64 / pi) ** 0.5)
    everywhere = torch.logspace(-2.3, torch.tensor(0.5).log10().item(), 40)  # p, from 0.005 to 0.5
    _, axis = plt.subplots(figsize=(7, 3))
    unsmoothed: dict[str, Loss] = {
        "bce": bce_loss, "dice": partial(soft_dice_loss, smooth=0.0), "both": partial(bce_dice_loss, smooth=0.0),
    }  # fmt: skip
    for name, loss in unsmoothed.items():
        logits = (torch.full_like(truth, p.item()).logit() for p in everywhere)
        ratios = [pull_ratio(negative_gradient(loss, z, truth)) for z in logits]
        (line,) = axis.loglog(everywhere, ratios)
        axis.annotate(NAMES[name], (0.53, ratios[-1]), va="center", color=line.get_color(), fontsize=12)
    axis.axvline(foreground, color="black", linewidth=1, linestyle=":")
    axis.axhline(1, color="0.7", linewidth=1, zorder=0)
    axis.annotate("balance", (0.0053, 1.08), color="0.4", va="bottom")
    axis.annotate("", (0.15, 130), (0.45, 130), arrowprops={"arrowstyle": "->"})
    axis.annotate("training begins at ½", (0.14, 130), ha="right", va="center")
    axis.set_xticks([foreground, 0.1, 0.5], [f"{foreground:g}", "0.1", "½"])
    axis.minorticks_off()
    axis.set_yticks([0.5, 1, 10, 100], ["½", "1", "10", "100"])
    axis.set(xlabel="p, the same everywhere", ylabel="all pulls down : up", xlim=(0.005, 1.6), ylim=(0.25, 220))


def show_settled(fractions: Tensor, settled: Mapping[str, Tensor]) -> None:
    """Show at which p each loss comes to rest, by the fraction of such pixels that is foreground."""
    _, axis = plt.subplots(figsize=(6, 3.2))
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="p = fraction")
    for (name, p), mark in zip(settled.items(), "os^", strict=False):
        axis.plot(fractions, p, mark + "-", label=name)
    axis.axhline(0.5, color="black", linewidth=1, linestyle=":")
    axis.set(xlabel="fraction of such pixels that is foreground", ylabel="p that the loss settles on")
    axis.legend()


def show_probabilities(p: Mapping[str, Tensor], masks: Tensor) -> None:
    """Show for each network how many pixels of the discs and of the background have which probability."""
    _, axes = plt.subplots(1, len(p), figsize=(8, 2.9), sharey=True)
    edges = torch.linspace(0, 1, 41).tolist()
    for axis, (name, values) in zip(axes, p.items(), strict=True):
        for colour, label, truth in (("C0", "background", 0), ("C1", "disc", 1)):
            chosen = values[masks == truth].tolist()
            axis.hist(chosen, edges, color=colour, label=label, histtype="stepfilled", alpha=0.6)
        axis.axvline(0.5, color="black", linewidth=1, linestyle=":")
        axis.set(title=name, yscale="log", xlabel="p")
    axes[0].set_ylabel("pixels")
    axes[-1].legend(loc="upper center")


def count_failures(results: Results) -> pd.DataFrame:
    """Return how many seeds find nothing at ½, a test IoU below 0.05, by loss, steps and learning rate.

    ``results`` are those of the experiment `losses`; there is one disc per image.
    """
    columns = [(losses.STEPS, rate, False) for rate in losses.RATES]
    columns += [(losses.LONG, rate, True) for rate in losses.LONG_RATES]
    rows = []
    for loss in NAMES:
        row = []
        for _, rate, long in columns:
            where = {"loss": loss, "discs": 1, "long": long, "part": "test", "score": "iou", "rate": f"{rate:g}"}
            row.append(int((pick(results.frame, **where)["value"] < 0.05).sum()))
        rows.append(row)
    heads = pd.MultiIndex.from_tuples([(f"{steps} steps", rate) for steps, rate, _ in columns], names=[None, "rate"])
    return pd.DataFrame(rows, list(NAMES.values()), heads)


def compare_starts(results: Results) -> pd.DataFrame:
    """Return what became of BCE by seed, on the test images; ``results`` are those of the experiment `first_steps`.

    The shift is the one that lowers BCE most, of those that were tried on the network that started as usual.
    """
    usual, prior = (across(results.frame, "score", variant=start) for start in first_steps.STARTS)
    shifts = [f"{shift:g}" for shift in first_steps.SHIFTS]
    best = usual[[f"bce {shift}" for shift in shifts]].idxmin(axis=1).str.removeprefix("bce ")
    table = pd.DataFrame(
        {
            "weights above 0": usual["weights above 0"].astype(int),
            "highest p": usual["highest p"].round(2),
            "IoU": usual["iou 0"].round(2),
            "best shift": "+" + best,
            "IoU, shifted": [round(usual.loc[seed, f"iou {shift}"], 2) for seed, shift in best.items()],
            "IoU, started at 0.01": prior["iou 0"].round(2),
        }
    )
    table.index.name = "seed"
    return table


def three_losses() -> dict[str, Loss]:
    """Return the losses of exercise 23.1, by their places: ½·BCE + Dice, the printed first term, Dice by batch."""
    return {"first": bce_dice_loss, "second": _printed_first_term, "third": _dice_by_batch}


def _printed_first_term(logits: Tensor, target: Tensor) -> Tensor:
    return -0.5 * (target * logsigmoid(logits)).mean()


def _dice_by_batch(logits: Tensor, target: Tensor) -> Tensor:
    return soft_dice_loss(logits.reshape(1, 1, 1, -1), target.reshape(1, 1, 1, -1))
