"""Tiles give what the whole image gives, from memory or from disk."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from unetpp_lib.data import LargeImage
from unetpp_lib.engine import Card, Predictor, choose_runtime, predict, prediction
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.engine.tiles import read_in_tiles
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify
from unetpp_lib.models import UNetPlusPlus, probabilities, prune

CPU = choose_runtime("cpu", "float32")
CARD = Card((0.5,), (0.25,))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=(4, 6, 8))
    for _ in range(5):
        model(torch.randn(4, 1, 32, 32))
    return model.eval()


@pytest.mark.parametrize("size", [(1, 1), (30, 17), (64, 64)])
@pytest.mark.parametrize(("mode", "depth"), [("accurate", None), ("fast", 1)])
def test_a_small_image_is_read_whole(model, size, mode, depth):
    image = torch.rand(1, *size)
    with torch.no_grad():
        expected = probabilities(model(((image - 0.5) / 0.25)[None]), mode, depth)[0]
    torch.testing.assert_close(predict(model, image, CARD, mode, depth, runtime=CPU), expected)


@pytest.mark.parametrize("size", [(300, 200), (129, 400), (128, 128), (1, 500)])
def test_tiles_agree_with_the_whole_image(model, size):
    torch.manual_seed(1)
    image = torch.rand(1, *size)
    whole = predict(model, image, CARD, tile=1024, runtime=CPU)
    tiled = predict(model, image, CARD, tile=128, runtime=CPU)
    assert tiled.shape == (1, *size)
    # only near the edge of a tile does context lack, and there it counts little
    assert (tiled - whole).abs().max() < 1e-3


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_tile_that_is_large_enough_leaves_no_seam(depth):
    torch.manual_seed(depth)
    model = UNetPlusPlus(widths=(3, 4, 5, 6, 7)[: depth + 1], norm=None)
    for head in model.heads:
        torch.nn.init.normal_(head.weight)  # large, so that far pixels can be seen to matter
    tile = 32 * 2**depth
    image = torch.rand(1, tile * 5 // 4, tile * 3 // 2)
    whole = predict(model, image, CARD, "fast", tile=4096, runtime=CPU)
    assert (predict(model, image, CARD, "fast", tile=tile, runtime=CPU) - whole).abs().max() < 1e-4
    half = whole.clone()  # tiles side by side are seamed: the test could fail
    half[:, :, : tile // 2] = predict(model, image[:, :, : tile // 2], CARD, "fast", tile=4096, runtime=CPU)
    assert (half - whole).abs().max() > 0.01


@pytest.mark.parametrize(("multiple", "margin"), [(16, None), (4, 3), (8, 8), (2, 1000)])
def test_the_windows_of_the_tiles_leave_a_constant_as_it_is(multiple, margin):
    constant = read_in_tiles(torch.ones_like, torch.zeros(1, 333, 71), 64, torch.device("cpu"), multiple, margin)
    torch.testing.assert_close(constant, torch.ones(1, 333, 71))


def test_no_tile_is_larger_than_asked_and_all_start_on_the_pooling_grid(model):
    seen = []

    def read(patch):
        seen.append(tuple(patch.shape[2:]))
        return patch

    position = torch.arange(200.0).expand(1, 300, 200)
    joined = read_in_tiles(read, position, 100, torch.device("cpu"), 16)
    assert max(max(shape) for shape in seen) == 64  # the largest multiple of 4·16 within 100
    torch.testing.assert_close(joined, position)


def test_averaging_over_flips_makes_the_answer_follow_flips(model):
    image = torch.rand(1, 40, 56)
    straight = predict(model, image, CARD, average_flips=True, runtime=CPU)
    mirrored = predict(model, image.flip(2), CARD, average_flips=True, runtime=CPU)
    torch.testing.assert_close(mirrored.flip(2), straight)
    assert not torch.allclose(predict(model, image.flip(2), CARD, runtime=CPU).flip(2), straight, atol=1e-3)


def test_a_pruned_network_predicts_as_the_full_one_at_its_depth(model):
    image = torch.rand(1, 50, 70)
    full = predict(model, image, CARD, "fast", 1, runtime=CPU)
    assert torch.equal(predict(prune(model, 1), image, CARD, "fast", runtime=CPU), full)


def test_several_classes_stay_probabilities_across_tiles():
    torch.manual_seed(0)
    model = UNetPlusPlus(num_classes=3, widths=(4, 6))
    result = predict(model, torch.rand(1, 100, 90), CARD, tile=32, runtime=CPU)
    assert result.shape == (3, 100, 90)
    torch.testing.assert_close(result.sum(0), torch.ones(100, 90))


def test_wrong_arguments_are_named(model):
    with pytest.raises(InputError, match="tile is 8 pixels; this network needs at least 16"):
        predict(model, torch.rand(1, 50, 50), CARD, tile=8, runtime=CPU)
    with pytest.raises(InputError, match="depth is 3; there are heads 1 to 2"):
        predict(model, torch.rand(1, 50, 50), CARD, depth=3, runtime=CPU)
    with pytest.raises(InputError, match=r"image has shape \(3, 50, 50\); this network takes \(1, H, W\)"):
        predict(model, torch.rand(3, 50, 50), Card((0.5,) * 3, (0.2,) * 3), runtime=CPU)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((1, 9, 9), np.float32), "image is of type ndarray; give a tensor"),
        (torch.zeros(1, 9, 9, dtype=torch.uint8), r"image is torch\.uint8; give floating-point .*divide bytes by 255"),
        (torch.zeros(1, 9, 9, dtype=torch.bool), r"image is torch\.bool; give floating-point"),
        (torch.full((1, 9, 9), 255.0), "image has values from 255 to 255; give .* divide bytes by 255"),
        (torch.full((1, 9, 9), -0.1), r"image has values from -0\.1 to -0\.1"),
        (torch.tensor([[[0.0, float("nan")]]]), "image has values from nan to nan; its values must be finite"),
        (torch.tensor([[[0.0, float("inf")]]]), "image has values from 0 to inf; its values must be finite"),
        (torch.zeros(9, 9), r"image has shape \(9, 9\); this network takes \(1, H, W\); image\[None\] adds the"),
        (torch.zeros(1, 1, 9, 9), r"shape \(1, 1, 9, 9\); this network takes \(1, H, W\); leave the batch out"),
        (torch.zeros(1, 0, 9), r"image has shape \(1, 0, 9\); this network takes"),
    ],
)
def test_what_is_no_image_is_named_with_the_remedy(model, image, message):
    for ask in (
        lambda: predict(model, image, CARD, runtime=CPU),
        lambda: read_image_heads(model, image, CARD, CPU),
    ):
        with pytest.raises(InputError, match=message):
            ask()


def test_a_grey_image_is_not_stretched_over_the_channels_of_a_network():
    model, card = UNetPlusPlus(in_channels=3, widths=(2, 3)), Card((0.5,) * 3, (0.2,) * 3)
    with pytest.raises(InputError, match=r"image has shape \(1, 9, 9\); this network takes \(3, H, W\)"):
        predict(model, torch.rand(1, 9, 9), card, runtime=CPU)
    with pytest.raises(InputError, match=r"images have shape \(1, 3, 9, 9\) and the card has 1 channel"):
        predict(model, torch.rand(3, 9, 9), CARD, runtime=CPU)


def test_images_of_other_precision_and_rounded_by_resampling_are_answered(model):
    image = torch.rand(1, 20, 20, generator=torch.Generator().manual_seed(0))
    expected = predict(model, image, CARD, runtime=CPU)
    torch.testing.assert_close(predict(model, image.double(), CARD, runtime=CPU), expected)
    torch.testing.assert_close(predict(model, image.half(), CARD, runtime=CPU), expected, atol=0.01, rtol=0)
    image[0, 0, 0], image[0, 0, 1] = 1.00005, -0.00005
    assert predict(model, image, CARD, runtime=CPU).isfinite().all()


@pytest.fixture
def large(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300), dtype=np.uint8)
    np.save(tmp_path / "large.npy", pixels)
    return LargeImage(tmp_path / "large.npy")


def test_an_image_on_disk_is_answered_as_one_in_memory(model, large, tmp_path):
    expected = predict(model, large[:, :, :], CARD, tile=128, runtime=CPU)
    files = tmp_path / "new" / "probability.npy", tmp_path / "new" / "mask.npy"
    Predictor(model, CARD, tile=128, runtime=CPU).write(large, *files)
    probability, mask = (np.load(path) for path in files)
    assert np.array_equal(probability, expected)
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, (expected[0] > 0.5) * 255)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"probability.npy", "mask.npy"}


def test_the_mask_of_several_classes_on_disk_holds_the_classes(large, tmp_path):
    torch.manual_seed(0)
    model = UNetPlusPlus(num_classes=3, widths=(4, 6))
    Predictor(model, CARD, tile=64, runtime=CPU).write(large, tmp_path / "p.npy", tmp_path / "m.npy")
    assert np.array_equal(np.load(tmp_path / "m.npy"), np.load(tmp_path / "p.npy").argmax(0))


def test_an_out_that_was_written_before_is_written_anew(model):
    image, out = torch.rand(1, 100, 130), np.full((1, 100, 130), 7, np.float32)
    found = predict(model, image, CARD, tile=64, runtime=CPU, out=out)
    assert np.array_equal(out, predict(model, image, CARD, tile=64, runtime=CPU))
    assert found.numpy().base is out or np.shares_memory(found.numpy(), out)
    with pytest.raises(InputError, match=r"out is \(1, 100\) of float64; the result needs \(1, 100, 130\) of float32"):
        predict(model, image, CARD, runtime=CPU, out=np.zeros((1, 100)))


def own_memory() -> int:
    """Bytes of this process that are no mapped files: those the system can write back and take away."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status)[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what memory is of which kind")
