"""Is UNet++ better, or only bigger? Six networks, equal data, steps, augmentation and tuning; five seeds.

Laptop size, 20 epochs on the membranes. As the paper's wide U-Net and `compute_matched_unet` are at full size, here the
wide U-Net is the smallest not below UNet++ in parameters, the matched one the smallest not below it in arithmetic.
Each network's learning rate is the one of RATES at which seed 0 scores best on the validation part.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from statistics import median
from typing import Any

import pandas as pd

from unetpp_course.lab.base import Experiment, Outcome, Results, Row, training_trial
from unetpp_course.lab.results import final_scores
from unetpp_course.lab.supervision import CONFIG
from unetpp_course.lab.tables import across, as_text, interval
from unetpp_course.lab.timing import ROUNDS, make_prediction, make_step, timing_trial
from unetpp_lib.engine import TrainConfig
from unetpp_lib.engine.evaluation import MEAN
from unetpp_lib.models import profile

NETWORKS: dict[str, dict[str, Any]] = {
    "unet": {"model": "unet"},
    "unet_wide": {"model": "unet", "widths": (9, 17, 35, 70, 140)},
    "unet_matched": {"model": "unet", "widths": (13, 26, 52, 104, 208)},
    "unetplus": {"model": "unetplus"},
    "unetpp_plain": {"model": "unetpp", "deep_supervision": False},
    "unetpp": {"model": "unetpp"},
}
RATES = (3e-3, 1e-2, 3e-2)
BEST_RATE = dict.fromkeys(NETWORKS, 1e-2) | {"unet_matched": 3e-3, "unetplus": 3e-2, "unetpp": 3e-2}
"""Each network's rate, as the stored search has it; a test holds one against the other."""
SEEDS = (0, 1, 2, 3, 4)
SEARCH_SEED = 0
SCORES = {"membrane": "iou/background/image", "class mean": "iou/classes/image"}
SEARCH_SCORE = "iou/background/pooled"
SEARCH = "best epoch, validation"
DEEPEST = "head 4"
SIDE = 256  # pixels, for the multiply-accumulates


def configuration(network: str, rate: float, seed: int) -> TrainConfig:
    """Return the configuration of one training."""
    return replace(CONFIG, **NETWORKS[network], lr=rate, seed=seed)


def deepest(rows: Mapping[str, Any]) -> str:
    """Return the name of the deepest head among the outputs of a network."""
    return [row for row in rows if row.startswith("head")][-1]


def search_score(outcome: Outcome) -> float:
    """Return the best membrane IoU (pooled) that the deepest head had on the validation part after any epoch."""
    looks = [entry["validation"] for entry in outcome["history"]]
    return float(max(look[deepest(look)][SEARCH_SCORE] for look in looks))


def training_rows(outcome: Outcome) -> list[Row]:
    """Return a training's final scores, and the one that the search for the rate goes by."""
    return [*final_scores(outcome), {"score": SEARCH, "value": search_score(outcome)}]


def search(results: Results) -> pd.DataFrame:
    """Return `search_score` of the searched seed: rates × networks; ``idxmax`` of it is what the search finds."""
    return across(results.frame, "network", index="rate", seed=SEARCH_SEED, score=SEARCH)


def by_seed(results: Results, score: str = SCORES["membrane"], output: str = DEEPEST) -> pd.DataFrame:
    """Return a score of the test part, each network at its best rate: seeds × networks, paired."""
    best = results.frame[results.frame["rate"] == results.frame["network"].map(BEST_RATE)]
    return across(best, "network", output=output, score=score).reindex(columns=list(NETWORKS))


@cache
def cost(network: str) -> tuple[int, int]:
    """Return a network's parameters and its multiply-accumulates for one image of 256×256."""
    costs = profile(configuration(network, RATES[0], 0).build_model(), SIDE, device="meta", repeats=1)
    return costs.parameters, costs.macs


def table(results: Results) -> str:
    """Return each network's cost, its scores (deepest head, then mean of heads), and its lead over U-Net by seed."""
    unet = by_seed(results)["unet"]
    rows = []
    for network, output in product(NETWORKS, (DEEPEST, MEAN)):
        scores = {name: by_seed(results, key, output)[network] for name, key in SCORES.items()}
        if scores["membrane"].count() > 1:
            parameters, macs = cost(network)
            row = {"network": network, "output": output, "parameters": f"{parameters:,}"}
            row |= {"MACs (256²)": f"{macs / 1e9:.2f} G"} | {name: interval(v) for name, v in scores.items()}
            lead = "" if network == "unet" else interval(scores["membrane"] - unet)
            rows.append(row | {"membrane, minus U-Net's": lead})
    lines = [as_text(rows, "network", "output")]
    lines += ["IoU of the test part, mean over its images; mean [95 % t-interval over the seeds]", ""]
    lines.append(f"membrane IoU (validation, pooled, best epoch) of seed {SEARCH_SEED} at the rates")
    lines.append(as_text(search(results).T.reindex(NETWORKS).reset_index().to_dict("records"), "network"))
    for kind in ("step-seconds", "prediction-seconds"):
        if kind in results:
            medians = [f"{network} {median(seconds):.3f}" for network, seconds in results[kind].items()]
            lines += ["", f"{kind}, median of {ROUNDS}: {', '.join(medians)}"]
    return "\n".join(lines)


TIMED = {network: configuration(network, CONFIG.lr, 0) for network in NETWORKS}

TRAININGS = [
    training_trial(
        f"{network}-lr{rate:g}-seed{seed}",
        configuration(network, rate, seed),
        columns={"network": network},
        rows=training_rows,
    )
    for seed, rate, network in product(SEEDS, RATES, NETWORKS)
    if seed == SEARCH_SEED or rate == BEST_RATE[network]
]
TIMINGS = [
    timing_trial("step-seconds", make_step, TIMED, CONFIG, networks=NETWORKS),
    timing_trial("prediction-seconds", make_prediction, TIMED, CONFIG, networks=NETWORKS),
]

EXPERIMENT = Experiment("architectures", "Is UNet++ better than U-Net, or only bigger?", (*TRAININGS, *TIMINGS), table)
