"""Losses that are looked at one step late: Python never waits for the step that it has just given to a device.

Nothing is written before the last loss is known to be finite, so no network that a bad loss has touched is ever kept.
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
    """A step that was launched and whose loss, ``total`` over the ranks, has not been checked yet."""

    step: int
    images: Tensor
    masks: Tensor
    total: DeferredValues

    def check(self, world: World, folder: Path, rate: float) -> float:
        """Wait for the loss, mean over the ranks, and return it.

        Where it is not finite, save the batch into ``folder`` and raise InputError, which says what to try.
        """
        value = self.total()[0] / world.size
        if math.isfinite(value):
            return value
        path = folder / f"non_finite_batch_{world.rank}.safetensors"
        batch = {"images": self.images.cpu().contiguous(), "masks": self.masks.cpu().contiguous()}
        write_atomically(path, save(batch))
        raise InputError(
            f"The loss is {value} at step {self.step}. The batch, as the network got it, is in {path}: look there for "
            f"values that are not finite. Else lower the learning rate (--lr {rate / 10:g}) or use --precision float32."
        )
