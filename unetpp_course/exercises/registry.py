"""Where the exercises are found: `EXERCISES` in one module a notebook, `notebook_04.py` for notebook 04."""

import pkgutil
import re
from importlib import import_module
from importlib.util import find_spec

from unetpp_course import exercises
from unetpp_course.checks.base import Exercise
from unetpp_lib.errors import InputError


def notebooks_with_exercises() -> list[int]:
    """Return the numbers of the notebooks that have exercises, in their order."""
    names = (module.name for module in pkgutil.iter_modules(exercises.__path__))
    return sorted(int(name.removeprefix("notebook_")) for name in names if name.startswith("notebook_"))


def exercises_of(notebook: int) -> dict[str, Exercise]:
    """Return a notebook's exercises by their numbers; none where it has none."""
    name = f"{exercises.__name__}.notebook_{notebook:02}"
    if find_spec(name) is None:
        return {}
    return {exercise.number: exercise for exercise in import_module(name).EXERCISES}


def find_exercise(number: str) -> Exercise:
    """Return the exercise with a number such as "4.2".

    Raises InputError for a number that does not exist; the message lists the notebook's exercises.
    """
    if not isinstance(number, str) or not re.fullmatch(r"\d{1,2}\.\d{1,2}", number):
        raise InputError(f'{number!r} is no number of an exercise. Write it in quotes, such as "4.2".')
    notebook = int(number.split(".")[0])
    declared = exercises_of(notebook)
    if number not in declared:
        known = ", ".join(declared) or "none"
        raise InputError(f"There is no exercise {number}. The exercises of notebook {notebook:02}: {known}.")
    return declared[number]
