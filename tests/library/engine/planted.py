"""A fault planted on demand, with UNETPP_PLANT=cuda: it shows that the tests of the devices can fail."""

import os

import torch
from torch import Tensor

from unetpp_lib.engine.preprocessing import Card


def plant(monkeypatch, device: torch.device) -> None:
    """Where the fault was asked for, let every image leave `Card.normalise` on another device than ``device``."""
    if os.environ.get("UNETPP_PLANT") != "cuda":
        return
    wrong = "meta" if device.type == "cpu" else "cpu"
    normalise = Card.normalise

    def normalise_elsewhere(self: Card, images: Tensor) -> Tensor:
        return normalise(self, images).to(wrong)

    monkeypatch.setattr(Card, "normalise", normalise_elsewhere)
