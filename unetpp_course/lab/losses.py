"""Does Dice cope with a rare foreground where BCE does not? BCE, Dice and ½·BCE + Dice at three class balances.

A small U-Net looks for filled discs on drawn images of 64 × 64 pixels, among rings of the same size and tone, under a
slope of light and noise. All balances have the same discs; only their number changes: 20, 5 or 1 an image, about 20,
5 and 1 % of the pixels. Within a seed all losses see the same images in the same order and start from the same weights.
Every arm gets the same learning rates to choose from, on validation images, and as many steps. Two questions came up
when the first seed was looked at, and every trial was measured anew for them: is BCE's answer at 1 % wrong, or only cut
at the wrong place (the threshold is chosen on validation images too), and does it only need three times the steps?
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import product
from math import log

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Results, Row, Trial
from unetpp_course.lab.loops import train_steps
from unetpp_course.lab.results import unnest
from unetpp_course.lab.tables import across, as_text, interval
from unetpp_lib.engine import choose_runtime
from unetpp_lib.engine.loop import learning_rate, seeded
from unetpp_lib.losses import bce_dice_loss, bce_loss, deep_supervision_loss, soft_dice_loss
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork, UNet

Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[str, Loss] = {"bce": bce_loss, "dice": soft_dice_loss, "both": bce_dice_loss}
BALANCES = (20, 5, 1)  # discs an image, and about the % of foreground
SEEDS = (0, 1, 2, 3, 4)  # of images, weights and order alike
RATES = (3e-3, 1e-2, 3e-2)
PARTS = {"train": 96, "validation": 32, "test": 96}  # images
SIZE, WIDTHS = 64, (8, 16, 32)
STEPS, BATCH = 160, 4
LONG, LONG_RATES, LONG_DISCS = 3 * STEPS, RATES[1:], 1  # of the trials that ask whether time alone mends it
RINGS = 5  # an image
RADII = (3.2, 4.0)  # pixels: a disc has about 41, 1 % of an image
GAP = 1.5  # pixels between two objects at least
TRIES = 100_000  # places tried for the objects of one image
NOISE = 0.6  # spread; a disc is about 1 brighter than what surrounds it
THRESHOLDS = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))
SURE = 0.9  # so sure is a pixel that has this probability, or one less it


def draw_discs(discs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return an image (1, 64, 64), mean 0, and its mask (1, 64, 64), uint8, 1 within the discs."""
    random = np.random.default_rng((seed, discs))
    y, x = np.mgrid[:SIZE, :SIZE]
    centres, tried = np.empty((0, 2)), 0
    while len(centres) < discs + RINGS:
        if tried == TRIES:  # the places so far leave none free: start again
            centres, tried = np.empty((0, 2)), 0
        tried += 1
        place = random.uniform(RADII[1], SIZE - 1 - RADII[1], 2)
        if (np.hypot(*(centres - place).T) > 2 * RADII[1] + GAP).all():
            centres = np.vstack([centres, place])
    row, column = centres.T[..., None, None]
    radii = random.uniform(*RADII, (len(centres), 1, 1))
    distances = np.hypot(y - row, x - column)  # (objects, 64, 64)
    inside = distances <= radii
    mask = inside[:discs].any(axis=0)
    inside[discs:] &= distances[discs:] > radii[discs:] / 2  # a ring is a disc with a hole
    tone = (random.uniform(0.7, 1.3, radii.shape) * inside).sum(axis=0)
    slope = (random.normal(0, 0.5, (2, 1, 1)) * (np.stack([y, x]) / SIZE - 0.5)).sum(axis=0)
    image = tone + slope + random.normal(0, NOISE, tone.shape)
    return torch.from_numpy(image - image.mean()).float()[None], torch.from_numpy(mask).to(torch.uint8)[None]