@pytest.mark.slow
def test_memory_depends_on_the_tile_and_not_on_the_image(tmp_path):
    growth = {}
    for side in (512, 4096):
        out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.float32, (1, side, side))
        np.lib.format.open_memmap(tmp_path / "image.npy", "w+", np.uint8, (side, side))
        used = []

        def read(patch, used=used):
            used.append(own_memory())
            return patch.mean(1, keepdim=True)

        image = LargeImage(tmp_path / "image.npy", channels=3)
        before = own_memory()
        read_in_tiles(read, image, 256, torch.device("cpu"), 16, out=out)
        growth[side] = max(used) - before
    whole = 4 * 4096 * 4096  # bytes of the result alone, 64 MiB
    assert growth[4096] < growth[512] + whole / 8


def test_the_mask_of_a_large_image_is_made_in_pieces(model, large, tmp_path, monkeypatch):
    pixels = []

    def watched(probability, threshold):
        pixels.append(probability.numel())
        return classify(probability, threshold)

    monkeypatch.setattr(prediction, "TILE", 64)
    monkeypatch.setattr(prediction, "classify", watched)
    Predictor(model, CARD, tile=128, runtime=CPU).write(large, tmp_path / "p.npy", tmp_path / "m.npy")
    assert max(pixels) == 64 * 64
    assert np.array_equal(np.load(tmp_path / "m.npy"), (np.load(tmp_path / "p.npy")[0] > 0.5) * 255)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what files are mapped")
