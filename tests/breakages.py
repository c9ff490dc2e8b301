"""Break the code on purpose and see that the tests notice: `python tests/breakages.py [WORDS OF A NAME]`.

`breakages.toml` describes each breakage as a behaviour, with the text that is replaced and the tests that must catch
it. Each is made in a copy of the repository, and caught only if every one of its tests fails there, which all pass in
the copy as it is. A text that is no longer in its file is an error: the breakage must then be described anew.
"""

import multiprocessing
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "_site", "runs", "my_course")
LOADED_ONCE = ["torch", "pytest", "hypothesis", "skimage.segmentation", "scipy.ndimage"]  # they take seconds


class Breakage(NamedTuple):
    name: str
    file: str
    old: str
    new: str
    tests: list[str]

    def broken_text(self, root: Path) -> str:
        """Return the file's text with the breakage in it."""
        text = (root / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise SystemExit(
                f"{self.file} contains {self.old!r} {text.count(self.old)} times, not once. "
                f"In breakages.toml, say anew how this comes about: {self.name}."
            )
        return text.replace(self.old, self.new)


class Results:
    """A plugin of pytest that notes which tests pass and which fail, by their names without parameters."""

    def __init__(self) -> None:
        self.passed: set[str] = set()
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.when == "call":
            (self.failed if report.failed else self.passed).add(report.nodeid.partition("[")[0])


def read_breakages() -> list[Breakage]:
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return [Breakage(**values) for values in content["breakage"]]


def run_tests(tests: Collection[str], root: Path, answers: multiprocessing.SimpleQueue) -> None:
    """Run tests in the copy ``root`` and answer with which passed and which failed."""
    os.chdir(root)
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True  # a file that is broken and mended within a second looks the same
    os.environ["PYTHONPATH"] = str(root)  # for the processes that tests start
    results = Results()
    with Path(root.parent / "output.txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        pytest.main(["-q", "-p", "no:cacheprovider", *tests], plugins=[results])
    answers.put((results.passed, results.failed))


def failing(tests: Collection[str], root: Path) -> set[str]:
    """Return which of the tests fail in the copy ``root``; raise SystemExit where one of them is not run."""
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    context.set_forkserver_preload(LOADED_ONCE)
    answers = context.SimpleQueue()
    process = context.Process(target=run_tests, args=(tests, root, answers))
    process.start()
    process.join()
    passed, failed = (set(), set()) if answers.empty() else answers.get()
    if missing := {test.partition("[")[0] for test in tests} - passed - failed:
        output = (root.parent / "output.txt").read_text()
        raise SystemExit(f"{output}\nThese were not run: {', '.join(sorted(missing))}")
    return {test for test in tests if test.partition("[")[0] in failed}


def main(words: str) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    breakages = [breakage for breakage in read_breakages() if words in breakage.name]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "copy"
        shutil.copytree(ROOT, root, ignore=LEFT_OUT)
        broken = [breakage.broken_text(root) for breakage in breakages]
        if already := failing(sorted({test for breakage in breakages for test in breakage.tests}), root):
            raise SystemExit(f"These fail before anything is broken: {', '.join(sorted(already))}")
        for breakage, text in zip(breakages, broken, strict=True):
            file = root / breakage.file
            whole = file.read_text(encoding="utf-8")
            file.write_text(text, encoding="utf-8")
            missed = set(breakage.tests) - failing(breakage.tests, root)
            file.write_text(whole, encoding="utf-8")
            survivors += bool(missed)
            print("SURVIVED" if missed else "caught  ", breakage.name, *sorted(missed), sep="  ", flush=True)
    print(f"{len(breakages) - survivors} of {len(breakages)} breakages were caught.")
    sys.exit(survivors > 0)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
