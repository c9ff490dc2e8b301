"""The workflows pin what they run, publish only what was built for a tag, and what they call exists and bites."""

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from runpy import run_path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
check_links = run_path(str(ROOT / "docs" / "check_links.py"))
faults_of = run_path(str(ROOT / "docs" / "check_release.py"))["faults_of"]


def jobs_of(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


def steps_of(path: Path) -> list[dict]:
    return [step for job in jobs_of(path).values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit_and_names_its_version(path):
    used = re.findall(r"uses: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line)] == []


def test_one_action_has_one_version_everywhere():
    used = {line for path in WORKFLOWS for line in re.findall(r"uses: (.*)$", path.read_text(), re.MULTILINE)}
    names = [line.partition("@")[0] for line in used]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_only_the_jobs_that_publish_may_more(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert ("permissions" in job) == name.startswith("publish")
        assert job["timeout-minutes"] <= 90


def test_only_a_tag_publishes_and_only_what_was_built_and_checked():
    jobs = jobs_of(ROOT / ".github/workflows/release.yml")
    publishing = {name: job for name, job in jobs.items() if name.startswith("publish")}
    assert publishing.keys() == {"publish-wheel", "publish-site"}
    for job in publishing.values():
        assert job["if"] == "github.ref_type == 'tag'"
        assert set(job["needs"]) == {"build", "site"}
        assert job["permissions"]["id-token"] == "write"  # trusted publishing: no password
        assert not any("run" in step for step in job["steps"])
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text()


def test_the_scripts_and_targets_that_workflows_call_exist():
    runs = "\n".join(step["run"] for path in WORKFLOWS for step in steps_of(path) if "run" in step)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:^|\s)make ([a-z-]+)", runs)) <= set(targets)
    assert [name for name in re.findall(r"(?:docs|\.ci|tests)/[\w/]+\.?\w*", runs) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_a_name_a_description_and_fields_with_labels(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form.keys() >= {"name", "description", "body"}
    for field in form["body"]:
        assert field["type"] in ("textarea", "input", "dropdown", "markdown")
        assert "value" in field["attributes"] if field["type"] == "markdown" else field["attributes"]["label"]


def release(root: Path, version: str, address: str = "https://github.com/ada/nets") -> Path:
    (root / "unetpp_lib").mkdir()
    (root / "unetpp_lib" / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (root / "CITATION.cff").write_text(f"cff-version: 1.2.0\nversion: {version}\n")
    (root / "CHANGELOG.md").write_text(f"# Changelog\n\n## {version}\n\n## 0.0.1\n")
    (root / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{address}"\n')
    return root


def test_a_tag_is_released_where_everything_names_its_version(tmp_path):
    assert faults_of("v0.2.0", release(tmp_path, "0.2.0")) == []


def test_a_tag_with_another_version_or_without_an_address_is_held_back(tmp_path):
    found = faults_of("v0.3.0", release(tmp_path, "0.2.0", "https://github.com/OWNER/REPOSITORY"))
    assert found[:-1] == [
        f"{name} says 0.2.0, the tag 0.3.0" for name in ("unetpp_lib/__init__.py", "CITATION.cff", "CHANGELOG.md")
    ]
    assert "has no address yet" in found[-1]


class Server(BaseHTTPRequestHandler):
    """Answers with the status that the address names."""

    def do_GET(self):
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def server():
    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(("status", "fault"), [(200, False), (404, True), (410, True), (403, False), (503, False)])
def test_a_page_that_is_gone_is_told_from_a_server_that_refuses(server, status, fault):
    said = check_links["answer_of"](f"{server}/{status}", pause=0)
    assert said.startswith("ok" if status == 200 else str(status))
    assert check_links["is_fault"](said) == fault


def test_a_server_that_does_not_exist_is_a_fault():
    assert check_links["is_fault"](check_links["answer_of"]("http://127.0.0.1:9/", pause=0))


def test_the_links_of_all_texts_are_found_without_those_that_are_not_filled_in_yet(tmp_path):
    (tmp_path / "README.md").write_text(
        "[a](https://arxiv.org/abs/1807.10165), https://d2l.ai. [own](https://github.com/OWNER/REPOSITORY)"
    )
    links = check_links["links_of"](tmp_path)
    assert links == {"https://arxiv.org/abs/1807.10165": ["README.md"], "https://d2l.ai": ["README.md"]}
    text, faulty = check_links["report"]([(address, "404 Not Found") for address in links], links)
    assert faulty
    assert "2 outside links, 2 lead nowhere." in text
    assert "- **gone**: https://d2l.ai (404 Not Found), in README.md" in text


def test_the_devcontainer_ends_in_make_lab():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    container = yaml.safe_load("\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//")))
    assert container["postAttachCommand"] == "make lab"
    script = container["postCreateCommand"].split()[-1]
    assert "make .venv/installed" in (ROOT / script).read_text()
