"""Losses that are checked one step late, so that Python never waits for the step that it has just launched.

Nothing is saved before the last loss has been checked, so a network that a non-finite loss has changed is never kept.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from unetpp_lib.engine.distributed import DeferredValues, World
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically


@dataclass(frozen=True)
class PendingLoss:
    """A step that was launched and whose loss has not been checked yet; ``total`` is its sum over the ranks."""

    step: int
    images: Tensor
    masks: Tensor
    total: DeferredValues

    def check(self, world: World, folder: Path, rate: float) -> float:
        """Wait for the loss and return its mean over the ranks.

        If it is not finite, the batch is saved in ``folder``, and an InputError says what to try.
        """
        value = self.total()[0] / world.size
        if math.isfinite(value):
            return value
        path = folder / f"non_finite_batch_{world.rank}.safetensors"
        batch = {"images": self.images.cpu().contiguous(), "masks": self.masks.cpu().contiguous()}
        write_atomically(path, save(batch))
        raise InputError(
            f"The loss is {value} at step {self.step}. The batch that the network received is in {path}: look there "
            f"for values that are not finite. If there are none, lower the learning rate (--lr {rate / 10:g}) or use "
            "--precision float32."
        )
