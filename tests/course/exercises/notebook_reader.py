"""Exercises as they stand in a notebook, and the rules that they keep to.

A cell of markdown holds the heading and the question. The next one, code with the tag `exercise`, is the stub, and ends
with `check("4.2", answer)` or `commit("4.2", answer)`. The third, markdown, holds three closed `<details>`: "Hint 1",
"Hint 2" and "Solution"; in the solution stands the code that replaces the stub, and nowhere else.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from unetpp_course.checks import ChoiceExercise, Exercise, FunctionExercise, LossExercise
from unetpp_course.checks.verdict import GENERIC, Mark

DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SUMMARIES = ["Hint 1", "Hint 2", "Solution"]
FUNCTIONS_TRIED = 8  # at least so many wrong answers to a function
FUNCTIONS_ALLOWED = 0.5  # the share of a notebook's exercises that may be "write it"
EXTRAS = range(20, 90)  # the optional notebooks: one idea each, with as many exercises as it needs
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


class NotebookExercise(NamedTuple):
    number: str
    question: str  # the markdown before the stub
    stub: str  # the whole cell
    call: str  # its call of check or commit
    details: dict[str, str]  # what is folded away, by its summary
    solution: str  # the code of the solution
    setup: str  # what earlier cells import and define, their stubs replaced by their solutions
    checked_later: bool  # whether a later cell holds check("4.2")


def read_exercises(path: Path) -> Iterator[NotebookExercise]:
    cells = nbformat.read(path, as_version=4).cells
    setup: list[str] = []
    for before, cell, after, later in neighbours(cells):
        if cell.cell_type != "code":
            continue
        if "exercise" not in cell.metadata.get("tags", []):
            setup.append(definitions(cell.source, DEFINITIONS))
            continue
        setup.append(definitions(cell.source, (ast.Import, ast.ImportFrom)))
        number, call = call_in(cell.source)
        details = dict(DETAILS.findall(after.source))
        solution = "\n".join(CODE.findall(details.get("Solution", "")))
        checked_later = any(f'check("{number}")' in other.source for other in later if other.cell_type == "code")
        yield NotebookExercise(
            number, before.source, cell.source, call, details, solution, "\n".join(setup), checked_later
        )
        setup.append(definitions(solution, DEFINITIONS))


def neighbours(cells: list[NotebookNode]) -> Iterator[tuple[NotebookNode, NotebookNode, NotebookNode, list]]:
    nothing = nbformat.v4.new_markdown_cell()
    padded = [nothing, *cells, nothing]
    for i in range(1, len(padded) - 1):
        yield padded[i - 1], padded[i], padded[i + 1], padded[i + 1 :]


def definitions(source: str, kinds: tuple[type[ast.stmt], ...]) -> str:
    return "\n".join(ast.unparse(node) for node in ast.parse(source).body if isinstance(node, kinds))


def call_in(source: str) -> tuple[str, str]:
    """Return the number and the source of the cell's last line; "" where that is no call of check or commit."""
    last = source.strip().splitlines()[-1]
    match = re.fullmatch(r'(?:check|commit)\("(\d+\.\d+)", .+\)', last)
    return (match[1], last) if match else ("", "")


def rule_faults(path: Path, declared: Mapping[str, Exercise]) -> list[str]:
    """Return what in a notebook breaks the rules; empty where nothing does."""
    written = list(read_exercises(path))
    numbers = [exercise.number for exercise in written]
    found = [f"{number or 'a tagged cell'} is not declared" for number in numbers if number not in declared]
    found += [f"{number} is not in the notebook" for number in declared if number not in numbers]
    if numbers != sorted(set(numbers), key=lambda number: [int(part) for part in number.split(".") if part]):
        found.append("the exercises are not in the order of their numbers, each once")
    code = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    for exercise in written:
        if exercise.number in declared:
            faults = exercise_faults(exercise, declared[exercise.number], code)
            found += [f"{exercise.number} {fault}" for fault in faults]
    return found


