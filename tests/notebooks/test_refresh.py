"""Refreshing gives the same file twice, and the comparison of notebooks bites: tried on two tiny notebooks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from runpy import run_path
from typing import NamedTuple

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

faults = run_path(str(NOTEBOOKS / "refresh.py"))["faults"]

pytestmark = pytest.mark.slow

NUMBER, RISING, FALLING, REMOVED, HIDDEN, IGNORED, SLIDER = range(7)
SOURCES = (
    "print(0.812)",
    "import matplotlib.pyplot as plt\n\nplt.plot([0, 1, 4, 9]);",
    "plt.plot([9, 4, 1, 0]);",
    "print('an output')",
    "40 + 2;",
    "print('a time')",
    "from ipywidgets import IntSlider\n\nIntSlider()",
)


class Course(NamedTuple):
    folder: Path
    first: bytes  # good.ipynb after one refresh
    again: subprocess.CompletedProcess[str]  # the second refresh, of all notebooks
    outcomes: dict[tuple[str, int], str]  # by notebook and cell: PASSED or FAILED


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True)


def write(path: Path, *sources: str) -> None:
    cells = [new_code_cell(source) for source in sources]
    cells[-1].metadata = {"collapsed": True}
    if len(cells) > IGNORED:
        cells[IGNORED].metadata = {"tags": ["nbval-ignore-output"], "scrolled": False}
    nbformat.write(new_notebook(cells=cells, metadata={"author": "a learner"}), path)


def tamper(good: Path, tampered: Path) -> None:
    notebook = nbformat.read(good, as_version=4)
    cells = notebook.cells
    cells[NUMBER].outputs[0].text = "0.813\n"
    cells[RISING].outputs[-1].data["image/png"] = cells[FALLING].outputs[-1].data["image/png"]
    del cells[FALLING].outputs[-1].data["image/png"]
    cells[REMOVED].outputs = []
    cells[IGNORED].outputs[0].text = "another time\n"
    nbformat.write(notebook, tampered)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    folder = tmp_path_factory.mktemp("course")
    for name in ("refresh.py", "conftest.py"):
        shutil.copy(NOTEBOOKS / name, folder)
    write(folder / "good.ipynb", *SOURCES)
    assert call(folder / "refresh.py", "good").returncode == 0
    first = (folder / "good.ipynb").read_bytes()
    write(folder / "raises.ipynb", "print(1)", "1 / 0")
    again = call(folder / "refresh.py")
    tamper(folder / "good.ipynb", folder / "tampered.ipynb")
    report = call("-m", "pytest", "-q", "-rA", folder / "good.ipynb", folder / "tampered.ipynb", "--rootdir", folder)
    found = re.findall(r"^(PASSED|FAILED) .*\b(\w+)\.ipynb::Cell (\d+)", report.stdout, re.MULTILINE)
    return Course(folder, first, again, {(name, int(cell)): outcome for outcome, name, cell in found})


def test_an_unchanged_notebook_passes(course: Course):
    assert {course.outcomes["good", cell] for cell in range(len(SOURCES))} == {"PASSED"}


@pytest.mark.parametrize("cell", [NUMBER, REMOVED], ids=["number", "no output"])
def test_what_a_cell_shows_cannot_change_unseen(course: Course, cell: int):
    assert course.outcomes["tampered", cell] == "FAILED"


@pytest.mark.skipif(sys.platform != "linux", reason="fonts differ: figures are compared on Linux")
@pytest.mark.parametrize("cell", [RISING, FALLING], ids=["curve", "no figure"])
def test_a_figure_cannot_change_unseen(course: Course, cell: int):
    assert course.outcomes["tampered", cell] == "FAILED"


@pytest.mark.parametrize("cell", [HIDDEN, IGNORED, SLIDER], ids=["hidden result", "ignored output", "untouched cell"])
def test_a_change_condemns_its_own_cell_alone(course: Course, cell: int):
    assert course.outcomes["tampered", cell] == "PASSED"


def test_two_refreshes_write_the_same_bytes(course: Course):
    assert (course.folder / "good.ipynb").read_bytes() == course.first


def test_a_refreshed_notebook_keeps_nothing_of_its_machine_or_its_kernel(course: Course):
    notebook = nbformat.reads(course.first.decode(), as_version=4)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert [cell.metadata for cell in notebook.cells if cell.metadata] == [{"tags": ["nbval-ignore-output"]}]
    assert [cell.execution_count for cell in notebook.cells] == list(range(1, len(SOURCES) + 1))
    assert notebook.cells[SLIDER].outputs[0].data.keys() == {"text/plain"}


def test_a_cell_that_raises_is_named_and_its_notebook_left_alone(course: Course):
    assert course.again.returncode == 1
    assert "raises.ipynb, cell 2: ZeroDivisionError: division by zero" in course.again.stderr
    assert "good.ipynb" not in course.again.stderr
    notebook = nbformat.read(course.folder / "raises.ipynb", as_version=4)
    assert [(cell.execution_count, cell.outputs) for cell in notebook.cells] == [(None, [])] * 2


def test_refresh_says_how_long_a_notebook_and_its_slowest_cell_took(course: Course):
    assert re.search(r"^good\.ipynb: \d+\.\d s; slowest: cell \d with \d+\.\d s$", course.again.stdout, re.MULTILINE)


def show(text: str):
    return lambda notebook: notebook.cells[0].update(outputs=[new_output("stream", name="stdout", text=text)])


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda notebook: notebook.cells[0].update(execution_count=7), "was not run once"),
        (lambda notebook: notebook.cells[1].update(execution_count=None), "was not run once"),
        (lambda notebook: notebook.cells[0].update(outputs=[new_output("error", ename="A", evalue="b")]), "an error"),
        (lambda notebook: notebook.metadata.language_info.update(version="3.11.9"), "metadata"),
        (lambda notebook: notebook.cells[0].metadata.update(execution={}), "metadata"),
        (lambda notebook: notebook.cells[0].update(id="a1b2c3"), "cell ids"),
        (
            lambda notebook: (
                notebook.cells[SLIDER]
                .outputs[0]
                .data.update({"application/vnd.jupyter.widget-view+json": {"model_id": "a1"}})
            ),
            "widgets",
        ),
        (show("Saved to /home/ada/course/run\n"), "/home/a"),
        (show("C:\\Users\\ada\n"), "C:\\U"),
        (show("<generator object at 0x7f3a2b1c>\n"), "0x7f3a2b1c"),
        (show("x" * 400_000), "the limit is 400 KB"),
    ],
)
def test_a_notebook_that_is_not_fit_to_be_committed_is_told_why(course: Course, tmp_path: Path, spoil, fault: str):
    notebook = nbformat.reads(course.first.decode(), as_version=4)
    spoil(notebook)
    path = tmp_path / "spoilt.ipynb"
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    (found,) = faults(path)
    assert found.startswith("spoilt.ipynb ")
    assert fault in found


@pytest.mark.parametrize(
    "text", ["https://arxiv.org/abs/1807.10165", "iou/foreground/image", "<td><b>1</b></td>", "../data/x"]
)
def test_a_slash_alone_is_no_path_of_a_machine(course: Course, tmp_path: Path, text: str):
    notebook = nbformat.reads(course.first.decode(), as_version=4)
    show(text)(notebook)
    path = tmp_path / "slashes.ipynb"
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    assert faults(path) == []
