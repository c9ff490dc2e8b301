"""A network of this library for ordinary PyTorch code: one tensor of logits in the place of a list of heads."""

from typing import Any

from torch import Tensor, nn

from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import SegmentationNetwork, require_network, require_whole_number

_PREFIX = "network."


class SingleOutput(nn.Module):
    """Wraps ``network`` so that it returns the logits of one head, for any loss and training loop of PyTorch.

    Shape: ``(N, in_channels, H, W)`` → ``(N, num_classes, H, W)``. ``depth`` counts the heads, 1 … their number, and is
    the deepest by default. The images are normalised by you, as the network is given them.

    ``network`` itself is trained, not a copy: give it, and not the wrapper, to `evaluate`, `Predictor`, `prune` or
    `save_model`. The state_dict has the network's names, so that wrapper and network load each other's.
    The other heads learn nothing: make the network with ``deep_supervision=False`` (a U-Net has one head in any case),
    or read it with ``mode="fast"``, which leaves them out. Raises InputError for a depth that has no head.

    >>> import torch
    >>> from unetpp_lib.models import UNetPlusPlus
    >>> model = SingleOutput(UNetPlusPlus(widths=(4, 8), deep_supervision=False))
    >>> images, masks = torch.rand(2, 1, 32, 32), torch.randint(0, 2, (2, 1, 32, 32))
    >>> loss = nn.BCEWithLogitsLoss()(model(images), masks.float())
    >>> loss.backward()
    """

    def __init__(self, network: SegmentationNetwork, depth: int | None = None) -> None:
        super().__init__()
        require_network(network)
        heads = len(network.heads)
        self.depth = heads if depth is None else require_whole_number("depth", depth)
        if not 1 <= self.depth <= heads:
            raise InputError(f"depth is {depth}; there are heads 1 to {heads}.")
        self.network = network
        self.register_state_dict_post_hook(_leave_out_prefix)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_add_prefix)  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of the head, as `SegmentationNetwork.forward` does those of all."""
        heads: list[Tensor] = self.network(x)
        return heads[self.depth - 1]


def _leave_out_prefix(_: nn.Module, state: dict[str, Any], prefix: str, __: Any) -> None:
    for name in [name for name in state if name.startswith(prefix + _PREFIX)]:
        state[prefix + name.removeprefix(prefix + _PREFIX)] = state.pop(name)


def _add_prefix(_: nn.Module, state: dict[str, Any], prefix: str, *__: Any) -> None:
    for name in [name for name in state if name.startswith(prefix)]:
        state[prefix + _PREFIX + name.removeprefix(prefix)] = state.pop(name)
