import itertools

import numpy as np
import pytest
import torch

from unetpp_lib.data import Augmentation, elastic_field, warp
from unetpp_lib.errors import InputError

OFF = {"flips": False, "turns": False, "elastic_sigma": 0, "brightness": 0, "contrast": 0, "noise": 0}
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def seeded(seed=0, device="cpu"):
    return torch.Generator(device).manual_seed(seed)


def batch(size=4, height=32, width=32):
    """Noise images, and masks with the values 0, 1 and 255."""
    generator = seeded()
    images = torch.randn(size, 2, height, width, generator=generator)
    labels = torch.randint(3, (size, 1, height, width), generator=generator)
    return images, torch.tensor([0, 1, 255], dtype=torch.uint8)[labels]


def numbered(count, height, width):
    """A batch of one image many times, every pixel with a value of its own, as image and as mask."""
    pixels = torch.arange(height * width, dtype=torch.float32).reshape(1, 1, height, width).repeat(count, 1, 1, 1)
    return pixels, pixels.to(torch.uint8)


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_seed_gives_the_same_batch(device):
    images, masks = (part.to(device) for part in batch())
    first, second = (Augmentation()(images, masks, seeded(5, device)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert first[0].device == images.device
    assert not torch.equal(first[0], Augmentation()(images, masks, seeded(6, device))[0])


def test_the_global_random_state_is_neither_read_nor_moved():
    images, masks = batch()
    torch.manual_seed(1)
    first = Augmentation()(images, masks, seeded())
    assert torch.equal(torch.rand(1), torch.rand(1, generator=seeded(1)))
    assert torch.equal(first[0], Augmentation()(images, masks, seeded())[0])


@pytest.mark.parametrize("switches", [{}, {"elastic_sigma": 0, "flips": False, "turns": False}])
def test_arguments_stay_as_they_are(switches):
    images, masks = batch()
    before = images.clone(), masks.clone()
    Augmentation(**switches)(images, masks, seeded())
    assert torch.equal(images, before[0])
    assert torch.equal(masks, before[1])


def test_shapes_and_types_stay():
    images, masks = batch(3, 24, 40)
    new_images, new_masks = Augmentation()(images, masks, seeded())
    assert (new_images.shape, new_images.dtype) == (images.shape, torch.float32)
    assert (new_masks.shape, new_masks.dtype) == (masks.shape, torch.uint8)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.uint64, torch.int16, torch.int32, torch.int64])
def test_masks_of_any_integer_type_are_changed_alike(dtype):
    images, masks = batch()
    expected = Augmentation()(images, masks, seeded())[1]
    changed = Augmentation()(images, masks.to(dtype), seeded())[1]
    assert changed.dtype == dtype
    assert torch.equal(changed.long(), expected.long())


def test_masks_hold_only_the_values_that_they_had():
    images, masks = batch(8, 48, 48)
    _, moved = Augmentation()(images, masks, seeded())
    assert moved.unique().tolist() == [0, 1, 255]
    _, moved = Augmentation()(images, masks.clamp(max=1), seeded())
    assert moved.unique().tolist() == [0, 1]


def test_all_off_changes_nothing():
    images, masks = batch()
    new_images, new_masks = Augmentation(**OFF)(images, masks, seeded())
    assert torch.equal(new_images, images)
    assert torch.equal(new_masks, masks)


@pytest.mark.parametrize(
    ("on", "moves_mask"),
    [
        ({"flips": True}, True),
        ({"turns": True}, True),
        ({"elastic_sigma": 5.0}, True),
        ({"brightness": 0.2}, False),
        ({"contrast": 0.2}, False),
        ({"noise": 0.2}, False),
    ],
)
def test_each_change_works_by_itself_and_each_image_gets_its_own_draw(on, moves_mask):
    images, masks = (part[:1].repeat(8, 1, 1, 1) for part in batch())
    new_images, new_masks = Augmentation(**{**OFF, **on})(images, masks, seeded())
    assert len(new_images.unique(dim=0)) >= (2 if on == {"flips": True} or on == {"turns": True} else 8)
    assert (len(new_masks.unique(dim=0)) > 1) == moves_mask
    assert moves_mask or torch.equal(new_masks, masks)


