"""Every notebook begins with the cell that installs the course in Google Colab, and the cell costs readers nothing."""

import subprocess
import sys
from pathlib import Path
from runpy import run_path
from types import ModuleType

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from unetpp_course import colab
from unetpp_course.address import read_address
from unetpp_course.first_cell import METADATA, first_cell_source, put_first_cell

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
WITH_CODE = [path for path in sorted(NOTEBOOKS.rglob("[0-9]*.ipynb")) if ".ipynb_checkpoints" not in path.parts]


def a_notebook() -> nbformat.NotebookNode:
    shown = new_output("execute_result", data={"text/plain": "4"}, execution_count=1)
    code = new_code_cell("2 + 2", outputs=[shown], execution_count=1)
    return new_notebook(cells=[new_markdown_cell("# Title"), code])


@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: path.stem)
def test_every_notebook_has_it_below_its_title(path):
    cell = nbformat.read(path, as_version=4).cells[1]
    assert cell.source == first_cell_source(), "run: python notebooks/first_cell.py"
    assert cell.metadata == METADATA
    assert cell.outputs == []


def test_it_is_put_in_once_and_the_counts_move_up():
    notebook = a_notebook()
    put_first_cell(notebook)
    _title, first, code = notebook.cells
    assert first.execution_count == 1
    assert (code.execution_count, code.outputs[0].execution_count) == (2, 2)
    before = nbformat.writes(notebook)
    put_first_cell(notebook)
    assert nbformat.writes(notebook) == before


def test_a_new_address_changes_its_code_alone():
    notebook = a_notebook()
    put_first_cell(notebook)
    put_first_cell(notebook, "https://github.com/ada/nets")
    assert "https://github.com/ada/nets unetpp" in notebook.cells[1].source
    assert len(notebook.cells) == 3


def test_a_notebook_without_code_is_left_alone():
    notebook = new_notebook(cells=[new_markdown_cell("# Words")])
    put_first_cell(notebook)
    assert len(notebook.cells) == 1


def test_it_is_short_and_says_what_it_does():
    lines = first_cell_source().splitlines()
    assert len(lines) <= 6
    assert lines[0].startswith("# In Google Colab")
    assert read_address() in first_cell_source()


@pytest.mark.slow
def test_the_command_writes_the_committed_form_and_changes_nothing_twice(tmp_path):
    (tmp_path / "extra").mkdir()
    for name in ("00_a.ipynb", "extra/20_b.ipynb"):
        nbformat.write(a_notebook(), tmp_path / name)
    command = (
        f"import sys; sys.path.insert(0, {str(NOTEBOOKS)!r}); from pathlib import Path; import first_cell; "
        f"print(len(first_cell.main(Path({str(tmp_path)!r}))))"
    )
    said = [subprocess.run([sys.executable, "-c", command], capture_output=True, text=True).stdout for _ in range(2)]
    assert said == ["2\n", "0\n"]
    assert run_path(str(NOTEBOOKS / "refresh.py"))["faults"](tmp_path / "00_a.ipynb") == []


@pytest.mark.parametrize(("shell", "asked"), [("<google.colab._shell.Shell>", True), ("<ipykernel.zmqshell>", False)])
def test_it_acts_in_colab_alone(shell, asked, monkeypatch):
    done = []

    class Shell:
        def __str__(self):
            return shell

        def system(self, command):
            done.append(command)

    monkeypatch.setattr("runpy.run_path", lambda path, run_name: done.append(path))
    exec(first_cell_source(), {"get_ipython": Shell})
    expected = [
        f"test -d unetpp || git clone --quiet --depth 1 {read_address()} unetpp",
        "unetpp/unetpp_course/colab.py",
    ]
    assert done == (expected if asked else [])


@pytest.fixture
def pip(monkeypatch):
    """Note what pip would be told, and give pillow another version afterwards if a test asks for it."""
    calls, versions = [], {"pillow": "11.3", "numpy": "2.4"}
    monkeypatch.setattr(colab.subprocess, "run", lambda command, check: calls.append(command))
    monkeypatch.setattr(colab, "version", versions.__getitem__)
    monkeypatch.setattr(colab, "LOADED_AS", {"PIL": "pillow", "numpy": "numpy"})
    monkeypatch.setitem(sys.modules, "PIL", ModuleType("PIL"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return calls, versions


def test_it_installs_the_clone_and_makes_it_importable_at_once(pip, tmp_path, capsys):
    colab.install_course(tmp_path)
    assert pip[0][0][-2:] == ["--editable", f"{tmp_path}[colab]"]
    assert sys.path[0] == str(tmp_path)
    assert "The course is installed." in capsys.readouterr().out


def test_it_asks_for_a_restart_where_a_loaded_package_was_replaced(pip, tmp_path, monkeypatch):
    _calls, versions = pip
    monkeypatch.setattr(colab.subprocess, "run", lambda command, check: versions.update(pillow="13.0"))
    with pytest.raises(colab.RestartNeededError, match=r"a newer pillow with it\. Choose Runtime → Restart session"):
        colab.install_course(tmp_path)
