"""The figures of a notebook, from its stored outputs or, as SVG too, from running it."""

import base64
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from unetpp_course import real_data
from unetpp_lib.errors import InputError

CELL_SECONDS = 300  # a slow machine may need several times what `make notebooks` allows
BOTH_FORMATS = "%config InlineBackend.figure_formats = ['svg', 'png']"
LICENCES = """\
The figures are those of the course "U-Net to UNet++, step by step", by the unetpp authors, {address}
Licence: Creative Commons Attribution 4.0, see LICENSE-TEXT. The drawn images of cells within them: CC0.
What has no SVG file is a photograph-like picture or an explorer, and exists as PNG alone.
"""


@dataclass(frozen=True)
class Shown:
    """A figure: its cell, its section, what is said before and after it, and its files by their kind."""

    cell: int
    section: str
    before: str
    after: str
    png: bytes
    svg: str | None = None


def figures_of(notebook: NotebookNode) -> Iterator[Shown]:
    """Yield the figures among a notebook's outputs, in their order."""
    section = before = ""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            section = (re.findall(r"^#+ (.*)$", cell.source, re.MULTILINE) or [section])[-1]
            before = cell.source
            continue
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                following = notebook.cells[number + 1] if number + 1 < len(notebook.cells) else None
                after = following.source if following is not None and following.cell_type == "markdown" else ""
                png = base64.b64decode(data["image/png"])
                yield Shown(
                    number, section, last_paragraph(before), first_paragraph(after), png, data.get("image/svg+xml")
                )


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of prose of a markdown cell; no headings, lists, tables, quotations or folded passages."""
    text = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip() and part.strip()[0] not in "#-*|><`$"]


def first_paragraph(text: str) -> str:
    """Return the prose that follows a figure; nothing where a new section begins at once."""
    return "" if text.lstrip().startswith("#") else (paragraphs(text) or [""])[0]


def last_paragraph(text: str) -> str:
    """Return the prose that leads to a figure."""
    return (paragraphs(text) or [""])[-1]


def run_for_figures(path: Path) -> NotebookNode:
    """Run a notebook, with figures as SVG as well as PNG; the file is left alone.

    It shows the drawn images alone, because the real ones have other licences, and keeps no progress.

    Raises InputError where a cell fails.
    """
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    setting = nbformat.v4.new_code_cell(BOTH_FORMATS)  # type: ignore[no-untyped-call]
    notebook.cells.insert(0, setting)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(path.parent)}})
    try:
        with patch.dict(os.environ, {real_data.SWITCH: "never", "UNETPP_PROGRESS": "memory"}):
            client.execute()
    except CellExecutionError as error:
        raise InputError(f"{path.name} cannot be run: {error.ename}: {error.evalue}") from error
    except Exception as error:  # whatever a kernel dies of
        raise InputError(f"{path.name} cannot be run: {type(error).__name__}") from error
    return notebook


def archive_figures(target: Path, notebooks: Sequence[Path], root: Path, address: str) -> int:
    """Run notebooks and write their figures, as SVG and PNG, with a list and the licence, into a ZIP file.

    Return how many figures there are. Raises InputError where the file exists already.
    """
    if target.exists():
        raise InputError(f"{target} already exists: name a new file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    lines, part = [], target.with_name(f"{target.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in notebooks:
            for number, shown in enumerate(figures_of(run_for_figures(path)), start=1):
                name = f"{path.stem}/figure_{number:02}"
                archive.writestr(f"{name}.png", shown.png)
                if shown.svg is not None:
                    archive.writestr(f"{name}.svg", shown.svg)
                lines.append(f"{name}  {shown.section}")
        archive.writestr("FIGURES.txt", LICENCES.format(address=address) + "\n" + "\n".join(lines) + "\n")
        archive.write(root / "LICENSE-TEXT", "LICENSE-TEXT")
    part.replace(target)
    return len(lines)