SYMMETRIES = {
    (quarter, mirrored): np.rot90(square := np.arange(16).reshape(4, 4), quarter)[:, :: -1 if mirrored else 1].tobytes()
    for quarter, mirrored in itertools.product(range(4), [False, True])
}


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({"flips": True, "turns": True}, set(SYMMETRIES)),
        ({"turns": True}, {(0, False), (1, False), (2, False), (3, False)}),
        ({"flips": True}, {(0, False), (0, True), (2, False), (2, True)}),
    ],
)
def test_flips_and_turns_are_symmetries_of_the_square_equally_often(switches, expected):
    pixels, masks = numbered(800, 4, 4)
    images, masks = Augmentation(**{**OFF, **switches})(pixels, masks, seeded())
    seen = [image.numpy().astype(np.int64).tobytes() for image in images]
    counts = {key: seen.count(symmetry) for key, symmetry in SYMMETRIES.items() if symmetry in seen}
    assert set(counts) == expected
    assert sum(counts.values()) == 800
    assert min(counts.values()) > 0.7 * 800 / len(expected)
    assert torch.equal(images, masks.float())


@pytest.mark.parametrize(("flips", "count"), [(True, 4), (False, 2)])
def test_images_that_are_not_square_turn_by_halves(flips, count):
    pixels, masks = numbered(64, 4, 6)
    images, masks = Augmentation(**{**OFF, "turns": True, "flips": flips})(pixels, masks, seeded())
    assert len(images.unique(dim=0)) == count
    assert any(torch.equal(image, pixels[0].rot90(2, (1, 2))) for image in images)
    assert torch.equal(images, masks.float())


def test_no_displacement_gives_the_image_back():
    images, masks = batch(2, 37, 53)
    still = torch.zeros(2, 2, 37, 53)
    torch.testing.assert_close(warp(images, still, "bilinear"), images, atol=1e-4, rtol=0)
    assert torch.equal(warp(masks, still, "nearest"), masks)


@pytest.mark.parametrize(("down", "right"), [(3, 0), (0, -5), (-2, 7)])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_a_whole_pixel_displacement_is_a_roll_in_the_interior(mode, down, right):
    images, _ = batch(2, 32, 48)
    field = torch.tensor([down, right]).float().reshape(1, 2, 1, 1).expand(2, 2, 32, 48)
    inside = (..., slice(8, -8), slice(8, -8))
    rolled = images.roll((-down, -right), dims=(-2, -1))
    torch.testing.assert_close(warp(images, field, mode)[inside], rolled[inside], atol=1e-4, rtol=0)


def test_borders_are_mirrored():
    row = torch.tensor([1.0, 2, 3, 4]).reshape(1, 1, 1, 4)
    field = torch.zeros(1, 2, 1, 4)
    field[:, 1] = -2
    assert warp(row, field, "nearest").flatten().tolist() == [2, 1, 1, 2]


def test_a_half_pixel_displacement_is_the_mean_of_two_neighbours():
    images, _ = batch(1, 8, 8)
    field = torch.zeros(1, 2, 8, 8)
    field[:, 0] = 0.5
    expected = (images[..., :-1, :] + images[..., 1:, :]) / 2
    torch.testing.assert_close(warp(images, field, "bilinear")[..., :-1, :], expected)


def test_image_and_mask_agree_about_where_a_pixel_goes():
    """A mask that is its own image: moved with interpolation and cut at ½, it is the mask moved without."""
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(80.0), indexing="ij")
    disc = ((rows - 40) ** 2 + (columns - 44) ** 2 < 25**2)[None, None].float().repeat(4, 1, 1, 1)
    images, masks = Augmentation(**{**OFF, "elastic_sigma": 6.0})(disc, disc.to(torch.uint8), seeded())
    assert (images - disc).abs().mean() > 0.02
    disagree = (images > 0.5) != masks.bool()
    assert disagree.float().mean() < 0.003
    assert (images[disagree] - 0.5).abs().max() < 0.5


