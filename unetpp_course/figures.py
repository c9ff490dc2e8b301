"""Pictures with few colours, which keep notebooks small: noisy images would make them several times as large."""

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
# one parser for all figures, because it caches formulas, and typesetting them takes half of the time
FORMULAS = RendererAgg(1, 1, 72).mathtext_parser  # type: ignore[no-untyped-call]


def load_backend() -> None:
    """Let a notebook set up how it shows figures; otherwise the first figure does so, and leaving a style undoes it."""
    plt.draw_if_interactive()  # type: ignore[no-untyped-call]


def use_small_figures() -> None:
    """Show every figure from now on with at most 256 colours, for a small file; without IPython do nothing."""
    shell = get_ipython()
    if shell is None or shell.display_formatter is None:
        return
    load_backend()  # sets the notebook's own formatter, which is wrapped below
    formatter = shell.display_formatter.formatters["image/png"]
    formatter.for_type(Figure, _shown_small(formatter.for_type(Figure)))


def _shown_small(show: Callable[[Figure], str | bytes | None]) -> Callable[[Figure], str | None]:
    """Return a formatter that shrinks the picture of another one, a PNG in base64."""

    def show_small(figure: Figure) -> str | None:
        picture = show(figure)
        return None if picture is None else shrink(picture)

    return show_small


def shrink(picture: str | bytes) -> str:
    """Return a picture, a PNG in base64, with at most 256 colours and in the smallest possible file.

    The colours are spread over all colours of the picture, then refined by k-means. Pillow's default chooses them by
    the number of their pixels, which would turn a thin green line blue.
    """
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    few = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    few.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def png_of_figure(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file, optimised for speed, not size: see `png_of_image`."""
    canvas = FigureCanvasAgg(figure)
    canvas.get_renderer().mathtext_parser = FORMULAS  # type: ignore[no-untyped-call]
    canvas.draw()  # type: ignore[no-untyped-call]
    return png_of_image(Image.fromarray(np.asarray(canvas.buffer_rgba())))  # type: ignore[no-untyped-call]


def png_of_image(image: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file, optimised for speed, not size, to keep up with a control."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def coarse(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return grey values in [0, 1] rounded to GREYS steps; in a grainy image nobody sees the difference."""
    return np.asarray(np.round(pixels * GREYS) / GREYS)
