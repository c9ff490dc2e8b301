"""Why does a network trained with BCE find no disc at ½? The bias of its head, shifted after training or set before it.

The discs, the network and its training are those of `losses`: one disc per image, BCE, 160 steps at the highest rate.
Each seed is trained twice, from the same weights and on the same images in the same order. The one network starts as
PyTorch leaves it, with p about ½ everywhere. The head of the other starts with a bias at which p is about PRIOR, the
fraction of pixels that are disc, so that no side outweighs the other in the first steps.
"""

from collections.abc import Iterator, Mapping

import pandas as pd
import torch

from unetpp_course.gradients import negative_gradient, pull_ratio
from unetpp_course.lab.base import Experiment, Outcome, Results, Trial
from unetpp_course.lab.losses import RATES, STEPS, draw_part, foreground_iou, train_network
from unetpp_course.lab.results import Row
from unetpp_course.lab.tables import across
from unetpp_lib.losses import bce_loss

PRIOR = 0.01  # the fraction of the pixels that are disc, with one disc per image
STARTS = {"usual": None, "prior": PRIOR}
SEEDS = (0, 1, 2, 3, 4, 5)
RATE = RATES[-1]
SHIFTS = (0.0, 0.5, 1.0, 1.5, 2.0)  # added to all logits of the trained network, as the head's bias would be


def measure(start: str, seed: int) -> Outcome:
    """Return what the trained network says of the test images, and its scores with all logits shifted."""
    images, masks = draw_part("test", 1, seed)
    network = train_network("bce", 1, RATE, seed, start=STARTS[start])
    with torch.no_grad():
        logits, truth = network(images)[0].double(), masks.double()
    weight, bias = network.heads[0].get_parameter("weight"), network.heads[0].get_parameter("bias")
    shifted = {
        f"{shift:g}": {
            "bce": bce_loss(logits + shift, truth).item(),
            "iou": foreground_iou((logits + shift).sigmoid(), masks),
        }
        for shift in SHIFTS
    }
    return {
        "as trained": {
            "highest p": logits.max().sigmoid().item(),
            "p of the bias": bias.sigmoid().item(),
            "weights above 0": int((weight > 0).sum()),
            "down : up": pull_ratio(negative_gradient(bce_loss, logits, truth)),
        },
        "shifted": shifted,
    }


def rows_of(outcome: Outcome) -> Iterator[Row]:
    """Yield the numbers of the network as trained, then BCE and IoU by shift."""
    yield from ({"score": name, "value": value} for name, value in outcome["as trained"].items())
    for shift, scores in outcome["shifted"].items():
        yield from ({"score": f"{name} {shift}", "value": value} for name, value in scores.items())


def by_seed(results: Results, start: str, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per seed of one start; ``columns`` are names of scores, and the titles that they get."""
    found = across(results.frame, "score", variant=start)[list(columns)].rename(columns=columns)
    found.columns.name = None
    return found


def table(results: Results) -> str:
    """Return, for each start and seed, the network as trained and its scores by shift, on the test images."""
    parts = []
    for start in results.frame["variant"].unique():
        scores = results.frame["score"].unique()
        found = by_seed(results, start, {name: name for name in scores})
        parts.append(f"start: {start}\n{found.round(4).to_string()}")
    return "\n\n".join(parts)


def make_trial(start: str, seed: int) -> Trial:
    """Return the trial of one start and one seed."""
    settings = {"start": STARTS[start], "seed": seed, "rate": RATE, "steps": STEPS, "shifts": list(SHIFTS)}
    columns = {"variant": start, "seed": seed}
    return Trial(f"{start}-seed{seed}", settings, lambda: measure(start, seed), columns, rows_of)


EXPERIMENT = Experiment(
    name="first_steps",
    question="Why does a network trained with BCE find no disc at ½?",
    trials=tuple(make_trial(start, seed) for seed in SEEDS for start in STARTS),
    table=table,
)
