"""The exercises that need no Python, choices and numbers, as the website's pages judge them."""

from typing import Any

from unetpp_course.checks import ChoiceExercise, Exercise, NumberExercise
from unetpp_course.checks.verdict import GENERIC
from unetpp_course.exercises.registry import exercises_of


def as_declared(exercise: Exercise) -> dict[str, Any] | None:
    """Return what `judge` of judge.js needs of an exercise; None for one that is answered with code or a mask."""
    if isinstance(exercise, ChoiceExercise):
        options = {
            letter: {"text": option.text, "reply": option.reply, "right": option.right}
            for letter, option in exercise.options.items()
        }
        return {
            "kind": "choice",
            "question": exercise.question,
            "options": options,
            "prediction": exercise.prediction,
            "letters": exercise.letters,
        }
    if isinstance(exercise, NumberExercise):
        return {
            "kind": "number",
            "question": exercise.question,
            "solution": exercise.solution,
            "tolerance": exercise.tolerance,
            "unit": exercise.unit,
            "mistakes": [[wrong, sentence] for wrong, sentence in exercise.mistakes],
            "generic": GENERIC,
        }
    return None


def exercises_without_python(notebook: int) -> dict[str, dict[str, Any]]:
    """Return a notebook's choices and numbers by their numbers, as JSON can hold them."""
    declared = {number: as_declared(exercise) for number, exercise in exercises_of(notebook).items()}
    return {number: found for number, found in declared.items() if found is not None}
