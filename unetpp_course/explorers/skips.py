"""Explorer: what a trained U-Net predicts while each of its skips is turned down."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from unetpp_course.ablation import held_nodes
from unetpp_course.explorers.base import PictureExplorer, Recent, require_image, whole_number
from unetpp_course.explorers.sheet import beside, grey, png
from unetpp_course.style import mark_mistakes
from unetpp_lib.engine import Card
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models.graph import Node, node_modules, recorded_outputs

FULL, STEP = 100, 5  # per cent


@contextmanager
def faded_skips(model: nn.Module, strengths: Sequence[float]) -> Iterator[None]:
    """Multiply the skip of row i by ``strengths[i]`` in every forward pass of ``model`` within the block.

    ``model`` has its joining nodes in ``decoder``, row by row, as `UNet` does; the first argument of a joining node is
    its skip or a list of skips. Raises InputError for another module or another number of strengths.
    """
    joins = getattr(model, "decoder", None)
    if joins is None or len(joins) != len(strengths):
        rows = "no decoder" if joins is None else f"{len(joins)} skips"
        raise InputError(f"{type(model).__name__} has {rows}, and there are {len(strengths)} strengths: give one each.")

    def fading(strength: float) -> Any:
        def fade(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            skips, *rest = inputs
            faded = strength * skips if isinstance(skips, Tensor) else [strength * skip for skip in skips]
            return faded, *rest

        return fade

    handles = [
        join.register_forward_pre_hook(fading(strength)) for join, strength in zip(joins, strengths, strict=True)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class SkipsExplorer(PictureExplorer):
    """Sliders from 0 to 100 % for the skip of every row and for all skips; the prediction follows, with its IoU.

    ``model`` is a `UNet` or a network with the same ``decoder`` and one head, and ``card`` is its card; ``image`` is
    (C, H, W) in [0, 1], ``mask`` (1, H, W) of 0 and 1. ``strengths`` are the initial positions of the sliders in per
    cent, and `set` moves the sliders. `score` is the IoU of the membrane (class 0). The explorer works on a copy of the
    network. Raises InputError for arguments that do not fit together.
    """

    def __init__(
        self, model: nn.Module, card: Card, image: Tensor, mask: Tensor, strengths: Sequence[int] | None = None
    ) -> None:
        require_image(image, mask, channels=len(card.mean))
        rows = len(getattr(model, "decoder", ()))
        with faded_skips(model, [1.0] * max(1, rows)):
            pass  # this raises InputError for a network without skips
        self.model, self.card, self.image, self.mask = deepcopy(model).eval(), card, image, mask
        self._maps: dict[Node, Tensor] = {}
        self._faded: list[int] = []  # with these strengths
        height, width = image.shape[-2:]
        names = [f"skip {i}, {width >> i} × {height >> i}, %" for i in range(rows)]
        boxes, sliders = zip(
            *(whole_number(name, FULL, 0, FULL, STEP) for name in (*names, "all skips, %")), strict=True
        )
        *self.sliders, self.all = sliders
        self._waiting = False
        self.score = 0.0
        self._pictures = Recent[tuple[int, ...], tuple[bytes, float]](100)
        super().__init__(boxes)
        for row, slider in enumerate(self.sliders):
            slider.observe(lambda _, row=row: self._follow(row), "value")
        self.all.observe(lambda change: self._follow_all(change["new"]), "value")
        self.set(*(strengths or [FULL] * rows))

    @property
    def strengths(self) -> list[int]:
        """The strength of each row's skip in per cent."""
        return [slider.value for slider in self.sliders]

    def set(self, *strengths: int) -> None:
        """Set the strengths of all rows, in per cent, and draw once; raises InputError for another number of them."""
        if len(strengths) != len(self.sliders):
            raise InputError(f"There are {len(self.sliders)} skips and {len(strengths)} strengths: give one each.")
        self._waiting = True
        for slider, strength in zip(self.sliders, strengths, strict=True):
            slider.value = strength
        self._waiting = False
        self._update()

    def _update(self) -> None:
        strengths = self.strengths
        picture, self.score = self._drawn(strengths)
        at = ", ".join(f"row {i} {strength} %" for i, strength in enumerate(strengths))
        result = f"Skips: {at}. IoU of the membrane: {self.score:.3f}."
        colours = "Blue: interior called membrane; orange: membrane called interior."
        self.show(picture, f"Image, probability and decision. {result}", f"{result} {colours}")

    def _follow(self, row: int) -> None:
        if not self._waiting:
            self._update()
            self._draw_ahead([row])

    def _follow_all(self, strength: int) -> None:
        self.set(*[strength] * len(self.sliders))
        self._draw_ahead(range(len(self.sliders)))

    def _draw_ahead(self, rows: Sequence[int]) -> None:
        """Draw in advance what follows if the strengths of some rows change by one step, up or down."""
        for step in (-STEP, STEP):
            strengths = [value + step if row in rows else value for row, value in enumerate(self.strengths)]
            if min(strengths) >= 0 and max(strengths) <= FULL:
                self._drawn(strengths)

    def _drawn(self, strengths: list[int]) -> tuple[bytes, float]:
        """Return the picture and the IoU at some strengths, drawn or from the cache."""
        return self._pictures.get(tuple(strengths), lambda: self._draw(strengths))

    def _draw(self, strengths: list[int]) -> tuple[bytes, float]:
        probability = self.predict(strengths)
        decision = classify(probability, self.card.threshold)
        panels = {
            "image": grey(self.image.mean(0)),
            "probability of interior": grey(probability[0, 0]),
            "decision": mark_mistakes(self.mask, decision),
        }
        return png(beside(panels)), iou(confusion_counts(decision, self.mask[None]), of="background")

    @torch.inference_mode()
    def predict(self, strengths: list[int]) -> Tensor:
        """Return the probability of class 1, (1, 1, H, W), with the skips of all rows at strengths in per cent."""
        image = self.card.normalise(self.image)[None]
        with faded_skips(self.model, [strength / FULL for strength in strengths]):
            if not (hasattr(self.model, "encoder") and hasattr(self.model, "heads")):
                return torch.sigmoid(self.model(image)[-1])
            # no skip changes the encoder, and none changes a node in a row below it
            same = {(i, j): m for (i, j), m in self._maps.items() if j == 0 or self._faded[i:] == strengths[i:]}
            with recorded_outputs(node_modules(self.model)) as outputs, held_nodes(self.model, same):
                logits = self.model(image)[-1]
        self._maps = {node: maps[-1] for node, maps in outputs.items()}
        self._faded = strengths
        return torch.sigmoid(logits)
