"""What the pages of the site need beyond Sphinx: an extension for `conf.py`."""

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

FRONT = "README"
CONTENTS = """
```{{toctree}}
:hidden:
:caption: The course
{notebooks}
Glossary <notebooks/glossary>
```
```{{toctree}}
:hidden:
:glob:
:caption: Optional
notebooks/extra/*
```
```{{toctree}}
:hidden:
:caption: More
docs/teachers
docs/final_project
docs/other_libraries
docs/results
docs/results_tables
docs/after_2020
docs/planning
docs/api
CONTRIBUTING
CODE_OF_CONDUCT
SECURITY
CHANGELOG
```
"""


def setup(app: Sphinx) -> None:
    """Tell Sphinx of what is done differently here."""
    # browsers draw the formulas themselves: the usual way would fetch a program from the network
    app.add_html_math_renderer("mathml", (inline_formula, None), (block_formula, None))
    app.connect("source-read", make_front_page)
    app.connect("autodoc-process-docstring", plain_docstring)
    app.connect("build-finished", write_index)


def jupyterlab_anchor(title: str) -> str:
    """Return how JupyterLab, for which the notebooks' links are written, names the place of a heading."""
    return title.replace(" ", "-")


def make_front_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the contents, from its table of notebooks, to the README; take its links to folders, which a site lacks."""
    if page == FRONT:
        course = re.findall(r"^\| (\d\d) \| \[(.+?)\]\((.+?)\.ipynb\)", source[0], re.MULTILINE)
        contents = CONTENTS.format(notebooks="\n".join(f"{number} {title} <{path}>" for number, title, path in course))
        source[0] = re.sub(r"\[([^]]+)\]\([^)#:]+/\)", r"\1", source[0]) + contents


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Make the front page what a browser finds first."""
    if error is None:
        shutil.copy(Path(app.outdir, f"{FRONT}.html"), Path(app.outdir, "index.html"))


def inline_formula(writer: Any, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def block_formula(writer: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    writer.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def plain_docstring(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make markup of a docstring, which is written for an editor: `names` are code, and signs are signs."""
    text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", "\n".join(lines))
    text = re.sub(r"\n(Shapes?:|Source:|Raises |InputError )", r"\n\n\1", text)
    parts = re.split(r"(``.*?``|^>>>.*$)", text, flags=re.MULTILINE)
    parts[::2] = [re.sub(r"([|*])", r"\\\1", words) for words in parts[::2]]
    lines[:] = "".join(parts).split("\n")
