"""Joining the JavaScript of this folder into one module, because a widget and a page in one file can import nothing."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).parent
WORKER = ("network_file.js", "network.js", "worker.js")
"""What runs in a worker: the network, so that the page stays responsive while it computes."""

IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)


def joined(*names: str) -> str:
    """Return files of this folder as one script, without their imports from each other and without the word export."""
    texts = (FOLDER.joinpath(name).read_text(encoding="utf-8") for name in names)
    return "\n".join(EXPORT.sub("", IMPORT.sub("", text)) for text in texts)


def worker_script() -> str:
    """Return the script of the worker."""
    return joined(*WORKER)


def as_literal(text: str) -> str:
    """Return a text as a literal of JavaScript that may also stand within a page's <script>."""
    return json.dumps(text).replace("</", "<\\/").replace("<!--", "<\\!--")
