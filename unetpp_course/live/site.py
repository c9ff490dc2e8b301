"""The explorers on a page without Python: `write_live` writes all that they need, and `explorer_html` shows one."""

import base64
import json
from pathlib import Path
from typing import Any

from unetpp_course.live.bundle import joined, module, style
from unetpp_course.live.exercises import exercises_without_python
from unetpp_course.live.page_explorers import EXPLORERS
from unetpp_lib.files import write_atomically

PAGES = {
    "index": (
        "depth",
        "Prune a UNet++",
        "Cut a trained UNet++ to a depth of 1 to 4, and see what it still gets right.",
    ),
    "threshold": ("threshold", "Move a threshold", "See what the threshold of a prediction does to its scores."),
    "wiring": ("wiring", "Wire a UNet++", "Turn U-Net into UNet++ wire by wire, and see what each node costs."),
}
"""The pages beside the site, by name: the explorer of each, its title, and a sentence."""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 75rem; margin: 0 auto; padding: 0 12px 24px; font: 16px/1.5 system-ui, sans-serif; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{lead}</p>
{explorer}
</main>
</body>
</html>
"""


def explorer_html(name: str, base: str = "", inlined: bool = False) -> str:
    """Return the HTML that shows an explorer; ``base`` leads from the page to the folder that `write_live` wrote.

    With ``inlined`` everything is part of the HTML, so that a page can be opened from a file.
    """
    explorer = EXPLORERS[name]()
    told: dict[str, Any] = {"about": explorer.about, "start": explorer.start, "base": base}
    told["files"] = {"packs": list(explorer.packs), "network": next(iter(explorer.network), None)}
    if inlined:
        told["inlined"] = {file: base64.b64encode(content).decode() for file, content in explorer.files.items()}
        head, tail = f"<style>{style()}</style>", f'<script type="module">{module(explorer.script)}</script>'
    else:
        head = f'<link rel="stylesheet" href="{base}explorer.css">'
        tail = f'<script type="module" src="{base}{name}.js"></script>'
    known = json.dumps(told, separators=(",", ":")).replace("</", "<\\/")
    quiet = "<noscript>The explorer needs JavaScript; the pictures of the course show what it does.</noscript>"
    return f'{head}\n<div class="unetpp-place"><script type="application/json">{known}</script>{quiet}</div>\n{tail}'


def exercises_html(notebook: int, base: str = "") -> str:
    """Return the HTML that lets a page of a notebook judge its exercises without Python; empty where it has none."""
    declared = exercises_without_python(notebook)
    known = json.dumps(declared, separators=(",", ":")).replace("</", "<\\/")
    script = f'<script type="module" src="{base}exercises.js"></script>'
    return f'<script type="application/json" id="unetpp-exercises">{known}</script>{script}' if declared else ""


def write_live(folder: Path) -> None:
    """Write the explorers' files into a folder, with the pages of PAGES, and offline.html, which is one file."""
    contents = {"exercises.js": joined("exercise_forms.js").encode(), "explorer.css": style().encode()}
    for name, make in EXPLORERS.items():
        contents |= make().files
        contents[f"{name}.js"] = module(make().script).encode()
    for page, (name, title, lead) in PAGES.items():
        contents[f"{page}.html"] = PAGE.format(title=title, lead=lead, explorer=explorer_html(name)).encode()
    name, title, lead = PAGES["index"]
    offline = PAGE.format(title=title, lead=lead, explorer=explorer_html(name, inlined=True))
    contents["offline.html"] = offline.encode()
    for file, content in contents.items():
        write_atomically(folder / file, content)