def test_no_file_is_mapped_when_it_takes_its_name_since_windows_would_refuse(model, large, tmp_path, monkeypatch):
    renamed = []
    rename = Path.replace

    def watched(path, target):
        assert path.name not in Path("/proc/self/maps").read_text()
        renamed.append(target.name)
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    Predictor(model, CARD, tile=128, runtime=CPU).write(large, tmp_path / "p.npy", tmp_path / "m.npy")
    assert sorted(renamed) == ["m.npy", "p.npy"]


def test_a_full_disk_is_named_and_leaves_no_half_a_file(model, large, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    with pytest.raises(InputError, match=r"p\.npy cannot be written: No space left on device"):
        Predictor(model, CARD, runtime=CPU).write(large, tmp_path / "p.npy", tmp_path / "m.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["large.npy"]


@pytest.mark.parametrize(
    "options", [{"depth": 1.0}, {"depth": "1"}, {"depth": True}, {"tile": 32.0}, {"tile": None}, {"tile": "64"}]
)
def test_a_depth_or_tile_that_is_no_whole_number_is_named(model, options):
    ((name, value),) = options.items()
    with pytest.raises(InputError, match=re.escape(f"{name} is {value!r}; it must be a whole number.")):
        predict(model, torch.rand(1, 32, 32), CARD, runtime=CPU, **options)


def test_probabilities_and_mask_are_not_written_to_one_file(model, large, tmp_path):
    path = tmp_path / "p.npy"
    with pytest.raises(InputError, match=r"probability and mask are both .*p\.npy; give each a path of its own"):
        Predictor(model, CARD, runtime=CPU).write(large, path, tmp_path / "." / "new" / ".." / "p.npy")
    assert not path.exists()
