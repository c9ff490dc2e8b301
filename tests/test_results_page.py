"""The page on real images shows what the stored results say, and its prose repeats only what its tables show."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
from tables import BLOCK, PAGE, fill  # noqa: E402

from unetpp_course.supervision_figures import cut_losses  # noqa: E402

TEXT = PAGE.read_text(encoding="utf-8")
PROSE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
SAID = re.sub(r"\(pictures/.*|!\[.*", "", PROSE)  # the figures' descriptions round
CUTS = " ".join(str(cut) for cuts in cut_losses().values() for cut in cuts)


def numbers(text: str) -> list[str]:
    """The numbers of a text, as the tables write them."""
    return re.findall(r"[+-]?\d+\.\d+", text.replace("−", "-"))


def test_its_tables_are_those_of_the_stored_results():
    assert len(BLOCK.findall(TEXT)) >= 2
    assert fill(TEXT) == TEXT, "the results have changed: python docs/tables.py"


def test_the_readable_page_repeats_numbers_of_the_tables():
    said = [number for number in numbers(SAID) if len(number.rpartition(".")[2]) >= 3]
    known = {number.lstrip("+-") for number in numbers(TEXT + CUTS)}
    assert len(said) > 30
    assert [number for number in said if number.lstrip("+-") not in known] == []


def test_its_intervals_are_measured_ones():
    interval = r"([+-]\d+\.\d+) \[([+-]\d+\.\d+), ([+-]\d+\.\d+)\]"
    measured = re.findall(interval, TEXT + CUTS)
    said = re.findall(interval, SAID.replace("−", "-"))
    assert len(said) > 10
    for triple in said:
        digits = len(triple[0].rpartition(".")[2])  # rounded for readers, and no more than that
        assert triple in {tuple(f"{float(number):+.{digits}f}" for number in found) for found in measured}
