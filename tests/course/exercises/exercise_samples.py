"""One exercise of each kind, declared as those of the notebooks, with a notebook of its own."""

from pathlib import Path

import nbformat
import numpy as np
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from unetpp_course.checks import (
    ChoiceExercise,
    FunctionExercise,
    MaskExercise,
    NumberExercise,
    Option,
    WiringExercise,
)

NOTEBOOK = 99


def halve(x):
    out = torch.empty(x.shape[0] // 2, x.shape[1] // 2)
    for row in range(len(out)):
        for column in range(out.shape[1]):
            out[row, column] = max(x[2 * row + i, 2 * column + j] for i in (0, 1) for j in (0, 1))
    return out


def maps(random):
    yield (torch.tensor([[0.0, 1.0], [-3.0, 2.0]]),)
    for height, width in random.integers(1, 4, (4, 2)):
        yield (torch.from_numpy(random.normal(size=(2 * height, 2 * width))).float(),)


def takes_one_maximum(x):
    return x.amax()


def returns_doubles(x):
    return halve(x).double()


def returns_numpy(x):
    return halve(x).numpy()


def returns_a_list(x):
    return [halve(x)]


def starts_at_zero(x):
    return torch.zeros(len(x) // 2, x.shape[1] // 2)


def works_in_place(x):
    return halve(x.clamp_(min=0))


def stays_on_no_device(x):
    return halve(x).to("meta")


def averages(x):
    return x.reshape(len(x) // 2, 2, -1, 2).mean((1, 3))


def takes_one_of_four(x):
    return x[::2, ::2]


GRID = frozenset(
    {((0, 0), (1, 0)), ((1, 0), (2, 0)), ((0, 0), (0, 1)), ((1, 0), (0, 1)), ((1, 0), (1, 1)), ((2, 0), (1, 1))}
    | {((0, 0), (0, 2)), ((0, 1), (0, 2)), ((1, 1), (0, 2))}
)

EXERCISES = (
    FunctionExercise(
        number="99.1",
        title="Halve a map",
        difficulty="medium",
        minutes=10,
        reference=halve,
        cases=maps,
        mistakes=[
            (averages, "You average the four pixels: take their largest."),
            (takes_one_of_four, "You take one pixel of four: compare all of them."),
        ],
        also_wrong=[
            (takes_one_maximum, "The shape is (); it should be (1, 1)."),
            (returns_doubles, "The dtype is torch.float64; it should be torch.float32."),
            (returns_numpy, "a tensor of shape (1, 1), not a NumPy array"),
            (returns_a_list, "not a list"),
            (starts_at_zero, "gives 0 whatever"),
            (works_in_place, "changes what it is given"),
            (stays_on_no_device, "The device is meta; it should be cpu."),
        ],
        seconds=1,
    ),
    NumberExercise(
        number="99.2",
        title="Two convolutions",
        difficulty="easy",
        minutes=2,
        question="the side of what a pixel sees after two 3×3 convolutions",
        solution=5,
        unit="pixels",
        mistakes=[(6, "A kernel adds its side less one, not its side."), (3, "This is the reach of one convolution.")],
        also_wrong=[
            ("five", "one number, not a string"),
            (float("nan"), "one number, not nan."),
            ("5 px", "quotation marks"),
        ],
    ),
    ChoiceExercise(
        number="99.3",
        title="A head",
        difficulty="easy",
        minutes=1,
        question="What does a head give?",
        options={
            "a": Option("a probability", "Not yet: the sigmoid comes after it."),
            "b": Option("a logit", "Yes: any number, the higher the surer.", right=True),
            "c": Option("a class", "A class is a decision, and a head does not decide."),
        },
        also_wrong=[("d", "by its letter"), (2, "by its letter")],
    ),
    MaskExercise(
        number="99.4",
        title="Decide: p > ½",
        difficulty="easy",
        minutes=3,
        question="the mask of the probabilities 0.2, 0.5 and 0.9 above one half",
        solution=np.array([[0, 0, 1]]),
        mistakes=[(np.array([[0, 1, 1]]), "One half itself is not above one half.")],
        also_wrong=[
            ([[1, 1, 0]], "swapped"),
            ([[0, 0, 255]], "only 0 and 1"),
            (np.zeros((3, 1)), "it should be (1, 3)"),
            ("white", "should be a mask"),
        ],
    ),
    WiringExercise(
        number="99.5",
        title="Wire a grid",
        difficulty="hard",
        minutes=5,
        question="the edges of a UNet++ of depth 2",
        solution=GRID,
        mistakes=[(GRID - {((0, 0), (0, 2))}, "This is UNet+: the long skip of the top row is missing.")],
        also_wrong=[
            (GRID | {((2, 0), (0, 2))}, "X^{2,0} → X^{0,2} does not belong"),
            (GRID - {((1, 0), (0, 1))} | {((0, 1), (1, 0))}, "wrong way"),
            (GRID - {((2, 0), (1, 1))}, "X^{1,1} does not see"),
            ({"X00": "X01"}, "set of edges"),
            (7, "set of edges"),
        ],
    ),
    ChoiceExercise(
        number="99.6",
        title="Cut the network",
        difficulty="easy",
        minutes=1,
        question="What happens to head 1?",
        options={
            "a": Option("it changes", "Nothing that it reads was cut away."),
            "b": Option("it stays", "Yes, bit for bit.", right=True),
        },
        also_wrong=[("c", "by its letter")],
        prediction=True,
    ),
)


STUBS = {"99.1": "def half(x):\n    return ...\n\n\n", "99.2": "import math\n\nanswer = ...\n"}
CALLS = {"99.1": 'check("99.1", half)', "99.6": 'commit("99.6", answer)'}
SOLUTIONS = {
    "99.1": "def half(x):\n    return pool(x)",
    "99.2": "answer = math.floor(half(torch.full((2, 2), 5.0)))",
    "99.3": 'answer = "b"',
    "99.4": "answer = torch.tensor([[[0, 0, 1]]])",
    "99.5": "answer = read_graph(UNetPlusPlus(widths=(2, 2, 2))).inputs",
    "99.6": 'answer = "it stays"',
}
EARLIER = """
import torch
from unetpp_course import check, commit
from unetpp_lib.models.graph import read_graph
from unetpp_lib.models import UNetPlusPlus

def pool(x):
    return x.reshape(len(x) // 2, 2, -1, 2).amax(dim=(1, 3))

raise SystemExit("what a cell does is not run, only what it defines")
"""


def write_notebook(path: Path) -> Path:
    cells = [new_code_cell(EARLIER)]
    for exercise in EXERCISES:
        options = getattr(exercise, "options", {}).items()
        question = [f"### {exercise.heading}", *(f"- {letter}) {option.text}" for letter, option in options)]
        call = CALLS.get(exercise.number, f'check("{exercise.number}", answer)')
        stub = STUBS.get(exercise.number, "answer = ...\n") + call
        details = [
            f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"
            for summary, text in {
                "Hint 1": "Think.",
                "Hint 2": "Think again.",
                "Solution": f"```python\n{SOLUTIONS[exercise.number]}\n```",
            }.items()
        ]
        cells.append(new_markdown_cell("\n".join(question)))
        cells.append(new_code_cell(stub, metadata={"tags": ["exercise"]}))
        cells.append(new_markdown_cell("\n".join(details)))
    cells.append(new_code_cell('check("99.6")'))
    nbformat.write(new_notebook(cells=cells), path)
    return path
