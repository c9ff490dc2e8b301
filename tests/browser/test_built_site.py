"""The website as Sphinx builds it: no page has a fault, and its explorers answer below another folder."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from live_pages import NARROW, WIDE, grave_violations
from playwright.sync_api import expect
from served import Log, served

ROOT = Path(__file__).parents[2]
SLOWLY = 120_000  # milliseconds
NEEDED = ("sphinx", "myst_nb", "furo", "latex2mathml")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        said = f"The site needs {', '.join(missing)}: `make test` installs them, and so does pip with the extra docs."
        (pytest.fail if os.environ.get("UNETPP_BROWSER") == "required" else pytest.skip)(said)
    folder = tmp_path_factory.mktemp("built")
    options = ["--quiet", "--fail-on-warning", "--keep-going", "-c", "docs", "-d", str(folder / "cache")]
    site = folder / "site" / "html"
    subprocess.run([sys.executable, "-m", "sphinx", *options, ".", str(site)], cwd=ROOT, check=True)
    return site


def test_every_notebook_has_a_page_and_no_page_has_a_fault(site):
    assert (site / "index.html").is_file()
    assert len(list(site.glob("notebooks/**/*.html"))) == len(list(ROOT.glob("notebooks/**/*.ipynb")))
    checked = subprocess.run(
        [sys.executable, "docs/check_site.py", str(site)], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert ": no faults." in checked.stdout


@pytest.fixture
def opened(site, browser):
    """Opens a page of the site, which is below another folder; returns it and its line of status."""
    with served(site.parent) as address:
        page = browser.new_page(viewport=WIDE)
        log = Log(page)

        def open_it(path):
            page.goto(f"{address}{site.name}/{path}")
            return page, page.locator(".unetpp-live .status")

        yield open_it
        page.close()
        assert log.strangers(address) == []
        assert log.complaints == []


def test_the_front_page_begins_with_the_pruning_explorer(opened):
    page, status = opened("")
    expect(status).to_contain_text("Depth 4 of 4", timeout=SLOWLY)
    assert page.locator(".unetpp-live .controls").bounding_box()["y"] < WIDE["height"] / 2
    page.get_by_role("slider", name="depth", exact=True).press("Home")
    expect(status).to_contain_text("Depth 1 of 4")
    expect(page.locator(".unetpp-live table")).not_to_contain_text("…", timeout=SLOWLY)  # the network has run


def test_the_other_explorers_have_pages_and_answer(opened):
    page, status = opened("docs/threshold.html")
    expect(status).to_contain_text("mean of 4 images", timeout=SLOWLY)
    page.get_by_role("slider", name="threshold", exact=True).press("Home")
    expect(status).to_contain_text("Threshold 0.01")
    page, status = opened("docs/wiring.html")
    page.get_by_role("radio", name="UNet++", exact=True).check(force=True)
    expect(status).to_contain_text("UNet++: 34 wires")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
@pytest.mark.parametrize("path", ["", "docs/api.html", "docs/other_libraries.html", "notebooks/07_iou.html"])
def test_pages_can_be_used_with_a_keyboard_and_a_screen_reader(opened, path, size):
    page, _ = opened(path)
    page.set_viewport_size(size)
    page.reload()
    assert grave_violations(page) == []
