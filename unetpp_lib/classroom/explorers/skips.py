"""Skips fading: what a trained U-Net answers as each of its skips is turned down."""

import base64
import html
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from ipywidgets import HTML, BoundedIntText, HBox, IntSlider, Layout, VBox  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn
from traitlets import link

from unetpp_lib.classroom.plots import mark_mistakes
from unetpp_lib.engine import Card
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, iou

PANEL = 256  # pixels of the shorter side of a panel at least, where the image is smaller
CAPTION, GAP = 24, 8  # pixels
FULL = 100  # per cent
GREYS = 16  # the picture is kept in the notebook's file, where grain in all its greys takes much room


@contextmanager
def faded_skips(model: nn.Module, strengths: Sequence[float]) -> Iterator[None]:
    """Multiply the skip of row i by ``strengths[i]`` in every run of ``model`` within the block.

    ``model`` keeps its joins in ``decoder``, row by row, as `UNet` does; a join takes its skip, or a list of skips,
    first. Raises InputError for another module or another number of strengths.
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


class SkipsExplorer(VBox):  # type: ignore[misc]
    """Sliders from 0 to 100 % for the skip of every row, and for all; the answer follows, with its mistakes and IoU.

    ``model`` is a `UNet` or a network with the same ``decoder`` and one head, ``card`` says how it takes its images;
    ``image`` is (C, H, W) in [0, 1], ``mask`` (1, H, W) of 0 and 1. ``strengths`` are where the sliders start, per
    cent. `set` moves the sliders; `score` is the IoU of the membrane (class 0).
    """

    def __init__(
        self, model: nn.Module, card: Card, image: Tensor, mask: Tensor, strengths: Sequence[int] | None = None
    ) -> None:
        self.model, self.card, self.image, self.mask = model.eval(), card, image, mask
        rows = len(getattr(model, "decoder", ()))
        height, width = image.shape[-2:]
        self.sliders = [self._slider(f"row {i}, {width >> i} × {height >> i}") for i in range(rows)]
        self.all = self._slider("all skips")
        self.view = HTML()
        self._waiting = False
        self.score = 0.0
        self.picture = b""
        super().__init__([self._pair(slider) for slider in (*self.sliders, self.all)] + [self.view])
        for slider in self.sliders:
            slider.observe(lambda _: self._update(), "value")
        self.all.observe(lambda change: self.set(*[change["new"]] * rows), "value")
        self.set(*(strengths or [FULL] * rows))

    @staticmethod
    def _slider(name: str) -> IntSlider:
        return IntSlider(FULL, 0, FULL, 5, description=name, readout=False, style={"description_width": "9em"})

    @staticmethod
    def _pair(slider: IntSlider) -> HBox:
        """Put a field with a name beside the slider: it can be read aloud, and typed into."""
        field = BoundedIntText(
            slider.value, slider.min, slider.max, slider.step, description="%", layout=Layout(width="9em")
        )
        field.style.description_width = "2em"
        field.tooltip = f"strength of the skip: {slider.description}, per cent"
        link((slider, "value"), (field, "value"))
        return HBox([slider, field])

    @property
    def strengths(self) -> list[int]:
        """How strong each row's skip is, per cent."""
        return [slider.value for slider in self.sliders]

    def set(self, *strengths: int) -> None:
        """Move the sliders of all rows, and draw once."""
        if len(strengths) != len(self.sliders):
            raise InputError(f"There are {len(self.sliders)} skips and {len(strengths)} strengths: give one each.")
        self._waiting = True
        for slider, strength in zip(self.sliders, strengths, strict=True):
            slider.value = strength
        self._waiting = False
        self._update()

    def _update(self) -> None:
        if self._waiting:
            return
        probability = self.answer()
        decision = classify(probability, self.card.threshold)
        self.score = iou(confusion_counts(decision, self.mask[None]), of="background")
        panels = {
            "image": _grey(self.image.mean(0)),
            "probability of interior": _grey(probability[0, 0]),
            "decision": mark_mistakes(self.mask, decision),
        }
        self.picture = _png(panels)
        at = ", ".join(f"row {i} {strength} %" for i, strength in enumerate(self.strengths))
        status = f"Skips: {at}. IoU of the membrane: {self.score:.3f}."
        source = base64.b64encode(self.picture).decode()
        self.view.value = (
            f'<img alt="{html.escape(f"Image, probability and decision. {status}")}" '
            f'src="data:image/png;base64,{source}" style="max-width: 100%">'
            f'<p role="status">{status} Blue: interior called membrane; orange: membrane called interior.</p>'
        )

    @torch.inference_mode()
    def answer(self) -> Tensor:
        """Return the probability of class 1, (1, 1, H, W), with the skips as strong as the sliders say."""
        with faded_skips(self.model, [strength / FULL for strength in self.strengths]):
            return torch.sigmoid(self.model(self.card.normalise(self.image)[None])[-1])

    def __repr__(self) -> str:
        at = ", ".join(map(str, self.strengths))
        return f"SkipsExplorer(skips at {at} %: membrane IoU {self.score:.3f})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options) or {}
        picture = {"text/plain": repr(self), "image/png": base64.b64encode(self.picture).decode()}
        return {**bundle, **picture}  # where widgets cannot run, the picture stands


def _grey(values: Tensor) -> NDArray[np.uint8]:
    steps = (values.clamp(0, 1) * (GREYS - 1)).round() / (GREYS - 1)
    grey: NDArray[np.uint8] = (255 * steps).byte().numpy()
    return np.stack([grey] * 3, axis=-1)


def _png(panels: dict[str, NDArray[np.uint8]]) -> bytes:
    """Return the panels side by side under their captions, as a PNG file."""
    height, width = next(iter(panels.values())).shape[:2]
    scale = max(1, -(-PANEL // min(height, width)))
    height, width = scale * height, scale * width
    sheet = Image.new("RGB", (len(panels) * (width + GAP) - GAP, height + CAPTION), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for column, (caption, panel) in enumerate(panels.items()):
        left = column * (width + GAP)
        draw.text((left + 2, 2), caption, "black", font)
        sheet.paste(Image.fromarray(panel).resize((width, height), Image.Resampling.NEAREST), (left, CAPTION))
    file = io.BytesIO()
    sheet.quantize(2 * GREYS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
