"""Does Dice cope with a rare foreground where BCE does not? BCE, Dice and ½·BCE + Dice at three class balances.

A small U-Net looks for filled discs on drawn images of 64 × 64 pixels, among rings of the same size and tone, under a
slope of light and noise. All balances have the same discs; only their number changes: 20, 5 or 1 an image, about 20,
5 and 1 % of the pixels. Within a seed all losses see the same images in the same order and start from the same weights.
Every arm gets the same learning rates to choose from, on validation images, and as many steps.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from unetpp_lib.engine import choose_runtime
from unetpp_lib.experiments.base import Experiment, Outcome, Trial
from unetpp_lib.experiments.intervals import t_interval
from unetpp_lib.losses import bce_dice_loss, bce_loss, soft_dice_loss
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork, UNet

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "bce": bce_loss,
    "dice": soft_dice_loss,
    "both": bce_dice_loss,
}
BALANCES = (20, 5, 1)  # discs an image, and about the % of foreground
SEEDS = (0, 1, 2, 3, 4)  # of images, weights and order alike
RATES = (3e-3, 1e-2, 3e-2)
PARTS = {"train": 96, "validation": 32, "test": 96}  # images
SIZE, WIDTHS = 64, (8, 16, 32)
STEPS, BATCH = 160, 4
RINGS = 5  # an image
RADII = (3.2, 4.0)  # pixels: a disc has about 41, 1 % of an image
GAP = 1.5  # pixels between two objects at least
NOISE = 0.6  # spread; a disc is about 1 brighter than what surrounds it
THRESHOLDS = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))
SURE = 0.9  # so sure is a pixel that has this probability, or one less it


def draw_discs(discs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return an image (1, 64, 64), mean 0, and its mask (1, 64, 64), uint8, 1 within the discs."""
    random = np.random.default_rng((seed, discs))
    y, x = np.mgrid[:SIZE, :SIZE]
    centres = np.empty((0, 2))
    while len(centres) < discs + RINGS:
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


def train_network(loss: str, discs: int, rate: float, seed: int) -> SegmentationNetwork:
    """Return a U-Net trained with one of LOSSES, in evaluation mode; the rate falls to 0 along a cosine."""
    images, masks = draw_part("train", discs, seed)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = choose_runtime("cpu", "float32").place(UNet(widths=WIDTHS))
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        chosen = torch.randperm(len(images), generator=generator)[:BATCH]
        value = LOSSES[loss](network(images[chosen])[0], masks[chosen])
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    network.eval()
    return network


@torch.inference_mode()
def probabilities_of(network: SegmentationNetwork, images: Tensor) -> Tensor:
    """Return the network's probabilities of a disc, as `images` in shape."""
    logits: Tensor = network(images)[0]
    return logits.sigmoid()


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


def measure(loss: str, discs: int, seed: int) -> Outcome:
    """Return the scores on validation and test images, for each learning rate.

    ``iou_tuned`` is the test IoU at the threshold of THRESHOLDS that does best on the validation images.
    """
    parts = {part: draw_part(part, discs, seed) for part in ("validation", "test")}
    outcome: Outcome = {"foreground": parts["test"][1].float().mean().item()}
    for rate in RATES:
        network = train_network(loss, discs, rate, seed)
        answers = {part: probabilities_of(network, images) for part, (images, _) in parts.items()}
        scores = {part: score(answers[part], masks) for part, (_, masks) in parts.items()}
        best = max(THRESHOLDS, key=lambda t: foreground_iou(answers["validation"], parts["validation"][1], t))
        tuned = foreground_iou(answers["test"], parts["test"][1], best)
        outcome[f"{rate:g}"] = scores | {"threshold": best, "iou_tuned": tuned}
    return outcome


def trial_name(loss: str, discs: int, seed: int) -> str:
    """Return the name of the trial of one loss at one balance, with all learning rates."""
    return f"{loss}-discs{discs}-seed{seed}"


def best_rate(outcomes: Mapping[str, Outcome], loss: str, discs: int) -> str:
    """Return the learning rate with the highest validation IoU, mean over the seeds at hand."""
    found = _of_arm(outcomes, loss, discs)
    return max((f"{rate:g}" for rate in RATES), key=lambda rate: np.mean([o[rate]["validation"]["iou"] for o in found]))


def scores_of(outcomes: Mapping[str, Outcome], loss: str, discs: int, name: str = "iou") -> list[float]:
    """Return a test score of an arm at its best rate, one a seed; ``name``: a key of `score`, or "iou_tuned"."""
    rate = best_rate(outcomes, loss, discs)
    chosen = [outcome[rate] for outcome in _of_arm(outcomes, loss, discs)]
    return [scores["iou_tuned"] if name == "iou_tuned" else scores["test"][name] for scores in chosen]


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return the test scores by balance and loss, and the paired differences to BCE."""
    lines = [
        "test images; mean [95 % t-interval over seeds]; the rate was chosen on validation images",
        f"{'discs':<7}{'loss':<6}{'rate':<8}{'IoU':<25}{'IoU, tuned threshold':<25}{'IoU − BCE, paired':<25}"
        "error  sure   sure when wrong  said   held",
    ]
    for discs in BALANCES:
        for loss in LOSSES:
            if len(_of_arm(outcomes, loss, discs)) < 2:
                continue
            names = ("error", "sure", "sure_when_wrong", "said", "held")
            means = [f"{_mean_of(scores_of(outcomes, loss, discs, name)):.3f}" for name in names]
            cells = [str(t_interval(scores_of(outcomes, loss, discs, name))) for name in ("iou", "iou_tuned")]
            cells.append(_difference(outcomes, loss, discs))
            lines.append(
                f"{discs:<7}{loss:<6}{best_rate(outcomes, loss, discs):<8}"
                + "".join(f"{cell:<25}" for cell in cells)
                + f"{means[0]:<7}{means[1]:<7}{means[2]:<17}{means[3]:<7}{means[4]}"
            )
    return "\n".join(lines)


def _difference(outcomes: Mapping[str, Outcome], loss: str, discs: int) -> str:
    base, own = (scores_of(outcomes, name, discs) for name in ("bce", loss)) if loss != "bce" else ([], [])
    if not base or len(base) != len(own):
        return ""
    return str(t_interval([one - other for one, other in zip(own, base, strict=True)]))


def _of_arm(outcomes: Mapping[str, Outcome], loss: str, discs: int) -> list[Outcome]:
    return [outcomes[name] for seed in SEEDS if (name := trial_name(loss, discs, seed)) in outcomes]


def _mean(values: Tensor) -> float | None:
    return values.float().mean().item() if values.numel() else None


def _mean_of(values: list[float]) -> float:
    return float(np.mean([value for value in values if value is not None] or [np.nan]))


def _trial(loss: str, discs: int, seed: int) -> Trial:
    settings = {
        "loss": loss, "discs": discs, "seed": seed, "rates": list(RATES), "steps": STEPS, "batch": BATCH,
        "images": PARTS, "size": SIZE, "widths": list(WIDTHS), "rings": RINGS, "radii": list(RADII), "gap": GAP,
        "noise": NOISE, "device": "cpu",
    }  # fmt: skip
    return Trial(trial_name(loss, discs, seed), settings, lambda: measure(loss, discs, seed))


EXPERIMENT = Experiment(
    name="losses",
    question="Does Dice cope with a rare foreground where BCE does not?",
    trials=tuple(_trial(loss, discs, seed) for seed in SEEDS for discs in BALANCES for loss in LOSSES),
    table=table,
)
