"""Small figures look as before, take less room, and come by themselves once asked for."""

import base64
import io

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure
from PIL import Image

from unetpp_lib.classroom import figures


@pytest.fixture
def noisy_figure():
    figure = Figure(figsize=(2, 2))
    figure.add_subplot().imshow(np.random.default_rng(0).random((64, 64)), cmap="gray")
    return figure


def encode(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def decode(text):
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_a_small_figure_looks_like_the_large_one(noisy_figure):
    large = encode(noisy_figure)
    small = figures.shrink(large)
    difference = np.asarray(decode(large).convert("RGB"), float) - np.asarray(decode(small).convert("RGB"), float)
    assert np.abs(difference).mean() < 4
    assert len(small) < 0.6 * len(large)
    assert decode(small).mode == "P"


def test_shrinking_gives_the_same_bytes_each_time(noisy_figure):
    assert figures.shrink(encode(noisy_figure)) == figures.shrink(encode(noisy_figure))


def test_every_figure_is_shown_small_once_asked_for(noisy_figure, monkeypatch):
    shell = InteractiveShell()
    formatter = shell.display_formatter.formatters["image/png"]
    formatter.for_type(Figure, encode)
    monkeypatch.setattr(figures, "get_ipython", lambda: shell)
    figures.use_small_figures()
    assert formatter(noisy_figure) == figures.shrink(encode(noisy_figure))


def test_without_a_notebook_nothing_happens():
    figures.use_small_figures()
