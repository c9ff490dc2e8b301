"""What a run notes of itself: an entry for each epoch, and the sums of the epoch under way."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Stopwatch:
    """Seconds of wall time: waiting for images counts as well, what happens within `paused` does not."""

    def __init__(self) -> None:
        self.before = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """The time that was counted so far."""
        return self.before + (0.0 if self._since is None else time.monotonic() - self._since)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self.before, self._since = self.seconds, None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out the time of the block."""
        self.before, self._since = self.seconds, None
        try:
            yield
        finally:
            self._since = time.monotonic()

    def restart(self) -> float:
        """Return the seconds so far, and count from 0 again."""
        seconds, self.before = self.seconds, 0.0
        if self._since is not None:
            self._since = time.monotonic()
        return seconds


class History:
    """The epochs of a run: ``entries`` are finished ones, ``losses`` and ``images`` are sums of the one under way."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.clock = Stopwatch()
        self.losses = 0.0
        self.steps = self.images = 0
        self.last_loss = math.nan

    def add(self, loss: float) -> None:
        """Take up the loss of a step."""
        self.last_loss = loss
        self.losses += loss
        self.steps += 1

    @property
    def mean_loss(self) -> float:
        """The mean over the steps of the epoch under way; NaN before its first."""
        return self.losses / self.steps if self.steps else math.nan

    @property
    def images_per_second(self) -> float:
        """The speed of the epoch under way."""
        return self.images / max(self.clock.seconds, 1e-9)

    def end_epoch(self, epoch: int, step: int) -> dict[str, Any]:
        """Close the epoch and return its entry; its speed is that of the wall clock, reading included."""
        entry = {"epoch": epoch, "step": step, "loss": self.mean_loss}
        speed = self.images_per_second
        entry |= {"seconds": round(self.clock.restart(), 3), "images_per_second": round(speed, 2)}
        self.losses, self.steps, self.images = 0.0, 0, 0
        self.entries.append(entry)
        return entry

    def state(self) -> dict[str, Any]:
        """Return everything that a checkpoint must hold."""
        return {
            "history": self.entries,
            "epoch_loss": self.losses,
            "epoch_steps": self.steps,
            "epoch_images": self.images,
            "epoch_seconds": self.clock.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        self.entries = state["history"]
        self.losses, self.clock.before = state["epoch_loss"], state["epoch_seconds"]
        self.steps, self.images = state["epoch_steps"], state["epoch_images"]
