"""The wiring explorer on a page without Python says what the explorer in the notebooks says."""

import pytest
from lab_page import require_browser
from live_pages import NARROW, WIDE, grave_violations
from playwright.sync_api import expect

from unetpp_course.explorers.wiring import WiringExplorer

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def open_wiring(open_page, address):
    return lambda fragment="", *options: open_page(fragment, *options, where=f"{address}wiring.html")


@pytest.fixture(scope="module")
def explorer():
    return WiringExplorer()


def words_of(explorer):
    return explorer.status[0].upper() + explorer.status[1:].removesuffix(".")


@pytest.mark.parametrize("name", ["U-Net", "UNet+", "UNet++"])
def test_wires_costs_and_paths_of_each_network_are_those_of_python(open_wiring, explorer, name):
    page, log = open_wiring()
    page.get_by_role("radio", name=name, exact=True).check(force=True)
    explorer.start.value = name
    expect(page.locator(".unetpp-live .status")).to_contain_text(words_of(explorer))
    assert log.complaints == []


def test_wires_are_switched_by_keyboard_and_by_click_and_the_address_keeps_them(open_wiring, explorer, address):
    page, log = open_wiring("#network=u-net&node=X0,1")
    inputs = page.get_by_role("group", name="inputs of X0,1")
    inputs.get_by_role("checkbox", name="X1,0").press("Space")
    explorer.start.value = "U-Net"
    explorer.switch((1, 0), (0, 1))
    expect(page.locator(".unetpp-live .status")).to_contain_text(words_of(explorer))
    expect(inputs.get_by_role("checkbox", name="X1,0")).to_be_checked()
    page.locator(".unetpp-live .reach", has_text="X0,1 → X0,2").dispatch_event("click")
    explorer.switch((0, 1), (0, 2))
    expect(page.locator(".unetpp-live .status")).to_contain_text(f"{words_of(explorer)}. X0,2 reads X0,1, and costs")
    again, _ = open_wiring(page.evaluate("location.hash"))
    expect(again.locator(".unetpp-live .status")).to_contain_text(words_of(explorer))
    assert log.strangers(address) == []


def test_an_address_that_makes_no_sense_is_left_out(open_wiring):
    page, log = open_wiring("#network=v-net&node=X9,9&switched=0,0-4,0")
    expect(page.locator(".unetpp-live .status")).to_contain_text("U-Net: 12 wires")
    assert log.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_in_both_themes_and_on_a_telephone(open_wiring, theme):
    page, _ = open_wiring("#network=unet-plus-plus&node=X1,2", WIDE, theme)
    assert grave_violations(page) == []
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
