"""Small archives, laid out as the public ones are."""

import zipfile
from io import BytesIO

import numpy as np
from PIL import Image

SLICES, NUCLEI = 3, 2
Members = dict[str, bytes]


def pack(members: Members) -> bytes:
    with zipfile.ZipFile(buffer := BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            # a ZipInfo is dated 1980, a bare name now: the bytes, and so the hash, would change with the clock
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def encode(*arrays: np.ndarray, kind: str = "TIFF") -> bytes:
    first, *rest = [Image.fromarray(array) for array in arrays]
    more = {"save_all": True, "append_images": rest} if rest else {}
    first.save(buffer := BytesIO(), format=kind, **more)
    return buffer.getvalue()


def isbi(part: str = "train") -> tuple[Members, np.ndarray, np.ndarray]:
    """Members, volume (slices, H, W) and labels, in a folder of the archive and with what a Mac adds."""
    generator = np.random.default_rng(0 if part == "train" else 1)
    volume = generator.integers(0, 256, (SLICES, 6, 8), dtype=np.uint8)
    labels = (volume > 99).astype(np.uint8) * 255
    folder = "ISBI-2012-challenge"
    members = {
        f"{folder}/{part}-volume.tif": encode(*volume),
        f"{folder}/{part}-labels.tif": encode(*labels),
        f"__MACOSX/{folder}/._{part}-volume.tif": b"not an image",
    }
    return members, volume, labels


def dsb() -> tuple[Members, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Members, images as stored (RGBA) and unions of the nuclei, by name; sizes differ."""
    generator = np.random.default_rng(2)
    members: Members = {}
    images, unions = {}, {}
    for name, (height, width) in {"aa01": (5, 7), "bb02": (9, 4)}.items():
        images[name] = generator.integers(0, 256, (height, width, 4), dtype=np.uint8)
        nuclei = (generator.random((3, height, width)) > 0.8).astype(np.uint8) * 255
        unions[name] = nuclei.max(axis=0)
        members |= {
            f"{name}/": b"",
            f"{name}/masks/": b"",
            f"{name}/images/{name}.png": encode(images[name], kind="PNG"),
        }
        members |= {f"{name}/masks/{index}.png": encode(mask, kind="PNG") for index, mask in enumerate(nuclei)}
        members[f"{name}/masks/.DS_Store"] = b"not an image"
    return members, images, unions
