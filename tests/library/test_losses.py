import math

import numpy as np
import pytest
import torch

from unetpp_lib.errors import InputError
from unetpp_lib.losses import bce_dice_loss, bce_loss, count_pixels, deep_supervision_loss, soft_dice_loss


def random_batch(channels, shape=(3, 5, 7), seed=0, dtype=torch.float64, scale=3.0):
    """Logits (N, C, H, W) and a uint8 target (N, 1, H, W) of all classes."""
    generator = torch.Generator().manual_seed(seed)
    N, H, W = shape
    logits = scale * torch.randn(N, channels, H, W, generator=generator, dtype=dtype)
    target = torch.randint(0, max(2, channels), (N, 1, H, W), generator=generator, dtype=torch.uint8)
    return logits, target


def ignore_some(target):
    """One whole image ignored, one in parts."""
    target[0] = 255
    target[1, 0, :2] = 255
    return target


def reference(logits, target, smooth=1.0):
    """(BCE, 1 - Dice) from the definitions, pixel by pixel, in NumPy; binary is two classes scored on class 1 alone."""
    logits, target = logits.double().numpy(), target[:, 0].double().numpy()
    binary = logits.shape[1] == 1
    if binary:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    entropies, dices = [], []
    for image, truth in zip(logits, target, strict=True):
        pixels = [(np.exp(image[:, i, j]), truth[i, j]) for i, j in np.ndindex(truth.shape) if truth[i, j] != 255]
        pixels = [(e / e.sum(), y) for e, y in pixels]
        if binary:
            entropies += [-y * math.log(p[1]) - (1 - y) * math.log(p[0]) for p, y in pixels]
        else:
            entropies += [-math.log(p[int(y)]) for p, y in pixels]
        for k in [1] if binary else range(len(image)):
            hits = [(p[k], y if binary else float(y == k)) for p, y in pixels]
            both, total = sum(p * y for p, y in hits), sum(p + y for p, y in hits)
            dices.append((2 * both + smooth) / (total + smooth))
    return np.mean(entropies), 1 - np.mean(dices)


@pytest.mark.parametrize("smooth", [1.0, 0.25])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_losses_equal_a_pixel_by_pixel_reference(channels, smooth):
    logits, target = random_batch(channels)
    if channels > 1:
        target = ignore_some(target)
    bce, dice = reference(logits, target, smooth)
    assert bce_loss(logits, target).item() == pytest.approx(bce, abs=1e-6)
    assert soft_dice_loss(logits, target, smooth).item() == pytest.approx(dice, abs=1e-6)
    combined = bce_dice_loss(logits, target, bce_weight=0.3, dice_weight=2.0, smooth=smooth)
    assert combined.item() == pytest.approx(0.3 * bce + 2.0 * dice, abs=1e-6)


def test_default_is_half_bce_plus_dice_loss_with_one_pixel_of_smoothing():
    logits, target = random_batch(1)
    bce, dice = reference(logits, target, smooth=1.0)
    assert bce_dice_loss(logits, target).item() == pytest.approx(0.5 * bce + dice, abs=1e-6)


def test_float_targets_may_lie_between_the_classes():
    logits, _ = random_batch(1)
    target = torch.rand(3, 1, 5, 7, generator=torch.Generator().manual_seed(1))
    bce, dice = reference(logits, target)
    assert bce_loss(logits, target).item() == pytest.approx(bce, abs=1e-6)
    assert soft_dice_loss(logits, target).item() == pytest.approx(dice, abs=1e-6)


WIDE = [torch.uint16, torch.uint32, torch.uint64]  # which PyTorch stores, and compares with nothing


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.int32, torch.int64, *WIDE, torch.float32, torch.float16]
)
def test_type_of_a_binary_target_does_not_matter(dtype):
    logits, target = random_batch(1)
    assert torch.equal(bce_dice_loss(logits, target.to(dtype)), bce_dice_loss(logits, target))


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64, *WIDE])
def test_type_of_a_class_target_does_not_matter(dtype):
    logits, target = random_batch(3)
    target = ignore_some(target)
    assert torch.equal(bce_dice_loss(logits, target.to(dtype)), bce_dice_loss(logits, target))
    with pytest.raises(InputError, match=r"target holds 3: 3 channels need 0 … 2"):
        bce_dice_loss(logits, torch.full_like(target, 3).to(dtype))


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_are_those_of_finite_differences(channels):
    logits, target = random_batch(channels, shape=(2, 3, 4))
    if channels > 1:
        target[0, 0, 0] = 255
    assert torch.autograd.gradcheck(lambda z: bce_dice_loss(z, target), logits.requires_grad_())


