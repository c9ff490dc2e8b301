"""Each breakage can still be made, and the tests that must catch it exist; `python tests/breakages.py` tries them."""

from pathlib import Path

import pytest
from breakages import ROOT, read_breakages

BREAKAGES = read_breakages()


def test_a_breakage_has_a_name_of_its_own():
    assert len({breakage.name for breakage in BREAKAGES}) == len(BREAKAGES)


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.name)
def test_a_breakage_can_still_be_made_and_its_tests_exist(breakage):
    assert breakage.broken_text(ROOT) != Path(ROOT, breakage.file).read_text(encoding="utf-8")
    for test in breakage.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in Path(ROOT, file).read_text(encoding="utf-8")
