"""Explorer: what a trained UNet++ predicts when it is pruned to each depth, what that costs, and where it is wrong."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor
from traitlets import link

from unetpp_course.explorers.base import Pictured, Recent, choice, require_image, whole_number
from unetpp_course.explorers.depth_costs import costs_of, measured_costs, measured_passes
from unetpp_course.explorers.depth_sheet import DepthSheet, Row
from unetpp_course.explorers.live_depth import LiveDepth
from unetpp_course.explorers.threshold import counts_by_threshold
from unetpp_course.heads_in_time import heads_now
from unetpp_course.live.sent_ahead import PERCENT, about_explorer, image_pack
from unetpp_course.shipped import shipped_model
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, read_split
from unetpp_lib.engine import Card, Run, save_model
from unetpp_lib.engine.network_file import network_bytes
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, iou
from unetpp_lib.models import Profile, SegmentationNetwork, UNetPlusPlus, prune
from unetpp_lib.models.blocks import require_network

Part = Literal["train", "validation", "test"]
ScoredClass = Literal["background", "foreground", "classes"]

MODES = ("fast", "accurate")
AT_MOST = 8  # images of a run, because all of them are predicted when the explorer opens
LARGEST_SIDE = 512  # pixels: latency is measured on an image of at most this size
MEMBRANES = ("membranes", "isbi2012", "isbi2012_test")  # sets whose class 0 is the membrane


class DepthExplorer(Pictured):
    """Prune a trained network to depth 1, 2 … with a slider: mistakes in colour, remaining nodes, IoU, cost and time.

    ``model`` is a `UNetPlusPlus` with deep supervision and one class, and ``card`` is its card. ``images`` are
    (C, H, W) in [0, 1], of any sizes, and ``masks`` (1, H, W) of 0 and 1. `shipped` opens the course's own network,
    `of_run` one that you trained. ``profiles`` are those of `profile_depths`; without them, latency is measured when
    the explorer opens. ``classes`` names class 0 and class 1, and ``of`` says whose IoU is shown.
    Controls: ``depth``, ``image``, ``threshold`` (per cent), ``mode``; `scores` is the resulting IoU by depth. The
    button "prune and keep" calls `keep`. The explorer works on a copy of the network. An image of your own, by file,
    drop or paste, is predicted by the browser itself, where the network has one channel and `network_bytes` takes it.
    Raises InputError for arguments that do not fit together.
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
        of: ScoredClass = "background",
    ) -> None:
        cuttable = require_cuttable(model)
        require_pairs(model, images, masks, names)
        _require_words(card, classes, of)
        self.model, self.card = deepcopy(cuttable).cpu().eval(), card
        self.images, self.masks = [image.float() for image in images], [mask.to(torch.uint8) for mask in masks]
        self.names = [str(k) for k in range(len(images))] if names is None else list(names)
        self.size = tuple(min(side, LARGEST_SIDE) for side in self.images[0].shape[1:])
        self.classes, self.of = classes, of
        with measured_passes(self.model) as passes:
            self.answers = [_read(self.model, card, image) for image in self.images]  # (modes, depths, H, W) each
        if profiles is None:
            self.costs = measured_costs(self.model, torch.zeros(1, model.in_channels, *self.size), passes)
        else:
            self.costs = costs_of(profiles, model.depth)
        self.counts = torch.stack([_count(*pair) for pair in zip(self.answers, self.masks, strict=True)])
        self._sheet = DepthSheet(cuttable, self.costs, self.size, classes)
        self._pngs = Recent[tuple[int, int, int, int], bytes](100)
        self._add_controls()

    @classmethod
    def shipped(cls, part: Part = "validation", profiles: Mapping[int, Profile] | None = None) -> "DepthExplorer":
        """Open the course's trained network on a part of its images; choose a depth on the validation part."""
        root = find_dataset("membranes")
        names = _names(read_split(root / "split.json"), part, root)
        return cls(*shipped_model("unetpp_membranes"), *_load(SegmentationFolder(root), names), names, profiles)

    @classmethod
    def of_run(cls, run: str | Path, part: Part = "validation") -> "DepthExplorer":
        """Open the network of a run, as `unetpp train` writes it, on the first images of a part of its data."""
        finished = Run(Path(run))
        config = finished.config
        model, card = finished.load_model()
        require_cuttable(model)
        folder = SegmentationFolder(find_dataset(config.data), config.channels, config.num_classes)
        names = _names(finished.split, part, run)[:AT_MOST]
        pair = _load(folder, names)
        if folder.root.name in MEMBRANES:
            return cls(model, card, *pair, names)
        return cls(model, card, *pair, names, classes=card.classes[:2], of="foreground")  # type: ignore[arg-type]

    def _add_controls(self) -> None:
        """Make the controls, and the widget in the browser that shows them and is kept equal with them."""
        start = min(max(round(100 * self.card.threshold), PERCENT[0]), PERCENT[-1])
        _, self.depth = whole_number("depth", self.model.depth, 1, self.model.depth)
        _, self.image = whole_number("image", 0, 0, len(self.images) - 1)
        _, self.threshold = whole_number("threshold, %", start, PERCENT[0], PERCENT[-1])
        self.mode = choice("mode", MODES)
        self.kept: UNetPlusPlus | None = None
        samples = zip(self.names, self.images, self.masks, self.answers, strict=True)
        self.live = LiveDepth(
            about=about_explorer(self.model, self.costs, self.size, self.names, self.classes, self.of),
            packs=[image_pack(*sample) for sample in samples],
            network=_network_for_browser(self.model, self.card),
            can_keep=True,
        )
        for name in ("depth", "image", "threshold", "mode"):
            control = getattr(self, name)
            link((control, "value"), (self.live, name))
            control.observe(self._update, "value")
        self.live.on_msg(lambda _, content, __: self._keep() if content.get("keep") else None)
        super().__init__([self.live])
        self._update()

    @property
    def scores(self) -> dict[int, float]:
        """The IoU by depth of the pruned networks: the mean over all images, at the chosen threshold and mode."""
        return self._scores(self.mode.value, slice(None))

    def _scores(self, mode: str, which: slice) -> dict[int, float]:
        counts = self.counts[which, self.threshold.value - 1, MODES.index(mode)]  # (images, depths, 2, 2)
        return {depth: iou(counts[:, depth - 1], self.of) for depth in self.costs}

    def keep(self, path: str | Path | None = None) -> UNetPlusPlus:
        """Return the network pruned to the chosen depth, also as ``kept``, and write it with its card to a file.

        Its heads are compared with those of the whole network on the image that is shown, and the line of status says
        whether they agree. The card gets the chosen threshold. ``path`` is a .safetensors file, by default
        pruned_depth_2 or the like in the notebook's folder, with a number if that exists. Raises InputError if ``path``
        exists.
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

    def _keep(self) -> None:
        try:
            self.keep()
        except InputError as error:  # such as a full disk or a read-only folder: shown below the pictures
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
        self.live.news = news.strip()
        self.status = (  # without the time, so that it is the same on every machine
            f"{news}Depth {depth} of {self.model.depth}, {mode}, threshold {self.threshold.value / 100:.2f}, image "
            f"{self.names[shown]}: IoU {scored} {here:.3f}; mean of {len(self.images)} image(s) {everywhere:.3f}. "
            f"{cost.parameters:,} parameters ({cost.parameters / whole.parameters:.0%} of the whole), "
            f"{cost.macs / 1e9:.2f} G multiply-accumulates ({cost.macs / whole.macs:.0%})."
        )

    @property
    def png(self) -> bytes:  # type: ignore[override]
        """The picture that stands in where widgets cannot run, at the present setting."""
        return self._png(self.depth.value)

    def _png(self, depth: int) -> bytes:
        """Return the sheet of a depth at the setting of the other controls, drawn or from the cache."""
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


def _network_for_browser(model: UNetPlusPlus, card: Card) -> bytes:
    """Return network.bin, with which the browser predicts the learner's own image; empty where that cannot be."""
    try:
        return network_bytes(model, card) if model.in_channels == 1 else b""
    except InputError:  # such as group norm: the explorer works without an image of one's own
        return b""


