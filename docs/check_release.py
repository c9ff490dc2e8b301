"""Check that a tag can be released: `python docs/check_release.py v0.2.0`.

The tag, the library's version, the citation and the changelog name the same version, and the repository has an address.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def faults_of(tag: str, root: Path = ROOT) -> list[str]:
    """Return what keeps a tag from being released; nothing where it can be."""

    def found(pattern: str, name: str) -> str:
        match = re.search(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE)
        return match[1] if match else "nothing"

    version = tag.removeprefix("v")
    said = {
        "unetpp_lib/__init__.py": found(r'^__version__ = "(.+)"', "unetpp_lib/__init__.py"),
        "CITATION.cff": found(r"^version: (.+)$", "CITATION.cff"),
        "CHANGELOG.md": found(r"^## (.+?)(?: \(.+\))?$", "CHANGELOG.md"),
    }
    faults = [f"{name} says {other}, the tag {version}" for name, other in said.items() if other != version]
    urls = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    if "OWNER" in urls["Repository"]:
        faults.append("the repository has no address yet: python -m unetpp_course address URL")
    return faults


if __name__ == "__main__":
    found = faults_of(sys.argv[1])
    print(*found or [f"{sys.argv[1]} can be released."], sep="\n")
    sys.exit(bool(found))
