"""Depth pruning: what a trained UNet++ says when it is cut to each depth, what that costs, and where it is wrong."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Literal, get_args

import ipywidgets as widgets  # type: ignore[import-untyped]
import torch
from torch import Tensor

from unetpp_course.explorers.base import (
    LABEL,
    PictureExplorer,
    Press,
    Recent,
    choice,
    require_image,
    whole_number,
)
from unetpp_course.explorers.depth_costs import costs_of, measured_costs, watched
from unetpp_course.explorers.depth_sheet import DepthSheet, Row
from unetpp_course.explorers.threshold import PERCENT, counts_by_threshold
from unetpp_course.heads_in_time import heads_now
from unetpp_course.shipped import shipped_model
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, read_split
from unetpp_lib.engine import Card, Run, save_model
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, iou
from unetpp_lib.models import Profile, SegmentationNetwork, UNetPlusPlus, prune
from unetpp_lib.models.blocks import require_network

Part = Literal["train", "validation", "test"]
Scored = Literal["background", "foreground", "classes"]

MODES = ("fast", "accurate")
AT_MOST = 8  # images of a run: each is read whole when the explorer opens
LARGEST = 512  # pixels of a side that latency is measured at
MEMBRANES = ("membranes", "isbi2012", "isbi2012_test")  # sets whose class 0 is the membrane


class DepthExplorer(PictureExplorer):
    """Cut a trained network to depth 1, 2 … with a slider: mistakes in colour, the nodes that stay, IoU, cost, time.

    ``model`` is a `UNetPlusPlus` with deep supervision and one class, ``card`` says how it takes its images;
    ``images`` are (C, H, W) in [0, 1], of any sizes, ``masks`` (1, H, W) of 0 and 1. `shipped` opens the course's own
    network, `of_run` one that you trained. ``profiles`` are what `profile_depths` gives; without them, latency is
    measured when the explorer opens. ``classes`` names class 0 and class 1, ``of`` says whose IoU is shown.
    Controls: ``depth``, ``image``, ``threshold`` (per cent), ``mode``; `scores` is the IoU by depth that they give.
    "prune and keep" does what `keep` does. The explorer keeps a copy of the network as it is when it opens.
    InputError for what does not fit.
    """

    def __init__(
        self,
        model: SegmentationNetwork,
        card: Card,
        images: Sequence[Tensor] | Tensor,
        masks: Sequence[Tensor] | Tensor,
        names: Sequence[str] | None = None,
        profiles: Mapping[int, Profile] | None = None,
        classes: tuple[str, str] = ("membrane", "interior"),
        of: Scored = "background",
    ) -> None:
        cuttable = _require_cuttable(model)
        _require_pairs(model, images, masks, names)
        _require_words(card, classes, of)
        self.model, self.card = deepcopy(cuttable).cpu().eval(), card
        self.images, self.masks = [image.float() for image in images], [mask.to(torch.uint8) for mask in masks]
        self.names = [str(k) for k in range(len(images))] if names is None else list(names)
        self.size = tuple(min(side, LARGEST) for side in self.images[0].shape[1:])
        self.classes, self.of = classes, of
        with watched(self.model) as (seconds, macs):
            self.answers = [_read(self.model, card, image) for image in self.images]  # (modes, depths, H, W) each
        if profiles is None:
            self.costs = measured_costs(self.model, torch.zeros(1, model.in_channels, *self.size), seconds, macs)
        else:
            self.costs = costs_of(profiles, model.depth)
        self.counts = torch.stack([_count(*pair) for pair in zip(self.answers, self.masks, strict=True)])
        self._sheet = DepthSheet(cuttable, self.costs, self.size, classes)
        self._pngs = Recent[tuple[int, int, int, int], bytes](100)
        self._add_controls()

    @classmethod
    def shipped(cls, part: Part = "validation", profiles: Mapping[int, Profile] | None = None) -> "DepthExplorer":
        """Open the course's trained network on a part of its images: on those that a depth may be chosen by."""
        root = find_dataset("membranes")
        names = _names(read_split(root / "split.json"), part, root)
        return cls(*shipped_model("unetpp_membranes"), *_load(SegmentationFolder(root), names), names, profiles)

    @classmethod
    def of_run(cls, run: str | Path, part: Part = "validation") -> "DepthExplorer":
        """Open a run's network, as `unetpp train` leaves it, on the first images of a part; InputError for another."""
        finished = Run(Path(run))
        config = finished.config
        model, card = finished.load_model()
        _require_cuttable(model)
        folder = SegmentationFolder(find_dataset(config.data), config.channels, config.num_classes)
        names = _names(finished.split, part, run)[:AT_MOST]
        pair = _load(folder, names)
        if folder.root.name in MEMBRANES:
            return cls(model, card, *pair, names)
        return cls(model, card, *pair, names, classes=card.classes[:2], of="foreground")  # type: ignore[arg-type]

    def _add_controls(self) -> None:
        start = min(max(round(100 * self.card.threshold), PERCENT[0]), PERCENT[-1])
        depth_box, self.depth = whole_number("depth", self.model.depth, 1, self.model.depth)
        image_box, self.image = whole_number("image", 0, 0, len(self.images) - 1)
        threshold_box, self.threshold = whole_number("threshold, %", start, PERCENT[0], PERCENT[-1])
        self.mode = choice("mode", MODES)
        self.kept: UNetPlusPlus | None = None
        button = Press(description="prune and keep")
        button.on_click(self._keep)
        button_box = widgets.HBox([button], layout={"margin": f"0 0 0 {LABEL}"})
        super().__init__([depth_box, image_box, threshold_box, self.mode, button_box])
        for control in (self.depth, self.image, self.threshold, self.mode):
            control.observe(self._update, "value")
        self._update()

    @property
    def scores(self) -> dict[int, float]:
        """The IoU, mean over all images, of the network cut to each depth, by depth: at today's threshold and mode."""
        return self._scores(self.mode.value, slice(None))

    def _scores(self, mode: str, which: slice) -> dict[int, float]:
        counts = self.counts[which, self.threshold.value - 1, MODES.index(mode)]  # (images, depths, 2, 2)
        return {depth: iou(counts[:, depth - 1], self.of) for depth in self.costs}

    def keep(self, path: str | Path | None = None) -> UNetPlusPlus:
        """Return the network cut to the depth that is shown, also as ``kept``; write it and its card to a file.

        Its heads are held against those of the whole network on the image that is shown; the line of status says what
        came of it. The card gets the threshold that is shown. ``path`` is a .safetensors file (default: pruned_depth_2
        and the like, in the folder of the notebook, with a number where that exists). InputError where it exists.
        """
        depth, shown = self.depth.value, self.image.value
        path = _free_path(f"pruned_depth_{depth}") if path is None else Path(path)
        if path.exists():
            raise InputError(f"{path} exists already; choose another file.")
        pruned = prune(self.model, depth)
        save_model(pruned, path, replace(self.card, threshold=self.threshold.value / 100))
        self.kept = pruned
        whole = self.answers[shown][MODES.index("fast"), :depth]  # each head alone
        off = (heads_now(pruned, self.card, self.images[shown]) - whole).abs().max().item()
        same = "exactly what" if off == 0 else f"something else, up to {off:.1g} of probability away from what"
        self._show(
            f"Kept in {path}, and as the explorer's kept: a network of its own, {self.costs[depth].parameters:,} "
            f"parameters. On this image it says {same} heads 1 to {depth} of the whole network say.\n"
        )
        return pruned

    def _keep(self, _: object) -> None:
        try:
            self.keep()
        except InputError as error:  # a full disk, a folder that is read-only: said where the reader looks
            self._show(f"{error}\n")

    def _update(self, _: object = None) -> None:
        self._show("")

    def _show(self, news: str) -> None:
        depth, shown, mode = self.depth.value, self.image.value, self.mode.value
        here, everywhere = self._scores(mode, slice(shown, shown + 1))[depth], self.scores[depth]
        cost, whole = self.costs[depth], self.costs[self.model.depth]
        scored = {"background": f"of {self.classes[0]}", "foreground": f"of {self.classes[1]}"}.get(
            self.of, "mean of both classes"
        )
        status = (
            f"{news}Depth {depth} of {self.model.depth}, {mode}, threshold {self.threshold.value / 100:.2f}, image "
            f"{self.names[shown]}: IoU {scored} {here:.3f}; mean of {len(self.images)} image(s) {everywhere:.3f}. "
            f"{cost.parameters:,} parameters ({cost.parameters / whole.parameters:.0%} of the whole), "
            f"{cost.macs / 1e9:.2f} G multiply-accumulates ({cost.macs / whole.macs:.0%})."
        )
        alt = f"Image, prediction with its mistakes, nodes that stay, and IoU against time. {status}"
        clock = f"{1e3 * cost.latency:.1f} ms for an image of {self.size[1]} × {self.size[0]} on this machine."
        self.show(self._png(depth), alt, f"{status}\n{clock}")
        self.status = status  # without the clock: the same on every machine
        for other in self.costs:  # while the reader looks, the depths that may come next are drawn
            self._png(other)

    def _png(self, depth: int) -> bytes:
        """Return the sheet of a depth for where the other controls stand; once drawn, it comes back at once."""
        key = (depth, self.image.value, self.threshold.value, MODES.index(self.mode.value))
        return self._pngs.get(key, lambda: self._draw(*key))

    def _draw(self, depth: int, shown: int, percent: int, mode: int) -> bytes:
        here, everywhere = (self._scores(MODES[mode], which) for which in (slice(shown, shown + 1), slice(None)))
        other = self._scores(MODES[1 - mode], slice(None))
        rows = [Row(d, self.costs[d], here[d], everywhere[d], other[d]) for d in self.costs]
        label = classify(self.answers[shown][mode, depth - 1][None, None], percent / 100)
        return self._sheet.draw(
            rows, depth, MODES[mode], self.images[shown], self.masks[shown], label, self.names[shown]
        )


