"""Exercises that are answered with a value: a number, a choice, a mask or the wiring of a network.

Their messages never show the expected value itself, which would end the exercise, but what is wrong with the answer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unetpp_course.checks.base import Exercise
from unetpp_course.checks.comparison import as_array, as_number, should_be, show
from unetpp_course.checks.verdict import GENERIC, Mark, Verdict
from unetpp_lib.models.graph import Edge, Node

Mask = NDArray[np.integer] | NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ValueExercise(Exercise):
    """An exercise whose answer is a value; ``question`` says in one line what is asked for."""

    question: str

    def _passed(self, received: str) -> Verdict:
        return Verdict(Mark.PASSED, "Right.", self.question, received=received)

    def _failed(self, sentence: str, expected: str, received: str) -> Verdict:
        return Verdict(Mark.FAILED, sentence, self.question, expected, received)


@dataclass(frozen=True, kw_only=True)
class NumberExercise(ValueExercise):
    """A number, right within ``tolerance``; ``unit`` is what it counts, in the plural ("pixels")."""

    solution: float
    tolerance: float = 1e-3
    unit: str = ""
    mistakes: Sequence[tuple[float, str]] = ()

    def _judge(self, answer: object) -> Verdict:
        number = as_number(answer)
        if number is None or not np.isfinite(number):
            return self._failed(_no_number(answer), "a number", show(answer))
        unit = self.unit.removesuffix("s") if show(number) == "1" else self.unit
        received = f"{show(number)} {unit}".rstrip()
        if self._close(number, self.solution):
            return self._passed(received)
        known = (sentence for wrong, sentence in self.mistakes if self._close(number, wrong))
        side = "smaller" if number > self.solution else "larger"
        return self._failed(next(known, GENERIC), f"a {side} number", received)

    def _close(self, number: float, other: float) -> bool:
        return abs(number - other) <= self.tolerance


def _no_number(answer: object) -> str:
    if isinstance(answer, str) and re.match(r"\s*[-+−]?\.?\d", answer):
        return "The answer should be one number, not a string: leave out the quotation marks and the unit, if any."
    return should_be("one number", answer)


@dataclass(frozen=True)
class Option:
    """One answer of a choice, and the reply to it: why it is right, or which misconception is behind it."""

    text: str
    reply: str
    right: bool = False


@dataclass(frozen=True, kw_only=True)
class ChoiceExercise(ValueExercise):
    """A choice between options, each under its letter; answered with the letter, with the text, or with both.

    With ``prediction`` it is answered before an experiment, with `commit`, and checked after it.
    """

    options: Mapping[str, Option]
    prediction: bool = False

    def _judge(self, answer: object) -> Verdict:
        letter = self.letter_of(answer)
        if letter is None:
            return self._failed("Choose one option, by its letter.", self.letters, show(answer))
        option = self.options[letter]
        received = f"{letter}) {option.text}"
        if option.right:
            return Verdict(Mark.PASSED, option.reply, self.question, received=received)
        if self.prediction:
            found = next(f"{key}) {one.text}" for key, one in self.options.items() if one.right)
            return Verdict(Mark.REVEALED, option.reply, self.question, measured=found, received=received)
        return self._failed(option.reply, "another option", received)

    @property
    def letters(self) -> str:
        """The letters to choose from."""
        return "one of " + ", ".join(f'"{letter}"' for letter in self.options)

    def letter_of(self, answer: object) -> str | None:
        """Return the letter of the option that an answer names; None where it names none.

        Small and capital letters, brackets, spaces, backticks and a full stop make no difference: "B)" is "b". The line
        as the notebook prints it, "c) (8, 8)", is "c".
        """
        if not isinstance(answer, str):
            return None
        plain = _plain(answer)
        for key, option in self.options.items():
            if plain in (key, _plain(option.text), _plain(f"{key}) {option.text}")):
                return key
        return None


def _plain(text: str) -> str:
    """Return a text without what makes no difference in an answer; a letter in front of an option keeps its bracket."""
    text = re.sub(r"[\s`]", "", text).casefold()
    text = re.sub(r"^-?\(?(\w)[).:](?=.)", r"\1)", text)  # "- c) text", "(c) text" and "c. text" are "c)text"
    return text.strip("().")


@dataclass(frozen=True, kw_only=True)
class MaskExercise(ValueExercise):
    """A mask (H, W) of 0 and 1, as a list, an array or a tensor; further dimensions of length 1 are ignored."""

    solution: Mask
    mistakes: Sequence[tuple[Mask, str]] = ()

    def _judge(self, answer: object) -> Verdict:
        expected = f"a mask {self.solution.shape} of 0 and 1"
        mask = _as_mask(answer)
        if mask is None:
            return self._failed(should_be("a mask", answer), expected, show(answer))
        if mask.shape != self.solution.shape:
            return self._failed(f"The mask is {mask.shape}; it should be {self.solution.shape}.", expected, show(mask))
        if not np.isin(mask, [0, 1]).all():
            return self._failed("A mask contains only 0 and 1, one class per pixel.", expected, show(mask))
        wrong = mask != self.solution
        if not wrong.any():
            return self._passed(f"{mask.sum():.0f} pixels of foreground")
        known = (sentence for mistake, sentence in self.mistakes if np.array_equal(mask, mistake))
        inverted = "Foreground and background are swapped." if wrong.all() else GENERIC
        row, column = np.argwhere(wrong)[0]
        return self._failed(
            next(known, inverted),
            f"{self.solution[row, column]:d} in row {row}, column {column}",
            f"{mask[row, column]:.0f} there; {wrong.sum()} of {wrong.size} pixels are wrong",
        )


def _as_mask(answer: object) -> NDArray[np.float64] | None:
    """Return an answer's numbers, without leading dimensions of length 1; None for what is no dense real array."""
    try:
        mask = as_array(np.asarray(answer) if isinstance(answer, list | tuple) else answer)
    except (TypeError, ValueError, RuntimeError):  # rows of several lengths, tensors within a list
        return None
    if mask is None:
        return None
    while mask.ndim > 2 and mask.shape[0] == 1:
        mask = mask[0]
    return mask


