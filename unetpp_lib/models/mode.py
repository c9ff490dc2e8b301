"""Asking a network without changing it."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Keep ``model`` in evaluation mode for the block; each of its modules then returns to the mode that it was in.

    In training mode a mere forward pass changes a network: batch norm takes up the statistics of the images.
    """
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        yield
    finally:
        for module, training in before.items():
            module.training = training
