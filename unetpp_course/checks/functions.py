"""Exercises that are answered with a function."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from traceback import format_exception_only, walk_tb

import numpy as np
from torch import Tensor

from unetpp_course.checks.base import Exercise
from unetpp_course.checks.comparison import alike, difference, kind_of, only_value, shorten, show
from unetpp_course.checks.isolation import Call, Calls, Case, attempt, run_cases
from unetpp_course.checks.verdict import NOT_ATTEMPTED, Mark, Verdict

SEED = 0  # of the random cases


@dataclass(frozen=True, kw_only=True)
class FunctionExercise(Exercise):
    """A function to write; it must agree with ``reference``, the slow and obvious one, in every case.

    ``cases`` yields tuples of arguments: hand-made ones, then random ones from the generator that it is given. The
    first that fails is shown to the learner, so those that tell most come first.
    What the reference returns is the contract: kind, shape, dtype and device too. With ``only_values`` an answer may be
    of another dtype, or an array instead of a tensor. ``seconds`` is for all cases.
    ``describe`` puts the arguments of a case into words, where they would be too long to show.
    A mistake of ``mistakes`` is a wrong function: an answer that does in all cases what that one does is told so.
    ``usable`` looks at a right answer for what a later cell could not work with, such as a float instead of an index;
    it returns a sentence, or "".
    ``broken`` is the function that the learner is to repair: what still does the same has not been attempted.
    """

    reference: Callable[..., object]
    cases: Callable[[np.random.Generator], Iterable[Case]]
    mistakes: Sequence[tuple[Callable[..., object], str]] = ()
    usable: Callable[[object], str] | None = None
    broken: Callable[..., object] | None = None
    describe: Callable[..., str] | None = None
    tolerance: float = 1e-6
    only_values: bool = False
    seconds: float = 5.0

    @cached_property
    def _right_calls(self) -> list[Call]:
        """The reference's calls, one for each case; they are the same for every answer."""
        return [attempt(self.reference, case) for case in self.cases(np.random.default_rng(SEED))]

    def _judge(self, answer: object) -> Verdict:
        cases = [call.given for call in self._right_calls]
        expected = [call.value for call in self._right_calls]
        if not callable(answer):
            sentence = f"The answer should be a function, not {kind_of(answer)}: give its name, without brackets."
            return self._failure(sentence, cases[0], show(expected[0]), show(answer))
        run = run_cases(answer, cases, self.seconds)
        if any(call.value is ... or _is_placeholder(call.error) for call in run.calls):
            return NOT_ATTEMPTED
        if len(run.calls) < len(cases):
            unfinished = len(run.calls)
            return self._failure(
                self._too_slow(run), cases[unfinished], show(expected[unfinished]), "no answer in time", run.printed
            )
        faults = [self._fault(call, right, answer) for call, right in zip(run.calls, expected, strict=True)]
        if not any(faults):
            printed = next(filter(None, (call.printed for call in run.calls)), "")
            return Verdict(Mark.PASSED, f"Right in all {len(cases)} cases.", printed=printed)
        if self.broken is not None and self._repeats(self.broken, run.calls):
            return Verdict(Mark.NOT_ATTEMPTED, "It still does exactly what the broken function does.")
        first = next(i for i, fault in enumerate(faults) if fault)
        sentence = self._known_mistake(run.calls) or _constant(run.calls) or faults[first]
        right, call = expected[first], run.calls[first]
        if isinstance(right, dict):
            right, call = _first_wrong_entry(right, call, self.tolerance)
        return self._failure(sentence, cases[first], show(right), _shown(call), call.printed)

    def _failure(self, sentence: str, given: Case, expected: str, received: str, printed: str = "") -> Verdict:
        if self.describe is not None:
            return Verdict(Mark.FAILED, sentence, self.describe(*given), expected, received, printed)
        names = inspect.signature(self.reference).parameters
        arguments = ", ".join(f"{name} = {show(value)}" for name, value in zip(names, given, strict=False))
        return Verdict(Mark.FAILED, sentence, arguments, expected, received, printed)

    def _too_slow(self, run: Calls) -> str:
        sentence = f"It takes longer than {self.seconds:g} seconds: does a loop never end?"
        if run.still_running:
            sentence += " It could not be stopped: choose Kernel → Restart Kernel."
        return sentence

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        if call.error is not None:
            return _error_sentence(call.error, answer, call.printed)
        if call.value is None and right is not None:
            if call.printed:
                return "It prints something and returns None: only `return` hands a value over."
            return "It returns None: does its last line begin with `return`?"
        if _changed(call):
            return "It changes what it is given: work on a copy, or write the result to a new variable."
        tracked = self._tracked(call)
        if tracked:
            return tracked
        found = difference(right, call.value, self.tolerance, self.only_values)
        return found or (self.usable(call.value) if self.usable is not None else "")

    def _tracked(self, call: Call) -> str:
        """Return a sentence on a tensor that was given without a gradient, and collects one from now on."""
        for place, (given, after) in enumerate(zip(call.given, call.after, strict=False)):
            for before, now in zip(tensors_in((given,)), tensors_in((after,)), strict=False):
                kept = now.is_leaf and now.grad is not None
                if kept or now.requires_grad != before.requires_grad:
                    effect = "the second call adds to the first" if kept else "`requires_grad` stays True"
                    name = list(inspect.signature(self.reference).parameters)[place]
                    return f"You change the {name} that you were given: {effect}. Work on a clone."
        return ""

    def _known_mistake(self, calls: Sequence[Call]) -> str:
        for wrong, sentence in self.mistakes:
            if self._repeats(wrong, calls):
                return sentence
        return ""

    def _repeats(self, wrong: Callable[..., object], calls: Sequence[Call]) -> bool:
        return all(self._behaves_alike(attempt(wrong, call.given), call) for call in calls)

    def _behaves_alike(self, one: Call, other: Call) -> bool:
        if self._tracked(one) != self._tracked(other):
            return False
        if one.error is not None or other.error is not None:
            return type(one.error) is type(other.error) and str(one.error) == str(other.error)
        return alike(one.value, other.value, self.tolerance)


