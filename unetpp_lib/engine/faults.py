"""What ends a training run from outside, in words that say what to do."""

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


class UnderWay(Protocol):
    """What a message can tell of a run: a `Trainer` has it."""

    run: Run
    config: TrainConfig
    runtime: Runtime
    world: World
    loader: DataLoader[tuple[Tensor, Tensor]]
    step: int


class _WorkerDiedError(Exception):
    """A worker died while it handed over a batch."""


@contextmanager
def explained(trainer: UnderWay) -> Iterator[None]:
    """Turn a rank that is gone, a worker that died and memory that ran out into an InputError with the remedy."""
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


def read_batches(loader: DataLoader[tuple[Tensor, Tensor]], trainer: UnderWay) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches; where a connection to a worker breaks in between, the worker has died."""
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
                time.sleep(1)  # the signal of its death is on the way: PyTorch raises on it, wherever the program is
            raise _WorkerDiedError from error
        yield batch


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into an event, so that a step is never cut in two; the next one ends at once."""
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
    """Ignore SIGTERM: `torchrun` sends it to the ranks that are left, perhaps before they have told why they end."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _memory_ran_out(error: Exception) -> bool:
    """Whether memory ran out; on the CPU, for pinned memory and in compiled code PyTorch says so in words alone."""
    words = ("out of memory", "can't allocate memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(part in str(error) for part in words)


def _lost_peer(trainer: UnderWay) -> str:
    world = trainer.world
    return (
        f"Rank {world.rank} of {world.size} lost another one at step {trainer.step}, which ended or cannot be "
        f"reached; its own message tells why. {_way_on(trainer)}, on as many processes as the batch can be shared by."
    )


def _lost_worker(trainer: UnderWay) -> str:
    patches = trainer.loader.dataset
    assert isinstance(patches, Patches)
    in_hand = f". In the workers' hands: {', '.join(patches.in_hand)}" if patches.in_hand else ""
    return (
        f"A worker that reads images died about step {trainer.step}{in_hand}. Look at these files; if they are whole, "
        f"the memory was probably too small for --workers {trainer.config.workers}, and --workers 0 reads in the "
        f"process itself. {_way_on(trainer)}."
    )


def _too_large(trainer: UnderWay) -> str:
    config = trainer.config
    halves = "" if trainer.runtime.bf16 else " --precision bf16 halves what the maps take."
    return (
        f"The memory ran out at step {trainer.step}, with batches of {config.batch_size} patches of {config.patch}×"
        f"{config.patch} and --widths {' '.join(map(str, config.widths))}. Start a new run with a smaller "
        f"--batch-size, --patch or --widths.{halves} If another program took the memory, {_way_on(trainer)}."
    )


def _way_on(trainer: UnderWay) -> str:
    run = trainer.run
    if not run.checkpoint.exists():
        return f"{run.folder} holds no checkpoint yet: begin with --out {run.folder} --resume"
    return (
        f"{run.checkpoint} holds the last checkpoint (one is written every {trainer.config.checkpoint_seconds:g} s): "
        f"go on with --out {run.folder} --resume"
    )
