"""Nothing that a learner's function does stops, floods or changes the notebook."""
# ruff: noqa: NPY002, SIM105 (learners write so)

import gc
import random
import sys
import time
from threading import Event

import numpy as np
import pytest
import torch
from exercise_samples import EXERCISES, halve

from unetpp_course.checks.isolation import run_cases
from unetpp_course.checks.verdict import Mark

HALVE = EXERCISES[0]


def loops(x):
    while True:
        pass


def loops_and_catches(x):
    while True:
        try:
            x.tolist()
        except Exception:
            pass


def quits(x):
    sys.exit("bye")


def interrupts(x):
    raise KeyboardInterrupt


def recurses(x):
    return recurses(x)


def raises_what_cannot_be_shown(x):
    class SilentError(Exception):
        def __str__(self):
            raise ValueError

    raise SilentError


@pytest.mark.parametrize("answer", [loops, loops_and_catches])
def test_a_loop_is_ended(answer):
    run = run_cases(answer, [(torch.zeros(2),)] * 10, seconds=0.2)
    assert run.calls == ()
    assert not run.still_running


@pytest.mark.slow
def test_a_loop_that_cannot_be_ended_does_not_hold_up_the_check():
    release = Event()

    def stubborn(x):
        while not release.is_set():
            try:
                time.sleep(0.01)
            except:  # noqa: E722
                pass

    verdict = HALVE.examine(stubborn)
    release.set()
    assert "longer than 1 seconds" in verdict.sentence
    assert "Restart Kernel" in verdict.sentence
    assert verdict.received == "no answer in time"


@pytest.mark.slow
def test_a_slow_case_is_shown_itself():
    def slow_on_large(x):
        while len(x) > 2:
            pass
        return halve(x)

    verdict = HALVE.examine(slow_on_large)
    assert verdict.given.startswith("x = tensor (4,") or verdict.given.startswith("x = tensor (6,")
    assert "Restart Kernel" not in verdict.sentence


@pytest.mark.parametrize("answer", [quits, interrupts, recurses, raises_what_cannot_be_shown], ids=lambda a: a.__name__)
def test_whatever_is_raised_is_a_sentence(answer):
    verdict = HALVE.examine(answer)
    assert verdict.mark is Mark.FAILED
    assert verdict.sentence.startswith("It raises ")


def test_a_flood_of_text_is_cut(capsys):
    def prints(x):
        print("error", file=sys.stderr)
        print("z" * 100_000)
        return halve(x)

    verdict = HALVE.examine(prints)
    assert verdict.mark is Mark.PASSED
    assert verdict.printed.startswith("zzz")
    assert "error" not in verdict.printed
    assert verdict.printed.endswith("characters more")
    assert len(verdict.printed) < 300
    assert capsys.readouterr() == ("", "")


def test_only_what_the_case_shown_has_printed_is_shown():
    def prints_its_length(x):
        print("rows:", len(x))
        return halve(x) if len(x) == 2 else halve(x) + 1

    verdict = HALVE.examine(prints_its_length)
    rows = verdict.given.removeprefix("x = tensor (")[0]
    assert verdict.mark is Mark.FAILED
    assert rows != "2"
    assert verdict.printed == f"rows: {rows}"


@pytest.mark.slow
def test_what_a_call_that_did_not_end_has_printed_is_shown():
    def prints_and_loops(x):
        print("rows:", len(x))
        while len(x) > 2:
            pass
        return halve(x)

    verdict = HALVE.examine(prints_and_loops)
    assert verdict.received == "no answer in time"
    assert verdict.printed in ("rows: 4", "rows: 6")


@pytest.mark.slow
def test_seconds_in_which_the_processor_was_elsewhere_do_not_count():
    run = run_cases(time.sleep, [(1.5,)], seconds=1)
    assert len(run.calls) == 1


def test_the_garbage_of_a_notebook_does_not_count_as_the_functions_time():
    notebook = [[number] for number in range(1000)]

    def sees(x):
        return any(item is notebook for item in gc.get_objects())

    run = run_cases(sees, [(0,)], seconds=60)
    assert run.calls[0].value is False
    assert sees(0)


def draws(x):
    random.seed(7)
    np.random.seed(7)
    torch.manual_seed(7)
    return torch.rand(len(x))


def test_random_numbers_go_on_as_without_the_check():
    def next_numbers():
        return random.random(), np.random.rand(), torch.rand(1).item()

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    untouched = next_numbers()
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    HALVE.examine(draws)
    assert next_numbers() == untouched


def test_an_answer_that_draws_is_judged_alike_twice():
    def guesses(x):
        return torch.rand(1, 1) + np.random.rand() + random.random()

    first = HALVE.examine(guesses)
    random.random(), np.random.rand(), torch.rand(1)
    assert HALVE.examine(guesses) == first


def test_the_cases_are_the_same_whatever_an_answer_did_to_them():
    def spoils(x):
        x.zero_()
        raise ValueError

    assert HALVE.examine(spoils).given == "x = tensor (2, 2) float32 [[ 0., 1.], [-3., 2.]]"
    assert HALVE.examine(halve).mark is Mark.PASSED


def test_an_answer_cannot_lean_on_what_earlier_cells_hold(monkeypatch):
    x = torch.tensor([[0.0, 1.0], [-3.0, 2.0]])

    def uses_its_own_cell(_):
        return halve(x)

    assert HALVE.examine(uses_its_own_cell).mark is Mark.FAILED
