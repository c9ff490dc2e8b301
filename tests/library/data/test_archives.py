"""Reading the public archives: sound ones, and every kind of damaged or hostile one that is refused."""

import struct
import tracemalloc
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from archive_samples import NUCLEI, SLICES, Members, dsb, encode, isbi, pack

from unetpp_lib.data import archives
from unetpp_lib.data.archives import ArchiveError, Pair, read_pairs

GIF = encode(np.zeros((5, 7), np.uint8), kind="GIF")


def pairs(tmp_path: Path, name: str, content: Members | bytes) -> list[Pair]:
    file = tmp_path / "archive.zip"
    file.write_bytes(pack(content) if isinstance(content, dict) else content)
    return list(read_pairs(file, name, NUCLEI if name == "dsb2018" else SLICES))


def assert_refused(tmp_path: Path, name: str, content: Members | bytes, *parts: str) -> None:
    with pytest.raises(ArchiveError) as error:
        pairs(tmp_path, name, content)
    assert all(part in str(error.value) for part in parts), error.value


def test_stack_is_read_slice_by_slice_in_order(tmp_path):
    members, volume, labels = isbi()
    for index, (name, image, mask) in enumerate(pairs(tmp_path, "isbi2012", members)):
        assert name == f"0{index}"
        assert np.array_equal(image, volume[index])
        assert np.array_equal(mask, labels[index] == 255)


def test_training_and_test_stack_are_told_apart(tmp_path):
    (train, *_), (test, volume, _) = isbi("train"), isbi("test")
    images = [image for _, image, _ in pairs(tmp_path, "isbi2012_test", train | test)]
    assert np.array_equal(images, volume)


def test_nuclei_are_united_into_one_mask_and_alpha_is_dropped(tmp_path):
    members, images, unions = dsb()
    found = pairs(tmp_path, "dsb2018", members)
    assert [name for name, *_ in found] == ["aa01", "bb02"]
    for name, image, mask in found:
        assert np.array_equal(image, images[name][..., :3])
        assert np.array_equal(mask, unions[name] == 255)


