"""What notebooks 06 and 23 draw from numbers: pulls along a logit, where losses settle, the experiment `losses`."""

from collections.abc import Mapping
from math import pi

import matplotlib.pyplot as plt
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from unetpp_course.gradients import Loss, disc, negative_gradient, pull_ratio
from unetpp_course.lab import losses
from unetpp_course.lab.results import Results
from unetpp_lib.losses import bce_dice_loss, soft_dice_loss

NAMES = {"bce": "BCE", "dice": "Dice", "both": "½BCE + Dice"}
RULES = {"iou": "½", "iou_tuned": "own"}


def show_pull_by_logit() -> None:
    """Show how hard BCE and Dice pull a pixel of the truth, against its logit; both are 1 at a logit of 0."""
    z = torch.linspace(-8, 8, 161)
    p = z.sigmoid()
    _, axis = plt.subplots(figsize=(7, 2.8))
    for name, curve, place in (("BCE", 2 * (1 - p), (-7.5, 1.8)), ("Dice", 4 * p * (1 - p), (-2.9, 0.55))):
        (line,) = axis.plot(z, curve)
        axis.annotate(name, place, color=line.get_color(), fontsize=12)
    for logit, text in ((-4, "wrong, and certain"), (0, "in doubt"), (4, "right, and certain")):
        axis.annotate(text, (logit, 2.15), ha="center")
    axis.set(xlabel="logit of a pixel of the truth", ylabel="pull, 1 at logit 0", ylim=(0, 2.35))


def show_balance(foreground: float) -> None:
    """Show the `pull_ratio` of each loss where a network says the same p everywhere.

    ``foreground`` is the fraction of the pixels that belongs to the truth, a disc.
    """
    truth = disc(31.5, 31.5, (foreground * 64 * 64 / pi) ** 0.5)
    everywhere = torch.logspace(-2.3, torch.tensor(0.5).log10().item(), 40)  # p, from 0.005 to 0.5
    _, axis = plt.subplots(figsize=(7, 2.8))
    for name, loss in losses.LOSSES.items():
        logits = (torch.full_like(truth, p.item()).logit() for p in everywhere)
        ratios = [pull_ratio(negative_gradient(loss, z, truth)) for z in logits]
        (line,) = axis.loglog(everywhere, ratios)
        axis.annotate(NAMES[name], (0.53, ratios[-1]), va="center", color=line.get_color(), fontsize=12)
    axis.axvline(foreground, color="black", linewidth=1, linestyle=":")
    axis.set_xticks([foreground, 0.1, 0.5], [f"{foreground:g}", "0.1", "½"])
    axis.minorticks_off()
    axis.set_yticks([1, 10, 100], ["1", "10", "100"])
    axis.set(xlabel="p, the same everywhere", ylabel="all pulls down : up", xlim=(0.005, 1.6))


def show_settled(fractions: Tensor, settled: Mapping[str, Tensor]) -> None:
    """Show at which p each loss comes to rest, by the fraction of such pixels that is foreground."""
    _, axis = plt.subplots(figsize=(6, 3.2))
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for (name, p), mark in zip(settled.items(), "os^", strict=False):
        axis.plot(fractions, p, mark + "-", label=name)
    axis.axhline(0.5, color="black", linewidth=1, linestyle=":")
    axis.set(xlabel="fraction of such pixels that is foreground", ylabel="p that the loss settles on")
    axis.legend()


def show_two_rules(results: Results, own: Mapping[str, Mapping[str, float]] | None = None) -> None:
    """Show the IoU of one disc per image for each loss, cut at ½ and at the network's own threshold, seed by seed.

    ``results`` are those of the experiment `losses`; a line joins the two scores of one seed. ``own`` holds further
    scores by loss and rule ("iou", "iou_tuned"), drawn as stars.
    """
    _, axes = plt.subplots(1, 2, figsize=(8, 3.3), sharey=True)
    for axis, long in zip(axes, (False, True), strict=True):
        for number, loss in enumerate(NAMES):
            places = [3 * number, 3 * number + 1]
            scores = [losses.by_seed(results, loss, 1, rule, long).tolist() for rule in RULES]
            axis.plot(places, scores, "o-", color=f"C{number}", linewidth=1, alpha=0.6)
            if own and loss in own and not long:
                axis.plot(places, [own[loss][rule] for rule in RULES], "k*-", linewidth=1, markersize=12)
            axis.annotate(NAMES[loss], (sum(places) / 2, 0.93), ha="center", color=f"C{number}")
        ticks = [3 * number + place for number in range(len(NAMES)) for place in (0, 1)]
        axis.set_xticks(ticks, list(RULES.values()) * len(NAMES))
        axis.set(
            title=f"{losses.LONG if long else losses.STEPS} steps",
            xlabel="threshold",
            ylim=(-0.03, 1),
            xlim=(-0.6, 8.1),
        )
    axes[0].set_ylabel("IoU of the discs, test images")


def count_failures(results: Results) -> pd.DataFrame:
    """Return how many seeds find nothing, a test IoU below 0.05, at ½ and at their own threshold; one disc per image.

    ``results`` are those of the experiment `losses`; a last column has the mean IoU at the networks' own thresholds.
    """
    rows = {}
    for loss, name in NAMES.items():
        for steps, long in ((losses.STEPS, False), (losses.LONG, True)):
            scores = {rule: losses.by_seed(results, loss, 1, rule, long) for rule in RULES}
            rows[name, steps] = [*((one < 0.05).sum() for one in scores.values()), scores["iou_tuned"].mean().round(2)]
    columns = ["nothing found at ½", "nothing found at own", "mean IoU at own"]
    index = pd.MultiIndex.from_tuples(rows, names=["loss", "steps"])
    return pd.DataFrame(list(rows.values()), index, columns)


def three_losses() -> dict[str, Loss]:
    """Return the losses of exercise 23.1, by their places: ½·BCE + Dice, the printed first term, Dice by batch."""
    return {"first": bce_dice_loss, "second": _printed_first_term, "third": _dice_by_batch}


def _printed_first_term(logits: Tensor, target: Tensor) -> Tensor:
    return -0.5 * (target * logsigmoid(logits)).mean()


def _dice_by_batch(logits: Tensor, target: Tensor) -> Tensor:
    return soft_dice_loss(logits.reshape(1, 1, 1, -1), target.reshape(1, 1, 1, -1))
