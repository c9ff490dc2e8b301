"""What belongs to a network's weights: normalisation of the images, threshold, and names of the classes."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from unetpp_lib.engine.options import as_number
from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import as_row

LARGEST = torch.finfo(torch.float32).max
ROUNDING = 1e-4  # an image may exceed [0, 1] by this much, because resampling and float16 round


@dataclass(frozen=True)
class Card:
    """What you need besides the weights to use a network.

    Raises InputError for a mean or standard deviation that no image can be normalised with, and for a threshold that is
    not between 0 and 1.
    """

    mean: tuple[float, ...] = (0.0,)
    """Subtracted from each channel of an image in [0, 1] before the network sees it."""
    std: tuple[float, ...] = (1.0,)
    """Each channel is then divided by this."""
    threshold: float = 0.5
    """A pixel is foreground if its probability is above this (one class)."""
    classes: tuple[str, ...] = ("background", "foreground")
    """The names of the classes, in the order of the mask's values."""
    details: dict[str, Any] = field(default_factory=dict)
    """Where the network came from: data, seed, scores, versions; "training_brightness" is the mean value of
    the darkest and of the brightest training image."""

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            numbers = as_row(getattr(self, name), as_number)
            if not numbers or max(map(abs, numbers)) > LARGEST:
                raise InputError(f"{name} is {getattr(self, name)!r}; give a finite number for each channel.")
            object.__setattr__(self, name, numbers)
        if len(self.mean) != len(self.std):
            raise InputError(f"mean is {self.mean} and std is {self.std}; give one number each for every channel.")
        if min(self.std) <= 0:
            raise InputError(f"std is {self.std}; images are divided by it, so give numbers greater than 0.")
        if any((1 + abs(mean)) / std > LARGEST for mean, std in zip(self.mean, self.std, strict=True)):
            raise InputError(
                f"mean is {self.mean} and std is {self.std}; images normalised in this way do not fit into float32."
            )
        (threshold,) = as_row([self.threshold], as_number) or (0.0,)
        if not 0 < threshold < 1:
            raise InputError(f"threshold is {self.threshold!r}; it must be greater than 0 and less than 1.")
        classes = tuple(self.classes) if isinstance(self.classes, list | tuple) else (None,)
        if not all(isinstance(name, str) for name in classes):
            raise InputError(f"classes is {self.classes!r}; give the names of the classes, such as {Card.classes}.")
        if len(set(classes)) < len(classes):
            raise InputError(f"classes is {classes}; give each class a name of its own.")
        if not isinstance(self.details, dict):
            raise InputError(f'details is {self.details!r}; give a dictionary, such as {{"seed": 0}}.')
        object.__setattr__(self, "threshold", threshold)
        object.__setattr__(self, "classes", classes)  # as a tuple, because JSON has only lists

    def names_of(self, num_classes: int) -> tuple[str, ...]:
        """Return the names of a network's classes; "class 0" … where the card has not one for each."""
        count = max(2, num_classes)
        return self.classes if len(self.classes) == count else tuple(f"class {label}" for label in range(count))

    def unlike_training(self, image: Tensor) -> str:
        """Say of an image in [0, 1] that it is far brighter or darker than the training images; "" where it is not.

        Far is one ``std`` beyond the brightest or the darkest of them, or twice or half their brightness. (With half
        the brightness of the drawn images, 1.5 std too dark, unetpp_membranes has a membrane IoU of 0.08 instead of
        0.77; with a quarter less, 0.6 std too dark, 0.74.) Of a card without "training_brightness", the mean counts.
        """
        mean, std = (sum(values) / len(values) for values in (self.mean, self.std))
        known = as_row(self.details.get("training_brightness"), as_number)
        low, high = known if len(known) == 2 else (mean, mean)
        down, up = (min(std, low / 2), min(std, high)) if known else (std, std)
        brightness = image.mean().item()
        if low - down <= brightness <= high + up:
            return ""
        return (
            f"is far {'darker' if brightness < low else 'brighter'} than the training images (its mean is "
            f"{brightness:.2g} of white, theirs {low:.2g} to {high:.2g}), so the prediction may be wrong; bring its "
            "greys to theirs: 12 bits that were saved as 16, for example, need a factor of 16"
        )

    def normalise(self, images: Tensor) -> Tensor:
        """Return images ``(…, C, H, W)`` in [0, 1] normalised for the network. This is the only normalisation.

        Raises InputError for images that are not floating-point, or that have another number of channels than the card.
        """
        if not images.is_floating_point():
            raise InputError(f"images are {images.dtype}; {_REMEDY}.")
        if images.ndim < 3 or images.shape[-3] != len(self.mean):
            raise InputError(
                f"images have shape {tuple(images.shape)} and the card has {len(self.mean)} channel(s): "
                f"give (…, {len(self.mean)}, H, W), or the card that belongs to these images."
            )
        numbers = torch.tensor((self.mean, self.std), dtype=images.dtype, pin_memory=images.is_cuda)
        mean, std = numbers[..., None, None].to(images.device, non_blocking=True)  # without waiting for a GPU
        normalised: Tensor = (images - mean) / std
        return normalised


def check_image(image: Tensor, channels: int) -> None:
    """Raise InputError unless ``image`` is ``(channels, H, W)`` and floating-point, with values from 0 to 1."""
    if not isinstance(image, Tensor):
        raise InputError(f"image is of type {type(image).__name__}; give a tensor, such as torch.from_numpy(image).")
    if image.ndim != 3 or len(image) != channels or not image.numel():
        advice = {2: "; image[None] adds the channel", 4: "; leave the batch out, as image[0] does"}.get(image.ndim, "")
        raise InputError(f"image has shape {tuple(image.shape)}; this network takes ({channels}, H, W){advice}.")
    if not image.is_floating_point():
        raise InputError(f"image is {image.dtype}; {_REMEDY}.")
    least, greatest = (value.item() for value in image.aminmax())
    if not -ROUNDING <= least <= greatest <= 1 + ROUNDING:  # NaN fails as well
        remedy = _REMEDY if math.isfinite(least + greatest) else "its values must be finite numbers from 0 to 1"
        raise InputError(f"image has values from {least:g} to {greatest:g}; {remedy}.")


_REMEDY = "give floating-point numbers from 0 to 1: divide bytes by 255, or read the file with read_image"