@lru_cache(maxsize=6)
def draw_part(part: str, discs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return the images and masks, (N, 1, 64, 64) each, of one part of one seed."""
    first = 1000 * seed + sum(count for name, count in PARTS.items() if name < part)
    pairs = [draw_discs(discs, first + number) for number in range(PARTS[part])]
    images, masks = zip(*pairs, strict=True)
    return torch.stack(images), torch.stack(masks)


def draw_batches(discs: int, seed: int, steps: int) -> list[tuple[Tensor, Tensor]]:
    """Return the batches of a seed's first ``steps`` steps: images and masks, (4, 1, 64, 64) each."""
    images, masks = draw_part("train", discs, seed)
    generator = torch.Generator().manual_seed(seed)
    chosen = [torch.randperm(len(images), generator=generator)[:BATCH] for _ in range(steps)]
    return [(images[numbers], masks[numbers]) for numbers in chosen]


def train_network(
    loss: str | Loss, discs: int, rate: float, seed: int, steps: int = STEPS, start: float | None = None
) -> SegmentationNetwork:
    """Return a U-Net trained in float32, in evaluation mode; the rate falls to 0 along a cosine.

    ``loss`` is one of LOSSES or a function of logits and target, (N, 1, H, W) float32 each. With ``start`` the bias of
    the head starts where it alone gives this probability.
    """
    runtime = choose_runtime("cpu", "float32")
    with seeded(seed, runtime.device):
        network = runtime.place(UNet(widths=WIDTHS))
    if start is not None:
        torch.nn.init.constant_(network.heads[0].get_parameter("bias"), log(start / (1 - start)))
    batches = draw_batches(discs, seed, steps)
    if not isinstance(loss, str):
        batches = [(images, masks.float()) for images, masks in batches]
    falling = partial(learning_rate, steps=steps, highest=rate, warm_up=0)
    heads_loss = partial(deep_supervision_loss, loss=LOSSES[loss] if isinstance(loss, str) else loss)  # one head
    for _ in train_steps(network, batches, falling, runtime, heads_loss):
        pass
    return network.eval()


@torch.inference_mode()
def probabilities_of(network: SegmentationNetwork, images: Tensor) -> Tensor:
    """Return the network's probabilities of a disc, as `images` in shape."""
    return torch.sigmoid(network(images)[0])


def foreground_iou(p: Tensor, masks: Tensor, threshold: float = 0.5) -> float:
    """Return the IoU of the discs, mean over images."""
    return iou(confusion_counts(classify(p, threshold), masks))


def score(p: Tensor, masks: Tensor) -> dict[str, float | None]:
    """Return IoU at ½, and what tells whether the probabilities can be believed.

    ``error``: mean |p − y|; ``sure``: share of pixels outside 0.1 … 0.9; ``sure_when_wrong``: the same among pixels on
    the wrong side of ½; ``said``: mean p of the pixels called disc; ``held``: the share of them that is.
    """
    called, wrong, sure = p > 0.5, (p > 0.5) != (masks == 1), (p > SURE) | (p < 1 - SURE)
    return {
        "iou": foreground_iou(p, masks),
        "error": (p - masks).abs().mean().item(),
        "sure": sure.float().mean().item(),
        "sure_when_wrong": _mean(sure[wrong]),
        "said": _mean(p[called]),
        "held": _mean(masks[called]),
    }


def measure_network(network: SegmentationNetwork, discs: int, seed: int) -> Outcome:
    """Return the scores of a trained network on validation and test images.

    ``iou_tuned`` is the IoU at ``threshold``, the one of THRESHOLDS that does best on the validation images.
    """
    parts = {part: draw_part(part, discs, seed) for part in ("validation", "test")}
    answers = {part: (probabilities_of(network, images), masks) for part, (images, masks) in parts.items()}
    best = max(THRESHOLDS, key=lambda t: foreground_iou(*answers["validation"], t))
    scores = {part: {**score(*answer), "iou_tuned": foreground_iou(*answer, best)} for part, answer in answers.items()}
    return {"threshold": best, **scores}


def measure(loss: str, discs: int, seed: int, long: bool = False) -> Outcome:
    """Return the share of foreground in the test images, and what `measure_network` says of each learning rate."""
    foreground = draw_part("test", discs, seed)[1].float().mean().item()
    rates, steps = (LONG_RATES, LONG) if long else (RATES, STEPS)
    networks = ((rate, train_network(loss, discs, rate, seed, steps)) for rate in rates)
    return {"foreground": foreground} | {f"{rate:g}": measure_network(net, discs, seed) for rate, net in networks}


def loss_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the scores by learning rate, as a text, and part, "validation" or "test"."""
    rates = (rate for rate in outcome if rate != "foreground")
    for rate, part in product(rates, ("validation", "test")):
        yield from ({"rate": rate, "part": part} | row for row in unnest(outcome[rate][part], "score"))


def best_rate(results: Results, loss: str, discs: int, long: bool = False, by: str = "iou") -> str:
    """Return the learning rate with the highest validation score, mean over the seeds at hand."""
    scores = across(results.frame, "rate", loss=loss, discs=discs, long=long, part="validation", score=by)
    return str(scores.mean().idxmax())


def by_seed(results: Results, loss: str, discs: int, name: str = "iou", long: bool = False) -> "pd.Series[float]":
    """Return a test score of an arm by seed; ``name``: a key of `score`, or "iou_tuned".

    For "iou" the learning rate is the best at a threshold of ½, for all else the best at its own threshold.
    """
    rate = best_rate(results, loss, discs, long, by="iou" if name == "iou" else "iou_tuned")
    return across(results.frame, "rate", loss=loss, discs=discs, long=long, part="test", score=name)[rate]


def difference(results: Results, loss: str, discs: int, name: str = "iou", long: bool = False) -> str:
    """Return how much more than BCE a loss scores, paired by seed, with its 95 % t-interval."""
    return interval(by_seed(results, loss, discs, name, long) - by_seed(results, "bce", discs, name, long))


def table(results: Results) -> str:
    """Return the test scores by balance and loss, and the paired differences to BCE, from two seeds on."""
    rows = []
    arms = results.frame.groupby(["long", "discs", "loss"], sort=False)["seed"].nunique()
    for long, discs, loss in arms.index[arms > 1]:
        rates = [best_rate(results, loss, discs, long, by) for by in ("iou", "iou_tuned")]
        row = {"discs": f"{discs} long" if long else str(discs), "loss": loss, "rates": ", ".join(rates)}
        for name, title in (("iou", "IoU at ½"), ("iou_tuned", "IoU, own threshold")):
            row[title] = interval(by_seed(results, loss, discs, name, long))
            row[f"{title}, minus BCE"] = "" if loss == "bce" else difference(results, loss, discs, name, long)
        for name in ("error", "sure", "sure_when_wrong", "said", "held"):
            row[name] = by_seed(results, loss, discs, name, long).mean()
        rows.append(row)
    title = "test images; mean [95 % t-interval over seeds]; rates and thresholds were chosen on validation images"
    return f"{title}\n{as_text(rows, 'discs', 'loss')}"


def _mean(values: Tensor) -> float | None:
    return values.float().mean().item() if values.numel() else None


def make_trial(loss: str, discs: int, seed: int, long: bool = False) -> Trial:
    """Return the trial of one loss at one balance, with all learning rates."""
    settings = {
        "loss": loss, "discs": discs, "seed": seed, "rates": LONG_RATES if long else RATES,
        "steps": LONG if long else STEPS, "batch": BATCH, "images": PARTS, "size": SIZE, "widths": WIDTHS,
        "rings": RINGS, "radii": RADII, "gap": GAP, "noise": NOISE, "thresholds": THRESHOLDS, "device": "cpu",
    }  # fmt: skip
    name = f"{loss}-discs{discs}-seed{seed}" + ("-long" if long else "")
    columns = {"seed": seed, "loss": loss, "discs": discs, "long": long}
    return Trial(name, settings, lambda: measure(loss, discs, seed, long), columns, loss_rows)


CELLS = [*product(BALANCES, (False,)), (LONG_DISCS, True)]
TRIALS = tuple(make_trial(loss, discs, seed, long) for seed, (discs, long), loss in product(SEEDS, CELLS, LOSSES))

EXPERIMENT = Experiment("losses", "Does Dice cope with a rare foreground where BCE does not?", TRIALS, table)
