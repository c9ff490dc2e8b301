"""Downloads against a server on this machine: what arrives, and that nothing stays where something goes wrong."""

import errno
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from archive_samples import NUCLEI, SLICES, Members, dsb, isbi, pack
from PIL import Image

from unetpp_lib.data import downloads
from unetpp_lib.data.catalog import KNOWN, find_dataset
from unetpp_lib.data.downloads import download
from unetpp_lib.errors import InputError

pooch = pytest.importorskip("pooch")
urllib3 = pytest.importorskip("urllib3")


@pytest.fixture(scope="module")
def server():
    """Answers each path with what stands in ``server.answers``; ``server.requests`` counts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.requests += 1
            self.server.answers[self.path](self)

        def log_message(self, *args) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def site(server, tmp_path, monkeypatch):
    """``site(name, members)`` serves an archive as the source of a set; every test has a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("UNETPP_DATA", raising=False)
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)  # between two attempts
    server.answers, server.requests = {}, 0

    def serve(name: str, content: Members | bytes | Callable, sha256: str | None = None) -> str:
        body = pack(content) if isinstance(content, dict) else content
        answer = body if callable(body) else lambda request: send(request, body)
        url = f"http://127.0.0.1:{server.server_port}/{name}.zip"
        server.answers[f"/{name}.zip"] = answer
        count = NUCLEI if name == "dsb2018" else SLICES
        monkeypatch.setitem(KNOWN, name, replace(KNOWN[name], url=url, images=count, sha256=sha256))
        return url

    return serve


def send(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, announced: int | None = None) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body) if announced is None else announced))
    request.end_headers()
    request.wfile.write(body)


def read(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image)


def remains(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path != folder / "cache" / "unetpp" and path != folder / "cache"]


def refused(name: str, tmp_path: Path, **options) -> str:
    """The message of a download that fails and leaves nothing behind."""
    before = remains(tmp_path)
    with pytest.raises(InputError) as error:
        download(name, **options)
    assert remains(tmp_path) == before
    return str(error.value)


# What a good download makes


def test_isbi_stack_becomes_numbered_pairs(site, tmp_path):
    members, volume, labels = isbi()
    site("isbi2012", members)
    folder = download("isbi2012")
    assert folder == tmp_path / "cache" / "unetpp" / "isbi2012" == find_dataset("isbi2012")
    for kind, expected in (("images", volume), ("masks", labels)):
        files = sorted((folder / kind).iterdir())
        assert [file.name for file in files] == ["00.png", "01.png", "02.png"]
        assert all(np.array_equal(read(file), slice_) for file, slice_ in zip(files, expected, strict=True))


def test_nuclei_become_pairs_under_their_identifiers(site):
    members, images, unions = dsb()
    site("dsb2018", members)
    folder = download("dsb2018")
    assert len(list(folder.rglob("*.png"))) == 2 * NUCLEI
    for name in images:
        assert np.array_equal(read(folder / "images" / f"{name}.png"), images[name][..., :3])
        assert np.array_equal(read(folder / "masks" / f"{name}.png"), unions[name])


def test_archive_is_not_kept(site, tmp_path):
    site("isbi2012", isbi()[0])
    download("isbi2012")
    assert {path.name for path in (tmp_path / "cache" / "unetpp").iterdir()} == {"isbi2012", "sha256.json"}


def test_out_is_the_folder_that_is_made_with_its_parents(site, tmp_path):
    site("isbi2012", isbi()[0])
    assert download("isbi2012", tmp_path / "new" / "stack") == tmp_path / "new" / "stack"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["stack"]
    assert len(list((tmp_path / "new" / "stack" / "masks").iterdir())) == SLICES


def test_folder_can_be_read_by_others_as_any_other_folder_can(site, tmp_path):
    site("isbi2012", isbi()[0])
    (tmp_path / "plain").mkdir()
    assert download("isbi2012").stat().st_mode == (tmp_path / "plain").stat().st_mode


# What is there already


def test_whole_set_in_the_cache_is_kept_and_not_fetched_again(site, server, capsys):
    site("isbi2012", isbi()[0])
    first = download("isbi2012")
    assert download("isbi2012") == first
    assert server.requests == 1
    assert f"isbi2012 has already been downloaded: {first}" in capsys.readouterr().err


def test_set_in_the_cache_that_lacks_files_is_refused(site, tmp_path):
    site("isbi2012", isbi()[0])
    folder = download("isbi2012")
    (folder / "masks" / "01.png").unlink()
    message = refused("isbi2012", tmp_path)
    assert f"{folder / 'masks'} holds 2 files instead of 3" in message
    assert f"remove {folder}" in message


