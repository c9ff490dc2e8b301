"""Is UNet++ better, or only bigger? Six networks, equal data, steps, augmentation and tuning; five seeds.

Laptop size, 20 epochs on the membranes. As the paper's wide U-Net and `compute_matched_unet` are at full size, here the
wide U-Net is the smallest not below UNet++ in parameters, the matched one the smallest not below it in arithmetic.
Each network's learning rate is the one of RATES at which seed 0 scores best on the validation part.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Any

from unetpp_course.lab.base import Experiment, Outcome, Trial, training_trial
from unetpp_course.lab.intervals import t_interval
from unetpp_course.lab.supervision import CONFIG
from unetpp_course.lab.timing import time_predictions, time_training_steps
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
SIDE = 256  # pixels, for the multiply-accumulates
ROUNDS = 15


def configuration(network: str, rate: float, seed: int) -> TrainConfig:
    """Return the configuration of one training."""
    return replace(CONFIG, **NETWORKS[network], lr=rate, seed=seed)


def trial_name(network: str, seed: int, rate: float | None = None) -> str:
    """Return the name of one training, at the network's best rate unless another is given."""
    return f"{network}-lr{rate or BEST_RATE[network]:g}-seed{seed}"


def deepest(rows: Mapping[str, Any]) -> str:
    """Return the name of the deepest head among the readings of a network."""
    return [row for row in rows if row.startswith("head")][-1]


def score(outcome: Outcome, key: str, reading: str | None = None) -> float:
    """Return a score of the test part; the reading is the deepest head's unless another is named."""
    rows: dict[str, dict[str, float]] = outcome["scores"]["scores"]
    return rows[reading or deepest(rows)][key]


def search_score(outcome: Outcome) -> float:
    """Return the best membrane IoU (pooled) that the deepest head had on the validation part after any epoch."""
    looks = [entry["validation"] for entry in outcome["history"]]
    return float(max(look[deepest(look)][SEARCH_SCORE] for look in looks))


def found_rate(outcomes: Mapping[str, Outcome], network: str) -> float:
    """Return the rate at which the network's search went best."""
    return max(RATES, key=lambda rate: search_score(outcomes[trial_name(network, SEARCH_SEED, rate)]))


def cost(network: str) -> tuple[int, int]:
    """Return a network's parameters and its multiply-accumulates for one image of 256×256."""
    costs = profile(configuration(network, RATES[0], 0).build_model(), SIDE, repeats=1)
    return costs.parameters, costs.macs


def leads(outcomes: Mapping[str, Outcome], network: str, reading: str | None = None, over: str = "unet") -> list[float]:
    """Return by how much a network's membrane IoU is ahead of another's, one value a seed that both have."""
    pairs = [(outcomes.get(trial_name(network, seed)), outcomes.get(trial_name(over, seed))) for seed in SEEDS]
    key = SCORES["membrane"]
    return [score(one, key, reading) - score(other, key) for one, other in pairs if one and other]


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return each network's cost, its scores (deepest head, then mean of heads), and its lead over U-Net by seed."""
    columns = "".join(f"{name:<26}" for name in (*SCORES, "membrane, less U-Net's"))
    lines = [f"{'':28}parameters  MACs (256²)  {columns}"]
    for network in NETWORKS:
        parameters, macs = cost(network)
        found = [outcomes[name] for seed in SEEDS if (name := trial_name(network, seed)) in outcomes]
        if len(found) < 2:
            continue
        for reading in (None, MEAN) if MEAN in found[0]["scores"]["scores"] else (None,):
            cells = [t_interval([score(outcome, key, reading) for outcome in found]) for key in SCORES.values()]
            lead = leads(outcomes, network, reading)
            cells += [t_interval(lead)] if network != "unet" and len(lead) > 1 else []
            name = network + (f", {reading}" if reading else "")
            numbers = "".join(f"{cell!s:<26}" for cell in cells).rstrip()
            lines.append(f"{name:<28}{parameters:>10,}{macs / 1e9:>11.2f} G  {numbers}")
    lines.append("IoU of the test part, mean over its images; mean [95 % t-interval over the seeds]")
    return "\n".join([*lines, *_search_lines(outcomes), *_seconds_lines(outcomes)])


def _search_lines(outcomes: Mapping[str, Outcome]) -> list[str]:
    lines = ["", f"membrane IoU (validation, pooled, best epoch) of seed {SEARCH_SEED} at the rates {RATES}"]
    for network in NETWORKS:
        names = [trial_name(network, SEARCH_SEED, rate) for rate in RATES]
        cells = [f"{search_score(outcomes[name]):.3f}" if name in outcomes else "–" for name in names]
        lines.append(f"{network:<28}" + "  ".join(cells))
    return lines


def _seconds_lines(outcomes: Mapping[str, Outcome]) -> list[str]:
    kinds = [kind for kind in ("step-seconds", "prediction-seconds") if kind in outcomes]
    return [
        line
        for kind in kinds
        for line in (
            "",
            f"{kind}, median of {ROUNDS}: "
            + ", ".join(f"{network} {median(values):.3f}" for network, values in outcomes[kind].items()),
        )
    ]


def _timing_settings() -> dict[str, Any]:
    settings = json.loads(CONFIG.to_json()) | {"networks": NETWORKS, "rounds": ROUNDS}
    return dict(json.loads(json.dumps(settings)))


TIMED = {network: configuration(network, CONFIG.lr, 0) for network in NETWORKS}

EXPERIMENT = Experiment(
    name="architectures",
    question="Is UNet++ better than U-Net, or only bigger?",
    trials=(
        *(
            training_trial(trial_name(network, seed, rate), configuration(network, rate, seed))
            for seed in SEEDS
            for rate in RATES
            for network in NETWORKS
            if seed == SEARCH_SEED or rate == BEST_RATE[network]
        ),
        Trial("step-seconds", _timing_settings(), lambda: time_training_steps(TIMED, ROUNDS)),
        Trial("prediction-seconds", _timing_settings(), lambda: time_predictions(TIMED, ROUNDS)),
    ),
    table=table,
)
