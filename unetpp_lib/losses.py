"""Cross-entropy plus soft Dice on logits, and its sum over the heads of a deeply supervised network.

In every function, `logits` are (N, C, H, W), with C = 1 for a binary problem (sigmoid) and C ≥ 2 for several classes
(softmax); `target` is (N, 1, H, W). A binary target contains 0 and 1 as booleans or integers, or floats between them. A
target with several classes contains the integers 0 … C-1, and 255 for ignored pixels.

Results are scalars in at least float32, also inside `torch.autocast`; float64 logits stay float64. Wrong shapes and
types raise `InputError`. Wrong values do so on the CPU only, because checking them on a GPU would stall every step.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from unetpp_lib.errors import InputError
from unetpp_lib.labels import IGNORED, as_labels, require_tensor


def bce_dice_loss(
    logits: Tensor,
    target: Tensor,
    bce_weight: float = 0.5,
    dice_weight: float = 1.0,
    smooth: float = 1.0,
    pixels: Tensor | None = None,
    foreground_weight: float = 1.0,
) -> Tensor:
    """Return ``bce_weight * bce_loss + dice_weight * soft_dice_loss``, ½·BCE + (1 − Dice) by default.

    `logits` (N, C, H, W), `target` (N, 1, H, W); for values and errors see the module's docstring. `smooth` is that of
    `soft_dice_loss`, and `pixels` and `foreground_weight` are those of `bce_loss`.

    Source: UNet++ (Zhou et al. 2018), which prints −(1/N) Σ_b (½·Y_b·log Ŷ_b + 2·Y_b·Ŷ_b / (Y_b + Ŷ_b)). This function
    adds the background term that the printed BCE lacks for a single sigmoid channel. It sums each image's pixels before
    it computes the ratio, smooths the ratio, and adds 1, so that the perfect loss is 0.
    """
    bce = bce_loss(logits, target, pixels, foreground_weight)
    return bce_weight * bce + dice_weight * soft_dice_loss(logits, target, smooth)


def bce_loss(logits: Tensor, target: Tensor, pixels: Tensor | None = None, foreground_weight: float = 1.0) -> Tensor:
    """Return the cross-entropy in nats, averaged over all pixels of the batch that are not ignored.

    It is binary cross-entropy for one channel and softmax cross-entropy for several. It is 0 if all are ignored.
    `logits` (N, C, H, W), `target` (N, 1, H, W); for values and errors see the module's docstring.
    With several classes, the scalar `pixels` replaces the number of pixels, `count_pixels(target)`. If processes share
    a batch, give each of them the mean of their numbers: the mean of their losses is then that of the whole batch.

    `foreground_weight` w > 0 multiplies the loss of each foreground pixel, that is, of class 1 for one channel and of
    classes 1 … C-1 for several: (1/N) Σ_b w_b·CE_b, with w_b = w in the foreground and 1 elsewhere, and N the number of
    pixels. For one channel it is BCEWithLogitsLoss's ``pos_weight``: −(1/N) Σ_b (w·y·log p + (1 − y)·log(1 − p)).
    """
    logits, target = _checked(logits, target)
    if not 0 < foreground_weight < float("inf"):
        raise InputError(f"foreground_weight is {foreground_weight}: give a number greater than 0.")
    if logits.shape[1] == 1:
        weight = None if foreground_weight == 1 else logits.new_tensor(foreground_weight)
        return F.binary_cross_entropy_with_logits(logits, target.to(logits.dtype), pos_weight=weight)
    # summed here, because on CUDA the fused reduction has no deterministic form
    losses = F.cross_entropy(logits, target.squeeze(1).long(), ignore_index=IGNORED, reduction="none")
    if foreground_weight != 1:
        losses = torch.where(target.squeeze(1) > 0, foreground_weight * losses, losses)
    count = count_pixels(target) if pixels is None else pixels
    return losses.sum() / torch.where(count > 0, count, 1)


def count_pixels(target: Tensor) -> Tensor:
    """Return the number of pixels that are not ignored, a scalar on the target's device."""
    return (as_labels("target", target) != IGNORED).sum()