def test_existing_out_is_not_overwritten(site, server, tmp_path):
    site("isbi2012", isbi()[0])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    message = refused("isbi2012", tmp_path, out=tmp_path / "mine")
    assert str(tmp_path / "mine") in message
    assert "choose another --out" in message
    assert server.requests == 0


def test_nothing_is_written_into_the_folder_of_unetpp_data(site, tmp_path, monkeypatch):
    site("isbi2012", isbi()[0])
    monkeypatch.setenv("UNETPP_DATA", str(tmp_path / "own"))
    for out in (tmp_path / "own" / "isbi2012", tmp_path / "x" / ".." / "own" / "new"):
        assert "UNETPP_DATA" in refused("isbi2012", tmp_path, out=out)
    monkeypatch.setenv("UNETPP_DATA", str(tmp_path / "cache"))
    assert "choose another --out" in refused("isbi2012", tmp_path)


@pytest.mark.parametrize(("name", "why"), [("membranes", "comes with unetpp"), ("isbi", "not a set of the")])
def test_set_without_a_source_is_refused_with_those_that_have_one(name, why):
    with pytest.raises(InputError, match=why) as error:
        download(name)
    assert "isbi2012, isbi2012_test" in str(error.value)


def test_work_is_done_beside_the_target_so_that_one_rename_finishes_it(site, tmp_path, monkeypatch):
    site("isbi2012", isbi()[0])
    convert, folders = downloads._convert, []

    def watch(archive: Path, *rest) -> None:
        folders.append(archive.parent.parent)
        convert(archive, *rest)

    monkeypatch.setattr(downloads, "_convert", watch)
    download("isbi2012", tmp_path / "out" / "stack")
    assert folders == [tmp_path / "out"]


# The network


def test_truncated_body_is_never_taken_for_the_whole(site, server, tmp_path):
    body = pack(isbi()[0])
    url = site("isbi2012", lambda request: send(request, body[:-50], announced=len(body)))
    assert url in refused("isbi2012", tmp_path)
    assert server.requests == 3


def test_length_is_checked_also_where_the_http_library_does_not(site, tmp_path, monkeypatch):
    real = urllib3.response.HTTPResponse.__init__
    monkeypatch.setattr(
        urllib3.response.HTTPResponse,
        "__init__",
        lambda self, *args, **options: real(self, *args, **(options | {"enforce_content_length": False})),
    )
    body = pack(isbi()[0])
    site("isbi2012", lambda request: send(request, body[:-50], announced=len(body)))
    assert f"{len(body) - 50} of {len(body)} bytes arrived" in refused("isbi2012", tmp_path)


def test_download_that_breaks_off_once_starts_again(site, server, caplog):
    pooch.get_logger().addHandler(caplog.handler)
    body = pack(isbi()[0])
    site("isbi2012", lambda request: send(request, body[: 50 if server.requests == 1 else None], announced=len(body)))
    assert len(list((download("isbi2012") / "images").iterdir())) == SLICES
    pooch.get_logger().removeHandler(caplog.handler)
    assert "Will attempt the download again" in caplog.text


@pytest.fixture
def over():
    """Set when the test is over: what a silent server waits for."""
    event = Event()
    yield event
    event.set()


def test_silent_server_is_given_up_after_the_timeout(site, over, tmp_path):
    url = site("isbi2012", lambda request: over.wait())
    message = refused("isbi2012", tmp_path, timeout=0.1)
    assert url in message
    assert "timed out" in message
    assert "try again" in message


def test_server_that_falls_silent_in_the_middle_is_given_up(site, over, tmp_path):
    def stall(request) -> None:
        send(request, b"PK", announced=1000)
        over.wait()

    site("isbi2012", stall)
    assert "timed out" in refused("isbi2012", tmp_path, timeout=0.1)


def test_missing_file_is_not_asked_for_again(site, server, tmp_path):
    url = site("isbi2012", lambda request: send(request, b"", status=404))
    message = refused("isbi2012", tmp_path)
    assert f"{url} (the server answered 404)" in message
    assert "opens in a browser" in message
    assert server.requests == 1


def test_server_error_is_tried_again(site, server, tmp_path):
    site("isbi2012", lambda request: send(request, b"", status=503))
    assert "answered 503" in refused("isbi2012", tmp_path)
    assert server.requests == 3


def test_no_server_says_so(site, server, tmp_path, monkeypatch):
    site("isbi2012", b"")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        url = f"http://127.0.0.1:{closed.server_port}/gone.zip"
    monkeypatch.setitem(KNOWN, "isbi2012", replace(KNOWN["isbi2012"], url=url))
    message = refused("isbi2012", tmp_path)
    assert url in message
    assert "check the connection" in message


def test_missing_pooch_says_what_to_install(site, tmp_path, monkeypatch):
    site("isbi2012", isbi()[0])
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert 'pip install "unetpp[data]"' in refused("isbi2012", tmp_path)


