"""The README keeps its word: its code runs, its commands exist, its links arrive, its pictures are described."""

import functools
import re
import shlex
from pathlib import Path

import nbformat
import pytest
from markdown_tables import read_table
from PIL import Image

from unetpp_course import __main__ as course
from unetpp_course.address import read_address
from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises
from unetpp_course.lab import Experiment
from unetpp_lib import cli

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind in ("sh", "bat") for line in block.splitlines()]
SPANS = re.findall(r"`((?:make|unetpp|python -m unetpp_course) [^`]+)`", PROSE)
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
PICTURE_BYTES, FILM_BYTES = 400_000, 1_000_000


def words_of(command: str) -> list[str]:
    return shlex.split(command.replace("\\", "/"), comments=True)


def rows(column: str) -> dict[str, list[str]]:
    """The cells of the table with that column, by the first of each row."""
    return {first: rest for first, *rest in read_table(TEXT, column)}


@pytest.mark.parametrize("code", [block for kind, block in BLOCKS if kind == "python"])
def test_its_python_runs(code):
    exec(code, {})


def test_its_blocks_are_of_kinds_that_are_tested():
    assert {kind for kind, _ in BLOCKS} == {"python", "sh", "bat"}


@pytest.mark.parametrize("command", [*COMMANDS, *SPANS])
def test_its_commands_exist(command, monkeypatch, capsys):
    program, *arguments = words_of(command)
    if program == "make":
        assert arguments[0] in TARGETS
    elif Path(program).name == "unetpp":
        called = []
        for name in ("train", "evaluate", "predict", "prune", "profile", "export", "download", "check_folder"):
            word = name.removesuffix("_folder")
            stub = functools.wraps(getattr(cli, name))(lambda *args, word=word, **options: called.append(word))
            monkeypatch.setattr(cli, name, stub)
        with pytest.raises(SystemExit) as end:
            cli.main(arguments)
        assert not end.value.code, capsys.readouterr().err
        assert called == [arguments[1 if arguments[0] == "data" else 0]]
    elif arguments[:2] == ["-m", "unetpp_course"]:
        called = []
        nothing = Experiment("", "", (), lambda outcomes: called.append("experiment"))
        monkeypatch.setattr(course.lab, "find_experiment", lambda name: nothing)
        monkeypatch.setattr(course.lab, "run_experiment", lambda *given: {})
        monkeypatch.setattr(course, "copy_notebooks", lambda folder: called.append("copy") or [])
        course.main(arguments[2:])
        assert called == [arguments[2]]
    else:
        assert Path(program).name in ("python", "python3", "py", "conda", "jupyter", "uv", "activate")
        files = [word for word in arguments if re.search(r"\.(py|yml|txt)$", word)]
        assert [name for name in files if not (ROOT / name).is_file()] == []


def test_its_links_arrive():
    links = [link for link in re.findall(r"\]\(([^)#]+)", PROSE) if "://" not in link]
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_it_links_nothing_but_what_is_known_to_exist():
    known = r"https://(arxiv\.org/abs/\d{4}\.\d{5}|d2l\.ai|docs\.astral\.sh/uv/|github\.com/[\w.-]+/[\w.-]+)"
    own = read_address().removeprefix("https://github.com/")
    doors = ("colab.research.google.com/github", "codespaces.new", "mybinder.org/v2/gh")
    known += "".join(rf"|https://{re.escape(door)}/{re.escape(own)}(/[\w./?=]+)?" for door in doors)
    assert [link for link in re.findall(r"https?://[^)\s]+", TEXT) if not re.fullmatch(known, link)] == []


@pytest.mark.parametrize(("words", "link"), re.findall(r"!\[([^]]*)\]\(([^)]+)\)", PROSE))
def test_its_pictures_are_described_and_small(words, link):
    size = (ROOT / link).stat().st_size
    if link.endswith(".svg"):  # a badge: its words are those that stand on it
        assert words in (ROOT / link).read_text(encoding="utf-8")
        return
    with Image.open(ROOT / link) as picture:
        assert size <= (FILM_BYTES if getattr(picture, "is_animated", False) else PICTURE_BYTES)
    assert len(words.split()) >= 10


def test_its_notebooks_are_the_course_with_their_titles_questions_and_minutes():
    paths = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    expected = {}
    for path in paths:
        words = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
        title, question = re.match(r"# (.*)\n\n\*\*(.*)\*\*", words).groups()
        minutes, for_exercises = re.search(r"\*\*Time:\*\* about (\d+) minutes, (\d+) of them for", words).groups()
        assert int(for_exercises) == sum(task.minutes for task in exercises_of(int(path.name[:2])).values())
        expected[path.name[:2]] = [f"[{title}](notebooks/{path.name})", question, minutes]
    assert rows("notebook") == expected


def test_it_counts_the_exercises():
    count = sum(len(exercises_of(notebook)) for notebook in notebooks_with_exercises())
    assert str(count) in re.findall(r"\d+", PROSE)
