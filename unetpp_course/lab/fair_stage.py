"""What do the rings do to cutting, to the mean of heads and to supervision? Drawn sets with and without, 60 epochs.

The embedded set was drawn so that a shallow head sees too little: its rings can be told from membranes only as a whole.
A verdict on depth, reached there after 20 epochs, may be one about the rings or about the length of training.

Declared before the first trial ran:

- **Data**: for each seed a newly drawn set of 40 images, 28 of them to train on, in two versions: with rings and
  without. The masks of the two are the same, pixel for pixel.
- **Networks**: UNet++ with deep supervision and without, U-Net, and L2 alone, which is UNet++ of depth 2 with its two
  heads, the network that is left when head 2 is cut out. Widths 8 to 128, or 8 to 32.
- **Training**: 60 epochs, three times as long as in `architectures` and `alone`, else as there. Five seeds, each with a
  set, weights, order and augmentation of its own. What is scored are the last weights; no look chooses any.
- **Learning rate**: of .01 and .03 the one with the higher mean of seeds 0 to 2 after 20 epochs of the embedded set:
  membrane IoU of the validation part (pooled), deepest head, best epoch, as in `architectures`. Other experiments hold
  half of these trainings, and the others are measured here ("search"). The same rate serves both versions.
- **Score**: membrane IoU of the test part, mean over its eight images.
- **Primary contrast**: on images with rings, head 2 of the full network minus L2 trained alone for as many epochs. Only
  an interval within ±.02 is called "alike": then what holds head 2 back is its view, not its training.
- **Then**, for each version: head 4 minus head 2 (what cutting to L2 costs), the mean of the heads minus head 4, head 4
  with supervision minus the only head without, and that minus U-Net. The difference of the two versions, paired by
  seed, says what the rings do.
- **Unit and interval**: the seed, and with it the set; Student's 95 % interval over the five. One that holds 0 is
  called not resolved. All but the primary contrast is exploratory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean

import pandas as pd

from unetpp_course.lab.architectures import SCORES, SEARCH_SCORE, deepest, search_score, training_rows
from unetpp_course.lab.base import (
    RUNS,
    Experiment,
    Outcome,
    Results,
    Trial,
    last_network,
    open_set,
    read_results,
    training_trial,
)
from unetpp_course.lab.results import Row, unnest
from unetpp_course.lab.supervision import CONFIG
from unetpp_course.lab.tables import across, as_text, each, interval, pick, titled
from unetpp_course.membranes import write_membranes
from unetpp_lib.engine import Run, TrainConfig, choose_runtime, evaluate
from unetpp_lib.engine.evaluation import MEAN

NETWORKS: dict[str, dict[str, object]] = {
    "unetpp": {"model": "unetpp"},
    "l2_alone": {"model": "unetpp", "widths": CONFIG.widths[:3]},
    "unetpp_plain": {"model": "unetpp", "deep_supervision": False},
    "unet": {"model": "unet"},
}
VERSIONS = {"rings": True, "no rings": False}
EPOCHS, LOOK = 60, 10
SEEDS = (0, 1, 2, 3, 4)
SEARCH_SEEDS, SEARCHED = (0, 1, 2), (1e-2, 3e-2)
STORED = {
    ("unetpp", 1e-2): ("supervision", "supervised-lr0.01-seed{}"),
    ("unetpp", 3e-2): ("architectures", "unetpp-lr0.03-seed{}"),
    ("l2_alone", 3e-2): ("alone", "equal-steps-seed{}"),
    ("unetpp_plain", 1e-2): ("architectures", "unetpp_plain-lr0.01-seed{}"),
    ("unet", 1e-2): ("architectures", "unet-lr0.01-seed{}"),
}
"""The experiment and the trials that hold a network's search at a rate; all else is measured here."""
RATES = {"unetpp": 1e-2, "l2_alone": 3e-2, "unetpp_plain": 1e-2, "unet": 1e-2}
"""Each network's rate, as the search has it; a test holds one against the other."""
MEMBRANE = SCORES["membrane"]
FIRST_SET = 1000
"""The seed that draws the set of seed 0; the embedded set has the seed 0 itself."""

Output = tuple[str, str]
"""A network and one of its outputs."""
PAIRS: dict[str, tuple[Output, Output]] = {
    "head 2 - L2 alone": (("unetpp", "head 2"), ("l2_alone", "head 2")),  # with rings, this is the primary contrast
    "head 4 - head 2": (("unetpp", "head 4"), ("unetpp", "head 2")),
    "mean of heads - head 4": (("unetpp", MEAN), ("unetpp", "head 4")),
    "supervised - plain": (("unetpp", "head 4"), ("unetpp_plain", "head 4")),
    "plain - U-Net": (("unetpp_plain", "head 4"), ("unet", "head 4")),
}


def stage(version: str, seed: int) -> Path:
    """Return where the set of a seed stands, in one of its versions."""
    return RUNS / "fair_stage" / f"{version.replace(' ', '_')}-seed{seed}"


def write_stage(version: str, seed: int) -> None:
    """Draw the set of a seed, unless it is there."""
    folder = stage(version, seed)
    if not (folder / "split.json").is_file():  # which is written last
        write_membranes(folder, seed=FIRST_SET + seed, distractors=VERSIONS[version])


def configuration(network: str, version: str, seed: int) -> TrainConfig:
    """Return the configuration of one training."""
    shared = replace(CONFIG, epochs=EPOCHS, evaluate_every=LOOK, data=str(stage(version, seed)))
    return replace(shared, lr=RATES[network], seed=seed, **NETWORKS[network])  # type: ignore[arg-type]


