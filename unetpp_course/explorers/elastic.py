"""Explorer: elastic deformation, its strength and fineness, and what happens if the mask is deformed differently."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.explorers.base import PictureExplorer, choice, require_image, whole_number
from unetpp_course.explorers.sheet import OVERLAY, Picture, beside, grey, png
from unetpp_lib.data import elastic_field, warp
from unetpp_lib.engine.pictures import COLOURS
from unetpp_lib.metrics import confusion_counts, iou

ORANGE = COLOURS[0, 1]  # as in the whole course: what should be membrane, or is not a class at all
LINES = 16  # pixels between the lines of the grid that shows the deformation
ROUNDING = 1e-4  # interpolation between equal values differs from them by less than this


class ElasticExplorer(PictureExplorer):
    """Deform an image and its mask: strength, grid points and draw; together or apart; nearest or bilinear mask.

    ``image`` is (1, H, W), float in [0, 1], and ``mask`` (1, H, W), 0 and 1. Three pictures show the deformed image
    with the membranes of the deformed mask on it, the deformed mask, and a straight grid after the same deformation.
    The controls are attributes (``strength``, ``points``, ``draw``, ``partners``, ``mask_values``), so a cell can set
    ``explorer.strength.value``; ``scores`` holds the numbers in the line of status. Raises InputError for other shapes.
    """

    def __init__(self, image: Tensor, mask: Tensor, strength: int = 10, points: int = 3, draw: int = 0) -> None:
        require_image(image, mask, channels=1)
        self._image, self._mask = image[None].float(), mask[None].to(torch.uint8)
        self._grid = _straight_grid(*image.shape[-2:])
        strengths, self.strength = whole_number("strength, pixels", strength, 0, 40)
        grid_points, self.points = whole_number("grid points a side", points, 2, 12)
        draws, self.draw = whole_number("draw", draw, 0, 99)
        self.partners = choice("image and mask move", ("together", "apart"))
        self.mask_values = choice("mask values by", ("nearest", "bilinear"))
        super().__init__([strengths, grid_points, draws, self.partners, self.mask_values])
        for control in (self.strength, self.points, self.draw, self.partners, self.mask_values):
            control.observe(self._update, names="value")
        self._update()

    def _update(self, *_: object) -> None:
        """Deform again, and show the pictures and the line of status."""
        own_field = self._field(0)
        mask_field = own_field if self.partners.value == "together" else self._field(1)
        image = warp(self._image, own_field, "bilinear")
        mask = warp(self._mask.float(), mask_field, self.mask_values.value)
        truth = warp(self._mask, own_field, "nearest")  # the true classes of the deformed image
        between = (mask - mask.round()).abs() > ROUNDING
        counts = confusion_counts((mask > 0.5).to(torch.uint8), truth)
        self.scores = {"membrane IoU": iou(counts, "background"), "between": between.float().mean().item()}
        grid = warp(self._grid, own_field, "bilinear")
        pictures = {
            "image, mask on it": _with_membranes(image[0, 0].numpy(), mask[0, 0].numpy()),
            "mask": _with_marks(mask[0, 0].numpy(), between[0, 0].numpy()),
            "a straight grid": grey(grid[0, 0]),
        }
        self.show(png(beside(pictures)), f"{self._description} {self._result}", self._result)

    def _field(self, number: int) -> Tensor:
        """Return displacements (1, 2, H, W): number 0 for the image, 1 for a mask that is deformed separately."""
        generator = torch.Generator().manual_seed(2 * self.draw.value + number)
        height, width = self._image.shape[-2:]
        return elastic_field(1, height, width, self.points.value, float(self.strength.value), generator)

    @property
    def _result(self) -> str:
        points = self.points.value
        return (
            f"Strength {self.strength.value} pixels, {points} × {points} grid points, draw {self.draw.value}, "
            f"{self.partners.value}, {self.mask_values.value}. Mask against bent image: membrane IoU "
            f"{self.scores['membrane IoU']:.3f}; {self.scores['between']:.1%} of the mask's values are neither 0 nor 1."
        )

    @property
    def _description(self) -> str:
        """A description of the pictures for screen readers."""
        return (
            f"Left: the bent image, with the membranes of the mask in orange, moved {self.partners.value}. Middle: the "
            f"mask, {self.mask_values.value}; values between 0 and 1 in orange. Right: a straight grid, bent alike."
        )


def _straight_grid(height: int, width: int) -> Tensor:
    """Return black lines on white, (1, 1, H, W)."""
    grid = torch.ones(1, 1, height, width)
    grid[..., LINES // 2 :: LINES, :] = 0
    grid[..., LINES // 2 :: LINES] = 0
    return grid


def _with_membranes(image: NDArray[Any], mask: NDArray[Any]) -> Picture:
    """Return an image with the membranes of a mask on it in transparent orange."""
    share = OVERLAY * (1 - mask)[..., None]
    mixed: Picture = np.rint((1 - share) * grey(image) + share * ORANGE).astype(np.uint8)
    return mixed


def _with_marks(mask: NDArray[Any], marked: NDArray[Any]) -> Picture:
    picture = grey(mask)
    picture[marked] = ORANGE
    return picture
