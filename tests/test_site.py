"""What `docs/check_site.py` holds the website to would be noticed if it were broken."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("check_site", ROOT / "docs" / "check_site.py")
check_site = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_site)

PAGE = '<h1 id="top">A page</h1> <img src="dot.png" alt="a dot"> <a href="other.html#end">there</a>'


@pytest.fixture
def site(tmp_path) -> Path:
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "other.html").write_text('<p id="end"><a href="index.html">back</a> <a href="#end">here</a></p>')
    (tmp_path / "dot.png").touch()
    return tmp_path


def test_a_sound_site_has_no_faults(site):
    assert check_site.faults_of(site) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("other.html", "gone.html", "gone.html#end leads to no file"),
        ("#end", "#begin", "other.html#begin leads to no place of its page"),
        ("dot.png", "gone.png", "gone.png leads to no file"),
        ('alt="a dot"', 'alt=""', "the picture dot.png has no words"),
        ('src="dot.png"', 'src="https://example.org/dot.png"', "loads https://example.org/dot.png from elsewhere"),
    ],
)
def test_what_is_broken_is_found(site, old, new, fault):
    (site / "index.html").write_text(PAGE.replace(old, new))
    (found,) = check_site.faults_of(site)
    assert found.endswith(fault)
