"""From the numbers in a mask's file to class indices; what cannot be labels is said with the file's name."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unetpp_lib.data.pixels import Picture, require_visible
from unetpp_lib.errors import InputError
from unetpp_lib.labels import IGNORED

Colour = tuple[int, ...]


class Labels(NamedTuple):
    """A mask: ``classes`` (H, W) uint8; what stands for foreground in a binary one; the colours of the labels in use.

    The foreground is a value or, where a palette is not grey, a colour. None where there is none.
    """

    classes: NDArray[np.uint8]
    foreground: float | Colour | None = None
    colours: dict[int, Colour] = {}  # noqa: RUF012 - never written to
    is_guess: bool = False  # whether the darker of two colours was taken for background without being black


def to_labels(picture: Picture, num_classes: int, source: object) -> Labels:
    """Return the class indices that a mask stands for, as `read_mask` says; InputError where it holds none."""
    values = _single_band(picture, source)
    used = np.unique(values)
    palette = None if picture.palette is None else picture.palette[used]
    if num_classes > 1:
        _check_classes(used, num_classes, source)
        colours = {} if palette is None else {int(k): tuple(c.tolist()) for k, c in zip(used, palette, strict=True)}
        return Labels(values.astype(np.uint8), colours=colours)
    if palette is not None and not (palette == palette[:, :1]).all() and len(used) <= 2:
        shades = palette.astype(int).sum(axis=1)
        background = used[shades.argmin()] if len(used) > 1 or not shades.any() else None  # black, or else the darker
        colour = tuple(palette[shades.argmax()].tolist()) if shades.any() else None
        return Labels((values != background).astype(np.uint8), colour, is_guess=bool(len(used) > 1 and shades.all()))
    if palette is not None and (palette == palette[:, :1]).all():
        values, used = picture.palette[values][..., 0], np.unique(palette[:, 0])  # type: ignore[index]
    if np.count_nonzero(used) > 1:
        raise InputError(
            f"{source}: holds {len(used)} distinct values ({_listed(used)}), but a binary mask holds 0 and one other; "
            "many values come from resampling or JPEG compression: threshold the mask, or set num_classes if these are "
            "classes (with 255 for ignored pixels, if any); labels that count objects (instances) become a binary mask "
            "by mask > 0"
        )
    foreground = used.max().item() if used.any() else None
    if foreground is not None and palette is None and values.dtype.kind in "bu" and picture.white:
        foreground *= max(1, 255 // picture.white)  # white of 1, 2 and 4 bits is that of 8
    return Labels((values != 0).astype(np.uint8), foreground)


def _single_band(picture: Picture, source: object) -> NDArray[Any]:
    """Return the values (H, W) that may be labels, as they are stored."""
    if picture.is_jpeg:
        raise InputError(f"{source}: is JPEG, which blurs labels; export the mask anew as PNG from where it was drawn")
    require_visible(picture, source)
    values = picture.values[..., :-1] if picture.has_alpha else picture.values
    if picture.kind == "colour" and values.itemsize > 1:
        raise InputError(f"{source}: is 16-bit colour; save a grey or palette PNG whose values are the classes")
    if values.dtype.kind not in "biuf" or not (values >= 0).all() or np.isposinf(values).any():
        raise InputError(
            f"{source}: holds {values.dtype} with values that are no classes (below 0, NaN, infinite or complex); "
            "save whole numbers from 0"
        )
    if not (values == values[..., :1]).all() or picture.kind in ("inks", "bands"):
        what = f"has {values.shape[-1]} bands" if picture.kind == "bands" else "is coloured"
        raise InputError(f"{source}: {what}; save a grey or palette PNG whose values are the classes")
    values = values[..., 0]
    if picture.inverted and not picture.keeps_labels and picture.white is not None:
        values = ~values if values.dtype.kind == "b" else picture.white - values
    return values


def _check_classes(used: NDArray[Any], num_classes: int, source: object) -> None:
    wrong = used[~np.isin(used, [*range(num_classes), IGNORED])]
    if not len(wrong):
        return
    hint = ""
    if used.min() == 1 and wrong.tolist() == [num_classes]:
        hint = f"; if the labels are 1 … {num_classes}, subtract 1"
    elif len(used) <= num_classes and wrong.min() >= 2 * num_classes:
        hint = f"; if {_listed(used)} are grey levels for classes, relabel them as {_listed(np.arange(len(used)))}"
    elif len(used) > num_classes + 1:
        hint = "; labels that count objects (instances) become a binary mask by mask > 0, with num_classes=1"
    raise InputError(
        f"{source}: holds {_listed(wrong)}, but {num_classes} classes are 0 … {num_classes - 1}, with {IGNORED} for "
        f"ignored pixels; relabel the mask, or set num_classes{hint}"
    )


def _listed(values: NDArray[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:5])
    return f"{shown} … {values[-1]}" if len(values) > 5 else shown
