"""Train one UNet++ and keep what its heads say: `python data/head_steps/make.py` writes step_0000.png … and card.json.

A picture holds the probabilities of interior on a piece of one test image, heads 1 to 4 side by side, in 32 steps of
grey. No step lies across 0.5, so that the decisions are those of the network.
"""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from unetpp_course.lab.head_weights import HeadTraining, train_heads
from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import Card, choose_runtime
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.engine.runtime import provenance
from unetpp_lib.files import write_atomically, write_png
from unetpp_lib.models import SegmentationNetwork

HERE = Path(__file__).parent
TRAINING = HeadTraining(steps=280, patch=256)  # the laptop preset's
KEPT = (0, 7, 14, 28, 56, 84, 112, 168, 224, 280)
IMAGE, TOP, LEFT, SIDE = "membrane_32", 64, 64, 128
LEVELS = 32


def as_grey(probability: Tensor) -> Tensor:
    """Return probabilities as grey values, each the middle of its step: 4, 12 … 252."""
    step = 256 // LEVELS
    return ((probability * LEVELS).long().clamp(max=LEVELS - 1) * step + step // 2).byte()


def main() -> None:
    """Train, keep the pictures, and say what they came from."""
    runtime = choose_runtime("cpu", "float32")
    folder = SegmentationFolder(find_dataset(TRAINING.data))
    image, _ = folder[folder.index_of[IMAGE]]

    def keep(step: int, model: SegmentationNetwork, card: Card) -> None:
        if step not in KEPT:
            return
        readings = read_image_heads(model.eval(), image, card, runtime)
        heads = [readings[f"head {depth}"][0, 0] for depth in model.head_depths]
        sheet = torch.cat([head[TOP : TOP + SIDE, LEFT : LEFT + SIDE] for head in heads], dim=1)
        write_png(HERE / f"step_{step:04}.png", Image.fromarray(as_grey(sheet).numpy()))
        print(f"step {step} of {TRAINING.steps}")

    train_heads(TRAINING, keep)
    about = {
        "command": "python data/head_steps/make.py",
        "training": asdict(TRAINING),
        "steps": KEPT,
        "image": IMAGE,
        "top": TOP,
        "left": LEFT,
        "side": SIDE,
        "heads": 4,
        "levels": LEVELS,
        "provenance": provenance(choose_runtime("cpu")),
    }
    write_atomically(HERE / "card.json", json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
