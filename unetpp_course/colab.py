"""Installs the course in Google Colab; the first cell of every notebook runs this file there, from a fresh clone.

Colab brings most packages, some of them loaded already. pip keeps those that are new enough. It may have to replace one
that is loaded, and a kernel cannot change a loaded package: then the session must be restarted once.
"""

import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOADED_AS = {"numpy": "numpy", "PIL": "pillow", "torch": "torch", "matplotlib": "matplotlib", "pandas": "pandas"}


class RestartNeededError(Exception):
    """Ends the cell, so that Colab's "Run all" stops there."""


def install_course(root: Path = ROOT) -> None:
    """Install what the course needs, and make the clone importable in this very kernel.

    Raises RestartNeededError where a package that is loaded already was replaced.
    """
    before = {name: _version(name) for module, name in LOADED_AS.items() if module in sys.modules}
    print("Installing the course. This takes a minute or two, once for each session.")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--editable", f"{root}[colab]"], check=True)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # a kernel that runs does not look for new editable packages
    replaced = [name for name, old in before.items() if _version(name) != old]
    if replaced:
        raise RestartNeededError(restart_message(replaced))
    _allow_widgets()
    print("The course is installed. Your changes to this notebook are kept only if you save a copy in Drive.")


def restart_message(replaced: Iterable[str]) -> str:
    """Return what a learner is to do once packages were replaced that their kernel had loaded."""
    return (
        f"The course is installed, and a newer {', '.join(replaced)} with it. Choose Runtime → Restart session, "
        "then run the notebook from its first cell. This is needed once."
    )


def is_installed(root: Path = ROOT) -> bool:
    """Return whether this kernel's Python already has this clone, as after a restart of the session."""
    try:
        version("unetpp")
    except PackageNotFoundError:
        return False
    return str(root) in sys.path


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _allow_widgets() -> None:
    """Let Colab load the front ends of widgets that it does not bring itself; the explorers have one."""
    try:
        from google.colab import output
    except ImportError:
        return
    output.enable_custom_widget_manager()


if __name__ == "__main__":
    if is_installed():
        _allow_widgets()
    else:
        install_course()