def _is_placeholder(error: BaseException | None) -> bool:
    """Return whether an error says "not written yet"; PyTorch's own, such as of an integer mean, has a message."""
    return isinstance(error, NotImplementedError) and not error.args


def _error_sentence(error: BaseException, answer: Callable[..., object], printed: str) -> str:
    frames = list(walk_tb(error.__traceback__))
    if isinstance(error, TypeError) and len(frames) == 1:  # raised by the call, before the first line
        return f"It cannot be called with these arguments: {shorten(str(error))}."
    code = getattr(answer, "__code__", None)
    lines = [line - code.co_firstlineno + 1 for frame, line in frames if code and frame.f_code is code]
    place = f" in line {lines[-1]} of the function" if lines else ""
    if isinstance(error, TypeError) and "NoneType" in str(error) and printed:  # a call of itself gave None
        return f"It raises TypeError{place}, because it prints a result: only `return` hands a value over."
    return f"It raises {type(error).__name__}{place}: see what was received."


def _first_wrong_entry(right: dict[object, object], call: Call, tolerance: float) -> tuple[object, Call]:
    """Return a dictionary and a call cut down to the first entry in which they differ, where there is one."""
    found = call.value if isinstance(call.value, dict) else {}
    for key in right:
        if key in found and not alike(right[key], found[key], tolerance):
            return {key: right[key]}, replace(call, value={key: found[key]})
    return right, call


def _shown(call: Call) -> str:
    if call.error is not None:
        return shorten(format_exception_only(call.error)[-1])
    return f"{show(call.value)}; the input is now {show(call.after)}" if _changed(call) else show(call.value)


def _changed(call: Call) -> bool:
    pairs = zip(call.given, call.after, strict=True)
    return any(
        isinstance(given, Tensor | np.ndarray | list | dict) and difference(given, after, 0) for given, after in pairs
    )


def tensors_in(arguments: Case) -> list[Tensor]:
    """Return the tensors among the arguments of a call, and those in lists of them."""
    values: list[object] = []
    for argument in arguments:
        values.extend(argument if isinstance(argument, list) else [argument])
    return [value for value in values if isinstance(value, Tensor)]


def _constant(calls: Sequence[Call]) -> str:
    values = {only_value(call.value) for call in calls}
    return "" if len(values) > 1 or None in values else f"It gives {show(values.pop())} whatever it is given."
