"""The first code cell of every notebook, which installs the course in Google Colab and does nothing anywhere else.

`python notebooks/first_cell.py` puts it into every notebook that has code, below the title. It needs to run no
notebook: the stored execution counts of the other cells move up by one.
"""

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell

from unetpp_course.address import read_address

TAG = "colab"
# Folded in JupyterLab, left out on the website (the second tag is MyST-NB's), not counted among the minutes.
METADATA = {"tags": [TAG, "remove-cell"], "jupyter": {"source_hidden": True}}
SOURCE = """\
# In Google Colab this cell fetches and installs the course. Anywhere else it does nothing.
from runpy import run_path

if "google.colab" in str(get_ipython()):
    get_ipython().system("test -d unetpp || git clone --quiet --depth 1 {address} unetpp")
    run_path("unetpp/unetpp_course/colab.py", run_name="__main__")"""


def first_cell_source(address: str | None = None) -> str:
    """Return the cell's code for a repository; without an address, for the one that pyproject.toml names."""
    return SOURCE.format(address=address or read_address())


def is_first_cell(cell: NotebookNode) -> bool:
    """Return whether a cell is the one that this module puts in."""
    return cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])


def put_first_cell(notebook: NotebookNode, address: str | None = None) -> None:
    """Put the cell below the title, or bring the one that is there up to date; a notebook without code has none."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not code:
        return
    source = first_cell_source(address)
    if is_first_cell(code[0]):
        code[0].source = source
        code[0].metadata = from_dict(METADATA)  # type: ignore[no-untyped-call]
        return
    if all(cell.execution_count for cell in code):  # the notebook was run, so that the new cell was the first to be
        _count_on(code)
    new = new_code_cell(source, execution_count=1 if code[0].execution_count else None)  # type: ignore[no-untyped-call]
    new.metadata = from_dict(METADATA)  # type: ignore[no-untyped-call]
    notebook.cells.insert(1, new)


def _count_on(code: list[NotebookNode]) -> None:
    for cell in code:
        cell.execution_count += 1
        for output in cell.outputs:
            if output.get("execution_count"):
                output.execution_count += 1
