"""Execute notebooks in place, and write them so that only what has changed shows as changed.

`python notebooks/refresh.py` takes all, also those in extra/, `python notebooks/refresh.py 00` those whose names begin
with 00. The exit
status is 1 where a cell fails (the file is then unchanged) or a notebook breaks a rule of `faults`.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

from unetpp_course.first_cell import METADATA as FOLDED
from unetpp_course.first_cell import is_first_cell
from unetpp_lib.files import write_atomically

NOTEBOOK_SECONDS, CELL_SECONDS, NOTEBOOK_BYTES = 120, 30, 400_000
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},  # the kernel would add versions, which differ between machines
}
WIDGET = "application/vnd.jupyter.widget-view+json"  # points into a kernel that is gone
# a memory address, an absolute path (not part of a web address, a closing tag or a quotient), a Windows drive
MACHINE = re.compile(r"\b0x[0-9a-f]{6,}|(?<![\w:/.<)\]}])/\w[\w.-]*/\w|\b[A-Z]:\\\w")


class CellFailedError(Exception):
    """A cell raised, took too long, or ended its kernel; the message names the cell."""


def execute(notebook: NotebookNode, folder: Path) -> list[float]:
    """Run every code cell in one new kernel, started in ``folder``; return the seconds that each took.

    Cells are numbered from 1, as JupyterLab shows them. Raises CellFailedError at the first that fails.
    """
    client = NotebookClient(
        notebook,
        # the kernel of this environment: the one that `python3` names may belong to another
        km=AsyncKernelManager(kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager()),
        resources={"metadata": {"path": str(folder)}},
        timeout=NOTEBOOK_SECONDS,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    seconds: list[float] = []
    environment = {
        **os.environ,
        "UNETPP_PROGRESS": "memory",  # a board shows what this notebook has checked, no more
        "UNETPP_REAL_IMAGES": "never",  # what is committed shows the drawn images alone
        "OMP_NUM_THREADS": "1",  # as in the tests; a live training ends elsewhere with other threads
    }
    with client.setup_kernel(cleanup_kc=True, env=environment, stderr=subprocess.DEVNULL):  # the kernel's own chatter
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            cell.outputs, cell.execution_count = [], None
            start = time.perf_counter()
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                raise CellFailedError(f"cell {len(seconds) + 1}: {error.ename}: {error.evalue}") from error
            except (CellTimeoutError, DeadKernelError) as error:
                raise CellFailedError(f"cell {len(seconds) + 1}: {error}") from error
            seconds.append(time.perf_counter() - start)
    return seconds


def normalise(notebook: NotebookNode) -> str:
    """Return the text of the notebook's file, without what changes from run to run or from machine to machine."""
    notebook = deepcopy(notebook)
    notebook.metadata = METADATA
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = {"tags": cell.metadata.tags} if cell.metadata.get("tags") else {}
        if is_first_cell(cell):
            cell.metadata = FOLDED
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


def shown_texts(notebook: NotebookNode) -> Iterator[str]:
    """Yield all that a reader sees, but for pictures."""
    for cell in notebook.cells:
        yield cell.source
        for output in cell.get("outputs", []):
            yield output.get("text", "")
            yield from (str(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/"))


def faults(path: Path) -> list[str]:
    """Return what keeps the notebook from being committed as the reference; empty where nothing does."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = []
    if len(text.encode()) > NOTEBOOK_BYTES:
        found.append(f"has {len(text.encode()) / 1000:.0f} KB; the limit is {NOTEBOOK_BYTES / 1000:.0f} KB")
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("was not run once, from its first cell to its last")
    if any(output.output_type == "error" for cell in code for output in cell.outputs):
        found.append("shows an error")
    if text != normalise(notebook):
        found.append("has metadata, cell ids or widgets that refresh.py removes")
    for match in filter(None, map(MACHINE.search, shown_texts(notebook))):
        found.append(f"shows a path or an address of one machine: {match[0]}…")
    return [f"{path.name} {fault}" for fault in found]


def refresh(path: Path) -> list[str]:
    """Execute one notebook and write it normalised; return what is wrong with it."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    start = time.perf_counter()
    try:
        seconds = execute(notebook, path.parent)
    except CellFailedError as failure:
        return [f"{path.name}, {failure}\n  The file is unchanged."]
    total = time.perf_counter() - start
    slowest, cell = max(((spent, number) for number, spent in enumerate(seconds, start=1)), default=(0.0, 0))
    write_atomically(path, normalise(notebook))
    print(f"{path.name}: {total:.1f} s; slowest: cell {cell} with {slowest:.1f} s")
    found = faults(path)
    if total > NOTEBOOK_SECONDS:
        found.append(f"{path.name} took {total:.0f} s; the limit is {NOTEBOOK_SECONDS} s")
    if slowest > CELL_SECONDS:
        found.append(f"{path.name} took {slowest:.0f} s for cell {cell}; the limit is {CELL_SECONDS} s")
    return found


def main() -> int:
    """Refresh the notebooks beside this file; return the exit status."""
    parser = argparse.ArgumentParser(description="Execute and normalise notebooks in place.")
    parser.add_argument("only", nargs="?", default="", help="how the name begins, such as 00; default: all")
    only = parser.parse_args().only
    paths = sorted(Path(__file__).parent.rglob(f"{only}*.ipynb"))
    if not paths:
        parser.error(f"no notebook's name begins with {only!r}")
    found = [fault for path in paths for fault in refresh(path)]
    print(*found, sep="\n", file=sys.stderr, end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
