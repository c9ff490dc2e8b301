"""What an explorer is made of: controls, one picture with words for who cannot see it, and a line of status."""

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]

LABEL, SLIDER, NUMBER = "11em", "26em", "5em"  # widths; labels of one width set the sliders below each other


class PictureExplorer(widgets.VBox):  # type: ignore[misc]
    """Controls above one picture; where widgets cannot run, the picture stands alone.

    ``status`` says in a sentence what the picture shows; `repr` and screen readers give it.
    """

    def __init__(self, controls: Sequence[widgets.Widget]) -> None:
        self.png, self.status = b"", ""
        self._view = widgets.HTML()
        super().__init__([*controls, self._view])

    def show(self, png: bytes, alt: str, status: str) -> None:
        """Put a picture, the words for it, and the line of status in the place of the last ones."""
        self.png, self.status = png, status
        encoded = base64.b64encode(png).decode()
        self._view.value = (
            f'<img alt="{escape(alt)}" style="max-width: 100%" src="data:image/png;base64,{encoded}">'
            f'<p role="status" style="white-space: pre-line">{escape(status)}</p>'
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.status}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"text/plain": repr(self), "image/png": base64.b64encode(self.png).decode()}


def whole_number(
    label: str, value: int, least: int, greatest: int, step: int = 1
) -> tuple[widgets.HBox, widgets.IntSlider]:
    """Return a slider and beside it the same number as a field, which has the name that a slider lacks."""
    wide, hidden = {"description_width": LABEL}, {"description_width": "0px"}  # seen once, read aloud at the field
    options = {"value": value, "min": least, "max": greatest, "step": step, "description": label}
    slider = widgets.IntSlider(**options, readout=False, style=wide, layout={"width": SLIDER})
    number = widgets.BoundedIntText(**options, style=hidden, layout={"width": NUMBER})
    widgets.link((slider, "value"), (number, "value"))
    return widgets.HBox([slider, number]), slider