def test_pull_on_a_logit_follows_the_formulas_of_the_course():
    logits, target = random_batch(1, shape=(1, 6, 6))
    logits.requires_grad_()
    p, y = logits.detach().sigmoid(), target.double()
    S, overlap, N = (p + y).sum(), (p * y).sum(), p.numel()
    (bce_pull,) = torch.autograd.grad(0.5 * bce_loss(logits, target), logits)
    (dice_pull,) = torch.autograd.grad(soft_dice_loss(logits, target, smooth=0), logits)
    torch.testing.assert_close(bce_pull, (p - y) / (2 * N))
    torch.testing.assert_close(dice_pull, -p * (1 - p) * 2 * (y * S - overlap) / S**2)


@pytest.mark.parametrize("channels", [1, 3])
def test_dice_is_a_mean_over_images_not_of_the_pooled_batch(channels):
    logits, target = random_batch(channels, shape=(2, 6, 6))
    target[0] = 0
    target[0, 0, 0, 0] = 1  # a rare class in one image, a common one in the other
    singles = torch.stack([soft_dice_loss(logits[i : i + 1], target[i : i + 1]) for i in range(2)])
    pooled = soft_dice_loss(
        logits.transpose(0, 1).reshape(1, channels, 12, 6), target.transpose(0, 1).reshape(1, 1, 12, 6)
    )
    torch.testing.assert_close(soft_dice_loss(logits, target), singles.mean())
    assert abs(soft_dice_loss(logits, target) - pooled) > 1e-3


def test_ignored_pixels_get_no_gradient_and_change_nothing():
    logits, target = random_batch(3)
    target = ignore_some(target)
    ignored = (target == 255).expand_as(logits)
    changed = torch.where(ignored, torch.full_like(logits, 7.0), logits).requires_grad_()
    loss = bce_dice_loss(changed, target)
    loss.backward()
    torch.testing.assert_close(loss, bce_dice_loss(logits, target))
    assert not changed.grad[ignored].any()
    assert changed.grad[~ignored].all()


def test_wholly_ignored_batch_costs_nothing_and_pulls_nothing():
    logits, target = random_batch(3, dtype=torch.float32)
    logits.requires_grad_()
    loss = bce_dice_loss(logits, torch.full_like(target, 255))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("channels", [1, 3])
def test_low_precision_logits_are_computed_in_float32_under_autocast(channels, low):
    logits, target = random_batch(channels, shape=(2, 64, 64), scale=8.0)
    logits = logits.to(low)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = bce_dice_loss(logits, target)
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    assert torch.equal(loss, bce_dice_loss(logits.float(), target))


