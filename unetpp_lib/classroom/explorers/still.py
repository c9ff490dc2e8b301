"""What an explorer is made of: controls, one picture with words for who cannot see it, and a line of status."""

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

# of a picture: it is kept in the notebook's file, where grain in all its greys takes much room
COLOURS = 128
GREYS = 9


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
            f'<img alt="{escape(alt)}" src="data:image/png;base64,{encoded}">'
            f'<p role="status" style="white-space: pre-line">{escape(status)}</p>'
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.status}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"text/plain": repr(self), "image/png": base64.b64encode(self.png).decode()}


def whole_number(label: str, value: int, least: int, greatest: int) -> tuple[widgets.HBox, widgets.IntSlider]:
    """Return a slider and beside it the same number as a field, which has the name that a slider lacks."""
    slider = widgets.IntSlider(value, least, greatest, readout=False, description=label)
    number = widgets.BoundedIntText(value, least, greatest, description=label, layout={"width": "170px"})
    widgets.link((slider, "value"), (number, "value"))
    return widgets.HBox([slider, number]), slider


def coarse(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return grey values in [0, 1] rounded to GREYS steps, which no eye misses in a grainy image."""
    return np.asarray(np.round(pixels * GREYS) / GREYS)


def png_of_figure(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file of COLOURS colours."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return png_of_image(Image.open(buffer))


def png_of_image(image: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file of COLOURS colours."""
    buffer = io.BytesIO()
    few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