def soft_dice_loss(logits: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
    """Return 1 − (2·Σp·y + smooth) / (Σp + Σy + smooth), averaged over images and classes.

    The sums run over the pixels of one image; p is the probability and y the truth as 0 and 1. A binary problem counts
    the foreground only, one with several classes counts all of them. `smooth` is a number of pixels. It decides the
    score of an absent class; with 0, a class that is neither present nor predicted gives NaN. An image whose pixels are
    all ignored gives 0. `logits` (N, C, H, W), `target` (N, 1, H, W); for values and errors see the module's docstring.
    Also raises `InputError` for smooth < 0.
    """
    logits, target = _checked(logits, target)
    if smooth < 0:
        raise InputError(f"smooth is {smooth}: it is a number of pixels, so give 0 or more.")
    if logits.shape[1] == 1:
        p, y = logits.sigmoid(), target.to(logits.dtype)
    else:
        p = logits.softmax(dim=1) * (target != IGNORED)
        classes = torch.arange(logits.shape[1], device=target.device).view(1, -1, 1, 1)
        y = (target == classes).to(logits.dtype)  # (N, C, H, W), one-hot; an ignored pixel belongs to no class
    overlap, total = (p * y).sum(dim=(2, 3)), p.sum(dim=(2, 3)) + y.sum(dim=(2, 3))  # (N, C)
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def deep_supervision_loss(
    heads: Sequence[Tensor],
    target: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor] = bce_dice_loss,
    weights: Sequence[float] | None = None,
) -> Tensor:
    """Return the sum of the heads' losses, each times its weight; all weights are 1 by default, as in UNet++.

    `heads` are logits (N, C, H, W), shallow to deep, as the networks return them; `weights` has one number per head.
    Raises `InputError` if there is no head, or if the numbers of weights and heads differ.
    """
    if isinstance(heads, Tensor) or not heads:
        raise InputError("heads must be a list with at least one tensor of logits: give what the network returned.")
    if weights is None:
        weights = [1.0] * len(heads)
    if len(weights) != len(heads):
        raise InputError(f"weights holds {len(weights)} numbers for {len(heads)} heads: give one per head.")
    return torch.stack([weight * loss(head, target) for weight, head in zip(weights, heads, strict=True)]).sum()


def _checked(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits in at least float32 and the target in a type that can be compared, both known to fit."""
    require_tensor("logits", logits)
    target = as_labels("target", target)
    if logits.ndim != 4 or logits.numel() == 0 or logits.shape[1] > IGNORED or not logits.is_floating_point():
        raise InputError(
            f"logits are {tuple(logits.shape)} of {logits.dtype}: "
            f"give floating-point (N, C, H, W), with no size 0 and C at most {IGNORED}."
        )
    N, C, H, W = logits.shape
    if target.shape != (N, 1, H, W):
        raise InputError(f"target is {tuple(target.shape)}: logits {(N, C, H, W)} need a target of {(N, 1, H, W)}.")
    if C > 1 and (target.is_floating_point() or target.is_complex()):
        raise InputError(f"target is of {target.dtype}: {C} classes need integer class indices, for example uint8.")
    if target.device.type == "cpu" and not torch.compiler.is_compiling():
        _check_values(target, C)
    # Enough under autocast as well: nothing that follows is on its list of low-precision operations.
    return logits.to(torch.promote_types(logits.dtype, torch.float32)), target


def _check_values(target: Tensor, channels: int) -> None:
    wrong = ~((target >= 0) & (target <= max(1, channels - 1)))  # in this form NaN is wrong too
    if channels > 1:
        wrong &= target != IGNORED
    if wrong.any():
        value = target[wrong][0].item()
        if channels == 1:
            raise InputError(f"target holds {value}: one channel needs 0 and 1; divide a mask of 0 and 255 by 255.")
        raise InputError(f"target holds {value}: {channels} channels need 0 … {channels - 1}, or 255 for ignored.")