@pytest.mark.parametrize("channels", [1, 3])
def test_float64_stays_float64_under_autocast(channels):
    logits, target = random_batch(channels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = bce_dice_loss(logits, target)
    assert torch.equal(loss, bce_dice_loss(logits, target))
    assert loss.dtype == torch.float64


@pytest.mark.parametrize("smooth", [1.0, 1e-6])
@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize("value", [-1e4, 0.0, 1e4])
@pytest.mark.parametrize("channels", [1, 2])
def test_extreme_logits_on_empty_and_full_masks_stay_finite(channels, value, truth, smooth):
    logits = torch.full((2, channels, 8, 8), value)
    logits[:, :-1] *= -1  # two channels that disagree
    logits.requires_grad_()
    loss = bce_dice_loss(logits, torch.full((2, 1, 8, 8), truth), smooth=smooth)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("channels", [1, 3])
def test_confident_truth_costs_nothing_and_its_opposite_much(channels):
    _, target = random_batch(channels)
    truth = target.double() if channels == 1 else torch.nn.functional.one_hot(target[:, 0].long()).movedim(-1, 1)
    logits = 1e4 * (2.0 * truth - 1)
    assert bce_dice_loss(logits, target).item() == pytest.approx(0, abs=1e-9)
    assert bce_loss(-logits, target).item() >= 1e4
    assert soft_dice_loss(-logits, target).item() > 0.5


def test_smooth_counts_pixels():
    # Nothing to find, and 3 pixels called foreground: Dice = (0 + 1) / (3 + 1).
    logits = torch.full((1, 1, 2, 4), -1e4)
    logits[..., :3][:, :, :1] = 1e4
    target = torch.zeros(1, 1, 2, 4)
    assert soft_dice_loss(logits, target, smooth=1).item() == pytest.approx(3 / 4)
    assert soft_dice_loss(logits, target, smooth=3).item() == pytest.approx(1 / 2)


def test_deep_supervision_adds_the_losses_of_all_heads():
    heads = [random_batch(1, seed=seed)[0] for seed in range(4)]
    target = random_batch(1)[1]
    expected = sum(bce_dice_loss(head, target).item() for head in heads)
    assert deep_supervision_loss(heads, target).item() == pytest.approx(expected)


def test_deep_supervision_weights_run_from_shallow_to_deep():
    heads = [random_batch(1, seed=seed)[0] for seed in range(2)]
    target = random_batch(1)[1]
    expected = 0.25 * bce_loss(heads[0], target) + 2 * bce_loss(heads[1], target)
    torch.testing.assert_close(deep_supervision_loss(heads, target, bce_loss, weights=(0.25, 2)), expected)


def test_deep_supervision_pulls_each_head_as_its_own_loss_would():
    heads = [random_batch(1, seed=seed)[0].requires_grad_() for seed in range(4)]
    target = random_batch(1)[1]
    together = torch.autograd.grad(deep_supervision_loss(heads, target), heads)
    for head, pull in zip(heads, together, strict=True):
        (alone,) = torch.autograd.grad(bce_dice_loss(head, target), head)
        torch.testing.assert_close(pull, alone)


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_loss_compiles_without_a_graph_break(channels):
    heads = [random_batch(channels, seed=seed, dtype=torch.float32)[0] for seed in range(2)]
    target = random_batch(channels)[1]
    compiled = torch.compile(deep_supervision_loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(heads, target), deep_supervision_loss(heads, target))


@pytest.mark.parametrize(
    ("logits", "target", "message"),
    [
        (torch.zeros(1, 4, 4), torch.zeros(1, 1, 4, 4), r"logits are \(1, 4, 4\)"),
        (torch.zeros(0, 1, 4, 4), torch.zeros(0, 1, 4, 4), r"logits are \(0, 1, 4, 4\)"),
        (torch.zeros(1, 256, 2, 2), torch.zeros(1, 1, 2, 2), r"logits are \(1, 256, 2, 2\).*at most 255"),
        (torch.zeros(1, 1, 4, 4, dtype=torch.int64), torch.zeros(1, 1, 4, 4), "logits .* torch.int64"),
        (torch.zeros(2, 1, 4, 4), torch.zeros(2, 4, 4), r"target is \(2, 4, 4\).*need a target of \(2, 1, 4, 4\)"),
        (torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 5), r"target is \(2, 1, 4, 5\)"),
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), r"target is \(2, 3, 4, 4\)"),
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4), "target is of torch.float32.*integer"),
        (torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 255, dtype=torch.uint8), "target holds 255.*divide"),
        (torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 1.5), "target holds 1.5"),
        (torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), math.nan), "target holds nan"),
        (torch.zeros(1, 3, 4, 4), torch.full((1, 1, 4, 4), 3), "target holds 3.*3 channels need 0 … 2"),
        (torch.zeros(1, 3, 4, 4), torch.full((1, 1, 4, 4), -1), "target holds -1"),
    ],
)
@pytest.mark.parametrize("loss", [bce_loss, soft_dice_loss, bce_dice_loss])
def test_wrong_input_is_named(loss, logits, target, message):
    with pytest.raises(InputError, match=message):
        loss(logits, target)


