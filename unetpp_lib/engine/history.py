"""The history of a run: one entry per epoch, and running sums for the current epoch."""

import math
from typing import Any


class History:
    """``entries`` describe the finished epochs; all other attributes belong to the current one.

    ``seconds`` is wall time. It includes waiting for images, but not validation, saving and the callback.
    """

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.losses = self.seconds = 0.0
        self.steps = self.images = 0
        self.last_loss = math.nan

    def add(self, loss: float) -> None:
        """Add the loss of one step."""
        self.last_loss = loss
        self.losses += loss
        self.steps += 1

    def summary(self) -> dict[str, float]:
        """Return mean loss, seconds and speed of the current epoch."""
        speed = self.images / max(self.seconds, 1e-9)
        return {
            "loss": self.losses / self.steps,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(speed, 2),
        }

    def end_epoch(self, epoch: int, step: int) -> dict[str, Any]:
        """Finish the current epoch and return its entry."""
        self.entries.append({"epoch": epoch, "step": step} | self.summary())
        self.losses, self.seconds, self.steps, self.images = 0.0, 0.0, 0, 0
        return self.entries[-1]

    def progress(self) -> str:
        """Return loss and speed of the current epoch, or else of the last one, as text; empty before the first step."""
        if not self.steps and not self.entries:
            return ""
        now = self.summary() if self.steps else self.entries[-1]
        return f"loss {now['loss']:.3f}, {now['images_per_second']:.1f} images/s"

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must contain."""
        return {
            "history": self.entries,
            "epoch_loss": self.losses,
            "epoch_seconds": self.seconds,
            "epoch_steps": self.steps,
            "epoch_images": self.images,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.entries, self.losses, self.seconds = list(state["history"]), state["epoch_loss"], state["epoch_seconds"]
        self.steps, self.images = state["epoch_steps"], state["epoch_images"]
