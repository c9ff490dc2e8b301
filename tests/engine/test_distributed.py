"""Several processes train as one."""

import json
import os
import subprocess
import sys

import pytest
from safetensors.torch import load_file

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="torchrun needs libuv, which PyTorch for Windows lacks"),
]


def train(tiny_set, out, *options, processes=1):
    command = [sys.executable, "-m", "unetpp_lib", "train"]
    if processes > 1:
        command[1:2] = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone", "-m"]
    command += ["--data", str(tiny_set), "--out", str(out), "--device", "cpu", "--precision", "float32"]
    command += ["--widths", "4", "6", "8", "--patch", "32", "--epochs", "3", "--no-augment", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


@pytest.mark.parametrize("norm", ["group", "none"])
def test_two_processes_give_the_losses_of_one(tiny_set, tmp_path, norm):
    losses = {}
    for processes in (1, 2):
        result = train(tiny_set, tmp_path / str(processes), "--norm", norm, processes=processes)
        assert result.returncode == 0, result.stderr
        lines = (tmp_path / str(processes) / "metrics.jsonl").read_text().splitlines()
        losses[processes] = [json.loads(line)["loss"] for line in lines]
    assert len(losses[1]) == 3
    assert losses[2] == pytest.approx(losses[1], abs=1e-5)


def test_batch_norm_on_the_cpu_warns_and_the_main_process_alone_writes(tiny_set, tmp_path):
    result = train(tiny_set, tmp_path / "run", processes=2)
    assert result.returncode == 0, result.stderr
    assert "statistics from each process's share" in result.stderr
    assert result.stdout.count("Predictions:") == 1
    assert load_file(tmp_path / "run" / "best.safetensors")


def test_processes_that_cannot_share_the_batch_are_told(tiny_set, tmp_path):
    result = train(tiny_set, tmp_path / "run", "--batch-size", "3", processes=2)
    assert result.returncode != 0
    assert "batch_size is 3; 2 processes need a multiple of 2" in result.stderr
