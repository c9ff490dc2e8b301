"""Joining the JavaScript of this folder into one module, because a widget and a page in one file can import nothing."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).parent
WORKER = "worker.js"
"""What runs in a worker: the network, so that the page stays responsive while it computes."""
NEEDS_WORKER = "runner.js"

IMPORT = re.compile(r'^import [^;]*? from "\./(.+?)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)


def read(name: str) -> str:
    """Return the text of a file of this folder."""
    return FOLDER.joinpath(name).read_text(encoding="utf-8")


def files_of(*names: str) -> list[str]:
    """Return files of this folder and all that they import, each file after those that it needs."""
    found: list[str] = []
    for name in names:
        for needed in [*files_of(*IMPORT.findall(read(name))), name]:
            if needed not in found:
                found.append(needed)
    return found


def joined(*names: str) -> str:
    """Return files of this folder and all that they import as one script, without the words import and export."""
    return "\n".join(EXPORT.sub("", IMPORT.sub("", read(name))) for name in files_of(*names))


def module(name: str) -> str:
    """Return a file with all that it imports as one module; with the network's worker where it runs the network."""
    if NEEDS_WORKER not in files_of(name):
        return joined(name)
    return f"const WORKER_SCRIPT = {as_literal(joined(WORKER))};\n\n{joined(name)}"


def style() -> str:
    """Return the explorers' style sheet."""
    return read("explorer.css")


def as_literal(text: str) -> str:
    """Return a text as a literal of JavaScript that may also stand within a page's <script>."""
    return json.dumps(text).replace("</", "<\\/").replace("<!--", "<\\!--")
