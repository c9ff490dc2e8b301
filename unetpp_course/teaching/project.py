"""A final project for each student: other drawn images, other seeds (`python -m unetpp_course project FOLDER`).

The same student of the same class always gets the same project, so that a teacher can draw it again.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from unetpp_course.membranes import write_membranes
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

SEEDS = 3  # of training: the least that gives an interval
IMAGES, SIZE = 40, 256  # as many, and as large, as the embedded images
QUESTIONS = (
    (
        "Does UNet++ without deep supervision beat U-Net on these images?",
        "--model unetpp --no-deep-supervision",
        "--model unet",
    ),
    (
        "Does deep supervision change the score of UNet++ on these images?",
        "--model unetpp",
        "--model unetpp --no-deep-supervision",
    ),
    ("Do the dense connections change the score on these images?", "--model unetpp", "--model unetplus"),
    ("Does augmentation change the score of U-Net on these images?", "--model unet", "--model unet --no-augment"),
)
SHEET = """\
# Final project of {student}

**Your question: {question}**

The folder `images` beside this page contains {images} drawn images, which nobody else in your class has; `masks`
contains the truth, and `split.json` says which images are for training, validation and test. Do not change the split.

Train each of your two networks once per seed, {runs} runs in all:

```sh
{commands}
```

Each run prints its folder. Score it with `unetpp evaluate RUN`. Before you look at a score, write down what you expect,
and why. Everything else, and how the project is assessed, is on the page *Final project* of the course
(`docs/final_project.md`).

Images drawn with seed {seed}; seeds for training: {seeds}.
"""


@dataclass(frozen=True)
class Variant:
    """What is a student's own: the seeds of the images and of training, and the question with its two networks."""

    images: int
    training: tuple[int, ...]
    question: str
    networks: tuple[str, str]


def variant_of(student: str, group: str) -> Variant:
    """Return the variant of a student in a class."""
    digest = hashlib.sha256(f"{group}\0{student}".encode()).digest()
    question, first, second = QUESTIONS[digest[0] % len(QUESTIONS)]
    images = int.from_bytes(digest[1:5], "big") % 1_000_000
    start = int.from_bytes(digest[5:7], "big") % 1000
    return Variant(images, tuple(range(start, start + SEEDS)), question, (first, second))


def write_project(folder: Path, student: str, group: str = "", count: int = IMAGES, size: int = SIZE) -> Variant:
    """Draw a student's images into a new folder, and write the sheet with their task beside them.

    Raises InputError where the folder is not empty or the student has no name.
    """
    if not student.strip():
        raise InputError("Give the student's name or number: --student NAME.")
    variant = variant_of(student, group)
    write_membranes(folder, count, size, variant.images)
    commands = [
        f"unetpp train --data . {network} --seed {seed}" for network in variant.networks for seed in variant.training
    ]
    sheet = SHEET.format(
        student=student,
        question=variant.question,
        images=count,
        runs=len(commands),
        commands="\n".join(commands),
        seed=variant.images,
        seeds=", ".join(map(str, variant.training)),
    )
    write_atomically(folder / "PROJECT.md", sheet)
    return variant
