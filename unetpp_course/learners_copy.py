"""The learner's own copy of the notebooks: `python -m unetpp_course copy my_course`."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
ORIGINAL = "unetpp_original"  # in a copy's metadata, which Jupyter keeps: the fingerprint of what was copied


def copy_notebooks(
    target: Path, source: Path = NOTEBOOKS, change: Callable[[NotebookNode], None] | None = None
) -> list[Path]:
    """Copy the notebooks of ``source`` that ``target`` lacks, without outputs; return the copies.

    Files that exist in ``target`` are the learner's work and are never overwritten. ``change``, where it is given,
    changes each copy before it is written. Raises InputError where ``target`` is a file, holds the originals, or cannot
    be written.
    """
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; name a folder for your copies, such as my_course.")
    if target.resolve() == source.resolve():
        raise InputError(f"{target} holds the originals; name another folder for your copies, such as my_course.")
    copies = []
    for path in originals(source):
        copy = target / path.relative_to(source)
        if copy.exists():
            continue
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        notebook.metadata[ORIGINAL] = _fingerprint(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        if change is not None:
            change(notebook)
        write_atomically(copy, nbformat.writes(notebook) + "\n")  # type: ignore[no-untyped-call]
        copies.append(copy)
    return copies


def outdated_copies(target: Path, source: Path = NOTEBOOKS) -> list[Path]:
    """Return the copies in ``target`` whose originals have changed since; a copy that does not tell is left out."""
    outdated = []
    for path in originals(source):
        copy = target / path.relative_to(source)
        try:
            copied = nbformat.read(copy, as_version=4).metadata.get(ORIGINAL)  # type: ignore[no-untyped-call]
        except Exception:  # it is not there, or what the learner made of it is no notebook: nbformat has no one error
            continue
        original = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        if copied not in (None, _fingerprint(original)):
            outdated.append(copy)
    return outdated


def originals(source: Path) -> list[Path]:
    """Return the notebooks of a folder and those in its extra/."""
    return sorted([*source.glob("*.ipynb"), *source.glob("extra/*.ipynb")])


def _fingerprint(notebook: NotebookNode) -> str:
    """Return what changes when the text or the code of a notebook does, but not when its outputs do."""
    content = "\0".join(f"{cell.cell_type}\0{cell.source}" for cell in notebook.cells)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
