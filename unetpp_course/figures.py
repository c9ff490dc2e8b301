"""Pictures of few colours, which keep a notebook's file small: noisy images would make it several times as large."""

import base64
import io
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.core.getipython import get_ipython
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

COLOURS = 256
GREYS = 9  # steps from black to white
# one for all figures: it remembers what it has set, and to set formulas takes half of the time
FORMULAS = RendererAgg(1, 1, 72).mathtext_parser  # type: ignore[no-untyped-call]


def load_backend() -> None:
    """Let a notebook set up how it shows figures: the first figure does that, and a style's end would undo it."""
    plt.draw_if_interactive()  # type: ignore[no-untyped-call]


def use_small_figures() -> None:
    """Show every figure from here on with at most 256 colours, for a small file; without IPython do nothing."""
    shell = get_ipython()
    if shell is None or shell.display_formatter is None:
        return
    load_backend()  # sets the notebook's own way of showing figures; ours comes after
    formatter = shell.display_formatter.formatters["image/png"]
    formatter.for_type(Figure, _shown_small(formatter.for_type(Figure)))


def _shown_small(show: Callable[[Figure], str | bytes | None]) -> Callable[[Figure], str | None]:
    """Return a way to show figures that shrinks what another one shows, PNG in base64."""

    def show_small(figure: Figure) -> str | None:
        picture = show(figure)
        return None if picture is None else shrink(picture)

    return show_small


def shrink(picture: str | bytes) -> str:
    """Return a picture, PNG in base64, with at most 256 colours, in as small a file as can be.

    The colours are spread over all that the picture has, then moved to those near each (k-means). Chosen by how many
    pixels have them, as Pillow does by default, they would turn a thin green line blue.
    """
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    few = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    few.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def png_of_figure(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file, quickly rather than small: see `png_of_image`."""
    canvas = FigureCanvasAgg(figure)
    canvas.get_renderer().mathtext_parser = FORMULAS  # type: ignore[no-untyped-call]
    canvas.draw()  # type: ignore[no-untyped-call]
    return png_of_image(Image.fromarray(np.asarray(canvas.buffer_rgba())))  # type: ignore[no-untyped-call]


def png_of_image(image: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file, quickly rather than small: on screen it follows a control."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def coarse(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return grey values in [0, 1] rounded to GREYS steps, which no eye misses in a grainy image."""
    return np.asarray(np.round(pixels * GREYS) / GREYS)
