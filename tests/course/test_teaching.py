"""Handouts, slides and the archive of figures hold what a teacher needs, and nothing that gives an answer away."""

import base64
import io
import os
import re
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from unetpp_course.__main__ import main, named
from unetpp_course.address import ROOT
from unetpp_course.learners_copy import NOTEBOOKS, originals
from unetpp_course.teaching.figures import archive_figures, figures_of
from unetpp_course.teaching.handout import write_handout
from unetpp_course.teaching.slides import last_sentence, slides_page, to_html, write_slides
from unetpp_lib.errors import InputError

QUESTION = "### Exercise 3.9 · A title · easy · 2 min\n\nWhich of `maps[0](x)` and $X^{0,1}$?\n\n- a) one\n- b) two"
HELP = "<details><summary>Hint 1</summary>\n\nlook\n</details>\n\n<details><summary>Solution</summary>\n\nb\n</details>"


def a_picture() -> str:
    file = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def a_notebook() -> nbformat.NotebookNode:
    shown = new_output("display_data", data={"image/png": a_picture(), "text/plain": "<Figure>"})
    return new_notebook(
        cells=[
            new_markdown_cell("# U & I\n\n**Why so?**\n\nWords."),
            new_markdown_cell("## 1. A section\n\nFirst words. Here is the [figure](glossary.ipynb#figure):"),
            new_code_cell("draw()", outputs=[shown]),
            new_markdown_cell("It is red.\n\nMore words."),
            new_markdown_cell(QUESTION),
            new_code_cell('check("3.9", ...)'),
            new_markdown_cell(HELP),
            new_markdown_cell("<details><summary>All the numbers</summary>\n\n1, 2\n</details>"),
        ]
    )


def slides_in(page: str) -> list[str]:
    return re.findall(r"<section>(.*?)</section>", page, re.DOTALL)


def test_a_handout_has_no_hints_no_solutions_and_no_outputs(tmp_path):
    written = write_handout(tmp_path / "handout")
    assert len(written) == len(originals(NOTEBOOKS))
    for path in written:
        notebook = nbformat.read(path, as_version=4)
        text = path.read_text(encoding="utf-8")
        assert "<summary>Hint" not in text
        assert "<summary>Solution" not in text
        assert not any(cell.get("outputs") for cell in notebook.cells)
        original = nbformat.read(NOTEBOOKS / path.relative_to(tmp_path / "handout"), as_version=4)
        assert [c.source for c in notebook.cells if c.cell_type == "code"] == [
            c.source for c in original.cells if c.cell_type == "code"
        ]


def test_other_folded_passages_stay_in_a_handout(tmp_path):
    (tmp_path / "course").mkdir()
    nbformat.write(a_notebook(), tmp_path / "course" / "03.ipynb")
    (path,) = write_handout(tmp_path / "handout", tmp_path / "course")
    cells = nbformat.read(path, as_version=4).cells
    assert "All the numbers" in cells[-1].source
    assert len(cells) == 7  # the cell that held hints and solution alone is gone


def test_slides_are_the_title_the_figures_and_the_questions():
    title, figure, question = slides_in(slides_page(a_notebook()))
    assert "<h1>U &amp; I</h1>" in title
    assert "Why so?" in title
    assert "<h2>1. A section</h2>" in figure
    assert "Here is the figure:" in figure
    assert "First words" not in re.sub("<img.*?>", "", figure)
    assert "<details><summary>What it shows</summary><p>It is red.</p>" in figure
    assert "Exercise 3.9 · A title" in question
    assert "<code>maps[0](x)</code>" in question
    assert 'alt="X^{0,1}"' in question
    assert question.count("<li>") == 2


def test_slides_load_nothing_and_give_no_solution_away():
    page = slides_page(a_notebook())
    assert "look" not in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "http" not in re.sub(r'"data:[^"]*"', "", page)


@pytest.mark.parametrize("path", named("0"), ids=lambda path: path.stem)
def test_the_slides_of_a_notebook_show_all_its_figures_and_exercises(path, tmp_path):
    (page,) = write_slides(tmp_path, [path])
    text = page.read_text(encoding="utf-8")
    notebook = nbformat.read(path, as_version=4)
    exercises = re.findall(r"^### Exercise", "\n".join(cell.source for cell in notebook.cells), re.MULTILINE)
    figures = list(figures_of(notebook))
    assert len(slides_in(text)) == 1 + len(figures) + len(exercises)
    assert len(figures) > 1
    assert "<summary>Solution" not in text
    assert "\x02" not in text


