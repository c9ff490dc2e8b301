"""Small figures look as before, take less room, and come by themselves once asked for."""

import base64
import io

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import AsyncKernelManager
from matplotlib.figure import Figure
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
from PIL import Image

from unetpp_course import figures


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


def test_a_thin_coloured_line_keeps_its_colour(noisy_figure):
    noisy_figure.axes[0].plot([0, 63], [20, 40], color="#009E73", lw=1.5, ls=":")
    noisy_figure.axes[0].plot([0, 63], [40, 20], color="#0072B2", lw=1.5)
    line = np.abs(np.asarray(decode(encode(noisy_figure)).convert("RGB"), int) - (0, 158, 115)).max(-1) < 3
    small = np.asarray(decode(figures.shrink(encode(noisy_figure))).convert("RGB"), int)
    assert line.any()
    assert np.abs(small[line] - (0, 158, 115)).max() < 6


def run_in_kernel(*cells):
    """Return what each cell shows when a new kernel, as a notebook's, runs them."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    manager = AsyncKernelManager(kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager())
    NotebookClient(notebook, km=manager, timeout=60).execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    [
        "from unetpp_course import draw_network\nfrom unetpp_lib.models import UNet\ndraw_network(UNet())",
        "import numpy\nfrom unetpp_course.diagrams import draw_node_pictures\n"
        "draw_node_pictures({(0, 0): numpy.zeros((8, 8, 3), 'uint8')}, {})",
    ],
    ids=["draw_network", "draw_node_pictures"],
)
def test_whatever_draws_a_kernels_first_figure_later_ones_appear(first):
    later = "import numpy\nfrom unetpp_course import show_images\nshow_images({'a': numpy.zeros((8, 8))})"
    for (output,) in run_in_kernel(first, later):
        assert "image/png" in output.data


def test_without_a_notebook_nothing_happens():
    figures.use_small_figures()
