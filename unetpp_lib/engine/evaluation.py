"""The scores of a network on the images of a folder: every head, every definition, and the trivial answer beside it."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor

from unetpp_lib.data import SegmentationFolder, read_distractors
from unetpp_lib.engine.preprocessing import Card, check_image
from unetpp_lib.engine.runtime import Runtime, choose_runtime
from unetpp_lib.engine.tiles import TILE, read_in_tiles
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, score_table
from unetpp_lib.models import SegmentationNetwork, probabilities
from unetpp_lib.models.blocks import require_network, require_whole_number
from unetpp_lib.models.mode import evaluation_mode

MEAN = "mean of heads"
DISTRACTORS = ("small", "medium", "large")


@dataclass(frozen=True)
class Evaluation:
    """The scores of one network on some images."""

    names: tuple[str, ...]
    """The images that were scored."""
    scores: dict[str, dict[str, float]]
    """By reading ("head 1" …, "mean of heads", "all foreground"): the scores of `metrics.score_table`; where the data
    have distractors, also "distractors/small", "…/medium" and "…/large": the share of their pixels called membrane."""
    classes: tuple[str, ...] = ()
    """The names of the classes, where there are several: then ``scores`` has "iou_by_class/NAME" of each as well."""
    counts: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    """By reading: the confusion counts of each image, (N, K, K), from which any other score can be computed."""

    @property
    def answer(self) -> dict[str, float]:
        """The scores of the network's own answer: the mean of its heads, or its only head."""
        return self.scores.get(MEAN) or next(iter(self.scores.values()))

    def table(self) -> str:
        """Return the IoU scores as text: per image and pooled, the distractors' shares and each class, if there are."""
        columns = [(group, of, f"iou/{key}/{average}") for average, group in _GROUPS.items() for key, of in _OF.items()]
        shares = [key for key in self.answer if key.startswith("distractors/")]
        columns += [("distractors called membrane", key.split("/")[1], key) for key in shares]
        groups = dict.fromkeys(group for group, _, _ in columns)
        lines = [" " * 16 + "".join(f"{group:<30}" for group in groups)]
        lines.append(" " * 16 + "".join(f"{name:<10}" for _, name, _ in columns))
        for row, scores in self.scores.items():
            lines.append(f"{row:<16}" + "".join(f"{scores[key]:<10.3f}" for _, _, key in columns))
        if self.classes:
            width = max(16, *(len(name) + 2 for name in self.classes))
            lines.append("\nIoU of each class, all pixels pooled (–: in neither truth nor prediction)")
            lines.append(" " * width + "".join(f"{row:<15}" for row in self.scores))
        for name in self.classes:
            values = [scores.get(f"iou_by_class/{name}") for scores in self.scores.values()]
            shown = ["–" if value is None else f"{value:.3f}" for value in values]
            lines.append(f"{name:<{width}}" + "".join(f"{value:<15}" for value in shown))
        return "\n".join(line.rstrip() for line in lines)


_GROUPS = {"image": "IoU, mean over the images", "pooled": "IoU, all pixels pooled"}
_OF = {"foreground": "fore", "background": "back", "classes": "mean"}


def read_heads(model: SegmentationNetwork, images: Tensor, runtime: Runtime) -> dict[str, Tensor]:
    """Return the probabilities ``(N, num_classes, H, W)`` of normalised images: each head's, then their mean.

    ``model`` and ``images`` are on the runtime's device; ``model`` answers in evaluation mode and keeps its own.
    """
    with torch.inference_mode(), runtime.autocast(), evaluation_mode(model):
        heads = model(images)
    readings = [probabilities([head]) for head in heads] + ([probabilities(heads)] if len(heads) > 1 else [])
    return dict(zip(_reading_names(model), readings, strict=True))


def _reading_names(model: SegmentationNetwork) -> list[str]:
    return [f"head {depth}" for depth in model.head_depths] + ([MEAN] if len(model.head_depths) > 1 else [])


