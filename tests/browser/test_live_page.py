"""The pruning explorer on a page without Python: it shows what the library computes, and sends nothing anywhere."""

import base64
import io
from statistics import median

import numpy as np
import pytest
import torch
from lab_page import require_browser
from live_pages import NARROW, WIDE, grave_violations
from PIL import Image
from playwright.sync_api import expect

from unetpp_course import mark_mistakes, shipped_model
from unetpp_lib.data import SegmentationFolder, find_dataset, read_split
from unetpp_lib.engine.network_file import stored_network
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import probabilities, prune

PIXELS = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let letters = "";
    for (const byte of data) letters += String.fromCharCode(byte);
    return [canvas.height, canvas.width, btoa(letters)];
}"""
WATCH = """() => {
    window.waits = [];
    const canvas = document.querySelectorAll(".unetpp-live canvas")[1];
    document.addEventListener("keydown", () => {
        const pressed = performance.now(), before = canvas.toDataURL();
        const look = () => {
            if (canvas.toDataURL() === before) return requestAnimationFrame(look);
            window.waits.push(performance.now() - pressed);
        };
        requestAnimationFrame(look);
    }, true);
}"""
HAND_OVER = """([how, text, type]) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "cells.png", { type }));
    const target = how === "paste" ? document.body : document.querySelector(".unetpp-live");
    const event = how === "paste"
        ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
    target.dispatchEvent(event);
}"""

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
expect.set_options(timeout=120_000)


@pytest.fixture(scope="module")
def network():
    model, card = shipped_model("unetpp_membranes")
    return stored_network(model), card


@pytest.fixture(scope="module")
def pairs():
    root = find_dataset("membranes")
    folder = SegmentationFolder(root)
    return [folder[folder.index_of[name]] for name in read_split(root / "split.json").validation]


def shown(page, number=1):
    """Return the pixels (H, W, 3) of the image (0) or of the prediction (1)."""
    height, width, text = page.locator(".unetpp-live canvas").nth(number).evaluate(PIXELS)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)[..., :3]


def predicted(network, image, depth, mode, threshold):
    model, card = network
    with torch.inference_mode():
        answer = probabilities(prune(model, depth)(card.normalise(image)[None]), mode)
    return classify(answer, threshold)


def photograph():
    """A drawn photograph in colour, 181 × 130 pixels: stones with dark gaps."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:130, :181]
    centres = random.uniform(0, 1, (40, 2)) * [130, 181]
    apart = np.sort(np.hypot(rows[..., None] - centres[:, 0], columns[..., None] - centres[:, 1]), axis=-1)
    grey = 0.15 + 0.6 * np.clip((apart[..., 1] - apart[..., 0]) / 6, 0, 1) + random.normal(0, 0.03, rows.shape)
    return Image.fromarray((255 * np.clip(grey[..., None] * [1, 0.9, 0.7], 0, 1)).astype(np.uint8))


