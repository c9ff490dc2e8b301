"""What the pages of the site need beyond Sphinx: an extension for `conf.py`."""

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from unetpp_course.live.site import exercises_html, explorer_html, write_live

FRONT = "README"
LIVE = "live"  # the folder of the explorer's files
PLAY = """
```{explorer} depth
```

This UNet++ was trained to find the membranes between cells, and it runs in your browser: move *depth* to cut it down,
and it begins to take the rings inside the cells for membranes, because it sees only a small window around each pixel.
In the course you build this network yourself, notebook by notebook, and find out by measurement which of its ideas are
worth their cost. Two more explorers let you [wire a UNet++](docs/wiring.md) and [move a threshold](docs/threshold.md).

```sh
make lab     # sets up, and opens the course in JupyterLab: your own copy, in my_course/
make test    # sets up, and runs every test and every notebook
```
"""
COURSE, AFTER = "## The course", "## What it found"  # the README's section with the table, and the section after it
DOWNLOAD = '<p><a class="download-notebook" href="{name}" download>Download this notebook ({name})</a></p>'
CONTENTS = """
```{{toctree}}
:hidden:
:caption: Try it here
docs/wiring
docs/threshold
```
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
    app.add_directive("explorer", ExplorerDirective)
    app.connect("source-read", make_front_page)
    app.connect("autodoc-process-docstring", plain_docstring)
    app.connect("html-page-context", complete_page)
    app.connect("build-finished", write_files)


class ExplorerDirective(SphinxDirective):
    """Shows the explorer of `unetpp_course.live.site` that its argument names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the explorer as HTML."""
        return [nodes.raw("", explorer_html(self.arguments[0], live_of(self.env.docname)), format="html")]


def live_of(page: str) -> str:
    """Return what leads from a page to the explorers' files."""
    return "../" * page.count("/") + f"{LIVE}/"


def jupyterlab_anchor(title: str) -> str:
    """Return how JupyterLab, for which the notebooks' links are written, names the place of a heading."""
    return title.replace(" ", "-")


def make_front_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Make the README the front page: the explorer first, then the notebooks, then the rest, and the contents.

    Its links to folders, which a site lacks, become plain words.
    """
    if page != FRONT:
        return
    course = re.findall(r"^\| (\d\d) \| \[(.+?)\]\((.+?)\.ipynb\)", source[0], re.MULTILINE)
    contents = CONTENTS.format(notebooks="\n".join(f"{number} {title} <{path}>" for number, title, path in course))
    title, rest = source[0].split("\n", 1)
    before, course_onward = rest.split(f"\n{COURSE}\n")
    table, after = course_onward.split(f"\n{AFTER}\n")
    parts = [title, PLAY, f"{COURSE}\n{table}", f"## In short\n{before}"]
    text = "\n\n".join([*parts, f"{AFTER}\n{after}"])
    source[0] = re.sub(r"\[([^]]+)\]\([^)#:]+/\)", r"\1", text) + contents


def complete_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Begin the page of each notebook with a button that downloads the notebook; no page asks for an icon."""
    context["metatags"] = context.get("metatags", "") + '<link rel="icon" href="data:,">'
    if page in app.env.found_docs and Path(app.env.doc2path(page)).suffix == ".ipynb":
        name = Path(page).name
        numbered = re.match(r"\d\d", name)
        forms = exercises_html(int(numbered.group()), live_of(page)) if numbered else ""
        context["body"] = DOWNLOAD.format(name=f"{name}.ipynb") + context["body"] + forms


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Make the front page what a browser finds first, and add the notebooks and the explorer's files."""
    if error is not None:
        return
    shutil.copy(Path(app.outdir, f"{FRONT}.html"), Path(app.outdir, "index.html"))
    for page in app.env.found_docs:
        path = Path(app.env.doc2path(page))
        if path.suffix == ".ipynb":
            shutil.copy(path, Path(app.outdir, page).with_suffix(".ipynb"))
    write_live(Path(app.outdir, LIVE))


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
