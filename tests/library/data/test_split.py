import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unetpp_lib.data import Split, read_split, split_by_image, write_split
from unetpp_lib.errors import InputError

SLICES = [f"slice_{number}" for number in range(30)]

names = st.lists(st.text(max_size=6), unique=True, min_size=3, max_size=50)
shares = st.floats(0, 0.3)
seeds = st.integers(0, 2**31)


@given(names, shares, shares, seeds, st.booleans())
def test_every_image_stands_in_exactly_one_part(names, validation, test, seed, blocked):
    split = split_by_image(names, validation, test, seed, blocked)
    assert sorted(split.train + split.validation + split.test) == sorted(names)


@given(names, shares, shares, seeds, st.booleans())
def test_parts_have_the_sizes_that_were_asked_for(names, validation, test, seed, blocked):
    split = split_by_image(names, validation, test, seed, blocked)
    for part, share in ((split.validation, validation), (split.test, test)):
        assert abs(len(part) - share * len(names)) <= (0.5 if share * len(names) >= 0.5 else 1)
        assert bool(part) == (share > 0)
    assert split.train


@given(names, seeds, st.booleans(), st.randoms())
def test_a_split_does_not_depend_on_the_order_of_the_names(names, seed, blocked, random):
    shuffled = random.sample(names, len(names))
    assert split_by_image(names, seed=seed, blocked=blocked) == split_by_image(shuffled, seed=seed, blocked=blocked)


def test_numbers_that_differ_in_zeros_alone_have_an_order():
    names = ["a7", "a07", "a007"]
    assert split_by_image(names, blocked=True) == split_by_image(names[::-1], blocked=True)


@given(seeds)
def test_blocked_parts_are_runs_of_neighbouring_slices(seed):
    split = split_by_image(reversed(SLICES), 0.2, 0.1, seed, blocked=True)
    for part, length in ((split.validation, 6), (split.test, 3)):
        first = SLICES.index(part[0])
        assert part == tuple(SLICES[first : first + length])


@pytest.mark.parametrize("blocked", [False, True])
def test_another_seed_gives_another_split(blocked):
    splits = {split_by_image(SLICES, seed=seed, blocked=blocked) for seed in range(200)}
    assert len(splits) == (30 - 4 - 4 + 1 if blocked else 200)


def test_a_seed_gives_the_same_split_on_every_machine():
    split = split_by_image(SLICES[:6], seed=3)
    assert (split.validation, split.test) == (("slice_0",), ("slice_2",))


def test_unblocked_parts_are_not_runs():
    assert split_by_image(SLICES).validation != split_by_image(SLICES, blocked=True).validation
    numbers = [SLICES.index(name) for name in split_by_image(SLICES).validation]
    assert max(numbers) - min(numbers) >= len(numbers)


def test_three_images_make_three_parts():
    split = split_by_image(["a", "b", "c"])
    assert [len(part) for part in (split.train, split.validation, split.test)] == [1, 1, 1]


@pytest.mark.parametrize("few", [[], ["a"], ["a", "b"]])
def test_too_few_images_are_refused_with_a_remedy(few):
    with pytest.raises(InputError, match=rf"{len(few)} image\(s\) do not reach .* add images, or set a share to 0"):
        split_by_image(few)


def test_two_images_do_without_a_test_part():
    split = split_by_image(["a", "b"], test=0)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [1, 1, 0]


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0.1), (0.1, -0.1), (0.5, 0.5), (float("nan"), 0.1)])
def test_shares_out_of_range_are_refused(validation, test):
    with pytest.raises(InputError, match=f"validation={validation} and test={test} .* less than 1 together"):
        split_by_image(SLICES, validation, test)


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(InputError, match=r"repeats of b$"):
        split_by_image(["a", "b", "c", "b"])


def test_an_image_in_two_parts_is_no_split():
    with pytest.raises(InputError, match=r"repeats of a$"):
        Split(train=("a", "b"), validation=("a",), test=())


def test_a_split_read_back_is_the_split_written(tmp_path):
    split = split_by_image([*SLICES, "Zellgröße"])
    write_split(split, tmp_path / "split.json")
    assert read_split(tmp_path / "split.json") == split
    assert list(tmp_path.iterdir()) == [tmp_path / "split.json"]
    assert json.loads((tmp_path / "split.json").read_text(encoding="utf-8"))["test"] == list(split.test)


def test_a_write_that_fails_leaves_the_old_split(tmp_path, monkeypatch):
    path = tmp_path / "split.json"
    write_split(old := split_by_image(SLICES), path)

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(InputError, match=r"split\.json cannot be written: No space left on device"):
        write_split(split_by_image(SLICES, seed=1), path)
    assert read_split(path) == old
    assert [file.name for file in tmp_path.iterdir()] == ["split.json"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"train": ["a"', "Expecting"),
        ('["a", "b"]', "keys train, validation, test"),
        ('{"train": ["a"], "validation": []}', "keys train, validation, test"),
        ('{"train": ["a"], "validation": [], "test": [], "holdout": []}', "and no others"),
        ('{"train": "abc", "validation": [], "test": []}', "train must be a list"),
        ('{"train": ["a"], "validation": [1], "test": []}', "validation must be a list"),
        ('{"train": ["a"], "validation": ["a"], "test": []}', "repeats of a"),
    ],
)
def test_a_file_that_is_no_split_is_named_and_explained(tmp_path, text, reason):
    path = tmp_path / "split.json"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"split\.json is not a split that can be read: .*{reason}.*; mend it"):
        read_split(path)


def test_a_split_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"split\.json is not a split .* No such file"):
        read_split(tmp_path / "split.json")
