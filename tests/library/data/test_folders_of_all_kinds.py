"""Folders as people bring them: what their files say together, how they are named, and what else lies beside them."""

import unicodedata

import numpy as np
import pytest
import tifffile
from file_samples import CLASSES, GREY, MASK, H, W, own_png, palette, pillow, tiff, with_exif
from PIL import Image

from unetpp_lib.cli import main
from unetpp_lib.data import FolderError, SegmentationFolder, read_image, read_mask

FULL, EMPTY = MASK * 0 + 255, MASK * 0
BLACK, RED, BLUE = [0, 0, 0], [255, 0, 0], [0, 0, 255]


def fill(root, images, masks):
    """Write recipes, or arrays as PNG, as the images and masks a, b, c …"""
    for part, contents in (("images", images), ("masks", masks)):
        (root / part).mkdir()
        for name, content in zip("abcdef", contents, strict=False):
            file, save = content if isinstance(content, tuple) else pillow(content, "a.png")
            save(root / part / file.replace("a", name, 1))
    return root


def noise(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (H, W)).astype(np.uint8)


def faults(root, **options):
    with pytest.raises(FolderError) as caught:
        SegmentationFolder(root, **options)
    return caught.value.faults


TWO_PALETTES = [palette(MASK, [BLACK, RED]), palette(MASK, [RED, BLACK])]
TOGETHER = {  # masks, options, what the only fault says
    "0 and 255 for 2 classes": (
        [MASK * 255, MASK * 255],
        {"num_classes": 2},
        "masks: the masks contain only 0 and 255, and with several classes 255 means ignored; if this is foreground "
        "against background, set num_classes=1 (--num-classes 1)",
    ),
    "0 and 255 for 5 classes": ([MASK * 255, EMPTY], {"num_classes": 5}, "masks: the masks contain only 0 and 255, "),
    "0 and 255 to be scored": (
        [MASK * 255, EMPTY],
        {"num_classes": 2, "complete": False},
        "masks: the masks contain only 0 and 255, ",
    ),
    "255 alone": ([FULL, FULL], {"num_classes": 3}, "masks: the masks contain only 255, "),
    "16 bit, 0 and 255": ([(MASK * 255).astype("u2")], {"num_classes": 2}, "masks: the masks contain only 0 and 255, "),
    "all empty": ([EMPTY, EMPTY], {}, "masks: every pixel of every mask is background; add masks with foreground"),
    "all full": ([FULL, FULL], {}, "masks: every pixel of every mask is foreground; add masks with background"),
    "all empty, palette": ([palette(EMPTY, [BLACK, RED])], {}, "masks: every pixel of every mask is background; "),
    "all empty, classes": ([EMPTY, EMPTY], {"num_classes": 2}, "masks: no mask has a pixel of class 1, "),
    "a class never occurs": (
        [MASK, MASK * 3],
        {"num_classes": 5},
        "masks: no mask has a pixel of class 2, 4, and what never occurs is not learned; add such masks, or relabel "
        "them as 0, 1, 2 … and lower num_classes=5",
    ),
    "the first class never occurs": ([MASK + 1], {"num_classes": 3}, "masks: no mask has a pixel of class 0, "),
    "foregrounds of two values": (
        [MASK, MASK * 255, MASK * 255],
        {},
        "masks/a.png: the foreground is 1, but 255 in most masks; use one value in all of them, or set num_classes",
    ),
    "foregrounds of two colours": (
        [palette(MASK, [BLACK, RED]), palette(MASK, [BLACK, RED]), palette(MASK, [BLUE, BLACK])],
        {},
        "masks/c.png: the foreground is (0, 0, 255), but (255, 0, 0) in most masks; ",
    ),
    "palettes that contradict each other": (
        TWO_PALETTES,
        {"num_classes": 2},
        "masks/b.png: label 0 has the colour (255, 0, 0) in its palette, but (0, 0, 0) in that of a.png; save all",
    ),
    "masks that are their images": (
        [MASK * 255, FULL - MASK * 255],
        {"images": [MASK * 255, FULL - MASK * 255]},
        "masks: every mask equals its image; put the images into images/",
    ),
}