def _free_path(stem: str) -> Path:
    """Return NAME.safetensors, or where that exists NAME_2.safetensors, and so on."""
    names = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
    return next(path for name in names if not (path := Path(f"{name}.safetensors")).exists())


def _require_cuttable(model: SegmentationNetwork) -> UNetPlusPlus:
    require_network(model)
    prune(model, 1)  # says what is missing where there is one head
    assert isinstance(model, UNetPlusPlus)
    if model.num_classes > 1:
        raise InputError(
            f"The network tells {model.num_classes} classes apart, and this explorer shows one: give a network "
            "with num_classes=1. prune, profile_depths and evaluate take yours as it is."
        )
    return model


def _require_pairs(
    model: SegmentationNetwork, images: Sequence[Tensor] | Tensor, masks: Sequence[Tensor] | Tensor, names: object
) -> None:
    if not len(images) == len(masks) or not len(images):
        raise InputError(
            f"There are {len(images)} images and {len(masks)} masks: give one mask for each, at least one."
        )
    if names is not None and len(names) != len(images):  # type: ignore[arg-type]
        raise InputError(f"There are {len(images)} images and {len(names)} names.")  # type: ignore[arg-type]
    for image, mask in zip(images, masks, strict=True):
        require_image(image, mask, channels=model.in_channels)
        if not ((mask == 0) | (mask == 1)).all():
            raise InputError(
                f"A mask holds {mask.unique().tolist()[:5]}: give 0 (background) and 1 (foreground) alone."
            )


