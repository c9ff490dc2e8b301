"""Check a built site: `python docs/check_site.py _site/html` follows every link and opens every page in a browser.

The exit status is 1 where a link leads nowhere, a page would fetch something from elsewhere, a picture is missing or
has no words, or a page scrolls sideways at one of the widths of WIDTHS. Without Chromium, the pages are not opened.
"""

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = (390, 1280)  # a telephone, a desk
LOOK = """() => ({
    width: document.documentElement.scrollWidth,
    missing: [...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src),
})"""


class Page(HTMLParser):
    """What a page offers to links, and what it links, loads and shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.wordless: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters of an element."""
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loads.append(given["href"])
        if tag in ("img", "script", "iframe") and given.get("src"):
            self.loads.append(given["src"])
        if tag == "img" and not given.get("alt", "").strip():
            self.wordless.append(given.get("src", "")[:80])


def faults_of(site: Path) -> list[str]:
    """Return what is wrong with the links and pictures of a site's pages, as their files say."""
    site = site.resolve()
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    faults = []
    for path, page in pages.items():
        name = path.relative_to(site)
        faults += [f"{name}: the picture {picture} has no words" for picture in page.wordless]
        faults += [f"{name} loads {load} from elsewhere" for load in page.loads if urlsplit(load).netloc]
        for link in {*page.links, *page.loads}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if not target.is_file():
                faults.append(f"{name}: {link} leads to no file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                faults.append(f"{name}: {link} leads to no place of its page")
    return faults


class Silent(SimpleHTTPRequestHandler):
    """Serves files, and prints nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def faults_shown(site: Path, browser: str) -> list[str]:
    """Return what is wrong with the pages as a browser shows them."""
    from playwright.sync_api import sync_playwright

    site = site.resolve()
    faults: list[str] = []

    def hear(said: Any) -> None:
        if said.type == "error":
            faults.append(f"the browser says: {said.text}")

    def watch(asked: Any) -> None:
        if not asked.url.startswith((address, "data:", "blob:")):
            faults.append(f"{asked.url} was asked for")

    with served(site.parent) as root, sync_playwright() as playwright:
        address = f"{root}{site.name}/"  # below another folder, as a project's site is
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for width in WIDTHS:
            page = chromium.new_page(viewport={"width": width, "height": 844})
            page.on("console", hear)
            page.on("request", watch)
            for path in sorted(site.rglob("*.html")):
                name = path.relative_to(site)
                page.goto(address + name.as_posix())
                found = page.evaluate(LOOK)
                faults += [f"{name}: {picture[:80]} is not shown" for picture in found["missing"]]
                if found["width"] > width:
                    faults.append(f"{name} is {found['width']} pixels wide on a screen of {width}")
            page.close()
        chromium.close()
    return faults


def main() -> int:
    """Check the site; return the exit status."""
    site = Path(sys.argv[1])
    faults = faults_of(site)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    faults += faults_shown(site, browser) if browser else []
    print(*faults, sep="\n", end="\n" if faults else "")
    pages = len(list(site.rglob("*.html")))
    how = f"opened at {' and '.join(map(str, WIDTHS))} pixels" if browser else "not opened: there is no browser"
    print(f"{pages} pages, every link followed, {how}: {len(faults) or 'no'} faults. Begin with {site}/index.html")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
