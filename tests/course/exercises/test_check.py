"""What a learner sees of `check` and `commit`, and that neither raises because of an answer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from exercise_samples import EXERCISES, GRID, halve
from torch import Tensor

from unetpp_course import check, commit
from unetpp_course.checks.verdict import GENERIC, Mark
from unetpp_course.exercises.registry import find_exercise, notebooks_with_exercises
from unetpp_lib.errors import InputError

BY_NUMBER = {exercise.number: exercise for exercise in EXERCISES}


class Hostile:
    """Raises whatever is asked of it."""

    def _raise(self, *_):
        raise RuntimeError("hands off")

    __call__ = __repr__ = __str__ = __eq__ = __iter__ = __len__ = __float__ = __array__ = __bool__ = _raise
    __hash__ = None


HOLDS_ITSELF: list = []
HOLDS_ITSELF.append(HOLDS_ITSELF)

ODD_VALUES = [
    Hostile(),
    HOLDS_ITSELF,
    [Hostile()],
    10**400,
    float("inf"),
    1j,
    True,
    "",
    "a" * 10_000,
    b"a",
    [],
    (),
    {},
    set(),
    {1: 2},
    {(0, 1): 3},
    {(0, 1): [(0, "a")]},
    {("ab", "cd")},
    [[1], [1, 2]],
    np.array([]),
    np.array(["a"]),
    np.array([None]),
    np.array([1j]),
    np.ma.masked_array([[1, 2]], mask=[[1, 0]]),
    torch.ones(1, 2).to_sparse(),
    torch.ones((), device="meta"),
    torch.ones(1, 3, device="meta"),
    torch.ones(1, 3, requires_grad=True),
    torch.ones(1, 3, dtype=torch.bfloat16),
    torch.ones(1, 3, dtype=torch.complex64),
    torch.tensor([[0, 0, 1 + 1j]]),
    [torch.ones(2, requires_grad=True)],
    torch.nn.Linear(2, 2),
    print,
    int,
    Hostile,
]


@pytest.mark.parametrize("number", BY_NUMBER)
@pytest.mark.parametrize("value", range(len(ODD_VALUES)))
def test_no_answer_makes_a_check_raise(number, value):
    for answer in (ODD_VALUES[value], lambda x: ODD_VALUES[value]):
        verdict = BY_NUMBER[number].examine(answer)
        assert verdict.mark is Mark.FAILED
        assert str(verdict)


@pytest.mark.parametrize("number", BY_NUMBER)
@pytest.mark.parametrize("answer", [..., None], ids=str)
def test_no_answer_is_not_attempted(number, answer):
    assert BY_NUMBER[number].examine(answer).mark is Mark.NOT_ATTEMPTED


def unwritten(x):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda x: ..., unwritten])
def test_a_function_without_a_body_is_not_attempted(stub):
    assert BY_NUMBER["99.1"].examine(stub).mark is Mark.NOT_ATTEMPTED


def does_what_this_pytorch_cannot(x):
    raise NotImplementedError("mean(): could not infer output dtype")


def test_what_pytorch_has_not_implemented_is_an_error_of_the_answer():
    assert BY_NUMBER["99.1"].examine(does_what_this_pytorch_cannot).mark is Mark.FAILED


def test_a_broken_function_that_is_not_repaired_is_not_attempted():
    repair = replace(BY_NUMBER["99.1"], broken=lambda x: x[::2, ::2])
    assert repair.examine(lambda x: x[::2, ::2]).mark is Mark.NOT_ATTEMPTED
    assert repair.examine(lambda x: x[1::2, 1::2]).mark is Mark.FAILED
    assert repair.examine(halve).mark is Mark.PASSED


def test_a_failure_shows_the_mistake_and_one_small_example(capsys):
    check("99.1", lambda x: x[::2, ::2])
    assert capsys.readouterr().out == (
        "❌ 99.1 Halve a map\n"
        "   You take one pixel of four: compare all of them.\n"
        "   given:    x = tensor (2, 2) float32 [[ 0., 1.], [-3., 2.]]\n"
        "   expected: tensor (1, 1) float32 [[2.]]\n"
        "   received: tensor (1, 1) float32 [[0.]]\n"
    )


def test_an_unknown_mistake_is_shown_without_a_name():
    verdict = BY_NUMBER["99.1"].examine(lambda x: halve(x) + x.numel())
    assert (verdict.sentence, verdict.received) == (GENERIC, "tensor (1, 1) float32 [[6.]]")


@pytest.mark.parametrize("value", [list(range(10_000)), "a" * 10_000, np.zeros((99, 99)), torch.zeros(9, 9, 9)])
def test_a_long_value_is_shown_in_one_short_line(value):
    shown = BY_NUMBER["99.1"].examine(lambda x: value).received
    assert len(shown) < 300
    assert "\n" not in shown


def test_an_answer_may_carry_gradients():
    assert BY_NUMBER["99.1"].examine(lambda x: halve(x).requires_grad_()).mark is Mark.PASSED


def test_the_result_of_a_call_is_no_function():
    verdict = BY_NUMBER["99.1"].examine(torch.zeros(2))
    assert verdict.sentence.startswith("The answer should be a function, not a tensor of shape (2,): give its name")


def test_an_input_that_collects_a_gradient_from_then_on_counts_as_changed():
    def goes_back(x):
        x.requires_grad_().sum().backward()
        return halve(x.detach())

    halved = BY_NUMBER["99.1"].examine(lambda x: halve(x.requires_grad_()).detach())
    assert halved.sentence == "You change the x that you were given: `requires_grad` stays True. Work on a clone."
    assert "the second call adds to the first" in BY_NUMBER["99.1"].examine(goes_back).sentence


def test_an_input_that_was_changed_is_shown():
    verdict = BY_NUMBER["99.1"].examine(lambda x: halve(x.abs_()))
    assert verdict.given == "x = tensor (2, 2) float32 [[ 0., 1.], [-3., 2.]]"
    assert verdict.received.endswith("the input is now (tensor (2, 2) float32 [[0., 1.], [3., 2.]])")


def test_a_mistake_that_only_some_cases_show_is_no_known_one():
    def one_of_four_at_first(x):
        return x[::2, ::2] if len(x) == 2 and x.shape[1] == 2 else halve(x)

    assert BY_NUMBER["99.1"].examine(one_of_four_at_first).sentence == GENERIC


def test_the_innermost_line_is_named_also_of_a_call_that_fails_inside():
    def countdown(x, rest=3):
        if not rest:
            return len(rest)
        return countdown(x, rest - 1)

    assert "TypeError in line 3 of the function" in BY_NUMBER["99.1"].examine(countdown).sentence


def test_the_line_that_raises_is_named():
    def third_line(x):
        y = x + 1
        return y.no_such_thing

    verdict = BY_NUMBER["99.1"].examine(third_line)
    assert "AttributeError in line 3 of the function" in verdict.sentence
    assert verdict.received == "AttributeError: 'Tensor' object has no attribute 'no_such_thing'"


@pytest.mark.parametrize(("answer", "side"), [(5.2, "a smaller number"), (-5, "a larger number")])
def test_a_wrong_number_is_told_its_side_and_not_the_answer(answer, side):
    verdict = BY_NUMBER["99.2"].examine(answer)
    assert (verdict.mark, verdict.sentence, verdict.expected) == (Mark.FAILED, GENERIC, side)


@pytest.mark.parametrize("answer", [5, 5.0005, np.int64(5), np.array(5.0), torch.tensor(5)], ids=repr)
def test_a_number_may_be_of_any_kind(answer):
    verdict = BY_NUMBER["99.2"].examine(answer)
    assert verdict.mark is Mark.PASSED
    assert verdict.received.endswith(" pixels")


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor, lambda rows: torch.tensor([[rows]]).bool()])
def test_a_mask_may_be_of_any_kind(kind):
    assert BY_NUMBER["99.4"].examine(kind([[0, 0, 1]])).mark is Mark.PASSED


def test_a_wrong_mask_is_told_where_and_how_much():
    verdict = BY_NUMBER["99.4"].examine([[1, 0, 1]])
    assert verdict.sentence == GENERIC
    assert verdict.expected == "0 in row 0, column 0"
    assert verdict.received == "1 there; 1 of 3 pixels are wrong"


@pytest.mark.parametrize("kind", [set, list, lambda edges: [[list(a), list(b)] for a, b in edges]])
def test_edges_may_come_in_any_collection(kind):
    assert BY_NUMBER["99.5"].examine(kind(GRID)).mark is Mark.PASSED


def test_a_single_edge_needs_no_set_around_it():
    edge = ((1, 0), (0, 1))
    one = replace(BY_NUMBER["99.5"], solution=frozenset({edge}))
    assert one.examine(edge).mark is Mark.PASSED
    assert one.examine([[1, 0], [0, 1]]).mark is Mark.PASSED
    assert "points the wrong way" in one.examine(edge[::-1]).sentence
    assert BY_NUMBER["99.5"].examine(edge).mark is Mark.FAILED


@pytest.mark.parametrize("kind", [Tensor.double, Tensor.numpy, Tensor.half], ids=["float64", "array", "float16"])
def test_where_only_values_count_their_kind_does_not(kind):
    strict = BY_NUMBER["99.1"]
    loose = replace(strict, only_values=True, tolerance=1e-2)
    assert strict.examine(lambda x: kind(halve(x))).mark is Mark.FAILED
    assert loose.examine(lambda x: kind(halve(x))).mark is Mark.PASSED
    wrong = loose.examine(lambda x: kind(halve(x) + 1))
    assert (wrong.mark, wrong.sentence) == (Mark.FAILED, GENERIC), "its kind is not what is wrong with it"


def test_a_prediction_is_checked_after_it_was_committed_to(capsys):
    check("99.6")
    commit("99.6", ...)
    commit("99.6", "c")
    commit("99.6", "B")
    commit("99.6", "A")
    check("99.6")
    check("99.6", "b")
    marks = [line[0] for line in capsys.readouterr().out.splitlines() if " 99.6 " in line]
    assert marks == ["⬜", "⬜", "❌", "📝", "📝", "🔎", "✅"]


def test_only_a_prediction_is_committed_to():
    with pytest.raises(InputError, match=r'check\("99.3"'):
        commit("99.3", "a")


@pytest.mark.parametrize("number", [0.1, "0", "0.x", None, "../0.1"])
def test_what_is_no_number_of_an_exercise_is_told_how_to_write_one(number):
    with pytest.raises(InputError, match="in quotes"):
        check(number, 1)


def test_an_unknown_exercise_is_told_those_of_its_notebook():
    with pytest.raises(InputError, match=r"no exercise 99\.9\..* notebook 99: 99\.1, 99\.2, .*, 99\.6\."):
        check("99.9", 1)
    with pytest.raises(InputError, match=r"notebook 98: none"):
        check("98.1", 1)


def test_an_exercise_is_declared_in_the_module_of_its_notebook():
    assert 0 in notebooks_with_exercises()
    assert find_exercise("0.1").heading == "Exercise 0.1 · The fraction of foreground · easy · 3 min"
