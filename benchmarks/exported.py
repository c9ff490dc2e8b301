"""The exported network beside PyTorch: UNet++ made ready as by `predict`, a program of torch.export, and ONNX.

    python benchmarks/exported.py                    # one image of 256×256, float32
    python benchmarks/exported.py --side 512 --out benchmarks/results/NAME.json

All take turns in one process, with as many threads as PyTorch has; what is printed are medians, and the largest
difference of the probabilities from those of the network that was exported.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import onnxruntime
import torch
import tyro
from torch import Tensor

from unetpp_course.lab.timing import in_turn
from unetpp_lib.engine import Card, export_model
from unetpp_lib.engine.ready import prepare
from unetpp_lib.engine.runtime import choose_runtime, provenance
from unetpp_lib.files import write_atomically
from unetpp_lib.models import UNetPlusPlus, probabilities, prune


@dataclass(frozen=True)
class Settings:
    """What is timed, and how often."""

    side: int = 256
    """Side of the square image, in pixels."""
    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    """Channels of each level."""
    rounds: int = 9
    """How often each takes its turn, after two that do not count."""
    out: Path | None = None
    """The JSON file to write; default: none."""


Answer = Callable[[Tensor], Tensor]


def ways(network: UNetPlusPlus, folder: Path) -> dict[str, Answer]:
    """Return how to ask a network: itself, made ready as `unetpp predict` does, as a .pt2 and as an .onnx file."""
    card = Card()
    files = {ending: folder / f"{network.depth}.{ending}" for ending in ("pt2", "onnx")}
    for path in files.values():
        export_model(network, path, card)
    ready = prepare(network, None, choose_runtime("cpu", "float32"))
    program = torch.export.load(files["pt2"]).module()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(files["onnx"], options, providers=["CPUExecutionProvider"])

    def of_onnx(image: Tensor) -> Tensor:
        return torch.from_numpy(session.run(["probabilities"], {"image": image.numpy()})[0])

    return {
        "the network": lambda image: probabilities(network(card.normalise(image))),
        "made ready": lambda image: probabilities(ready(card.normalise(image))),
        "torch.export": program,
        "ONNX Runtime": of_onnx,
    }


@torch.inference_mode()
def measure(settings: Settings) -> list[dict[str, object]]:
    """Return one row for each depth and way."""
    torch.manual_seed(0)
    full = UNetPlusPlus(widths=settings.widths).eval()
    image = torch.rand(1, 1, settings.side, settings.side)
    rows: list[dict[str, object]] = []
    with TemporaryDirectory() as folder:
        answers = {
            (depth, name): answer
            for depth in range(1, full.depth + 1)
            for name, answer in ways(prune(full, depth), Path(folder)).items()
        }
        names = {f"{depth} {name}": (depth, name) for depth, name in answers}
        seconds = in_turn({key: lambda way=way: answers[way](image) for key, way in names.items()}, settings.rounds)
        for key, (depth, name) in names.items():
            off = (answers[depth, name](image) - answers[depth, "the network"](image)).abs().max().item()
            rows.append({"depth": depth, "way": name, "seconds": seconds[key], "difference": off})
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """Return the rows as text; "×" is how many times as fast as the network itself."""
    medians = {(row["depth"], row["way"]): median(row["seconds"]) for row in rows}
    lines = [f"{'':<6}{'way':<16}{'seconds':>9}{'×':>7}{'difference':>13}"]
    for row in rows:
        depth, way = row["depth"], row["way"]
        ratio = medians[depth, "the network"] / medians[depth, way]
        lines.append(f"L{depth:<5}{way:<16}{medians[depth, way]:>9.4f}{ratio:>7.2f}{row['difference']:>13.1e}")
    return "\n".join(lines)


def main(settings: Settings) -> None:
    rows = measure(settings)
    runtime = choose_runtime("cpu", "float32")
    print(f"{runtime}; one image of {settings.side}×{settings.side}; medians of {settings.rounds}")
    print(table(rows))
    if settings.out is not None:
        chosen = {name: value for name, value in asdict(settings).items() if name != "out"}
        result = {"settings": chosen, "rows": rows, "provenance": provenance(runtime)}
        write_atomically(settings.out, json.dumps(result, indent=1) + "\n")
        print(f"Wrote {settings.out}.")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