@pytest.mark.parametrize(("masks", "options", "words"), TOGETHER.values(), ids=TOGETHER.keys())
def test_what_is_wrong_with_all_masks_together_is_a_fault(tmp_path, masks, options, words):
    images = options.pop("images", None) or [noise(seed) for seed in range(len(masks))]
    (fault,) = faults(fill(tmp_path, images, masks), **options)
    assert fault.startswith(words)


SOUND = {  # masks and options of folders without a fault, and the fractions of the classes
    "one empty mask": ([EMPTY, MASK * 255], {}, None),
    "one full mask": ([FULL, MASK * 255], {}, None),
    "bool by tifffile beside 255": ([tiff(MASK > 0), MASK * 255], {}, None),
    "1 bit and 2 bit and 8 bit": ([pillow(MASK > 0, "a.png"), own_png(MASK * 3, 2), MASK * 255], {}, None),
    "two colours in any order": (TWO_PALETTES, {}, None),
    "palettes of different length": (
        [palette(MASK, [BLACK, RED]), palette(MASK * 2, [BLACK, RED, BLUE])],
        {"num_classes": 3},
        None,
    ),
    "ignored pixels": ([CLASSES, MASK], {"num_classes": 4, "complete": False}, None),
    "an absent class, to be scored": ([MASK], {"num_classes": 5, "complete": False}, None),
    "no foreground, to be scored": ([EMPTY], {"complete": False}, None),
}


@pytest.mark.parametrize(("masks", "options", "_"), SOUND.values(), ids=SOUND.keys())
def test_a_sound_folder_has_no_fault(tmp_path, masks, options, _):
    root = fill(tmp_path, [noise(seed) for seed in range(len(masks))], masks)
    folder = SegmentationFolder(root, **options)
    for name, (image, mask) in zip(folder.names, folder, strict=True):
        (path,) = (root / "masks").glob(f"{name}.*")
        np.testing.assert_array_equal(mask, read_mask(path, folder.num_classes))
        np.testing.assert_array_equal(image, read_image(root / f"images/{name}.png"))


def test_one_image_that_is_its_own_mask_is_no_fault(tmp_path):
    root = fill(tmp_path, [MASK * 255, noise()], [MASK * 255, MASK * 255])
    assert SegmentationFolder(root).names == ("a", "b")


# What was applied is told


def notes(capsys, root, *options):
    with pytest.raises(SystemExit) as ended:
        main(["data", "check", str(root), *options])
    out = capsys.readouterr().out
    assert not ended.value.code
    return [line.removeprefix("Note: ") for line in out.splitlines() if line.startswith("Note: ")]


