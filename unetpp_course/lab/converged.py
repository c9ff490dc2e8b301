"""Is UNet++ ahead of a U-Net with its arithmetic when both have trained long? Five folds, three seeds, 32 passes.

`folds` trains for eight passes over the slices, about a minute, and there every curve still climbs. Here three of its
networks train four times as long; images, folds, patches and scores are the same.

Declared before the first trial ran:

- **Networks**: U-Net, the U-Net with at least UNet++'s arithmetic, and UNet++ without deep supervision, as in `folds`.
- **Learning rate**: for each network the one of .001, .003 and .01 with the highest mean of three seeds in fold 0, at
  eight passes: membrane IoU of the validation slices, pooled. `folds` holds these trainings except for seeds 1 and 2 at
  .01, which are measured here ("search").
- **Primary contrast**: membrane IoU of the 30 test slices, UNet++ without supervision minus the U-Net of equal
  arithmetic, after the last pass. What is scored are the last weights; no look at the
  validation slices chooses any.
- **Unit and interval**: 15 pairs (fold and seed), `crossed_interval` with shared = n_test / n_train = 6 / 21. An
  interval that holds 0 is called not resolved.
- **Exploratory**: the other differences, white IoU and V_rand, and the curves. If the mean validation IoU still rises
  by more than .005 over the last eight passes, fold 0 is trained twice as long again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from unetpp_course.lab.architectures import deepest
from unetpp_course.lab.base import Experiment, Outcome, Trial, training_trial
from unetpp_course.lab.blocked_folds import FOLDS, score_slices, values_of, write_fold
from unetpp_course.lab.folds import LAPTOP, SEARCH_FOLD, SEARCH_SCORE, SEEDS
from unetpp_course.lab.intervals import crossed_interval
from unetpp_lib.engine import TrainConfig

PASSES, LOOK = 32, 4
RATES = {"unet": 1e-3, "unet_matched": 1e-3, "unetpp_plain": 3e-3}
"""Each network's rate, as the search has it; a test holds one against the other."""
SEARCHED = (1e-3, 3e-3, 1e-2)
SHARED = 6 / 21  # test slices for each training slice
PAIRS = (("unetpp_plain", "unet_matched"), ("unetpp_plain", "unet"), ("unet_matched", "unet"))  # the first is primary
SCORES = ("membrane", "white", "v_rand")


def configuration(network: str, fold: int, seed: int) -> TrainConfig:
    """Return the configuration of one training."""
    start = LAPTOP.configuration(network, fold, seed, rate=RATES[network])
    return replace(start, epochs=PASSES, evaluate_every=LOOK)


def trial_name(network: str, fold: int, seed: int) -> str:
    """Return the name of one training."""
    return f"{network}-fold{fold}-seed{seed}"


def search_name(network: str, rate: float, seed: int) -> str:
    """Return the name of a training of the search that `folds` does not have."""
    return f"search-{network}-lr{rate:g}-seed{seed}"


def trials() -> Iterator[Trial]:
    """Yield the rest of the search, then all trainings, seed by seed."""
    for seed in SEEDS[1:]:
        for network in RATES:
            config = LAPTOP.configuration(network, SEARCH_FOLD, seed, rate=SEARCHED[-1])
            name = search_name(network, SEARCHED[-1], seed)
            yield training_trial(name, config, score_slices, write=partial(write_fold, SEARCH_FOLD))
    for seed in SEEDS:
        for fold in FOLDS:
            for network in RATES:
                config, write = configuration(network, fold, seed), partial(write_fold, fold)
                name, read = trial_name(network, fold, seed), partial(score_slices, last=True)
                yield training_trial(name, config, read, write=write)


def searched_score(
    outcomes: Mapping[str, Outcome], of_folds: Mapping[str, Outcome], network: str, rate: float
) -> float:
    """Return the mean of three seeds that the search goes by."""
    found = []
    for seed in SEEDS:
        outcome = of_folds.get(LAPTOP.trial_name(network, SEARCH_FOLD, seed, rate=rate))
        look = (outcome or outcomes[search_name(network, rate, seed)])["history"][-1]["validation"]
        found.append(float(look[deepest(look)][SEARCH_SCORE]))
    return sum(found) / len(found)


def by_training(outcomes: Mapping[str, Outcome], network: str, score: str) -> NDArray[np.float64]:
    """Return a score of the test slices' mean, (seeds, folds), of the seeds that have all folds."""
    rows = []
    for seed in SEEDS:
        names = [trial_name(network, fold, seed) for fold in FOLDS]
        if all(name in outcomes for name in names):
            rows.append([float(np.mean(values_of(outcomes[name], score))) for name in names])
    return np.array(rows).reshape(len(rows), len(FOLDS))


def curve(outcomes: Mapping[str, Outcome], network: str) -> dict[int, float]:
    """Return the mean validation IoU of membrane (pooled) over the trainings at hand, by pass."""
    found = [outcomes[name]["history"] for f in FOLDS for s in SEEDS if (name := trial_name(network, f, s)) in outcomes]
    return {
        looks[0]["epoch"]: float(
            np.mean([look["validation"][deepest(look["validation"])][SEARCH_SCORE] for look in looks])
        )
        for looks in zip(*([entry for entry in history if "validation" in entry] for history in found), strict=True)
    }


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return the scores, the curves, and the differences with their intervals; the first is the primary one."""
    lines = [f"{PASSES} passes; mean over slices, folds and seeds; the validation IoU of membrane by pass"]
    for network in RATES:
        means = {score: by_training(outcomes, network, score) for score in SCORES}
        if means["membrane"].size:
            cells = "  ".join(f"{score} {values.mean():.3f}" for score, values in means.items())
            points = "  ".join(f"{number}: {value:.3f}" for number, value in curve(outcomes, network).items())
            lines.append(f"{network:<14}{len(means['membrane'])} seeds  {cells}   {points}")
    for score in SCORES:
        for one, other in PAIRS:
            first, second = (by_training(outcomes, network, score) for network in (one, other))
            seeds = min(len(first), len(second))
            if seeds:
                lead = first[:seeds] - second[:seeds]
                label = f"{score:<10}{one} - {other}"
                lines.append(f"{label:<40}{crossed_interval(lead, SHARED)}   {np.round(lead, 3).tolist()}")
    return "\n".join(lines)


EXPERIMENT = Experiment(
    name="converged",
    question="Is UNet++ ahead of a U-Net with its arithmetic when both have trained long enough?",
    trials=tuple(trials()),
    table=table,
)
