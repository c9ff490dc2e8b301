"""What notebook 13 makes of its settings cell: the folder checked, the training and the split, in the cell's words."""

import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from unetpp_lib.data import FolderError, SegmentationFolder, Split
from unetpp_lib.engine import PRESETS, Card, Run, TrainConfig
from unetpp_lib.engine.runs import choose_split, refuse_copies
from unetpp_lib.errors import InputError

GRID = 16  # a patch of a preset's network is padded to a multiple of it: 2 to the power of the depth
LEAST_PATCH = 64  # in a smaller one, the lowest level of a preset's network would see hardly more than padding
FAULTS_SHOWN = 20

# the library's words, and those of the settings cell
WORDS: dict[str, str | Callable[[re.Match[str]], str]] = {
    r" \(--[a-z-]+ [^)]*\)": "",
    r"\b(num_classes|mask_suffix|channels|class_names|epochs|patch) ?= ?": lambda found: f"{found[1].upper()} = ",
    r"\b(num_classes|mask_suffix|class_names)\b": lambda found: found[1].upper(),
    r"^(group|epochs|patch|channels) is": lambda found: f"{found[1].upper()} is",
    r": bring more groups, or set validation or test to 0": (
        ": add images of other groups, or leave GROUP empty and write a split.json"
    ),
    r"do not reach for .* with one left to train on: add images, or set a share to 0": (
        "are too few: one is needed to train on, one for validation and one for the test. Add images."
    ),
}


class SettingsError(Exception):
    """The settings do not fit the folder; a notebook stops at it and shows its message without the traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [str(self)]


def open_folder(
    root: Path, channels: int, num_classes: int, mask_suffix: str = "", names: Sequence[str] = ()
) -> SegmentationFolder:
    """Check a folder and print what it holds; with faults, raise SettingsError with all of them."""
    names = name_classes(names, num_classes)
    try:
        folder = SegmentationFolder(root, channels, num_classes, mask_suffix=mask_suffix)
    except FolderError as error:
        faults = join_alike([in_the_words_of_the_cell(fault) for fault in error.faults])
        shown = faults[:FAULTS_SHOWN] + (["…"] if len(faults) > FAULTS_SHOWN else [])
        raise SettingsError("\n  ".join([f"{root}: {len(error.faults)} fault(s)", *shown])) from None
    except InputError as error:
        raise SettingsError(in_the_words_of_the_cell(str(error))) from None
    print(f"{folder.root.name}: {len(folder)} pairs of image and mask, no faults")
    for side, lengths in zip(("height", "width"), zip(*folder.sizes, strict=True), strict=True):
        low, high = min(lengths), max(lengths)
        print(f"{side:<12}{low} pixels" if low == high else f"{side:<12}{low} to {high} pixels")
    for name, share in zip(names, folder.class_shares, strict=True):
        print(f"{name:<12}{share:.1%} of the pixels")
    if folder.ignored_share:
        print(f"{'ignored':<12}{folder.ignored_share:.1%} of all pixels")
    for note in folder.notes:
        print("note:", note)
    return folder


def name_classes(given: Sequence[str], num_classes: int) -> tuple[str, ...]:
    """Return the names of the classes, class 0 first: those of CLASS_NAMES, or made up where it is empty.

    Raises SettingsError for another number of names than there are classes.
    """
    if isinstance(given, str):
        raise SettingsError(f'CLASS_NAMES is the single text "{given}": give one name for each class, in brackets.')
    if given and len(given) != max(2, num_classes):
        raise SettingsError(
            f"CLASS_NAMES has {len(given)} name(s), and NUM_CLASSES = {num_classes} needs {max(2, num_classes)}: "
            "class 0 (the background) first."
        )
    return tuple(given) or Card().names_of(num_classes)


def choose_config(
    folder: SegmentationFolder, preset: str, epochs: int | None, patch: int | None, data: Mapping[str, Any]
) -> TrainConfig:
    """Return the preset's configuration for a folder, with the settings that are not None.

    Without ``patch`` it is at most the preset's, and made to fit small images. Raises SettingsError for an unknown
    preset, and for values that are out of range.
    """
    known = {str(name): config for name, config in PRESETS.items()}
    if preset not in known:
        raise SettingsError(f"PRESET is {preset!r}: give one of {', '.join(known)}.")
    chosen: dict[str, Any] = {"patch": fitting_patch(folder.sizes, known[preset].patch) if patch is None else patch}
    if epochs is not None:
        chosen["epochs"] = epochs
    with _settings_errors():
        return replace(known[preset], **chosen, **data)


def fitting_patch(sizes: Sequence[tuple[int, int]], largest: int) -> int:
    """Return the side of patches that suits images of these sizes: their usual shorter side, on the pooling grid.

    >>> fitting_patch([(90, 70), (100, 85), (64, 90)], largest=256), fitting_patch([(512, 700)], largest=256)
    (64, 256)
    """
    usual = int(statistics.median(min(size) for size in sizes))
    return min(largest, max(LEAST_PATCH, usual // GRID * GRID))


def divide(folder: SegmentationFolder, config: TrainConfig) -> Split:
    """Return the split that the training will use, or raise SettingsError where the images cannot be divided."""
    with _settings_errors():
        split = choose_split(folder, config)
        refuse_copies(folder, split)
    return split


def open_finished(path: str, folder: SegmentationFolder) -> Run:
    """Return the run in the folder MY_RUN; raise SettingsError where it is none, or was trained on other images."""
    run = Run(Path(path).expanduser())
    with _settings_errors():
        config, split = run.config, run.split
    if (config.channels, config.num_classes) != (folder.channels, folder.num_classes):
        raise SettingsError(
            f"The run in MY_RUN has CHANNELS = {config.channels} and NUM_CLASSES = {config.num_classes}: "
            "set them to these numbers."
        )
    missing = sorted(split.names - set(folder.names))
    if missing:
        raise SettingsError(f"The run in MY_RUN was trained on other images: {missing[0]} is not in MY_FOLDER.")
    return run


def join_alike(faults: Sequence[str]) -> list[str]:
    """Return the faults with one line for all files that have the same one.

    >>> join_alike(["a.png: is JPEG", "b.png: is coloured", "c.png: is JPEG", "d.png: is JPEG"])
    ['a.png and 2 more: is JPEG', 'b.png: is coloured']
    """
    files: dict[str, list[str]] = {}
    for fault in faults:
        file, _, what = fault.partition(": ")
        files.setdefault(what, []).append(file)
    joined = []
    for what, those in files.items():
        shown = " and ".join(those) if len(those) < 3 else f"{those[0]} and {len(those) - 1} more"
        joined.append(f"{shown}: {what}")
    return joined


@contextmanager
def _settings_errors() -> Iterator[None]:
    """Turn the library's complaints into those of the settings cell."""
    try:
        yield
    except InputError as error:
        raise SettingsError(in_the_words_of_the_cell(str(error))) from None


def in_the_words_of_the_cell(message: str) -> str:
    """Return a message of the library with the options named as the settings cell names them.

    >>> in_the_words_of_the_cell("masks/a.png: holds 2; set num_classes=3 (--num-classes 3)")
    'masks/a.png: holds 2; set NUM_CLASSES = 3'
    """
    for pattern, word in WORDS.items():
        message = re.sub(pattern, word, message)
    return message