def _free_path(stem: str) -> Path:
    """Return NAME.safetensors, or if that exists NAME_2.safetensors, and so on."""
    names = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
    return next(path for name in names if not (path := Path(f"{name}.safetensors")).exists())


def require_cuttable(model: SegmentationNetwork) -> UNetPlusPlus:
    """Return the network; raises InputError unless it is a UNet++ with several heads and one class."""
    require_network(model)
    prune(model, 1)  # raises InputError for a network with a single head
    assert isinstance(model, UNetPlusPlus)
    if model.num_classes > 1:
        raise InputError(
            f"The network has {model.num_classes} classes, and this explorer shows only one: give a network with "
            "num_classes=1. prune, profile_depths and evaluate accept your network."
        )
    return model


def require_pairs(
    model: SegmentationNetwork, images: Sequence[Tensor] | Tensor, masks: Sequence[Tensor] | Tensor, names: object
) -> None:
    """Raise InputError unless there is one mask, and one name if any, for each image, and all fit the network."""
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
                f"A mask contains {mask.unique().tolist()[:5]}: it may contain only 0 (background) and 1 (foreground)."
            )


def _require_words(card: Card, classes: tuple[str, str], of: str) -> None:
    if not isinstance(card, Card):
        raise InputError(f"card is {type(card).__name__}: give the Card that load_model or shipped_model returns.")
    if len(classes) != 2 or of not in get_args(ScoredClass):
        known = ", ".join(get_args(ScoredClass))
        raise InputError(f"classes={classes}, of={of!r}: give the names of class 0 and class 1, and one of {known}.")


def _names(split: Split, part: str, where: str | Path) -> tuple[str, ...]:
    """Return the names of the images of a part; raises InputError if there is none."""
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
