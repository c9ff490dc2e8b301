"""What each node knows: the triangle of linear read-outs of one or more networks, and what hangs on one edge."""

from collections.abc import Mapping

import torch
from torch import Tensor

from unetpp_lib.classroom.diagrams import name_of
from unetpp_lib.classroom.explorers.base import Choice, PictureExplorer, choice, whole_number
from unetpp_lib.classroom.explorers.sheet import set_out
from unetpp_lib.classroom.fading import maps_with_faded_edge
from unetpp_lib.classroom.figures import png_of_image
from unetpp_lib.classroom.grids import wiring
from unetpp_lib.classroom.plots import mark_mistakes
from unetpp_lib.engine.readouts import Readout, answer_of, node_maps, require_fit
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou
from unetpp_lib.models.nodes import Node

SIDE = 128  # pixels of a node's picture at most: of larger images every second, third … pixel is shown
FULL, STEP = 100, 10  # per cent

Answers = dict[Node, tuple[Tensor, float]]  # mask and membrane IoU


class NodeExplorer(PictureExplorer):
    """Look at what the nodes of networks say of an image, with one edge faded; mistakes are coloured (`mark_mistakes`).

    ``readouts`` are what `read_nodes` returned for each network, under its name; ``scored`` the images and masks that
    it was given to score: ``NodeExplorer({"mine": read_nodes(my_model, my_card, fitted, scored)}, scored)``.
    The controls are attributes (``network``, ``image``, ``node``, ``source``, ``strength``): what ``source`` sends to
    ``node`` is multiplied by ``strength`` per cent, and the same read-outs are asked again. ``scores`` holds each
    node's membrane IoU on the image. InputError for other shapes.
    """

    def __init__(self, readouts: Mapping[str, Readout], scored: tuple[Tensor, Tensor]) -> None:
        if not readouts:
            raise InputError("readouts is empty: give what read_nodes returned for at least one network.")
        for readout in readouts.values():
            require_fit(readout.model, readout.card, *scored)
        self._readouts, (self._images, self._truths) = dict(readouts), scored
        self._wires = {name: wiring(readout.model) for name, readout in readouts.items()}
        self.network = choice("network", list(readouts))
        image_box, self.image = whole_number("image", 0, 0, len(scored[0]) - 1)
        self.node = choice("fade what goes into", [])
        self.source = choice("and comes from", [])
        strength_box, self.strength = whole_number("strength, %", FULL, 0, FULL, STEP)
        super().__init__([self.network, image_box, self.node, self.source, strength_box])
        self._known: dict[tuple[str, int], Answers] = {}
        self._waiting = False
        self._take_image()
        self.network.observe(self._take_image, names="value")
        self.image.observe(self._take_image, names="value")
        self.node.observe(self._offer_sources, names="value")
        for control in (self.source, self.strength):
            control.observe(self._update, names="value")

    @property
    def _readout(self) -> Readout:
        return self._readouts[self.network.value]

    def _take_image(self, *_: object) -> None:
        """Ask the read-outs of the chosen network about the chosen image, with all edges at full strength."""
        self._input = self._readout.card.normalise(self._images[self.image.value])[None]
        self._maps: dict[Node, Tensor] = {}
        key = (self.network.value, self.image.value)
        if key not in self._known:
            self._known[key] = self._full_answers()
        self._offer(self.node, [node for node, sources in self._wires[self.network.value].items() if sources])
        self._offer_sources()

    def _offer_sources(self, *_: object) -> None:
        """Offer the nodes that feed the chosen one."""
        if not self._waiting:
            self._offer(self.source, self._wires[self.network.value][self.node.value])
            self._update()

    def _offer(self, buttons: Choice, nodes: list[Node]) -> None:
        """Let nodes be chosen; the one that is chosen stays, if it is among them."""
        chosen, self._waiting = buttons.value, True
        buttons.options = [(name_of(node), node) for node in nodes]
        buttons.value = chosen if chosen in nodes else nodes[0]
        self._waiting = False

    def _full_answers(self) -> Answers:
        """Return what the nodes answer with all edges at full strength."""
        if torch.equal(self._readout.images, self._images):  # then it has been asked already
            number = self.image.value
            return {node: self._scored(masks[number : number + 1]) for node, masks in self._readout.masks.items()}
        self._maps = node_maps(self._readout.model, self._input)
        return self._answers(self._maps)

    def _scored(self, mask: Tensor) -> tuple[Tensor, float]:
        """Return a mask and its membrane IoU."""
        return mask, iou(confusion_counts(mask, self._truths[self.image.value][None]), of="background")

    def _answers(self, maps: Mapping[Node, Tensor]) -> Answers:
        """Return the masks (1, 1, H, W) that the read-outs find in the maps, and their membrane IoU."""
        readout, size = self._readout, self._images.shape[2:]
        return {
            node: self._scored(answer_of(found, readout.weights[node], readout.thresholds[node], size))
            for node, found in maps.items()
        }

    def _faded_answers(self) -> Answers:
        """Return what the nodes answer that the faded edge leads to, through others too."""
        if not self._maps:
            self._maps = node_maps(self._readout.model, self._input)
        edge, wires = (self.source.value, self.node.value), self._wires[self.network.value]
        maps = maps_with_faded_edge(
            self._readout.model, self._input, self._maps, wires, edge, self.strength.value / FULL
        )
        return self._answers(maps)

    def _update(self, *_: object) -> None:
        if self._waiting:
            return
        answers = full = self._known[self.network.value, self.image.value]
        if self.strength.value < FULL:
            answers = full | self._faded_answers()
        self.scores = {node: score for node, (_, score) in answers.items()}
        truth = self._truths[self.image.value]
        every = -(-max(truth.shape) // SIDE)
        items = {}
        for (i, j), (mask, score) in answers.items():
            picture = mark_mistakes(truth[..., ::every, ::every], mask[..., ::every, ::every])
            items[i, j + i / 2] = f"{name_of((i, j))}   {score:.2f}", picture
        scores = ", ".join(f"{name_of(node)} {score:.2f}" for node, score in sorted(self.scores.items()))
        alt = f"Masks read out of the nodes, in a triangle. Membrane IoU on this image: {scores}."
        self.show(png_of_image(set_out(items)), alt, self._result)

    @property
    def _result(self) -> str:
        """The best and the worst node, or what a faded edge does, in one line."""
        beginning = f"{self.network.value}, image {self.image.value}"
        if self.strength.value == FULL:
            scores = self._readout.scores
            best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
            return (
                f"{beginning}: over all images {name_of(best)} knows most (membrane IoU {scores[best]:.2f}), "
                f"{name_of(worst)} least ({scores[worst]:.2f})."
            )
        last = max(node for node in self.scores if node[0] == 0)
        before = self._known[self.network.value, self.image.value][last][1]
        return (
            f"{beginning}, {name_of(self.source.value)} → {name_of(self.node.value)} at {self.strength.value} %: on "
            f"this image {name_of(last)} has a membrane IoU of {self.scores[last]:.2f}, {before:.2f} at 100 %."
        )
