"""Several processes train as one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from unetpp_lib.cli import main

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="torchrun needs libuv, which PyTorch for Windows lacks"),
]


def arguments(tiny_set, out, *options):
    where = ["train", "--data", str(tiny_set), "--out", str(out), "--device", "cpu", "--precision", "float32"]
    return [*where, "--widths", "4", "6", "8", "--patch", "32", "--epochs", "3", "--no-augment", *options]


def train_by_two(tiny_set, out, *options, program="unetpp_lib"):
    launcher = ["torch.distributed.run", "--nproc-per-node=2", "--standalone", "--local-addr=127.0.0.1", "-m", program]
    command = [sys.executable, "-m", *launcher, *arguments(tiny_set, out, *options)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


def train_alone(tiny_set, out, *options):
    """Train in this process, as the command does."""
    with pytest.raises(SystemExit) as ended:
        main(arguments(tiny_set, out, *options))
    assert not ended.value.code


def losses_of(run):
    return [json.loads(line)["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def require_equal_losses(data, folder, *options):
    """Train alone and by two, and compare the losses of the three epochs."""
    train_alone(data, folder / "1", *options)
    result = train_by_two(data, folder / "2", *options)
    assert result.returncode == 0, result.stderr
    alone, by_two = losses_of(folder / "1"), losses_of(folder / "2")
    assert len(alone) == 3
    assert by_two == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("norm", ["group", "none"])
def test_two_processes_give_the_losses_of_one(tiny_set, tmp_path, norm):
    require_equal_losses(tiny_set, tmp_path, "--norm", norm)


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
    require_equal_losses(data, tmp_path, "--norm", "none", "--num-classes", "2")


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
    result = train_by_two(tiny_set, tmp_path / "run", "--norm", "none", program="noting")
    assert result.returncode == 0, result.stderr
    seeds = [(tmp_path / f"seeds{rank}").read_text().split() for rank in (0, 1)]
    assert len(seeds[0]) == len(seeds[1]) == 12
    assert len({*seeds[0], *seeds[1]}) == 24


def test_batch_norm_on_the_cpu_warns_and_the_main_process_alone_writes(tiny_set, tmp_path):
    result = train_by_two(tiny_set, tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert "batch norm from its own part" in result.stderr
    assert result.stdout.count("Predictions:") == 1
    assert load_file(tmp_path / "run" / "best.safetensors")


def test_processes_that_cannot_share_the_batch_are_told(tiny_set, tmp_path):
    result = train_by_two(tiny_set, tmp_path / "run", "--batch-size", "3")
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
    result = train_by_two(tiny_set, run, *options, program="dying")
    assert result.returncode != 0
    assert "unetpp: Rank 0 of 2 lost contact with another rank at step 6" in result.stderr
    assert f"--out {run} --resume" in result.stderr
    train_alone(tiny_set, run, *options, "--resume")
    train_alone(tiny_set, tmp_path / "unbroken", *options)
    losses = losses_of(run)
    assert len(losses) == 3
    assert losses == pytest.approx(losses_of(tmp_path / "unbroken"), abs=1e-5)
