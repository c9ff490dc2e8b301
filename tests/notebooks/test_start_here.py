"""Notebook 00 leads on: its links arrive, and its map in words is the drawn one."""

import re
from pathlib import Path

import nbformat

from unetpp_course.course_map import STATIONS

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
    rows = re.findall(r"^\| \[?(\d\d) [^|]*\| ([^|]*) \| (●?) ?\| (\d+) \|$", START, re.MULTILINE)
    assert rows == [
        (f"{number:02}", station.question, "●" if station.core else "", str(station.minutes))
        for number, station in enumerate(STATIONS)
    ]


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
