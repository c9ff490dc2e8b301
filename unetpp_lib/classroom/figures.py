"""Figures of few colours, which keep a notebook's file small: noisy images would make it several times as large."""

import base64
import io
from collections.abc import Callable

import matplotlib.pyplot as plt
from IPython.core.getipython import get_ipython
from matplotlib.figure import Figure
from PIL import Image

COLOURS = 64


def use_small_figures() -> None:
    """Show every figure from here on with at most 64 colours, on screen and in the file; without IPython do nothing."""
    shell = get_ipython()
    if shell is None or shell.display_formatter is None:
        return
    plt.close(plt.figure())  # the first figure makes the notebook set its own way of showing them; ours comes after
    formatter = shell.display_formatter.formatters["image/png"]
    formatter.for_type(Figure, _with_few_colours(formatter.for_type(Figure)))


def _with_few_colours(show: Callable[[Figure], str | bytes | None]) -> Callable[[Figure], str | None]:
    """Return a way to show figures that shrinks what another one shows, PNG in base64."""

    def show_small(figure: Figure) -> str | None:
        picture = show(figure)
        return None if picture is None else shrink(picture)

    return show_small


def shrink(picture: str | bytes) -> str:
    """Return a picture, PNG in base64, with at most 64 colours, as they suit it best."""
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
