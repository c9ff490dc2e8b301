"""Notebooks, as a learner gets them, run from top to bottom in JupyterLab, and their widgets stand in them.

All notebooks are run by nbval (`pytest notebooks`), which sees everything but the page. So two are enough here: 00 is
the first that a learner opens and has a widget of the common kind; 11 has the only one that brings its own JavaScript.
The other explorers are driven in `test_explorers_in_jupyterlab`.
"""

import subprocess
import sys

import pytest
from lab_page import require_browser

NAMES = ("00_start_here.ipynb", "11_depth_pruning.ipynb")
SECONDS = 300  # a limit for machines that do much beside; refresh.py holds the notebooks to less
WIDGET = "application/vnd.jupyter.widget-view+json"

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * SECONDS)]


@pytest.fixture(scope="module")
def course(folder):
    subprocess.run([sys.executable, "-m", "unetpp_course", "copy", folder], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_from_top_to_bottom(name, course, open_notebook):
    notebook = open_notebook(name)
    notebook.run(SECONDS)
    cells = notebook.cells
    outputs = {k: cell["outputs"] for k, cell in enumerate(cells) if cell["cell_type"] == "code"}
    counts = [cells[k]["execution_count"] for k in outputs]
    notebook.expect_no_complaints()
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for shown in outputs.values() for output in shown if output["output_type"] == "error"]
    widgets = [k for k, shown in outputs.items() if any(WIDGET in output.get("data", {}) for output in shown)]
    assert widgets
    for k in widgets:
        notebook.cell(k).locator(".jupyter-widgets").first.wait_for()
    notebook.close()
