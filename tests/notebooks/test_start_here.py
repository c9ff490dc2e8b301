"""Notebook 00 leads on: its links arrive, its map in words is the drawn one, and its numbers are those measured."""

import re
from pathlib import Path

import nbformat
import pytest
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from unetpp_course import shipped_model
from unetpp_course.course_map import STATIONS
from unetpp_lib.data import SegmentationFolder, find_dataset, read_distractors, read_split
from unetpp_lib.metrics import classify

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LINK = re.compile(r"\]\(((?:\d\d_\w+\.ipynb)?)(?:#([^)]+))?\)")


def read(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


START = read(NOTEBOOKS / "00_start_here.ipynb")


def headings(text: str) -> set[str]:
    """Return the ids that JupyterLab gives a notebook's headings."""
    return {heading.strip().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def test_links_arrive_at_notebooks_and_headings_that_exist():
    for name, heading in LINK.findall(START):
        target = NOTEBOOKS / name if name else NOTEBOOKS / "00_start_here.ipynb"
        assert target.is_file(), name
        assert not heading or heading in headings(read(target)), (name, heading)


def test_the_map_in_words_is_the_drawn_one():
    row = r"^\| \[?(\d\d) ([^|\]]*?)(?:\]\(.*\))? \| ([^|]*) \| (●?) ?\| (\d+) \|$"
    assert re.findall(row, START, re.MULTILINE) == [
        (f"{number:02}", station.title, station.question, "●" if station.core else "", str(station.minutes))
        for number, station in enumerate(STATIONS)
    ]


def test_the_hours_of_the_course_are_those_of_its_notebooks():
    stated = int(re.search(r"All fourteen notebooks together take about (\d+) hours", START)[1])
    assert abs(sum(station.minutes for station in STATIONS) / 60 - stated) < 1


@pytest.fixture(scope="module")
def scene():
    """The mask of the first test image, its rings, and what the network predicts at depths 1 to 4, all (1, H, W)."""
    root = find_dataset("membranes")
    folder = SegmentationFolder(root)
    name = read_split(root / "split.json").test[0]
    image, mask = folder[folder.names.index(name)]
    return mask, read_distractors(root, name) > 0, predict_all_depths(image)


def predict_all_depths(image: Tensor) -> list[Tensor]:
    model, card = shipped_model("unetpp_membranes")
    with torch.inference_mode():
        return [classify(head.sigmoid())[0] for head in model(card.normalise(image)[None])]


def membrane_iou(predicted: Tensor, mask: Tensor, where: Tensor | bool = True) -> float:
    both, either = (predicted == 0) & (mask == 0), (predicted == 0) | (mask == 0)
    return float((both & where).sum() / (either & where).sum())


def test_the_rings_are_the_smaller_part_of_what_the_cut_loses(scene):
    mask, rings, (cut, _, _, whole) = scene
    assert f"{membrane_iou(whole, mask):.2f} {membrane_iou(cut, mask):.2f}" == "0.80 0.47"
    assert f"{membrane_iou(1 - whole, 1 - mask):.2f}" == "0.95"  # of the interior
    assert f"{membrane_iou(cut, mask, where=~rings):.2f}" == "0.60"


def test_the_cut_network_misses_a_third_of_the_membrane_most_of_all_at_its_edges(scene):
    mask, _, (cut, *_) = scene
    membrane, missed = mask == 0, (mask == 0) & (cut == 1)
    inside = max_pool2d(mask.float(), 3, stride=1, padding=1) == 0  # all eight neighbours are membrane, too
    edge = membrane & ~inside
    assert missed.sum() > membrane.sum() / 3
    assert (missed & edge).sum() / edge.sum() > 2 * (missed & inside).sum() / inside.sum()


@pytest.mark.slow
def test_the_last_step_of_depth_is_the_smallest_on_the_test_images():
    root = find_dataset("membranes")
    folder = SegmentationFolder(root)
    pairs = [folder[folder.names.index(name)] for name in read_split(root / "split.json").test]
    masks = torch.cat([mask for _, mask in pairs])
    predicted = [predict_all_depths(image) for image, _ in pairs]
    scores = [membrane_iou(torch.cat(depth), masks) for depth in zip(*predicted, strict=True)]
    assert [f"{score:.2f}" for score in scores] == ["0.51", "0.62", "0.78", "0.81"]
    assert "the IoU is 0.51, 0.62, 0.78 and 0.81 at the depths 1 to 4" in START


def test_the_ledger_lists_seven_claims_and_no_results():
    rows = re.findall(r"^\| (\d) \| <a id=\"(claim-[\w-]+)\"></a>[^|]* \| ([^|]*) \| (.*)\|$", START, re.MULTILINE)
    assert [number for number, *_ in rows] == list("1234567")
    assert {result for *_, result in rows} == {""}


def test_claims_that_other_notebooks_link_to_are_in_the_ledger():
    claims = set(re.findall(r'<a id="(claim-[\w-]+)"></a>', START))
    linked = {
        claim
        for path in NOTEBOOKS.rglob("*.ipynb")
        for claim in re.findall(r"00_start_here\.ipynb#(claim-[\w-]+)", read(path))
    }
    assert linked <= claims
