"""A browser and a JupyterLab for each file of tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab_page import OpenNotebook, require_browser, serve
from live_pages import WIDE
from playwright.sync_api import Browser, Page, expect, sync_playwright
from served import Log, served

from unetpp_course.live.site import write_live

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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose explorers lie in a folder of a folder."""
    folder = tmp_path_factory.mktemp("site")
    write_live(folder / "course" / "live")
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of the folder of the explorers."""
    with served(site) as address:
        yield f"{address}course/live/"


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., tuple[Page, Log]]]:
    """Opens a page of an explorer, and waits until it says something; returns the page and its log."""
    opened = []

    def open_it(
        fragment: str = "",
        size: dict[str, int] = WIDE,
        theme: str = "light",
        blocked: str = "",
        where: str | None = None,
    ) -> tuple[Page, Log]:
        page = browser.new_page(viewport=size, color_scheme=theme)
        opened.append(page)
        log = Log(page)
        if blocked:
            page.route(blocked, lambda route: None)  # never answered
        page.goto((where or f"{address}index.html") + fragment)
        expect(page.locator(".unetpp-live .status")).to_contain_text(":", timeout=120_000)
        return page, log

    yield open_it
    for page in opened:
        page.close()
