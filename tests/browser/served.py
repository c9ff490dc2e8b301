"""A folder that is served to a browser as a website is, and all that the browser asked for."""

import sys
from pathlib import Path

from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
from check_site import served  # noqa: F401 (for the tests beside this)


class Log:
    """What a page asked for, and what its console complained of."""

    def __init__(self, page: Page) -> None:
        self.requests: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append((request.method, request.url)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def strangers(self, address: str) -> list[tuple[str, str]]:
        """Return what was asked of anybody else than the address, or otherwise than by GET."""
        own = (address, "blob:", "data:")
        return [(method, url) for method, url in self.requests if method != "GET" or not url.startswith(own)]
