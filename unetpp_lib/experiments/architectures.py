"""Is UNet++ better, or only bigger? Six networks, equal data, steps, augmentation and learning rate; five seeds.

Laptop size, 20 epochs on the membranes. As the paper's wide U-Net and `compute_matched_unet` are at full size, here the
wide U-Net is the smallest not below UNet++ in parameters, the matched one the smallest not below it in arithmetic.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from unetpp_lib.engine.evaluation import MEAN
from unetpp_lib.experiments.base import Experiment, Outcome, training_trial
from unetpp_lib.experiments.intervals import t_interval
from unetpp_lib.experiments.supervision import CONFIG
from unetpp_lib.models import profile

NETWORKS: dict[str, dict[str, Any]] = {
    "unet": {"model": "unet"},
    "unet_wide": {"model": "unet", "widths": (9, 17, 35, 70, 140)},
    "unet_matched": {"model": "unet", "widths": (13, 26, 52, 104, 208)},
    "unetplus": {"model": "unetplus"},
    "unetpp_plain": {"model": "unetpp", "deep_supervision": False},
    "unetpp": {"model": "unetpp"},
}
SEEDS = (0, 1, 2, 3, 4)
SCORES = {"membrane": "iou/background/image", "class mean": "iou/classes/image"}
SIDE = 256  # pixels, for the multiply-accumulates


def trial_name(network: str, seed: int) -> str:
    """Return the name of one training."""
    return f"{network}-seed{seed}"


def score(outcome: Outcome, key: str, reading: str | None = None) -> float:
    """Return a score of the test part; the reading is the deepest head's unless another is named."""
    rows: dict[str, dict[str, float]] = outcome["scores"]["scores"]
    return rows[reading or [row for row in rows if row.startswith("head")][-1]][key]


def cost(network: str) -> tuple[int, int]:
    """Return a network's parameters and its multiply-accumulates for one image of 256×256."""
    model = replace(CONFIG, **NETWORKS[network]).build_model()
    costs = profile(model, SIDE, repeats=1)
    return costs.parameters, costs.macs


def leads(outcomes: Mapping[str, Outcome], network: str, reading: str | None = None) -> list[float]:
    """Return by how much a network's membrane IoU is ahead of U-Net's, one value a seed that both have."""
    pairs = [(outcomes.get(trial_name(network, seed)), outcomes.get(trial_name("unet", seed))) for seed in SEEDS]
    key = SCORES["membrane"]
    return [score(one, key, reading) - score(unet, key) for one, unet in pairs if one and unet]


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
    return "\n".join([*lines, "IoU of the test part, mean over its images; mean [95 % t-interval over the seeds]"])


EXPERIMENT = Experiment(
    name="architectures",
    question="Is UNet++ better than U-Net, or only bigger?",
    trials=tuple(
        training_trial(trial_name(network, seed), replace(CONFIG, **changes, seed=seed))
        for seed in SEEDS
        for network, changes in NETWORKS.items()
    ),
    table=table,
)
