"""What made the report's 2.5 points: its two recipes, or its two networks? Both networks, each trained by both recipes.

The report compares a U-Net, 95.3 % IoU of white, with a UNet++ without deep supervision, 97.8 %. Its code shows that
three things differ besides the network: the optimiser (SGD 0.001 with momentum 0.99, or Adam 0.001), the loss (BCE, or
½BCE + Dice) and the threshold of the score (logit > 0.5, so p > 0.622, or p > 0.5). Here every combination is measured.

Declared before the first trial ran:

- **Training**: group norm, 30 slices at 256×256 and 14 elastic copies of each, batch 1, a constant rate, no further
  augmentation, ten epochs of 360 steps for all, scored after each. Nothing is chosen by a score.
- **Two sizes**: widths 32 to 512 ("full"), half the report's; and 8 to 128 ("narrow"), which any two cores can train.
  Narrow networks say what the recipes do to small networks. They are no substitute for the full ones.
- **Held out**: a random fifth of the 450 images, as in the report, so that copies of one slice are on both sides
  ("copies"); and six neighbouring slices with all their copies ("blocked").
- **Score**: IoU of white, the mean over the held-out images, after the last epoch. The report keeps the best epoch.
- **Primary result**: the network's share of the difference between the report's two cells, on "copies". A step's share
  is averaged over the six orders in which recipe, threshold and network can be changed one after the other (Shapley's
  value), so that the shares add up to the difference. How far the network's step depends on the recipe is shown too.
- **Unit**: one training. Full: a second seed of the report's two cells shows how much a training varies; two seeds are
  no basis for an interval, and none is given. Narrow: three seeds of all four cells on "copies", shown one by one; the
  seed draws the held-out fifth as well.
- **Exploratory**: the same for membrane and for "blocked"; each cell after epoch 5 and after epoch 10; the score of 30
  training images beside that of the held-out ones.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice, permutations, product
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer

from unetpp_course.lab.base import Experiment, Outcome, Trial
from unetpp_course.lab.leakage import copy_name, draw_copies, halve, split_protocol
from unetpp_course.lab.loops import random_batches, train_steps
from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import choose_runtime
from unetpp_lib.engine.loop import HeadsLoss, seeded
from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.losses import bce_dice_loss, bce_loss
from unetpp_lib.metrics import confusion_counts, iou
from unetpp_lib.metrics.overlap import Average
from unetpp_lib.models import SegmentationNetwork, UNet, UNetPlusPlus

WIDTHS = {"full": (32, 64, 128, 256, 512), "narrow": (8, 16, 32, 64, 128)}
COPIES, EPOCHS, RATE, SHOWN = 14, 10, 1e-3, 30
BUILDERS: Mapping[str, Callable[..., SegmentationNetwork]] = {
    "unet": partial(UNet, norm="group"),
    "unetpp": partial(UNetPlusPlus, norm="group", deep_supervision=False),
}
THRESHOLDS = {"p > .5": 0.0, "logit > .5": 0.5}  # of the logit
CLASSES = {"white": "foreground", "membrane": "background"}

REPORT = (("unet", "sgd", "logit > .5"), ("unetpp", "adam", "p > .5"))
"""The two cells that the report compares: network, recipe, threshold."""
SEEDS = (0, 1, 2)


class Training(NamedTuple):
    """One training: the size (see `WIDTHS`), the network, the recipe, what is held out, and the seed."""

    size: str
    network: str
    recipe: str
    held_out: str
    seed: int


def sgd_recipe(network: SegmentationNetwork) -> tuple[Optimizer, HeadsLoss]:
    """Return what the report trains its U-Net with."""
    return SGD(network.parameters(), lr=RATE, momentum=0.99), lambda heads, masks: bce_loss(heads[-1], masks)


def adam_recipe(network: SegmentationNetwork) -> tuple[Optimizer, HeadsLoss]:
    """Return what the report trains its UNet++ with."""
    return Adam(network.parameters(), lr=RATE, fused=True), lambda heads, masks: bce_dice_loss(heads[-1], masks)


RECIPES = {"sgd": sgd_recipe, "adam": adam_recipe}


def read_parts(held_out: str, seed: int, dataset: str = "isbi2012") -> tuple[tuple[Tensor, Tensor], ...]:
    """Return images and masks (N, 1, 256, 256) of the training part and of the part that is held out.

    The images have mean 0 and standard deviation 1 over the training part.
    """
    slices = SegmentationFolder(find_dataset(dataset))
    pairs: dict[str, tuple[Tensor, Tensor]] = {}
    for number, name in enumerate(slices.names):
        images, masks = halve(*draw_copies(*slices[number], COPIES, seed=number))
        pairs |= {copy_name(name, copy): (images[copy], masks[copy]) for copy in range(COPIES + 1)}
    split = split_protocol(slices.names, held_out, seed, COPIES)
    (images, masks), test = (
        tuple(torch.stack(kind) for kind in zip(*(pairs[name] for name in part), strict=True))
        for part in (split.train, split.test)
    )
    mean, std = images.mean(), images.std()
    return ((images - mean) / std, masks), ((test[0] - mean) / std, test[1])


@torch.inference_mode()
def score(network: SegmentationNetwork, images: Tensor, masks: Tensor, runtime: Runtime) -> dict[str, dict[str, float]]:
    """Return by threshold the IoU of both classes: the mean over the images, and pooled over all their pixels."""
    network.eval()
    with runtime.autocast():
        logits = torch.cat([network(image[None])[-1].float() for image in images])
    network.train()
    scores = {}
    for name, threshold in THRESHOLDS.items():
        counts = confusion_counts((logits > threshold).to(torch.uint8), masks)
        scores[name] = {
            f"{label}, {average}": round(iou(counts, of, average), 5)  # type: ignore[arg-type]
            for label, of in CLASSES.items()
            for average in get_args(Average)
        }
    return scores


def train_epochs(
    training: Training, images: Tensor, masks: Tensor, runtime: Runtime
) -> Iterator[tuple[SegmentationNetwork, float]]:
    """Train at batch 1 and at a constant rate; yield the network and the mean loss after each epoch."""
    size, name, recipe, _, seed = training
    with seeded(seed, runtime.device):
        network = runtime.place(BUILDERS[name](widths=WIDTHS[size]))
    optimizer, loss = RECIPES[recipe](network)
    batches = random_batches(images, masks, 1, EPOCHS, seed)
    losses = train_steps(network, batches, lambda _: RATE, runtime, loss, seed, optimizer)
    for _ in range(EPOCHS):
        yield network, torch.stack(list(islice(losses, len(images)))).mean().item()


def measure(training: Training) -> Outcome:
    """Train one cell and return its scores after each epoch, on held-out images and on 30 training images."""
    runtime = choose_runtime("cpu")
    train, test = read_parts(training.held_out, training.seed)
    shown = torch.linspace(0, len(train[0]) - 1, SHOWN).long()
    history: list[dict[str, Any]] = []
    start = time.perf_counter()
    for network, loss in train_epochs(training, *train, runtime):
        trained = time.perf_counter()
        entry: dict[str, Any] = {"epoch": len(history) + 1, "loss": round(loss, 5)}
        entry["held out"] = score(network, *test, runtime)
        entry["training"] = score(network, train[0][shown], train[1][shown], runtime)
        entry |= {"seconds": round(trained - start, 1), "scoring": round(time.perf_counter() - trained, 1)}
        print(training, entry, flush=True)
        history.append(entry)
        start = time.perf_counter()
    white = torch.ones_like(test[1])
    trivial = iou(confusion_counts(white, test[1]), "foreground")
    return {"history": history, "all white": round(trivial, 5)}


def trial_name(training: Training) -> str:
    """Return the name of one training."""
    return f"{training.size}-{training.network}-{training.recipe}-{training.held_out}-seed{training.seed}"


def make_trial(training: Training) -> Trial:
    """Return one trial."""
    settings = training._asdict() | {"widths": list(WIDTHS[training.size]), "norm": "group", "side": 256}
    settings |= {"copies": COPIES, "epochs": EPOCHS, "lr": RATE, "batch_size": 1, "device": "cpu"}
    return Trial(trial_name(training), settings, partial(measure, training))


Cells = Mapping[tuple[str, str, str], float]
"""A score by network, recipe and threshold."""


def read_cells(
    outcomes: Mapping[str, Outcome],
    size: str,
    held_out: str,
    seed: int,
    label: str = "white, image",
    epoch: int = EPOCHS,
) -> dict[tuple[str, str, str], float]:
    """Return the held-out score of each cell at hand after an epoch."""
    cells = {}
    for network, recipe, threshold in product(BUILDERS, RECIPES, THRESHOLDS):
        if outcome := outcomes.get(trial_name(Training(size, network, recipe, held_out, seed))):
            cells[network, recipe, threshold] = outcome["history"][epoch - 1]["held out"][threshold][label]
    return cells


def decompose(cells: Cells) -> dict[str, float]:
    """Return the share of network, recipe and threshold in the difference between the report's two cells.

    Each is the mean, over the six orders of changing the three one after the other, of what its change adds: Shapley's
    value. Together they are the difference.
    """
    parts = ("network", "recipe", "threshold")
    shares = dict.fromkeys(parts, 0.0)
    orders = list(permutations(range(len(parts))))
    for order in orders:
        cell = list(REPORT[0])
        for part in order:
            before = cells[tuple(cell)]  # type: ignore[index]
            cell[part] = REPORT[1][part]
            shares[parts[part]] += (cells[tuple(cell)] - before) / len(orders)  # type: ignore[index]
    return shares


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return each training's scores after epochs 5 and 10, and what the difference is made of where all are there."""
    lines = ["IoU of held-out images, mean over images; 'report' marks the two cells that the report compares"]
    kinds = list(product(CLASSES, (5, EPOCHS)))
    for (size, held_out, seed), (label, epoch) in product(product(WIDTHS, ("copies", "blocked"), SEEDS), kinds):
        cells = read_cells(outcomes, size, held_out, seed, f"{label}, image", epoch)
        where = f"{size:<7}{held_out:<8}seed {seed}  {label:<9}epoch {epoch:<3}"
        for cell, value in cells.items():
            lines.append(f"{where}{' '.join(cell):<26}{value:.3f}{' report' if cell in REPORT else ''}")
        if len(cells) == len(BUILDERS) * len(RECIPES) * len(THRESHOLDS):
            lines += describe(cells)
    return "\n".join(lines)


