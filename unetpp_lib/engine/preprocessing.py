"""What goes with a network's weights: how images are normalised, where probabilities are cut, what classes mean."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Card:
    """What a network's user needs beside its weights."""

    mean: tuple[float, ...] = (0.0,)
    """Subtracted from each channel of an image in [0, 1] before the network sees it."""
    std: tuple[float, ...] = (1.0,)
    """What each channel is divided by then."""
    threshold: float = 0.5
    """A pixel is foreground where its probability is above this (one class)."""
    classes: tuple[str, ...] = ("background", "foreground")
    """The names of the classes, in the order of the mask's values."""
    details: dict[str, Any] = field(default_factory=dict)
    """Where the network came from: data, seed, scores, versions."""

    def __post_init__(self) -> None:
        for name in ("mean", "std", "classes"):  # JSON knows lists only
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def normalise(self, images: Tensor) -> Tensor:
        """Return images ``(…, C, H, W)`` in [0, 1] as the network takes them. Nothing else normalises."""
        numbers = torch.tensor((self.mean, self.std), dtype=images.dtype, pin_memory=images.is_cuda)
        mean, std = numbers[..., None, None].to(images.device, non_blocking=True)  # Python does not wait for a GPU here
        normalised: Tensor = (images - mean) / std
        return normalised