def test_check_tells_turned_images(capsys, tmp_path):
    square = noise()[:, :H]
    images = [with_exif(square, 3, "a.jpg"), with_exif(square.T, 6, "a.png"), square // 2]
    root = fill(tmp_path, images, [MASK[:, :H] * 255] * 3)
    told = "2 image(s): turned as their EXIF orientation says; masks must be drawn on the turned image"
    assert notes(capsys, root) == [told]


def test_check_tells_inverted_files(capsys, tmp_path):
    white = {"photometric": "miniswhite"}
    images = [tiff(noise(), **white), tiff(noise(1).astype("u2"), **white), noise(2)]
    masks = [tiff(MASK > 0), pillow(MASK > 0, "a.tif", tiffinfo={262: 0}), MASK * 255]
    assert notes(capsys, fill(tmp_path, images, masks)) == [
        "2 image(s): inverted, because the TIFF says that 0 is white",
        "1 mask(s): inverted, because the TIFF says that 0 is white",
        "1 mask(s): taken as stored, although the TIFF says that 0 is white (tifffile, ImageJ)",
    ]


def test_check_tells_the_darker_of_two_colours(capsys, tmp_path):
    masks = [palette(1 - MASK, [[255, 255, 0], BLUE])] * 2
    assert notes(capsys, fill(tmp_path, [noise(), noise(1)], masks)) == [
        "2 mask(s): of two colours without black, the darker one is taken for background"
    ]


def test_check_tells_ignored_pixels(capsys, tmp_path):
    root = fill(tmp_path, [noise()], [CLASSES])
    with pytest.raises(SystemExit):
        main(["data", "check", str(root), "--num-classes", "3"])
    assert "Ignored (255): 25.0% of all pixels" in capsys.readouterr().out


def test_a_turned_image_of_another_size_than_its_mask_is_told_so(tmp_path):
    root = fill(tmp_path, [with_exif(noise(), 6, "a.jpg")], [MASK * 255])
    (fault,) = faults(root)
    assert fault.startswith(
        f"masks/a.png: height and width are ({H}, {W}), those of its image ({W}, {H}); the image was turned by its "
        "EXIF orientation"
    )


# Names


def pairs(root, images, masks):
    """Write a folder of sound pairs by their files' names."""
    for part, names in (("images", images), ("masks", masks)):
        (root / part).mkdir(parents=True, exist_ok=True)
        for seed, name in enumerate(names):
            pixels = noise(seed) if part == "images" else MASK * 255
            Image.fromarray(pixels).save(root / part / name, format="JPEG" if name.endswith("jpg") else None)
    return root


@pytest.mark.parametrize("suffix", ["_mask", "_segmentation", ".jpg", "-1", "é"])
@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["img_1", "img_11", "a_mask"]])
def test_masks_may_have_a_suffix(tmp_path, names, suffix):
    root = pairs(tmp_path, [f"{name}.png" for name in names], [f"{name}{suffix}.png" for name in names])
    assert SegmentationFolder(root, mask_suffix=suffix).names == tuple(sorted(names))
    start = "1 mask ends" if len(names) == 1 else f"{len(names)} masks all end"
    hint = f'set mask_suffix="{suffix}" (--mask-suffix {suffix}), or rename them'
    assert faults(root) == (f"masks: {start} in {suffix}; {hint}",)


def test_a_suffix_is_found_beside_other_faults(tmp_path):
    root = pairs(tmp_path, ["a.png", "b.png", "c.png"], ["a_mask.png", "b_mask.png"])
    assert [fault.split(";")[0] for fault in faults(root)] == [
        "masks: 2 masks all end in _mask",
        "images/c.png: has no partner masks/c.*",
    ]


def test_a_single_mask_with_a_suffix_among_others_is_to_be_renamed(tmp_path):
    root = pairs(tmp_path, ["a.png", "b.png", "c.png"], ["a.png", "b.png", "c_mask.png"])
    assert faults(root) == ("masks: 1 mask ends in _mask; rename it as its image is called",)


def test_a_suffix_is_found_among_other_files(tmp_path):
    masks = [f"{name}_{kind}.png" for name in "ab" for kind in ("mask", "probability")]
    assert faults(pairs(tmp_path, ["a.png", "b.png"], masks)) == (
        'masks: masks are named as images with _mask or _probability; set mask_suffix="_mask" (--mask-suffix _mask), '
        "which passes other files over",
    )


def test_a_suffix_that_ends_as_a_file_does_is_told_so(tmp_path):
    root = pairs(tmp_path, ["a.png"], ["a_mask.png"])
    (fault,) = faults(root, mask_suffix="_mask.png")
    assert fault == (
        "masks: holds no PNG, TIFF or JPEG file but a_mask.png and the like; put NAME_mask.png.png there; "
        "leave .png out of the suffix"
    )


def test_the_mask_of_a_stack_is_no_row_of_files(tmp_path):
    root = stacks(tmp_path, np.stack([noise(seed) for seed in range(2)]), MASK)
    for page in range(2):
        Image.fromarray(MASK).save(root / f"masks/s_00{page}.png")
    (root / "masks/s.tif").unlink()
    assert faults(root)[0] == (
        "images/s.tif: has no partner masks/s.*; add or rename that file, or take this one away "
        "(the mask of a stack is one TIFF of its 2 pages)"
    )


def test_an_axis_of_one_place_makes_no_slices(tmp_path):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for name in "ab":
        tifffile.imwrite(tmp_path / f"images/{name}.tif", GREY[..., None])
        tifffile.imwrite(tmp_path / f"masks/{name}.tif", MASK[..., None])
    folder = SegmentationFolder(tmp_path)
    assert folder.names == ("a", "b")
    np.testing.assert_array_equal(folder[1][1][0], MASK)


