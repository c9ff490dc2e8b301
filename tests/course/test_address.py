"""The repository's address stands in one place, and one command writes it everywhere."""

import re
import subprocess
from pathlib import Path

import pytest

from unetpp_course.address import PLACEHOLDER, ROOT, fill_in, read_address, replace_address, site_address
from unetpp_lib.errors import InputError

OLD, NEW = PLACEHOLDER, "https://github.com/ada/nets.of-mine"
# where a repository of the course's own is named; other projects' are named by their own addresses
OURS = re.compile(r"(?:colab\.research\.google\.com/github|mybinder\.org/v2/gh|codespaces\.new)/([\w-]+/[\w.-]+)")
ISSUES = re.compile(r"github\.com/([\w-]+/[\w.-]+)/(?:issues/new|security|discussions)")
SELF = re.compile(r"git clone [^\n]*?https://github\.com/([\w-]+/[\w.-]+)")


def tracked_texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    kinds = {".md", ".yml", ".toml", ".cff", ".ipynb", ".json", ".py"}
    paths = [ROOT / name for name in listed.stdout.split("\0") if Path(name).suffix in kinds]
    return [path for path in paths if path.is_file() and "tests" not in path.relative_to(ROOT).parts]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        (f"see {OLD}/issues.", f"see {NEW}/issues."),
        (f"git clone {OLD}.git", f"git clone {NEW}.git"),
        (f"The address is {OLD}.", f"The address is {NEW}."),
        (
            "https://colab.research.google.com/github/OWNER/REPOSITORY/blob/main/a.ipynb",
            "https://colab.research.google.com/github/ada/nets.of-mine/blob/main/a.ipynb",
        ),
        ("https://mybinder.org/v2/gh/OWNER/REPOSITORY/main", "https://mybinder.org/v2/gh/ada/nets.of-mine/main"),
        ("https://owner.github.io/REPOSITORY/a.html", "https://ada.github.io/nets.of-mine/a.html"),
        (f"{OLD}-2 and {OLD}s", f"{OLD}-2 and {OLD}s"),  # other repositories
        ("the folder OWNER/REPOSITORY", "the folder OWNER/REPOSITORY"),  # no address
    ],
)
def test_links_to_the_repository_change_and_nothing_else_does(text, filled):
    assert replace_address(text, OLD, NEW) == filled
    assert replace_address(filled, NEW, OLD) == text  # and back


def test_one_command_fills_it_in_everywhere_and_again(tmp_path):
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{OLD}"\n')
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00.ipynb").write_text(f'"source": "clone {OLD} unetpp"')
    (tmp_path / "README.md").write_text("nothing of it")
    assert {path.name for path in fill_in(f"{NEW}.git", tmp_path)} == {"pyproject.toml", "00.ipynb"}
    assert read_address(tmp_path) == NEW
    assert fill_in(NEW, tmp_path) == []
    assert len(fill_in("https://github.com/grace/unetpp/", tmp_path)) == 2
    assert (
        tmp_path / "notebooks" / "00.ipynb"
    ).read_text() == '"source": "clone https://github.com/grace/unetpp unetpp"'


@pytest.mark.parametrize("address", ["ada/nets", "https://example.org/ada/nets", "https://github.com/ada", ""])
def test_what_is_no_repository_is_refused(address, tmp_path):
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{OLD}"\n')
    with pytest.raises(InputError, match="is not the address of a repository: write it like"):
        fill_in(address, tmp_path)
    assert read_address(tmp_path) == OLD


def test_no_file_names_another_address():
    own = read_address().removeprefix("https://github.com/")
    named = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in tracked_texts()
        for pattern in (OURS, ISSUES, SELF)
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert {pair for pair in named if pair[1] != own} == set()


def test_every_file_that_names_the_address_is_among_those_that_the_command_fills_in(tmp_path):
    """Whatever names it, code aside: code asks `read_address`."""
    own = read_address()
    texts = [
        path
        for path in tracked_texts()
        if path.suffix != ".py"
        and replace_address(path.read_text(encoding="utf-8"), own, NEW) != path.read_text(encoding="utf-8")
    ]
    for path in texts:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert "pyproject.toml" in {path.name for path in texts}
    changed = fill_in(NEW, tmp_path)
    assert len(changed) == len(texts)
    left = [path for path in changed if "OWNER" in path.read_text(encoding="utf-8")] if own == PLACEHOLDER else []
    assert left == []


def test_the_site_is_where_github_shows_it():
    assert site_address("https://github.com/Ada/Nets") == "https://ada.github.io/Nets/"
