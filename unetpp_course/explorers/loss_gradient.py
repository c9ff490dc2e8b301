"""Explorer: move a predicted shape and its confidence against a truth, and see the gradient of each loss."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from unetpp_course.explorers.base import PictureExplorer, whole_number
from unetpp_course.explorers.sheet import font
from unetpp_course.figures import png_of_image
from unetpp_course.gradients import GRADIENT_COLOURS, Loss, disc, negative_gradient
from unetpp_lib.errors import InputError
from unetpp_lib.losses import bce_dice_loss, bce_loss, soft_dice_loss
from unetpp_lib.metrics import classify, confusion_counts, iou

SIDE, GAP, LINE = 192, 10, 20  # pixels: a panel's longer side, gap between panels, line of text
CONFIDENCE, SMALLEST, LARGEST = 90, 20, 300  # per cent: initial confidence; least and greatest size of the shape
GREEN = (0, 158, 115)  # the truth's outline on grey


def half_bce(logits: Tensor, target: Tensor) -> Tensor:
    """Return ½·BCE, as in the combined loss."""
    return 0.5 * bce_loss(logits, target)


LOSSES: dict[str, Loss] = {"½BCE": half_bce, "Dice": soft_dice_loss, "½BCE + Dice": bce_dice_loss}


class LossGradientExplorer(PictureExplorer):
    """Move and scale a predicted shape and change its confidence: BCE, Dice, their sum, IoU, and each loss's gradient.

    ``target`` is a mask of yours, (H, W), (1, H, W) or (1, 1, H, W), of 0 and 1; by default it is a disc in 64 × 64
    pixels. The predicted shape is that of the target, or a disc if the target is empty. Every pixel inside it has the
    probability ``confidence`` (per cent), and every pixel outside has 1 minus that. The controls are attributes:
    ``right`` and ``down`` (pixels), ``size`` and ``confidence`` (per cent). ``values`` holds the losses and the IoU,
    ``pulls`` the maps of `negative_gradient`. Raises InputError if the target is not a mask, and for a position outside
    of it.
    """

    def __init__(self, target: Tensor | None = None, right: int = 0, down: int = 0) -> None:
        self.target = disc(32, 32, 9) if target is None else _as_target(target)
        height, width = self.target.shape[-2:]
        self._shape = self.target if self.target.any() else _disc_within(height, width)
        if abs(right) > width or abs(down) > height:
            raise InputError(
                f"right={right}, down={down}: the target has {height} rows and {width} columns; move less."
            )
        right_box, self.right = whole_number("move right, pixels", right, -width, width)
        down_box, self.down = whole_number("move down, pixels", down, -height, height)
        size_box, self.size = whole_number("size, % of the truth", 100, SMALLEST, LARGEST, 5)
        confidence_box, self.confidence = whole_number("confidence, %", CONFIDENCE, 50, 99)
        self.values: dict[str, float] = {}
        self.pulls: dict[str, Tensor] = {}
        super().__init__([right_box, down_box, size_box, confidence_box])
        for slider in (self.right, self.down, self.size, self.confidence):
            slider.observe(self._update, "value")
        self._update()

    def probabilities(self) -> Tensor:
        """Return the predicted probabilities, (1, 1, H, W)."""
        moved = _moved(self._shape, self.down.value, self.right.value, self.size.value / 100)
        confidence = self.confidence.value / 100
        return torch.where(moved > 0, confidence, 1 - confidence)

    def _update(self, _: object = None) -> None:
        p = self.probabilities()
        logits, counts = p.logit(), confusion_counts(classify(p), self.target.to(torch.uint8))
        self.values = {
            "BCE": bce_loss(logits, self.target).item(),
            "Dice loss": soft_dice_loss(logits, self.target).item(),
            "½BCE + Dice loss": bce_dice_loss(logits, self.target).item(),
            "IoU": iou(counts),
        }
        self.pulls = {name: negative_gradient(loss, logits, self.target) for name, loss in LOSSES.items()}
        status = " · ".join(f"{name} {value:.3f}" for name, value in self.values.items())
        for name, values in self.pulls.items():
            status += f"\nHardest pull of {name}: {_hardest(values, self.target)}"
        alt = f"The prediction in grey with the truth's outline, and the pull of each loss. {status}"
        self.show(png_of_image(self._draw(p)), alt, status)

    def _draw(self, p: Tensor) -> Image.Image:
        strongest = max(values.abs().max().item() for values in self.pulls.values()) or 1.0
        panels = {"predicted p, and truth": np.repeat(p[0, 0].numpy()[..., None], 3, axis=-1)}
        for name, values in self.pulls.items():
            share = (values[0, 0] / strongest).numpy()
            panels[f"pull of {name}"] = GRADIENT_COLOURS((1 + np.sign(share) * np.sqrt(np.abs(share))) / 2)[..., :3]
        legend = f"Blue: pulled down. Orange: pulled up, at most by {strongest:.2f}."
        legend += " Colours are stretched to show weak pulls."
        return _beside(panels, self.target[0, 0].numpy(), legend)


def _as_target(target: Tensor) -> Tensor:
    if not isinstance(target, Tensor) or target.numel() == 0 or target.shape[-2:].numel() != target.numel():
        given = tuple(target.shape) if isinstance(target, Tensor) else type(target).__name__
        raise InputError(f"target is {given}: give one mask, a tensor (H, W), (1, H, W) or (1, 1, H, W).")
    mask = target.detach().cpu().float().reshape(1, 1, *target.shape[-2:])
    if not ((mask == 0) | (mask == 1)).all():
        raise InputError("target may contain only 0 and 1: divide a mask of 0 and 255 by 255.")
    return mask


def _disc_within(height: int, width: int) -> Tensor:
    side = max(height, width)
    return disc(height // 2, width // 2, min(height, width) / 7, side)[..., :height, :width]


def _moved(shape: Tensor, down: int, right: int, scale: float) -> Tensor:
    """Return a shape (1, 1, H, W) scaled about its middle and moved, with nearest-neighbour sampling."""
    height, width = shape.shape[-2:]
    middle = shape[0, 0].nonzero().float().mean(dim=0)  # row and column
    rows = middle[0] + (torch.arange(height) - middle[0] - down) / scale
    columns = middle[1] + (torch.arange(width) - middle[1] - right) / scale
    y, x = torch.meshgrid((2 * rows + 1) / height - 1, (2 * columns + 1) / width - 1, indexing="ij")
    return F.grid_sample(shape, torch.stack([x, y], dim=-1)[None], mode="nearest", align_corners=False)


def _hardest(values: Tensor, target: Tensor) -> str:
    words = []
    for name, pixels in (("truth", values[target == 1]), ("background", values[target == 0])):
        if pixels.numel():
            words.append(f"{pixels[pixels.abs().argmax()].item():+.3f} on a pixel of the {name}")
    return ", ".join(words) + "."


def _beside(panels: Mapping[str, NDArray[np.floating]], truth: NDArray[np.floating], legend: str) -> Image.Image:
    """Return enlarged panels (H, W, 3) in [0, 1] side by side below their names, with the outline of the truth."""
    times = max(1, SIDE // max(truth.shape))
    inside = np.kron(truth, np.ones((times, times))) > 0
    padded = np.pad(inside, 1, mode="edge")
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    height, width = inside.shape
    step = max(width, SIDE) + GAP  # a heading needs more room than a narrow picture
    sheet = Image.new("RGB", (len(panels) * step - GAP, height + 2 * LINE), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (name, panel) in enumerate(panels.items()):
        pixels = np.rint(255 * np.repeat(np.repeat(panel, times, 0), times, 1)).astype(np.uint8)
        pixels[inside & ~core] = GREEN if number == 0 else 0
        draw.text((number * step, 1), name, "black", font(14))
        sheet.paste(Image.fromarray(pixels), (number * step, LINE))
        draw.rectangle((number * step, LINE, number * step + width - 1, LINE + height - 1), outline="grey")
    draw.text((0, LINE + height + 2), legend, "black", font(14))
    return sheet
