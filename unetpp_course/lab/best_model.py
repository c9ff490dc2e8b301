"""What does it take to do better on real tissue? U-Net on the blocked folds of `folds`, trained four times as long.

Tried: the longer schedule, with and without augmentation; the average of the weights after each epoch of the schedule's
last quarter; the mean over the image's flips and turns at test time. In each fold the validation slices choose among
them, as they chose the learning rate and choose the threshold; so the row "chosen" is what anyone gets who does the
same, and the rows above it are no choice. The start is U-Net as `folds` has it.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product

import pandas as pd
import torch
from torch import Tensor

from unetpp_course.lab.base import Experiment, Outcome, Results, Row, Trial, read_results, training_trial
from unetpp_course.lab.blocked_folds import (
    FOLDS,
    INTERVAL,
    SCORES,
    lead_interval,
    score_reading,
    slice_rows,
    write_fold,
)
from unetpp_course.lab.folds import LAPTOP
from unetpp_course.lab.tables import across, as_text, pick
from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import Run, TrainConfig, choose_runtime, load_model, predict, save_model
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork

NETWORK = "unet"
EPOCHS = 32
AVERAGED = EPOCHS // 4
ARMS = {"long": {}, "long, not augmented": {"augment": False}}
SEEDS = (0, 1, 2)
START, CHOSEN = "start: U-Net of folds", "chosen"
PAIRS = (
    ("long, last weights", START),
    (CHOSEN, START),
    ("long, not augmented, last weights", "long, last weights"),
    ("long, last weights, flips", "long, last weights"),
    ("long, average of weights", "long, last weights"),
)
COMPARED = ("white", "membrane", "v_rand")


def configuration(arm: str, fold: int, seed: int) -> TrainConfig:
    """Return the configuration of one training: that of `folds`, but for the schedule and what the arm changes."""
    start = LAPTOP.configuration(NETWORK, fold, seed)
    return replace(start, epochs=EPOCHS, evaluate_every=EPOCHS, **ARMS[arm])  # type: ignore[arg-type]


def keep_weights(training: Trainer) -> None:
    """Keep the weights after each epoch of the schedule's last quarter, in the run's folder; say how far it is."""
    epoch, step = divmod(training.step, training.plan.steps_per_epoch)
    if step == 0:
        print(f"epoch {epoch} of {EPOCHS}, loss {training.history.last_loss:.3f}", flush=True)
    if step == 0 and epoch > EPOCHS - AVERAGED:
        save_model(training.model, training.run.folder / f"epoch{epoch}.safetensors", training.card)


def average_weights(run: Run) -> SegmentationNetwork:
    """Return a network whose weights, and running statistics, are the mean over the epochs that were kept."""
    networks = [load_model(path)[0] for path in sorted(run.folder.glob("epoch*.safetensors"))]
    average, states = networks[0], [network.state_dict() for network in networks]
    average.load_state_dict({key: torch.stack([s[key].double() for s in states]).mean(0) for key in states[0]})
    return average


def score_readings(run: Run) -> Outcome:
    """Return the scores of both networks, with and without flips, as `folds` has them, and their validation IoU."""
    last, card = run.load_model()
    folder = SegmentationFolder(find_dataset(run.config.data))
    runtime = choose_runtime(run.config.device, run.config.precision)
    readings, networks = {}, {"last weights": last, "average of weights": average_weights(run)}
    for (name, model), flips in product(networks.items(), (False, True)):
        found: dict[str, tuple[Tensor, Tensor]] = {}
        for slice_name in (*run.split.validation, *run.split.test):
            image, mask = folder[folder.index_of[slice_name]]
            probability = predict(model, image, card, average_flips=flips, runtime=runtime)
            found[slice_name] = probability[None], mask[None]
        looks = [confusion_counts(classify(found[n][0]), found[n][1]) for n in run.split.validation]
        validation = round(iou(torch.cat(looks), "background", "pooled"), 5)
        output = f"{name}, flips" if flips else name
        readings[output] = score_reading(found, run.split) | {"validation": validation}
    return {"readings": readings}


def model_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the scores of each slice by output, and what the validation slices choose by."""
    yield from slice_rows(outcome)
    for output, found in outcome["readings"].items():
        yield {"output": output, "score": "validation", "value": found["validation"]}


