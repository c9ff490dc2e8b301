"""Do the nested nodes close the semantic gap? What the two maps that X^{0,depth} joins know, by linear read-outs.

The networks are those of the experiment on architectures, at their best rates; the untrained UNet++ is the control.
Read-outs are fitted on the first training images and scored on the validation part (see `engine.probes`).
"""

import json
from collections.abc import Mapping

import torch

from unetpp_course.lab import architectures
from unetpp_course.lab.base import Experiment, Outcome, Trial, trained
from unetpp_course.lab.intervals import t_interval
from unetpp_course.probes import fit_node_probes
from unetpp_lib.data import SegmentationFolder, find_dataset, read_split
from unetpp_lib.engine import Card, TrainConfig
from unetpp_lib.models import SegmentationNetwork
from unetpp_lib.models.graph import Node

NETWORKS = ("unet", "unetpp_plain", "unetpp")
UNTRAINED = "untrained"
SEEDS = architectures.SEEDS
FITTED = 8  # training images


def trial_name(network: str, seed: int) -> str:
    """Return the name of one network's read-outs."""
    return f"{network}-seed{seed}"


def node_scores(outcome: Outcome) -> dict[Node, float]:
    """Return the membrane IoU (pooled over the scored images) of each node's read-out."""
    return {(int(name[0]), int(name[2])): score for name, score in outcome["nodes"].items()}


def gap(outcome: Outcome) -> float:
    """Return by how much the map from below, X^{1,d-1}, knows more than the one at the left of X^{0,d}."""
    scores = node_scores(outcome)
    depth = max(i for i, _ in scores)
    left = max(j for i, j in scores if i == 0 and j < depth)  # X^{0,0} in U-Net, X^{0,d-1} in UNet++
    return scores[1, depth - 1] - scores[0, left]


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return each network's gap and what its last node knows, by seed and with intervals."""
    lines = []
    for network in (*NETWORKS, UNTRAINED):
        found = [outcomes[name] for seed in SEEDS if (name := trial_name(network, seed)) in outcomes]
        if len(found) > 1:
            gaps = [gap(outcome) for outcome in found]
            last = [node_scores(outcome)[0, 4] for outcome in found]
            each = " ".join(f"{value:+.3f}" for value in gaps)
            lines.append(f"{network:<14}gap {t_interval(gaps)}  ({each})  X^(0,4) {t_interval(last)}")
    lines.append("membrane IoU of read-outs, validation part, pooled; mean [95 % t-interval over the seeds]")
    return "\n".join(lines)


def readout_trial(network: str, seed: int) -> Trial:
    """Return the trial that reads out all nodes of one network."""
    kind = "unetpp" if network == UNTRAINED else network
    config = architectures.configuration(kind, architectures.BEST_RATE[kind], seed)

    def measure() -> Outcome:
        model, card = trained(config).load_model()
        if network == UNTRAINED:
            torch.manual_seed(seed)
            model = config.build_model().eval()
        return {"nodes": read_scores(config, model, card)}

    settings = json.loads(config.to_json()) | {"trained": network != UNTRAINED, "fitted": FITTED}
    return Trial(trial_name(network, seed), settings, measure)


def read_scores(config: TrainConfig, model: SegmentationNetwork, card: Card) -> dict[str, float]:
    """Return each node's score under its name, as "0,4"."""
    folder = SegmentationFolder(find_dataset(config.data))
    split = read_split(folder.root / "split.json")
    parts = []
    for names in (split.train[:FITTED], split.validation):
        images, masks = zip(*(folder[folder.index_of[name]] for name in names), strict=True)
        parts.append((torch.stack(images), torch.stack(masks)))
    scores = fit_node_probes(model, card, *parts).scores
    return {f"{i},{j}": score for (i, j), score in scores.items()}


EXPERIMENT = Experiment(
    name="semantic_gap",
    question="Do the nested nodes close the semantic gap?",
    trials=tuple(readout_trial(network, seed) for seed in SEEDS for network in (*NETWORKS, UNTRAINED)),
    table=table,
)
