"""Which patches make a batch follows from seed and step alone."""

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine.batches import BatchPlan, Patches, channel_statistics, derived_seed, load_batches, plan_epoch
from unetpp_lib.errors import InputError


@pytest.fixture
def patches(tiny_set):
    return Patches(SegmentationFolder(tiny_set), [0, 3, 7, 8, 9], patch=16)


def test_an_epoch_gives_each_image_as_many_patches_as_its_area_holds():
    places = sum(plan_epoch([(64, 64), (64, 32), (8, 8)], patch=32, batch_size=1, seed=0), [])
    assert sorted(image for image, _, _ in places) == [0, 0, 0, 0, 1, 1, 2]


def test_patches_lie_inside_their_image_and_reach_its_borders():
    places = [p for seed in range(40) for p in sum(plan_epoch([(40, 50)], 16, 1, seed), [])]
    tops, lefts = {top for _, top, _ in places}, {left for _, _, left in places}
    assert (min(tops), max(tops), min(lefts), max(lefts)) == (0, 24, 0, 34)


def test_a_plan_that_goes_on_from_a_step_is_the_rest_of_the_plan(patches):
    plan = BatchPlan(patches, batch_size=4, epochs=3, seed=1)
    whole = list(plan)
    assert len(whole) == len(plan) == 3 * (5 * 9 // 4)
    for step in (1, 11, 12, 32):
        plan.first_step = step
        assert list(plan) == whole[step:]


def test_epochs_and_seeds_differ(patches):
    plan = BatchPlan(patches, 4, 2, seed=1)
    whole = list(plan)
    assert whole[:11] != whole[11:]
    assert list(BatchPlan(patches, 4, 2, seed=2)) != whole


def test_the_ranks_share_the_global_batch(patches):
    whole = list(BatchPlan(patches, 4, 2, seed=1))
    ranks = [list(BatchPlan(patches, 4, 2, 1, rank, 2)) for rank in (0, 1)]
    for batch, first, second in zip(whole, *ranks, strict=True):
        assert sorted(first + second) == sorted(batch)
        assert len(first) == len(second) == 2


def test_a_batch_that_the_processes_cannot_share_is_refused(patches):
    with pytest.raises(InputError, match="batch_size is 4; 3 processes need a multiple of 3"):
        BatchPlan(patches, 4, 1, 0, 0, 3)


def test_a_patch_is_the_same_place_of_image_and_mask(patches):
    image, mask = patches.folder[3]
    patch, label = patches[1, 5, 20]
    assert torch.equal(patch, image[:, 5:21, 20:36])
    assert torch.equal(label, mask[:, 5:21, 20:36])


def test_an_image_smaller_than_the_patch_is_mirrored(tiny_set):
    folder = SegmentationFolder(tiny_set)
    image, mask = folder[0]
    patch, label = Patches(folder, [0], patch=64)[0, 0, 0]
    for big, small in ((patch, image), (label, mask)):
        expected = np.pad(small.numpy(), ((0, 0), (0, 16), (0, 16)), mode="reflect")
        np.testing.assert_array_equal(big.numpy(), expected)


@pytest.mark.parametrize(("room", "times"), [(100, 2), (2**30, 1)], ids=["large", "small"])
def test_a_large_set_is_read_again_and_a_small_one_kept(tiny_set, monkeypatch, room, times):
    monkeypatch.setattr("unetpp_lib.engine.batches.CACHE_BYTES", room)
    read, asked = SegmentationFolder.__getitem__, []

    def noted(folder, index):
        asked.append(index)
        return read(folder, index)

    monkeypatch.setattr(SegmentationFolder, "__getitem__", noted)
    patches = Patches(SegmentationFolder(tiny_set), [3, 4], patch=16)
    first, second = patches[0, 0, 0], patches[0, 0, 0]
    assert torch.equal(first[0], second[0])
    assert asked == [3] * times


@pytest.mark.parametrize(("workers", "kept"), [(0, True), (1, True), (2, True), (3, False)])
def test_what_stays_in_memory_is_counted_for_all_workers_together(tiny_set, monkeypatch, workers, kept):
    bytes_of_two = 2 * 48 * 48 * (4 + 1)  # images of float32, masks of uint8
    monkeypatch.setattr("unetpp_lib.engine.batches.CACHE_BYTES", 2 * bytes_of_two)
    patches = Patches(SegmentationFolder(tiny_set), [0, 1], patch=16)
    load_batches(patches, BatchPlan(patches, 2, 1, seed=1), workers, pin=False)
    _ = patches[0, 0, 0]
    assert list(patches._cache) == ([0] if kept else [])


@pytest.mark.slow
def test_processes_that_read_give_the_same_batches(patches):
    plan = BatchPlan(patches, 4, 1, seed=1)
    alone = list(load_batches(patches, plan, workers=0, pin=False))
    several = list(load_batches(patches, plan, workers=2, pin=False))
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(alone, several, strict=True))


def test_statistics_are_those_of_all_pixels_of_the_chosen_images(tmp_path):
    random = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    pictures = [random.integers(0, 255, (size, 20, 3), dtype=np.uint8) for size in (10, 30, 20)]
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "images" / f"{i}.png")
        Image.fromarray(picture[..., 0] // 128).save(tmp_path / "masks" / f"{i}.png")
    mean, std = channel_statistics(SegmentationFolder(tmp_path, channels=3), [0, 1])
    pixels = np.concatenate([p.reshape(-1, 3) for p in pictures[:2]]) / 255
    np.testing.assert_allclose(mean, pixels.mean(0), rtol=1e-6)
    np.testing.assert_allclose(std, pixels.std(0), rtol=1e-6)


def test_derived_seeds_differ_in_every_number():
    seeds = {derived_seed(a, b, c) for a in range(5) for b in range(5) for c in range(5)}
    assert len(seeds) == 125
    assert all(0 <= seed < 2**63 for seed in seeds)
