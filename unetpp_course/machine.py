"""Checks whether this machine is ready for the course, and describes it.

At the top this file imports only the standard library, so that it can say what is missing even if that is torch.
"""

import platform
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from unetpp_lib.errors import InputError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISK_GB = 1  # for training runs and downloaded images
IMPORTED_AS = {"pillow": "PIL", "scikit-image": "skimage"}  # packages that are imported under another name
PROGRAMS = {"jupyterlab"}  # started beside the notebooks, not imported by them


def check_machine() -> None:
    """Print one line for everything that the course needs: [OK], or [FAIL] and what to do.

    An [OK] line says what is needed, not what was found, so that it is the same on every machine.
    """
    failures = 0
    for need, problems in examine():
        print("[FAIL]" if problems else "[OK]  ", need)
        for problem in problems:
            print("       →", problem)
        failures += bool(problems)
    if failures:
        print(f"{failures} to repair: follow the arrows, choose Kernel → Restart Kernel, and run this cell again.")
    else:
        print("Your machine is ready.")


def describe_machine() -> None:
    """Print the versions and the device that networks run on here; quote them when you ask for help."""
    from unetpp_lib.engine import choose_runtime

    print(f"Python {platform.python_version()} on {platform.system()}")
    print(f"torch {version('torch')}, library {version('unetpp')}")
    print(f"Networks run on {choose_runtime()}")


def examine() -> Iterator[tuple[str, list[str]]]:
    """Yield everything that the course needs, each with a list of problems and how to solve them."""
    try:
        lowest = str(metadata("unetpp")["Requires-Python"])
        library, course = _requirements(extra=""), _requirements(extra="course")
    except PackageNotFoundError:
        yield "the library unetpp", ["This Python does not have it. In a terminal, in the course's folder: make lab"]
        return
    except ImportError:
        yield "the package packaging", ["It is missing or damaged. In a new cell run: %pip install packaging"]
        return
    yield f"Python {lowest}", _python_problems(lowest)
    for group, requirements in (("library", library), ("notebooks", course)):
        names = ", ".join(requirement.name for requirement in requirements)
        yield (
            f"packages of the {group}, in versions that fit: {names}",
            list(filter(None, map(_package_problem, requirements))),
        )
    yield "sliders and buttons in JupyterLab", _errors_of(_make_slider)
    yield "the embedded images: membranes", _errors_of(_open_membranes)
    yield "a trained network: unetpp_membranes", _errors_of(_load_network)
    yield "the exercises of all notebooks", _errors_of(_read_exercises)
    yield f"{DISK_GB} GB of free disk space", _disk_problems()


def _requirements(extra: str) -> list["Requirement"]:
    """Return the requirements in pyproject.toml, those of the library (no extra) or of one extra."""
    from packaging.requirements import Requirement  # comes with Jupyter's kernel

    parsed = [Requirement(line) for line in requires("unetpp") or []]
    if not extra:
        return [requirement for requirement in parsed if requirement.marker is None]
    return [r for r in parsed if r.marker is not None and r.marker.evaluate({"extra": extra})]


def _python_problems(lowest: str) -> list[str]:
    from packaging.specifiers import SpecifierSet

    found = platform.python_version()
    if SpecifierSet(lowest).contains(found, prereleases=True):
        return []
    return [f"This is Python {found}. Install a newer one, and run `make lab` with it."]


def _package_problem(requirement: "Requirement") -> str | None:
    name = requirement.name
    remedy = f'In a new cell run: %pip install "{name}{requirement.specifier}"'
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is missing. {remedy}"
    if not requirement.specifier.contains(found, prereleases=True):
        return f"{name} {found} does not fit. {remedy}"
    if name in PROGRAMS:
        return None
    try:
        import_module(IMPORTED_AS.get(name, name))
    except Exception as error:  # a package whose files are damaged may raise anything
        return f"{name} {found} is damaged ({error}). {remedy} --force-reinstall"
    return None


def _errors_of(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except (ImportError, OSError, InputError) as error:
        return [str(error)]
    except Exception as error:  # a package whose files are damaged may raise anything
        found = f"It failed with {type(error).__name__}: {error}."
        return [f"{found} Repair what the lines above name; if they are all [OK], run `make lab` in a terminal again."]
    return []


def _make_slider() -> None:
    try:
        version("jupyterlab_widgets")  # the half of ipywidgets that runs in the browser
        import_module("ipywidgets").IntSlider()
    except (PackageNotFoundError, ImportError) as error:
        raise ImportError(
            "ipywidgets is not complete. In a new cell run: %pip install --force-reinstall ipywidgets "
            "jupyterlab_widgets, then start JupyterLab again."
        ) from error


def _open_membranes() -> None:
    from unetpp_lib.data import SegmentationFolder, find_dataset

    SegmentationFolder(find_dataset("membranes"))


def _load_network() -> None:
    from unetpp_course.shipped import shipped_model

    shipped_model("unetpp_membranes")


def _read_exercises() -> None:
    from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises

    for notebook in notebooks_with_exercises():
        exercises_of(notebook)


def _disk_problems() -> list[str]:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    return (
        []
        if free >= DISK_GB
        else [f"Only {free:.1f} GB are free on the disk of this notebook. Delete files that you do not need."]
    )