def test_images_of_one_colour_teach_nothing(tmp_path):
    root = fill(tmp_path, [EMPTY + 9, EMPTY], [MASK, MASK])
    assert faults(root) == ("images: every image is of one colour; check how they were saved",)
    assert SegmentationFolder(root, complete=False).names == ("a", "b")


def test_what_predict_writes_is_a_folder_of_masks(capsys, tmp_path):
    root = pairs(tmp_path, ["a.png"], ["a_mask.png", "a_probability.png"])
    assert notes(capsys, root, "--mask-suffix", "_mask") == ["1 file(s) passed over: masks/a_probability.png"]


@pytest.mark.parametrize(
    ("images", "masks", "words"),
    [
        (
            ["a_sat.png", "b_sat.png"],
            ["a_mask.png", "b_mask.png"],
            "the images are called …_sat and their masks …_mask;",
        ),
        (
            ["img_1.png", "img_2.png"],
            ["gt_1.png", "gt_2.png"],
            "the images are called img_… and their masks gt_…; rename",
        ),
        (["a_image.png", "b_image.png"], ["a.png", "b.png"], "the images are called …_image and their masks …; rename"),
    ],
)
def test_names_that_differ_in_one_way_are_one_fault(tmp_path, images, masks, words):
    (fault,) = faults(pairs(tmp_path, images, masks))
    assert fault.startswith(f"masks: {words}")


def test_names_that_differ_in_case_are_told_so(tmp_path):
    root = pairs(tmp_path, ["Cell.png", "b.png"], ["cell.png", "b.png"])
    end = "(one differs in upper and lower case alone)"
    assert [fault.split(":")[0] for fault in faults(root) if fault.endswith(end)] == [
        "images/Cell.png",
        "masks/cell.png",
    ]


def test_accents_may_be_stored_in_two_ways(tmp_path):
    whole, parts = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))
    assert SegmentationFolder(pairs(tmp_path / "1", [f"{parts}.png"], [f"{whole}.png"])).names == (parts,)
    root = pairs(tmp_path / "2", [f"{parts}.png", f"{whole}.png"], [f"{whole}.png"])
    assert faults(root)[0].endswith("keep one of the two")


def test_suffixes_of_any_case_and_ome_are_read(tmp_path):
    root = pairs(tmp_path, ["a.PNG", "b.TIF", "c.Jpeg", "d.ome.tif"], ["a.Png", "b.TIFF", "c.png", "d.png"])
    assert SegmentationFolder(root).names == ("a", "b", "c", "d")


# What else lies in the folders


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "classes.txt",
        "labels.csv",
        "a.png.aux.xml",
        "_annotations.coco.json",
        "notes.docx",
        "a.tfw",
        "z.yaml",
    ],
)
@pytest.mark.parametrize("part", ["images", "masks"])
def test_files_that_are_no_images_are_passed_over_and_told(capsys, tmp_path, part, name):
    root = pairs(tmp_path, ["a.png"], ["a.png"])
    (root / part / name).write_text("x")
    assert notes(capsys, root) == [f"1 file(s) passed over: {part}/{name}"]


@pytest.mark.parametrize("name", [".DS_Store", "._a.png", "Thumbs.db", "desktop.ini", ".gitkeep"])
def test_hidden_files_are_nothing_to_talk_of(capsys, tmp_path, name):
    root = pairs(tmp_path, ["a.png"], ["a.png"])
    (root / "images" / name).write_text("x")
    assert notes(capsys, root) == []


@pytest.mark.parametrize("name", ["b.npy", "b.gif", "b.bmp", "b.nii.gz", "b.webp", "b.czi", "b.dcm", "b.zip", "B.JP2"])
def test_images_of_other_kinds_are_faults(tmp_path, name):
    root = pairs(tmp_path, ["a.png"], ["a.png"])
    (root / "images" / name).write_text("x")
    assert faults(root) == (
        f"images/{name}: is neither PNG, TIFF nor JPEG; convert it to PNG, or move it out of images/",
    )