def score_last(run: Run) -> Outcome:
    """Return the scores that the last weights of a run have on its test part."""
    _, card = run.load_model()
    folder, split = open_set(run.config.data)
    runtime = choose_runtime(run.config.device, run.config.precision)
    return {"last": evaluate(last_network(run), folder, card, split.test, runtime).scores}


def stage_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the scores of the last weights, and the deepest head's membrane IoU on the validation part by epoch."""
    yield from unnest(outcome["last"], "output", "score")
    for entry in outcome["history"]:
        if look := entry.get("validation"):
            value = look[deepest(look)][SEARCH_SCORE]
            yield {"output": "validation", "score": SEARCH_SCORE, "epoch": entry["epoch"], "value": value}


def trial(network: str, version: str, seed: int) -> Trial:
    """Return one training of the comparison as a trial."""
    return training_trial(
        f"{network}-{version.replace(' ', '_')}-seed{seed}",
        configuration(network, version, seed),
        score_last,
        write=partial(write_stage, version, seed),
        columns={"network": network, "variant": version},
        rows=stage_rows,
    )


def search_trial(network: str, rate: float, seed: int) -> Trial:
    """Return one training of the search, on the embedded set, as a trial."""
    config = replace(CONFIG, lr=rate, seed=seed, **NETWORKS[network])  # type: ignore[arg-type]
    name = f"search-{network}-lr{rate:g}-seed{seed}"
    return training_trial(name, config, columns={"network": network, "variant": "search"}, rows=training_rows)


def trials() -> Iterator[Trial]:
    """Yield the trainings of the search, then all others: the networks of the primary contrast first."""
    for network in NETWORKS:
        for rate in SEARCHED:
            if (network, rate) not in STORED:
                yield from (search_trial(network, rate, seed) for seed in SEARCH_SEEDS)
    for networks in (("unetpp", "l2_alone"), ("unetpp_plain", "unet")):
        for seed in SEEDS:
            for version in VERSIONS:
                yield from (trial(network, version, seed) for network in networks)


def search(results: Results) -> pd.DataFrame:
    """Return the mean of the search's seeds: rates × networks, of the searches that are at hand."""
    found: dict[str, dict[float, float]] = {network: {} for network in NETWORKS}
    for network in NETWORKS:
        for rate in SEARCHED:
            home, name = STORED.get((network, rate), ("fair_stage", f"search-{network}-lr{rate:g}-seed{{}}"))
            at_hand = results if home == "fair_stage" else read_results(home)
            if name.format(SEARCH_SEEDS[-1]) in at_hand:
                found[network][rate] = mean(search_score(at_hand[name.format(seed)]) for seed in SEARCH_SEEDS)
    return pd.DataFrame(found)


def by_seed(results: Results, version: str, output: Output) -> "pd.Series[float]":
    """Return the membrane IoU that an output has on the test part of a version, by seed; no row where none is."""
    network, head = output
    found = across(results.frame, "network", variant=version, output=head, score=MEMBRANE)
    return found[network].dropna() if network in found else pd.Series(dtype=float)


def complete_seeds(results: Results, outputs: Iterable[Output] = PAIRS["head 2 - L2 alone"]) -> list[int]:
    """Return the seeds for which the outputs were measured in both versions."""
    measured = [set(by_seed(results, version, output).index) for output in outputs for version in VERSIONS]
    return sorted(set.intersection(*measured))


def lead(results: Results, version: str, pair: str) -> "pd.Series[float]":
    """Return the first output's score minus the second's, by seed."""
    one, other = (by_seed(results, version, output) for output in PAIRS[pair])
    return (one - other).dropna()


def curves(results: Results, version: str) -> pd.DataFrame:
    """Return the mean validation IoU of membrane (pooled, deepest head): epochs × networks."""
    found = pick(results.frame, variant=version, output="validation")
    return found.groupby(["epoch", "network"])["value"].mean().unstack("network")


def table(results: Results) -> str:
    """Return every output's score in both versions, the differences by seed, and the curves."""
    outputs = dict.fromkeys(output for pair in PAIRS.values() for output in pair)
    scores = []
    for network, head in outputs:
        means = {version: by_seed(results, version, (network, head)).mean() for version in VERSIONS}
        scores.append({"network": network, "output": head} | means)
    leads = []
    for pair in PAIRS:
        found = {version: lead(results, version, pair) for version in VERSIONS}
        found["rings minus no rings"] = (found["rings"] - found["no rings"]).dropna()
        leads += [
            {"difference": pair, "images": version, "mean [95 %, seeds]": interval(values), "by seed": each(values)}
            for version, values in found.items()
            if len(values)
        ]
    looks = [
        {"images": version, "epoch": epoch, **row}
        for version in VERSIONS
        for epoch, row in curves(results, version).iterrows()
    ]
    parts = {
        f"membrane IoU, test part, after {EPOCHS} epochs; mean over the seeds": as_text(scores, "network", "output"),
        "differences, paired by seed; the first line is primary": as_text(leads, "difference", "images"),
        "validation part, pooled, deepest head": as_text(looks, "images", "epoch"),
        "the search for the rate": search(results).T.to_string(float_format="{:.3f}".format),
    }
    return titled(parts)


EXPERIMENT = Experiment(
    name="fair_stage",
    question="What do the rings do to cutting, to the mean of the heads and to supervision, after long training?",
    trials=tuple(trials()),
    table=table,
)
