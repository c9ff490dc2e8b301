"""What only all masks of a folder together show: labels that contradict each other, and classes that never occur."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mode

import numpy as np
from numpy.typing import NDArray

from unetpp_lib.data.mask_values import Colour, Labels
from unetpp_lib.data.pixels import Page, Picture
from unetpp_lib.labels import IGNORED


def compare_masks(masks: Sequence[tuple[Page, Labels]]) -> Iterator[str]:
    """Yield a fault for each mask whose foreground is not that of most, or whose palette contradicts another's."""
    foregrounds = [labels.foreground for _, labels in masks if labels.foreground is not None]
    usual = mode(foregrounds) if foregrounds else None
    owners: dict[int, tuple[Colour, Page]] = {}
    for mask, labels in masks:
        if labels.foreground not in (None, usual):
            yield (
                f"{mask}: the foreground is {labels.foreground}, but {usual} in most masks; use one value in all of "
                "them, or set num_classes if these are classes"
            )
        for label, colour in labels.colours.items():
            seen, owner = owners.setdefault(label, (colour, mask))
            if seen != colour:
                yield (
                    f"{mask}: label {label} has the colour {colour} in its palette, but {seen} in that of "
                    f"{owner.path.name}; save all masks with one palette"
                )
                break


def count_labels(classes: NDArray[np.uint8], num_classes: int) -> tuple[int, ...]:
    """Return the pixels of each class, and then of those that are ignored."""
    labelled = max(2, num_classes)
    counts = np.bincount(classes.ravel(), minlength=IGNORED + 1)
    return (*counts[:labelled].tolist(), int(counts[IGNORED]) if num_classes > 1 else 0)


def missing_classes(folder: Path, pixels: Sequence[int], num_classes: int, complete: bool) -> Iterator[str]:
    """Yield what is wrong with the number of pixels of each class in all masks together; the last are ignored ones."""
    *labelled, ignored = pixels
    if num_classes > 1 and ignored and not any(labelled[1:]):
        values = "0 and 255" if labelled[0] else "255"
        yield (
            f"{folder}: the masks contain only {values}, and with several classes 255 means ignored; if this is "
            "foreground against background, set num_classes=1 (--num-classes 1)"
        )
    elif complete and num_classes == 1 and not all(labelled):
        here, there = ("background", "foreground") if labelled[0] else ("foreground", "background")
        yield f"{folder}: every pixel of every mask is {here}; add masks with {there}, or check how they were saved"
    elif complete and not all(labelled):
        missing = ", ".join(str(label) for label, count in enumerate(labelled) if not count)
        yield (
            f"{folder}: no mask has a pixel of class {missing}, and what never occurs is not learned; add such masks, "
            f"or relabel them as 0, 1, 2 … and lower num_classes={num_classes}"
        )


def notes_on(image: Picture, mask: Picture, labels: Labels) -> tuple[str, ...]:
    """Say what was applied to the files of a pair, in words that follow a number of files."""
    turned = "turned as their EXIF orientation says; masks must be drawn on the turned image"
    notes = {
        f"image(s): {turned}": image.orientation > 1,
        f"mask(s): {turned}": mask.orientation > 1,
        "image(s): inverted, because the TIFF says that 0 is white": image.inverted,
        "mask(s): inverted, because the TIFF says that 0 is white": mask.inverted and not mask.keeps_labels,
        "mask(s): taken as stored, although the TIFF says that 0 is white (tifffile, ImageJ)": mask.inverted
        and mask.keeps_labels,
        "mask(s): of two colours without black, the darker one is taken for background": labels.is_guess,
    }
    return tuple(note for note, applies in notes.items() if applies)