@pytest.mark.parametrize("name", ["b", "b.part", "b.img"])
def test_images_by_content_are_faults_whatever_their_name(tmp_path, name):
    root = pairs(tmp_path, ["a.png"], ["a.png"])
    Image.fromarray(GREY).save(root / "images" / name, format="PNG")
    assert faults(root)[0].startswith(f"images/{name}: is neither PNG, TIFF nor JPEG; ")


@pytest.mark.parametrize("part", ["images", "masks"])
def test_a_broken_link_is_a_fault(tmp_path, part):
    root = pairs(tmp_path, ["a.png"], ["a.png"])
    (root / part / "b.png").symlink_to(tmp_path / "gone.png")
    assert faults(root) == (
        f"{part}/b.png: is a link to {tmp_path / 'gone.png'}, which is not there; mend or remove it",
    )


def test_a_link_that_is_whole_is_followed(tmp_path):
    root = pairs(tmp_path / "set", ["a.png"], ["a.png"])
    (root / "images/a.png").rename(tmp_path / "elsewhere.png")
    (root / "images/a.png").symlink_to(tmp_path / "elsewhere.png")
    assert len(SegmentationFolder(root)) == 1


@pytest.mark.parametrize("where", ["train/b.png", "train/deep/b.TIF", "b.png/b.jpg"])
@pytest.mark.parametrize("part", ["images", "masks"])
def test_a_subfolder_with_images_is_a_fault(tmp_path, part, where):
    root = pairs(tmp_path, ["a.png"], ["a.png"])
    (root / part / where).parent.mkdir(parents=True)
    (root / part / where).write_text("x")
    folder = where.split("/")[0]
    assert faults(root) == (f"{part}/{folder}: is a folder with images; move them up, subfolders are not looked into",)


@pytest.mark.parametrize("where", ["x.png", "empty", ".ipynb_checkpoints", "__MACOSX"])
def test_a_subfolder_without_images_is_passed_over(tmp_path, where):
    root = pairs(tmp_path, ["a.png"], ["a.png"])
    (root / "images" / where).mkdir()
    (root / "images" / where / "._a.png").write_text("x")
    assert SegmentationFolder(root).names == ("a",)


# Stacks


def stacks(root, image, mask, **options):
    for part, pages in (("images", image), ("masks", mask)):
        (root / part).mkdir()
        tifffile.imwrite(root / part / "s.tif", pages, photometric="minisblack", **options)
    return root


def test_pages_that_may_be_channels_are_told_how_to_become_channels(tmp_path):
    volume = np.stack([noise(seed) for seed in range(3)])
    (fault,) = faults(stacks(tmp_path, volume, MASK), channels=3)
    assert fault.startswith("masks/s.tif: has 1 page(s), its image 3; give every slice its mask, or, if these are the ")
    code = fault[fault.index("tifffile.imwrite(") : fault.index(", and set channels=3")]
    exec(code, {"tifffile": tifffile, "name": tmp_path / "images/s.tif", "planes": volume})  # the remedy is right
    image, _ = SegmentationFolder(tmp_path, channels=3)[0]
    np.testing.assert_allclose(image, volume / 255, rtol=1e-6)


def test_slices_are_no_channels_where_every_slice_has_its_mask(tmp_path):
    volume = np.stack([noise(seed) for seed in range(3)])
    folder = SegmentationFolder(stacks(tmp_path, volume, np.stack([MASK] * 3)), channels=3)
    assert folder.names == ("s_000", "s_001", "s_002")
    np.testing.assert_allclose(folder[1][0], volume[[1, 1, 1]] / 255, rtol=1e-6)


def test_channels_that_the_file_tells_are_one_image(tmp_path):
    volume = np.stack([noise(seed) for seed in range(6)]).reshape(3, 2, H, W)
    root = stacks(tmp_path, volume, np.stack([MASK] * 3))
    tifffile.imwrite(root / "images/s.tif", volume, imagej=True, metadata={"axes": "ZCYX"})
    folder = SegmentationFolder(root, channels=2)
    assert folder.names == ("s_000", "s_001", "s_002")
    np.testing.assert_allclose(folder[1][0], volume[1] / 255, rtol=1e-6)
