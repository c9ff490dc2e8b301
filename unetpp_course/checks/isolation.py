"""Running a learner's function so that nothing that it does stops, floods or changes the notebook.

The function runs in a daemon thread, on every system alike: a check returns in time even where the function does not.
A loop in Python is then ended by an exception that the interpreter raises in that thread. What cannot be ended so (a
sleep, a bare `except` inside the loop) goes on until the kernel restarts, and `Calls.still_running` says so. A signal
would need the main thread and Unix, and would leave the check hanging in the same two cases.
"""

import ctypes
import gc
import io
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

import numpy as np
import torch

from unetpp_course.checks.comparison import SHOWN, shorten

Case = tuple[Any, ...]  # the arguments of one call

SEED = 0  # of what the function draws itself: a check says the same twice
PATIENCE = 3  # times its seconds that a function has, where the processor gave it less than half of them
ENDINGS = 5  # times that a function is told to end ...
ENDING_SECONDS = 0.05  # ... and the seconds that it has for it each time


class TimeUpError(BaseException):
    """Raised in a function that runs too long; no Exception, so that `except Exception` lets it pass."""


@dataclass(frozen=True)
class Call:
    """One call: its arguments, what became of them, what came back or was raised, and what it printed."""

    given: Case
    after: Case
    value: object = None
    error: BaseException | None = None
    printed: str = ""


@dataclass(frozen=True)
class Calls:
    """The calls that came to an end, what the next one had printed by then, and whether it is still going on."""

    calls: tuple[Call, ...]
    printed: str
    still_running: bool


class Printed(io.TextIOBase):
    """Takes any amount of text and keeps its beginning."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the text: the next one begins."""
        self.start, self.length = "", 0

    def write(self, text: str) -> int:
        """Keep the text as far as there is room, and count it."""
        self.start += text[: SHOWN - len(self.start)]
        self.length += len(text)
        return len(text)

    def __str__(self) -> str:
        rest = self.length - len(self.start)
        return shorten(self.start) + (f" … and {rest:,} characters more" if rest else "")


def attempt(function: Callable[..., object], given: Case) -> Call:
    """Call a function with a copy of the arguments, and catch whatever it raises."""
    after = deepcopy(given)
    try:
        return Call(given, after, value=function(*after))
    except TimeUpError:
        raise
    except BaseException as error:  # a learner may raise SystemExit or KeyboardInterrupt as well
        return Call(given, after, error=error)


def run_cases(function: Callable[..., object], cases: Sequence[Case], seconds: float) -> Calls:
    """Call a function once for each case, all together in at most ``seconds`` (on a busy machine, in some more)."""
    calls: list[Call] = []
    printed = Printed()

    def work() -> None:
        with suppress(TimeUpError):
            for case in cases:
                call = attempt(function, case)
                calls.append(replace(call, printed=str(printed)))
                printed.clear()

    thread = Thread(target=work, daemon=True)
    with same_random_state(), old_objects_left_alone(), redirect_stdout(printed), redirect_stderr(Printed()):
        thread.start()
        _wait(thread, seconds)
        finished = tuple(calls)
        if len(finished) < len(cases):
            _end(thread)
    calls.clear()  # an error in it holds the frames that hold it: a circle, which would keep all that they hold
    return Calls(finished, str(printed), thread.is_alive() and len(finished) < len(cases))


def _wait(thread: Thread, seconds: float) -> None:
    """Wait for the end, and longer than ``seconds`` where the machine is so busy that they were not the function's."""
    start = time.process_time()
    for _ in range(PATIENCE):
        thread.join(seconds)
        if not thread.is_alive() or time.process_time() - start > seconds / 2:
            return


def _end(thread: Thread) -> None:
    for _ in range(ENDINGS):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TimeUpError))
        thread.join(ENDING_SECONDS)
        if not thread.is_alive():
            return


@contextmanager
def old_objects_left_alone() -> Iterator[None]:
    """Let the garbage collector see new objects alone: the time to go through a notebook's is not the function's."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def same_random_state() -> Iterator[None]:
    """Seed what is global in random numbers, and afterwards put back what was there."""
    on_gpu = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = range(torch.cuda.device_count()) if on_gpu else ()
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 (the learner may use it)
    with torch.random.fork_rng(devices=devices):
        random.seed(SEED)
        np.random.seed(SEED)  # noqa: NPY002
        torch.manual_seed(SEED)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