def test_a_smooth_image_and_its_mask_move_by_the_drawn_field():
    """An image of its own coordinates shows, after the warp, where each pixel came from."""
    field = elastic_field(3, 64, 80, points=3, sigma=2.0, generator=seeded())
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(80.0), indexing="ij")
    coordinates = torch.stack([rows, columns]).repeat(3, 1, 1, 1)
    inside = (..., slice(12, -12), slice(12, -12))
    for mode, tolerance in (("bilinear", 1e-3), ("nearest", 0.501)):
        moved = warp(coordinates, field, mode) - coordinates
        torch.testing.assert_close(moved[inside], field[inside], atol=tolerance, rtol=0)


def test_an_elastic_field_has_the_asked_strength_at_its_grid_points():
    field = elastic_field(4000, 9, 9, points=3, sigma=10.0, generator=seeded())
    at_points = field[:, :, ::4, ::4]
    assert at_points.std(dim=0).sub(10).abs().max() < 0.5
    assert at_points.mean(dim=0).abs().max() < 0.6
    assert torch.corrcoef(at_points.flatten(1).T).sub(torch.eye(18)).abs().max() < 0.08


def test_an_elastic_field_is_smooth():
    field = elastic_field(4, 96, 96, points=3, sigma=10.0, generator=seeded())
    for dim in (-1, -2):
        assert field.diff(dim=dim).abs().max() < 2
        assert field.diff(n=2, dim=dim).abs().max() < 0.2  # no kinks at the grid points


def test_more_points_bend_more_tightly():
    coarse, fine = (elastic_field(8, 96, 96, points, 10.0, seeded()).diff(dim=-1).std() for points in (3, 12))
    assert fine > 3 * coarse


def test_tone_stays_within_the_given_strengths():
    flat = torch.cat([torch.zeros(1, 1, 1, 8), torch.ones(1, 1, 1, 8)], dim=-2).repeat(500, 1, 1, 1)
    images, _ = Augmentation(**{**OFF, "brightness": 0.3, "contrast": 0.1})(flat, flat.to(torch.uint8), seeded())
    shift, gain = images[:, 0, 0, 0], (images[:, 0, 1, 0] - images[:, 0, 0, 0])
    assert 0.29 < shift.abs().max() <= 0.3
    assert 0.09 < (gain - 1).abs().max() <= 0.1 + 1e-6
    assert abs(shift.mean()) < 0.03
    assert abs(gain.mean() - 1) < 0.01


def test_noise_has_the_given_deviation_in_every_pixel_and_channel():
    flat = torch.zeros(4, 3, 64, 64)
    images, _ = Augmentation(**{**OFF, "noise": 0.2})(flat, flat[:, :1].to(torch.uint8), seeded())
    assert images.std() == pytest.approx(0.2, rel=0.02)
    assert len(images.unique()) > 0.9 * images.numel()


def test_interpolating_class_indices_is_refused():
    with pytest.raises(InputError, match=r'uint8 with mode="bilinear" would mix class indices: use mode="nearest"'):
        warp(torch.zeros(1, 1, 4, 4, dtype=torch.uint8), torch.zeros(1, 2, 4, 4), "bilinear")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"elastic_sigma": -1}, "elastic_sigma=-1 .* at least 0"),
        ({"brightness": float("nan")}, "brightness=nan .* at least 0"),
        ({"noise": float("inf")}, "noise=inf .* at least 0"),
        ({"contrast": 1}, "contrast=1 would invert images: give less than 1"),
        ({"elastic_points": 1}, "elastic_points=1 .* at least 2"),
    ],
)
def test_strengths_out_of_range_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        Augmentation(**wrong)


@pytest.mark.parametrize("shape", [(4, 32, 32), (3, 1, 32, 32), (4, 1, 32, 31), (4, 2, 32, 32)])
def test_a_batch_that_does_not_fit_together_is_refused(shape):
    images, _ = batch()
    with pytest.raises(InputError, match=r"images \(4, 2, 32, 32\) and masks .* do not fit together"):
        Augmentation()(images, torch.zeros(shape, dtype=torch.uint8), seeded())


def test_a_generator_of_another_device_is_refused():
    images, masks = batch()
    with pytest.raises(InputError, match=r"the generator is on cpu, the batch on meta: make it with torch.Generator\("):
        Augmentation()(images.to("meta"), masks.to("meta"), seeded())
