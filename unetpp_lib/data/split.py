"""Training, validation and test parts, divided by image and before any augmentation."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path

from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """The names of the images in each part; no name stands twice (InputError). ``how`` tells how they were divided."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    how: str = field(default="", compare=False, kw_only=True)

    @property
    def names(self) -> set[str]:
        """The images of all parts."""
        return {*self.train, *self.validation, *self.test}

    def __str__(self) -> str:
        """Return how many images each part has, with their fraction, and how they were divided."""
        counts = {part: len(getattr(self, part)) for part in PARTS}
        total = max(1, sum(counts.values()))
        shown = ", ".join(f"{part} {count} ({count / total:.0%})" for part, count in counts.items())
        return f"Split: {shown}. {self.how}".strip()

    def __post_init__(self) -> None:
        repeated = [name for name, count in Counter((*self.train, *self.validation, *self.test)).items() if count > 1]
        if repeated:
            raise InputError(f"an image may stand only once in a split: take out the repeats of {', '.join(repeated)}")


def split_by_image(
    names: Iterable[str], validation: float = 0.15, test: float = 0.15, seed: int = 0, blocked: bool = False
) -> Split:
    """Divide image names at random into parts that share no image.

    The result depends on the set of names and the seed, not on the order of ``names``. ``validation`` and ``test`` are
    shares of the images, rounded, and at least one image where the share is above 0. With ``blocked=True`` the two
    parts are neighbouring runs of the names in natural order (``slice_9`` before ``slice_10``) at a place drawn from
    the seed, so that few slices of a stack have a near copy in another part. InputError where no image is left to
    train on, where a share is out of range, or where a name stands twice.

    >>> split_by_image(["a", "b", "c", "d"], validation=0.25, test=0.25, blocked=True)
    Split(train=('a', 'd'), validation=('b',), test=('c',), how='')
    """
    ordered = sorted(names, key=natural_order)
    if min(validation, test) < 0 or not validation + test < 1:
        raise InputError(
            f"validation={validation} and test={test} are shares of the images: give 0 or more, less than 1 together"
        )
    held_out, tested = (max(1, round(len(ordered) * share)) if share else 0 for share in (validation, test))
    training = len(ordered) - held_out - tested
    if training < 1:
        raise InputError(
            f"{len(ordered)} image(s) do not reach for validation={validation} and test={test} with one left to train "
            "on: add images, or set a share to 0"
        )
    draw = random.Random(seed)
    if blocked:
        start = draw.randrange(training + 1)
        ordered = ordered[start:] + ordered[:start]
    else:
        draw.shuffle(ordered)
    parts = ordered[held_out + tested :], ordered[:held_out], ordered[held_out : held_out + tested]
    return Split(*(tuple(sorted(part, key=natural_order)) for part in parts))


def write_split(split: Split, path: str | PathLike[str]) -> None:
    """Write a split as JSON; whoever reads at the same time finds the old file or the new one, whole."""
    write_atomically(Path(path), json.dumps(asdict(split), indent=2) + "\n")


def read_split(path: str | PathLike[str]) -> Split:
    """Read what ``write_split`` wrote; InputError naming the file where it holds anything else."""
    try:
        parts = json.loads(Path(path).read_text(encoding="utf-8"))
        how = parts.pop("how", "") if isinstance(parts, dict) else ""
        if not isinstance(parts, dict) or parts.keys() != set(PARTS):
            raise InputError(f"it must hold an object with the keys {', '.join(PARTS)} and no others")
        for key in PARTS:
            if not isinstance(parts[key], list) or not all(isinstance(name, str) for name in parts[key]):
                raise InputError(f"{key} must be a list of image names")
        return Split(**{key: tuple(parts[key]) for key in PARTS}, how=str(how))
    except (OSError, ValueError, InputError) as error:
        raise InputError(f"{path} is not a split that can be read: {error}; mend it, or write it anew") from error


def natural_order(name: str) -> tuple[list[str | int], str]:
    """Return a sort key that counts: text and numbers in turn, then the name itself, which tells 7 from 07."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)], name
