"""The files of a prediction: which images a user means, and what is written for each."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from unetpp_lib.data import LargeImage, count_pages, is_large, read_image
from unetpp_lib.data.listing import SUFFIXES, name_slices
from unetpp_lib.data.pixels import Page
from unetpp_lib.engine.pictures import class_palette
from unetpp_lib.engine.prediction import Predictor
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_png
from unetpp_lib.metrics import classify

KINDS = SUFFIXES | {".npy"}
_WRITTEN = re.compile(r"_(mask|probability(_\d+)?)$")  # what ends the names of our own files


def find_images(given: Iterable[str | Path]) -> list[Path]:
    """Return the image files that files, folders and patterns such as ``scans/**/*.tif`` stand for, each once.

    Of folders and patterns other kinds of files are passed over, and so are hidden ones and the NAME_mask and
    NAME_probability beside a NAME. Raises InputError where nothing is found, and for a broken link.
    """
    found: dict[Path, Path] = {}
    for one in given:
        for path in _expand(Path(one).expanduser()):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _expand(given: Path) -> list[Path]:
    """Return what one of the user's paths stands for."""
    if given.is_file():
        return [given]
    if given.is_dir():
        entries = sorted(given.iterdir())
    elif has_magic(str(given)):
        there = next(folder for folder in given.parents if folder.exists())  # its name may hold brackets
        names = glob(str(given.relative_to(there)), root_dir=there, recursive=True)  # noqa: PTH207 - absolute too
        entries = [there / name for name in sorted(names)]
    else:
        raise InputError(f"{given}: there is no such file or folder. Check the path.")
    images = [path for path in entries if path.suffix.lower() in KINDS and not path.name.startswith(".")]
    for path in images:
        if not path.exists():
            raise InputError(f"{path}: is a broken link. Mend it, or take it away.")
    stems = {path.with_suffix("") for path in images}
    images = [path for path in images if path.is_file() and not _is_ours(path, stems)]
    if not images:
        folders = any(path.is_dir() for path in entries)
        advice = f"; subfolders are not looked into: give them, or {given / '**' / '*.png'}" if folders else ""
        raise InputError(f"{given}: there is no PNG, TIFF, JPEG or .npy file{advice}. Check the path.")
    return images


def _is_ours(path: Path, names: set[Path]) -> bool:
    """Whether a file is by its name the mask or the probability of another one of ``names``."""
    image = _WRITTEN.sub("", path.stem)
    return image != path.stem and path.with_name(image) in names


def name_pages(paths: Sequence[Path], channels: int = 1) -> dict[str, Page]:
    """Return each page of each file, with its number, by the name that its mask gets: NAME, or NAME_000 … of several.

    Which pages a TIFF holds can depend on the ``channels`` of the images. Where two would get one name, all names begin
    with the folders in which their images differ. Raises InputError where that does not tell them apart.
    """
    pages: list[Page] = []
    names: list[str] = []
    for path in paths:
        count = max(1, count_pages(path, channels))
        pages += [Page(path, number) for number in range(count)]
        names += name_slices(path, count)
    if _repeated(names) is not None:
        folders = [path.resolve().parent for path, _ in pages]
        common = os.path.commonpath(folders) if len({path.drive for path in folders}) == 1 else ""
        names = [(path.relative_to(common) / name).as_posix() for path, name in zip(folders, names, strict=True)]
    repeated = _repeated(names)
    if repeated is not None:
        same = ", ".join(str(page.path) for name, page in zip(names, pages, strict=True) if name.casefold() == repeated)
        raise InputError(f"{same}: have the same name; give them to two calls with two --out, or rename one.")
    return dict(zip(names, pages, strict=True))


def _repeated(names: Sequence[str]) -> str | None:
    """Return a name that stands twice, as file systems without upper case see it."""
    counts = Counter(name.casefold() for name in names)
    return next((name for name, count in counts.items() if count > 1), None)


def thin_out(image: Tensor | LargeImage) -> Tensor:
    """Return an image's pixels at equal distances, at most 2048 on a side: enough to know how bright it is."""
    step = max(1, max(image.shape[1:]) // 1024)
    return image[:, ::step, ::step]


def refuse_to_overwrite(out: Path, names: Iterable[str], num_classes: int) -> None:
    """Raise InputError where a file of one of the predictions is there already."""
    ends = ["mask.png", "mask.npy", "probability.png", "probability.npy"]
    ends += [f"probability_{label}.png" for label in range(num_classes)]
    existing = [path for name in names for end in ends if (path := out / f"{name}_{end}").exists()]
    if existing:
        raise InputError(f"{existing[0]} exists already; choose another --out.")


def predict_pages(ask: Predictor, pages: Mapping[str, Page], out: Path) -> list[str]:
    """Write the masks and probabilities of pages; return a sentence for each that is unlike the training images.

    Large images are read area by area, and their predictions are .npy files.
    """
    strange = []
    channels = len(ask.card.mean)
    for name, (path, page) in tqdm(pages.items(), unit="image", delay=1):
        image = LargeImage(path, channels) if is_large(path) else read_image(path, channels, page)
        difference = ask.card.unlike_training(thin_out(image))
        if difference:
            strange.append(f"{name}: {difference}")
        if isinstance(image, LargeImage):
            ask.write(image, out / f"{name}_probability.npy", out / f"{name}_mask.npy", progress=True)
        else:
            write_prediction(out, name, ask(image), ask.card.threshold)
    return strange


def write_prediction(folder: Path, name: str, probability: Tensor, threshold: float) -> None:
    """Write probabilities ``(num_classes, H, W)`` and the mask that they say: NAME_mask.png, NAME_probability….png.

    The mask of several classes holds their numbers, and a palette that shows them in colour.
    """
    mask = classify(probability[None], threshold)[0, 0].numpy()
    several = len(probability) > 1
    picture = Image.fromarray(mask if several else mask * 255)
    if several:
        picture.putpalette(class_palette().tobytes())
    write_png(folder / f"{name}_mask.png", picture)
    for label, one in enumerate((probability * 255).round().numpy().astype(np.uint8)):
        ending = f"_{label}" if several else ""
        write_png(folder / f"{name}_probability{ending}.png", Image.fromarray(one))
