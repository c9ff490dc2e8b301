"""Ship a run's network: `python data/weights/ship.py RUN NAME` writes NAME.safetensors and its card, NAME.json.

The scores on the card are measured here, in float32 on the CPU, so that a test can measure them again anywhere.
"""

import hashlib
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import PRESETS, Run, TrainConfig, choose_runtime, evaluate
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically
from unetpp_lib.metrics import iou

SHIPPED = Path(__file__).parent


def training_command(config: TrainConfig) -> str:
    """Return the command that trains this configuration: data, preset, seed, and what differs from the preset."""
    given = {"data": config.data, "preset": config.preset, "seed": config.seed}
    preset = asdict(PRESETS[config.preset])
    given |= {name: value for name, value in asdict(config).items() if name not in given and value != preset[name]}
    return " ".join(["unetpp train", *(option(*pair) for pair in given.items() if pair[0] != "out"), "--out RUN"])


def option(name: str, value: object) -> str:
    """Return an option as the command line takes it."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {' '.join(map(str, value)) if isinstance(value, tuple) else value}"


def ship(run: Run, name: str) -> None:
    """Copy the best network of ``run`` and write its card: command, seed, data, scores, SHA-256, provenance."""
    if not run.is_finished:
        raise InputError(f"{run.folder} has not come to its end. Go on with: unetpp train --out {run.folder} --resume")
    config = replace(run.config, data=Path(run.config.data).name)  # found by name, as anybody else will
    model, card = run.load_model()
    folder = SegmentationFolder(find_dataset(config.data), config.channels, config.num_classes)
    runtime = choose_runtime("cpu", "float32")
    evaluation = evaluate(model, folder, card, run.split.test, runtime)
    counts = dict(zip(evaluation.names, evaluation.counts[f"head {model.depth}"].split(1), strict=True))
    weights = run.weights.read_bytes()
    about = {
        "file": f"{name}.safetensors",
        "sha256": hashlib.sha256(weights).hexdigest(),
        "commands": [
            training_command(config),
            f"python data/weights/ship.py RUN {name}",
        ],
        "config": json.loads(config.to_json()),
        "provenance": json.loads((run.folder / "provenance.json").read_text(encoding="utf-8")),
        "epoch": card.details["epoch"],
        "part": "test",
        "images": evaluation.names,
        "scores": evaluation.scores,
        "by_image": {image: round(iou(of_image), 4) for image, of_image in counts.items()},
    }
    write_atomically(SHIPPED / f"{name}.safetensors", weights)
    write_atomically(SHIPPED / f"{name}.json", json.dumps(about, indent=2) + "\n")
    print(evaluation.table())


if __name__ == "__main__":
    ship(Run(Path(sys.argv[1])), sys.argv[2])