def exercise_faults(written: NotebookExercise, declared: Exercise, code: Iterable[str]) -> Iterator[str]:
    if f"### {declared.heading}" not in written.question.splitlines():
        yield f"has no heading '### {declared.heading}'"
    if list(written.details) != SUMMARIES:
        yield f"has {list(written.details)} folded away below its stub, instead of {SUMMARIES}"
    if not written.solution.strip():
        yield "has no code in its solution"
    elif any(written.solution.strip() in source for source in code):
        yield "shows its solution in a cell"
    if isinstance(declared, ChoiceExercise):
        for letter, option in declared.options.items():
            if f"- {letter}) {option.text}" not in written.question.splitlines():
                yield f"does not offer '- {letter}) {option.text}'"
        if declared.prediction != written.call.startswith("commit"):
            yield f"calls {written.call}: a prediction is committed to, anything else is checked"
        if declared.prediction and not written.checked_later:
            yield "is a prediction that no later cell checks"


def plan_faults(notebook: int, declared: Mapping[str, Exercise]) -> list[str]:
    """Return how the exercises of a notebook fall short of the course's plan: enough, varied, one prediction."""
    if notebook == 0 or notebook in EXTRAS:
        return []
    least = 2 if notebook in (10, 12, 13) else 4
    exercises = declared.values()
    functions = sum(isinstance(exercise, FunctionExercise) for exercise in exercises)
    found = []
    if len(exercises) < least:
        found.append(f"{len(exercises)} exercises; at least {least} are planned")
    if functions > ceil(FUNCTIONS_ALLOWED * len(exercises)):
        found.append(f"{functions} of {len(exercises)} exercises are functions; at most half may be, rounded up")
    if not any(isinstance(exercise, ChoiceExercise) and exercise.prediction for exercise in exercises):
        found.append("no prediction")
    return found


def judgement_faults(exercise: Exercise) -> Iterator[str]:
    """Yield how an exercise judges its own reference and its own wrong answers wrongly, one line for each fault."""
    if exercise.examine(right_answer(exercise)).mark is not Mark.PASSED:
        yield "its own reference does not pass"
    sentences = []
    for wrong, words in wrong_answers(exercise):
        verdict = exercise.examine(wrong)
        sentences.append(verdict.sentence)
        mark = Mark.REVEALED if is_prediction(exercise) and wrong in exercise.options else Mark.FAILED
        if verdict.mark is not mark or words not in verdict.sentence or verdict.sentence == GENERIC:
            yield f"{named(wrong)} should be told '{words}', and gets {verdict.mark} '{verdict.sentence}'"
        elif not (verdict.given and (verdict.expected or verdict.measured) and verdict.received):
            yield f"{named(wrong)} is told what is wrong, and shown no example of it"
    if isinstance(exercise, FunctionExercise):
        if len(sentences) < FUNCTIONS_TRIED:
            yield f"it has {len(sentences)} wrong answers; at least {FUNCTIONS_TRIED} are asked for"
        yield from (f"two wrong answers are both told '{one}'" for one in {*sentences} if sentences.count(one) > 1)


def is_prediction(exercise: Exercise) -> bool:
    return isinstance(exercise, ChoiceExercise) and exercise.prediction


def right_answer(exercise: Exercise) -> object:
    if isinstance(exercise, FunctionExercise):
        return exercise.reference
    if isinstance(exercise, ChoiceExercise):
        return next(option.text for option in exercise.options.values() if option.right)
    return exercise.solution


def wrong_answers(exercise: Exercise) -> list[tuple[object, str]]:
    """Return every declared wrong answer with the sentence, or the words of it, that it must get."""
    if isinstance(exercise, ChoiceExercise):
        wrong = [(letter, option.reply) for letter, option in exercise.options.items() if not option.right]
        return [*wrong, *exercise.also_wrong]
    of_gradient = exercise.gradient_mistakes if isinstance(exercise, LossExercise) else ()
    return [*exercise.mistakes, *of_gradient, *exercise.also_wrong]


def named(answer: object) -> str:
    return getattr(answer, "__name__", None) or repr(answer)
