"""Depth pruning: what a trained UNet++ says when it is cut to each depth, what that costs, and where it is wrong."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from unetpp_lib.classroom.explorers.base import PictureExplorer, choice, require_image, require_network, whole_number
from unetpp_lib.classroom.explorers.depth_sheet import Cost, DepthSheet, Row
from unetpp_lib.classroom.explorers.threshold import PERCENT, counts_by_threshold
from unetpp_lib.classroom.head_steps import heads_now
from unetpp_lib.classroom.networks import shipped_model
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, read_split
from unetpp_lib.engine import Card, Run
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, iou
from unetpp_lib.models import Profile, SegmentationNetwork, UNetPlusPlus, prune

Part = Literal["train", "validation", "test"]
Scored = Literal["background", "foreground", "classes"]

MODES = ("fast", "accurate")
AT_MOST = 8  # images of a run: each is read whole when the explorer opens
PASSES = 2
LARGEST = 512  # pixels of a side that latency is measured at
MEMBRANES = ("membranes", "isbi2012", "isbi2012_test")  # sets whose class 0 is the membrane


class DepthExplorer(PictureExplorer):
    """Cut a trained network to depth 1, 2 … with a slider: mistakes in colour, the nodes that stay, IoU, cost, time.

    ``model`` is a `UNetPlusPlus` with deep supervision and one class, ``card`` says how it takes its images;
    ``images`` are (C, H, W) in [0, 1], of any sizes, ``masks`` (1, H, W) of 0 and 1. `shipped` opens the course's own
    network, `of_run` one that you trained. ``profiles`` are what `profile_depths` gives; without them, latency is
    measured when the explorer opens. ``classes`` names class 0 and class 1, ``of`` says whose IoU is shown.
    Controls: ``depth``, ``image``, ``threshold`` (per cent), ``mode``. `scores` is the IoU by depth that they give.
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
        self.model, self.card = model.eval(), card
        self.images, self.masks = [image.float() for image in images], [mask.to(torch.uint8) for mask in masks]
        self.names = [str(k) for k in range(len(images))] if names is None else list(names)
        self.size = tuple(min(side, LARGEST) for side in self.images[0].shape[1:])
        self.classes, self.of = classes, of
        with _watch(model) as watched:
            self.answers = [_read(model, card, image) for image in self.images]  # (modes, depths, H, W) each
        if profiles is None:
            self.costs = _measure(model, torch.zeros(1, model.in_channels, *self.size), *watched)
        else:
            self.costs = _costs_of(profiles, model.depth)
        self.counts = torch.stack([_count(*pair) for pair in zip(self.answers, self.masks, strict=True)])
        self._sheet = DepthSheet(cuttable, self.costs, self.size, classes)
        self._pngs: dict[tuple[int, ...], bytes] = {}
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
        super().__init__([depth_box, image_box, threshold_box, self.mode])
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

    def _update(self, _: object = None) -> None:
        depth, shown, mode = self.depth.value, self.image.value, self.mode.value
        here, everywhere = self._scores(mode, slice(shown, shown + 1))[depth], self.scores[depth]
        cost, whole = self.costs[depth], self.costs[self.model.depth]
        scored = {"background": f"of {self.classes[0]}", "foreground": f"of {self.classes[1]}"}.get(
            self.of, "mean of both classes"
        )
        status = (
            f"Depth {depth} of {self.model.depth}, {mode}, threshold {self.threshold.value / 100:.2f}, image "
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
        if key not in self._pngs:
            if len(self._pngs) > 100:
                self._pngs.clear()
            self._pngs[key] = self._draw(*key)
        return self._pngs[key]

    def _draw(self, depth: int, shown: int, percent: int, mode: int) -> bytes:
        here, everywhere = (self._scores(MODES[mode], which) for which in (slice(shown, shown + 1), slice(None)))
        other = self._scores(MODES[1 - mode], slice(None))
        rows = [Row(d, self.costs[d], here[d], everywhere[d], other[d]) for d in self.costs]
        label = classify(self.answers[shown][mode, depth - 1][None, None], percent / 100)
        return self._sheet.draw(
            rows, depth, MODES[mode], self.images[shown], self.masks[shown], label, self.names[shown], len(self.images)
        )


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


def _costs_of(profiles: Mapping[int, Profile], depth: int) -> dict[int, Cost]:
    if sorted(profiles) != list(range(1, depth + 1)):
        raise InputError(f"profiles are for depths {sorted(profiles)}; give one for each of 1 to {depth}.")
    return {d: Cost(profile.parameters, profile.macs, profile.latency) for d, profile in sorted(profiles.items())}


@contextmanager
def _watch(model: SegmentationNetwork) -> Iterator[tuple[list[float], dict[str, int]]]:
    """Note what passes within the block take: the seconds of those of the first one's size, and its layers' MACs."""
    seconds: list[float] = []
    macs: dict[str, int] = {}
    first: list[torch.Size] = []
    start = [0.0]

    def begin(_: torch.nn.Module, inputs: tuple[Tensor]) -> None:
        first.append(inputs[0].shape)
        start[0] = time.perf_counter()

    def end(_: torch.nn.Module, inputs: tuple[Tensor], __: object) -> None:
        if inputs[0].shape == first[0]:
            seconds.append(time.perf_counter() - start[0])

    def count(name: str, layer: torch.nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        pixels = inputs[0] if isinstance(layer, torch.nn.ConvTranspose2d) else output  # each weight works once a pixel
        macs.setdefault(name, layer.weight.numel() * pixels[0, 0].numel())  # type: ignore[operator]

    hooks = [model.register_forward_pre_hook(begin), model.register_forward_hook(end)]
    for name, layer in model.named_modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            hooks.append(layer.register_forward_hook(partial(count, name)))
    try:
        yield seconds, macs
    finally:
        for hook in hooks:
            hook.remove()


@torch.inference_mode()
def _measure(
    model: SegmentationNetwork, image: Tensor, seconds: Sequence[float], macs: Mapping[str, int]
) -> dict[int, Cost]:
    """Return what each depth costs, in less than a second where `profile_depths` takes several.

    The whole network has just run, which warmed up what its pruned copies share with it; the fastest pass counts.
    """
    costs = {}
    for depth in range(1, model.depth + 1):
        pruned = prune(model, depth)
        taken = list(seconds) if depth == model.depth else [_seconds(pruned, image) for _ in range(PASSES)]
        work = sum(macs.get(name, 0) for name, _ in pruned.named_modules())
        costs[depth] = Cost(sum(p.numel() for p in pruned.parameters()), work, min(taken))
    return costs


def _seconds(model: SegmentationNetwork, image: Tensor) -> float:
    start = time.perf_counter()
    model(image)
    return time.perf_counter() - start


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