def test_a_formula_that_cannot_be_set_stays_tex():
    assert to_html(r"$\begin{cases}1\end{cases}$", inline=True) == r"<code>\begin{cases}1\end{cases}</code>"


def test_copies_without_outputs_make_no_slides(tmp_path):
    (tmp_path / "03.ipynb").write_text(nbformat.writes(new_notebook(cells=[new_markdown_cell("# A")])))
    with pytest.raises(InputError, match="has no outputs: slides are made from the notebooks of the course"):
        write_slides(tmp_path, [tmp_path / "03.ipynb"])
    with pytest.raises(InputError, match="No notebook has such a name"):
        write_slides(tmp_path, [])


@pytest.mark.slow
def test_the_archive_holds_every_figure_as_svg_and_png_with_its_licence(tmp_path):
    source = (
        "import matplotlib.pyplot as plt\nfrom unetpp_course import use_course_style\n"
        "use_course_style()\nplt.plot([1, 2]);"
    )
    notebook = new_notebook(cells=[new_markdown_cell("# A\n\n## 2. Lines"), new_code_cell(source)])
    nbformat.write(notebook, tmp_path / "09_a.ipynb")
    before = (tmp_path / "09_a.ipynb").read_bytes()
    target = tmp_path / "out" / "figures.zip"
    assert archive_figures(target, [tmp_path / "09_a.ipynb"], ROOT, "https://example.org") == 1
    with zipfile.ZipFile(target) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert files.keys() == {"09_a/figure_01.png", "09_a/figure_01.svg", "FIGURES.txt", "LICENSE-TEXT"}
    assert b"<svg" in files["09_a/figure_01.svg"]
    assert Image.open(io.BytesIO(files["09_a/figure_01.png"])).width > 400
    assert "09_a/figure_01  2. Lines" in files["FIGURES.txt"].decode()
    assert "Attribution 4.0" in files["FIGURES.txt"].decode()
    assert (tmp_path / "09_a.ipynb").read_bytes() == before
    with pytest.raises(InputError, match="already exists"):
        archive_figures(target, [], ROOT, "")


@pytest.mark.slow
def test_the_archive_holds_no_real_images_and_leaves_the_progress_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("UNETPP_PROGRESS", "")
    monkeypatch.delenv("UNETPP_REAL_IMAGES", raising=False)
    source = "import os\nassert [os.environ[f'UNETPP_{k}'] for k in ('REAL_IMAGES', 'PROGRESS')] == ['never', 'memory']"
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), tmp_path / "a.ipynb")
    assert archive_figures(tmp_path / "figures.zip", [tmp_path / "a.ipynb"], ROOT, "") == 0
    assert "UNETPP_REAL_IMAGES" not in os.environ


@pytest.mark.slow
def test_a_notebook_that_fails_leaves_no_archive(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path / "a.ipynb")
    with pytest.raises(InputError, match=r"a\.ipynb cannot be run: ZeroDivisionError"):
        archive_figures(tmp_path / "figures.zip", [tmp_path / "a.ipynb"], ROOT, "")
    assert not (tmp_path / "figures.zip").exists()


def test_the_commands_say_what_they_wrote(tmp_path, capsys):
    main(["handout", str(tmp_path / "handout")])
    main(["slides", str(tmp_path / "slides"), "--only", "03"])
    said = capsys.readouterr().out
    assert f"{len(originals(NOTEBOOKS))} notebooks without hints and solutions" in said
    assert "Slides of 1 notebooks" in said
    assert [path.name for path in Path(tmp_path / "slides").iterdir()] == ["03_unet.html"]


@pytest.mark.parametrize(
    ("paragraph", "sentence"),
    [
        ("One. Two.", "Two."),
        ("One. Two. (An aside. And more.)", "Two."),
        ("The pulls (see above) grow.", "The pulls (see above) grow."),
        ("Below stands $X^{0,3}$:", "Below stands $X^{0,3}$:"),
    ],
)
def test_the_sentence_above_a_figure_is_the_last_one_that_is_no_aside(paragraph, sentence):
    assert last_sentence(paragraph) == sentence