@dataclass(frozen=True, kw_only=True)
class WiringExercise(ValueExercise):
    """The edges of a network's grid: a set of pairs of nodes, ((0, 0), (0, 1)) for X^{0,0} → X^{0,1}.

    Answered with such a set, or with the edge itself where it is a single one, or with each node's inputs:
    {(0, 1): [(0, 0)]}.
    """

    solution: frozenset[Edge]
    mistakes: Sequence[tuple[frozenset[Edge], str]] = ()

    def _judge(self, answer: object) -> Verdict:
        edges = _as_edges(answer)
        if edges is None and len(self.solution) == 1:
            sentence = "Give the connection as a pair of boxes: first the one that gives, then the one that reads."
            return self._failed(sentence, "such as ((0, 0), (0, 1)) for X^{0,0} → X^{0,1}", show(answer))
        if edges is None:
            example = "{(0, 1): [(0, 0)]}" if isinstance(answer, dict) else "{((0, 0), (0, 1))}"
            return self._failed(_no_edges(answer), f"such as {example} for X^{{0,0}} → X^{{0,1}}", show(answer))
        missing, extra = self.solution - edges, edges - self.solution
        if not missing and not extra:
            return self._passed(_count(edges))
        known = (sentence for wrong, sentence in self.mistakes if edges == wrong)
        return self._failed(
            next(known, None) or _wrong_edge(missing, extra),
            _count(self.solution),
            f"{_count(edges)}: {len(missing)} missing, {len(extra)} too many",
        )


def _count(edges: frozenset[Edge]) -> str:
    return f"{len(edges)} edge{'' if len(edges) == 1 else 's'}"


def _no_edges(answer: object) -> str:
    """Return a sentence on how an answer that holds no edges should be written."""
    if isinstance(answer, dict):
        return "This is not a set of edges. Write each node as a pair of numbers, and its inputs as a list of pairs."
    if isinstance(answer, set | frozenset | list | tuple):
        return "This is not a set of edges. An edge is a pair of nodes, and the answer is a set of such pairs."
    return should_be("a set of edges", answer)


def _wrong_edge(missing: frozenset[Edge], extra: frozenset[Edge]) -> str:
    """Return a sentence on one wrong edge; on what is there before what is missing."""
    for source, target in sorted(extra):
        if (target, source) in missing:
            return f"The edge {_name(source)} → {_name(target)} points the wrong way."
        return f"The edge {_name(source)} → {_name(target)} does not belong here."
    target = min(missing)[1]
    return f"{_name(target)} does not see all that it should."


def _name(node: Node) -> str:
    return f"X^{{{node[0]},{node[1]}}}"


def _is_node(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(type(index) is int for index in value)


def _as_edges(answer: object) -> frozenset[Edge] | None:
    if not isinstance(answer, dict | set | frozenset | list | tuple):
        return None
    if isinstance(answer, list | tuple) and len(answer) == 2 and all(map(_is_node, answer)):
        answer = [answer]  # a single edge
    try:
        if isinstance(answer, dict):
            answer = [(source, target) for target, sources in answer.items() for source in sources]
        edges = frozenset((tuple(source), tuple(target)) for source, target in answer)
    except (TypeError, ValueError):
        return None
    whole = all(_is_node(node) for edge in edges for node in edge)
    return edges if whole else None