def make_trial(arm: str, fold: int, seed: int) -> Trial:
    """Return one trial: its fold is written when it is measured."""
    name = f"{arm.replace(', ', '-').replace(' ', '-')}-fold{fold}-seed{seed}"
    return training_trial(
        name, configuration(arm, fold, seed), score_readings, keep_weights, partial(write_fold, fold),
        columns={"network": NETWORK, "fold": fold, "variant": arm}, rows=model_rows, averaged=AVERAGED,
    )  # fmt: skip


def complete(results: Results) -> pd.DataFrame:
    """Return the rows of the seeds of which all trainings are at hand; "way" is the arm and the output."""
    frame = results.frame
    trainings = frame.groupby("seed")["trial"].nunique()
    frame = frame[frame["seed"].isin(trainings.index[trainings == len(ARMS) * len(FOLDS)])]
    return frame.assign(way=frame["variant"] + ", " + frame["output"])


def choices(results: Results) -> "pd.Series[str]":
    """Return, by seed and fold, the way that does best on the validation slices."""
    return across(complete(results), "way", index=["seed", "fold"], score="validation").pipe(_in_order).idxmax(axis=1)


def _in_order(ways: pd.DataFrame) -> pd.DataFrame:
    """Return columns in the order in which they are tried: of equals, the first is chosen."""
    return ways[sorted(ways, key=lambda way: (way.startswith("long, not"), "average" in way, "flips" in way))]


def by_slice(results: Results, score: str) -> dict[str, pd.DataFrame]:
    """Return a score by way, the chosen one and the start of `folds` included: seeds × slices."""
    frame = pick(complete(results), score=score)
    ways = {way: across(frame, "slice", way=way) for way in _in_order(frame.pivot_table(columns="way", values="value"))}
    chosen = frame.merge(choices(results).rename("way").reset_index(), on=["seed", "fold", "way"])
    start = LAPTOP.by_slice(read_results(LAPTOP.name), NETWORK, score)
    return {START: start.loc[frame["seed"].unique()], **ways, CHOSEN: across(chosen, "slice")}


def table(results: Results) -> str:
    """Return the scores of all that was tried and of what was chosen, and what each step adds, slice by slice."""
    frame = complete(results)
    if frame.empty:
        return "no seed has all folds yet"
    found = {score: by_slice(results, score) for score in SCORES}
    rows = [
        {"way": way, **{score: values[way].to_numpy().mean() for score, values in found.items()}}
        for way in found["white"]
    ]
    pairs = []
    for score, (one, other) in product(COMPARED, PAIRS):
        if one in found[score]:
            gain = lead_interval(found[score][one] - found[score][other])
            pairs.append({"score": score, "pair": f"{one}, minus {other}", INTERVAL: str(gain)})
    chosen = choices(results).rename("way").reset_index()
    best = pick(frame, score="best V_rand").merge(chosen, on=["seed", "fold", "way"])["value"].mean()
    lines = [f"mean over the 30 slices; seeds: {frame['seed'].nunique()}", as_text(rows, "way"), ""]
    lines += ["paired", as_text(pairs, "score", "pair"), ""]
    lines.append(f"chosen, with the best threshold of each fold's test slices: V_rand {best:.3f}")
    return "\n".join([*lines, *(f"seed {one.seed}, fold {one.fold}: {one.way}" for one in chosen.itertuples())])


TRIALS = tuple(make_trial(arm, fold, seed) for seed, fold, arm in product(SEEDS, FOLDS, ARMS))

EXPERIMENT = Experiment("best_model", "What does it take to do better on real tissue?", TRIALS, table)
