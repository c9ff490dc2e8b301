"""Data sets by name: which are known, which are available on this machine, and where.

A data set is a folder with ``images/`` and ``masks/``. A name is looked up in the folder that the environment variable
``UNETPP_DATA`` names, then among the files that come with unetpp, then in the user's cache, which ``download`` fills.
"""

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from unetpp_lib.errors import InputError


@dataclass(frozen=True)
class Dataset:
    """What is known about a data set before it is downloaded; ``url`` is None if it comes with unetpp."""

    name: str
    description: str
    licence: str
    citation: str
    images: int
    url: str | None = None
    sha256: str | None = None  # of the archive; None if unknown: then later downloads must match the first one
    stack: bool = False  # consecutive slices of one block, which must not be split at random

    def credit(self) -> str:
        """Return licence, citation and source, one per line, to be shown after a download."""
        source = self.url or "comes with unetpp"
        return f"{self.description}\nLicence: {self.licence}\nCite: {self.citation}\nSource: {source}"


@dataclass(frozen=True)
class Listing:
    """One entry of ``list_datasets``; before a download, ``folder`` is None and ``place`` is "to download"."""

    name: str
    place: str
    folder: Path | None
    images: int


_ISBI_URL = "https://downloads.imagej.net/ISBI-2012-challenge.zip"
_ISBI_LICENCE = "free for research and teaching; cite the challenge"
_ISBI_CITATION = (
    "Arganda-Carreras et al. 2015, Crowdsourcing the creation of image segmentation algorithms for connectomics, "
    "Frontiers in Neuroanatomy 9:142, doi:10.3389/fnana.2015.00142; images: Cardona et al. 2010, "
    "PLoS Biology 8(10):e1000502, doi:10.1371/journal.pbio.1000502"
)

KNOWN = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="membranes",
            description="40 drawn 256×256 images that look like electron microscopy: cell interior and membrane.",
            licence="CC0 1.0",
            citation="The unetpp authors, U-Net to UNet++, step by step: a course and its library",
            images=40,
        ),
        Dataset(
            name="isbi2012",
            description="ISBI 2012 challenge, training stack: 30 consecutive slices of a fly's nerve cord, 512×512.",
            licence=_ISBI_LICENCE,
            citation=_ISBI_CITATION,
            images=30,
            url=_ISBI_URL,
            stack=True,
        ),
        Dataset(
            name="isbi2012_test",
            description="ISBI 2012 challenge, test stack: 30 consecutive slices, for one final evaluation.",
            licence=_ISBI_LICENCE,
            citation=_ISBI_CITATION,
            images=30,
            url=_ISBI_URL,
            stack=True,
        ),
        Dataset(
            name="dsb2018",
            description="2018 Data Science Bowl, stage 1 training images (BBBC038v1): 670 images of nuclei, all sizes.",
            licence="CC0 1.0",
            citation="Caicedo et al. 2019, Nucleus segmentation across imaging experiments: the 2018 Data Science "
            "Bowl, Nature Methods 16:1247-1253, doi:10.1038/s41592-019-0612-7",
            images=670,
            url="https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip",
            # The source does not publish it; several public projects agree on this one.
            sha256="dcb6edc2690f137406638b2309581a71522c4dff19157d118453b448dcddcb68",
        ),
    )
}


# what to do if shipped files are missing; it must be right for a wheel and for a clone
FRESH_COPY = "Reinstall unetpp (pip install --force-reinstall --no-deps …), or make a new clone if you work in one."


def shipped_data() -> Path:
    """Return the folder that comes with unetpp: it has the set ``membranes``, and trained networks in ``weights/``.

    In an installed wheel it is inside the package. In a clone it is ``data/``, which also has the course's files.
    """
    package = Path(__file__).resolve().parents[1]
    inside, of_clone = package / "shipped", package.parent / "data"
    return of_clone if of_clone.is_dir() and not inside.is_dir() else inside


def user_cache() -> Path:
    """Return the folder for downloads: ``unetpp`` in ``XDG_CACHE_HOME``, or else in ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unetpp"


def user_data() -> Path | None:
    """Return the folder that ``UNETPP_DATA`` names, or None; it is read, never written to."""
    named = os.environ.get("UNETPP_DATA")
    return Path(named).expanduser() if named else None


def find_dataset(name_or_folder: str | Path) -> Path:
    """Return the folder of a data set, given its name (see the module's docstring) or a path such as ``./membranes``.

    Raises InputError if there is no such set on this machine; the message says where it was searched for, and what
    exists instead.
    """
    wanted = Path(name_or_folder).expanduser()
    is_name = len(wanted.parts) == 1 and not {*"/\\"} & {*str(name_or_folder)} and not wanted.name.startswith(".")
    candidates = [place / wanted for place in _places().values()] if is_name else []
    for candidate in [*candidates, wanted]:
        if (candidate / "images").is_dir():
            return candidate
    raise InputError(_name_not_found(wanted.name) if is_name and not wanted.is_dir() else _folder_not_found(wanted))


def list_datasets() -> list[Listing]:
    """Return all sets on this machine, where ``find_dataset`` finds them, then those that can be downloaded."""
    found: dict[str, Listing] = {}
    for place, folder in _places().items():
        for images in sorted(folder.glob("[!.]*/images")):
            name = images.parent.name
            if name not in found and images.is_dir() and (images.parent / "masks").is_dir():
                count = sum(file.is_file() and not file.name.startswith(".") for file in images.iterdir())
                found[name] = Listing(name, place, images.parent, count)
    missing = [dataset for dataset in KNOWN.values() if dataset.url and dataset.name not in found]
    return [found[name] for name in sorted(found)] + [
        Listing(dataset.name, "to download", None, dataset.images) for dataset in missing
    ]


def is_stack(name_or_folder: str | Path) -> bool:
    """Return whether a set, given by its name or folder, is known to contain consecutive slices."""
    dataset = KNOWN.get(Path(name_or_folder).absolute().name)
    return dataset is not None and dataset.stack


def _places() -> dict[str, Path]:
    own = user_data()
    return ({"UNETPP_DATA": own} if own else {}) | {"shipped": shipped_data(), "cache": user_cache()}


def _name_not_found(name: str) -> str:
    own = user_data()
    where = ", ".join(f"{place} ({folder})" for place, folder in _places().items())
    note = f" UNETPP_DATA names {own}, which is not a folder: correct or unset it." if own and not own.is_dir() else ""
    if name in KNOWN:
        remedy = f"Fetch it: unetpp data download {name}." if KNOWN[name].url else FRESH_COPY
        return f"The data set '{name}' is not at hand; looked in {where}. {remedy}{note}"
    names = sorted({*KNOWN, *(listing.name for listing in list_datasets())})
    close = get_close_matches(name.lower(), names, n=1)
    guess = f" Did you mean '{close[0]}'?" if close else ""
    return f"There is no data set or folder '{name}'; looked in {where}.{guess} Known sets: {', '.join(names)}.{note}"


def _folder_not_found(folder: Path) -> str:
    if folder.is_dir():
        laid_out = "Lay it out as images/NAME.png and masks/NAME.png."
        fault = f"{folder} is not a data set: it has no folder images/. {laid_out}"
        parts = sorted(path.parent.name for path in folder.glob("*/images"))
        if not parts:
            return fault
        return (
            f"{fault} These subfolders have: {', '.join(parts)}. Give one of them, or put their files together and say "
            "in a split.json which are for training, validation and test."
        )
    return f"There is no folder {folder}: give a folder with images/ and masks/, or the name of a data set."
