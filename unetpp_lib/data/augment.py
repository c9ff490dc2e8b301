"""Augmentation of whole batches on their device, with separate random numbers for every image."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from unetpp_lib.errors import InputError
from unetpp_lib.labels import as_labels


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a training batch; 0 or False turns a change off.

    Geometric changes move image and mask together. Brightness, contrast and noise change the image alone; they are in
    units of the standard deviation of the normalised images. Raises InputError for a strength out of range.
    """

    flips: bool = True
    """Flip left-right and top-bottom, each with probability ½."""
    turns: bool = True
    """Rotate by 0, 90, 180 or 270 degrees, all equally likely; only by 0 or 180 if height and width differ."""
    elastic_sigma: float = 10.0
    """Standard deviation of the displacements at the coarse grid points, in pixels."""
    elastic_points: int = 3
    """Coarse grid points along each side."""
    brightness: float = 0.2
    """Largest shift, up or down, in standard deviations."""
    contrast: float = 0.2
    """Largest relative change of the contrast, up or down, below 1."""
    noise: float = 0.05
    """Standard deviation of the Gaussian noise added to each pixel, in standard deviations of the image."""

    def __post_init__(self) -> None:
        for name in ("elastic_sigma", "brightness", "contrast", "noise"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name}={getattr(self, name)} is a strength: give a number of at least 0 (0: off)")
        if self.contrast >= 1:
            raise InputError(f"contrast={self.contrast} would invert images: give less than 1")
        if self.elastic_points < 2:
            raise InputError(f"elastic_points={self.elastic_points} bends nothing: give at least 2")

    def __call__(self, images: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return changed copies of images (N, C, H, W), float and normalised, and masks (N, 1, H, W), integer classes.

        All randomness comes from ``generator``, which must be on the device of the batch. Raises InputError if shapes
        or devices do not fit together.
        """
        _check_batch(images, masks, generator)
        images, masks = self._flip_and_turn(images, masks, generator)
        if self.elastic_sigma:
            N, _, H, W = images.shape
            field = elastic_field(N, H, W, self.elastic_points, self.elastic_sigma, generator)
            images, masks = warp(images, field, "bilinear"), warp(masks, field, "nearest")
        return self._jitter_intensity(images, generator), masks

    def _flip_and_turn(self, images: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Apply a random symmetry of the square; the eight are made from three mirrors: │, ─ and the diagonal."""
        if not (self.flips or self.turns):
            return images, masks
        square = images.shape[-2] == images.shape[-1]
        shape = (3, len(images), 1, 1, 1)
        left_right, up_down, diagonal = torch.randint(2, shape, generator=generator, device=images.device).bool()
        if not (self.turns and square):
            diagonal = torch.zeros_like(diagonal)
        if not self.flips:
            up_down = left_right ^ diagonal  # an even number of mirrors is a rotation

        def mirror(x: Tensor) -> Tensor:
            if square:
                x = torch.where(diagonal, x.transpose(-2, -1), x)
            x = torch.where(left_right, x.flip(-1), x)
            return torch.where(up_down, x.flip(-2), x)

        return mirror(images), mirror(as_labels("masks", masks)).to(masks.dtype)

    def _jitter_intensity(self, images: Tensor, generator: torch.Generator) -> Tensor:
        if self.contrast or self.brightness:
            shape = (2, len(images), 1, 1, 1)
            gain, shift = 2 * torch.rand(shape, generator=generator, device=images.device) - 1
            images = images * (1 + self.contrast * gain) + self.brightness * shift
        if self.noise:
            images = images + self.noise * torch.randn(images.shape, generator=generator, device=images.device)
        return images


def elastic_field(batch: int, height: int, width: int, points: int, sigma: float, generator: torch.Generator) -> Tensor:
    """Return random smooth displacements (N, 2, H, W) in pixels, down and to the right, on ``generator``'s device.

    They are normal with standard deviation ``sigma`` on a grid of points × points, which includes the corners, and
    interpolated bicubically between them (Ronneberger et al. 2015, section 3.1: 3 × 3 points, 10 pixels).
    """
    coarse = sigma * torch.randn(batch, 2, points, points, generator=generator, device=generator.device)
    return F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True)


def warp(images: Tensor, field: Tensor, mode: Literal["bilinear", "nearest"]) -> Tensor:
    """Move pixels: the result at (y, x) is ``images`` at (y, x) + ``field``, with mirrored borders.

    ``images`` (N, C, H, W) have any type; ``field`` (N, 2, H, W) is in pixels, down and to the right. Class indices
    need "nearest", which creates no new values; raises InputError otherwise.
    """
    if mode == "bilinear" and not images.is_floating_point():
        raise InputError(f'warp of {images.dtype} with mode="bilinear" would mix class indices: use mode="nearest"')
    H, W = images.shape[-2:]
    rows = torch.arange(H, device=field.device)[:, None] + field[:, 0]
    columns = torch.arange(W, device=field.device) + field[:, 1]
    # grid_sample counts from -1 to 1 between the outer edges of the outermost pixels (align_corners=False), x before y
    grid = torch.stack([(2 * columns + 1) / W - 1, (2 * rows + 1) / H - 1], dim=-1)
    moved = F.grid_sample(images.to(grid.dtype), grid, mode=mode, padding_mode="reflection", align_corners=False)
    return moved.to(images.dtype)


def _check_batch(images: Tensor, masks: Tensor, generator: torch.Generator) -> None:
    if images.ndim != 4 or masks.shape != (len(images), 1, *images.shape[-2:]):
        raise InputError(
            f"images {tuple(images.shape)} and masks {tuple(masks.shape)} do not fit together: give (N, C, H, W) and "
            "(N, 1, H, W)"
        )
    if generator.device.type != images.device.type:
        raise InputError(
            f"the generator is on {generator.device}, the batch on {images.device}: make it with "
            f"torch.Generator({str(images.device)!r})"
        )
