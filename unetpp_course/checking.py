"""The functions of a notebook: `check` an answer, `commit` to a prediction, `yours` to go on with your own function."""

from collections.abc import Callable

from unetpp_course.checks.functions import FunctionExercise
from unetpp_course.checks.values import ChoiceExercise
from unetpp_course.checks.verdict import Mark, Verdict
from unetpp_course.exercises.registry import find_exercise
from unetpp_course.progress import read_progress, record_mark, record_prediction
from unetpp_lib.errors import InputError


def check(number: str, answer: object = ...) -> None:
    """Print whether an answer is right, and if not, why; record the result for the progress board.

    ``number`` is that of the exercise, such as "4.2". The answer is a function, a number, a choice, a mask or a set of
    edges. For a prediction, leave it out: the answer that you committed to is checked. Whatever the answer is or does,
    `check` returns. Raises InputError for a number that does not exist.
    """
    exercise = find_exercise(number)
    if answer is ... and isinstance(exercise, ChoiceExercise) and exercise.prediction:
        answer = read_progress().predictions.get(number, ...)
    verdict = exercise.examine(answer)
    _print(verdict.mark, f"{number} {exercise.title}", str(verdict))
    if verdict.mark is not Mark.NOT_ATTEMPTED:
        record_mark(number, verdict.mark)


def commit(number: str, answer: object) -> None:
    """Record a prediction before the experiment; ``check(number)`` compares it afterwards. The last one counts.

    Raises InputError for the number of an exercise that is not a prediction.
    """
    exercise = find_exercise(number)
    if not isinstance(exercise, ChoiceExercise) or not exercise.prediction:
        raise InputError(f'Exercise {number} is not a prediction. Check your answer with check("{number}", answer).')
    title = f"{number} {exercise.title}"
    letter = exercise.letter_of(answer)
    if letter is None:
        verdict: Verdict = exercise.examine(answer)
        _print(verdict.mark, title, str(verdict))
    else:
        record_prediction(number, letter)
        _print("📝", title, f"Your prediction is noted: {letter}) {exercise.options[letter].text}")


def yours(number: str, answer: Callable[..., object]) -> Callable[..., object]:
    """Return the learner's function where it solves the exercise, else the course's own; a line says which it is.

    So the cells behind an exercise run for everybody, and run the learner's code for those who wrote it.
    Raises InputError for the number of an exercise that does not ask for a function.
    """
    exercise = find_exercise(number)
    if not isinstance(exercise, FunctionExercise):
        raise InputError(f"Exercise {number} does not ask for a function.")
    name = exercise.reference.__name__
    if exercise.examine(answer).mark is Mark.PASSED:
        print(f"This cell runs your {name}.")
        return answer
    print(f"This cell runs the course's {name} until yours passes exercise {number}.")
    return exercise.reference


def _print(mark: str, title: str, text: str) -> None:
    print(f"{mark} {title}", *text.splitlines(), sep="\n   ")
