"""The results that are stored, and what the website and the README say of them.

The website shows the tables, and its prose repeats only what they show. The README's findings are among them, too.
"""

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
from tables import BLOCK, PAGE, fill, table  # noqa: E402

from unetpp_course.lab import NAMES, find_experiment  # noqa: E402
from unetpp_course.lab.base import complete_settings  # noqa: E402
from unetpp_course.lab.results import read_records, results_folder  # noqa: E402
from unetpp_course.supervision_figures import cut_losses  # noqa: E402

TEXT = PAGE.read_text(encoding="utf-8")
PROSE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
SAID = re.sub(r"\(pictures/.*|!\[.*", "", PROSE)  # the figures' descriptions round
NUMBER = r"[+-]?\d+(?:\.\d+)?"
TRIPLE = rf"{NUMBER} \[{NUMBER}, {NUMBER}\]"
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cuts() -> str:
    """The intervals of the figure that shows what a cut costs."""
    return " ".join(str(cut) for cuts in cut_losses().values() for cut in cuts)


def numbers(text: str) -> list[str]:
    """The numbers of a text, as the tables write them."""
    return re.findall(r"[+-]?\d+\.\d+", text.replace("−", "-"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_every_stored_result_is_of_the_trial_that_it_is_named_for(name):
    experiment = find_experiment(name)
    assert experiment.name == name
    trials = {trial.name: trial for trial in experiment.trials}
    assert len(trials) == len(experiment.trials)
    stored = read_records(name, results_folder())
    for trial, record in stored.items():
        assert complete_settings(record, trials[trial]) == json.loads(json.dumps(dict(trials[trial].settings)))
    if stored:
        assert table(name)


def test_every_file_of_results_has_its_experiment():
    assert {path.stem for path in results_folder().iterdir()} <= set(NAMES)


def test_the_tables_are_those_of_the_stored_results():
    assert len(BLOCK.findall(TEXT)) >= 2
    assert fill(TEXT) == TEXT, "the results have changed: python docs/tables.py"


def test_the_readable_page_repeats_numbers_of_the_tables(cuts):
    said = [number for number in numbers(SAID) if len(number.rpartition(".")[2]) >= 3]
    known = {number.lstrip("+-") for number in numbers(TEXT + cuts)}
    assert len(said) > 30
    assert [number for number in said if number.lstrip("+-") not in known] == []


def test_the_intervals_of_the_readable_page_are_measured_ones(cuts):
    interval = r"([+-]\d+\.\d+) \[([+-]\d+\.\d+), ([+-]\d+\.\d+)\]"
    measured = re.findall(interval, TEXT + cuts)
    said = re.findall(interval, SAID.replace("−", "-"))
    assert len(said) > 10
    for triple in said:
        digits = len(triple[0].rpartition(".")[2])  # rounded for readers, and no more than that
        assert triple in {tuple(f"{float(number):+.{digits}f}" for number in found) for found in measured}


@pytest.mark.parametrize("line", re.findall(r"^- .*\(data/results/.*", README, re.MULTILINE))
def test_the_findings_of_the_readme_are_what_was_measured(line):
    name = re.search(r"data/results/(\w+)\.jsonl", line)[1]
    assert name in NAMES
    measured = [values(text) for text in re.findall(TRIPLE, table(name))]
    quoted = re.findall(TRIPLE, line.replace("−", "-"))
    assert quoted
    for text in quoted:
        digits = len(re.match(NUMBER, text)[0].partition(".")[2])  # rounded for readers, and no more than that
        assert values(text) in [[round(value, digits) for value in triple] for triple in measured]


def values(text: str) -> list[float]:
    return [float(number) for number in re.findall(NUMBER, text)]
