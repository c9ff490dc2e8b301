"""Is UNet++ ahead of a U-Net with its arithmetic when both have trained long? Five folds, three seeds, 32 passes.

`folds` trains for eight passes over the slices, about a minute, and there every curve still climbs. Here three of its
networks train four times as long; images, folds, patches and scores are the same.

Declared before the first trial ran:

- **Networks**: U-Net, the U-Net with at least UNet++'s arithmetic, and UNet++ without deep supervision, as in `folds`.
- **Learning rate**: for each network the one of .001, .003 and .01 with the highest mean of three seeds in fold 0, at
  eight passes: membrane IoU of the validation slices, pooled. `folds` holds these trainings except for seeds 1 and 2 at
  .01, which are measured here ("search").
- **Primary contrast**: membrane IoU of the 30 test slices, UNet++ without supervision minus the U-Net of equal
  arithmetic, after the last pass. What is scored are the last weights; no look at the validation slices chooses any.
- **Unit and interval**: 15 pairs (fold and seed), `crossed_interval` with shared = n_test / n_train = 6 / 21. An
  interval that holds 0 is called not resolved.
- **Exploratory**: the other differences, white IoU and V_rand, and the curves. If the mean validation IoU still rises
  by more than .005 over the last eight passes, fold 0 is trained twice as long again.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pandas as pd

from unetpp_course.lab.architectures import DEEPEST, deepest
from unetpp_course.lab.base import Experiment, Outcome, Results, Trial, training_trial
from unetpp_course.lab.blocked_folds import FOLDS, INTERVAL, SHARED, score_slices, write_fold
from unetpp_course.lab.folds import LAPTOP, SEARCH_FOLD, SEARCH_SCORE, SEEDS, training_rows
from unetpp_course.lab.intervals import crossed_interval
from unetpp_course.lab.results import Row
from unetpp_course.lab.tables import as_text, pick, titled
from unetpp_lib.engine import TrainConfig

PASSES, LOOK = 32, 4
RATES = {"unet": 1e-3, "unet_matched": 1e-3, "unetpp_plain": 3e-3}
"""Each network's rate, as the search has it; a test holds one against the other."""
SEARCHED = (1e-3, 3e-3, 1e-2)
PAIRS = (("unetpp_plain", "unet_matched"), ("unetpp_plain", "unet"), ("unet_matched", "unet"))  # the first is primary
SCORES = ("membrane", "white", "v_rand")
LONG, CURVE = "long", "validation"


def configuration(network: str, fold: int, seed: int) -> TrainConfig:
    """Return the configuration of one training."""
    start = LAPTOP.configuration(network, fold, seed, rate=RATES[network])
    return replace(start, epochs=PASSES, evaluate_every=LOOK)


def trial_name(network: str, fold: int, seed: int) -> str:
    """Return the name of one training."""
    return f"{network}-fold{fold}-seed{seed}"


def long_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the rows of a training of `folds`, and its validation IoU of membrane (pooled) by pass."""
    yield from training_rows(outcome)
    for entry in outcome["history"]:
        if look := entry.get("validation"):
            value = look[deepest(look)][SEARCH_SCORE]
            yield {"output": CURVE, "score": SEARCH_SCORE, "pass": entry["epoch"], "value": value}


def trials() -> Iterator[Trial]:
    """Yield the trainings of the search that `folds` does not have, then all others, seed by seed."""
    for seed in SEEDS[1:]:
        for network in RATES:
            yield LAPTOP.trial(network, SEARCH_FOLD, seed, "steps", SEARCHED[-1])
    for seed in SEEDS:
        for fold in FOLDS:
            for network in RATES:
                yield training_trial(
                    trial_name(network, fold, seed),
                    configuration(network, fold, seed),
                    partial(score_slices, last=True),
                    write=partial(write_fold, fold),
                    columns={"network": network, "fold": fold, "variant": LONG},
                    rows=long_rows,
                )


def search(results: Results, of_folds: Results) -> pd.Series:
    """Return what the search goes by, the mean over the seeds, by network and rate."""
    both = pd.concat([results.frame, of_folds.frame])
    found = pick(both, fold=SEARCH_FOLD, variant="steps", output="search")
    return found.groupby(["network", "rate"])["value"].mean()


def by_training(results: Results, network: str, score: str) -> pd.DataFrame:
    """Return a score, the mean of the test slices: seeds × folds, of the seeds that have all folds."""
    found = pick(results.frame, network=network, variant=LONG, output=DEEPEST, score=score)
    means = found.groupby(["seed", "fold"])["value"].mean().unstack("fold")
    return means.reindex(columns=list(FOLDS)).dropna()


def lead(results: Results, pair: tuple[str, str], score: str) -> pd.DataFrame:
    """Return the first network's score minus the second's, paired by seed and fold, as `by_training`."""
    one, other = (by_training(results, network, score) for network in pair)
    return (one - other).dropna()


def curves(results: Results) -> pd.DataFrame:
    """Return the mean validation IoU of membrane over the seeds that have all folds: passes × networks."""
    found = pick(results.frame, variant=LONG, output=CURVE)
    found = found[found.groupby(["network", "seed"])["fold"].transform("nunique") == len(FOLDS)]
    if found.empty:  # as long as the search alone is at hand, no row has a pass
        return pd.DataFrame()
    return found.groupby(["pass", "network"])["value"].mean().unstack("network")


def table(results: Results) -> str:
    """Return the scores, the curves, and the differences with their intervals; the first is the primary one."""
    scores = []
    for network in RATES:
        found = {score: by_training(results, network, score) for score in SCORES}
        means = {score: values.to_numpy().mean() for score, values in found.items() if len(values)}
        if means:
            scores.append({"network": network, "seeds": len(found["membrane"]), **means})
    leads = []
    for score in SCORES:
        for pair in PAIRS:
            values = lead(results, pair, score)
            if len(values):
                each = " ".join(f"{value:+.3f}" for value in values.to_numpy().ravel())
                row = {
                    "score": score,
                    "pair": " - ".join(pair),
                    INTERVAL: crossed_interval(values, SHARED),
                }
                leads.append(row | {"by seed and fold": each})
    shown = [{"pass": number, **row} for number, row in curves(results).iterrows()]
    parts = {
        f"{PASSES} passes; mean over slices, folds and seeds": as_text(scores, "network"),
        "validation IoU of membrane (pooled)": as_text(shown, "pass"),
        "paired differences, the first is primary": as_text(leads, "score", "pair"),
    }
    return titled(parts)


EXPERIMENT = Experiment(
    name="converged",
    question="Is UNet++ ahead of a U-Net with its arithmetic when both have trained long enough?",
    trials=tuple(trials()),
    table=table,
)
