"""Several processes train as one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="torchrun needs libuv, which PyTorch for Windows lacks"),
]


def train(tiny_set, out, *options, processes=1, program="unetpp_lib"):
    command = [sys.executable, "-m", program, "train"]
    if processes > 1:
        command[1:2] = [
            "-m",
            "torch.distributed.run",
            f"--nproc-per-node={processes}",
            "--standalone",
            "--local-addr=127.0.0.1",
            "-m",
        ]
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


def test_two_processes_give_the_losses_of_one_where_pixels_are_ignored(tiny_set, tmp_path):
    """A pixel counts as much on a process with many ignored ones as on one with few."""
    data = tmp_path / "ignored"
    for part in ("images", "masks"):
        (data / part).mkdir(parents=True)
        for number, path in enumerate(sorted((tiny_set / part).iterdir())):
            picture = np.array(Image.open(path))
            if part == "masks":
                picture //= 255
                picture[: 6 * (number % 8)] = 255
            Image.fromarray(picture).save(data / part / path.name)
    losses = {}
    for processes in (1, 2):
        result = train(data, tmp_path / str(processes), "--norm", "none", "--num-classes", "2", processes=processes)
        assert result.returncode == 0, result.stderr
        lines = (tmp_path / str(processes) / "metrics.jsonl").read_text().splitlines()
        losses[processes] = [json.loads(line)["loss"] for line in lines]
    assert losses[2] == pytest.approx(losses[1], abs=1e-5)


NOTING = '''"""The command, and each rank notes what it draws from at each step."""
import os
from unetpp_lib.cli import main
from unetpp_lib.engine import trainer

step = trainer.training_step

def note(*arguments):
    with open(os.environ["NOTES"] + os.environ["RANK"], "a") as file:
        print(arguments[-1], file=file)
    return step(*arguments)

trainer.training_step = note
main()
'''


def test_no_two_ranks_and_no_two_steps_draw_the_same_augmentation_and_dropout(tiny_set, tmp_path, monkeypatch):
    (tmp_path / "noting.py").write_text(NOTING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("NOTES", str(tmp_path / "seeds"))
    result = train(tiny_set, tmp_path / "run", "--norm", "none", processes=2, program="noting")
    assert result.returncode == 0, result.stderr
    seeds = [(tmp_path / f"seeds{rank}").read_text().split() for rank in (0, 1)]
    assert len(seeds[0]) == len(seeds[1]) == 12
    assert len({*seeds[0], *seeds[1]}) == 24


def test_batch_norm_on_the_cpu_warns_and_the_main_process_alone_writes(tiny_set, tmp_path):
    result = train(tiny_set, tmp_path / "run", processes=2)
    assert result.returncode == 0, result.stderr
    assert "batch norm from its own part" in result.stderr
    assert result.stdout.count("Predictions:") == 1
    assert load_file(tmp_path / "run" / "best.safetensors")


def test_processes_that_cannot_share_the_batch_are_told(tiny_set, tmp_path):
    result = train(tiny_set, tmp_path / "run", "--batch-size", "3", processes=2)
    assert result.returncode != 0
    assert "batch_size is 3; 2 processes need a multiple of 2" in result.stderr


DYING = '''"""The command, but rank 1 is killed when it comes to its seventh step."""
import os, signal
from unetpp_lib.cli import main
from unetpp_lib.engine.trainer import Trainer

step = Trainer.make_step

def die(self, images, masks):
    if self.world.rank == 1 and self.step == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, images, masks)

Trainer.make_step = die
main()
'''


def test_a_rank_that_dies_ends_the_run_which_goes_on_with_another_number_of_ranks(tiny_set, tmp_path, monkeypatch):
    (tmp_path / "dying.py").write_text(DYING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = tmp_path / "run"
    options = ("--norm", "group", "--checkpoint-seconds", "0")
    result = train(tiny_set, run, *options, processes=2, program="dying")
    assert result.returncode != 0
    assert "unetpp: Rank 0 of 2 lost contact with another rank at step 6" in result.stderr
    assert f"--out {run} --resume" in result.stderr
    went_on = train(tiny_set, run, *options, "--resume")
    assert went_on.returncode == 0, went_on.stderr
    unbroken = train(tiny_set, tmp_path / "unbroken", *options)
    assert unbroken.returncode == 0, unbroken.stderr
    losses = [
        [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (run, tmp_path / "unbroken")
    ]
    assert len(losses[0]) == 3
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
