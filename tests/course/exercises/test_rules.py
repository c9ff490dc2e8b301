"""What breaks the rules of exercises is found, in a notebook and in a declaration: tried on the samples."""

from dataclasses import replace as replace_in
from pathlib import Path

import nbformat
import pytest
import torch
from exercise_samples import EXERCISES, NOTEBOOK, halve, write_notebook
from nbformat.v4 import new_code_cell
from notebook_reader import judgement_faults, plan_faults, rule_faults

DECLARED = {exercise.number: exercise for exercise in EXERCISES}
EARLIER, QUESTION, STUB, DETAILS = range(4)  # the first cells of the notebook; each exercise has three
THIRD, LAST = 6, 15  # how many cells further the third exercise and the last one stand


@pytest.fixture
def sample(tmp_path) -> Path:
    return write_notebook(tmp_path / "samples.ipynb")


def test_the_samples_keep_to_the_rules(sample):
    assert rule_faults(sample, DECLARED) == []
    assert plan_faults(NOTEBOOK, DECLARED) == []


def replace(cell: int, old: str, new: str):
    def spoil(cells):
        assert old in cells[cell].source
        cells[cell].source = cells[cell].source.replace(old, new)

    return spoil


def repeat(cells):
    cells.append(new_code_cell(cells[STUB].source, metadata={"tags": ["exercise"]}))


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (replace(QUESTION, "medium", "easy"), "99.1 has no heading"),
        (replace(QUESTION, "10 min", "1 min"), "99.1 has no heading"),
        (replace(DETAILS, "Hint 2", "Hint"), "99.1 has ['Hint 1', 'Hint', 'Solution'] folded away"),
        (replace(DETAILS, "<details>\n<summary>Hint 1", "<details open>\n<summary>Hint 1"), "99.1 has ['Hint 2'"),
        (replace(DETAILS, "```python", "```"), "99.1 has no code in its solution"),
        (replace(EARLIER, "\n\nraise", "\n\ndef half(x):\n    return pool(x)\n\nraise"), "99.1 shows its solution"),
        (replace(STUB, 'check("99.1"', 'check("99.7"'), "99.7 is not declared"),
        (replace(STUB, 'check("99.1"', 'check("99.7"'), "99.1 is not in the notebook"),
        (replace(STUB, 'check("99.1", half)', "half"), "a tagged cell is not declared"),
        (replace(QUESTION + THIRD, "- b) a logit", "- b) a number"), "99.3 does not offer '- b) a logit'"),
        (replace(STUB + THIRD, "check(", "commit("), "99.3 calls"),
        (replace(STUB + LAST, "commit(", "check("), "99.6 calls"),
        (replace(STUB + LAST + 2, "check(", "print("), "99.6 is a prediction that no later cell checks"),
        (
            lambda cells: cells.append(new_code_cell(cells[STUB].source, metadata=cells[STUB].metadata)),
            "not in the order",
        ),
        (lambda cells: cells[STUB].metadata.clear(), "99.1 is not in the notebook"),
    ],
)
def test_a_broken_rule_is_found(sample, spoil, fault):
    notebook = nbformat.read(sample, as_version=4)
    spoil(notebook.cells)
    nbformat.write(notebook, sample)
    assert [found for found in rule_faults(sample, DECLARED) if fault in found]


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [
        (["99.2", "99.3", "99.6"], "3 exercises; at least 4"),
        (["99.1", "99.6"], "2 exercises; at least 4"),
        (["99.2", "99.3", "99.4", "99.5"], "no prediction"),
    ],
)
def test_a_notebook_with_too_little_is_found(numbers, fault):
    faults = plan_faults(NOTEBOOK, {number: DECLARED[number] for number in numbers})
    assert [found for found in faults if fault in found]


HALVE, SIDE, HEAD = EXERCISES[:3]


def test_more_functions_than_half_of_the_exercises_rounded_up_are_found():
    two = {"99.1": HALVE, "99.8": HALVE}
    assert [found for found in plan_faults(NOTEBOOK, two) if "2 of 2 exercises are functions" in found]
    assert not [found for found in plan_faults(NOTEBOOK, two | {"99.2": SIDE}) if "exercises are functions" in found]


@pytest.mark.parametrize(
    ("exercise", "fault"),
    [
        (replace_in(HALVE, reference=lambda x: x.halves), "its own reference does not pass"),
        (
            replace_in(HALVE, mistakes=[*HALVE.mistakes, (halve, "Wrong.")]),
            "halve should be told 'Wrong.', and gets ✅",
        ),
        (replace_in(HALVE, also_wrong=[*HALVE.also_wrong, (torch.zeros_like, "x")]), "zeros_like should be told 'x'"),
        (replace_in(HALVE, also_wrong=HALVE.also_wrong[2:]), "it has 7 wrong answers; at least 8"),
        (replace_in(HALVE, also_wrong=[*HALVE.also_wrong, HALVE.also_wrong[0]]), "two wrong answers are both told"),
        (replace_in(SIDE, also_wrong=[(4, "")]), "4 should be told '', and gets ❌ 'This is not the expected answer.'"),
        (replace_in(HEAD, also_wrong=[("b", "by its letter")]), "'b' should be told 'by its letter', and gets ✅"),
    ],
)
def test_an_exercise_that_judges_wrongly_is_found(exercise, fault):
    assert [found for found in judgement_faults(exercise) if fault in found]
