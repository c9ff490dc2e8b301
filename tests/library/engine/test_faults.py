"""What ends a training from outside is said in one message, with what to do and how to go on."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from torch.utils.data import get_worker_info

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import TrainConfig, train
from unetpp_lib.engine import trainer as trainer_module
from unetpp_lib.engine.batches import load_batches
from unetpp_lib.engine.checkpoints import load_checkpoint
from unetpp_lib.engine.distributed import World
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.errors import InputError


class DeadlyFolder(SegmentationFolder):
    """A folder with one image that ends the worker that reads it, as the system does where memory runs out."""

    def __getitem__(self, index):
        if get_worker_info() is not None and self.names[index] == "disc_00":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


def tiny(data, out) -> TrainConfig:
    return TrainConfig(
        data=str(data), out=out, widths=(4, 6, 8), patch=32, batch_size=4, epochs=2, evaluate_every=2, device="cpu"
    )


def fails_at(step, error, monkeypatch):
    """Let a training fail with an error of PyTorch's own, in the step of that number."""
    proper = Trainer.make_step

    def failing(self, images, masks):
        if self.step == step:
            error()
        proper(self, images, masks)

    monkeypatch.setattr(Trainer, "make_step", failing)


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends a process no signals, it ends it")


@needs_signals
@pytest.mark.slow
def test_a_worker_that_dies_is_reported_with_the_image_that_it_had_in_hand(tiny_set, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_module, "SegmentationFolder", DeadlyFolder)
    config = replace(tiny(tiny_set, tmp_path / "run"), workers=2, validation=0.0, test=0.0)
    with pytest.raises(
        InputError, match=r"A worker .* died near step \d+ while the workers were reading .*disc_00.*--wor"
    ):
        train(config)


@needs_signals
@pytest.mark.parametrize("error", [ConnectionResetError(104, "Connection reset by peer"), EOFError()], ids=type)
def test_so_is_one_that_dies_while_it_hands_over_a_batch(tiny_set, tmp_path, monkeypatch, error):
    def signalled(*_):
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")

    class Dying:
        """A loader whose worker dies after its first batch."""

        def __init__(self, patches, plan, workers, pin):
            self.loader, self.dataset = load_batches(patches, plan, 0, pin), patches

        def __iter__(self):
            yield next(iter(self.loader))
            signal.signal(signal.SIGCHLD, signalled)
            raise error

    monkeypatch.setattr(trainer_module, "load_batches", Dying)
    monkeypatch.setattr(time, "sleep", lambda _: os.kill(os.getpid(), signal.SIGCHLD))  # it comes while one waits
    before = signal.getsignal(signal.SIGCHLD)
    try:
        with pytest.raises(InputError, match=r"A worker process that reads images died near step 1\."):
            train(replace(tiny(tiny_set, tmp_path / "run"), workers=1))
    finally:
        signal.signal(signal.SIGCHLD, before)


SLOW = '''"""The command, with images that take a while to read; a worker imports this too."""
import time
from unetpp_lib.cli import main
from unetpp_lib.engine.batches import Patches

read = Patches.__getitem__

def slowly(self, place):
    time.sleep(0.2)
    return read(self, place)

Patches.__getitem__ = slowly
if __name__ == "__main__":
    main()
'''


@pytest.mark.slow
@needs_signals
def test_ctrl_c_in_a_terminal_reaches_the_workers_too_and_loses_nothing(tiny_set, tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    options = ["--widths", "4", "6", "--patch", "32", "--epochs", "50", "--workers", "2", "--checkpoint-seconds", "0"]
    command = [sys.executable, "slow.py", "train", "--data", str(tiny_set), "--out", "run", "--device", "cpu", *options]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "run" / "last.pt"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the command
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert load_checkpoint(checkpoint)["step"] > 0


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(32, "Broken pipe"),  # a logger whose other end is gone
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),  # of a loader of its own
        RuntimeError("cannot open /home/gloomy/log"),  # not gloo's
    ],
    ids=str,
)
def test_what_a_callback_raises_is_no_workers_and_no_ranks_death(tiny_set, tmp_path, error):
    def callback(_):
        raise error

    with pytest.raises(type(error), match=re.escape(str(error))):
        train(tiny(tiny_set, tmp_path / "run"), callback=callback)


@pytest.mark.slow
def test_nor_is_a_broken_pipe_of_a_callback_where_workers_read(tiny_set, tmp_path):
    def callback(_):
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        train(replace(tiny(tiny_set, tmp_path / "run"), workers=1), callback=callback)


def test_a_rank_that_lost_another_one_outlives_the_launchers_signal(tiny_set, tmp_path, monkeypatch):
    def lose_it(self, *_):
        self.world = World(rank=0, size=2)
        raise RuntimeError("[gloo] Connection closed by peer")

    monkeypatch.setattr(Trainer, "make_step", lose_it)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(InputError, match="lost contact with another rank at step 0"):
            train(tiny(tiny_set, tmp_path / "run"))
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def the_cpus_memory_runs_out():
    torch.empty(2**55)


def the_gpus_memory_runs_out():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def a_gpus_memory_runs_out_outside_pytorchs_allocator():
    raise RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported")


def numpys_memory_runs_out():
    raise MemoryError


@pytest.mark.parametrize(
    "error",
    [
        the_cpus_memory_runs_out,
        the_gpus_memory_runs_out,
        a_gpus_memory_runs_out_outside_pytorchs_allocator,
        numpys_memory_runs_out,
    ],
)
def test_memory_that_runs_out_names_what_to_lower(tiny_set, tmp_path, monkeypatch, error):
    fails_at(1, error, monkeypatch)
    message = (
        r"ran out at step 1, with batches of 4 patches of 32×32 and --widths 4 6 8.* smaller --batch-size.* holds no "
    )
    with pytest.raises(InputError, match=message):
        train(tiny(tiny_set, tmp_path / "run"))


def test_a_run_whose_memory_ran_out_goes_on_from_its_checkpoint(tiny_set, tmp_path, monkeypatch):
    config = replace(tiny(tiny_set, tmp_path / "run"), checkpoint_seconds=0)
    fails_at(3, the_gpus_memory_runs_out, monkeypatch)
    with pytest.raises(InputError, match=r"The last checkpoint is .*last\.pt .* continue with --out .*run --resume"):
        train(config)
    monkeypatch.undo()
    assert train(config, resume=True).is_finished


def test_another_error_stays_what_it_is(tiny_set, tmp_path, monkeypatch):
    def break_down():
        raise RuntimeError("shape mismatch")

    fails_at(0, break_down, monkeypatch)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        train(tiny(tiny_set, tmp_path / "run"))