# The hash


def test_first_hash_is_recorded_told_and_shared_by_both_stacks(site, tmp_path, capsys):
    members = isbi("train")[0] | isbi("test")[0]
    url = site("isbi2012", members)
    download("isbi2012")
    digest = hashlib.sha256(pack(members)).hexdigest()
    record = tmp_path / "cache" / "unetpp" / "sha256.json"
    assert json.loads(record.read_text()) == {url: digest}
    told = capsys.readouterr().err
    assert f"{digest} is recorded in {record}" in told
    download("isbi2012", tmp_path / "again")
    assert "recorded" not in capsys.readouterr().err


def test_record_keeps_the_hashes_of_other_archives(site, tmp_path):
    urls = [site("isbi2012", isbi()[0]), site("dsb2018", dsb()[0])]
    download("isbi2012")
    download("dsb2018")
    assert list(json.loads((tmp_path / "cache" / "unetpp" / "sha256.json").read_text())) == urls


def test_archive_that_changed_is_refused_until_its_record_is_removed(site, tmp_path):
    members = isbi()[0]
    site("isbi2012", members)
    download("isbi2012", tmp_path / "first")
    url = site("isbi2012", members | {"README": b"version 2"})
    message = refused("isbi2012", tmp_path)
    old, new = (hashlib.sha256(pack(m)).hexdigest() for m in (members, members | {"README": b"version 2"}))
    record = tmp_path / "cache" / "unetpp" / "sha256.json"
    assert all(part in message for part in (url, old, new, f"remove {record}"))
    record.unlink()
    assert download("isbi2012").is_dir()


def test_published_hash_is_held_against_and_not_recorded(site, tmp_path):
    members = isbi()[0]
    digest = hashlib.sha256(pack(members)).hexdigest()
    site("isbi2012", members, sha256="0" * 64)
    message = refused("isbi2012", tmp_path)
    assert all(part in message for part in ("0" * 64, digest, "report it to this project"))
    site("isbi2012", members, sha256=digest)
    download("isbi2012")
    assert not (tmp_path / "cache" / "unetpp" / "sha256.json").exists()


def test_error_page_is_refused_and_its_hash_forgotten(site, tmp_path):
    url = site("isbi2012", b"<html>down for maintenance</html>")
    message = refused("isbi2012", tmp_path)
    assert url in message
    assert "not a complete zip file" in message
    site("isbi2012", isbi()[0])
    assert download("isbi2012").is_dir()


def test_damaged_record_says_to_remove_it(site, tmp_path):
    site("isbi2012", isbi()[0])
    record = tmp_path / "cache" / "unetpp" / "sha256.json"
    record.parent.mkdir(parents=True)
    record.write_text("{")
    assert f"{record} is damaged" in refused("isbi2012", tmp_path)


# The disk


@pytest.mark.parametrize("step", ["fetching", "converting", "renaming"])
def test_full_disk_names_the_folder_and_leaves_nothing(site, tmp_path, monkeypatch, step):
    site("isbi2012", isbi()[0])

    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "fetching":
        monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    elif step == "converting":
        save = Image.Image.save
        monkeypatch.setattr(Image.Image, "save", lambda self, f, **o: full() if "02" in str(f) else save(self, f, **o))
    else:
        monkeypatch.setattr(downloads, "_record_hash", full)
    message = refused("isbi2012", tmp_path)
    assert f"Cannot write {tmp_path / 'cache' / 'unetpp' / 'isbi2012'}: No space left on device" in message
    assert "free some space" in message


def test_folder_that_cannot_be_made_is_named(site, tmp_path):
    site("isbi2012", isbi()[0])
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file" / "set") in refused("isbi2012", tmp_path, out=tmp_path / "file" / "set")


def test_interruption_leaves_nothing(site, tmp_path, monkeypatch):
    site("isbi2012", isbi()[0])

    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download("isbi2012")
    assert remains(tmp_path) == []


# The archive


def test_refused_archive_names_address_and_member_and_leaves_nothing(site, tmp_path):
    members = isbi()[0] | {"ISBI-2012-challenge/train-labels.tif": b"#!/bin/sh"}
    url = site("isbi2012", members)
    message = refused("isbi2012", tmp_path)
    assert f"{url} is refused: 'ISBI-2012-challenge/train-labels.tif' cannot be read" in message
    assert "Nothing was kept; try again" in message


def test_archive_that_fails_after_some_images_leaves_none_of_them(site, tmp_path):
    site("dsb2018", dsb()[0] | {"bb02/images/bb02.png": b"damaged"})
    assert "'bb02/images/bb02.png'" in refused("dsb2018", tmp_path)
