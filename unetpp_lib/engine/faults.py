"""What ends a training from outside, in words that say what to do."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import torch

from unetpp_lib.engine.distributed import peer_is_lost
from unetpp_lib.errors import InputError

if TYPE_CHECKING:
    from unetpp_lib.engine.trainer import Training


@contextmanager
def explained(training: "Training") -> Iterator[None]:
    """Turn a rank that is gone, a worker that died and memory that ran out into an InputError with the remedy."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if peer_is_lost(error):
            _outlive_sigterm()
            raise InputError(_lost_peer(training)) from error
        if "DataLoader worker" in str(error):
            raise InputError(_lost_worker(training)) from error
        if _memory_ran_out(error):
            raise InputError(_too_large(training)) from error
        raise
    except (ConnectionError, EOFError) as error:  # a worker died while it handed over a batch
        with suppress(RuntimeError):
            time.sleep(1)  # the signal of its death is on the way: PyTorch raises on it, wherever the program is
        raise InputError(_lost_worker(training)) from error


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
    """Whether memory ran out; PyTorch says so in words alone on the CPU."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _lost_peer(training: "Training") -> str:
    world = training.world
    return (
        f"Rank {world.rank} of {world.size} lost another one at step {training.step}, which ended or cannot be "
        f"reached; its own message tells why. {_way_on(training)}, on as many processes as the batch can be shared by."
    )


def _lost_worker(training: "Training") -> str:
    names = training.patches.in_hand
    return (
        f"A worker that reads images died about step {training.step}"
        + f". In the workers' hands: {', '.join(names)}" * bool(names)
        + f". Look at these files; if they are whole, the memory was probably too small for --workers "
        f"{training.config.workers}, and --workers 0 reads in the process itself. {_way_on(training)}."
    )


def _too_large(training: "Training") -> str:
    config = training.config
    halves = "" if training.runtime.bf16 else " --precision bf16 halves what the maps take."
    return (
        f"The memory ran out at step {training.step}, with batches of {config.batch_size} patches of {config.patch}×"
        f"{config.patch} and --widths {' '.join(map(str, config.widths))}. Start a new run with a smaller "
        f"--batch-size, --patch or --widths.{halves} If another program took the memory, {_way_on(training)}."
    )


def _way_on(training: "Training") -> str:
    run = training.run
    if not run.checkpoint.exists():
        return f"{run.folder} holds no checkpoint yet: begin with --out {run.folder} --resume"
    return (
        f"{run.checkpoint} holds the last checkpoint (one is written every {training.config.checkpoint_seconds:g} s): "
        f"go on with --out {run.folder} --resume"
    )
