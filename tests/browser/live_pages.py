"""What the tests of the explorers on a page share."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def grave_violations(page: Page, context: str | None = None) -> list[tuple[Any, Any]]:
    """Return what axe finds that keeps people from using a page: its words, and the element."""
    violations = Axe().run(page, context=context).response["violations"]
    grave = [found for found in violations if found["impact"] in ("serious", "critical")]
    return [(found["help"], node["html"]) for found in grave for node in found["nodes"]]
