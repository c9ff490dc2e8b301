"""The pruning explorer in JupyterLab: the same module as on the website, kept equal with the kernel."""

import io

import pytest
from explorer_table import SETUP
from lab_page import require_browser, write_notebook
from live_pages import grave_violations
from PIL import Image
from playwright.sync_api import expect
from test_live_page import WATCH

SOURCE = """\
explorer = DepthExplorer.shipped(profiles={d: Profile(10**d, 10**(8 + d), 0, d / 100) for d in (1, 2, 3, 4)})
explorer"""
THEMES = ("JupyterLab Light", "JupyterLab Dark")
NARROW, SIZE = {"width": 700, "height": 1000}, {"width": 1280, "height": 1000}

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def notebook(folder, open_notebook):
    write_notebook(folder / "depth.ipynb", [SETUP, SOURCE])
    notebook = open_notebook("depth.ipynb")
    notebook.run(240)
    return notebook


@pytest.fixture(scope="module")
def live(notebook):
    live = notebook.page.locator(".unetpp-live")
    expect(live.locator(".status")).to_contain_text("mean of 4 images")
    return live


def test_every_depth_by_keyboard_says_what_the_kernel_says(notebook, live):
    slider = live.get_by_role("slider", name="depth", exact=True)
    for key, depth in {"Home": 1, "ArrowRight": 2, "End": 4}.items():
        slider.press(key)
        expect(live.locator(".status")).to_contain_text(f"Depth {depth} of 4, fast")
        notebook.page.wait_for_timeout(500)
        said = notebook.ask("print(explorer.depth.value, explorer.status.split(' parameters')[0])")
        score = said.split("IoU of membrane ")[1].split(".", 2)
        assert said.startswith(f"{depth} ")
        expect(live.locator(".status")).to_contain_text(f"IoU of membrane {score[0]}.{score[1].split(';')[0]}")
    notebook.expect_no_complaints()


def test_other_controls_reach_the_kernel_and_the_kernel_reaches_them(notebook, live):
    live.get_by_role("radio", name="accurate: mean of the heads").check(force=True)
    live.get_by_role("radiogroup", name="image").get_by_role("radio", name="1").press("ArrowRight")
    expect(live.locator(".status")).to_contain_text("accurate, threshold 0.50, image membrane_29")
    notebook.page.wait_for_timeout(500)
    assert notebook.ask("print(explorer.mode.value, explorer.image.value)") == "accurate 1\n"
    notebook.ask("explorer.threshold.value = 35; explorer.depth.value = 2")
    expect(live.locator(".status")).to_contain_text("Depth 2 of 4, accurate, threshold 0.35, image membrane_29")
    expect(live.get_by_role("slider", name="threshold", exact=True)).to_have_value("35")
    notebook.expect_no_complaints()


def test_times_are_those_of_pytorch(live):
    expect(live.locator("thead")).to_contain_text("time in PyTorch")
    expect(live.locator("tbody tr").nth(1)).to_contain_text("20.0 ms (50 %)")


def test_prune_and_keep_writes_a_network_and_says_so(notebook, live):
    live.get_by_role("button", name="prune and keep").click()
    expect(live.locator(".status")).to_contain_text("Kept in pruned_depth_")
    assert notebook.ask("print(explorer.kept.depth == explorer.depth.value)") == "True\n"


def test_an_image_of_ones_own_is_predicted_by_the_browser(notebook, live):
    file = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).save(file, "PNG")
    live.get_by_label("your own image").set_input_files(
        {"name": "own.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    expect(live.locator("thead")).to_contain_text("time in this browser")
    expect(live.locator("table")).not_to_contain_text("…")
    expect(live.locator("figcaption").first).to_have_text("your image: 64 × 48 pixels")
    live.get_by_role("radiogroup", name="image").get_by_role("radio", name="1").check(force=True)
    expect(live.locator("thead")).to_contain_text("time in PyTorch")
    notebook.expect_no_complaints()


@pytest.mark.timing
def test_from_key_to_picture_in_jupyterlab(notebook, live, record_property):
    slider = live.get_by_role("slider", name="depth", exact=True)
    slider.press("End")
    notebook.page.wait_for_timeout(1000)
    notebook.page.evaluate(WATCH)
    notebook.page.evaluate("() => { window.waits = []; }")
    for press in range(7):
        slider.press(("ArrowLeft", "ArrowRight")[press % 2])
        notebook.page.wait_for_function("(count) => window.waits.length > count", arg=press)
    waits = sorted(notebook.page.evaluate("window.waits"))
    record_property("shown", f"DepthExplorer: depth, from key press to picture {waits[3]:.0f} ms of 60")


@pytest.mark.parametrize("theme", THEMES)
def test_it_can_be_read_in_both_themes_and_in_a_narrow_window(notebook, live, theme):
    notebook.change_theme(theme)
    for size in (NARROW, SIZE):
        notebook.page.set_viewport_size(size)
        assert live.evaluate("(root) => root.scrollWidth <= root.clientWidth + 1")
    live.evaluate("(root) => { root.id = 'audited'; }")
    assert grave_violations(notebook.page, "#audited") == []
    notebook.expect_no_complaints()


def test_it_leaves_the_notebook_as_small_as_before(notebook):
    outputs = notebook.cells[1]["outputs"]
    assert {"image/png", "text/plain"} <= outputs[0]["data"].keys()
    assert len(outputs[0]["data"]["image/png"]) < 100_000
