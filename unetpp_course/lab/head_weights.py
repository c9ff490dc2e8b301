"""Which weight should each head's loss have? Short trainings of a supervised UNet++ with four lists of weights."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice

from unetpp_course.lab.base import Experiment, Outcome, Trial
from unetpp_course.lab.intervals import t_interval
from unetpp_lib.data import Augmentation, SegmentationFolder, find_dataset, read_split
from unetpp_lib.engine import Card, choose_runtime, evaluate
from unetpp_lib.engine.batches import BatchPlan, Patches, channel_statistics, derived_seed, load_batches
from unetpp_lib.engine.loop import learning_rate, make_optimizer, prepare_batch, seeded, training_step
from unetpp_lib.losses import deep_supervision_loss
from unetpp_lib.models import SegmentationNetwork, UNetPlusPlus

ARMS = {
    "equal": (1.0, 1.0, 1.0, 1.0),
    "deepest-most": (0.125, 0.25, 0.5, 1.0),
    "shallowest-most": (1.0, 0.5, 0.25, 0.125),  # the same list, written for heads from deep to shallow
    "last-only": (0.0, 0.0, 0.0, 1.0),
}
"""The weights of heads 1 to 4. Adam divides by the size of the gradient, so only their ratios matter."""
SEEDS = (0, 1, 2)
SCORE = "iou/background/pooled"  # the membrane's

Watch = Callable[[int, SegmentationNetwork, Card], None]


@dataclass(frozen=True)
class HeadTraining:
    """A training of UNet++ in the laptop preset's way, with weights on the heads; by default half as long."""

    weights: tuple[float, ...] = ARMS["equal"]
    seed: int = 0
    steps: int = 140
    patch: int = 128
    batch_size: int = 4
    lr: float = 3e-3
    widths: tuple[int, ...] = (8, 16, 32, 64, 128)
    data: str = "membranes"


def train_heads(config: HeadTraining, watch: Watch | None = None) -> tuple[SegmentationNetwork, Card]:
    """Train on the training part of a set that has a split.json; return the network and its card.

    ``watch(step, network, card)`` is called before the first step, and after each.
    """
    folder = SegmentationFolder(find_dataset(config.data))
    indices = [folder.index_of[name] for name in read_split(folder.root / "split.json").train]
    mean, std = channel_statistics(folder, indices)
    card = Card(mean, std)
    runtime = choose_runtime("cpu")
    with seeded(config.seed, runtime.device):
        model = runtime.place(UNetPlusPlus(widths=config.widths))
    optimizer = make_optimizer(model)
    loss = partial(deep_supervision_loss, weights=config.weights)
    patches = Patches(folder, indices, config.patch)
    plan = BatchPlan(patches, config.batch_size, config.steps, config.seed)  # an epoch has a step at least
    if watch:
        watch(0, model, card)
    for step, (images, masks) in enumerate(islice(load_batches(patches, plan, workers=0, pin=False), config.steps)):
        seed = derived_seed(config.seed, step, 0)  # as the engine's first process
        images, masks = prepare_batch(images, masks, card, Augmentation(), seed)
        rate = learning_rate(step, config.steps, config.lr)
        training_step(model.train(), optimizer, images, masks, rate, runtime, loss, seed)
        if watch:
            watch(step + 1, model, card)
    return model.eval(), card


def weights_trial(arm: str, seed: int) -> Trial:
    """Return the trial that trains with the weights ``arm`` and scores every head on the test part."""
    config = HeadTraining(ARMS[arm], seed)

    def measure() -> Outcome:
        model, card = train_heads(config)
        folder = SegmentationFolder(find_dataset(config.data))
        test = read_split(folder.root / "split.json").test
        scores = evaluate(model, folder, card, test, choose_runtime("cpu", "float32")).scores
        return {"scores": {reading: values[SCORE] for reading, values in scores.items()}}

    return Trial(f"{arm}-seed{seed}", json.loads(json.dumps(asdict(config))), measure)


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return each head's mean score by weights, and how it differs from that with equal weights, seed by seed."""
    lines = ["membrane IoU of the test part, pooled: mean over seeds; difference from equal weights [95 %, seeds]"]
    scores = {
        arm: [outcomes[name]["scores"] for seed in SEEDS if (name := f"{arm}-seed{seed}") in outcomes] for arm in ARMS
    }
    for arm, found in scores.items():
        for reading in found[0] if found else ():
            values = [score[reading] for score in found]
            line = f"{arm:<17}{reading:<16}{sum(values) / len(values):.3f}"
            pairs = list(zip(values, (score[reading] for score in scores["equal"]), strict=False))
            if arm != "equal" and len(pairs) > 1:
                line += f"  {t_interval([value - equal for value, equal in pairs])}"
            lines.append(line)
    return "\n".join(lines)


EXPERIMENT = Experiment(
    name="head_weights",
    question="Which weight should each head's loss have?",
    trials=tuple(weights_trial(arm, seed) for seed in SEEDS for arm in ARMS),
    table=table,
)
