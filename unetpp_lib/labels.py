"""What losses and scores ask of the tensors that they are given."""

from torch import Tensor, uint16, uint32, uint64

from unetpp_lib.errors import InputError

IGNORED = 255  # in masks of several classes, the label of pixels that neither loss nor score looks at


def require_tensor(name: str, value: object) -> None:
    """Raise InputError for what is no tensor, such as the list of heads that a network returns."""
    if isinstance(value, list | tuple):
        raise InputError(
            f"{name} is a {type(value).__name__} of {len(value)}, and one tensor is needed. A network here returns a "
            "list of heads: give one of them, as heads[-1], use deep_supervision_loss(heads, target), or wrap the "
            "network in SingleOutput."
        )
    if not isinstance(value, Tensor):
        raise InputError(f"{name} is of type {type(value).__name__}; give a tensor, such as torch.from_numpy({name}).")


def as_labels(name: str, labels: Tensor) -> Tensor:
    """Return class indices in a type that PyTorch can compare and flip, unlike uint16 and wider unsigned ones."""
    require_tensor(name, labels)
    return labels.long() if labels.dtype in (uint16, uint32, uint64) else labels
