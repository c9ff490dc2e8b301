"""The drawn set holds what it claims: labels, distractors that only context tells apart, and the committed files.

Contours are measured with scipy and scikit-image, which the generator does not use.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage.morphology import skeletonize

from unetpp_course.membranes import draw_membranes, write_membranes
from unetpp_lib.data import read_distractors
from unetpp_lib.errors import InputError

COMMITTED = Path(__file__).parents[2] / "data" / "membranes"
NAMES = [f"membrane_{index:02}" for index in range(40)]
DIAMETERS = {1: (18, 41), 2: (43, 75), 3: (91, 129)}  # pixels, longer side of the box around the contour
EIGHT = np.ones((3, 3))


def read(kind, name):
    return np.array(Image.open(COMMITTED / kind / f"{name}.png"))


@pytest.fixture(scope="module")
def committed():
    return [(read("images", name), read("masks", name) == 0, read("distractors", name)) for name in NAMES]


def contours(distractors):
    """Yield (class, contour) for every connected contour of a distractor map."""
    labels, count = ndimage.label(distractors > 0, EIGHT)
    for index in range(1, count + 1):
        values = np.unique(distractors[labels == index])
        assert len(values) == 1
        yield int(values[0]), labels == index


# The slow cases are all the other images.
@pytest.mark.parametrize("index", [0, 39, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 39))])
def test_the_committed_files_are_what_the_generator_draws(index, committed):
    drawing = draw_membranes(seed=(0, index))
    image, membrane, distractors = committed[index]
    # Another machine may round a distance or a grey value the other way: a few pixels, one or two grey levels.
    assert np.count_nonzero((drawing.mask == 0) != membrane) <= 8
    assert np.count_nonzero(drawing.distractors != distractors) <= 8
    assert np.abs(drawing.image.astype(int) - image).max() <= 2


def test_the_seed_alone_decides_the_drawing():
    one, same, other = (draw_membranes(96, seed) for seed in (3, 3, 4))
    for kind in ("image", "mask", "distractors"):
        assert np.array_equal(getattr(one, kind), getattr(same, kind))
    assert (one.mask != other.mask).mean() > 0.1


def test_without_distractors_the_mask_is_the_same_and_no_ring_is_left():
    rings, none = draw_membranes(200, 1), draw_membranes(200, 1, distractors=False)
    assert rings.distractors.any()
    assert not none.distractors.any()
    assert np.array_equal(rings.mask, none.mask)
    ring = rings.distractors > 0
    assert rings.image[ring].mean() < none.image[ring].mean() - 20  # nothing dark is left where the rings were


@pytest.mark.parametrize("size", [64, 65, 200])
def test_a_drawing_has_the_size_asked_for(size):
    drawing = draw_membranes(size)
    for pixels in (drawing.image, drawing.mask, drawing.distractors):
        assert pixels.shape == (size, size)
        assert pixels.dtype == np.uint8
    assert set(np.unique(drawing.mask)) == {0, 255}


def test_a_size_that_holds_no_cell_is_refused():
    with pytest.raises(InputError, match="63"):
        draw_membranes(63)


def test_four_fifths_of_the_pixels_are_cell_interior(committed):
    shares = [1 - membrane.mean() for _, membrane, _ in committed]
    assert 0.75 < min(shares) < max(shares) < 0.88
    assert 0.78 < np.mean(shares) < 0.85


def test_distractors_are_a_quarter_to_a_half_of_the_labelled_membrane(committed):
    membrane, distractor = (sum(np.count_nonzero(sample[k]) for sample in committed) for k in (1, 2))
    assert 0.25 < distractor / membrane < 0.5


def test_distractors_are_labelled_interior_and_keep_clear_of_the_membrane(committed):
    for _, membrane, distractors in committed:
        assert ndimage.distance_transform_edt(~membrane)[distractors > 0].min() > 2


@pytest.mark.slow
def test_every_distractor_is_a_closed_loop_of_its_class_size(committed):
    for _, _, distractors in committed:
        for value, contour in contours(distractors):
            enclosed = ndimage.binary_fill_holes(contour) & ~contour  # what a flood from outside does not reach
            rows, columns = np.nonzero(contour)
            low, high = DIAMETERS[value]
            assert enclosed.sum() > 10
            assert low <= 1 + max(np.ptp(rows), np.ptp(columns)) <= high


def test_every_labelled_membrane_belongs_to_a_network_that_leaves_the_image(committed):
    """What is isolated is a distractor, and nothing else is: the label follows from the whole image."""
    for _, membrane, _ in committed:
        parts, _ = ndimage.label(np.pad(membrane, 1, mode="edge"), EIGHT)
        border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
        assert np.isin(parts[parts > 0], border).all()


@pytest.fixture(scope="module")
def lines(committed):
    """Along all contours: half-width in pixels, darkness against the pixels beside, and the class; 0 is membrane."""
    found = []
    for image, membrane, distractors in committed:
        dark = membrane | (distractors > 0)
        beside = (ndimage.distance_transform_edt(~dark) < 6) & ~dark
        smooth = ndimage.gaussian_filter(image.astype(float), 1)
        level = ndimage.gaussian_filter(smooth * beside, 6) / (ndimage.gaussian_filter(beside.astype(float), 6) + 1e-6)
        line = skeletonize(dark)
        crossings = ndimage.convolve(line.astype(int), EIGHT) > 3  # distractors have no junctions to compare
        line &= ~ndimage.binary_dilation(crossings & line, EIGHT, iterations=12)
        width = ndimage.distance_transform_edt(dark)
        found.append(np.stack([width[line], (level - smooth)[line], np.where(membrane, 0, distractors)[line]]))
    return np.concatenate(found, axis=1)


@pytest.mark.parametrize("value", [1, 2, 3])
@pytest.mark.slow
def test_a_distractor_has_the_local_profile_of_a_membrane(value, lines):
    *profile, kind = lines
    membrane, distractor = (np.percentile(np.stack(profile)[:, kind == k], [25, 50, 75], axis=1) for k in (0, value))
    assert distractor == pytest.approx(membrane, rel=0.12)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_every_part_of_the_split_holds_every_size_of_distractor(part):
    split = json.loads((COMMITTED / "split.json").read_text())
    assert sorted(name for names in split.values() for name in names) == NAMES
    assert {part: len(names) for part, names in split.items()} == {"train": 28, "validation": 4, "test": 8}
    assert set(np.unique([read("distractors", name) for name in split[part]])) == {0, 1, 2, 3}


def test_writing_makes_the_layout_and_reading_returns_the_map(tmp_path):
    write_membranes(tmp_path / "set", count=3, size=64, seed=5)
    files = sorted(path.relative_to(tmp_path / "set").as_posix() for path in (tmp_path / "set").rglob("*.*"))
    kinds = ("distractors", "images", "masks")
    assert files == sorted([*(f"{kind}/membrane_{k}.png" for kind in kinds for k in range(3)), "split.json"])
    drawn = draw_membranes(64, (5, 2)).distractors
    assert torch.equal(read_distractors(tmp_path / "set", "membrane_2"), torch.from_numpy(drawn)[None])


def test_writing_leaves_a_folder_that_holds_files_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not an empty folder"):
        write_membranes(tmp_path, count=3, size=64)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_too_few_images_to_split_are_refused(tmp_path):
    with pytest.raises(InputError, match="at least 3"):
        write_membranes(tmp_path / "set", count=2)


def test_a_set_without_distractor_maps_has_none_and_a_missing_map_is_an_error(tmp_path):
    assert read_distractors(tmp_path, "slice_00") is None
    (tmp_path / "distractors").mkdir()
    with pytest.raises(InputError, match=r"slice_00\.png is missing"):
        read_distractors(tmp_path, "slice_00")
