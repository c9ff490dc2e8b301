"""Answers that are nearly as they should be: copied with the option's text, in quotation marks, without brackets."""

import numpy as np
import pytest
import torch
from exercise_samples import EXERCISES, halve

from unetpp_course.checks import ChoiceExercise
from unetpp_course.checks.comparison import difference, should_be
from unetpp_course.checks.verdict import Mark
from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises

BY_NUMBER = {exercise.number: exercise for exercise in EXERCISES}

PRINTED = ["b) a logit", "B) A logit", "- b) a logit", "(b) a logit", "b. a logit.", "b)a  logit"]


@pytest.mark.parametrize("answer", ["b", "B", " b) ", "(b).", "A logit", "a logit.", "`a logit`", *PRINTED])
def test_an_option_is_chosen_by_letter_or_text(answer):
    assert BY_NUMBER["99.3"].examine(answer).mark is Mark.PASSED


@pytest.mark.parametrize("answer", ["a) a logit", "b) a class", "b) a", "d) a logit", "a b"])
def test_a_letter_with_the_text_of_another_option_is_no_choice(answer):
    verdict = BY_NUMBER["99.3"].examine(answer)
    assert (verdict.mark, verdict.sentence) == (Mark.FAILED, "Choose one option, by its letter.")


CHOICES = [
    exercise
    for notebook in notebooks_with_exercises()
    for exercise in exercises_of(notebook).values()
    if isinstance(exercise, ChoiceExercise)
]


@pytest.mark.parametrize("exercise", CHOICES, ids=lambda exercise: exercise.number)
def test_every_option_may_be_copied_as_the_notebook_prints_it(exercise):
    for letter, option in exercise.options.items():
        for answer in (letter, f"{letter}) {option.text}", f"- {letter}) {option.text}", option.text):
            assert exercise.letter_of(answer) == letter


@pytest.mark.parametrize("answer", ["5", " 5.0", "-5", "5 pixels", ".5"])
def test_a_number_in_quotation_marks_is_told_so(answer):
    sentence = "one number, not a string: leave out the quotation marks and the unit, if any."
    assert BY_NUMBER["99.2"].examine(answer).sentence.endswith(sentence)


@pytest.mark.parametrize("answer", [float("nan"), float("inf"), -np.inf, torch.tensor(torch.nan)], ids=repr)
def test_what_is_not_finite_is_named(answer):
    verdict = BY_NUMBER["99.2"].examine(answer)
    assert verdict.sentence == f"The answer should be one number, not {float(answer):g}."


@pytest.mark.parametrize(("answer", "received"), [(1, "1 pixel"), (1.0, "1 pixel"), (2, "2 pixels"), (0, "0 pixels")])
def test_one_is_followed_by_the_singular(answer, received):
    assert BY_NUMBER["99.2"].examine(answer).received == received


KINDS = [
    ([1], "a list"),
    ((1, 2), "a tuple"),
    ({1}, "a set"),
    (frozenset({1}), "a set"),
    ({1: 2}, "a dictionary"),
    (None, "None"),
    (True, "True"),
    (np.False_, "False"),
    ("five", "a string"),
    (np.zeros((2, 3)), "a NumPy array of shape (2, 3)"),
    (torch.zeros(2), "a tensor of shape (2,)"),
    (torch.nn.Linear, "a class"),
    (range(2), "a value of type range"),
]


@pytest.mark.parametrize(("answer", "kind"), KINDS, ids=[kind for _, kind in KINDS])
def test_an_answer_of_the_wrong_kind_is_told_its_kind(answer, kind):
    assert should_be("one number", answer) == f"The answer should be one number, not {kind}."


@pytest.mark.parametrize(("expected", "kind"), [([1], "a list"), ((1, 2), "a tuple"), ({1: 2}, "a dictionary")])
def test_the_kind_that_is_wanted_is_named(expected, kind):
    assert difference(expected, 7, tolerance=0) == f"The answer should be {kind}, not a number."


BRACKETS = "not the function `mean`: did you forget its brackets?"


def test_forgotten_brackets_are_named():
    x = torch.ones(2, 2)
    assert BY_NUMBER["99.1"].examine(lambda x: x.mean).sentence.endswith(f"tensor of shape (1, 1), {BRACKETS}")
    assert BY_NUMBER["99.2"].examine(x.mean).sentence == f"The answer should be one number, {BRACKETS}"
    assert BY_NUMBER["99.4"].examine(x.mean).sentence == f"The answer should be a mask, {BRACKETS}"
    assert BY_NUMBER["99.5"].examine(x.mean).sentence == f"The answer should be a set of edges, {BRACKETS}"
    assert BY_NUMBER["99.2"].examine(x.mean).received == "a function"
    assert BY_NUMBER["99.2"].examine(lambda: 5).sentence.endswith("not a function: did you forget its brackets?")
    assert BY_NUMBER["99.2"].examine(torch.nn.Linear(1, 1)).sentence.endswith("not a value of type Linear.")


def test_printing_is_told_from_returning():
    assert "returns None: only `return`" in BY_NUMBER["99.1"].examine(lambda x: print(halve(x))).sentence
    assert "does its last line begin with `return`" in BY_NUMBER["99.1"].examine(lambda x: None).sentence
