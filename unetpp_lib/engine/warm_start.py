"""Training that goes on from the weights of a network, on the same data or on others."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from unetpp_lib.engine.config import LAPTOP, TrainConfig
from unetpp_lib.engine.model_files import load_model
from unetpp_lib.engine.runs import Run
from unetpp_lib.engine.weights import find_weights
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork, UNetPlusPlus


def config_from(init: str, base: TrainConfig | None = None) -> TrainConfig:
    """Return a configuration that starts from the weights ``init``, with the architecture that they belong to.

    ``base`` gives the other options; without it they are those of the run ``init``, or of the preset laptop where that
    is a file or a network that comes with unetpp. Raises InputError where there are no such weights.
    """
    model, card = load_model(find_weights(init))
    if base is None:
        base = Run(Path(init)).config if Path(init).is_dir() else LAPTOP
    names = card.names_of(model.num_classes)
    return replace(base, init=init, out=None, class_names=names, **architecture(model))


def load_initial(model: SegmentationNetwork, init: str) -> None:
    """Put the weights ``init`` into ``model``; InputError, naming the first difference, for another architecture."""
    initial, _ = load_model(find_weights(init))
    here, there = architecture(model), architecture(initial)
    for name, value in there.items():
        if here.get(name) != value:
            raise InputError(
                f"init is {init}, whose network has {name} {value}, and here {name} is {here.get(name)}. Give the "
                "options of that network, or train without --init."
            )
    model.load_state_dict(initial.state_dict())


def architecture(model: SegmentationNetwork) -> dict[str, Any]:
    """Return the options of a `TrainConfig` that builds a network whose weights are those of ``model``."""
    given = model.arguments
    options = {name: given[name] for name in ("widths", "upsample", "num_classes")}
    options |= {"norm": given["norm"] or "none", "channels": given["in_channels"]}
    if not isinstance(model, UNetPlusPlus):
        return {"model": "unet"} | options
    return {"model": "unetpp" if model.dense else "unetplus", "deep_supervision": model.deep_supervision} | options
