"""Which weight should each head's loss have? Short trainings of a supervised UNet++ with four lists of weights."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product

from unetpp_course.lab.base import Experiment, Outcome, Results, Trial, open_set
from unetpp_course.lab.loops import TrainingPart, train_steps
from unetpp_course.lab.results import rows_at
from unetpp_course.lab.tables import across, as_text, interval
from unetpp_lib.data import Augmentation
from unetpp_lib.engine import Card, choose_runtime, evaluate
from unetpp_lib.engine.loop import learning_rate, seeded
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

StepCallback = Callable[[int, SegmentationNetwork, Card], None]


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


def train_heads(config: HeadTraining, callback: StepCallback | None = None) -> tuple[SegmentationNetwork, Card]:
    """Train on the training part of a set that has a split.json; return the network and its card.

    ``callback(step, network, card)`` is called before the first step, and after each.
    """
    part = TrainingPart(config.data, config.batch_size, config.patch, config.seed, Augmentation())
    runtime = choose_runtime("cpu")
    with seeded(config.seed, runtime.device):
        model = runtime.place(UNetPlusPlus(widths=config.widths))
    loss = partial(deep_supervision_loss, weights=config.weights)
    rate = partial(learning_rate, steps=config.steps, highest=config.lr)
    callback = callback or (lambda *_: None)
    callback(0, model, part.card)
    steps = train_steps(model, part.batches(config.steps), rate, runtime, loss, config.seed)
    for done, _ in enumerate(steps, start=1):
        callback(done, model, part.card)
    return model.eval(), part.card


def weights_trial(arm: str, seed: int) -> Trial:
    """Return the trial that trains with the weights ``arm`` and scores every head on the test part."""
    config = HeadTraining(ARMS[arm], seed)

    def measure() -> Outcome:
        model, card = train_heads(config)
        folder, split = open_set(config.data)
        scores = evaluate(model, folder, card, split.test, choose_runtime("cpu", "float32")).scores
        return {"scores": {reading: values[SCORE] for reading, values in scores.items()}}

    columns = {"variant": arm, "seed": seed}
    return Trial(f"{arm}-seed{seed}", asdict(config), measure, columns, rows_at("scores", "output"))


def table(results: Results) -> str:
    """Return each head's mean score by weights, and how it differs from that with equal weights, seed by seed."""
    scores = across(results.frame, ["variant", "output"])
    rows = []
    for arm, output in results.frame[["variant", "output"]].drop_duplicates().itertuples(index=False):
        values = scores[arm, output]
        equal = "" if arm == "equal" or "equal" not in scores else interval(values - scores["equal", output])
        rows.append({"weights": arm, "output": output, "IoU": values.mean(), "minus equal weights": equal})
    title = "membrane IoU of the test part, pooled: mean over seeds; difference from equal weights [95 %, seeds]"
    return f"{title}\n{as_text(rows, 'weights', 'output')}"


TRIALS = tuple(weights_trial(arm, seed) for seed, arm in product(SEEDS, ARMS))

EXPERIMENT = Experiment("head_weights", "Which weight should each head's loss have?", TRIALS, table)
