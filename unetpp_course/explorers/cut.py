"""Explorer: one slider cuts a trained UNet++ to each depth, and the picture shows what it then predicts."""

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from unetpp_course.explorers.base import PictureExplorer, Recent, whole_number
from unetpp_course.explorers.depth import require_cuttable, require_pairs
from unetpp_course.explorers.depth_sheet import GAP, LETTERS, LINE, PLOT, SIDE, graph_layout, paste
from unetpp_course.explorers.graph_sheet import GraphSheet
from unetpp_course.explorers.sheet import font, grey, png
from unetpp_course.style import MISTAKES, mark_mistakes
from unetpp_lib.engine import Card
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork, prune
from unetpp_lib.models.graph import grid_graph

WIDTH, HEIGHT = 2 * SIDE + PLOT[0] + 2 * GAP, 3 * LINE + SIDE + GAP


class CutExplorer(PictureExplorer):
    """Cut a trained network with a slider: the prediction with its mistakes, and the nodes that are left.

    ``model`` is a `UNetPlusPlus` with deep supervision and one class, and ``card`` is its card. ``images`` are
    (C, H, W) in [0, 1], and ``masks`` (1, H, W) of 0, membrane, and 1, interior. Each depth is predicted by the network
    that `prune` returns. Controls: ``depth``, ``image``; `score` is the IoU of the membrane.
    Raises InputError for arguments that do not fit together.
    """

    def __init__(
        self,
        model: SegmentationNetwork,
        card: Card,
        images: Sequence[Tensor] | Tensor,
        masks: Sequence[Tensor] | Tensor,
        names: Sequence[str] | None = None,
    ) -> None:
        whole = require_cuttable(model)
        require_pairs(model, images, masks, names)
        self.images, self.masks, self.card = list(images), list(masks), card
        self.names = [str(k) for k in range(len(images))] if names is None else list(names)
        self.networks = {depth: prune(whole, depth).cpu().eval() for depth in whole.head_depths}
        self.parameters = {d: sum(p.numel() for p in network.parameters()) for d, network in self.networks.items()}
        self._graphs = {
            d: grid_graph(network.widths, network.dense, network.head_depths) for d, network in self.networks.items()
        }
        self._graph_sheet = GraphSheet(
            grid_graph(whole.widths, whole.dense, whole.head_depths), graph_layout(whole.depth)
        )
        self.predictions = {d: [self._predict(d, image) for image in self.images] for d in self.networks}
        self._pngs = Recent[tuple[int, int], bytes](100)
        depth_box, self.depth = whole_number("depth", whole.depth, 1, whole.depth)
        image_box, self.image = whole_number("image", 0, 0, len(self.images) - 1)
        super().__init__([depth_box, image_box])
        for control in (self.depth, self.image):
            control.observe(self._update, "value")
        self._update()

    @property
    def score(self) -> float:
        """The IoU of the membrane on the image that is shown, at the chosen depth."""
        return self._score(self.depth.value, self.image.value)

    def _score(self, depth: int, shown: int) -> float:
        counts = confusion_counts(self.predictions[depth][shown], self.masks[shown][None].to(torch.uint8))
        return iou(counts, of="background")

    def _predict(self, depth: int, image: Tensor) -> Tensor:
        """Return what the network of this depth predicts by its deepest head, (1, 1, H, W)."""
        with torch.inference_mode():
            heads = self.networks[depth](self.card.normalise(image.float())[None])
        return classify(heads[-1].sigmoid(), self.card.threshold)

    def _update(self, _: object = None) -> None:
        depth, shown = self.depth.value, self.image.value
        left, whole = self.parameters[depth], self.parameters[max(self.parameters)]
        status = (
            f"Depth {depth} of {max(self.parameters)}: {left:,} of {whole:,} parameters ({left / whole:.0%}). "
            f"Image {self.names[shown]}: IoU of the membrane {self.score:.3f}."
        )
        self.show(self._png(depth, shown), f"Image, prediction with its mistakes, nodes that stay. {status}", status)
        for other in self.parameters:  # draws the depths that may be chosen next in advance
            self._png(other, shown)

    def _png(self, depth: int, shown: int) -> bytes:
        return self._pngs.get((depth, shown), lambda: self._draw(depth, shown))

    def _draw(self, depth: int, shown: int) -> bytes:
        """Return the sheet as a PNG file: image, prediction and nodes, above the meaning of the colours."""
        sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
        draw = ImageDraw.Draw(sheet)
        marked = mark_mistakes(self.masks[shown], self.predictions[depth][shown])
        paste(sheet, 0, f"image {self.names[shown]}", grey(self.images[shown].float().mean(0)))
        paste(sheet, SIDE + GAP, f"cut to depth {depth}: IoU {self._score(depth, shown):.2f}", marked)
        left = 2 * (SIDE + GAP)
        draw.text((left, 2), "what is left of the network", "black", font(LETTERS))
        sheet.paste(self._graph_sheet.draw(self._graphs[depth]), (left, LINE))
        for number, (word, colour) in enumerate(MISTAKES.items()):
            x, y = (number % 2) * (SIDE + GAP), LINE + SIDE + GAP + (number // 2) * LINE
            draw.rectangle((x, y + 2, x + 24, y + 17), colour, "black")
            draw.text((x + 34, y), word, "black", font(LETTERS))
        return png(sheet)