def as_png(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("mode", ["fast", "accurate"])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_prediction_its_mistakes_and_scores_are_the_librarys(open_page, network, pairs, depth, mode):
    page, log = open_page(f"#depth={depth}&image=3&threshold=40&mode={mode}", blocked="**/network.bin")
    image, mask = pairs[2]
    label = predicted(network, image, depth, mode, 0.4)
    np.testing.assert_array_equal(shown(page, 0)[..., 0], (255 * image[0]).round())
    np.testing.assert_array_equal(shown(page), mark_mistakes(mask, label))
    here = iou(confusion_counts(label, mask[None]), "background")
    counts = [confusion_counts(predicted(network, one, depth, mode, 0.4), truth[None]) for one, truth in pairs]
    everywhere = iou(torch.cat(counts), "background")
    status = page.locator(".unetpp-live .status")
    expect(status).to_contain_text(f"IoU of membrane {here:.3f}; mean of 4 images {everywhere:.3f}")
    expect(page.locator(".unetpp-live tr[aria-current]")).to_contain_text(f"L{depth}")
    assert log.complaints == []


def test_the_first_picture_waits_for_nothing_but_one_file(open_page):
    page, log = open_page("#image=2", blocked="**/{network,image_0,image_2,image_3}.bin")
    expect(page.locator(".unetpp-live .status")).to_contain_text("mean of 1 image ")
    assert len(np.unique(shown(page).reshape(-1, 3), axis=0)) > 2
    assert next(url for _, url in log.requests if url.endswith(".bin")).endswith("image_1.bin")


def test_a_key_brings_the_next_picture_without_the_network(open_page, record_property):
    page, _ = open_page(blocked="**/network.bin")
    expect(page.locator(".unetpp-live .status")).to_contain_text("mean of 4 images")
    page.evaluate(WATCH)
    waits = {}
    for name, keys in {"depth": ("ArrowLeft", "ArrowRight"), "threshold": ("PageUp", "PageDown")}.items():
        page.evaluate("() => { window.waits = []; }")
        page.get_by_role("slider", name=name, exact=True).focus()
        for press in range(11):
            page.keyboard.press(keys[press % 2])
            page.wait_for_function("(count) => window.waits.length > count", arg=press)
        waits[name] = median(page.evaluate("window.waits"))
    said = ", ".join(f"{name} {wait:.0f} ms" for name, wait in waits.items())
    record_property("shown", f"the page, from key press to picture, median of 11: {said} (60 are the aim)")


def test_the_keyboard_reaches_every_control(open_page):
    page, _ = open_page()
    depth = page.get_by_role("slider", name="depth", exact=True)
    for key, value in {"Home": "1 of 4", "ArrowRight": "2 of 4", "End": "4 of 4"}.items():
        depth.press(key)
        expect(depth).to_have_attribute("aria-valuetext", value)
    page.get_by_role("radio", name="fast: one head").press("ArrowRight")
    expect(page.get_by_role("radio", name="accurate: mean of the heads")).to_be_checked()
    page.get_by_role("radiogroup", name="image").get_by_role("radio", name="1").press("ArrowRight")
    expect(page.locator("figcaption").first).to_have_text("membrane_29: 256 × 256 pixels")
    assert page.evaluate("location.hash") == "#depth=4&image=2&threshold=50&mode=accurate"
    expect(page.get_by_role("status")).to_contain_text("accurate, threshold 0.50, image membrane_29")


def test_an_address_opens_what_it_says_and_nonsense_is_left_out(open_page):
    page, _ = open_page("#depth=2&image=4&threshold=30", blocked="**/network.bin")
    status = page.locator(".unetpp-live .status")
    expect(status).to_contain_text("Depth 2 of 4, fast, threshold 0.30, image membrane_31")
    page.evaluate("location.hash = '#depth=9&image=x&threshold=0&mode=slow'")
    page.evaluate("location.hash = '#depth=3&image=0'")
    expect(status).to_contain_text("Depth 3 of 4, fast, threshold 0.30, image membrane_31")


@pytest.mark.parametrize("how", ["file", "drop", "paste"])
def test_ones_own_image_is_predicted_here_and_sent_nowhere(open_page, address, network, how):
    page, log = open_page("#depth=4")
    page.locator(".unetpp-live.runs").wait_for()
    picture = photograph()
    if how == "file":
        page.get_by_label("your own image").set_input_files(
            {"name": "cells.png", "mimeType": "image/png", "buffer": as_png(picture)}
        )
    else:
        page.evaluate(HAND_OVER, [how, base64.b64encode(as_png(picture)).decode(), "image/png"])
    expect(page.locator("figcaption").nth(1)).to_have_text("depth 4: head 4")
    expect(page.locator("figcaption").first).to_have_text("your image: 181 × 130 pixels")
    expect(page.locator(".unetpp-live table")).not_to_contain_text("…")
    grey = np.asarray(picture).astype(float) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(shown(page, 0)[..., 0], grey, atol=0.51)
    image = torch.from_numpy(shown(page, 0)[..., 0].astype(np.float32) / 255)[None]
    expected = {depth: predicted(network, image, depth, "fast", 0.5)[0, 0].numpy() for depth in (2, 4)}
    off = (shown(page)[..., 0] > 0) != (expected[4] > 0)
    assert off.mean() < 1e-3  # where a probability is 0.5 but for rounding
    page.get_by_role("slider", name="depth", exact=True).fill("2")
    agreed = iou(confusion_counts(*(torch.from_numpy(expected[depth])[None, None] for depth in (2, 4))), "background")
    said = page.locator(".unetpp-live tr[aria-current] td").last.inner_text()
    assert float(said) == pytest.approx(agreed, abs=2e-3)
    assert log.strangers(address) == []
    assert log.complaints == []


def test_what_is_no_image_is_refused_and_large_images_are_made_smaller(open_page):
    page, _ = open_page("#depth=1")
    page.locator(".unetpp-live.runs").wait_for()
    field = page.get_by_label("your own image")
    field.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no image"})
    expect(page.locator(".unetpp-live .status")).to_contain_text("“notes.txt” could not be read as an image")
    white = as_png(Image.new("L", (1200, 40), 255))
    field.set_input_files({"name": "strip.png", "mimeType": "image/png", "buffer": white})
    expect(page.locator("figcaption").first).to_have_text("your image: 512 × 17 pixels, made smaller from 1200 × 40")
    expect(page.locator(".unetpp-live .status")).to_contain_text("far brighter than the images")


def test_times_are_measured_in_the_page(open_page, record_property):
    page, _ = open_page()
    expect(page.locator(".unetpp-live table")).not_to_contain_text("…")
    column = [row.inner_text().split("\t")[3] for row in page.locator(".unetpp-live tbody tr").all()]
    record_property("shown", f"the page's times for 256 × 256 by depth: {', '.join(column)}")
    assert page.locator(".unetpp-live .plot circle").count() == 4


def test_nothing_is_asked_of_another_host(open_page, address, site, record_property):
    page, log = open_page()
    expect(page.locator(".unetpp-live table")).not_to_contain_text("…")
    names = [url.removeprefix(address) for _, url in log.requests if url.startswith(address)]
    sizes = {name: (site / "course" / "live" / name).stat().st_size for name in names}
    first = {"index.html", "explorer.css", "depth.js", "image_0.bin"}
    record_property("shown", f"the page loads {sum(sizes.values()):,} bytes, {sum(sizes[n] for n in first):,} of them "
                             f"before its first picture: {sizes}")  # fmt: skip
    assert set(names) == first | {f"image_{k}.bin" for k in (1, 2, 3)} | {"network.bin"}
    assert log.strangers(address) == []


def test_it_works_in_one_file_without_a_server(open_page, site, network):
    page, log = open_page("#depth=1", where=(site / "course" / "live" / "offline.html").as_uri())
    expect(page.locator(".unetpp-live table")).not_to_contain_text("…")
    page.get_by_label("your own image").set_input_files(
        {"name": "cells.png", "mimeType": "image/png", "buffer": as_png(photograph())}
    )
    expect(page.locator("figcaption").nth(1)).to_have_text("depth 1: head 1")
    assert [url for _, url in log.requests if not url.startswith(("file:", "blob:", "data:"))] == []
    assert log.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
def test_it_can_be_read_in_both_themes_and_on_a_telephone(open_page, size, theme):
    page, _ = open_page("#depth=2", size, theme, blocked="**/network.bin")
    expect(page.locator(".unetpp-live .status")).to_contain_text("mean of 4 images")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert grave_violations(page) == []
