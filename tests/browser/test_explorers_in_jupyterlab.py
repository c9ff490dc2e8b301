"""Every explorer in JupyterLab: driven through its whole range, at random, timed and audited."""

import re
from contextlib import chdir
from random import Random
from statistics import median

import pytest
from axe_playwright_python.sync_playwright import Axe
from explorer_table import EXPLORERS, SETUP
from lab_page import require_browser, write_notebook
from playwright.sync_api import expect
from shown_explorer import ShownExplorer

from unetpp_course.custom_wiring import known_wires
from unetpp_course.explorers.base import Choice, Number, Slider
from unetpp_course.graph_drawing import name_of
from unetpp_lib.models.graph import edges_of

FEW = 12  # values of a slider that are all visited
STRIDE = 4  # presses of a key that moves five values, of which a longer slider shows the last
INTERACTIONS = 15  # of each explorer
BY_MOUSE = ("ElasticExplorer", "PeepholeGame", "WiringExplorer")  # together they have every kind of control
LIMIT = 150  # milliseconds
NARROW, SIZE = {"width": 700, "height": 1000}, {"width": 1280, "height": 1000}
CUT_OFF = """(root) => {
    const parts = (names) => [...root.querySelectorAll(names)].filter((one) => one.offsetWidth > 0);
    const end = root.getBoundingClientRect().right + 1;
    const beyond = parts("button, input, img, .slider").filter((one) => one.getBoundingClientRect().right > end);
    const cut = parts("button, .widget-label").filter((one) => one.scrollWidth > one.offsetWidth + 1);
    return [...beyond, ...cut].map((one) => one.outerHTML.slice(0, 200));
}"""
LOOP = """
network = UNet(widths=(4, 8), norm="group")
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
with board:
    for _ in range(12):
        logits = network(image[None])[-1]
        loss = bce_loss(logits, mask[None].float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        board.note(loss.item(), 1, lambda: network(image[None])[-1][0].sigmoid())
"""
TRAINING = """
from dataclasses import replace
from pathlib import Path
from unetpp_lib.engine import PRESETS
config = replace(PRESETS["laptop"], widths=(4, 8), patch=32, epochs=10**4, device="cpu", out=Path("stopped"))
board = TrainingBoard(config, seconds=0.2)
board
"""
THEMES = ("JupyterLab Light", "JupyterLab Dark")

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def notebook(folder, open_notebook):
    """A notebook with one cell for each explorer; the twins have a folder of their own for what they write."""
    write_notebook(folder / "explorers.ipynb", [SETUP, *(f"{entry.source}\nexplorer" for entry in EXPLORERS)])
    notebook = open_notebook("explorers.ipynb")
    notebook.run_cell(0)
    (folder / "twins").mkdir()
    with chdir(folder / "twins"):
        yield notebook


@pytest.fixture(scope="module", params=EXPLORERS, ids=lambda entry: entry.name)
def shown(request, notebook):
    notebook.run_cell(1 + EXPLORERS.index(request.param))
    return ShownExplorer(request.param, notebook)


@pytest.mark.timing
def test_the_time_from_key_to_picture_is_printed(shown, record_property):
    shown.watch()
    for control in shown.controls():
        if not isinstance(control, Number):
            name = f"{shown.entry.name}: {control.description}"
            waits = shown.waits(control)
            said = f"{median(waits):4.0f} ms of {LIMIT}" if waits else "   no other picture"
            record_property("shown", f"{name:<46} {said}")


