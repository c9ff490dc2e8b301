"""Put the cell that installs the course in Google Colab into every notebook: `python notebooks/first_cell.py`.

Nothing is executed, and a second run changes nothing.
"""

from pathlib import Path

import nbformat
from refresh import normalise

from unetpp_course.first_cell import put_first_cell
from unetpp_lib.files import write_atomically


def main(folder: Path) -> list[Path]:
    """Write the notebooks of a folder, and those in its extra/, with the cell; return those that changed."""
    changed = []
    for path in sorted([*folder.glob("*.ipynb"), *folder.glob("extra/*.ipynb")]):
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        put_first_cell(notebook)
        text = normalise(notebook)
        if text != path.read_text(encoding="utf-8"):
            write_atomically(path, text)
            changed.append(path)
    return changed


if __name__ == "__main__":
    paths = main(Path(__file__).parent)
    print(f"{len(paths)} notebooks changed.", *[path.name for path in paths], sep="\n  ")
