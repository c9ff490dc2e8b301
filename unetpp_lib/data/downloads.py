"""Fetch a public data set and store it in the one layout, ``images/NAME.png`` and ``masks/NAME.png``.

All work is done in a temporary folder beside the target, which one rename then puts in place: a failure at any point
leaves nothing behind, and a folder that is there is whole.
"""

import hashlib
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from unetpp_lib.data.archives import ArchiveError, read_pairs
from unetpp_lib.data.catalog import KNOWN, Dataset, user_cache, user_data
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

RETRY_WAITS = (1.0, 5.0)  # seconds before the second and the third attempt


def download(name: str, out: str | Path | None = None, *, timeout: float = 30.0) -> Path:
    """Fetch ``isbi2012``, ``isbi2012_test`` or ``dsb2018``, check it and convert it; what happens is told on stderr.

    Args:
        name: a set of the catalogue; ``KNOWN[name].credit()`` gives its licence and citation.
        out: the folder to make, which must not exist; by default NAME in the user's cache, where a whole set is kept.
        timeout: seconds that the server may stay silent.

    Returns:
        the folder, with ``images/`` and ``masks/`` (255 = foreground, 0 = background).

    Raises:
        InputError: anything that went wrong, with its remedy.
    """
    dataset, url = _downloadable(name)
    target = user_cache() / name if out is None else Path(out).expanduser()
    own = user_data()
    if own and target.resolve().is_relative_to(own.resolve()):
        raise InputError(f"{target} lies in UNETPP_DATA ({own}), which is never written to: choose another --out.")
    if target.exists():
        return _keep(target, dataset, is_cached=out is None)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{name}-", dir=target.parent) as work:
            archive, converted = Path(work) / "archive.zip", Path(work) / "converted"
            _fetch(url, archive, timeout)
            digest = _check_hash(archive, dataset, url)
            _convert(archive, dataset, converted)
            _record_hash(digest, dataset, url)  # only now: an error page must not become the set's identity
            converted.replace(target)
    except ArchiveError as error:
        raise InputError(
            f"The archive {url} is refused: {error}. Nothing was kept; "
            "try again, and tell its publisher or this project if it stays so."
        ) from error
    except OSError as error:
        raise InputError(
            f"Cannot write {target}: {error.strerror or error}. Nothing was kept; "
            "free some space or choose another folder with --out."
        ) from error
    return target


def _downloadable(name: str) -> tuple[Dataset, str]:
    dataset = KNOWN.get(name)
    if dataset is None or dataset.url is None:
        names = ", ".join(sorted(known.name for known in KNOWN.values() if known.url))
        why = "comes with unetpp" if dataset else "is not a set of the catalogue"
        raise InputError(f"'{name}' cannot be downloaded: it {why}. These can: {names}.")
    return dataset, dataset.url


def _keep(target: Path, dataset: Dataset, is_cached: bool) -> Path:
    if not is_cached:
        raise InputError(f"{target} exists and is not overwritten: choose another --out, or remove it first.")
    for kind in ("images", "masks"):
        found = len(list((target / kind).glob("*.png")))
        if found != dataset.images:
            raise InputError(
                f"{target / kind} holds {found} files instead of {dataset.images}: remove {target} and download again."
            )
    print(f"{dataset.name} is already there: {target}", file=sys.stderr)
    return target


def _fetch(url: str, file: Path, timeout: float) -> None:
    """Fetch ``url`` whole, from the start at each attempt."""
    try:
        from pooch import HTTPDownloader
        from requests.exceptions import RequestException
    except ImportError as error:
        raise InputError('Downloading needs the package pooch: pip install "unetpp[data]"') from error
    for wait in (*RETRY_WAITS, None):
        try:
            # A bar is true only with a total above 0; pooch then puts the announced length in its place.
            with tqdm(desc=url.rpartition("/")[2], total=1, unit="B", unit_scale=True) as bar:
                HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=timeout)(url, str(file), None)
            arrived, announced = file.stat().st_size, bar.total
            if announced and arrived != announced:  # not every version of urllib3 notices
                raise RequestException(f"{arrived} of {announced} bytes arrived")
            return
        except RequestException as error:
            status = None if error.response is None else error.response.status_code
            if wait is None or (status and status < 500):
                reason = f"the server answered {status}" if status else f"{type(error).__name__}: {error}"
                raise InputError(
                    f"Cannot download {url} ({reason}). Nothing was kept; check the connection, and that the address "
                    "opens in a browser, then try again."
                ) from error
            print(f"{url}: {type(error).__name__}; trying again in {wait:g} s", file=sys.stderr)
            time.sleep(wait)


def _hash_record() -> Path:
    return user_cache() / "sha256.json"


def _recorded_hashes() -> dict[str, str]:
    try:
        hashes: dict[str, str] = json.loads(_hash_record().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(f"{_hash_record()} is damaged ({error}): remove it and download again.") from error
    return hashes


def _check_hash(archive: Path, dataset: Dataset, url: str) -> str:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    expected = dataset.sha256 or _recorded_hashes().get(url, digest)
    if digest != expected:
        source = "the catalogue" if dataset.sha256 else f"the first download, recorded in {_hash_record()}"
        remedy = "report it to this project" if dataset.sha256 else f"remove {_hash_record()} to accept it"
        raise InputError(
            f"{url} has changed: its SHA-256 is {digest}, but {expected} is known from {source}. Nothing was kept; "
            f"try again, and if it stays so and the publisher announces a new version, {remedy}."
        )
    return digest


def _record_hash(digest: str, dataset: Dataset, url: str) -> None:
    hashes = _recorded_hashes()
    if dataset.sha256 or url in hashes:
        return
    write_atomically(_hash_record(), json.dumps(hashes | {url: digest}, indent=2) + "\n")
    print(
        f"The SHA-256 of {url} could not be known beforehand: {digest} is recorded in {_hash_record()}, "
        "and later downloads are held against it.",
        file=sys.stderr,
    )


def _convert(archive: Path, dataset: Dataset, folder: Path) -> None:
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    pairs = read_pairs(archive, dataset.name, dataset.images)
    for name, image, mask in tqdm(pairs, total=dataset.images, desc=f"converting {dataset.name}", unit="image"):
        image.save(folder / "images" / f"{name}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{name}.png")
