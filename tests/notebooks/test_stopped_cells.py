"""A cell that takes too long or ends its kernel fails the notebook tests; those behind it are judged as ever."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

CONFTEST = Path(__file__).parents[2] / "notebooks" / "conftest.py"

SWALLOWS_THE_INTERRUPT = """import time
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass"""
MAY_RAISE = "# NBVAL_RAISES_EXCEPTION\nimport time\ntime.sleep(60)"
IGNORES_THE_INTERRUPT = """import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
time.sleep(60)"""
ENDS_THE_KERNEL = "import os\nos._exit(1)"


def outcomes(folder: Path, *sources: str) -> tuple[int, list[str]]:
    """Test a notebook whose cells show 1; return the exit status and what became of each cell."""
    (folder / "conftest.py").write_text(
        CONFTEST.read_text(encoding="utf-8").replace("CELL_SECONDS = 600", "CELL_SECONDS = 1"), encoding="utf-8"
    )
    shown = [new_output("stream", name="stdout", text="1\n")]
    cells = [
        new_code_cell(source, outputs=shown if "print" in source else [], execution_count=number)
        for number, source in enumerate(sources, start=1)
    ]
    nbformat.write(new_notebook(cells=cells), folder / "made.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--color=no", "made.ipynb"]
    tested = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return tested.returncode, re.findall(r"^(PASSED|FAILED|XFAIL|XPASS|ERROR) made", tested.stdout, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [SWALLOWS_THE_INTERRUPT, MAY_RAISE], ids=["goes on", "may raise"])
def test_a_cell_that_takes_too_long_fails_and_the_next_are_judged_as_ever(tmp_path, cell):
    status, cells = outcomes(tmp_path, "print(1)", cell, "print(1)", "print(2)", "assert False")
    assert status == 1
    assert cells == ["PASSED", "PASSED", "FAILED", "FAILED", "FAILED"]  # pytest lists those that passed first


@pytest.mark.slow
@pytest.mark.parametrize("cell", [ENDS_THE_KERNEL, IGNORES_THE_INTERRUPT], ids=["ends it", "cannot be interrupted"])
def test_no_cell_passes_behind_one_that_took_the_kernel_with_it(tmp_path, cell):
    status, cells = outcomes(tmp_path, "print(1)", cell, "print(1)", "print(1)")
    assert status == 1
    assert cells == ["PASSED", "FAILED", "FAILED", "FAILED"]
