"""Do the nested nodes close the semantic gap? What the two maps that X^{0,4} joins know, by linear probes.

The networks are those of the experiment on architectures, at their best rates; the untrained UNet++ is the control.
Probes are fitted on the first training images and scored on the validation part (see `unetpp_course.probes`).
"""

import json
from itertools import product

import pandas as pd
import torch

from unetpp_course.lab import architectures
from unetpp_course.lab.base import Experiment, Outcome, Results, Trial, open_set, stack_images, trained
from unetpp_course.lab.results import rows_at
from unetpp_course.lab.tables import across, as_text, each, interval
from unetpp_course.probes import fit_node_probes

UNTRAINED = "untrained"
COMPARED = ("unet", "unetpp_plain", "unetpp", UNTRAINED)
SEEDS = architectures.SEEDS
FITTED = 8  # training images


def node_scores(results: Results) -> pd.DataFrame:
    """Return the membrane IoU, pooled over the scored images, of probes: (network, seed) × nodes, named as "0,4"."""
    return across(results.frame, "output", index=["network", "seed"])


def gaps(results: Results) -> pd.DataFrame:
    """Return by how much X^{1,3}, the map from below, knows more than the one at the left of X^{0,4}: seeds × networks.

    At the left is X^{0,3}; U-Net has none, and its skip comes from X^{0,0}.
    """
    nodes = node_scores(results)
    left = nodes["0,3"].fillna(nodes["0,0"]) if "0,3" in nodes else nodes["0,0"]
    return (nodes["1,3"] - left).unstack("network")


def table(results: Results) -> str:
    """Return each network's gap and what its last node knows, by seed and with intervals."""
    gap, last = gaps(results), node_scores(results)["0,4"].unstack("network")
    rows = [
        {"": name, "gap": interval(gap[name]), "by seed": each(gap[name], "+.3f"), "X^(0,4)": interval(last[name])}
        for name in COMPARED
        if name in gap and gap[name].count() > 1
    ]
    return f"{as_text(rows, '')}\nmembrane IoU of probes, validation part, pooled; mean [95 %, seeds]"


def probe_trial(network: str, seed: int) -> Trial:
    """Return the trial that probes all nodes of one network."""
    kind = "unetpp" if network == UNTRAINED else network
    config = architectures.configuration(kind, architectures.BEST_RATE[kind], seed)

    def measure() -> Outcome:
        model, card = trained(config).load_model()
        if network == UNTRAINED:
            torch.manual_seed(seed)
            model = config.build_model().eval()
        folder, split = open_set(config.data)
        fitted, scored = stack_images(folder, split.train[:FITTED]), stack_images(folder, split.validation)
        scores = fit_node_probes(model, card, fitted, scored).scores
        return {"nodes": {f"{i},{j}": score for (i, j), score in scores.items()}}

    settings = json.loads(config.to_json()) | {"trained": network != UNTRAINED, "fitted": FITTED}
    columns = {"network": network, "seed": seed}
    return Trial(f"{network}-seed{seed}", settings, measure, columns, rows_at("nodes", "output"))


TRIALS = tuple(probe_trial(network, seed) for seed, network in product(SEEDS, COMPARED))

EXPERIMENT = Experiment("semantic_gap", "Do the nested nodes close the semantic gap?", TRIALS, table)