@pytest.mark.parametrize("weight", [0.25, 1.0, 7.0])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_foreground_weight_multiplies_the_loss_of_foreground_pixels(channels, weight):
    logits, target = random_batch(channels)
    if channels > 1:
        target = ignore_some(target)
    single = torch.full(target.shape, math.nan, dtype=torch.float64)  # each pixel's own loss, by the reference
    for place in np.ndindex(tuple(target.shape)):
        if target[place] != 255:
            n, _, i, j = place
            single[place] = reference(logits[n : n + 1, :, i : i + 1, j : j + 1], target[place].view(1, 1, 1, 1))[0]
    kept = target != 255
    expected = (single * torch.where(target > 0, weight, 1.0))[kept].mean()
    assert bce_loss(logits, target, foreground_weight=weight).item() == pytest.approx(expected.item(), abs=1e-9)
    combined = bce_dice_loss(logits, target, 0.3, 2.0, foreground_weight=weight)
    assert combined.item() == pytest.approx(0.3 * expected.item() + 2 * reference(logits, target)[1], abs=1e-9)


def test_foreground_weight_is_pos_weight_for_one_channel_and_the_same_for_two():
    logits, target = random_batch(1)
    theirs = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0))(logits, target.double())
    assert bce_loss(logits, target, foreground_weight=3).item() == pytest.approx(theirs.item())
    two = torch.cat([torch.zeros_like(logits), logits], dim=1)
    assert bce_loss(two, target, foreground_weight=3).item() == pytest.approx(theirs.item())


@pytest.mark.parametrize("channels", [1, 3])
def test_a_foreground_weight_of_one_changes_no_bit_of_loss_and_gradient(channels):
    logits, target = random_batch(channels, dtype=torch.float32)
    results = []
    for options in ({}, {"foreground_weight": 1.0}):
        z = logits.clone().requires_grad_()
        loss = bce_dice_loss(z, target, **options)
        loss.backward()
        results.append((loss.detach(), z.grad))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("weight", [0, -1, math.nan, math.inf])
def test_a_foreground_weight_must_be_positive_and_finite(weight):
    with pytest.raises(InputError, match=f"foreground_weight is {weight}: give a number greater than 0"):
        bce_loss(*random_batch(1), foreground_weight=weight)


@pytest.mark.parametrize("loss", [bce_loss, soft_dice_loss, bce_dice_loss])
def test_the_list_of_heads_is_refused_by_a_loss_of_one_head(loss):
    logits, target = random_batch(1)
    for heads in ([logits] * 4, (logits,)):  # a U-Net's list has one
        with pytest.raises(InputError, match=rf"logits is a \w+ of {len(heads)}.* deep_supervision_loss.*SingleOutput"):
            loss(heads, target)
    with pytest.raises(InputError, match=r"target is of type ndarray; give a tensor, such as torch.from_numpy\(target"):
        loss(logits, target.numpy())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.uint64, torch.int16])
def test_labels_of_sixteen_bit_and_more_are_learned_as_those_of_eight(channels, dtype):
    logits, target = random_batch(channels)
    if channels > 1:
        target = ignore_some(target)
    assert torch.equal(bce_dice_loss(logits, target.to(dtype)), bce_dice_loss(logits, target))
    assert count_pixels(target.to(dtype)) == count_pixels(target)
    with pytest.raises(InputError, match="target holds 256"):
        bce_dice_loss(logits, torch.full(target.shape, 256, dtype=dtype))


def test_negative_smoothing_is_refused():
    with pytest.raises(InputError, match="smooth is -1"):
        soft_dice_loss(*random_batch(1), smooth=-1)


def test_heads_must_be_a_list_with_a_weight_each():
    logits, target = random_batch(1)
    with pytest.raises(InputError, match="heads must be a list"):
        deep_supervision_loss([], target)
    with pytest.raises(InputError, match="heads must be a list"):
        deep_supervision_loss(logits, target)
    with pytest.raises(InputError, match="weights holds 1 numbers for 2 heads"):
        deep_supervision_loss([logits, logits], target, weights=[1.0])
