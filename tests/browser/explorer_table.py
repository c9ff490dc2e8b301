"""How each explorer is opened in a browser, and what its line of status must say.

The depth explorer has tests of its own.
"""

from collections.abc import Callable
from statistics import fmean
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from unetpp_course import shipped_model, stored_scores
from unetpp_course.ablation import maps_with_faded_edge
from unetpp_course.custom_wiring import WiredNetwork
from unetpp_course.explorers.skips import faded_skips
from unetpp_course.explorers.threshold import SCORES
from unetpp_course.explorers.wiring import FAULTS
from unetpp_course.graph_drawing import name_of
from unetpp_course.probes import node_maps, probe_mask
from unetpp_lib.data import elastic_field, warp
from unetpp_lib.metrics import classify, confusion_counts, iou, segments, v_rand
from unetpp_lib.models import UNetPlusPlus, prune
from unetpp_lib.models.graph import read_graph

Explorer = Any

SETUP = """\
import torch
import unetpp_course
from unetpp_course import *
from unetpp_course.heads_in_time import shipped_heads
from unetpp_lib.data import SegmentationFolder, find_dataset, read_distractors
from unetpp_course.probes import fit_node_probes
from unetpp_lib.losses import bce_loss
from unetpp_lib.models import Profile, UNet, prune

root = find_dataset("membranes")
folder = SegmentationFolder(root)
image, mask = folder[34]
model, card = shipped_model("unetpp_membranes")
"""


class Entry(NamedTuple):
    """An explorer of the course."""

    name: str
    source: str
    """A cell that comes after SETUP and binds ``explorer``."""
    says: Callable[[Explorer], str]
    """What must stand in the line of status, computed with the rest of the library from where the controls stand."""

    def open(self) -> Explorer:
        """Return the explorer."""
        names: dict[str, Any] = {}
        exec(SETUP + self.source, names)
        return names["explorer"]


def membrane_iou(answer: Tensor, truth: Tensor) -> float:
    """Return the IoU of class 0 of masks (1, H, W) or (N, 1, H, W)."""
    return iou(
        confusion_counts(answer.reshape(-1, 1, *answer.shape[-2:]), truth.reshape(-1, 1, *truth.shape[-2:])),
        "background",
    )


def elastic(e: Explorer) -> str:
    def field(number: int) -> Tensor:
        generator = torch.Generator().manual_seed(2 * e.draw.value + number)
        return elastic_field(1, *e._mask.shape[-2:], e.points.value, float(e.strength.value), generator)

    own = field(int(e.partners.value == "apart"))
    moved = warp(e._mask.float(), own, e.mask_values.value)
    return f"membrane IoU {membrane_iou((moved > 0.5).to(torch.uint8), warp(e._mask, field(0), 'nearest')):.3f}"


def receptive_field(e: Explorer) -> str:
    """Light the image outside the window, and the window's rim, for a copy in which nothing cancels."""
    arguments = shipped_model("unetpp_membranes")[0].arguments | {"widths": (1,) * 5, "norm": None}
    network = UNetPlusPlus(**arguments).eval()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, float(parameter.ndim > 1))
    top, bottom, left, right = e.window(e.head.value)
    images = torch.zeros(5, 1, *e.picture.shape[:2])
    images[0], images[0, :, top : bottom + 1, left : right + 1] = 1, 0
    for image, (row, column) in zip(
        images[1:], ((top, left), (top, right), (bottom, left), (bottom, right)), strict=True
    ):
        image[0, row, column] = 1
    with torch.inference_mode():
        arrives = network(images)[e.head.value - 1][:, 0, e.row.value, e.column.value] > 0
    assert arrives.tolist() == [False, True, True, True, True]
    return f"rows {top}–{bottom} and columns {left}–{right}"


def peephole(e: Explorer) -> str:
    given, asked = e.answers[e.window.value], e.questions[e.window.value]
    if 0 < len(given) < len(asked) and e.status.startswith(("Right", "Wrong")):
        label = asked[len(given) - 1].label
        return f"{'Right' if given[-1] == label else 'Wrong'}: it was a {label}."
    return f"Window of {e.window.value} pixels, question {min(len(given), len(asked) - 1) + 1} of {len(asked)}"


def skips(e: Explorer) -> str:
    with faded_skips(e.model, [slider.value / 100 for slider in e.sliders]), torch.inference_mode():
        answer = classify(e.model(e.card.normalise(e.image)[None])[-1].sigmoid())
    return f"IoU of the membrane: {membrane_iou(answer, e.mask):.3f}"


def wires(e: Explorer) -> str:
    with torch.device("meta"):
        network = WiredNetwork(e.wires)
    return f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} M parameters"


def hidden_wire(e: Explorer) -> str:
    if e.guess.value not in FAULTS:
        return "Which?"
    return (
        f"Yes: {name_of(FAULTS[1])} "
        if e.guess.value == FAULTS[1]
        else f"{name_of(e.guess.value)} is wired as it should be"
    )


def nodes(e: Explorer) -> str:
    probes, k = e.probes, e.image.value
    if e.strength.value == 100:
        best = max(probes.scores, key=probes.scores.get)
        return f"{name_of(best)} knows most (membrane IoU {probes.scores[best]:.2f})"
    image = probes.card.normalise(e._images[k])[None]
    edge, last = (e.source.value, e.node.value), (0, 4)
    inputs = read_graph(probes.model).inputs
    faded = maps_with_faded_edge(
        probes.model,
        image,
        node_maps(probes.model, image),
        inputs,
        edge,
        e.strength.value / 100,
    )
    found = faded[last] if last in faded else node_maps(probes.model, image)[last]
    answer = probe_mask(found, probes.weights[last], probes.thresholds[last], image.shape[2:])
    return f"X0,4 has a membrane IoU of {membrane_iou(answer, e._truths[k]):.2f}"