def test_every_control_is_driven_by_keyboard(shown):
    for control in shown.controls():
        place = shown.find(control)
        if isinstance(control, Slider):
            shown.press(place, "Home")
            assert shown.take_over(control) == control.min
            shown.compare()
            short = control.max - control.min <= FEW * control.step
            keys = ["ArrowRight"] if short else ["PageUp"] * STRIDE
            while control.value < control.max:
                before = control.value
                shown.press(place, *keys)
                assert shown.take_over(control) > before
            shown.compare()
        elif isinstance(control, Number):
            for value in (control.min, (control.min + control.max) // 2):
                expect(place).to_have_value(str(control.value))  # else what arrives late replaces what is typed
                place.select_text()
                shown.keyboard.type(str(value))
                shown.press(place, "Enter")
                control.value = value
                shown.settle()
                expect(place).to_have_value(str(control.value))
        elif isinstance(control, Choice):
            for number in range(len(control.options)):
                shown.activate(control, number)
                expect(place.get_by_role("button", pressed=True)).to_have_text(str(control.label))
                shown.compare()
        else:
            for number in range(2):
                shown.activate(control, number)
                shown.compare()
    shown.notebook.expect_no_complaints()


@pytest.mark.parametrize(
    "shown", [entry for entry in EXPLORERS if entry.name in BY_MOUSE], indirect=True, ids=lambda entry: entry.name
)
def test_every_kind_of_control_is_driven_by_mouse(shown):
    for control in shown.controls():
        if isinstance(control, Slider):
            for share, value in ((0, control.min), (0.4, None), (1, control.max)):
                shown.drag(control, share)
                assert shown.take_over(control) == value or value is None
                shown.compare()
        elif not isinstance(control, Number):
            for number in range(len(control.options) if isinstance(control, Choice) else 2):
                shown.activate(control, number, by_mouse=True)
                shown.compare()
    shown.notebook.expect_no_complaints()


@pytest.mark.parametrize("theme", THEMES)
def test_an_audit_of_its_accessibility_finds_nothing_serious(shown, theme):
    shown.notebook.change_theme(theme)
    assert serious_findings(shown.root) == []


def serious_findings(root):
    """Return what axe finds within an element, each finding with the code that it is about."""
    root.evaluate("(root) => { root.id = 'audited'; }")
    violations = Axe().run(root.page, context="#audited").response["violations"]
    grave = [violation for violation in violations if violation["impact"] in ("serious", "critical")]
    return [(found["help"], node["html"]) for found in grave for node in found["nodes"]]


def test_nothing_is_cut_off_in_a_narrow_window(shown):
    shown.page.set_viewport_size(NARROW)
    assert shown.root.evaluate(CUT_OFF) == []
    shown.page.set_viewport_size(SIZE)


def test_random_interactions_raise_nothing(shown):
    random = Random(0)
    for _ in range(INTERACTIONS):
        shown.do_something(random)
    assert shown.agrees_with_kernel()
    shown.notebook.expect_no_complaints()


def test_wires_are_switched_by_clicks_on_the_picture(folder, open_notebook):
    entry = next(entry for entry in EXPLORERS if entry.name == "WiringExplorer")
    write_notebook(folder / "wires.ipynb", [SETUP, f"{entry.source}\nexplorer"])
    notebook = open_notebook("wires.ipynb")
    notebook.run()
    shown = ShownExplorer(entry, notebook)
    wires = sorted(edges_of(known_wires(4)["UNet++"]) - edges_of(known_wires(4)["U-Net"]))
    first_and_last = wires[:: len(wires) - 1]
    for width, clicked, kind in ((SIZE, wires, "UNet++"), (NARROW, first_and_last, "your own wiring")):
        shown.page.set_viewport_size(width)
        for source, node in clicked:
            shown.click_wire(source, node)
            shown.twin.switch(source, node)
            shown.settle()
            expect(shown.root.get_by_role("group", name=f"inputs of {name_of(node)}", exact=True)).to_be_visible()
        assert shown.twin.kind == kind
        shown.compare()
    notebook.expect_no_complaints()
    notebook.close()


def test_a_training_is_stopped_from_the_keyboard(folder, open_notebook):
    write_notebook(folder / "stopped.ipynb", [SETUP, TRAINING, "run = board.train()", "print(run.is_finished)"])
    notebook = open_notebook("stopped.ipynb")
    notebook.begin()
    root = notebook.page.locator(".course-explorer")
    expect(root.get_by_role("img")).to_have_attribute("alt", re.compile(r"Step [1-9]"))
    notebook.cell(2).locator(".cm-content").click()
    for key in ("Escape", "i", "i"):
        notebook.page.keyboard.press(key)
    stopped = "Stopped; all is saved in the run's folder “stopped”. The board's train() goes on from there."
    expect(root.get_by_role("status").last).to_have_text(stopped)
    notebook.end(60)  # the cell after it runs too
    assert notebook.ask("print(run.is_finished, run.checkpoint.exists())") == "False True\n"
    notebook.expect_no_complaints()
    notebook.close()


def test_a_board_follows_a_loop(folder, open_notebook):
    write_notebook(folder / "board.ipynb", [SETUP, "board = LoopBoard(image, mask, steps=12, seconds=0)\nboard", LOOP])
    notebook = open_notebook("board.ipynb")
    notebook.run(120)
    root = notebook.page.locator(".course-explorer")
    expect(root.get_by_role("status").last).to_have_text("Finished.")
    expect(root.get_by_role("img")).to_have_attribute("alt", re.compile(r"Step 12 of 12\. Loss 0\.\d+"))
    assert serious_findings(root) == []
    notebook.expect_no_complaints()
    notebook.close()
