"""Small data that every part of the tests may use, and the GPU where there is one."""

import gc
import os
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
collect_ignore = ["conftest.py"]  # it holds no doctests, and notebooks/ has a module of the same name

# With UNETPP_REHEARSAL=cpu, the tests of the GPU run on the CPU: a test that has never run is probably broken itself.
DEVICE = os.environ.get("UNETPP_REHEARSAL", "cuda")


@pytest.fixture(scope="session")
def device():
    """The device that a test marked ``cuda`` is about."""
    import torch  # here, because the process that hands out the tests to others does not need it

    return torch.device(DEVICE)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from what is imported and collected: it stays, and to look through it takes time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked ``cuda`` where there is no GPU, and begin with the files that hold slow tests.

    So no process is left alone with a long file at the end, while the others have nothing left to do.
    """
    import torch

    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    if DEVICE.startswith("cuda") and not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="there is no GPU"))


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory) -> Path:
    """Twelve 48×48 images of bright discs, at most 24 pixels wide.

    The darkest grey of image i is 10 + 5·i, and every patch of 32×32 holds it: so a patch tells which image it is of.
    """
    root = tmp_path_factory.mktemp("tiny")
    (root / "images").mkdir()
    (root / "masks").mkdir()
    random = np.random.default_rng(0)
    y, x = np.mgrid[:48, :48]
    for i in range(12):
        cy, cx, r = random.uniform(14, 34), random.uniform(14, 34), random.uniform(6, 12)
        disc = (y - cy) ** 2 + (x - cx) ** 2 < r**2
        image = 10 + 5 * i + np.where(disc, 120, random.choice([0, 30], (48, 48)))
        Image.fromarray(image.astype(np.uint8)).save(root / "images" / f"disc_{i:02}.png")
        Image.fromarray((disc * 255).astype(np.uint8)).save(root / "masks" / f"disc_{i:02}.png")
    return root


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have recorded to be shown, such as times that are measured and not asserted."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = (pair for report in reports for pair in getattr(report, "user_properties", ()))
    # a test has a report each for its setup, call and end, with the same properties
    lines = dict.fromkeys(text for name, text in properties if name == "shown")
    if lines:
        terminalreporter.section("measured, not asserted")
        for line in lines:
            terminalreporter.line(line)
