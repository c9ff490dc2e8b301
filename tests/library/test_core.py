"""The core runs where only torch, numpy, Pillow, tifffile, tqdm, safetensors and tyro are."""

import os
import subprocess
import sys

import pytest

BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"matplotlib", "ipywidgets", "IPython", "pooch", "scipy", "skimage", "onnxscript"}:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

sys.meta_path.insert(0, Blocker())
"""


def run(code: str, cwd) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", BLOCK + code], capture_output=True, text=True, cwd=cwd, env=environment, timeout=300
    )


@pytest.mark.slow
def test_the_core_trains_without_the_packages_of_the_course(tiny_set, tmp_path):
    code = f"""
from unetpp_lib.cli import main
main(["train", "--data", {str(tiny_set)!r}, "--widths", "4", "6", "--patch", "32", "--epochs", "1", "--out", "run"])
"""
    result = run(code, tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "run" / "scores.json").exists()


def test_importing_the_package_imports_nothing_heavy(tmp_path):
    result = run("import unetpp_lib; print([m for m in ('torch', 'numpy', 'PIL') if m in sys.modules])", tmp_path)
    assert result.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ("data", "from unetpp_lib.data import download; download('isbi2012', 'out')"),
        ("metrics", "import numpy; from unetpp_lib.metrics import segments; segments(numpy.ones((2, 2)))"),
        ("export", "from unetpp_lib.cli import main; main(['export', 'unet_membranes', '--out', 'network.onnx'])"),
    ],
)
def test_what_needs_a_missing_package_names_the_extra_that_brings_it(tmp_path, extra, code):
    result = run(code, tmp_path)
    assert f'pip install "unetpp[{extra}]"' in result.stderr
    assert list(tmp_path.iterdir()) == []
