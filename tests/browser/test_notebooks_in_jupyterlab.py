"""Every notebook, as a learner gets it, runs from top to bottom in JupyterLab; its widgets stand in it."""

import subprocess
import sys
from pathlib import Path

import pytest
from lab_page import require_browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SECONDS = 300  # a limit for machines that do much beside; refresh.py holds the notebooks to less
WIDGET = "application/vnd.jupyter.widget-view+json"

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * SECONDS)]


@pytest.fixture(scope="module")
def course(folder):
    subprocess.run([sys.executable, "-m", "unetpp_course", "copy", folder], check=True)


@pytest.mark.parametrize(
    "name", sorted(path.relative_to(NOTEBOOKS).as_posix() for path in NOTEBOOKS.rglob("[0-9]*.ipynb"))
)
def test_it_runs_from_top_to_bottom(name, course, open_notebook):
    notebook = open_notebook(name)
    notebook.run(SECONDS)
    cells = notebook.cells
    outputs = {k: cell["outputs"] for k, cell in enumerate(cells) if cell["cell_type"] == "code"}
    counts = [cells[k]["execution_count"] for k in outputs]
    notebook.expect_no_complaints()
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for shown in outputs.values() for output in shown if output["output_type"] == "error"]
    for k, shown in outputs.items():
        if any(WIDGET in output.get("data", {}) for output in shown):
            notebook.cell(k).locator(".jupyter-widgets").first.wait_for()
    notebook.close()
