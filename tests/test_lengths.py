"""Files of Python and JavaScript have fewer than 300 lines, functions of Python fewer than 40; exercises are exempt."""

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE_LINES, FUNCTION_LINES = 300, 40
EXEMPT = ROOT / "unetpp_course" / "exercises"

# still too long; whoever shortens one takes it out
KNOWN = {
    "tests/library/data/test_downloads.py",
    "tests/library/data/test_folder.py",
    "tests/library/data/test_folders_of_all_kinds.py",
    "tests/library/data/test_images_of_all_kinds.py",
    "tests/library/engine/test_trainer.py",
    "tests/library/metrics/test_overlap.py",
    "tests/library/test_cli.py",
    "tests/library/test_losses.py",
    "unetpp_lib/cli.py: predict",  # its docstring is the command's help
    "unetpp_lib/engine/evaluation.py: evaluate",
}


def source_files() -> list[Path]:
    asked = ["git", "ls-files", "-z", "*.py", "*.js"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and EXEMPT not in (path := ROOT / name).parents]


def too_long(path: Path) -> set[str]:
    """Return the file, and its functions if it is Python, that reach the limits."""
    name, source = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    found = {name} if source.count("\n") >= FILE_LINES else set()
    if path.suffix != ".py":
        return found
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 >= FUNCTION_LINES:
                found.add(f"{name}: {node.name}")
    return found


def test_files_and_functions_are_short():
    found = set().union(*map(too_long, source_files()))
    assert found - KNOWN == set(), "split these: each probably holds two ideas"
    assert KNOWN - found == set(), "take these out of KNOWN: they are short now"
