"""A large image is read area by area, and gives what `read_image` gives."""

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_lib.data import LargeImage, is_large, large, read_image
from unetpp_lib.errors import InputError

AREA = (slice(None), slice(3, 20), slice(30, 99))  # beyond the right border: cut off there, as in any array


def noise(shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "pixels",
    [noise((40, 50)), noise((40, 50, 3)), noise((40, 50, 4)), noise((40, 50), np.uint16)],
    ids=["grey", "RGB", "RGBA", "16 bit"],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_an_uncompressed_tiff_is_mapped_as_it_would_be_read(tmp_path, pixels, channels, order):
    path = tmp_path / "large.tif"
    pixels = pixels.astype(pixels.dtype.newbyteorder(order))
    Image.fromarray(pixels).save(path)
    image = LargeImage(path, channels)
    assert image.shape == (channels, 40, 50)
    torch.testing.assert_close(image[AREA], read_image(path, channels)[AREA])


def test_strips_that_follow_each_other_are_one_piece(tmp_path):
    path = tmp_path / "strips.tif"
    Image.fromarray(noise((600, 500))).save(path, tiffinfo={278: 7})
    assert torch.equal(LargeImage(path)[:, 100:200, 7:77], read_image(path)[:, 100:200, 7:77])


@pytest.mark.parametrize(("shape", "channels"), [((40, 50), 1), ((40, 50, 3), 3), ((40, 50, 5), 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_array_on_disk_is_an_image_too(tmp_path, shape, channels, dtype):
    pixels = noise(shape, dtype)
    np.save(tmp_path / "large.npy", pixels)
    expected = torch.from_numpy(pixels.reshape(40, 50, -1) / np.float64(np.iinfo(dtype).max)).permute(2, 0, 1)
    torch.testing.assert_close(LargeImage(tmp_path / "large.npy", channels)[AREA], expected[AREA].float())


def test_what_is_large_is_an_array_or_a_tiff_of_many_pixels(tmp_path, monkeypatch):
    Image.fromarray(noise((40, 50))).save(tmp_path / "a.tif")
    (tmp_path / "broken.tif").write_text("no TIFF")
    assert not is_large(tmp_path / "a.tif")
    assert not is_large(tmp_path / "broken.tif")
    assert not is_large(tmp_path / "a.png")
    assert is_large(tmp_path / "a.npy")
    monkeypatch.setattr(large, "LARGE", 1999)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900)  # Pillow itself refuses more than twice as many
    assert is_large(tmp_path / "a.tif")
    assert LargeImage(tmp_path / "a.tif").shape == (1, 40, 50)
    with pytest.raises(InputError, match=r"a\.tif: has too many pixels to be read at once; save it as a TIFF without"):
        read_image(tmp_path / "a.tif")


def test_what_cannot_be_mapped_is_named_with_the_remedy(tmp_path):
    picture = Image.fromarray(noise((40, 50)))
    picture.save(tmp_path / "packed.tif", compression="tiff_lzw")
    picture.save(tmp_path / "pages.tif", save_all=True, append_images=[picture])
    picture.save(tmp_path / "whole.tif")
    (tmp_path / "cut.tif").write_bytes((tmp_path / "whole.tif").read_bytes()[:1000])
    (tmp_path / "text.tif").write_text("no TIFF")
    for name in ("packed", "pages", "cut", "text"):
        with pytest.raises(InputError, match=rf"{name}\.tif: .*(save it as a TIFF of one page|copy it anew)"):
            LargeImage(tmp_path / f"{name}.tif")


def test_arrays_that_are_no_images_are_named(tmp_path):
    for name, array in {"flat": noise(40), "signed": noise((4, 5)).astype(np.int64)}.items():
        np.save(tmp_path / f"{name}.npy", array)
    np.save(tmp_path / "objects.npy", np.array([None]), allow_pickle=True)
    np.save(tmp_path / "five.npy", noise((40, 50, 5)))
    np.save(tmp_path / "channels first.npy", noise((3, 40, 50)))
    for name, words in {
        "channels first": r"has the shape \(3, 40, 50\), with the channels first; .* numpy.moveaxis\(image, 0, -1\)",
        "flat": r"has the shape \(40,\)",
        "signed": "holds int64",
        "objects": "cannot be mapped",
        "missing": "cannot be mapped",
        "five": r"has 5 channel\(s\), not 1",
    }.items():
        with pytest.raises(InputError, match=rf"{name}\.npy: {words}"):
            LargeImage(tmp_path / f"{name}.npy")
