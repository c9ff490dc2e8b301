"""A browser and a JupyterLab for each file of tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab_page import OpenNotebook, require_browser, serve
from playwright.sync_api import Browser, sync_playwright

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
SIZE = {"width": 1280, "height": 1000}

Opener = Callable[[str], OpenNotebook]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # within the module alone: as long as Playwright is there, no other test of this process can run an event loop
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_browser(), args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the notebooks that JupyterLab serves."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module")
def open_notebook(browser: Browser, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opener]:
    """Opens a notebook of ``folder`` by its name."""
    with serve(folder, tmp_path_factory.mktemp("jupyter")) as address:

        def open_it(name: str) -> OpenNotebook:
            return OpenNotebook(browser.new_page(viewport=SIZE), address, name)

        yield open_it
