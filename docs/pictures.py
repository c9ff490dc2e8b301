"""Draw the pictures of README and pages from the shipped network, the embedded images and the stored results.

`python docs/pictures.py` draws all into docs/pictures/: heads.png, those of the results page (result_figures.py), and
pruning.gif, for which it opens the explorer's page and presses keys in a browser (Chromium on the PATH).
`… heads` or `… folds` draws one alone.
"""

import io
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image
from result_figures import RESULT_FIGURES

from unetpp_course import MISTAKES, draw_network, mark_mistakes, shipped_model
from unetpp_course.figures import COLOURS
from unetpp_course.live.site import write_live
from unetpp_course.style import WIDTH, Pixels, as_picture
from unetpp_lib.data import SegmentationFolder, find_dataset, read_split
from unetpp_lib.metrics import classify, confusion_counts, iou

FOLDER = Path(__file__).parent / "pictures"
DPI = 150  # 1200 pixels: sharp on screens of high resolution
SIDE_SMALL, SIDE_LARGE, ROOM = 1.4, 1.7, 1.75  # inches
LIKE = {"method": Image.Quantize.MAXCOVERAGE, "kmeans": 1, "dither": Image.Dither.NONE}  # as `shrink` chooses colours
GIF_WIDTH, GIF_COLOURS = 900, 96
FRAME_MS, LAST_FRAME_MS = 1400, 2800
FILM_PAGE, BROWSER_MS = {"width": 1000, "height": 1100}, 300_000


def draw_heads() -> Figure:
    """Draw the grid, above each head its answer to an image that the network has never seen, and image and truth."""
    root = find_dataset("membranes")
    folder = SegmentationFolder(root)
    image, mask = folder[folder.index_of[read_split(root / "split.json").test[0]]]
    model, card = shipped_model("unetpp_membranes")
    with torch.inference_mode():
        decisions = [classify(head.sigmoid(), card.threshold) for head in model(card.normalise(image)[None])]
    scores = [iou(confusion_counts(decision, mask[None]), of="background") for decision in decisions]

    figure = draw_network(model)
    grid = figure.axes[0]
    height = figure.get_figheight()
    figure.set_figheight(height + ROOM)
    grid.set_position((0, 0, 1, height / (height + ROOM)))
    add_picture(figure, (0.1, 0.6), SIDE_LARGE, "the image", image)
    add_picture(figure, (WIDTH - 0.1 - SIDE_LARGE, 0.6), SIDE_LARGE, "the truth", mask)
    places = [text.get_position()[0] for text in grid.texts if text.get_text().startswith("head")]
    for x, decision, score in zip(places, decisions, scores, strict=True):
        at = (x - SIDE_SMALL / 2, height - 0.02)
        add_picture(figure, at, SIDE_SMALL, f"membrane IoU {score:.3f}", mark_mistakes(mask, decision))
    wrong = [label for label in MISTAKES if "called" in label]
    patches = [
        Patch(facecolor=MISTAKES[label], edgecolor="black", label=label.replace(" called", "\ncalled"))
        for label in wrong
    ]
    figure.legend(handles=patches, loc="upper left", bbox_to_anchor=(0, 0.93), frameon=False, fontsize=9)
    return figure


def add_picture(figure: Figure, at: tuple[float, float], side: float, title: str, pixels: Pixels) -> None:
    """Add a square picture under its title; ``at`` is its lower left corner, all in inches."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((at[0] / width, at[1] / height, side / width, side / height), xticks=[], yticks=[])
    axes.imshow(as_picture(pixels), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title, size=9, pad=3, loc="left")


def film_pruning(folder: Path) -> list[Image.Image]:
    """Return what the pruning explorer shows at depths 1 to 4, as a page that is written into ``folder``."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
    from check_site import served
    from lab_page import require_browser
    from playwright.sync_api import expect, sync_playwright

    write_live(folder)
    with served(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_browser(), args=["--no-sandbox"])
        page = browser.new_page(viewport=FILM_PAGE)
        page.set_default_timeout(BROWSER_MS)
        page.goto(f"{address}index.html#depth=1")
        shown = page.locator(".unetpp-live")
        expect(shown.locator("table")).not_to_contain_text("…", timeout=BROWSER_MS)  # all times are measured
        frames = []
        for depth in range(1, 5):
            expect(shown.locator(".status")).to_contain_text(f"Depth {depth} of 4")
            frames.append(Image.open(io.BytesIO(shown.screenshot())))
            shown.get_by_role("slider").first.press("ArrowRight")
        browser.close()
    return frames


def save_film(frames: list[Image.Image], path: Path) -> None:
    """Write frames as a GIF that goes on for ever, and stays a while on the last."""
    height = round(frames[0].height * GIF_WIDTH / frames[0].width)
    small = [frame.convert("RGB").resize((GIF_WIDTH, height), Image.Resampling.LANCZOS) for frame in frames]
    few = [frame.quantize(GIF_COLOURS, **LIKE) for frame in small]
    times = [FRAME_MS] * (len(few) - 1) + [LAST_FRAME_MS]
    few[0].save(path, save_all=True, append_images=few[1:], duration=times, loop=0, optimize=True)


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG of few colours."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DPI)
    Image.open(buffer).convert("RGB").quantize(COLOURS, **LIKE).save(path, optimize=True)


def main(*only: str) -> None:
    """Draw all pictures, or those that are named."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in {"heads": draw_heads, **RESULT_FIGURES}.items():
        if name in only or not only:
            save_picture(draw(), FOLDER / f"{name}.png")
            plt.close("all")
    if "pruning" in only or not only:
        with tempfile.TemporaryDirectory() as folder:
            save_film(film_pruning(Path(folder)), FOLDER / "pruning.gif")
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main(*sys.argv[1:])
