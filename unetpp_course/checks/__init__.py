"""The kinds of exercises; those of each notebook are in `unetpp_course.exercises`.

A kind compares an answer with a reference of its own and never with what the learner's cells define.
"""

from unetpp_course.checks.base import Exercise
from unetpp_course.checks.functions import FunctionExercise
from unetpp_course.checks.losses import LossExercise
from unetpp_course.checks.values import (
    ChoiceExercise,
    MaskExercise,
    NumberExercise,
    Option,
    WiringExercise,
)

__all__ = [
    "ChoiceExercise",
    "Exercise",
    "FunctionExercise",
    "LossExercise",
    "MaskExercise",
    "NumberExercise",
    "Option",
    "WiringExercise",
]
