"""Export of a trained network for programs without this library: ONNX, a program of torch.export, or network.bin."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import torch
from torch import Tensor, nn

from unetpp_lib.engine.network_file import network_bytes
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically
from unetpp_lib.models import SegmentationNetwork, probabilities, prune
from unetpp_lib.models.blocks import require_network
from unetpp_lib.models.unetpp import Mode

LARGEST_SIDE = 2**16  # pixels: the largest height and width that an exported program accepts
FORMATS = (".onnx", ".pt2", ".bin")


class ImageToProbabilities(nn.Module):
    """Maps images in [0, 1] to class probabilities: the card's normalisation, the network, then `probabilities`.

    Shape: ``(N, in_channels, H, W)`` of any sizes → ``(N, num_classes, H, W)``.
    """

    def __init__(self, model: SegmentationNetwork, card: Card, mode: Mode) -> None:
        super().__init__()
        self.model, self.card, self.mode = model, card, mode

    def forward(self, image: Tensor) -> Tensor:
        """Return the probabilities."""
        return probabilities(self.model(self.card.normalise(image)), self.mode)


def export_model(
    model: SegmentationNetwork, path: str | Path, card: Card, mode: Mode = "accurate", depth: int | None = None
) -> None:
    """Write ``model`` as a program that maps "image" ``(N, C, H, W)``, float32 in [0, 1], to "probabilities".

    All sizes stay dynamic. The suffix of ``path`` chooses the format: .onnx for ONNX Runtime and others, or .pt2 for
    `torch.export.load`. With ``depth`` the network is pruned first; ``mode`` is that of `probabilities`. The metadata
    of an ONNX file contains the card as JSON, under "unetpp". A float32 copy is exported, and ``model`` is left as it
    is. The suffix .bin writes the weights alone, for the page that runs the network in a browser: every head, rounded
    to float16 (see `network_bytes`); there ``mode`` changes nothing. Raises InputError for another suffix, a path that
    exists, a depth or mode that does not exist, without onnxscript, and for .bin where the network does not fit.
    """
    require_network(model)
    path = Path(path)
    if path.suffix not in FORMATS:
        raise InputError(f"{path} ends in {path.suffix!r}; end it in .onnx, .pt2 or .bin, which chooses the format.")
    if path.exists():
        raise InputError(f"{path} exists already; choose another file.")
    if mode not in get_args(Mode):
        raise InputError(f'mode is {mode!r}; choose "accurate" (the mean of the heads) or "fast" (one head).')
    if path.suffix == ".bin":
        write_atomically(path, network_bytes(model if depth is None else prune(model, depth), card))
        return
    model = deepcopy(model if depth is None else prune(model, depth)).cpu().float().eval()
    # with channels-last weights, torch.export would fix the sizes of the image to those of the example
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    program = ImageToProbabilities(model, card, mode)
    multiple = model.pad_multiple
    example = torch.zeros(2, model.in_channels, 2 * multiple, 3 * multiple)
    # a bottom map of one pixel would be a special case: the program is traced with larger ones, and works for it too
    sides = {dim: torch.export.Dim(name, min=multiple + 1, max=LARGEST_SIDE) for dim, name in ((2, "H"), (3, "W"))}
    sizes = {0: torch.export.Dim("N", max=LARGEST_SIDE), **sides}
    with _quiet(), TemporaryDirectory() as folder:
        temporary = Path(folder, path.name)
        if path.suffix == ".pt2":
            torch.export.save(torch.export.export(program, (example,), dynamic_shapes=(sizes,)), temporary)
        else:
            _write_onnx(program, example, sizes, card, temporary)
        write_atomically(path, temporary.read_bytes())


def _write_onnx(
    program: ImageToProbabilities, example: Tensor, sizes: dict[int, "torch.export.Dim"], card: Card, path: Path
) -> None:
    try:
        exported = torch.onnx.export(
            program,
            (example,),
            dynamo=True,
            dynamic_shapes=(sizes,),
            input_names=["image"],
            output_names=["probabilities"],
            verbose=False,
        )
    except ImportError as error:
        raise InputError(f'{error.name} is missing, and ONNX needs it: pip install "unetpp[export]".') from error
    assert exported is not None  # it is None only without dynamo
    exported.model.metadata_props["unetpp"] = json.dumps(asdict(card))
    exported.save(path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter logs about itself and about packages that are not needed here."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
