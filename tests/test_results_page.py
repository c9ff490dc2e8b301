"""The page on real images shows what the stored results say, and its prose repeats only what its tables show."""

import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
from tables import BLOCK, PAGE, fill  # noqa: E402

from unetpp_course.lab import read_results  # noqa: E402
from unetpp_course.lab.best_model import by_slice, choices  # noqa: E402
from unetpp_course.lab.blocked_folds import by_fold  # noqa: E402
from unetpp_course.lab.folds import LAPTOP  # noqa: E402
from unetpp_course.lab.intervals import t_interval  # noqa: E402

TEXT = PAGE.read_text(encoding="utf-8")
TABLES = "\n".join(re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL))
FIRST_SEED = "\n".join(
    str(t_interval(by_fold(LAPTOP.leads(read_results("folds"), pair, "membrane", arm)[:1])))
    for pair, arm in ((("unetpp", "unetplus"), "steps"), (("unetpp", "unetpp_plain"), "seconds"))
)
PROSE = re.sub(r"^```text\n.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
ELSEWHERE = {
    "602", "632",  # the first look, whose trainings are not kept
    "003", "004",  # what lies between .839, .842 and .843
}  # fmt: skip


def test_its_tables_are_those_of_the_stored_results():
    assert len(BLOCK.findall(TEXT)) >= 2
    assert fill(TEXT) == TEXT, "the results have changed: python docs/tables.py"


def test_its_prose_repeats_numbers_of_its_tables():
    said = re.findall(r"(?<![\d.])0?\.(\d{3})\b", PROSE)
    assert len(said) > 20
    assert [number for number in said if f"0.{number}" not in TABLES + FIRST_SEED and number not in ELSEWHERE] == []


def test_its_intervals_stand_in_its_tables():
    said = re.findall(r"([+−]\.\d{3} \[[+−]\.\d{3}, [+−]\.\d{3}\])", PROSE)
    plain = [interval.replace("−", "-").replace(".", "0.") for interval in said]
    assert len(said) > 5
    assert [interval for interval in plain if interval not in TABLES + FIRST_SEED] == []


def test_the_seeds_agree_on_the_folds_that_augmentation_helped():
    membrane = by_slice(read_results("best_model"), "membrane")
    gain = membrane["long, not augmented, last weights"] - membrane["long, last weights"]
    gains = np.array([by_fold([slices]) for slices in gain.to_numpy()])
    assert gains.shape == (3, 5)
    assert (gains[:, [2, 3, 4]] > 0).all()
    assert (gains[:, 1] < 0).all()


def test_the_flips_were_left_out_as_often_as_it_says():
    chosen = choices(read_results("best_model"))
    assert (sum("flips" not in way for way in chosen), len(chosen)) == (8, 15)
