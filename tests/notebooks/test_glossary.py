"""The glossary: its terms, their order, and the links that lead to them from all notebooks.

JupyterLab follows `glossary.ipynb#ID` to an element with that id; the heading's own anchor would keep its capitals.
"""

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
TERM = re.compile(r'^<a id="(.*)"></a>\n\n### (.*)\n\n(.*(?:\n.+)*)', re.MULTILINE)
LINK = re.compile(r"glossary\.ipynb#([^)\"'\s]+)")
TERMS_AT_LEAST = 40
WHERE = re.compile(r"\[(notebook|extra) (\d\d)\]\(([\w/]+\.ipynb)\)")
EXPLAINED = re.compile(r" → \[(?:notebook|extra) \d\d\]\([^)]+\)(?:, \[(?:notebook|extra) \d\d\]\([^)]+\))*$")
SEE = re.compile(r"See \[[^]]+\]\(#[^)]+\)(?: and \[[^]]+\]\(#[^)]+\))?\.")


def markdown(path: Path) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


CELLS = markdown(NOTEBOOKS / "glossary.ipynb")
TERMS = TERM.findall("\n\n".join(CELLS))
IDS = [identifier for identifier, _, _ in TERMS]


def identifier_of(term: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", term.lower().replace("+", " plus ")).strip("-")


def test_the_glossary_explains_enough_terms_and_nothing_but_terms():
    assert len(TERMS) >= TERMS_AT_LEAST
    assert len(TERMS) == "\n".join(CELLS).count("\n### ")
    assert all(cell.cell_type == "markdown" for cell in nbformat.read(NOTEBOOKS / "glossary.ipynb", 4).cells)


def test_terms_stand_in_alphabetical_order_under_their_letters():
    names = [name for _, name, _ in TERMS]
    assert names == sorted(names, key=str.casefold)
    for cell in CELLS[1:]:
        letter = re.match(r"## (.)\n\n\[Back to the list\]\(#list\)\n", cell)[1]
        assert {name[0].upper() for _, name, _ in TERM.findall(cell)} == {letter}


def test_each_term_has_its_own_id_made_from_its_name():
    assert len(set(IDS)) == len(IDS)
    assert [identifier_of(name) for _, name, _ in TERMS] == IDS


def test_each_term_links_the_notebooks_that_explain_it_or_sends_the_reader_on():
    for _, name, text in TERMS:
        explained = EXPLAINED.search(text)
        assert explained or SEE.fullmatch(text), name
        for kind, number, path in WHERE.findall(explained[0]) if explained else []:
            assert (NOTEBOOKS / path).is_file(), (name, path)
            assert Path(path).name.startswith(f"{number}_"), (name, path)
            assert path.startswith("extra/") == (kind == "extra"), (name, path)


def test_who_is_sent_on_arrives_at_an_explanation():
    texts = {identifier: text for identifier, _, text in TERMS}
    for _, name, text in TERMS:
        if SEE.fullmatch(text):
            assert all(EXPLAINED.search(texts[target]) for target in re.findall(r"\(#([^)]+)\)", text)), name


def test_the_index_links_each_term_letter_by_letter():
    lines = re.findall(r"^\*\*(.)\*\*  (.*)$", CELLS[0], re.MULTILINE)
    assert [letter for letter, _ in lines] == [cell[3] for cell in CELLS[1:]]
    assert all(name[0].upper() == letter for letter, line in lines for name in re.findall(r"\[([^]]+)\]", line))
    assert re.findall(r"\[([^]]+)\]\(#([^)]+)\)", CELLS[0]) == [(name, identifier) for identifier, name, _ in TERMS]


def test_links_within_the_glossary_arrive():
    assert '<a id="list"></a>' in CELLS[0]
    assert set(re.findall(r"\]\(#([^)]+)\)", "\n".join(CELLS))) <= {*IDS, "list"}


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.rglob("*.ipynb")), ids=lambda path: path.stem)
def test_links_to_the_glossary_arrive(path: Path):
    assert [link for link in LINK.findall("\n".join(markdown(path))) if link not in IDS] == []
