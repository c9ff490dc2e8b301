"""The notebooks as tests: `pytest notebooks` runs every cell and compares what it shows with what is committed.

That is nbval's work. Three things are added: figures are compared too; cells run as in JupyterLab, where a trailing
semicolon hides a result; and a cell that takes too long or ends its kernel fails, while nbval would then expect all
cells behind it to fail, and call that a success.
"""

import base64
import io
import os
import sys
import time
from collections.abc import Generator, Sequence
from queue import Empty

import numpy as np
import pytest
from nbformat import NotebookNode
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell
from numpy.typing import NDArray
from PIL import Image

CELL_SECONDS = 600  # then a cell is stopped; refresh.py holds them to much less, but on a machine that is not busy
FIGURE_SIZE = 4  # pixels by which a figure may be larger or smaller: fonts differ between versions of matplotlib
BLOCKS = 32  # a figure is compared as BLOCKS × BLOCKS means of colour, too coarse for the edges of letters
BLOCK_LEVELS = 24  # of 256; a shift by one pixel changes a block by 20 at most, a curve that moves by 50

collect_ignore_glob = ["*.py"]  # they hold no doctests, and pytest would import a second module named conftest


def pytest_configure(config: pytest.Config) -> None:
    """Choose nbval's options: strict, and in this environment, whatever kernel a notebook names.

    The kernels keep the learner's progress in memory: a board shows what its notebook has checked, on every machine.
    Real images are not shown, whether this machine has them or not.
    """
    config.option.nbval = config.option.nbval_current_env = True
    config.option.nbval_cell_timeout = CELL_SECONDS
    os.environ["UNETPP_PROGRESS"] = "memory"
    os.environ["UNETPP_REAL_IMAGES"] = "never"


def execute_cell_input(kernel: RunningKernel, cell_input: str, allow_stdin: bool | None = None) -> str:
    """Run a cell with history, without which IPython does not look for a trailing semicolon."""
    return kernel.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


def await_reply(kernel: RunningKernel, msg_id: str, timeout: float) -> None:
    """Wait for a cell's end as nbval does, but not for a kernel that has died."""
    end = time.monotonic() + timeout
    while kernel.is_alive():
        try:
            return nbval_await_reply(kernel, msg_id, timeout=1)
        except Empty:
            if time.monotonic() > end:
                raise
    raise RuntimeError("The kernel died in this cell.")


nbval_await_reply = RunningKernel.await_reply
RunningKernel.await_reply = await_reply
RunningKernel.execute_cell_input = execute_cell_input


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark every cell as slow: `make test-fast` leaves the notebooks out."""
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a cell that took too long, and compare the figures of one whose other outputs are equal.

    Figures are compared on Linux only, for fonts differ elsewhere.
    """
    try:
        yield
    finally:
        timed_out = isinstance(item, IPyNbCell) and item.parent.timed_out
        if timed_out:
            item.parent.timed_out = False  # else nbval marks every later cell as expected to fail
    if timed_out:  # training takes the interrupt as Ctrl-C and returns: nothing else would tell
        item.raise_cell_error(f"The cell took more than {CELL_SECONDS} s and was interrupted.")
    if isinstance(item, IPyNbCell) and item.options["check"] and sys.platform == "linux":
        difference = compare_figures(figures(item.test_outputs), figures(item.cell.outputs))
        if difference:
            item.raise_cell_error("Cell figures differ", difference)


def figures(outputs: Sequence[NotebookNode]) -> list[Image.Image]:
    """Return the PNG pictures among a cell's outputs."""
    encoded = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    return [Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB") for picture in encoded]


def compare_figures(shown: Sequence[Image.Image], committed: Sequence[Image.Image]) -> str:
    """Return how the figures differ; nothing where they do not."""
    if len(shown) != len(committed):
        return f"{len(shown)} figures are shown, {len(committed)} are committed."
    for number, (new, old) in enumerate(zip(shown, committed, strict=True), start=1):
        if max(abs(new.width - old.width), abs(new.height - old.height)) > FIGURE_SIZE:
            return f"Figure {number} is {new.size} pixels large; the committed one is {old.size}."
        levels = np.abs(block_means(new) - block_means(old)).max()
        if levels > BLOCK_LEVELS:
            return (
                f"Figure {number} differs from the committed one by {levels:.0f} levels; the limit is {BLOCK_LEVELS}."
            )
    return ""


def block_means(figure: Image.Image) -> NDArray[np.float64]:
    """Return the mean colours of a figure's blocks, (BLOCKS, BLOCKS, 3)."""
    return np.asarray(figure.resize((BLOCKS, BLOCKS), Image.Resampling.BOX), dtype=float)
