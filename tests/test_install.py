"""The files that say what to install say the same."""

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# all but the benchmarks' MONAI, and without the extra that names others of ours: their packages are listed already
DIRECT = [
    *PROJECT["dependencies"],
    *(line for name, extra in EXTRAS.items() if name != "bench" for line in extra if not line.startswith("unetpp[")),
]
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split("\n") if "==" in line)
IN_CONTAINERS = "3.13"  # the Python of environment.yml, and of the container for Codespaces


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_conda_installs_what_the_makefile_installs():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert [d for d in dependencies if str(d).startswith("python")] == [f"python={IN_CONTAINERS}"]
    pip = next(entry["pip"] for entry in dependencies if isinstance(entry, dict))
    assert pip == ["-c constraints.txt", "-e .[course,dev]"]
    assert "-e '.[course,dev]'" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("requirement", DIRECT)
def test_the_tested_set_pins_every_direct_dependency_within_its_range(requirement):
    wanted = Requirement(requirement)
    pins = {canonical(name): version for name, version in PINS.items()}
    assert canonical(wanted.name) in pins
    assert wanted.specifier.contains(pins[canonical(wanted.name)])


def test_the_tested_set_installs_on_the_oldest_python_that_is_promised():
    oldest = min(part.version for part in SpecifierSet(PROJECT["requires-python"])) + ".0"
    installed = [found for found in distributions() if PINS.get(found.name) == found.version]
    assert len(installed) > 50
    assert [f.name for f in installed if not SpecifierSet(f.metadata["Requires-Python"] or "").contains(oldest)] == []


def test_the_course_brings_every_extra_of_the_library():
    assert "unetpp[data,metrics,export]" in EXTRAS["course"]
    assert EXTRAS.keys() == {"data", "metrics", "export", "colab", "course", "dev", "docs", "bench"}


def test_colab_gets_what_the_notebooks_need_but_no_jupyterlab():
    assert {*EXTRAS["course"]} - {*EXTRAS["colab"]} == {"jupyterlab>=4.2"}


def test_the_build_needs_no_more_than_a_developer_has():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert set(build) <= set(EXTRAS["dev"])  # tests/library/test_wheel.py builds without isolation


def test_the_ranges_are_loose():
    requirements = [*PROJECT["dependencies"], *(r for extra in EXTRAS.values() for r in extra)]
    assert not [r for r in requirements if "==" in r or "<" in r]


def test_no_machine_of_ours_is_named():
    names = re.compile(r"(?<![\w.])/(?:work|tmp|root|opt|home)/")
    texts = [p for pattern in ("*.toml", "*.yml", "Makefile", "*.txt", ".ci/run") for p in ROOT.glob(pattern)]
    assert texts
    assert not [path.name for path in texts if names.search(path.read_text())]


def test_the_public_workflow_runs_what_ci_runs_and_on_windows_the_same_commands():
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["steps"]
    runs = {step["if"]: step["run"] for step in steps if "run" in step}
    assert runs["runner.os != 'Windows'"] == "bash .ci/run"
    targets = re.findall(r"^make (\S+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert targets == ["check", "test"]
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    lines = [line.partition("$(BIN)/")[2] for line in recipe.splitlines()]
    commands = [line if line.startswith(("lint-imports", "python")) else f"python -m {line}" for line in lines]
    assert runs["runner.os == 'Windows'"].splitlines() == [
        "python -m pip install -c constraints.txt -e .[course,dev,docs]",
        *commands,
        "python -m pytest -n 2 --dist loadfile --no-loadscope-reorder",
    ]


def test_the_python_of_conda_and_of_the_container_is_one_that_is_tried():
    container = (ROOT / ".devcontainer/devcontainer.json").read_text()
    assert f'"image": "mcr.microsoft.com/devcontainers/python:{IN_CONTAINERS}"' in container
    matrix = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["strategy"]["matrix"]
    assert IN_CONTAINERS in matrix["python"]


def test_every_python_that_is_promised_is_tried_on_linux():
    matrix = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["strategy"]["matrix"]
    assert PROJECT["requires-python"] == f">={matrix['python'][0]}"
    assert {entry["python"] for entry in matrix["include"]} == {matrix["python"][0], matrix["python"][-1]}
