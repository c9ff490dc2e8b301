"""Downloading public data sets, and converting them to the common layout, ``images/NAME.png`` and ``masks/NAME.png``.

Everything happens in a temporary folder beside the target, and one rename moves the result into place. A failure leaves
nothing behind, and a folder that exists is complete.
"""

import hashlib
import json
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from unetpp_lib.data.archives import ArchiveError, read_pairs
from unetpp_lib.data.catalog import KNOWN, Dataset, user_cache, user_data
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically

ATTEMPTS = 3


def download(name: str, out: str | Path | None = None, *, timeout: float = 30.0) -> Path:
    """Download ``isbi2012``, ``isbi2012_test`` or ``dsb2018``, check it and convert it; messages go to stderr.

    Args:
        name: a data set of the catalogue; ``KNOWN[name].credit()`` returns its licence and citation.
        out: the new folder, which must not exist; by default NAME in the user's cache, where a complete set is reused.
        timeout: how many seconds the server may stay silent.

    Returns:
        the folder, with ``images/`` and ``masks/`` (255 = foreground, 0 = background).

    Raises:
        InputError: something went wrong; the message names the remedy.
    """
    dataset, url = _downloadable(name)
    target = user_cache() / name if out is None else Path(out).expanduser()
    own = user_data()
    if own and target.resolve().is_relative_to(own.resolve()):
        raise InputError(f"{target} is inside UNETPP_DATA ({own}), which is never written to: choose another --out.")
    if target.exists():
        return _keep(target, dataset, is_cached=out is None)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _download_to(target, dataset, url, timeout)
    except ArchiveError as error:
        raise InputError(
            f"The archive {url} is refused: {error}. Nothing was kept; "
            "try again, and report it to its publisher or this project if it happens again."
        ) from error
    except OSError as error:
        raise InputError(
            f"Cannot write {target}: {error.strerror or error}. Nothing was kept; "
            "free some space or choose another folder with --out."
        ) from error
    return target


def _download_to(target: Path, dataset: Dataset, url: str, timeout: float) -> None:
    """Download and convert the set beside ``target``, then rename it."""
    with TemporaryDirectory(prefix=f".{dataset.name}-", dir=target.parent) as work:
        archive, converted = Path(work) / f"{dataset.name}.zip", Path(work) / "converted"
        _fetch(dataset, url, archive, timeout)
        _convert(archive, dataset, converted)
        _record_hash(archive, dataset, url)  # only now: the hash of an error page must not be recorded
        converted.replace(target)


def _downloadable(name: str) -> tuple[Dataset, str]:
    dataset = KNOWN.get(name)
    if dataset is None or dataset.url is None:
        names = ", ".join(sorted(known.name for known in KNOWN.values() if known.url))
        why = "comes with unetpp" if dataset else "is not a set of the catalogue"
        raise InputError(f"'{name}' cannot be downloaded: it {why}. These can: {names}.")
    return dataset, dataset.url


def _keep(target: Path, dataset: Dataset, is_cached: bool) -> Path:
    if not is_cached:
        raise InputError(f"{target} exists and is not overwritten: choose another --out, or remove the folder first.")
    for kind in ("images", "masks"):
        found = len(list((target / kind).glob("*.png")))
        if found != dataset.images:
            raise InputError(
                f"{target / kind} holds {found} files instead of {dataset.images}: remove {target} and download again."
            )
    print(f"{dataset.name} has already been downloaded: {target}", file=sys.stderr)
    return target


def _fetch(dataset: Dataset, url: str, archive: Path, timeout: float) -> None:
    """Download ``url``: pooch tries again if the connection fails or the hash differs from the known one."""
    try:
        import pooch
        from requests.exceptions import RequestException
    except ImportError as error:
        raise InputError('Downloading needs the package pooch: pip install "unetpp[data]"') from error
    known = dataset.sha256 or _recorded_hashes().get(url)
    source = pooch.create(
        path=archive.parent,
        base_url="",
        registry={archive.name: known},
        urls={archive.name: url},
        retry_if_failed=ATTEMPTS - 1,
    )
    try:
        source.fetch(archive.name, downloader=partial(_download_once, timeout=timeout))
    except RequestException as error:
        status = None if error.response is None else error.response.status_code
        raise _failed(url, f"the server answered {status}" if status else f"{type(error).__name__}: {error}") from error
    except ValueError as error:
        kept_in = "the catalogue" if dataset.sha256 else f"the first download, recorded in {_hash_record()}"
        remedy = "report it to this project" if dataset.sha256 else f"remove {_hash_record()} to accept it"
        raise InputError(
            f"{url} has changed. {error} The known hash is that of {kept_in}. Nothing was kept; try again later. "
            f"If the publisher announces a new version, {remedy}."
        ) from error


def _download_once(url: str, file: str, _: object, timeout: float) -> None:
    """Download ``url`` to ``file`` in one attempt; a request that the server rejects is not worth another one."""
    from pooch import HTTPDownloader
    from requests.exceptions import HTTPError, RequestException

    # A bar counts as true only if its total is above 0; pooch then replaces the total by the announced length.
    with tqdm(desc=url.rpartition("/")[2], total=1, unit="B", unit_scale=True) as bar:
        try:
            HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=timeout)(url, file, None)
        except HTTPError as error:
            if error.response is None or error.response.status_code >= 500:
                raise
            raise _failed(url, f"the server answered {error.response.status_code}") from error
    arrived, announced = Path(file).stat().st_size, bar.total
    if announced and arrived != announced:  # not every version of urllib3 notices
        raise RequestException(f"{arrived} of {announced} bytes arrived")


def _failed(url: str, reason: str) -> InputError:
    return InputError(
        f"Cannot download {url} ({reason}). Nothing was kept; check the connection, and that the address opens in a "
        "browser, then try again."
    )


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


def _record_hash(archive: Path, dataset: Dataset, url: str) -> None:
    """Record the hash of the first download of an archive whose hash the catalogue does not know."""
    hashes = _recorded_hashes()
    if dataset.sha256 or url in hashes:
        return
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    write_atomically(_hash_record(), json.dumps(hashes | {url: digest}, indent=2) + "\n")
    print(
        f"The SHA-256 of {url} is not known in advance: {digest} is recorded in {_hash_record()}, and later downloads "
        "must match it.",
        file=sys.stderr,
    )


def _convert(archive: Path, dataset: Dataset, folder: Path) -> None:
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    pairs = read_pairs(archive, dataset.name, dataset.images)
    for name, image, mask in tqdm(pairs, total=dataset.images, desc=f"converting {dataset.name}", unit="image"):
        image.save(folder / "images" / f"{name}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{name}.png")