def _require_words(card: Card, classes: tuple[str, str], of: str) -> None:
    if not isinstance(card, Card):
        raise InputError(f"card is {type(card).__name__}: give the Card that load_model or shipped_model returns.")
    if len(classes) != 2 or of not in get_args(Scored):
        known = ", ".join(get_args(Scored))
        raise InputError(f"classes={classes}, of={of!r}: give the names of class 0 and class 1, and one of {known}.")


def _names(split: Split, part: str, where: str | Path) -> tuple[str, ...]:
    """Return the images of a part; InputError where there is none."""
    names: tuple[str, ...] = getattr(split, part) if part in get_args(Part) else ()
    if not names:
        filled = ", ".join(f'"{other}"' for other in get_args(Part) if getattr(split, other))
        raise InputError(f"{where} has no image for {part!r}; its parts with images are {filled}.")
    return names


def _load(folder: SegmentationFolder, names: Sequence[str]) -> tuple[list[Tensor], list[Tensor]]:
    pairs = [folder[folder.index_of[name]] for name in names]
    return [image for image, _ in pairs], [mask for _, mask in pairs]


def _read(model: SegmentationNetwork, card: Card, image: Tensor) -> Tensor:
    """Return the probabilities of class 1 by mode and depth, (modes, depths, H, W): head d, the mean of heads 1 … d."""
    heads = heads_now(model, card, image)
    return torch.stack([heads, torch.stack([heads[:depth].mean(0) for depth in model.head_depths])])


def _count(answers: Tensor, mask: Tensor) -> Tensor:
    """Return the confusion counts of an image, (thresholds, modes, depths, 2, 2)."""
    modes, depths = answers.shape[:2]
    flat = answers.flatten(0, 1)[:, None]
    counts = counts_by_threshold(flat, mask[None].expand(len(flat), -1, -1, -1))
    return counts.view(len(counts), modes, depths, 2, 2)
