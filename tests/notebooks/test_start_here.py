"""Notebook 00 leads on: its links arrive, its map in words is the drawn one, its ledger says what the stamps say."""

import re
from pathlib import Path

import nbformat

from unetpp_course.course_map import STATIONS

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LINK = re.compile(r"\]\(((?:\d\d_\w+\.ipynb)?)(?:#([^)]+))?\)")
STAMP = re.compile(r"\| <a id=.*\| (.*) \|$", re.MULTILINE)
QUOTE = re.compile(r"“([^”]*)”")
LEFT_OUT = "[…]"


def read(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


START = read(NOTEBOOKS / "00_start_here.ipynb")


def plain(text: str) -> str:
    """Return a text without marks of quotation and emphasis, in one line."""
    return " ".join(re.sub(r"[*>]", "", text).split())


def headings(text: str) -> set[str]:
    """Return the ids that JupyterLab gives a notebook's headings."""
    return {heading.strip().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def test_links_arrive_at_notebooks_and_headings_that_exist():
    for name, heading in LINK.findall(START):
        target = NOTEBOOKS / name if name else NOTEBOOKS / "00_start_here.ipynb"
        assert target.is_file(), name
        assert not heading or heading in headings(read(target)), (name, heading)


def test_the_map_in_words_is_the_drawn_one():
    rows = re.findall(r"^\| (\d\d) [^|]*\| [^|]*\| ([^|]*?) \|", START, re.MULTILINE)
    assert rows == [(f"{number:02}", station.question) for number, station in enumerate(STATIONS) if number]


def test_the_ledger_quotes_its_notebooks():
    written = [plain(read(path)) for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb") if path.stem[:2] != "00"]
    stamps = STAMP.findall(START)
    assert len(stamps) == 6
    for stamp in stamps:
        for part in LEFT_OUT.join(QUOTE.findall(stamp)).split(LEFT_OUT):
            assert any(plain(part).rstrip(".") in text for text in written), part
