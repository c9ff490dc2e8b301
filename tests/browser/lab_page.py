"""JupyterLab for the tests: a server with settings of its own, and a notebook that is open there in a browser."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest
from playwright.sync_api import Locator, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
START_SECONDS, PAGE_SECONDS = 120, 60
QUIET = {"fetchNews": "false", "checkForUpdates": False}  # else it asks the network for news

KNOWN: tuple[str, ...] = ()  # what the browser's console shows of JupyterLab itself
# JupyterLab greets every kernel for its widgets, before a cell has imported them
KNOWN_TO_KERNEL = re.compile(r"No such comm(: [\w-]+| target registered: jupyter.widget.control)\n")
COLOURS = re.compile(r"\x1b\[[\d;]*m")

OPEN = """async () => {
    const lab = window.jupyterapp;
    await lab.restored;
    const panel = lab.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    window.said = [];
    panel.sessionContext.session.kernel.iopubMessage.connect((_, message) => {
        const {header, content} = message;
        if (header.msg_type === "error") window.said.push(content.traceback.join("\\n"));
        if (header.msg_type === "stream" && content.name === "stderr") window.said.push(content.text);
    });
    window.opened = true;
}"""
RUN = """([command, cell]) => {
    const lab = window.jupyterapp, notebook = lab.shell.currentWidget.content;
    window.ran = false;
    if (cell !== null) { notebook.deselectAll(); notebook.activeCellIndex = cell; }
    lab.commands.execute(`notebook:${command}`).then(() => { window.ran = true; });
}"""
ASK = """async (code) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({code, store_history: false});
    let words = "";
    future.onIOPub = ({header, content}) => { if (header.msg_type === "stream") words += content.text; };
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("the kernel is silent")), 60000));
    await Promise.race([future.done, late]);
    return words;
}"""
SCROLL = """async (number) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = number;
    await notebook.scrollToItem(number, "start");
}"""
END = """() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"""
THEME = """(name) => { window.jupyterapp.commands.execute("apputils:change-theme", {theme: name}); }"""
CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells"""


def require_browser() -> str:
    """Return the path of a browser; without one skip the module that asks, or fail where UNETPP_BROWSER=required."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        said = f"No browser is on the PATH ({', '.join(BROWSERS)}): install Chromium to try the notebooks in it."
        if os.environ.get("UNETPP_BROWSER") == "required":
            pytest.fail(said, pytrace=False)
        pytest.skip(said, allow_module_level=True)
    return path


@contextmanager
def serve(folder: Path, private: Path) -> Iterator[str]:
    """Serve the notebooks of a folder; yield the address. ``private`` takes the settings and the server's log."""
    settings = private / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")
    own = {name: str(private / name.lower()) for name in names}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(private / "settings"), "OMP_NUM_THREADS": "1", "UNETPP_PROGRESS": "memory"}
    log = private / "log.txt"
    with log.open("w") as output:
        port = _free_port()
        server = subprocess.Popen(_command(folder, port), env=os.environ | own, stdout=output, stderr=output)
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + START_SECONDS
        while not _answers(f"{address}/api/status"):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"JupyterLab did not start. Its log:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command(folder: Path, port: int) -> list[str]:
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    options += ["--IdentityProvider.token=", "--expose-app-in-browser", f"--ServerApp.root_dir={folder}"]
    return [sys.executable, "-m", "jupyterlab", *options]


def _answers(address: str) -> bool:
    try:
        urlopen(address, timeout=5).close()
    except (URLError, OSError):
        return False
    return True


def write_notebook(path: Path, sources: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(notebook, path)


class OpenNotebook:
    """A notebook that a page shows in JupyterLab, and all that its kernel and the browser complain of."""

    def __init__(self, page: Page, address: str, name: str) -> None:
        self.page, self._console = page, []
        page.set_default_timeout(1000 * PAGE_SECONDS)
        page.on("console", lambda message: self._console.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._console.append(str(error)))
        page.goto(f"{address}/lab/tree/{name}?reset")
        page.wait_for_function("window.jupyterapp && window.jupyterapp.shell.currentWidget?.sessionContext")
        page.evaluate(f"() => {{ ({OPEN})(); }}")
        page.wait_for_function("window.opened")

    def run(self, seconds: float = PAGE_SECONDS) -> None:
        """Run all cells, and wait for the last one."""
        self.begin()
        self.end(seconds)

    def begin(self) -> None:
        """Begin to run all cells."""
        self.page.evaluate(RUN, ["run-all-cells", None])

    def end(self, seconds: float = PAGE_SECONDS) -> None:
        """Wait until the cells that were begun have run."""
        self.page.wait_for_function("window.ran", timeout=1000 * seconds)

    def run_cell(self, number: int, seconds: float = PAGE_SECONDS) -> None:
        """Run one cell, from 0; the others lose their outputs."""
        self._command("clear-all-cell-outputs", None, seconds)
        self._command("run-cell", number, seconds)

    def _command(self, name: str, cell: int | None, seconds: float) -> None:
        self.page.evaluate(RUN, [name, cell])
        self.end(seconds)

    def ask(self, code: str) -> str:
        """Return what the kernel prints when it runs ``code``."""
        words: str = self.page.evaluate(ASK, code)
        return words

    def cell(self, number: int) -> Locator:
        """Return a cell, from 0, where it can be seen."""
        self.page.evaluate(SCROLL, number)
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{number}"]')

    def change_theme(self, name: str) -> None:
        """Change JupyterLab's theme."""
        self.page.evaluate(THEME, name)
        self.page.wait_for_function("(name) => document.body.dataset.jpThemeName === name", arg=name)

    def close(self) -> None:
        """End the kernel, and close the page."""
        self.page.evaluate(END)
        self.page.close()

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The cells with their outputs, as in a notebook's file."""
        cells: list[dict[str, Any]] = self.page.evaluate(CELLS)
        return cells

    def expect_no_complaints(self) -> None:
        """Fail with what the kernel wrote to stderr and what the browser's console says, where there is something."""
        said = [words for words in self.page.evaluate("window.said") if not KNOWN_TO_KERNEL.fullmatch(words)]
        said += [words for words in self._console if not any(known in words for known in KNOWN)]
        if said:
            self.page.evaluate("window.said = []")
            self._console.clear()
            pytest.fail("\n".join(COLOURS.sub("", words) for words in said), pytrace=False)
