"""The page about other libraries: its examples run, and its table is what was found where a library is installed."""

import re
from pathlib import Path
from runpy import run_path

import pytest
from markdown_tables import read_table

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "other_libraries.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
COLUMNS = {"unetpp": 1, "segmentation_models_pytorch": 5, "monai": 6}
ROWS = {row[0]: row for row in read_table(TEXT, "behaviour")}
probe = run_path(str(ROOT / "benchmarks" / "other_libraries.py"))

each_library = pytest.mark.parametrize("library", COLUMNS)


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, object]]:
    return {}


def behaviour(library: str, found: dict[str, dict[str, object]]) -> dict[str, object]:
    if not probe["is_installed"](library):
        pytest.skip(f"{library} is not installed: pip install -e '.[bench]'")
    if library not in found:
        found[library] = probe["behaviour"](library)
    return found[library]


@pytest.mark.parametrize("code", EXAMPLES, ids=lambda code: code.splitlines()[0])
def test_its_examples_run(code):
    for library in re.findall(r"^from (monai)", code, re.MULTILINE):
        pytest.importorskip(library, reason=f"{library} is not installed: pip install -e '.[bench]'")
    exec(code, {})


def test_every_question_has_an_example():
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:-1]
    assert len(sections) == 5
    assert all("```python" in section for section in sections)


def test_the_table_has_ten_behaviours_and_says_of_each_column_how_it_is_known():
    *behaviours, how = ROWS.values()
    assert len(behaviours) == 10
    assert set(how[1:]) == {"tested", "read"}
    assert {how[column] for column in COLUMNS.values()} == {"tested"}


@each_library
def test_the_outputs(library, found):
    stated = ROWS["outputs with deep supervision"][COLUMNS[library]]
    assert int(stated[0]) == behaviour(library, found)["outputs with deep supervision"]


@each_library
def test_the_sizes(library, found):
    taken = set(behaviour(library, found)["sizes"])
    fits = {
        "any": lambda height, width: True,
        "multiples of 32": lambda height, width: height % 32 == width % 32 == 0,
        "32 and more": lambda height, width: min(height, width) >= 32,
    }[ROWS["sizes of images"][COLUMNS[library]]]
    assert taken == {size for size in probe["SIZES"] if fits(*size)}


@each_library
def test_the_maps_at_full_resolution(library, found):
    stated = ROWS["maps computed at full resolution"][COLUMNS[library]]
    assert int(stated) == behaviour(library, found)["maps at full resolution"]


@each_library
def test_the_parameters_without_effect(library, found):
    stated = ROWS["parameters without effect, supervision off"][COLUMNS[library]]
    assert int(stated) == behaviour(library, found)["parameters without effect, supervision off"]


@each_library
def test_the_layers(library, found):
    known = behaviour(library, found)
    assert ROWS["normalisation by default"][COLUMNS[library]] == known["normalisation"]
    upsampling = {"nearest pixel": "none: a function"}
    stated = ROWS["up-sampling by default"][COLUMNS[library]]
    assert upsampling.get(stated, stated) == known["up-sampling layers"]


def test_the_versions_that_were_tested_are_named(found):
    for library, name in {"segmentation_models_pytorch": "segmentation_models.pytorch", "monai": "MONAI"}.items():
        assert re.search(rf"{re.escape(name)} \d+\.\d+\.\d+", TEXT), library


def test_the_heads_losses_of_monai_favour_the_shallowest(found):
    weights = behaviour("monai", found)["weights of the heads' losses"]
    assert weights[0] == 8 * weights[-1]
    assert "eight times the weight of the deepest" in TEXT
