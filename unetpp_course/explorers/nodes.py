"""What each node knows: the triangle of linear read-outs of one or more networks, and what hangs on one edge."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from unetpp_course.ablation import fed_by, maps_with_faded_edge
from unetpp_course.diagrams import name_of
from unetpp_course.explorers.base import Choice, PictureExplorer, Recent, choice, whole_number
from unetpp_course.explorers.sheet import Picture, png, set_out
from unetpp_course.graph import Edge, Node, wiring
from unetpp_course.probes import Readout, answer_of, node_maps, require_fit
from unetpp_course.style import mark_mistakes
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou

SIDE = 128  # pixels of a node's picture at most: of larger images every second, third … pixel is shown
FULL, STEP = 100, 10  # per cent

Answers = dict[Node, tuple[Picture, float]]  # the mistakes of a node's mask, and its membrane IoU
States = Mapping[int, Readout]  # of one network, by training step
Scores = dict[Node, float]


class Asked(NamedTuple):
    """What the nodes are asked about: an image, by a network at a moment of its training."""

    network: str
    moment: int
    image: int


class NodeExplorer(PictureExplorer):
    """Look at what the nodes of networks say of an image, with one edge faded; mistakes are coloured (`mark_mistakes`).

    ``readouts`` are what `read_nodes` returned for each network, under its name; ``scored`` the images and masks that
    it was given to score: ``NodeExplorer({"mine": read_nodes(my_model, my_card, fitted, scored)}, scored)``.
    In place of one, give several by training step, and a slider moves through the training::

        kept = {}

        def watch(training):  # the network trains on: a copy is kept
            if training.step % 50 == 0:
                model = copy.deepcopy(training.model).eval()
                kept[training.step] = read_nodes(model, training.card, fitted, scored)

        train(config, watch=watch)
        NodeExplorer({"mine": kept}, scored)

    The controls are attributes (``network``, ``moment``, which of the steps, from 0, ``image``, ``node``, ``source``,
    ``strength``): what ``source`` sends to ``node`` is multiplied by ``strength`` per cent, and the same read-outs are
    asked again. ``scores`` holds each node's membrane IoU on the image. The explorer keeps copies of the networks as
    they are when it opens. InputError for other shapes, and for networks that were kept at different steps.
    """

    def __init__(self, readouts: Mapping[str, Readout | States], scored: tuple[Tensor, Tensor]) -> None:
        self._states = {name: states_of(name, given) for name, given in readouts.items()}
        self._steps = common_steps(self._states)
        for states in self._states.values():
            for readout in states.values():
                require_fit(readout.model, readout.card, *scored)
        self._images, self._truths = scored
        self._wires = {name: wiring(next(iter(states.values())).model) for name, states in self._states.items()}
        self.network = choice("network", list(self._states))
        last = len(self._steps) - 1
        moment_box, self.moment = whole_number("moment of the training", last, 0, last)
        image_box, self.image = whole_number("image", 0, 0, len(self._images) - 1)
        self.node = choice("fade what goes into", [])
        self.source = choice("and comes from", [])
        strength_box, self.strength = whole_number("strength, %", FULL, 0, FULL, STEP)
        moments = [moment_box] if last else []
        super().__init__([self.network, *moments, image_box, self.node, self.source, strength_box])
        self._full = Recent[Asked, Answers](32)
        self._maps = Recent[Asked, dict[Node, Tensor]](2)  # large
        self._pictures = Recent[tuple[Asked, Edge, int], tuple[bytes, Scores]](200)
        self._waiting = False
        self._offer_nodes()
        self.network.observe(self._offer_nodes, names="value")
        self.node.observe(self._offer_sources, names="value")
        for control in (self.moment, self.image, self.source):
            control.observe(self._update, names="value")
        self.strength.observe(self._fade, names="value")

    @property
    def _asked(self) -> Asked:
        return Asked(self.network.value, self.moment.value, self.image.value)

    @property
    def readout(self) -> Readout:
        """The read-outs of the network that is chosen, at the moment that is chosen."""
        return self._readout(self._asked)

    def _readout(self, asked: Asked) -> Readout:
        return self._states[asked.network][self._steps[asked.moment]]

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

    def _full_answers(self, asked: Asked) -> Answers:
        """Return what the nodes answer with all edges at full strength."""

        def ask() -> Answers:
            readout = self._readout(asked)
            if torch.equal(readout.images, self._images):  # then it has been asked already
                each = readout.masks.items()
                return {node: self._scored(masks[asked.image : asked.image + 1], asked) for node, masks in each}
            maps = self._maps.get(asked, dict)
            maps.update(node_maps(readout.model, self._input(asked)))
            return self._answers(maps, asked)

        return self._full.get(asked, ask)

    def _input(self, asked: Asked) -> Tensor:
        return self._readout(asked).card.normalise(self._images[asked.image])[None]

    def _scored(self, mask: Tensor, asked: Asked) -> tuple[Picture, float]:
        """Return the picture of a mask's mistakes, and the mask's membrane IoU."""
        truth = self._truths[asked.image]
        every = -(-max(truth.shape) // SIDE)
        some = np.s_[..., ::every, ::every]
        return mark_mistakes(truth[some], mask[some]), iou(confusion_counts(mask, truth[None]), of="background")

    def _answers(self, maps: Mapping[Node, Tensor], asked: Asked) -> Answers:
        """Return what the read-outs find in the maps."""
        readout, size = self._readout(asked), self._images.shape[2:]
        return {
            node: self._scored(answer_of(found, readout.weights[node], readout.thresholds[node], size), asked)
            for node, found in maps.items()
        }

    def _faded_answers(self, asked: Asked, edge: Edge, strength: int) -> Answers:
        """Return what the nodes answer that the faded edge leads to, through others too."""
        known, wires = self._maps.get(asked, dict), self._wires[asked.network]
        model, changing = self._readout(asked).model, fed_by(wires, edge[1])
        found = maps_with_faded_edge(model, self._input(asked), known, wires, edge, strength / FULL)
        known.update({node: maps for node, maps in found.items() if node not in changing})
        return self._answers({node: found[node] for node in changing}, asked)

    def _drawn(self, strength: int) -> tuple[bytes, Scores]:
        """Return the picture and the scores at a strength of the edge; once drawn, they come back at once."""
        asked, edge = self._asked, (self.source.value, self.node.value)
        return self._pictures.get((asked, edge, strength), lambda: self._draw(asked, edge, strength))

    def _draw(self, asked: Asked, edge: Edge, strength: int) -> tuple[bytes, Scores]:
        answers = self._full_answers(asked)
        if strength < FULL:
            answers = answers | self._faded_answers(asked, edge, strength)
        items = {
            (i, j + i / 2): (f"{name_of((i, j))}   {score:.2f}", picture)
            for (i, j), (picture, score) in answers.items()
        }
        return png(set_out(items)), {node: score for node, (_, score) in answers.items()}

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
            scores = self.readout.scores
            best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
            return (
                f"{beginning}: over all images {name_of(best)} knows most (membrane IoU {scores[best]:.2f}), "
                f"{name_of(worst)} least ({scores[worst]:.2f})."
            )
        last = max(node for node in self.scores if node[0] == 0)
        before = self._full_answers(self._asked)[last][1]
        return (
            f"{beginning}, {name_of(self.source.value)} → {name_of(self.node.value)} at {self.strength.value} %: on "
            f"this image {name_of(last)} has a membrane IoU of {self.scores[last]:.2f}, {before:.2f} at 100 %."
        )


def states_of(name: str, given: Readout | States) -> dict[int, Readout]:
    """Return the read-outs of a network by training step, in order; a single one has the step 0.

    Each has a copy of its network: JupyterLab moves sliders in a thread beside the cells, and what is held or faded
    there must not reach the network that a cell runs.
    """
    states = {0: given} if isinstance(given, Readout) else dict(sorted(given.items()))
    states = {step: replace(readout, model=deepcopy(readout.model)) for step, readout in states.items()}
    if len({frozenset(readout.weights) for readout in states.values()}) != 1:
        raise InputError(f"readouts[{name!r}] must hold a Readout of one and the same network for each training step.")
    return states


def common_steps(states: Mapping[str, States]) -> list[int]:
    """Return the training steps of all networks; InputError where they differ, or there is no network."""
    if not states:
        raise InputError("readouts is empty: give what read_nodes returned for at least one network.")
    steps = {tuple(found) for found in states.values()}
    if len(steps) > 1:
        each = "; ".join(f"{name}: {', '.join(map(str, found))}" for name, found in states.items())
        raise InputError(f"The networks were kept at different steps ({each}): keep all of them at the same ones.")
    return list(steps.pop())
