"""A trained network as one file: its weights, its architecture and its card."""

import json
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
NETWORKS: dict[str, type[SegmentationNetwork]] = {"UNet": UNet, "UNetPlusPlus": UNetPlusPlus}


def save_model(model: SegmentationNetwork, path: str | Path, card: Card | None = None) -> None:
    """Write ``model`` and its ``card`` to one safetensors file; what stood there before is replaced in one step."""
    about = {
        "format": FORMAT,
        "network": type(model).__name__,
        "arguments": model.arguments,
        "head_depths": model.head_depths,
        "pad_multiple": model.pad_multiple,
        "card": asdict(card or Card(mean=(0.0,) * model.in_channels, std=(1.0,) * model.in_channels)),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    write_atomically(Path(path), save(tensors, metadata={"unetpp": json.dumps(about)}))


def load_model(path: str | Path) -> tuple[SegmentationNetwork, Card]:
    """Return the network of a file that `save_model` wrote, in evaluation mode on the CPU, and its card.

    Nothing in the file is executed. Raises InputError for a file that is missing, cut short, of another kind or format,
    or whose weights do not fit the architecture that it names.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. Give the path of a .safetensors file or of a run folder.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a whole safetensors file ({error}). Save or copy it again.") from error
    try:
        about = json.loads(metadata["unetpp"])
        if about["format"] != FORMAT:
            raise InputError(f"{path} has format {about['format']}; this version reads format {FORMAT}. Update unetpp.")
        network = NETWORKS[about["network"]]
        model = network(**about["arguments"])
        card = Card(**about["card"])
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path} does not say which network it holds. Use a file that save_model or `unetpp train` wrote."
        ) from error
    load_weights(model, tensors, path)
    return model.eval(), card


def load_weights(model: torch.nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Put ``tensors`` into ``model``; where they are of another architecture, the error names the first difference."""
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise InputError(
                f"{path} holds weights of another architecture: {name} has shape {found.get(name)} there and "
                f"{expected.get(name)} in this {type(model).__name__}. Use the file that belongs to this network."
            )
    model.load_state_dict(tensors)
