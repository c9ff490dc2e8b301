"""The predictions of each head at several training steps: from a run of your own, or from the course's files."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from unetpp_course.lab.head_weights import HeadTraining, train_heads
from unetpp_course.shipped import WHOLE_CLONE, course_files
from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import Card, choose_runtime
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork

MEAN = "mean"


@dataclass(frozen=True)
class KeptHeads:
    """Probabilities of class 1, ``(heads, H, W)``, by training step, and the mask ``(1, H, W)`` that they should match.

    Raises InputError if the shapes do not fit together, or if values are not probabilities.
    """

    steps: Mapping[int, Tensor]
    mask: Tensor
    image: Tensor | None = None
    """(1, H, W) or (3, H, W) in [0, 1]."""

    def __post_init__(self) -> None:
        if not self.steps:
            raise InputError("steps is empty: give the heads' probabilities for at least one training step.")
        first = next(iter(self.steps.values()))
        for step, heads in self.steps.items():
            if heads.ndim != 3 or heads.shape != first.shape or heads.shape[1:] != self.mask.shape[1:]:
                raise InputError(
                    f"step {step} is {tuple(heads.shape)} and the mask {tuple(self.mask.shape)}: give (heads, H, W), "
                    "the same at every step, and (1, H, W)."
                )
            if not ((heads >= 0) & (heads <= 1)).all():
                raise InputError(f"step {step} has values outside [0, 1]: apply the sigmoid to the logits first.")
        if self.image is not None and self.image.shape[1:] != self.mask.shape[1:]:
            raise InputError(f"The image is {tuple(self.image.shape)} and the mask {tuple(self.mask.shape)}.")

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs: each head alone ("head 1" …), then their mean."""
        return [f"head {depth}" for depth in range(1, len(next(iter(self.steps.values()))) + 1)] + [MEAN]

    def probabilities(self, step: int, output: str) -> Tensor:
        """Return the probabilities (H, W) of one of the ``outputs``."""
        heads = self.steps[step]
        return heads.mean(0) if output == MEAN else heads[self.outputs.index(output)]

    def scores(self, output: str, threshold: float = 0.5) -> dict[int, float]:
        """Return the IoU of the membrane, class 0, by step."""
        return {
            step: iou(
                confusion_counts(classify(self.probabilities(step, output)[None, None], threshold), self.mask[None]),
                "background",
            )
            for step in self.steps
        }


def heads_now(model: SegmentationNetwork, card: Card, image: Tensor) -> Tensor:
    """Return the heads' current probabilities for an image ``(C, H, W)`` in [0, 1]: ``(heads, H, W)`` on the CPU.

    ``model`` runs on its own device, in float32 and evaluation mode, and is left as it was.
    """
    runtime = choose_runtime(str(next(model.parameters()).device), "float32")
    outputs = read_image_heads(model, image, card, runtime)
    return torch.cat([outputs[f"head {depth}"][0] for depth in model.head_depths])


def keep_heads(training: HeadTraining, steps: Collection[int], name: str, part: int = 128) -> KeptHeads:
    """Train, and keep the heads' predictions at ``steps`` for the top left ``part`` pixels of the image ``name``."""
    folder = SegmentationFolder(find_dataset(training.data))
    if name not in folder.names:
        raise InputError(f"There is no image {name!r} in {folder.root}; its first is {folder.names[0]!r}.")
    image, mask = (pixels[:, :part, :part] for pixels in folder[folder.index_of[name]])
    kept: dict[int, Tensor] = {}

    def keep(step: int, model: SegmentationNetwork, card: Card) -> None:
        if step in steps:
            kept[step] = heads_now(model, card, image)

    train_heads(training, keep)
    return KeptHeads(kept, mask, image)


def shipped_heads() -> KeptHeads:
    """Return those of one training run of the course; they are in data/head_steps/, and card.json describes them."""
    folder = course_files("head_steps")
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        sheets = {step: Image.open(folder / f"step_{step:04}.png").convert("L") for step in card["steps"]}
    except (OSError, json.JSONDecodeError, KeyError) as error:
        raise InputError(f"{folder} is damaged ({error}). {WHOLE_CLONE}") from error
    images = SegmentationFolder(find_dataset(card["training"]["data"]))
    rows, columns = (slice(card[start], card[start] + card["side"]) for start in ("top", "left"))
    image, mask = (pixels[:, rows, columns] for pixels in images[images.index_of[card["image"]]])
    kept = {
        step: torch.stack(
            [torch.from_numpy(head) for head in np.split(np.asarray(sheet) / np.float32(255), card["heads"], axis=1)]
        )
        for step, sheet in sheets.items()
    }
    return KeptHeads(kept, mask, image)
