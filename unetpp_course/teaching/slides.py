"""Slides of a notebook's figures and questions: `python -m unetpp_course slides FOLDER`.

Each notebook becomes one HTML file that holds its pictures and needs no network. Arrow keys turn the slides; printed,
each slide is a page. What a figure shows stands folded below it, so that a class can be asked first.
"""

import base64
import io
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import mistune
import nbformat
from matplotlib import mathtext
from nbformat import NotebookNode

from unetpp_course.teaching.figures import Shown, figures_of
from unetpp_course.teaching.handout import HELP
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

EXERCISE = re.compile(r"^### (Exercise \d+\.\d+ · .*)$", re.MULTILINE)
FORMULA = re.compile(r"```.*?```|`[^`]*`|\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.DOTALL)  # or code, which may contain a $
LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
@page {{ size: 297mm 167mm; margin: 0 }}
* {{ box-sizing: border-box }}
html {{ scroll-snap-type: y mandatory; font: 2.6vmin/1.4 system-ui, sans-serif; color: #111; background: #fff }}
body {{ margin: 0 }}
section {{ height: 100vh; padding: 5vmin 7vmin; display: flex; flex-direction: column; scroll-snap-align: start;
  position: relative; overflow: hidden; break-after: page; break-inside: avoid }}
h1 {{ font-size: 7vmin; margin: auto 0 0 }} h2 {{ font-size: 4vmin; margin: 0 0 2vmin; font-weight: 600 }}
.question {{ font-size: 4.5vmin; margin: 2vmin 0 auto }}
.picture {{ flex: 1; min-height: 0; display: flex; justify-content: center; align-items: center }}
.picture img {{ width: 100%; height: 100%; object-fit: contain }}
.words {{ flex: 1; min-height: 0; font-size: 3vmin; overflow: hidden }} .words li {{ margin: 0.6em 0 }}
p {{ margin: 1.4vmin 0 }} pre, code {{ font-family: ui-monospace, monospace; font-size: 0.9em }}
pre {{ background: #f3f3f3; padding: 1.5vmin; white-space: pre-wrap }}
table {{ border-collapse: collapse }} td, th {{ padding: 0.2em 0.8em; border-bottom: 1px solid #999; text-align: left }}
img.formula {{ height: 1.25em; vertical-align: -0.3em }}
details {{ font-size: 2.5vmin }} summary {{ cursor: pointer; color: #0072B2 }}
footer {{ position: absolute; right: 3vmin; bottom: 2vmin; font-size: 1.8vmin; color: #555 }}
@media print {{
  html {{ font-size: 4.3mm }} section {{ height: 167mm; padding: 8mm 12mm }} details {{ display: none }}
  h1 {{ font-size: 11mm }} h2 {{ font-size: 6.5mm }} .question {{ font-size: 7mm }} .words {{ font-size: 5mm }}
  footer {{ font-size: 3mm }}
}}
</style></head><body>
{slides}
<script>
const slides = [...document.querySelectorAll("section")];
for (const words of document.querySelectorAll(".words"))  // a long question gets smaller letters
  for (let size = 3; size > 1.5 && words.scrollHeight > words.clientHeight; size -= 0.1)
    words.style.fontSize = size + "vmin";
addEventListener("keydown", event => {{
  const step = {{ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1}}[event.key];
  if (!step || event.target.tagName === "SUMMARY") return;
  event.preventDefault();
  const here = Math.round(scrollY / innerHeight);
  slides[Math.min(Math.max(here + step, 0), slides.length - 1)].scrollIntoView();
}});
addEventListener("beforeprint", () => document.querySelectorAll(".words").forEach(words => {{
  const size = parseFloat(words.style.fontSize || 3);
  words.style.fontSize = size * 5 / 3 + "mm";
}}));
addEventListener("afterprint", () => document.querySelectorAll(".words").forEach(words => {{
  words.style.fontSize = parseFloat(words.style.fontSize) * 3 / 5 + "vmin";
}}));
</script></body></html>
"""


def write_slides(folder: Path, notebooks: list[Path]) -> list[Path]:
    """Write the slides of notebooks, from their stored outputs, into a folder; return the files.

    Raises InputError where there is no notebook, or a notebook was never run.
    """
    if not notebooks:
        raise InputError("No notebook has such a name; give the beginning of one, such as 03.")
    return [_write(folder / f"{path.stem}.html", path) for path in notebooks]


def _write(target: Path, path: Path) -> Path:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    if not any(cell.get("outputs") for cell in notebook.cells):
        raise InputError(f"{path} has no outputs: slides are made from the notebooks of the course, not from copies.")
    write_atomically(target, slides_page(notebook))
    return target


def slides_page(notebook: NotebookNode) -> str:
    """Return the page with all slides of a notebook."""
    title, question = title_of(notebook)
    first = f'<h1>{to_html(title, inline=True)}</h1><p class="question">{to_html(question, inline=True)}</p>'
    sections = [first, *slides_of(notebook)]
    footers = (f"{escape(title)} · {number}/{len(sections)} · CC BY 4.0" for number in range(1, len(sections) + 1))
    slides = (f"<section>{text}<footer>{foot}</footer></section>" for text, foot in zip(sections, footers, strict=True))
    return PAGE.format(title=escape(title), slides="\n".join(slides))


def title_of(notebook: NotebookNode) -> tuple[str, str]:
    """Return a notebook's title and its question."""
    found = re.match(r"# (.*)\n+(?:\*\*(.+?)\*\*)?", notebook.cells[0].source)
    return (found[1], found[2] or "") if found else ("", "")


def slides_of(notebook: NotebookNode) -> Iterator[str]:
    """Yield the slides after the first: the figures and the questions, in their order."""
    figures = list(figures_of(notebook))
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            yield from (question_slide(cell.source, found) for found in EXERCISE.finditer(cell.source))
        yield from (figure_slide(shown) for shown in figures if shown.cell == number)


def question_slide(source: str, heading: re.Match[str]) -> str:
    """Return the slide of an exercise: its heading and its question, without hints and solutions."""
    text = HELP.sub("", source[heading.end() :])
    return f'<h2>{to_html(heading[1], inline=True)}</h2><div class="words">{to_html(text)}</div>'


def figure_slide(shown: Shown) -> str:
    """Return the slide of a figure: its section, the sentence that leads to it, and, folded, the one that follows."""
    picture = base64.b64encode(shown.png).decode()
    words = escape(re.sub(r"[$*`]", "", LINK.sub(r"\1", shown.before)), quote=True)
    after = f"<details><summary>What it shows</summary>{to_html(shown.after)}</details>" if shown.after else ""
    return (
        f"<h2>{to_html(shown.section, inline=True)}</h2>{to_html(last_sentence(shown.before))}"
        f'<div class="picture"><img alt="{words}" src="data:image/png;base64,{picture}"></div>{after}'
    )


def last_sentence(text: str) -> str:
    """Return the last sentence of a paragraph, which says what the reader is about to see; brackets at its end go."""
    without_aside = re.sub(r" +\([A-Z][^()]*\)$", "", text.strip())
    return re.split(r"(?<=[.?!:]) +(?=[A-Z])", without_aside)[-1]


class WithoutLinks(mistune.HTMLRenderer):
    """Writes the words of a link alone, because it would lead to a file that does not stand beside the slides."""

    def link(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002 (mistune gives them)
        """Return the words."""
        return text


def to_html(text: str, inline: bool = False) -> str:
    """Return markdown as HTML; formulas become pictures, links their words."""
    formulas: list[str] = []

    def keep(match: re.Match[str]) -> str:
        tex = match[1] or match[2]
        if not tex:
            return match[0]  # code
        formulas.append(formula(tex))
        return f"\x02{len(formulas) - 1}\x03"

    prepared = FORMULA.sub(keep, text)
    if inline:
        prepared = re.sub(r"^(\d+)\.", r"\1\\.", prepared)  # the number of a section begins no list
    html = str(mistune.create_markdown(renderer=WithoutLinks(escape=False), plugins=["table"])(prepared))
    html = re.sub("\x02(\\d+)\x03", lambda match: formulas[int(match[1])], html)
    return re.sub(r"^<p>(.*)</p>\n?$", r"\1", html, flags=re.DOTALL) if inline else html


def formula(tex: str) -> str:
    """Return a formula as a picture; one that Matplotlib cannot set stays TeX."""
    words = escape(tex.strip(), quote=True)
    picture = io.BytesIO()
    try:
        mathtext.math_to_image(f"${tex.strip()}$", picture, format="svg")
    except ValueError:
        return f"<code>{words}</code>"
    data = base64.b64encode(picture.getvalue()).decode()
    return f'<img class="formula" alt="{words}" src="data:image/svg+xml;base64,{data}">'
