"""Tiles give what the whole image gives."""

import pytest
import torch

from unetpp_lib.engine import Card, choose_runtime, predict
from unetpp_lib.engine.prediction import read_in_tiles
from unetpp_lib.errors import InputError
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


def test_the_windows_of_the_tiles_leave_a_constant_as_it_is():
    constant = read_in_tiles(torch.ones_like, torch.zeros(1, 333, 71), 64, torch.device("cpu"), 16)
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
    with pytest.raises(InputError, match=r"takes \(N, 1, H, W\)"):
        predict(model, torch.rand(3, 50, 50), Card((0.5,) * 3, (0.2,) * 3), runtime=CPU)
