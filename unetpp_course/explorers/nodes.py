"""Explorer: what linear probes predict from each node of one or more networks, and what one edge contributes."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from unetpp_course.ablation import maps_with_faded_edge
from unetpp_course.explorers.base import Choice, PictureExplorer, Recent, choice, whole_number
from unetpp_course.explorers.sheet import Picture, arrange, png
from unetpp_course.graph_drawing import grid_position, name_of
from unetpp_course.probes import NodeProbes, node_maps, probe_mask, require_fit
from unetpp_course.style import mark_mistakes
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou
from unetpp_lib.models.graph import Edge, Node, descendants, read_graph

SIDE = 128  # pixels of a node's picture at most; of larger images every second, third … pixel is shown
FULL, STEP = 100, 10  # per cent

Predictions = dict[Node, tuple[Picture, float]]  # the mistakes of each node's mask, and its membrane IoU
States = Mapping[int, NodeProbes]  # the probes of one network, by training step


class View(NamedTuple):
    """What the explorer shows: an image, as a network sees it at a moment of its training."""

    network: str
    moment: int
    image: int


class NodeExplorer(PictureExplorer):
    """Look at what each node of a network predicts for an image, and fade one edge; mistakes are coloured.

    ``probes`` holds what `fit_node_probes` returned for each network, by the network's name, and ``scored`` the images
    and masks on which it scored them:
    ``NodeExplorer({"mine": fit_node_probes(my_model, my_card, fitted, scored)}, scored)``.
    Give the probes of several training steps, by step, and a slider moves through the training run::

        kept = {}

        def keep_probes(trainer):  # the network goes on training, so this keeps a copy
            if trainer.step % 50 == 0:
                model = copy.deepcopy(trainer.model).eval()
                kept[trainer.step] = fit_node_probes(model, trainer.card, fitted, scored)

        train(config, callback=keep_probes)
        NodeExplorer({"mine": kept}, scored)

    The controls are attributes: ``network``, ``moment`` (the number of the training step among those given, from 0),
    ``image``, ``node``, ``source`` and ``strength``. What ``source`` sends to ``node`` is multiplied by ``strength``
    per cent, and the same probes predict again. ``scores`` holds each node's membrane IoU on the image. The explorer
    works on copies, so it shows the networks as they were when it opened. Raises InputError for other shapes, and for
    networks that were kept at different steps.
    """

    def __init__(self, probes: Mapping[str, NodeProbes | States], scored: tuple[Tensor, Tensor]) -> None:
        self._states = {name: states_of(name, given) for name, given in probes.items()}
        self._steps = common_steps(self._states)
        for states in self._states.values():
            for kept in states.values():
                require_fit(kept.model, kept.card, *scored)
        self._images, self._truths = scored
        self._wires = {
            name: read_graph(next(iter(states.values())).model).inputs for name, states in self._states.items()
        }
        self.network = choice("network", list(self._states))
        last = len(self._steps) - 1
        moment_box, self.moment = whole_number("moment of the training", last, 0, last)
        image_box, self.image = whole_number("image", 0, 0, len(self._images) - 1)
        self.node = choice("fade what goes into", [])
        self.source = choice("and comes from", [])
        strength_box, self.strength = whole_number("strength, %", FULL, 0, FULL, STEP)
        moments = [moment_box] if last else []
        super().__init__([self.network, *moments, image_box, self.node, self.source, strength_box])
        self._full = Recent[View, Predictions](32)
        self._maps = Recent[View, dict[Node, Tensor]](2)  # large
        self._pictures = Recent[tuple[View, Edge, int], tuple[bytes, dict[Node, float]]](200)
        self._waiting = False
        self._offer_nodes()
        self.network.observe(self._offer_nodes, names="value")
        self.node.observe(self._offer_sources, names="value")
        for control in (self.moment, self.image, self.source):
            control.observe(self._update, names="value")
        self.strength.observe(self._fade, names="value")

    @property
    def _view_shown(self) -> View:
        return View(self.network.value, self.moment.value, self.image.value)

    @property
    def probes(self) -> NodeProbes:
        """The probes of the network that is chosen, at the moment that is chosen."""
        return self._probes(self._view_shown)

    def _probes(self, view: View) -> NodeProbes:
        return self._states[view.network][self._steps[view.moment]]

    def _offer_nodes(self, *_: object) -> None:
        """Offer the nodes of the chosen network that others feed."""
        self._offer(self.node, [node for node, sources in self._wires[self.network.value].items() if sources])
        self._offer_sources()

    def _offer_sources(self, *_: object) -> None:
        """Offer the nodes that feed the chosen one."""
        if not self._waiting:
            self._offer(self.source, self._wires[self.network.value][self.node.value])
            self._update()

    def _offer(self, buttons: Choice, nodes: list[Node]) -> None:
        """Let nodes be chosen; the one that is chosen stays, if it is among them."""
        options = [(name_of(node), node) for node in nodes]
        if list(buttons.options) == options:
            return
        chosen, self._waiting = buttons.value, True
        with buttons.hold_sync():  # one message to the browser
            buttons.options = options
            buttons.value = chosen if chosen in nodes else nodes[0]
        self._waiting = False

    def _full_predictions(self, view: View) -> Predictions:
        """Return what the probes predict with all edges at full strength."""

        def predict() -> Predictions:
            probes = self._probes(view)
            if torch.equal(probes.images, self._images):  # then the masks are known already
                each = probes.masks.items()
                return {node: self._scored(masks[view.image : view.image + 1], view) for node, masks in each}
            maps = self._maps.get(view, dict)
            maps.update(node_maps(probes.model, self._input(view)))
            return self._predictions(maps, view)

        return self._full.get(view, predict)

    def _input(self, view: View) -> Tensor:
        return self._probes(view).card.normalise(self._images[view.image])[None]

    def _scored(self, mask: Tensor, view: View) -> tuple[Picture, float]:
        """Return the picture of a mask's mistakes, and the mask's membrane IoU."""
        truth = self._truths[view.image]
        every = -(-max(truth.shape) // SIDE)
        some = np.s_[..., ::every, ::every]
        return mark_mistakes(truth[some], mask[some]), iou(confusion_counts(mask, truth[None]), of="background")

    def _predictions(self, maps: Mapping[Node, Tensor], view: View) -> Predictions:
        """Return what the probes predict from the maps."""
        probes, size = self._probes(view), self._images.shape[2:]
        return {
            node: self._scored(probe_mask(found, probes.weights[node], probes.thresholds[node], size), view)
            for node, found in maps.items()
        }

    def _faded_predictions(self, view: View, edge: Edge, strength: int) -> Predictions:
        """Return what the probes predict for all nodes that the faded edge reaches, directly or through others."""
        known, wires = self._maps.get(view, dict), self._wires[view.network]
        model, changing = self._probes(view).model, descendants(wires, edge[1])
        found = maps_with_faded_edge(model, self._input(view), known, wires, edge, strength / FULL)
        known.update({node: maps for node, maps in found.items() if node not in changing})
        return self._predictions({node: found[node] for node in changing}, view)

    def _drawn(self, strength: int) -> tuple[bytes, dict[Node, float]]:
        """Return the picture and the scores at a strength of the edge, drawn or from the cache."""
        view, edge = self._view_shown, (self.source.value, self.node.value)
        return self._pictures.get((view, edge, strength), lambda: self._draw(view, edge, strength))

    def _draw(self, view: View, edge: Edge, strength: int) -> tuple[bytes, dict[Node, float]]:
        predictions = self._full_predictions(view)
        if strength < FULL:
            predictions = predictions | self._faded_predictions(view, edge, strength)
        items = {
            grid_position(node): (f"{name_of(node)}   {score:.2f}", picture)
            for node, (picture, score) in predictions.items()
        }
        return png(arrange(items)), {node: score for node, (_, score) in predictions.items()}

    def _update(self, *_: object) -> None:
        if self._waiting:
            return
        picture, self.scores = self._drawn(self.strength.value)
        scores = ", ".join(f"{name_of(node)} {score:.2f}" for node, score in sorted(self.scores.items()))
        alt = f"Masks read out of the nodes, in a triangle. Membrane IoU on this image: {scores}."
        self.show(picture, alt, self._result)

    def _fade(self, change: dict[str, int]) -> None:
        """Follow the strength; while the reader looks, draw what may come next."""
        self._update()
        for strength in (change["new"] - STEP, change["new"] + STEP):
            if 0 <= strength <= FULL:
                self._drawn(strength)

    @property
    def _result(self) -> str:
        """The best and the worst node, or what a faded edge does, in one line."""
        beginning = self.network.value
        if len(self._steps) > 1:
            beginning += f", step {self._steps[self.moment.value]} of {self._steps[-1]}"
        beginning += f", image {self.image.value}"
        if self.strength.value == FULL:
            scores = self.probes.scores
            best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
            return (
                f"{beginning}: over all images {name_of(best)} knows most (membrane IoU {scores[best]:.2f}), "
                f"{name_of(worst)} least ({scores[worst]:.2f})."
            )
        last = max(node for node in self.scores if node[0] == 0)
        before = self._full_predictions(self._view_shown)[last][1]
        return (
            f"{beginning}, {name_of(self.source.value)} → {name_of(self.node.value)} at {self.strength.value} %: on "
            f"this image {name_of(last)} has a membrane IoU of {self.scores[last]:.2f}, {before:.2f} at 100 %."
        )


def states_of(name: str, given: NodeProbes | States) -> dict[int, NodeProbes]:
    """Return the probes of a network by training step, in order; probes of a single step have the step 0.

    Each has a copy of its network. JupyterLab moves sliders in another thread than it runs cells, and what is held or
    faded there must not reach the network that a cell runs.
    """
    states = {0: given} if isinstance(given, NodeProbes) else dict(sorted(given.items()))
    states = {step: replace(probes, model=deepcopy(probes.model)) for step, probes in states.items()}
    if len({frozenset(probes.weights) for probes in states.values()}) != 1:
        raise InputError(f"probes[{name!r}] must hold one NodeProbes per training step, all of the same network.")
    return states


def common_steps(states: Mapping[str, States]) -> list[int]:
    """Return the training steps of the networks; raises InputError if they differ, or if there is no network."""
    if not states:
        raise InputError("probes is empty: give what fit_node_probes returned for at least one network.")
    steps = {tuple(found) for found in states.values()}
    if len(steps) > 1:
        each = "; ".join(f"{name}: {', '.join(map(str, found))}" for name, found in states.items())
        raise InputError(f"The networks were kept at different steps ({each}): keep all of them at the same ones.")
    return list(steps.pop())
