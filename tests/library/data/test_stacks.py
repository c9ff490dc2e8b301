"""What belongs together stays on one side of a split: pages of a file, slices of a stack, images of an animal."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from unetpp_lib.data import (
    SegmentationFolder,
    find_stacks,
    read_split,
    split_by_group,
    split_by_image,
    split_in_blocks,
    write_split,
)
from unetpp_lib.engine import TrainConfig
from unetpp_lib.engine.runs import choose_split
from unetpp_lib.errors import InputError

PARTS = ("train", "validation", "test")


def noise(pages: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (pages, 24, 24)).astype(np.uint8)


def drifting(pages: int, seed: int) -> np.ndarray:
    """Slices of a stack: smooth blobs that move by a pixel from one slice to the next."""
    coarse = np.random.default_rng(seed).random((40, 40))
    blobs = np.kron(coarse, np.ones((4, 4)))
    return np.stack([255 * blobs[k : k + 64, 2 * k : 2 * k + 64] for k in range(pages)]).astype(np.uint8)


def write_folder(root: Path, **images: np.ndarray) -> SegmentationFolder:
    """A folder with a TIFF of one or more pages for each name."""
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for name, pages in images.items():
        tifffile.imwrite(root / "images" / f"{name}.tif", pages.squeeze(), photometric="minisblack")
        mask = np.where(pages > 127, 255, 0).astype(np.uint8)
        tifffile.imwrite(root / "masks" / f"{name}.tif", mask.squeeze(), photometric="minisblack")
    return SegmentationFolder(root)


def single(slices: np.ndarray, prefix: str = "s") -> dict[str, np.ndarray]:
    return {f"{prefix}{k:02}": one[None] for k, one in enumerate(slices)}


def is_a_run(names: tuple[str, ...]) -> bool:
    numbers = [int(name[-2:]) for name in names]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def files_of(names: tuple[str, ...]) -> set[str]:
    return {name.rsplit("_", 1)[0] for name in names}


def test_the_pages_of_one_file_are_split_in_blocks(tmp_path):
    split = choose_split(write_folder(tmp_path / "own", vol=noise(30, 0)), TrainConfig())
    assert [len(getattr(split, part)) for part in PARTS] == [22, 4, 4]
    assert is_a_run(split.validation)
    assert is_a_run(split.test)
    assert str(split) == (
        "Split: train 22 (73%), validation 4 (13%), test 4 (13%). "
        "In blocks of neighbouring slices: the pages of one file are one stack."
    )


@pytest.mark.parametrize("seed", range(5))
def test_three_files_or_more_are_never_cut(tmp_path, seed):
    folder = write_folder(tmp_path / "own", **{name: noise(10, k) for k, name in enumerate("abcde")})
    split = choose_split(folder, TrainConfig(seed=seed))
    parts = [files_of(getattr(split, part)) for part in PARTS]
    assert [len(part) for part in parts] == [3, 1, 1]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert "By whole stacks, of which there are 5" in split.how
    assert "Asked for were validation 15% and test 15%" in split.how


def test_of_two_files_each_is_split_in_blocks_of_its_own(tmp_path):
    split = choose_split(write_folder(tmp_path / "own", a=noise(20, 0), b=noise(10, 1)), TrainConfig())
    for part in (split.validation, split.test):
        assert files_of(part) == {"a", "b"}
        for file in ("a", "b"):
            assert is_a_run(tuple(name for name in part if name.startswith(file)))


def test_a_file_too_short_for_blocks_is_trained_on(tmp_path):
    split = choose_split(write_folder(tmp_path / "own", a=noise(20, 0), b=noise(2, 1)), TrainConfig())
    assert {"b_000", "b_001"} <= set(split.train)
    split = split_in_blocks({"a": ["a_0", "a_1"], "b": ["b_0", "b_1"]}, 0.25, 0.25, seed=0)
    assert [len(getattr(split, part)) for part in PARTS] == [2, 1, 1]


def test_a_split_that_is_asked_for_is_made(tmp_path):
    folder = write_folder(tmp_path / "own", **{name: noise(10, k) for k, name in enumerate("abc")})
    at_random = choose_split(folder, TrainConfig(split="random"))
    assert at_random == split_by_image(folder.names)
    assert at_random.how == "At random, image by image."
    blocked = choose_split(folder, TrainConfig(split="blocked"))
    assert files_of(blocked.test) == {"a", "b", "c"}
    assert "Asked for" in blocked.how  # 2 of 10 is the nearest


def test_a_renamed_stack_of_single_files_is_known_by_its_neighbours(tmp_path):
    folder = write_folder(tmp_path / "renamed", **single(drifting(20, 0)))
    assert find_stacks(folder)[0].keys() == {"s"}
    split = choose_split(folder, TrainConfig())
    assert split == split_by_image(folder.names, blocked=True)
    assert "neighbours look alike (their correlation is 0." in split.how


def test_several_stacks_of_single_files_are_told_apart_by_their_names(tmp_path):
    stacks = {name: slices for k in range(3) for name, slices in single(drifting(8, k), f"animal{k}_").items()}
    split = choose_split(write_folder(tmp_path / "own", **stacks), TrainConfig())
    assert [len(files_of(getattr(split, part))) for part in PARTS] == [1, 1, 1]


def test_numbered_images_that_do_not_look_alike_are_split_at_random(tmp_path, tiny_set):
    folder = write_folder(tmp_path / "own", **single(noise(20, 0)))
    for one in (folder, SegmentationFolder(tiny_set)):
        assert find_stacks(one) == ({}, "")
        assert choose_split(one, TrainConfig()) == split_by_image(one.names)


def test_what_all_images_share_does_not_make_them_a_stack(tmp_path):
    vignette = np.linspace(0, 120, 24, dtype=np.uint8)[None, :, None]
    folder = write_folder(tmp_path / "own", **single(noise(20, 0) // 2 + vignette))
    assert find_stacks(folder) == ({}, "")


@pytest.mark.parametrize("pattern", [r"mouse\d", r"^(mouse\d+)_", r"\d"])
def test_a_group_is_never_divided(tmp_path, pattern):
    folder = write_folder(tmp_path / "own", **{f"mouse{k // 3}_{k % 3}": noise(1, k) for k in range(12)})
    for seed in range(5):
        split = choose_split(folder, TrainConfig(group=pattern, seed=seed))
        animals = [files_of(getattr(split, part)) for part in PARTS]
        assert [len(part) for part in animals] == [2, 1, 1]
        assert len(set.union(*animals)) == 4
    assert "By group, of which there are 4." in split.how


def test_pages_of_a_file_stay_together_whatever_the_pattern_finds(tmp_path):
    folder = write_folder(tmp_path / "own", **{f"stack{k}": noise(4, k) for k in range(4)})
    split = choose_split(folder, TrainConfig(group=r"\d"))
    assert [len(files_of(getattr(split, part))) for part in PARTS] == [2, 1, 1]


def test_a_group_comes_before_the_sets_own_split(tmp_path):
    folder = write_folder(tmp_path / "own", **{f"m{k // 2}_{k}": noise(1, k) for k in range(8)})
    (tmp_path / "own" / "split.json").write_text('{"train": ["m0_0"], "validation": [], "test": []}')
    assert choose_split(folder, TrainConfig()).train == ("m0_0",)
    assert choose_split(folder, TrainConfig()).how == "As own/split.json says."
    assert len(choose_split(folder, TrainConfig(group=r"m\d")).train) == 4


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("mouse9", "group is 'mouse9', which finds nothing in mouse0_0"),
        (r"\d*x?", r"which finds nothing in mouse0_0"),
        (
            "mouse",
            r"1 group\(s\), mouse, cannot be divided into 3 parts without cutting one: bring more groups, or set",
        ),
        ("^(x)?mouse", "which finds nothing in mouse0_0"),
    ],
)
def test_a_pattern_that_makes_no_groups_is_named(tmp_path, pattern, message):
    folder = write_folder(tmp_path / "own", **{f"mouse{k // 3}_{k % 3}": noise(1, k) for k in range(12)})
    with pytest.raises(InputError, match=message):
        choose_split(folder, TrainConfig(group=pattern))


def test_two_groups_are_enough_without_a_test_part():
    split = split_by_group({"a": ["a1", "a2"], "b": ["b1"]}, 0.2, 0, seed=0)
    assert (split.train, split.validation, split.test) == (("a1", "a2"), ("b1",), ())


def test_small_groups_leave_enough_for_the_parts_to_come():
    split = split_by_group({"a": ["a1"], "b": ["b1"], "c": [f"c{k}" for k in range(28)]}, 0.3, 0.4, seed=0)
    assert [len(getattr(split, part)) for part in PARTS] == [28, 1, 1]


sizes = st.lists(st.integers(1, 30), min_size=3, max_size=12)


@given(sizes, st.integers(0, 99), st.sampled_from([0.1, 0.15, 0.3]), st.sampled_from([0.0, 0.15, 0.4]))
def test_groups_stay_whole_no_part_is_empty_and_shares_are_met_to_half_a_group(sizes, seed, validation, test):
    groups = {f"g{k}": [f"g{k}_{i}" for i in range(size)] for k, size in enumerate(sizes)}
    split = split_by_group(groups, validation, test, seed)
    parts = [files_of(getattr(split, part)) for part in PARTS]
    assert sorted(name for part in parts for name in part) == sorted(groups)
    assert [bool(part) for part in parts] == [True, True, test > 0]
    if max(sizes) == min(sizes) and len(sizes) * (1 - validation - test) > 1.5:
        for part, share in zip(parts[1:], (validation, test), strict=True):
            assert abs(len(part) - share * len(sizes)) <= 0.5 or len(part) == 1


def test_how_a_split_was_made_is_kept_with_it(tmp_path):
    split = choose_split(write_folder(tmp_path / "own", vol=noise(30, 0)), TrainConfig())
    write_split(split, tmp_path / "split.json")
    assert read_split(tmp_path / "split.json").how == split.how


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "("}, r"group is '\(', which is no regular expression"),
        ({"group": "a", "split": "random"}, 'group is \'a\' and split is "random"; groups need split="auto"'),
    ],
)
def test_groups_that_cannot_be_made_are_refused_at_once(options, message):
    with pytest.raises(InputError, match=message):
        TrainConfig(**options)


def test_a_known_stack_is_split_as_before(tmp_path):
    root = tmp_path / "isbi2012"
    write_folder(root, **single(noise(30, 0), ""))
    folder = SegmentationFolder(root)
    assert choose_split(folder, TrainConfig()) == split_by_image(folder.names, blocked=True)
