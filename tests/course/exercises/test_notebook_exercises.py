"""Every exercise judges rightly what its notebook shows, and every wrong answer that is declared with it.

The samples of `exercise_samples.py` go through the same tests as the notebooks do.
"""

from pathlib import Path

import exercise_samples
import pytest
from notebook_reader import judgement_faults, plan_faults, read_exercises, rule_faults

from unetpp_course import check, commit
from unetpp_course.checks import Exercise, FunctionExercise
from unetpp_course.checks.verdict import Mark
from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises

NOTEBOOKS = {int(path.stem[:2]): path for path in (Path(__file__).parents[3] / "notebooks").rglob("[0-9][0-9]_*.ipynb")}
DECLARED = [exercise for notebook in notebooks_with_exercises() for exercise in exercises_of(notebook).values()]
QUICK = ("10.", "11.", "99.")  # notebooks whose functions take little time


def marked(exercise: Exercise):
    """An exercise to test; most of those that ask for a function are slow, because so many wrong ones are tried."""
    quick = exercise.number.startswith(QUICK) or not isinstance(exercise, FunctionExercise)
    return pytest.param(exercise, id=exercise.number, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize("notebook", sorted({*NOTEBOOKS, *notebooks_with_exercises()}))
def test_the_exercises_of_a_notebook_keep_to_the_rules(notebook: int):
    assert notebook in NOTEBOOKS
    declared = exercises_of(notebook)
    assert rule_faults(NOTEBOOKS[notebook], declared) + plan_faults(notebook, declared) == []


@pytest.mark.parametrize("exercise", map(marked, [*DECLARED, *exercise_samples.EXERCISES]))
def test_an_exercise_judges_every_answer_rightly(exercise: Exercise, tmp_path, capsys):
    notebook = int(exercise.number.split(".")[0])
    path = NOTEBOOKS.get(notebook) or exercise_samples.write_notebook(tmp_path / "99_samples.ipynb")
    written = next(one for one in read_exercises(path) if one.number == exercise.number)

    run(written.setup, written.stub)
    said = capsys.readouterr().out
    assert said.startswith(f"{Mark.NOT_ATTEMPTED} {exercise.number} "), f"the unchanged cell is told: {said}"

    run(written.setup, written.solution, written.call)
    if written.call.startswith("commit"):
        said = capsys.readouterr().out
        assert said.startswith(f"📝 {exercise.number} "), f"the notebook's solution is told: {said}"
        check(exercise.number)
    said = capsys.readouterr().out
    assert said.startswith(f"{Mark.PASSED} {exercise.number} "), f"the notebook's solution is told: {said}"

    faults = list(judgement_faults(exercise))
    assert not faults, "\n".join(faults)


def run(*cells: str) -> None:
    exec("\n".join(cells), {"check": check, "commit": commit})
