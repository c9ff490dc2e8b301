"""The command for a GPU keeps to its eight minutes, says where there is none, and its protocol keeps to its time."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="the script is for bash")


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable}
    command = ["bash", str(BENCHMARKS / "gpu.sh"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


@pytest.fixture
def protocol():
    specification = importlib.util.spec_from_file_location("gpu_protocol", BENCHMARKS / "gpu_protocol.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@needs_bash
def test_the_planned_steps_take_eight_minutes_together():
    result = run_script("--dry-run")
    *steps, together = [int(seconds) for seconds in re.findall(r"^(\d+) s", result.stdout, re.MULTILINE)]
    assert result.returncode == 0
    assert sum(steps) == together == 480


@pytest.mark.slow
@needs_bash
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_script_says_so_and_writes_nothing(tmp_path):
    result = run_script(str(tmp_path / "results"))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("There is no GPU here, so nothing was run.")
    assert not (tmp_path / "results").exists()


def test_a_run_stops_at_the_end_of_the_last_epoch_that_fits(protocol, monkeypatch):
    """Epochs of four steps, a step of 10 s: the second epoch ends at 80 s, and a third would end at 120."""
    now = [0.0]
    monkeypatch.setattr(protocol.time, "monotonic", lambda: now[0])
    for moment, last in ((130, 12), (110, 8), (25, 3)):
        now[0], deadline = 0.0, protocol.Deadline(moment)
        for step in range(1, 100):
            now[0] = 10.0 * step
            if deadline(SimpleNamespace(step=step, plan=SimpleNamespace(steps_per_epoch=4))):
                break
        assert step == last


@pytest.mark.slow
def test_the_protocol_writes_both_histories_their_provenance_and_curves(protocol, monkeypatch, tiny_set, tmp_path):
    monkeypatch.setattr(protocol, "CONFIG", replace(protocol.CONFIG, epochs=1))
    small = {"source": str(tiny_set), "device": "cpu", "patch": 32, "widths": (2, 3)}
    protocol.main(protocol.Settings(out=tmp_path, seconds=600, **small))
    result = json.loads((tmp_path / "report_protocol.json").read_text())
    assert {name: len(history) for name, history in result["histories"].items()} == {"unet": 1, "unetpp_plain": 1}
    assert {"torch", "commit", "runtime"} <= result["provenance"].keys()
    assert (tmp_path / "report_protocol.png").exists()


@pytest.mark.slow
def test_a_protocol_without_time_for_one_epoch_says_so(protocol, tiny_set, tmp_path):
    small = {"source": str(tiny_set), "device": "cpu", "patch": 32, "widths": (2, 3)}
    with pytest.raises(SystemExit, match="Not one epoch of unet and unetpp_plain fitted into 0 s"):
        protocol.main(protocol.Settings(out=tmp_path, seconds=0, **small))
    assert json.loads((tmp_path / "report_protocol.json").read_text())["histories"] == {"unet": [], "unetpp_plain": []}