def describe(cells: Cells) -> list[str]:
    """Return the difference between the report's cells, its parts, and the network's step under either recipe."""
    whole = cells[REPORT[1]] - cells[REPORT[0]]
    shares = ", ".join(f"{part} {share:+.4f}" for part, share in decompose(cells).items())
    steps = ", ".join(
        f"{recipe} {cells['unetpp', recipe, 'p > .5'] - cells['unet', recipe, 'p > .5']:+.4f}" for recipe in RECIPES
    )
    return [f"    difference {whole:+.4f}: {shares}", f"    the network's step at p > .5, by recipe: {steps}"]


TRAININGS = [
    *(Training("narrow", *cell, "copies", 0) for cell in product(BUILDERS, RECIPES)),
    *(
        Training("full", *cell, held_out, 0)
        for held_out in ("copies", "blocked")
        for cell in product(BUILDERS, RECIPES)
    ),
    *(Training("full", network, recipe, "copies", 1) for network, recipe, _ in REPORT),
    *(Training("narrow", *cell, "blocked", 0) for cell in product(BUILDERS, RECIPES)),
    *(Training("narrow", *cell, "copies", seed) for seed in SEEDS[1:] for cell in product(BUILDERS, RECIPES)),
]

EXPERIMENT = Experiment(
    name="recipes",
    question="What made the report's 2.5 points: optimiser and loss, the threshold, or the network?",
    trials=tuple(make_trial(training) for training in TRAININGS),
    table=table,
)
