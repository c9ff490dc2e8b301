"""Running a network in evaluation mode without changing it."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put ``model`` in evaluation mode within the block; afterwards each of its modules has its former mode again.

    In training mode even a forward pass changes a network, because batch norm updates its running statistics.
    """
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        yield
    finally:
        for module, training in before.items():
            module.training = training
