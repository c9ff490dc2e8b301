"""Every exercise of every notebook: its stub is not attempted, its solution passes, its wrong answers are named.

The samples of `exercise_samples.py` go through the same tests as the notebooks do.
"""

from pathlib import Path
from runpy import run_path

import exercise_samples
import pytest
from notebook_reader import NotebookExercise, plan_faults, read_exercises, rule_faults

from unetpp_course import check, commit
from unetpp_course.checks import ChoiceExercise, Exercise, FunctionExercise
from unetpp_course.checks.verdict import GENERIC, Mark
from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises

HERE = Path(__file__).parent
NOTEBOOKS = {int(path.stem[:2]): path for path in (HERE.parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb")}
FUNCTIONS_TRIED = 8  # at least so many wrong answers to a function


def declared_wrong(exercise: Exercise) -> list[tuple[object, str]]:
    """Return the known mistakes, each with its sentence, and the wrong options of a choice, each with its reply."""
    options = exercise.options.items() if isinstance(exercise, ChoiceExercise) else ()
    known = [(wrong, sentence) for sentence, wrong in getattr(exercise, "mistakes", {}).items()]
    return known + [(letter, option.reply) for letter, option in options if not option.right]


def tried(exercise: Exercise) -> list[tuple[object, str]]:
    """Return the wrong answers that only the tests know, each with words of the message that it must get."""
    notebook = int(exercise.number.split(".")[0])
    path = HERE / f"wrong_answers_{notebook:02}.py"
    wrong = run_path(str(path))["WRONG"] if path.exists() else exercise_samples.WRONG
    return wrong.get(exercise.number, [])


DECLARED = [exercise for notebook in notebooks_with_exercises() for exercise in exercises_of(notebook).values()]
EXERCISES = [*DECLARED, *exercise_samples.EXERCISES]
WRONG = [(exercise, *wrong) for exercise in EXERCISES for wrong in declared_wrong(exercise) + tried(exercise)]
WRITTEN = [(path, exercise.number) for path in NOTEBOOKS.values() for exercise in read_exercises(path)]
SAMPLES = [(None, exercise.number) for exercise in exercise_samples.EXERCISES]


def name(value: object) -> str:
    if isinstance(value, Exercise):
        return value.number
    return getattr(value, "__name__", None) or str(value)[:40]


def each(kind: type[Exercise]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exercise", [e for e in EXERCISES if isinstance(e, kind)], ids=name)


each_written = pytest.mark.parametrize(("path", "number"), WRITTEN + SAMPLES, ids=name)


@pytest.fixture
def written(path: Path | None, number: str, tmp_path) -> NotebookExercise:
    if path is None:
        path = exercise_samples.write_notebook(tmp_path / "99_samples.ipynb")
    return next(exercise for exercise in read_exercises(path) if exercise.number == number)


@pytest.mark.parametrize("notebook", sorted({*NOTEBOOKS, *notebooks_with_exercises()}))
def test_the_exercises_of_a_notebook_keep_to_the_rules(notebook: int):
    assert notebook in NOTEBOOKS
    declared = exercises_of(notebook)
    assert rule_faults(NOTEBOOKS[notebook], declared) + plan_faults(notebook, declared) == []


@each_written
def test_a_stub_is_not_attempted(written, capsys):
    exec(f"{written.setup}\n{written.stub}", {"check": check, "commit": commit})
    assert capsys.readouterr().out.startswith(f"{Mark.NOT_ATTEMPTED} {written.number} ")


@each_written
def test_the_solution_passes(written, capsys):
    exec(f"{written.setup}\n{written.solution}\n{written.call}", {"check": check, "commit": commit})
    if written.call.startswith("commit"):
        assert capsys.readouterr().out.startswith(f"🔒 {written.number} ")
        check(written.number)
    assert capsys.readouterr().out.startswith(f"{Mark.PASSED} {written.number} ")


@pytest.mark.parametrize(("exercise", "wrong", "words"), WRONG, ids=name)
def test_a_wrong_answer_is_named_and_shown(exercise, wrong, words: str):
    verdict = exercise.examine(wrong)
    assert verdict.mark is Mark.FAILED
    assert words in verdict.sentence
    assert verdict.sentence != GENERIC
    assert all([verdict.given, verdict.expected, verdict.received])


@each(FunctionExercise)
def test_wrong_functions_are_told_apart(exercise):
    sentences = [exercise.examine(wrong).sentence for wrong, _ in tried(exercise)]
    assert len(sentences) >= FUNCTIONS_TRIED
    assert len(set(sentences)) == len(sentences)


@each(ChoiceExercise)
def test_one_option_is_right_and_each_has_its_own_reply(exercise):
    options = exercise.options.values()
    assert sum(option.right for option in options) == 1
    assert len({option.reply for option in options}) == len(options) > 1


@each(Exercise)
def test_the_declared_solution_passes(exercise):
    if isinstance(exercise, FunctionExercise):
        solution = exercise.reference
    elif isinstance(exercise, ChoiceExercise):
        solution = next(option.text for option in exercise.options.values() if option.right)
    else:
        solution = exercise.solution
    assert exercise.examine(solution).mark is Mark.PASSED