def head_step(e: Explorer) -> str:
    reading = {"all": "head 1", "mean": "mean"}.get(e.head.value, f"head {e.head.value}")
    heads = e.kept.steps[e.step]
    p = heads.mean(0) if e.head.value == "mean" else heads[0 if e.head.value == "all" else int(e.head.value) - 1]
    return f"{reading} {membrane_iou((p > 0.5).to(torch.uint8), e.kept.mask):.2f}"


def loss_pull(e: Explorer) -> str:
    p = e.probabilities()
    return f"BCE {F.binary_cross_entropy(p, e.target):.3f} · Dice loss "


def threshold(e: Explorer) -> str:
    counts = confusion_counts(classify(e.probabilities, e.threshold.value / 100), e.masks)
    return f", {SCORES[e.score.value](counts, e.of.value, e.average.value):.3f}; the best, "


def bridge(e: Explorer) -> str:
    answer = torch.from_numpy(e.answer.copy())
    if e.state.value == "erased":
        answer[e.crossing] = 1
    cells = segments(e._true[0, 0].numpy().astype(float), fill=False)
    rand = v_rand(segments(answer.numpy().astype(float)), cells)
    return f"→ {membrane_iou(answer[None], e._true):.4f}; V_rand {e.whole[1]:.4f} → {rand:.4f}"


def ladder(e: Explorer) -> str:
    def mean(network: str) -> float:
        found = [s for s in stored_scores() if (s.protocol, s.network) == (e.protocol.value, network)]
        return fmean(s.read(e.score.value) for s in found)

    if e.view.value == "gap":
        return f"UNet++ − U-Net: {mean('UNet++') - mean('U-Net'):+.3f} ["
    return f"U-Net: {mean('U-Net'):.3f} ["


def cut(e: Explorer) -> str:
    k, pruned = e.image.value, prune(shipped_model("unetpp_membranes")[0], e.depth.value)
    with torch.inference_mode():
        p = pruned(e.card.normalise(e.images[k])[None])[-1].sigmoid()
    return f"IoU of the membrane {membrane_iou(classify(p), e.masks[k]):.3f}"


FOR_PROBES = """\
pairs = [folder[k] for k in range(28, 31)]
images, masks = (torch.stack(part)[..., :128, :128] for part in zip(*pairs, strict=True))
fitted, scored = (images[:1], masks[:1]), (images[1:], masks[1:])
"""  # small, for the probes are fitted anew in every test run

EXPLORERS = [
    Entry("ElasticExplorer", "explorer = ElasticExplorer(image, mask)", elastic),
    Entry(
        "ReceptiveFieldExplorer",
        "explorer = ReceptiveFieldExplorer(model, image, head=3, row=100, column=90)",
        receptive_field,
    ),
    Entry(
        "PeepholeGame",
        "samples = [(*folder[k], read_distractors(root, folder.names[k])) for k in range(32, 40)]\n"
        "explorer = PeepholeGame(model, card, samples)",
        peephole,
    ),
    Entry("SkipsExplorer", 'explorer = SkipsExplorer(*shipped_model("unet_membranes"), image, mask)', skips),
    Entry("WiringExplorer", "explorer = WiringExplorer()", wires),
    Entry("HiddenWire", "explorer = HiddenWire(1)", hidden_wire),
    Entry(
        "NodeExplorer",
        FOR_PROBES + 'networks = {"UNet++": (model, card), "U-Net": shipped_model("unet_membranes")}\n'
        "probes = {k: fit_node_probes(*network, fitted, scored) for k, network in networks.items()}\n"
        "explorer = NodeExplorer(probes, scored)\n"
        "explorer.strength.value = 50",
        nodes,
    ),
    Entry(
        "NodeExplorer through a training",
        FOR_PROBES + "torch.manual_seed(0)\n"
        "states = {0: type(model)(**model.arguments).eval(), 1000: model}\n"
        "kept = {step: fit_node_probes(state, card, fitted, scored) for step, state in states.items()}\n"
        'explorer = NodeExplorer({"mine": kept}, scored)',
        nodes,
    ),
    Entry("HeadStepExplorer", "explorer = HeadStepExplorer(shipped_heads())", head_step),
    Entry("LossGradientExplorer", "explorer = LossGradientExplorer()", loss_pull),
    Entry(
        "ThresholdExplorer",
        "images, masks = (torch.stack(part) for part in zip(*(folder[k] for k in range(32, 36)), strict=True))\n"
        "with torch.inference_mode():\n"
        "    p = model(card.normalise(images))[-1].sigmoid()\n"
        "explorer = ThresholdExplorer(p, masks)",
        threshold,
    ),
    Entry("BridgeExplorer", "explorer = BridgeExplorer(thin_membranes(mask), membrane=1)", bridge),
    Entry("LadderExplorer", "explorer = LadderExplorer()", ladder),
    Entry("CutExplorer", "explorer = CutExplorer(model, card, *zip(*(folder[k] for k in range(32, 36))))", cut),
]
