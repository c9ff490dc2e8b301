"""Joining the JavaScript of this folder into one module, because a widget and a page in one file can import nothing."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).parent
EXPLORER = (
    "network_file.js", "shell.js", "scores.js", "pictures.js", "own_image.js", "runner.js", "depth_explorer.js",
)  # fmt: skip
"""What runs on the page, each file after those that it needs."""
WORKER = ("network_file.js", "network.js", "worker.js")
"""What runs in a worker: the network, so that the page stays responsive while it computes."""

IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)


def joined(*names: str) -> str:
    """Return files of this folder as one script, without their imports from each other and without the word export."""
    texts = (FOLDER.joinpath(name).read_text(encoding="utf-8") for name in names)
    return "\n".join(EXPORT.sub("", IMPORT.sub("", text)) for text in texts)


def module(last: str) -> str:
    """Return the explorer as one module that ends with ``last``: "widget.js" for anywidget, "host.js" for a page."""
    return f"const WORKER_SCRIPT = {as_literal(joined(*WORKER))};\n\n{joined(*EXPLORER, last)}"


def style() -> str:
    """Return the explorer's style sheet."""
    return FOLDER.joinpath("explorer.css").read_text(encoding="utf-8")


def as_literal(text: str) -> str:
    """Return a text as a literal of JavaScript that may also stand within a page's <script>."""
    return json.dumps(text).replace("</", "<\\/").replace("<!--", "<\\!--")
