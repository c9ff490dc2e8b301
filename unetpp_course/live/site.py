"""The explorer on a page without Python: `write_live` writes all that it needs, and `explorer_html` shows it."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import torch

from unetpp_course.live.bundle import joined, module, style
from unetpp_course.live.exercises import exercises_without_python
from unetpp_course.live.sent_ahead import about_explorer, image_pack
from unetpp_course.shipped import shipped_model
from unetpp_lib.data import SegmentationFolder, find_dataset, read_split
from unetpp_lib.engine.network_file import network_bytes, stored_network
from unetpp_lib.files import write_atomically
from unetpp_lib.models import UNetPlusPlus, prune
from unetpp_lib.models.profiling import profile

NETWORK = "unetpp_membranes"
TITLE = "Prune a UNet++"
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
<p>Cut a trained UNet++ to a depth of 1 to 4, and see what it still gets right. The network runs in your browser.</p>
{explorer}
</main>
</body>
</html>
"""


@cache
def explorer_files() -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what the page must know of the course's network, and the files that it fetches, by name."""
    model, card = shipped_model(NETWORK)
    assert isinstance(model, UNetPlusPlus)
    stored = stored_network(model)  # its predictions are those that the page computes
    root = find_dataset("membranes")
    folder, names = SegmentationFolder(root), read_split(root / "split.json").validation
    files = {}
    for number, name in enumerate(names):
        image, mask = folder[folder.index_of[name]]
        with torch.inference_mode():
            heads = torch.cat([head[0].sigmoid() for head in stored(card.normalise(image)[None])])
        means = torch.stack([heads[:depth].mean(0) for depth in model.head_depths])
        files[f"image_{number}.bin"] = image_pack(name, image, mask, torch.stack([heads, means]))
    files["network.bin"] = network_bytes(model, card)
    size = folder.sizes[folder.index_of[names[0]]]
    costs = {}
    for depth in model.head_depths:
        cost = profile(prune(model, depth), size, repeats=1)
        costs[depth] = (cost.parameters, cost.macs, None)
    about = about_explorer(model, costs, size, names, ("membrane", "interior"), "background")
    return about | {"threshold": round(100 * card.threshold)}, files


def explorer_html(base: str = "", inlined: bool = False) -> str:
    """Return the HTML that shows the explorer; ``base`` leads from the page to the folder that `write_live` wrote.

    With ``inlined`` everything is part of the HTML, so that a page can be opened from a file.
    """
    about, files = explorer_files()
    names = [name for name in files if name.startswith("image_")]
    told: dict[str, Any] = {"about": about, "base": base, "files": {"packs": names, "network": "network.bin"}}
    if inlined:
        told["inlined"] = {name: base64.b64encode(content).decode() for name, content in files.items()}
        head, tail = f"<style>{style()}</style>", f'<script type="module">{module("host.js")}</script>'
    else:
        head = f'<link rel="stylesheet" href="{base}explorer.css">'
        tail = f'<script type="module" src="{base}explorer.js"></script>'
    known = json.dumps(told, separators=(",", ":")).replace("</", "<\\/")
    quiet = "<noscript>The explorer needs JavaScript; the pictures below show what it does.</noscript>"
    return f'{head}\n<div class="unetpp-place"><script type="application/json">{known}</script>{quiet}</div>\n{tail}'


def exercises_html(notebook: int, base: str = "") -> str:
    """Return the HTML that lets a page of a notebook judge its exercises without Python; empty where it has none."""
    declared = exercises_without_python(notebook)
    known = json.dumps(declared, separators=(",", ":")).replace("</", "<\\/")
    script = f'<script type="module" src="{base}exercises.js"></script>'
    return f'<script type="application/json" id="unetpp-exercises">{known}</script>{script}' if declared else ""


def write_live(folder: Path) -> None:
    """Write the explorer's files into a folder, with two pages: index.html, and offline.html, which is one file."""
    contents: dict[str, bytes] = dict(explorer_files()[1])
    contents["explorer.js"] = module("host.js").encode()
    contents["exercises.js"] = joined("shell.js", "judge.js", "exercise_forms.js").encode()
    contents["explorer.css"] = style().encode()
    contents["index.html"] = PAGE.format(title=TITLE, explorer=explorer_html()).encode()
    contents["offline.html"] = PAGE.format(title=TITLE, explorer=explorer_html(inlined=True)).encode()
    for name, content in contents.items():
        write_atomically(folder / name, content)