def test_masks_of_zero_and_one_are_binary_too(tmp_path):
    members, _, labels = isbi()
    members["ISBI-2012-challenge/train-labels.tif"] = encode(*(labels // 255))
    assert np.array_equal([mask for *_, mask in pairs(tmp_path, "isbi2012", members)], labels == 255)


def test_file_that_is_no_zip_archive_is_refused(tmp_path):
    assert_refused(tmp_path, "isbi2012", b"<html>down for maintenance</html>", "not a complete zip file")
    assert_refused(tmp_path, "isbi2012", pack(isbi()[0])[:-50], "not a complete zip file")


@pytest.mark.parametrize("name", ["/etc/cron.d/x", "../../x", "a/../../x", "..\\x", "C:\\x", "C:x", "\\\\host\\x"])
def test_names_that_point_outside_are_refused(tmp_path, name):
    assert_refused(tmp_path, "isbi2012", isbi()[0] | {name: b"x"}, repr(name), "points outside")


def test_identifier_of_an_image_cannot_point_outside(tmp_path):
    members = {name.replace("aa01", ".."): content for name, content in dsb()[0].items()}
    assert_refused(tmp_path, "dsb2018", members, "points outside")


def test_symbolic_links_are_refused(tmp_path):
    with zipfile.ZipFile(buffer := BytesIO(pack(isbi()[0])), "a") as archive:
        link = zipfile.ZipInfo("link.tif")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert_refused(tmp_path, "isbi2012", buffer.getvalue(), "'link.tif' is a symbolic link")


def test_encrypted_members_are_refused(tmp_path):
    body = bytearray(pack(isbi()[0]))
    body[body.find(b"PK\x01\x02") + 8] |= 1  # general purpose flag, bit 0, of the first entry of the directory
    assert_refused(tmp_path, "isbi2012", bytes(body), "train-volume.tif' is encrypted")


def test_archive_that_would_unpack_to_too_much_is_refused(tmp_path, monkeypatch):
    members = isbi()[0]
    total = sum(map(len, members.values()))
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", total)
    assert len(pairs(tmp_path, "isbi2012", members)) == SLICES
    assert_refused(tmp_path, "isbi2012", members | {"bomb": b"0"}, f"{total + 1:,} bytes", f"{total:,}")


def test_member_that_unpacks_to_more_than_it_declares_is_refused(tmp_path):
    members = isbi()[0]
    body = bytearray(pack(members))
    entry = body.find(b"PK\x01\x02")
    struct.pack_into("<I", body, entry + 24, len(next(iter(members.values()))) - 1)  # the declared size
    assert_refused(tmp_path, "isbi2012", bytes(body), "train-volume.tif' cannot be read")


def test_no_more_than_the_declared_size_is_held_in_memory(tmp_path):
    body = bytearray(pack({"train-volume.tif": bytes(2**25), "train-labels.tif": b""}))
    struct.pack_into("<I", body, body.find(b"PK\x01\x02") + 24, 100)  # the declared size
    tracemalloc.start()
    assert_refused(tmp_path, "isbi2012", bytes(body), "cannot be read")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


def test_damaged_bytes_are_found(tmp_path):
    body = bytearray(pack(isbi()[0]))
    body[200] ^= 0xFF
    assert_refused(tmp_path, "isbi2012", bytes(body), "train-volume.tif' cannot be read")


@pytest.mark.parametrize("content", [b"#!/bin/sh", b"", b"\x89PNG\r\n\x1a\n", GIF], ids=str)
def test_members_that_are_no_images_are_refused(tmp_path, content):
    members = dsb()[0] | {"aa01/masks/1.png": content}
    assert_refused(tmp_path, "dsb2018", members, "'aa01/masks/1.png' cannot be read as a PNG or TIFF")


@pytest.mark.parametrize("page", [0, 1])
def test_images_of_absurd_size_are_refused_on_any_page(tmp_path, monkeypatch, page):
    monkeypatch.setattr(archives, "MAX_PIXELS", 48)  # the good slices have 6 × 8
    pages = [np.zeros((6, 8), np.uint8)] * SLICES
    pages[page] = np.zeros((7, 7), np.uint8)
    members = isbi()[0] | {"ISBI-2012-challenge/train-volume.tif": encode(*pages)}
    assert_refused(tmp_path, "isbi2012", members, "train-volume.tif' has 7×7 pixels")


def test_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    header = struct.pack(">IIBBBBB", 2**15, 2**15, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + bytes(20)
    assert_refused(tmp_path, "dsb2018", dsb()[0] | {"aa01/images/aa01.png": bomb}, "aa01/images/aa01.png")


def test_pixels_that_eight_bits_cannot_hold_are_refused(tmp_path):
    deep = encode(*[np.zeros((6, 8), np.uint16)] * SLICES)
    members = isbi()[0] | {"ISBI-2012-challenge/train-volume.tif": deep}
    assert_refused(tmp_path, "isbi2012", members, "mode I;16")


@pytest.mark.parametrize("kind", ["volume", "labels"])
@pytest.mark.parametrize("count", [SLICES - 1, SLICES + 1])
def test_stack_with_another_number_of_slices_is_refused(tmp_path, kind, count):
    members = isbi()[0] | {f"ISBI-2012-challenge/train-{kind}.tif": encode(*np.zeros((count, 6, 8), np.uint8))}
    assert_refused(tmp_path, "isbi2012", members, f"train-{kind}.tif' contains {count} images, not 3")


def test_archive_without_the_expected_files_is_refused(tmp_path):
    assert_refused(tmp_path, "isbi2012", isbi("test")[0], "0 files train-volume.tif")
    assert_refused(tmp_path, "isbi2012", isbi()[0] | {"x/train-labels.tif": b""}, "2 files train-labels.tif")
    assert_refused(tmp_path, "dsb2018", isbi()[0], "0 images, not 2")


@pytest.mark.parametrize("member", ["aa01/images/aa01.png", "aa01/masks/"])
def test_nuclei_without_image_or_masks_are_refused(tmp_path, member):
    members = {name: content for name, content in dsb()[0].items() if not name.startswith(member)}
    assert_refused(tmp_path, "dsb2018", members, "'aa01' has")


def test_mask_of_another_size_is_refused(tmp_path):
    members = dsb()[0] | {"bb02/masks/2.png": encode(np.zeros((4, 9), np.uint8), kind="PNG")}
    assert_refused(tmp_path, "dsb2018", members, "'bb02/masks/2.png' has the size (9, 4), its image (4, 9)")


@pytest.mark.parametrize("values", [(0, 128, 255), (7, 255)])
def test_mask_that_is_not_binary_is_refused(tmp_path, values):
    labels = np.resize(np.array(values, np.uint8), (SLICES, 6, 8))
    members = isbi()[0] | {"ISBI-2012-challenge/train-labels.tif": encode(*labels)}
    assert_refused(tmp_path, "isbi2012", members, "train-labels.tif' has more than two values")
