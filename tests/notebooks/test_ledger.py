"""The ledger that notebook 12 closes is the one that notebook 00 opened, and quotes the notebooks that stamped it."""

import re
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
OPENED = re.compile(r'<a id="(claim-[^"]+)">')
CLOSED = re.compile(r"^\| \[[^]]*\]\(00_start_here\.ipynb#(claim-[^)]+)\)(.*)$", re.MULTILINE)


def read(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def plain(text: str) -> str:
    return " ".join(text.replace("*", "").split())


ROWS = CLOSED.findall(read(NOTEBOOKS / "12_unet_vs_unetpp.ipynb"))


def test_every_claim_is_closed_in_the_order_in_which_it_was_opened():
    assert [claim for claim, _ in ROWS] == OPENED.findall(read(NOTEBOOKS / "00_start_here.ipynb"))


def test_what_is_quoted_stands_in_the_notebooks_that_a_row_names():
    for claim, row in ROWS:
        named = re.findall(r"\[(\d\d)[^]]*\]", row)
        written = plain("\n".join(read(path) for number in named for path in NOTEBOOKS.glob(f"{number}_*.ipynb")))
        for quote in re.findall(r"“([^”]*)”", row):
            assert all(plain(part) in written for part in quote.split("[…]")), (claim, quote)
