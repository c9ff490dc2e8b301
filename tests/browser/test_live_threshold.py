"""The threshold explorer on a page without Python: its counts and scores are the library's."""

import re

import pytest
import torch
from lab_page import require_browser
from live_pages import NARROW, WIDE, grave_violations
from playwright.sync_api import expect

from unetpp_course.live.page_explorers import predictions
from unetpp_lib.metrics import classify, confusion_counts, dice, iou

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SCORES, WORDS = (
    {"IoU": iou, "Dice": dice},
    {"background": "membrane", "foreground": "interior", "classes": "both classes"},
)


@pytest.fixture
def open_threshold(open_page, address):
    def open_it(fragment="", *options):
        page, log = open_page(fragment, *options, where=f"{address}threshold.html")
        expect(page.locator(".unetpp-live .status")).to_contain_text(re.compile("mean of 4 images|4 images pooled"))
        return page, log

    return open_it


def counts_at(threshold):
    labels = [classify(heads[-1][None, None], threshold / 100) for _, _, _, heads in predictions()]
    return torch.cat(
        [confusion_counts(label, pair[2][None]) for label, pair in zip(labels, predictions(), strict=True)]
    )


@pytest.mark.parametrize(
    ("threshold", "score", "of", "average"),
    [(50, "IoU", "background", "image"), (20, "Dice", "classes", "pooled"), (90, "Dice", "foreground", "image")],
)
def test_the_score_the_best_threshold_and_the_counts_are_the_librarys(open_threshold, threshold, score, of, average):
    page, log = open_threshold(f"#threshold={threshold}&image=2&score={score}&of={of}&average={average}")
    curve = [SCORES[score](counts_at(percent), of, average) for percent in range(1, 100)]
    best = curve.index(max(curve)) + 1
    images = "4 images pooled" if average == "pooled" else "mean of 4 images"
    status = page.locator(".unetpp-live .status")
    expect(status).to_contain_text(
        f"Threshold {threshold / 100:.2f}: {score} of {WORDS[of]}, {images}, {curve[threshold - 1]:.3f}; "
        f"the best, {max(curve):.3f}, is at {best / 100:.2f}. Image {predictions()[1][0]}:"
    )
    for row, line in enumerate(counts_at(threshold)[1].tolist()):
        for number in line:
            expect(page.locator(".unetpp-live tbody tr").nth(row)).to_contain_text(f"{number:,}")
    assert log.complaints == []


def test_the_keyboard_moves_the_threshold_and_the_address_follows(open_threshold, address):
    page, log = open_threshold()
    slider = page.get_by_role("slider", name="threshold", exact=True)
    slider.press("ArrowRight")
    page.get_by_role("radio", name="IoU", exact=True).press("ArrowRight")
    expect(page.get_by_role("status")).to_contain_text("Threshold 0.51: Dice of membrane")
    assert page.evaluate("location.hash") == "#threshold=51&image=1&score=Dice&of=background&average=image"
    assert log.strangers(address) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_in_both_themes_and_on_a_telephone(open_threshold, theme):
    page, _ = open_threshold("#threshold=30", WIDE, theme)
    assert grave_violations(page) == []
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
