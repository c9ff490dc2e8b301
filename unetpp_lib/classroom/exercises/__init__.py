"""The kinds of exercises. Those of a notebook stand, beside their references, in `notebook_NN.py`.

A kind compares an answer with a reference of its own and never with what the learner's cells define.
"""

from unetpp_lib.classroom.exercises.base import Exercise
from unetpp_lib.classroom.exercises.functions import FunctionExercise
from unetpp_lib.classroom.exercises.values import (
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
    "MaskExercise",
    "NumberExercise",
    "Option",
    "WiringExercise",
]