def read_image_heads(
    model: SegmentationNetwork, image: Tensor, card: Card, runtime: Runtime, tile: int = TILE
) -> dict[str, Tensor]:
    """Return the probabilities ``(1, num_classes, H, W)`` of one image ``(C, H, W)`` in [0, 1], by reading.

    ``model`` is on the runtime's device, and is left as it is. Raises InputError for what is no such image.
    """
    check_image(image, model.in_channels)

    def read(patch: Tensor) -> Tensor:
        return torch.cat(list(read_heads(model, patch, runtime).values()), dim=1)

    joined = read_in_tiles(read, card.normalise(image), tile, runtime.device, model.pad_multiple)
    return dict(zip(_reading_names(model), torch.split(joined[None], model.num_classes, dim=1), strict=True))


def evaluate(
    model: SegmentationNetwork,
    folder: SegmentationFolder,
    card: Card,
    names: Iterable[str] | None = None,
    runtime: Runtime | None = None,
    tile: int = TILE,
) -> Evaluation:
    """Score every head of ``model``, and their mean, on the images ``names`` of ``folder`` (default: all).

    One-class predictions are cut at the card's threshold. The all-foreground answer is scored beside them.
    Images larger than ``tile`` pixels are read in tiles. Without ``runtime``, float32 on the best device. ``model`` is
    left as it is: a copy of it, in float32, is placed on the runtime's device.
    Raises InputError for names that the folder lacks, and a folder of other channels or classes than the network's.
    """
    require_network(model)
    runtime, tile = runtime or choose_runtime(precision="float32"), require_whole_number("tile", tile)
    names = tuple(folder.names if names is None else names)
    _require_fit(model, folder, names)
    model = runtime.place(deepcopy(model).float())
    found: dict[str, list[Tensor]] = {}
    traps: dict[str, list[Tensor]] = {}
    for name in names:
        image, mask = folder[folder.index_of[name]]
        readings = read_image_heads(model, image, card, runtime, tile)
        labels = {row: classify(probability, card.threshold) for row, probability in readings.items()}
        if folder.num_classes == 1:
            labels["all foreground"] = torch.ones_like(mask[None])
        distractors = read_distractors(folder.root, name)
        for row, label in labels.items():
            found.setdefault(row, []).append(confusion_counts(label, mask[None], folder.num_classes))
            if distractors is not None:
                traps.setdefault(row, []).append(_count_traps(label[0], distractors))
    classes = card.names_of(model.num_classes) if model.num_classes > 1 else ()
    counts = {row: torch.cat(parts) for row, parts in found.items()}
    scores = {row: score_table(parts, classes) for row, parts in counts.items()}
    for row, parts in traps.items():
        called, total = torch.stack(parts).sum(0)
        shares = {size: (called[i] / total[i]).item() for i, size in enumerate(DISTRACTORS) if total[i]}
        scores[row] |= {f"distractors/{size}": share for size, share in shares.items()}
    return Evaluation(names, scores, classes, counts)


def _require_fit(model: SegmentationNetwork, folder: SegmentationFolder, names: tuple[str, ...]) -> None:
    """Raise InputError for images that the folder lacks, and a folder of other channels or classes."""
    if not names or not set(names) <= set(folder.names):
        raise InputError(f"names holds {sorted(set(names) - set(folder.names))[:3]}; give images of {folder.root}.")
    if (folder.channels, folder.num_classes) != (model.in_channels, model.num_classes):
        raise InputError(
            f"The network takes {model.in_channels} channels and {model.num_classes} classes, the folder was opened "
            f"with {folder.channels} and {folder.num_classes}: give SegmentationFolder the network's numbers."
        )


def _count_traps(label: Tensor, distractors: Tensor) -> Tensor:
    """Return, for each size of distractor, its pixels called membrane and all its pixels: ``(2, 3)``."""
    sizes = [distractors == size for size in (1, 2, 3)]
    return torch.tensor([[(size & (label == 0)).sum() for size in sizes], [size.sum() for size in sizes]])
