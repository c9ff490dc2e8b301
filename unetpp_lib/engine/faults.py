"""Failures from outside that end a training run: each becomes an error that says what to do."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from unetpp_lib.engine.batches import Patches
from unetpp_lib.engine.config import TrainConfig
from unetpp_lib.engine.distributed import World, peer_is_lost
from unetpp_lib.engine.runs import Run
from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.errors import InputError


class RunningTrainer(Protocol):
    """The parts of a `Trainer` that the messages mention."""

    run: Run
    config: TrainConfig
    runtime: Runtime
    world: World
    loader: DataLoader[tuple[Tensor, Tensor]]
    step: int


class _WorkerDiedError(Exception):
    """A worker process died while it passed on a batch."""


@contextmanager
def explained(trainer: RunningTrainer) -> Iterator[None]:
    """Turn the loss of a rank, the death of a worker and a lack of memory into an InputError with a remedy."""
    try:
        yield
    except _WorkerDiedError as error:
        raise InputError(_lost_worker(trainer)) from error
    except (RuntimeError, MemoryError) as error:
        if trainer.world.size > 1 and peer_is_lost(error):
            _outlive_sigterm()
            raise InputError(_lost_peer(trainer)) from error
        if trainer.config.workers and "DataLoader worker" in str(error):  # else a callback's own
            raise InputError(_lost_worker(trainer)) from error
        if _memory_ran_out(error):
            raise InputError(_too_large(trainer)) from error
        raise


def read_batches(loader: DataLoader[tuple[Tensor, Tensor]], trainer: RunningTrainer) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches; a connection to a worker that breaks in between means that the worker has died."""
    batches = iter(loader)
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except (ConnectionError, EOFError) as error:
            if not trainer.config.workers:
                raise
            with suppress(RuntimeError):
                time.sleep(1)  # wait for SIGCHLD, on which PyTorch raises wherever the program is
            raise _WorkerDiedError from error
        yield batch


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into an event, so that the current step is completed; the next ends at once."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield event
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(*_: object) -> None:
        event.set()
        restore()

    for number in before:
        signal.signal(number, note)
    try:
        yield event
    finally:
        restore()


def _outlive_sigterm() -> None:
    """Ignore SIGTERM, which `torchrun` sends to the remaining ranks, perhaps before they have printed their message."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _memory_ran_out(error: Exception) -> bool:
    """Return whether memory ran out; on the CPU, for pinned memory and in compiled code only the text tells."""
    words = ("out of memory", "can't allocate memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(part in str(error) for part in words)


def _lost_peer(trainer: RunningTrainer) -> str:
    world = trainer.world
    return (
        f"Rank {world.rank} of {world.size} lost contact with another rank at step {trainer.step}; that rank's own "
        f"message says why. {_how_to_continue(trainer)}, with a number of processes that divides the batch size."
    )


def _lost_worker(trainer: RunningTrainer) -> str:
    patches = trainer.loader.dataset
    assert isinstance(patches, Patches)
    being_read = patches.names_being_read
    files = f" while the workers were reading {', '.join(being_read)}" if being_read else ""
    return (
        f"A worker process that reads images died near step {trainer.step}{files}. Check the images; if they are "
        f"intact, the memory was probably too small for --workers {trainer.config.workers}, and --workers 0 reads "
        f"them in the training process itself. {_how_to_continue(trainer)}."
    )


def _too_large(trainer: RunningTrainer) -> str:
    config = trainer.config
    halves = "" if trainer.runtime.bf16 else " --precision bf16 halves the memory of the feature maps."
    return (
        f"The memory ran out at step {trainer.step}, with batches of {config.batch_size} patches of {config.patch}×"
        f"{config.patch} and --widths {' '.join(map(str, config.widths))}. Start a new run with a smaller "
        f"--batch-size, --patch or --widths.{halves} If another program used the memory: {_how_to_continue(trainer)}."
    )


def _how_to_continue(trainer: RunningTrainer) -> str:
    run = trainer.run
    if not run.checkpoint.exists():
        return f"{run.folder} holds no checkpoint yet; start again with --out {run.folder} --resume"
    return (
        f"The last checkpoint is {run.checkpoint} (one is written every {trainer.config.checkpoint_seconds:g} s); "
        f"continue with --out {run.folder} --resume"
    )
