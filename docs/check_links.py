"""Ask whether the pages that the texts link to are still there: `python docs/check_links.py`.

Every https address in the Markdown files and notebooks is asked for once. A page that is gone (404, 410) or a server
that does not exist is a fault. A server that refuses robots (403, 429) or is in trouble (5xx) is only mentioned.
"""

import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
FILES = ("*.md", "*.cff", "docs/*.md", "notebooks/*.ipynb", "notebooks/extra/*.ipynb")
ADDRESS = re.compile(r"https?://[^\s)\"'<>`\]\\]+")
PLACEHOLDER = re.compile(r"OWNER|//owner\.|example\.org|localhost|127\.0\.0\.1", re.IGNORECASE)
SECONDS, TRIES, PAUSE = 20, 3, 5.0
GONE = (404, 410)


def links_of(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the addresses in the texts, each with the files that it stands in."""
    found: dict[str, list[str]] = {}
    for path in sorted(path for pattern in FILES for path in root.glob(pattern)):
        if path.suffix == ".ipynb":
            cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
            text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        else:
            text = path.read_text(encoding="utf-8")
        for address in {match.rstrip(".,;:") for match in ADDRESS.findall(text)}:
            if not PLACEHOLDER.search(address):
                found.setdefault(address, []).append(str(path.relative_to(root)))
    return found


def answer_of(address: str, pause: float = PAUSE) -> str:
    """Return "ok", or what the server says; a server that does not answer is asked three times."""
    said = ""
    for attempt in range(TRIES):
        request = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (link check)"})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):
                return "ok"
        except urllib.error.HTTPError as error:
            said = f"{error.code} {error.reason}"
            if error.code in GONE:
                return said
        except (OSError, ValueError) as error:
            said = f"no answer ({getattr(error, 'reason', error)})"
        if attempt + 1 < TRIES:
            time.sleep(pause)
    return said


def is_fault(said: str) -> bool:
    """Return whether an answer means that the link leads nowhere."""
    return said.startswith("no answer") or any(said.startswith(str(code)) for code in GONE)


def report(answers: Iterable[tuple[str, str]], links: dict[str, list[str]]) -> tuple[str, bool]:
    """Return a list in Markdown of what did not answer well, and whether a link leads nowhere."""
    bad = [(address, said) for address, said in answers if said != "ok"]
    lines = [f"{len(links)} outside links, {sum(is_fault(said) for _, said in bad)} lead nowhere.", ""]
    for address, said in sorted(bad, key=lambda pair: (not is_fault(pair[1]), pair)):
        lines.append(
            f"- {'**gone**' if is_fault(said) else 'unclear'}: {address} ({said}), in {', '.join(links[address])}"
        )
    return "\n".join(lines), any(is_fault(said) for _, said in bad)


def main() -> int:
    """Ask for every address; return the exit status."""
    links = links_of()
    with ThreadPoolExecutor(8) as pool:
        answers = list(zip(links, pool.map(answer_of, links), strict=True))
    text, faulty = report(answers, links)
    print(text)
    return int(faulty)


if __name__ == "__main__":
    sys.exit(main())
