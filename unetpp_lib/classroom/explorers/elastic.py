"""Elastic deformation with controls: how far, how finely, and what happens where the mask goes its own way."""

import base64
import io
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from unetpp_lib.data import elastic_field, warp
from unetpp_lib.engine.pictures import COLOURS
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou

ORANGE = COLOURS[0, 1]  # as everywhere in the course: what should be membrane, or is no class at all
LINES = 16  # pixels between the lines of the grid that shows the field
GAP, HEADING = 8, 18  # white pixels between two pictures, and above them
GREYS = 24  # of the picture that stands where no widget runs: it is kept in the notebook's file
SLIDER, NUMBER, HIDDEN = {"width": "24em"}, {"width": "5em"}, {"description_width": "0px"}
ROUNDING = 1e-4  # interpolation between equal values leaves them by less than this


class ElasticExplorer(widgets.VBox):  # type: ignore[misc]
    """Bend an image and its mask: strength, grid points and draw; together or apart; nearest or bilinear mask.

    ``image`` (1, H, W), float in [0, 1]; ``mask`` (1, H, W), 0 and 1. Three pictures: the bent image with the membranes
    of the bent mask on it, the bent mask, and a straight grid after the same bending. The controls are attributes
    (``strength``, ``points``, ``draw``, ``partners``, ``mask_values``), so a cell can set ``explorer.strength.value``;
    ``status`` is the line below the pictures, ``scores`` holds its numbers. InputError for other shapes.
    """

    def __init__(self, image: Tensor, mask: Tensor, strength: int = 10, points: int = 3, draw: int = 0) -> None:
        if image.ndim != 3 or len(image) != 1 or image.shape != mask.shape:
            raise InputError(f"image is {tuple(image.shape)}, mask {tuple(mask.shape)}: give both as (1, H, W).")
        self._image, self._mask = image[None].float(), mask[None].to(torch.uint8)
        self._grid = _straight_grid(*image.shape[-2:])
        self.strength, strengths = _paired("strength, pixels", strength, 0, 40)
        self.points, grid_points = _paired("grid points a side", points, 2, 12)
        self.draw, draws = _paired("draw", draw, 0, 99)
        self.partners = _choice("image and mask move", ("together", "apart"))
        self.mask_values = _choice("mask values by", ("nearest", "bilinear"))
        self._view = widgets.HTML()
        self._update()
        for control in (self.strength, self.points, self.draw, self.partners, self.mask_values):
            control.observe(self._update, names="value")
        super().__init__([strengths, grid_points, draws, self.partners, self.mask_values, self._view])

    def _update(self, *_: object) -> None:
        """Bend anew, and show the pictures and the line below them."""
        own_field = self._field(0)
        mask_field = own_field if self.partners.value == "together" else self._field(1)
        image = warp(self._image, own_field, "bilinear")
        mask = warp(self._mask.float(), mask_field, self.mask_values.value)
        truth = warp(self._mask, own_field, "nearest")  # where the image's pixels belong now
        between = (mask - mask.round()).abs() > ROUNDING
        counts = confusion_counts((mask > 0.5).to(torch.uint8), truth)
        self.scores = {"membrane IoU": iou(counts, "background"), "between": between.float().mean().item()}
        grid = warp(self._grid, own_field, "bilinear")
        self._pictures = _beside(
            {
                "image, mask on it": _with_membranes(image[0, 0].numpy(), mask[0, 0].numpy()),
                "mask": _with_marks(mask[0, 0].numpy(), between[0, 0].numpy()),
                "a straight grid": _grey(grid[0, 0].numpy()),
            }
        )
        self._view.value = (
            f'<img alt="{self.description}" style="width: 100%; max-width: 48em" '
            f'src="data:image/png;base64,{_png(self._pictures)}"><p role="status">{self.status}</p>'
        )

    def _field(self, number: int) -> Tensor:
        """Return the displacements (1, 2, H, W) of the image, 0, or those of a mask that goes its own way, 1."""
        generator = torch.Generator().manual_seed(2 * self.draw.value + number)
        height, width = self._image.shape[-2:]
        return elastic_field(1, height, width, self.points.value, float(self.strength.value), generator)

    @property
    def status(self) -> str:
        """What the pictures show, in one line."""
        return (
            f"Mask against bent image: membrane IoU {self.scores['membrane IoU']:.3f}; "
            f"{self.scores['between']:.1%} of the mask's values are neither 0 nor 1."
        )

    @property
    def description(self) -> str:
        """The pictures in words, for whoever does not see them."""
        return (
            f"Left: the image, bent by about {self.strength.value} pixels, with the membranes of the mask in orange, "
            f"moved {self.partners.value}. Middle: the mask, {self.mask_values.value}; values between 0 and 1 in "
            "orange. Right: a straight grid, bent like the image."
        )

    def __repr__(self) -> str:
        return (
            f"ElasticExplorer(strength={self.strength.value}, points={self.points.value}, draw={self.draw.value}, "
            f"{self.partners.value}, {self.mask_values.value})"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Add the pictures, which stand where widgets cannot run."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"image/png": _png(self._pictures.quantize(GREYS, dither=Image.Dither.NONE))}


def _paired(name: str, value: int, low: int, high: int) -> tuple[Any, Any]:
    """Return a slider, and the row that shows it beside a field for its number, which has a name to screen readers."""
    style = {"description_width": "10em"}
    slider = widgets.IntSlider(value, low, high, description=name, readout=False, style=style, layout=SLIDER)
    number = widgets.BoundedIntText(value, low, high, description=name, style=HIDDEN, layout=NUMBER)
    widgets.link((slider, "value"), (number, "value"))
    return slider, widgets.HBox([slider, number])


def _choice(name: str, options: tuple[str, str]) -> Any:
    return widgets.ToggleButtons(options=options, description=name, style={"description_width": "10em"})


def _straight_grid(height: int, width: int) -> Tensor:
    """Return black lines on white, (1, 1, H, W)."""
    grid = torch.ones(1, 1, height, width)
    grid[..., LINES // 2 :: LINES, :] = 0
    grid[..., LINES // 2 :: LINES] = 0
    return grid


def _grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Turn values (H, W) in [0, 1] into colours (H, W, 3)."""
    return np.repeat(np.rint(255 * values.clip(0, 1)).astype(np.uint8)[..., None], 3, axis=-1)


def _with_membranes(image: NDArray[Any], mask: NDArray[Any]) -> NDArray[np.uint8]:
    """Lay the membranes of a mask, in transparent orange, on an image."""
    share = 0.55 * (1 - mask)[..., None]
    mixed: NDArray[np.uint8] = np.rint((1 - share) * _grey(image) + share * ORANGE).astype(np.uint8)
    return mixed


def _with_marks(mask: NDArray[Any], marked: NDArray[Any]) -> NDArray[np.uint8]:
    picture = _grey(mask)
    picture[marked] = ORANGE
    return picture


def _beside(pictures: dict[str, NDArray[np.uint8]]) -> Image.Image:
    """Set pictures (H, W, 3) of one size side by side under their headings."""
    height, width = next(iter(pictures.values())).shape[:2]
    sheet = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, height + HEADING), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for number, (heading, picture) in enumerate(pictures.items()):
        left = number * (width + GAP)
        draw.text((left, 0), heading, "black", font)
        sheet.paste(Image.fromarray(picture), (left, HEADING))
        # a white mask on a white page needs its frame
        draw.rectangle((left, HEADING, left + width - 1, HEADING + height - 1), outline="grey")
    return sheet


def _png(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=3)
    return base64.b64encode(buffer.getvalue()).decode()
