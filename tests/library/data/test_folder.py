import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_lib.data import FolderError, SegmentationFolder, folder, listing, read_image, read_mask
from unetpp_lib.errors import InputError

SIZE = (6, 8)


def greys(seed=0, size=SIZE, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, size, dtype, endpoint=True)


def labels(seed=0, size=SIZE, values=(0, 255)):
    return np.random.default_rng(seed).choice(np.array(values, np.uint8), size)


def save(path, *pages, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = [page if isinstance(page, Image.Image) else Image.fromarray(page) for page in pages]
    first.save(path, **({"save_all": True, "append_images": others} if others else {}), **options)
    return path


@pytest.fixture
def root(tmp_path):
    """A sound folder of two pairs, a and b, for a test to spoil."""
    for seed, name in enumerate("ab"):
        save(tmp_path / f"images/{name}.png", greys(seed))
        save(tmp_path / f"masks/{name}.png", labels(seed))
    return tmp_path


def faults(root, **options):
    with pytest.raises(FolderError) as caught:
        SegmentationFolder(root, **options)
    assert all(fault in str(caught.value) for fault in caught.value.faults[:20])
    return caught.value.faults


def only_fault(root, **options):
    (fault,) = faults(root, **options)
    return fault


# What is read


def test_a_sound_folder_gives_its_pairs_in_order(root):
    save(root / "images/B.tif", greys(7, (5, 9)))
    save(root / "masks/B.png", labels(7, (5, 9)))
    dataset = SegmentationFolder(str(root))
    assert dataset.names == ("B", "a", "b")
    assert dataset.index_of == {"B": 0, "a": 1, "b": 2}
    assert dataset.sizes == ((5, 9), SIZE, SIZE)
    assert len(dataset) == 3
    for (image, mask), seed, size in zip(dataset, [7, 0, 1], dataset.sizes, strict=True):
        np.testing.assert_allclose(image, greys(seed, size)[None] / 255, rtol=1e-6)
        np.testing.assert_array_equal(mask, labels(seed, size)[None] == 255)
        assert (image.dtype, mask.dtype) == (torch.float32, torch.uint8)


def test_a_folder_survives_the_way_to_a_worker_process(root):
    dataset = pickle.loads(pickle.dumps(SegmentationFolder(root)))
    assert torch.equal(dataset[1][0], SegmentationFolder(root)[1][0])


def test_a_folder_keeps_no_images(root):
    dataset = SegmentationFolder(root)
    save(root / "images/a.png", greys(9))
    np.testing.assert_allclose(dataset[0][0], greys(9)[None] / 255, rtol=1e-6)


def test_one_pass_over_the_files_keeps_what_statistics_and_copies_need(root):
    save(root / "images/c.png", greys(0))
    save(root / "images/d.png", np.full(SIZE, 9, np.uint8))
    for name in "cd":
        save(root / f"masks/{name}.png", labels(1))
    dataset = SegmentationFolder(root)
    for (image, _), sums in zip(dataset, dataset.sums, strict=True):
        torch.testing.assert_close(sums, torch.stack([image.sum((1, 2)), image.square().sum((1, 2))]).double())
    a, b, c, d = dataset.contents
    assert a == c != b
    assert (b"" in {a, b}, d) == (False, b"")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_find_what_one_alone_finds_bit_for_bit(tmp_path, monkeypatch, threads):
    for number in range(7):
        save(tmp_path / f"images/{number}.png", greys(number, (200, 300)))
        save(tmp_path / f"masks/{number}.png", labels(number, (200, 300)))
    monkeypatch.setattr(folder, "_BLOCK", 3)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    dataset = SegmentationFolder(tmp_path)
    assert dataset.names == tuple("0123456")
    wide = [dataset[number][0].double() for number in range(7)]
    expected = torch.stack([torch.stack([image.sum((1, 2)), image.square().sum((1, 2))]) for image in wide])
    assert torch.equal(dataset.sums, expected)
    assert len(set(dataset.contents)) == 7


def halves(work, items):
    """Work done as two processes would share it."""
    answers = [None] * len(items)
    answers[0::2], answers[1::2] = work(items[0::2]), work(items[1::2])
    return answers


def test_a_check_that_is_shared_finds_the_same(root):
    save(root / "images/c.png", greys(2, (5, 9)))
    save(root / "masks/c.png", labels(2, (5, 9)))
    whole, shared = SegmentationFolder(root), SegmentationFolder(root, share=halves)
    for name in ("names", "sizes", "class_shares", "contents"):
        assert getattr(shared, name) == getattr(whole, name)
    assert torch.equal(shared.sums, whole.sums)
    for number in range(4):
        (root / f"images/bad_{number}.png").write_bytes(b"")
        save(root / f"masks/bad_{number}.png", greys(number))
    assert faults(root, share=halves) == faults(root)


def test_class_shares_are_counted_over_the_whole_folder(root):
    foreground = np.concatenate([labels(0), labels(1)]) == 255
    assert SegmentationFolder(root).class_shares == pytest.approx((1 - foreground.mean(), foreground.mean()))


def test_class_shares_leave_out_ignored_pixels(tmp_path):
    save(tmp_path / "images/a.png", greys())
    save(tmp_path / "masks/a.png", np.array([[0, 0, 1, 2], [2, 2, 255, 255]], np.uint8).repeat(3, 0).repeat(2, 1))
    dataset = SegmentationFolder(tmp_path, num_classes=4, complete=False)
    assert dataset.class_shares == pytest.approx((2 / 6, 1 / 6, 3 / 6, 0))
    assert dataset.ignored_share == pytest.approx(2 / 8)


def test_a_stack_is_the_slices_of_its_name(tmp_path):
    pages = [greys(seed) for seed in range(3)]
    save(tmp_path / "images/volume.tif", *pages)
    save(tmp_path / "masks/volume.tiff", *[labels(seed) for seed in range(3)])
    dataset = SegmentationFolder(tmp_path)
    assert dataset.names == ("volume_000", "volume_001", "volume_002")
    for seed, (image, mask) in enumerate(dataset):
        np.testing.assert_allclose(image, pages[seed][None] / 255, rtol=1e-6)
        np.testing.assert_array_equal(mask, labels(seed)[None] == 255)


def test_slices_and_single_images_stand_in_one_alphabetical_order(root):
    for part in ("images", "masks"):
        save(root / part / "a.tif", labels(), labels())
        (root / part / "a.png").rename(root / part / "a0.png")
    assert SegmentationFolder(root).names == ("a0", "a_000", "a_001", "b")


def test_only_a_tiff_has_pages(root):
    save(root / "images/a.png", greys(0), greys(1))
    assert Image.open(root / "images/a.png").n_frames == 2
    assert SegmentationFolder(root).names == ("a", "b")


@pytest.mark.parametrize(("count", "digits"), [(2, 3), (1000, 3), (1001, 4)])
def test_the_numbers_of_slices_are_as_wide_as_their_order_needs(root, monkeypatch, count, digits):
    monkeypatch.setattr(listing, "count_pages", lambda path, channels=1: count)
    pairs = listing.list_pairs(root, 1, "", lambda work, items: [work(item) for item in items]).pairs
    assert [pair.name for pair in pairs[:count]] == [f"a_{page:0{digits}}" for page in range(count)]
    assert [pair.mask.number for pair in pairs] == [*range(count)] * 2


@pytest.mark.parametrize(("suffix", "dtype"), [("png", np.uint8), ("png", np.uint16), ("tif", np.uint16)])
def test_greys_are_divided_by_their_range(tmp_path, suffix, dtype):
    values = greys(dtype=dtype)
    values[0, :2] = 0, np.iinfo(dtype).max
    image = read_image(save(tmp_path / f"a.{suffix}", values))
    np.testing.assert_allclose(image, values[None] / np.iinfo(dtype).max, rtol=1e-6)
    assert (image.min(), image.max()) == (0, 1)


def test_big_endian_greys_are_read_alike(tmp_path):
    values = greys(dtype=np.uint16)
    picture = Image.frombytes("I;16B", SIZE[::-1], values.astype(">u2").tobytes())
    np.testing.assert_allclose(read_image(save(tmp_path / "a.tif", picture)), values[None] / 65535, rtol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_one_bit_is_black_and_white(tmp_path, suffix):
    path = save(tmp_path / f"a.{suffix}", labels() == 255)
    assert Image.open(path).mode == "1"
    np.testing.assert_array_equal(read_image(path), labels()[None] == 255)
    np.testing.assert_array_equal(read_mask(path), labels()[None] == 255)
    np.testing.assert_array_equal(read_mask(path, num_classes=2), labels()[None] == 255)


def test_colour_becomes_luminance_in_one_channel_and_stays_in_three(tmp_path):
    colours = greys(size=(*SIZE, 3))
    path = save(tmp_path / "a.png", colours)
    np.testing.assert_allclose(read_image(path, 3), colours.transpose(2, 0, 1) / 255, rtol=1e-6)
    np.testing.assert_allclose(read_image(path)[0], colours @ [0.299, 0.587, 0.114] / 255, rtol=1e-5)
    assert read_image(path, 3).is_contiguous()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_fills_three_channels(tmp_path, dtype):
    values = greys(dtype=dtype)
    image = read_image(save(tmp_path / "a.png", values), 3)
    np.testing.assert_allclose(image, np.stack([values] * 3) / np.iinfo(dtype).max, rtol=1e-6)


def test_alpha_is_dropped(tmp_path):
    colours = greys(size=(*SIZE, 4))
    path = save(tmp_path / "a.png", colours)
    np.testing.assert_allclose(read_image(path, 3), colours[..., :3].transpose(2, 0, 1) / 255, rtol=1e-6)
    path = save(tmp_path / "b.png", Image.fromarray(colours[..., :2].copy(), "LA"))
    np.testing.assert_allclose(read_image(path), colours[None, ..., 0] / 255, rtol=1e-6)


def test_a_palette_is_applied_to_images(tmp_path):
    indices = labels(values=(0, 1, 2))
    palette = np.array([[255, 0, 0], [0, 128, 0], [9, 9, 9]], np.uint8)
    picture = Image.fromarray(indices)
    picture.putpalette(palette.tobytes())
    path = save(tmp_path / "a.png", picture, transparency=1)
    assert Image.open(path).mode == "P"
    np.testing.assert_allclose(read_image(path, 3), palette[indices].transpose(2, 0, 1) / 255, rtol=1e-6)


@pytest.mark.parametrize("mode", ["PA", "YCbCr"])
def test_other_codings_of_colour_are_read_as_colour(tmp_path, mode):
    colour = Image.new("RGB", SIZE[::-1], (200, 100, 50))
    coded = colour.quantize(2).convert("PA") if mode == "PA" else colour.convert(mode)
    path = save(tmp_path / "a.tif", coded)
    assert Image.open(path).mode == mode
    np.testing.assert_allclose(read_image(path, 3).mean((1, 2)) * 255, [200, 100, 50], atol=2)


def test_as_many_channels_as_the_file_has_are_kept(tmp_path):
    inks = greys(size=(*SIZE, 4))
    path = save(tmp_path / "a.tif", Image.fromarray(inks, "CMYK"))
    np.testing.assert_allclose(read_image(path, 4), inks.transpose(2, 0, 1) / 255, rtol=1e-6)
    with pytest.raises(InputError, match=r"a\.tif: has 4 channel\(s\), not 2; set channels=4"):
        read_image(path, 2)


def test_floats_from_0_to_1_are_taken_as_they_are(tmp_path):
    values = np.random.default_rng(0).random(SIZE, np.float32)
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.tif", values)), values[None])


@pytest.mark.parametrize("odd", [-0.5, 1.5])
def test_other_floats_are_refused(tmp_path, odd):
    path = save(tmp_path / "a.tif", np.array([[0.5, odd]], np.float32))
    with pytest.raises(InputError, match=r"a\.tif: holds float32 from .* black and white are unknown; save it with 8"):
        read_image(path)


def test_integers_of_32_bit_are_refused(tmp_path):
    path = save(tmp_path / "a.tif", np.array([[0, 70000]], np.int32))
    with pytest.raises(InputError, match=r"a\.tif: holds int32 from 0 to 70000, .* save it with 8 or 16 bit"):
        read_image(path)


def test_an_image_is_turned_as_a_viewer_shows_it(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = read_image(save(tmp_path / "a.png", greys(), exif=exif))
    np.testing.assert_allclose(image, np.rot90(greys(), -1)[None] / 255, rtol=1e-6)


def test_jpeg_images_are_read(root):
    save(root / "images/c.JPG", np.full(SIZE, 100, np.uint8))
    save(root / "masks/c.png", labels())
    assert SegmentationFolder(root)[2][0].mean() == pytest.approx(100 / 255, abs=0.01)


@pytest.mark.parametrize("foreground", [1, 128, 255])
def test_foreground_is_the_one_value_that_is_not_0(tmp_path, foreground):
    mask = read_mask(save(tmp_path / "a.png", labels(values=(0, foreground))))
    np.testing.assert_array_equal(mask, labels()[None] == 255)


def test_masks_of_several_classes_need_not_hold_all_of_them(root):
    save(root / "masks/a.png", labels(values=(0, 1)))
    save(root / "masks/b.png", labels(values=(1, 2)))
    dataset = SegmentationFolder(root, num_classes=3)
    np.testing.assert_array_equal(dataset[1][1], labels(values=(1, 2))[None])


@pytest.mark.parametrize("value", [0, 255])
def test_a_mask_may_be_all_one_class(root, value):
    save(root / "masks/a.png", np.full(SIZE, value, np.uint8))
    assert SegmentationFolder(root)[0][1].unique().tolist() == [value // 255]


def test_16_bit_masks_keep_their_values(tmp_path):
    binary = labels().astype(np.uint16) * 257
    np.testing.assert_array_equal(read_mask(save(tmp_path / "a.png", binary)), labels()[None] == 255)
    classes = labels(values=(0, 1, 2, 255))
    path = save(tmp_path / "b.tif", classes.astype(np.uint16))
    np.testing.assert_array_equal(read_mask(path, num_classes=3), classes[None])
    with pytest.raises(InputError, match=r"c\.png: holds 3 distinct values \(0, 300, 600\)"):
        read_mask(save(tmp_path / "c.png", np.array([[0, 300, 600]], np.uint16)))


@pytest.mark.parametrize(
    ("palette", "foreground"), [([255, 255, 255, 0, 0, 0], 0), ([0, 0, 0, 128, 0, 0], 1), ([0, 0, 255, 0, 0, 0], 0)]
)
def test_black_is_background_in_binary_masks_whatever_its_index(tmp_path, palette, foreground):
    indices = labels(values=(0, 1))
    picture = Image.fromarray(indices)
    picture.putpalette(palette)
    path = save(tmp_path / "a.png", picture)
    assert Image.open(path).mode == "P"
    np.testing.assert_array_equal(read_mask(path), indices[None] == foreground)
    np.testing.assert_array_equal(read_mask(path, num_classes=2), indices[None])


def test_one_bit_and_8_bit_masks_share_white(root):
    save(root / "masks/a.png", labels() == 255)
    assert len(SegmentationFolder(root)) == 2


def test_a_grey_mask_saved_as_colour_is_read(tmp_path):
    path = save(tmp_path / "a.png", np.stack([labels()] * 3 + [greys()], axis=-1))
    np.testing.assert_array_equal(read_mask(path), labels()[None] == 255)
    path = save(tmp_path / "b.png", np.stack([labels(values=(0, 1, 2))] * 3, axis=-1))
    np.testing.assert_array_equal(read_mask(path, num_classes=3), labels(values=(0, 1, 2))[None])


# What is refused


def test_a_missing_root_is_one_fault(tmp_path):
    assert only_fault(tmp_path / "no").endswith(
        "no: there is no such folder; give the one that holds images/ and masks/"
    )


@pytest.mark.parametrize("part", ["images", "masks"])
def test_a_missing_part_is_one_fault(root, part):
    (root / part).rename(root / "elsewhere")
    assert only_fault(root) == f"{part}: there is no such folder; the data is images/NAME.* with masks/NAME.*"


def test_empty_folders_are_faults(root):
    for path in root.glob("*/*.png"):
        path.unlink()
    images, masks = faults(root)
    assert images.startswith("images: holds no PNG, TIFF or JPEG file; put NAME.png there")
    assert masks.startswith("masks: holds no PNG, TIFF or JPEG file")


def test_an_image_without_a_mask_is_named(root):
    (root / "masks/b.png").unlink()
    assert only_fault(root).startswith("images/b.png: has no partner masks/b.*; add or rename that file")


def test_a_mask_without_an_image_is_named(root):
    (root / "images/b.png").unlink()
    assert only_fault(root).startswith("masks/b.png: has no partner images/b.*; add or rename that file")


@pytest.mark.parametrize("part", ["images", "masks"])
def test_two_files_of_one_name_are_a_fault(root, part):
    save(root / part / "a.tif", labels())
    assert only_fault(root) == f"{part}/a.tif: has the name of a.png; keep one of the two"


def test_a_slice_and_a_file_of_one_name_are_a_fault(root):
    for part in ("images", "masks"):
        save(root / part / "c.tif", labels(), labels())
        save(root / part / "c_001.png", labels())
    assert only_fault(root) == "images/c_001.png: c_001 is also a slice of c.tif; rename one of them"


@pytest.mark.parametrize("part", ["images", "masks"])
def test_a_truncated_file_is_found(root, part):
    path = save(root / part / "a.png", labels(size=(64, 64)))
    path.write_bytes(path.read_bytes()[:-200])
    assert only_fault(root).startswith(f"{part}/a.png: cannot be read (")
    assert only_fault(root).endswith("; copy it anew from where it came")


@pytest.mark.parametrize("part", ["images", "masks"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file (0 bytes); copy it anew"),
        (b"text, whatever its name says", "text; copy the image itself anew"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer to one; run: git lfs pull"),
        (b"\n<!DOCTYPE html><html>Not found</html>", "a web page (HTML); download the image itself"),
    ],
)
@pytest.mark.parametrize("name", ["a.png", "a.TIF", "a.jpeg"])
def test_a_file_that_is_no_image_is_found(root, part, content, words, name):
    if part == "masks" and name == "a.jpeg":
        name = "a.tiff"
    (root / part / "a.png").unlink()
    (root / part / name).write_bytes(content)
    assert only_fault(root).startswith(f"{part}/{name}: is no image but {words}")


def test_another_size_is_a_fault(root):
    save(root / "masks/a.png", labels(size=SIZE[::-1]))
    assert only_fault(root).startswith("masks/a.png: height and width are (8, 6), those of its image (6, 8); find")


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_jpeg_mask_is_a_fault_whatever_its_name(root, name):
    (root / "masks/a.png").unlink()
    save(root / "masks" / name, np.zeros(SIZE, np.uint8), format="JPEG")
    assert only_fault(root).startswith(f"masks/{name}: is JPEG, which blurs labels; export the mask anew as PNG")


def test_a_binary_mask_with_many_values_is_a_fault_with_its_likely_cause(root):
    save(root / "masks/a.png", (np.arange(48).reshape(SIZE) + 9).astype(np.uint8))
    fault = only_fault(root)
    assert fault.startswith("masks/a.png: holds 48 distinct values (9, 10, 11, 12, 13 … 56), but a binary mask holds 0")
    assert "resampling or JPEG compression: threshold the mask, or set num_classes" in fault


def test_a_binary_mask_without_0_but_two_values_is_a_fault(root):
    save(root / "masks/a.png", labels(values=(1, 255)))
    assert "2 distinct values (1, 255)" in only_fault(root)


@pytest.mark.parametrize(("usual", "odd"), [(255, 1), (1, 255)])
def test_masks_of_one_folder_share_their_foreground_value(root, usual, odd):
    for name, values in {"a": (0, odd), "b": (0, usual), "c": (0, 0), "d": (0, usual)}.items():
        save(root / f"images/{name}.png", greys())
        save(root / f"masks/{name}.png", labels(values=values))
    assert only_fault(root).startswith(
        f"masks/a.png: the foreground is {odd}, but {usual} in most masks; use one value"
    )


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_label_beyond_the_classes_is_a_fault(root, num_classes):
    save(root / "masks/a.png", labels(values=(0, num_classes, 255)))
    save(root / "masks/b.png", labels(values=(0, num_classes - 1, 255)))
    assert only_fault(root, num_classes=num_classes) == (
        f"masks/a.png: holds {num_classes}, but {num_classes} classes are 0 … {num_classes - 1}, with 255 for ignored "
        "pixels; relabel the mask, or set num_classes"
    )


@pytest.mark.parametrize("num_classes", [1, 3])
def test_a_coloured_mask_is_a_fault(root, num_classes):
    save(root / "masks/a.png", labels(values=(0, 1), size=(*SIZE, 3)))
    save(root / "masks/b.png", np.zeros(SIZE, np.uint8))
    assert only_fault(root, num_classes=num_classes).startswith("masks/a.png: is coloured; save a grey or palette PNG")


def test_a_mask_stack_with_fewer_pages_is_a_fault(root):
    save(root / "images/c.tif", greys(), greys(), greys())
    save(root / "masks/c.tif", labels(), labels())
    assert only_fault(root) == "masks/c.tif: has 2 page(s), its image 3; give every slice its mask"


def test_a_fault_in_a_stack_names_the_page(root):
    save(root / "images/c.tif", greys(), greys())
    save(root / "masks/c.tif", labels(), greys())
    assert only_fault(root).startswith("masks/c.tif, page 1: holds ")


def test_a_broken_image_stack_is_not_taken_for_a_short_one(root):
    save(root / "images/c.tif", greys(), greys()).write_bytes(b"II")
    save(root / "masks/c.tif", labels(), labels())
    assert only_fault(root).startswith("images/c.tif: is no image")


def test_other_files_are_faults_only_where_they_may_be_data(root):
    for name in (".hidden", "._a.png", "Thumbs.db", "desktop.ini", "a.txt"):
        (root / "images" / name).write_text("x")
    (root / "images/folder.png").mkdir()
    (root / "notes.md").write_text("x")
    assert SegmentationFolder(root).names == ("a", "b")
    (root / "images/c.npy").write_text("x")
    assert (
        only_fault(root) == "images/c.npy: is neither PNG, TIFF nor JPEG; convert it to PNG, or move it out of images/"
    )


def test_all_faults_are_told_at_once(root):
    (root / "images/a.png").write_bytes(b"")
    save(root / "masks/a.png", greys())
    save(root / "images/alone.png", greys())
    save(root / "masks/b.png", labels(size=(3, 3)))
    assert sorted(fault.split(":")[0] for fault in faults(root)) == [
        "images/a.png",
        "images/alone.png",
        "masks/a.png",
        "masks/b.png",
    ]


def test_a_long_list_says_how_much_it_leaves_out(root):
    for number in range(30):
        save(root / f"images/alone_{number}.png", greys())
    with pytest.raises(FolderError) as caught:
        SegmentationFolder(root)
    assert len(caught.value.faults) == 30
    lines = str(caught.value).split("\n  ")
    assert lines[0] == f"{root}: 30 fault(s)"
    assert lines[1:-1] == list(caught.value.faults[:20])
    assert lines[-1] == "… and 10 more of these 30 faults"


def test_a_folder_error_survives_the_way_from_a_worker_process(root):
    error = pickle.loads(pickle.dumps(FolderError(root, ["images/a.png: is gone"])))
    assert error.faults == ("images/a.png: is gone",)
    assert str(error) == f"{root}: 1 fault(s)\n  images/a.png: is gone"


@pytest.mark.parametrize("options", [{"channels": 0}, {"num_classes": 0}, {"num_classes": 256}])
def test_counts_out_of_range_are_refused(root, options):
    with pytest.raises(InputError, match=r"give at least 1 channel and 1 \(binary\) to 255 classes"):
        SegmentationFolder(root, **options)


def test_a_page_that_is_not_there_is_named(tmp_path):
    path = save(tmp_path / "a.tif", greys(), greys())
    with pytest.raises(InputError, match=r"a\.tif, page 2: cannot be read"):
        read_image(path, page=2)
