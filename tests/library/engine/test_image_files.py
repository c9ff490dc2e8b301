"""What a user names is found, each mask gets a name of its own, and the classes of a mask can be seen."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tifffile import imwrite

from unetpp_lib.data import LargeImage, read_mask
from unetpp_lib.engine.image_files import find_images, name_pages, thin_out, write_prediction
from unetpp_lib.engine.pictures import CLASS_COLOURS, class_palette
from unetpp_lib.errors import InputError


def touch(root: Path, *names: str) -> list[Path]:
    paths = [root / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(path, "TIFF" if "tif" in path.suffix.lower() else "PNG")
    return paths


def found(root: Path, *given: str | Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in find_images(given)]


def test_a_folder_stands_for_its_images_alone(tmp_path):
    touch(tmp_path, "b.png", "a.TIF", "c.jpeg", ".hidden.png", "._a.png", "below/d.png")
    (tmp_path / "README.md").write_text("no image")
    (tmp_path / "labels.csv").write_text("a,b")
    np.save(tmp_path / "e.npy", np.zeros((4, 4), np.uint8))
    assert found(tmp_path, tmp_path) == ["a.TIF", "b.png", "c.jpeg", "e.npy"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.png", ["a.png", "b.png"]),
        ("?.png", ["a.png", "b.png"]),
        ("[a]*", ["a.png", "a.tif"]),
        ("**/*.png", ["a.png", "b.png", "deep/c.png", "deep/er/d.png"]),
        ("**", ["a.png", "a.tif", "b.png", "deep/c.png", "deep/er/d.png"]),
        ("d*/*", ["deep/c.png"]),
    ],
)
def test_a_pattern_is_expanded_also_where_no_shell_does(tmp_path, pattern, names):
    touch(tmp_path, "a.png", "b.png", "a.tif", "deep/c.png", "deep/er/d.png")
    (tmp_path / "a.txt").write_text("no image")
    assert sorted(found(tmp_path, tmp_path / pattern)) == names


def test_a_file_whose_name_looks_like_a_pattern_is_taken_as_it_is(tmp_path):
    touch(tmp_path, "cell[1].png", "cell1.png")
    assert found(tmp_path, tmp_path / "cell[1].png") == ["cell[1].png"]


def test_a_folder_whose_name_looks_like_a_pattern_is_taken_as_it_is(tmp_path):
    touch(tmp_path, "plate[1]/a.png", "plate[1]/deep/b.png", "plate1/wrong.png")
    assert found(tmp_path, tmp_path / "plate[1]" / "*.png") == ["plate[1]/a.png"]
    assert found(tmp_path, tmp_path / "plate[1]" / "**" / "b.*") == ["plate[1]/deep/b.png"]
    assert found(tmp_path, tmp_path / "plate[12]" / "*.png") == ["plate1/wrong.png"]


def test_a_path_may_begin_at_home_where_no_shell_does(tmp_path, monkeypatch):
    touch(tmp_path, "a.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert found(tmp_path, "~/a.png") == found(tmp_path, "~") == found(tmp_path, "~/*.png") == ["a.png"]


def test_what_is_named_twice_is_predicted_once(tmp_path):
    touch(tmp_path, "a.png", "b.png")
    again = tmp_path / ".." / tmp_path.name / "a.png"
    assert found(tmp_path, tmp_path / "b.png", tmp_path, tmp_path / "*.png", again) == ["b.png", "a.png"]


def test_our_own_masks_beside_an_image_are_passed_over(tmp_path):
    touch(tmp_path, "a.png", "a_mask.png", "a_probability.png", "a_probability_2.png", "face_mask.png")
    assert found(tmp_path, tmp_path) == ["a.png", "face_mask.png"]  # there is no image "face"
    assert found(tmp_path, tmp_path / "a_mask.png") == ["a_mask.png"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("gone.png", r"gone\.png: there is no such file or folder"),
        ("empty", r"empty: there is no PNG, TIFF, JPEG or \.npy file\. Check"),
        ("*.jpg", r"\*\.jpg: there is no PNG, TIFF, JPEG or \.npy file"),
        ("set", r"set: there is no .* file; subfolders are not looked into: give them, or .*set.*\*\*.*\*\.png\."),
        ("links", r"dead\.png: is a broken link"),
    ],
)
def test_what_stands_for_no_image_is_named(tmp_path, given, message):
    touch(tmp_path, "set/images/a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "dead.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(InputError, match=message):
        find_images([tmp_path / given])


def test_names_are_the_files_names_where_these_differ(tmp_path):
    assert list(name_pages(touch(tmp_path, "x/a.png", "y/b.png"))) == ["a", "b"]


def test_equal_names_of_two_folders_get_their_folders(tmp_path):
    paths = touch(tmp_path, "day1/well/a.png", "day2/well/a.png", "day2/b.png")
    assert list(name_pages(paths)) == ["day1/well/a", "day2/well/a", "day2/b"]


def test_names_that_differ_in_upper_case_alone_are_the_same_file_on_some_machines(tmp_path):
    paths = touch(tmp_path, "x/Cell.png", "y/cell.png")
    assert list(name_pages(paths)) == ["x/Cell", "y/cell"]


def test_a_mask_has_the_name_that_pairs_it_with_its_image(tmp_path):
    path, stack = tmp_path / "a.ome.tif", tmp_path / "b.tif"
    imwrite(path, np.zeros((4, 4), np.uint8))
    imwrite(stack, np.zeros((1001, 9, 9), np.uint8), photometric="minisblack")
    names = list(name_pages([path, stack]))
    assert (names[0], names[1], names[-1]) == ("a", "b_0000", "b_1000")
    assert names == sorted(names)


def test_two_files_of_one_folder_and_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.png, .*a\.tif: have the same name; give them to two calls"):
        name_pages(touch(tmp_path, "a.png", "a.tif", "b.png"))


def test_a_page_that_has_the_name_of_a_file_is_refused(tmp_path):
    pages = [Image.new("L", (4, 4), grey) for grey in (0, 9)]
    pages[0].save(tmp_path / "v.tif", save_all=True, append_images=pages[1:])
    assert list(name_pages([tmp_path / "v.tif"])) == ["v_000", "v_001"]
    with pytest.raises(InputError, match=r"v\.tif, .*v_001\.png: have the same name"):
        name_pages([tmp_path / "v.tif", *touch(tmp_path, "v_001.png")])


@pytest.mark.parametrize("num_classes", [2, 3, 12])
def test_a_mask_of_several_classes_holds_them_and_shows_them(tmp_path, num_classes):
    probability = torch.rand(num_classes, 20, 30, generator=torch.Generator().manual_seed(0)).softmax(0)
    write_prediction(tmp_path, "a", probability, 0.5)
    expected = probability.argmax(0).to(torch.uint8)
    with Image.open(tmp_path / "a_mask.png") as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.asarray(picture), expected)
        seen = np.asarray(picture.convert("RGB"))
    colours = {tuple(seen[expected == label][0]) for label in range(num_classes)}
    assert len(colours) == num_classes
    assert torch.equal(read_mask(tmp_path / "a_mask.png", num_classes)[0], expected)


def test_no_two_classes_have_one_colour_and_the_first_are_those_of_the_pictures():
    palette = class_palette()
    assert np.array_equal(palette[:8], CLASS_COLOURS)
    assert len(np.unique(palette[:100], axis=0)) == 100


def test_a_binary_mask_stays_black_and_white(tmp_path):
    write_prediction(tmp_path, "a", torch.tensor([[[0.2, 0.6]]]), 0.5)
    with Image.open(tmp_path / "a_mask.png") as picture:
        assert (picture.mode, np.asarray(picture).tolist()) == ("L", [[0, 255]])


def test_a_large_image_is_thinned_out_on_disk(tmp_path):
    pixels = np.tile(np.arange(0, 250, 5, dtype=np.uint8), (3000, 60))
    np.save(tmp_path / "a.npy", pixels)
    thin = thin_out(LargeImage(tmp_path / "a.npy"))
    assert max(thin.shape) <= 2048
    assert thin.mean().item() == pytest.approx(pixels.mean() / 255, abs=0.01)
    image = torch.rand(1, 30, 40)
    assert torch.equal(thin_out(image), image)
