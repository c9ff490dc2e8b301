"""The seed report's own protocol, and the same steps with whole slices and whole blocks held out: `leakage`, full size.

30 slices of 512×512, 14 elastic copies of each, then a random fifth of the 450 held out (copies), or a fifth of the
slices with all their copies, at random (slices) or neighbours (blocked); batch 1, Adam at 1e-3, ten epochs, networks of
full width. The first one leaks, and notebook 08 says how. What the report leaves open is ours: group norm, for batch
norm would train and score with different statistics at batch 1; ½·BCE + Dice on every head; a warm-up before the rate
and a cosine after it; no further augmentation. The held-out fifth is scored after each epoch, which costs time but
changes no weight; what counts is the last. A GPU's work: 3600 steps of 714 GFLOP for UNet++, 289 for U-Net. On two CPU
cores it takes hours.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from unetpp_course.lab import leakage
from unetpp_course.lab.base import RUNS, Experiment, Outcome, Trial, training_trial
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, write_split
from unetpp_lib.engine import PRESETS

COPIES = 14
CLAIM = {"unet": 0.953, "unetpp": 0.978}  # IoU of white, as the report gives it
CONFIG = replace(
    PRESETS["full"], norm="group", epochs=10, batch_size=1, patch=512, lr=1e-3, augment=False, evaluate_every=1
)
TRAININGS = [(n, protocol, seed) for protocol in leakage.PROTOCOLS for seed in leakage.SEEDS for n in leakage.NETWORKS]


def write_data(source: str, folder: Path, protocol: str, seed: int) -> None:
    """Write every slice and its copies, and what the protocol holds out."""
    if (folder / "split.json").exists():
        return
    slices = SegmentationFolder(find_dataset(source))
    leakage.write_copies(slices, folder, COPIES, halved=False)
    split = leakage.split_protocol(slices.names, protocol, seed, COPIES)
    # held out as the validation part: the engine then looks at it after each epoch
    write_split(Split(split.train, split.test, ()), folder / "split.json")


def make_trial(network: str, protocol: str, seed: int, source: str = "isbi2012", **changes: Any) -> Trial:
    """Return one trial, its copies drawn when it is measured; ``changes`` are options of its training."""
    folder = RUNS / "report_protocol" / f"{Path(source).name}-{protocol}-seed{seed}"
    config = replace(CONFIG, data=folder.as_posix(), model=network, seed=seed)  # type: ignore[arg-type]
    write = partial(write_data, source, folder, protocol, seed)
    name = leakage.trial_name(network, protocol, seed)
    return training_trial(name, replace(config, **changes), write=write, copies=COPIES, held_out=leakage.HELD_OUT)


def epochs_of(outcome: Outcome) -> list[Outcome]:
    """Return what was found after each epoch, as `leakage` reads it."""
    return [{"scores": {"scores": epoch["validation"]}} for epoch in outcome["history"]]


def epoch_scores(outcome: Outcome, score: str) -> list[float]:
    """Return a score, white or membrane, of the held-out fifth after each epoch: UNet++ answers with head 4."""
    return [leakage.answer(epoch, score, "head 4") for epoch in epochs_of(outcome)]


def seconds_until(outcome: Outcome, network: str) -> float | None:
    """Return the seconds of training, scoring left out, to the report's own IoU; None where it is not reached."""
    history = outcome["history"]
    images = history[0]["step"] * CONFIG.batch_size  # of one epoch
    seconds: float = 0
    for epoch, score in zip(history, epoch_scores(outcome, "white"), strict=True):
        seconds += images / epoch["images_per_second"]
        if score >= CLAIM[network]:
            return seconds
    return None


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return each training's scores after its last epoch, its seconds, and those to the report's IoU; what leaks."""
    lines = [f"{'':22}white   membrane  all white  seconds  to the report's IoU of white, copies held out"]
    for network, protocol, seed in TRAININGS:
        name = leakage.trial_name(network, protocol, seed)
        if outcome := outcomes.get(name):
            white, membrane = (epoch_scores(outcome, score)[-1] for score in leakage.SCORES)
            trivial = outcome["scores"]["scores"]["all foreground"][leakage.SCORES["white"]]
            cells = f"{name:<22}{white:<8.3f}{membrane:<10.3f}{trivial:<11.3f}{outcome['training_seconds']:<9.0f}"
            if protocol == "copies":
                reached = seconds_until(outcome, network)
                cells += f"{CLAIM[network]:.3f}: " + ("not reached" if reached is None else f"{reached:.0f} s")
            lines.append(cells.rstrip())
    lines.append("Where copies of a slice stand on both sides, a score is no measure of new tissue.\n")
    last = {name: epochs_of(outcome)[-1] for name, outcome in outcomes.items()}
    return "\n".join([*lines, leakage.table(last)])


EXPERIMENT = Experiment(
    name="report_protocol",
    question="What do the report's own steps give, in how many seconds, and how much of it is leakage?",
    trials=tuple(make_trial(*training) for training in TRAININGS),
    table=table,
)
