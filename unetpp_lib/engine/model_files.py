"""Saving and loading a trained network as one file: its weights, its architecture and its card."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically
from unetpp_lib.models import SegmentationNetwork, UNet, UNetPlusPlus

FORMAT = 1
Shape = tuple[int, ...] | None
NETWORK_CLASSES: dict[str, type[SegmentationNetwork]] = {"UNet": UNet, "UNetPlusPlus": UNetPlusPlus}


def save_model(model: SegmentationNetwork, path: str | Path, card: Card | None = None) -> None:
    """Write ``model`` and its ``card`` to one safetensors file; an existing file is replaced in one step.

    Raises InputError for a network that `load_model` could not rebuild, and for a card with another number of channels
    or with details that cannot be written as JSON.
    """
    require_rebuildable(model)
    card = card or Card(mean=(0.0,) * model.in_channels, std=(1.0,) * model.in_channels)
    if len(card.mean) != model.in_channels:
        raise InputError(f"card has {len(card.mean)} channels, model {model.in_channels}; give this network's card.")
    about = {
        "format": FORMAT,
        "network": type(model).__name__,
        "arguments": model.arguments,
        "head_depths": model.head_depths,
        "pad_multiple": model.pad_multiple,
    }
    try:
        description = json.dumps(about | {"card": asdict(card)})
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"The card's details cannot be written as JSON ({error}); keep plain values there.") from error
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in model.state_dict().items()}
    write_atomically(Path(path), save(tensors, metadata={"unetpp": description}))


def require_rebuildable(model: SegmentationNetwork) -> None:
    """Raise InputError for a network that cannot be rebuilt from its class and arguments."""
    network = NETWORK_CLASSES.get(type(model).__name__)
    if network is None or type(model) is not network:
        raise InputError(
            f"model is a {type(model).__name__}, and load_model can build only {' and '.join(NETWORK_CLASSES)}. "
            "Save the network itself, without a wrapper; for a class of your own, torch.save its model.state_dict()."
        )
    if next(model.parameters()).is_meta:
        raise InputError("model is on the device meta, where it has no weights; load its weights before you save it.")
    with torch.device("meta"):  # no weights are drawn
        rebuilt = network(**model.arguments)
    difference = first_difference(rebuilt.state_dict(), model.state_dict())
    if difference is not None:
        name, expected, found = difference
        raise InputError(
            f"model was changed after it was made, so load_model could not rebuild it: {name} has shape {found}, "
            f"and {expected} in a new {type(model).__name__}. Use torch.save with its model.state_dict()."
        )


def load_model(path: str | Path) -> tuple[SegmentationNetwork, Card]:
    """Return the network from a file that `save_model` wrote, in evaluation mode on the CPU, and its card.

    Nothing in the file is executed. Raises InputError for a file that is missing, truncated or of another format, or
    whose weights do not fit the architecture that it names.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. Give the path of a .safetensors file or of a run folder.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a complete safetensors file ({error}). Save or copy it again.") from error
    try:
        about = json.loads(metadata["unetpp"])
        if about["format"] != FORMAT:
            raise InputError(f"it has format {about['format']}; this version reads format {FORMAT}. Update unetpp.")
        model = NETWORK_CLASSES[about["network"]](**about["arguments"])
        card = Card(**about["card"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path} does not say which network it contains. Use a file that save_model or `unetpp train` wrote."
        ) from error
    load_weights(model, tensors, path)
    return model.eval(), card


def load_weights(model: torch.nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Load ``tensors`` into ``model``; raises InputError with the first difference if they do not fit."""
    difference = first_difference(model.state_dict(), tensors)
    if difference is not None:
        name, expected, found = difference
        raise InputError(
            f"{path} holds weights of another architecture: {name} has shape {found} there and "
            f"{expected} in this {type(model).__name__}. Use the file that belongs to this network."
        )
    model.load_state_dict(tensors)


def first_difference(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> tuple[str, Shape, Shape] | None:
    """Return name and both shapes of the first tensor, by name, whose shapes differ (None: it is missing there)."""
    shapes = [{name: tuple(tensor.shape) for name, tensor in tensors.items()} for tensors in (expected, found)]
    for name in sorted(shapes[0].keys() | shapes[1].keys()):
        if shapes[0].get(name) != shapes[1].get(name):
            return name, shapes[0].get(name), shapes[1].get(name)
    return None
