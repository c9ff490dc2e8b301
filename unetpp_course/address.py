"""The repository's address stands in pyproject.toml; `python -m unetpp_course address URL` fills it in everywhere.

Badges, the first cell of the notebooks, the citation, the links to issues and to the website contain it as well,
because neither GitHub nor Colab reads pyproject.toml.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

ROOT = Path(__file__).parents[1]
PLACEHOLDER = "https://github.com/OWNER/REPOSITORY"
FILES = (
    "pyproject.toml",
    "*.md",
    "*.cff",
    "docs/*.md",
    ".github/**/*.yml",
    ".github/*.md",
    ".devcontainer/*.json",
    "notebooks/*.ipynb",
    "notebooks/extra/*.ipynb",
)
FORM = re.compile(r"https://github\.com/([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]+?)(?:\.git)?/?")
# how the repository is named in the addresses of GitHub, of Colab (…/github/OWNER/NAME/…) and of Binder (…/gh/…)
BEFORE = r"(github\.com/|colab\.research\.google\.com/github/|mybinder\.org/v2/gh/|codespaces\.new/)"
AFTER = r"(?![\w-]|\.(?!git\b)\w)"


def read_address(root: Path = ROOT) -> str:
    """Return the repository's address, as `[project.urls]` in pyproject.toml gives it."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"])


def site_address(address: str) -> str:
    """Return where GitHub Pages shows the website of a repository."""
    owner, name = _parts(address)
    return f"https://{owner.lower()}.github.io/{name}/"


def fill_in(address: str, root: Path = ROOT) -> list[Path]:
    """Write a new address wherever the present one stands; return the files that changed.

    Raises InputError where it is not the address of a repository on GitHub.
    """
    owner, name = _parts(address)
    old, new = read_address(root), f"https://github.com/{owner}/{name}"
    changed = []
    for path in files_with_an_address(root):
        text = path.read_text(encoding="utf-8")
        found = replace_address(text, old, new)
        if found != text:
            write_atomically(path, found)
            changed.append(path)
    return changed


def files_with_an_address(root: Path = ROOT) -> Iterator[Path]:
    """Yield the files in which the address may stand."""
    for pattern in FILES:
        yield from sorted(root.glob(pattern))


def replace_address(text: str, old: str, new: str) -> str:
    """Return a text in which the links to one repository, and to its website, lead to another."""
    (old_owner, old_name), (owner, name) = _parts(old), _parts(new)
    text = text.replace(site_address(old), site_address(new))
    pattern = BEFORE + re.escape(f"{old_owner}/{old_name}") + AFTER
    return re.sub(pattern, lambda match: f"{match[1]}{owner}/{name}", text)


def _parts(address: str) -> tuple[str, str]:
    found = FORM.fullmatch(address)
    if found is None:
        raise InputError(f"{address!r} is not the address of a repository: write it like {PLACEHOLDER}.")
    return found[1], found[2]
