"""What a run notes of itself: an entry for each epoch, and the sums of the epoch under way."""

import math
from typing import Any


class History:
    """``entries`` are the finished epochs; the sums are those of the one under way.

    ``seconds`` is wall time: waiting for images counts, scoring, saving and what a watcher does leave it out.
    """

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.losses = self.seconds = 0.0
        self.steps = self.images = 0
        self.last_loss = math.nan

    def add(self, loss: float) -> None:
        """Take up the loss of a step."""
        self.last_loss = loss
        self.losses += loss
        self.steps += 1

    def summary(self) -> dict[str, float]:
        """Return the mean loss, the seconds and the speed of the epoch under way."""
        speed = self.images / max(self.seconds, 1e-9)
        return {
            "loss": self.losses / self.steps,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(speed, 2),
        }

    def end_epoch(self, epoch: int, step: int) -> dict[str, Any]:
        """Close the epoch and return its entry."""
        self.entries.append({"epoch": epoch, "step": step} | self.summary())
        self.losses, self.seconds, self.steps, self.images = 0.0, 0.0, 0, 0
        return self.entries[-1]

    def progress(self) -> str:
        """Return the loss and the speed of the epoch under way, or of the last one, in words; empty before both."""
        if not self.steps and not self.entries:
            return ""
        now = self.summary() if self.steps else self.entries[-1]
        return f"loss {now['loss']:.3f}, {now['images_per_second']:.1f} images/s"

    def state(self) -> dict[str, Any]:
        """Return everything that a checkpoint must hold."""
        return {
            "history": self.entries,
            "epoch_loss": self.losses,
            "epoch_seconds": self.seconds,
            "epoch_steps": self.steps,
            "epoch_images": self.images,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        self.entries, self.losses, self.seconds = list(state["history"]), state["epoch_loss"], state["epoch_seconds"]
        self.steps, self.images = state["epoch_steps"], state["epoch_images"]
