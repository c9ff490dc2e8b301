"""The exercises of notebook 09: a training script with four faults, which are found by evidence and repaired."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log, log10

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from unetpp_course import broken_script
from unetpp_course.broken_script import normalise
from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option
from unetpp_course.checks.comparison import alike
from unetpp_course.checks.isolation import Call, attempt
from unetpp_course.checks.losses import LossExercise
from unetpp_lib.losses import bce_dice_loss, bce_loss, soft_dice_loss

# Exercise 9.1: Repair the batch


def make_batch(images: Tensor, masks: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return four random pieces and their masks, both turned by the same random number of quarter turns."""
    random = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(images), (4,), generator=random)
    top, left = torch.randint(256 - 64 + 1, (2,), generator=random).tolist()
    turns = int(torch.randint(4, (1,), generator=random))
    x = images[chosen, :, top : top + 64, left : left + 64]
    y = masks[chosen, :, top : top + 64, left : left + 64]
    return normalise(torch.rot90(x, turns, (2, 3))), torch.rot90(y, turns, (2, 3)).float()


def parts_and_seeds(random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Yield images, masks and seeds; between them, the seeds draw every number of quarter turns."""
    for seed in (0, 1, 2, 3, 4, 5, 8, 13):
        masks = torch.from_numpy(random.integers(0, 2, (2, 1, 256, 256), dtype=np.uint8))
        images = torch.from_numpy(random.uniform(0, 1, (2, 1, 256, 256))).float()
        yield images, masks, seed


def describe_part(images: Tensor, masks: Tensor, seed: int) -> str:
    """Return a case in words, with the number of quarter turns that its seed draws."""
    _, turns, _ = drawn(images, masks, seed)
    return f"two images and their masks, seed = {seed}, which draws turns = {turns}"


def drawn(images: Tensor, masks: Tensor, seed: int) -> tuple[tuple[Tensor, Tensor], int, torch.Generator]:
    """Return what `make_batch` draws: pieces that are not turned yet, the quarter turns, and the generator."""
    random = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(images), (4,), generator=random)
    top, left = torch.randint(256 - 64 + 1, (2,), generator=random).tolist()
    turns = int(torch.randint(4, (1,), generator=random))
    x, y = (part[chosen, :, top : top + 64, left : left + 64] for part in (images, masks))
    return (x, y.float()), turns, random


def turns_the_mask_back(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, turns, (2, 3))), torch.rot90(y, -turns, (2, 3))


def turns_both_back(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, -turns, (2, 3))), torch.rot90(y, -turns, (2, 3))


def turns_nothing(images, masks, seed):
    (x, y), _, _ = drawn(images, masks, seed)
    return normalise(x), y


def turns_the_mask_alone(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(x), torch.rot90(y, turns, (2, 3))


def draws_the_turns_again(images, masks, seed):
    (x, y), turns, random = drawn(images, masks, seed)
    again = int(torch.randint(4, (1,), generator=random))
    return normalise(torch.rot90(x, turns, (2, 3))), torch.rot90(y, again, (2, 3))


def turns_image_and_channel(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, turns, (2, 3))), torch.rot90(y, turns)


def turns_channel_and_row(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, turns, (2, 3))), torch.rot90(y, turns, (1, 2))


def turns_the_mask_once(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, turns, (2, 3))), torch.rot90(y, 1, (2, 3))


def turns_both_once(images, masks, seed):
    (x, y), _, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, 1, (2, 3))), torch.rot90(y, 1, (2, 3))


def flips_the_mask(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, turns, (2, 3))), y.flip(3)


def transposes_the_mask(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, turns, (2, 3))), y.transpose(2, 3)


def turns_the_whole_masks(images, masks, seed):
    (x, _), turns, _ = drawn(images, masks, seed)
    (_, y), _, _ = drawn(images, torch.rot90(masks, turns, (2, 3)), seed)
    return normalise(torch.rot90(x, turns, (2, 3))), y


def turns_the_mask_twice(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, turns, (2, 3))), torch.rot90(y, 2 * turns, (2, 3))


def turns_the_image_twice(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, 2 * turns, (2, 3))), torch.rot90(y, turns, (2, 3))


def normalises_the_mask(images, masks, seed):
    x, y = make_batch(images, masks, seed)
    return x, normalise(y)


def forgets_to_normalise_the_batch(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return torch.rot90(x, turns, (2, 3)), torch.rot90(y, turns, (2, 3))


def returns_the_mask_first(images, masks, seed):
    x, y = make_batch(images, masks, seed)
    return y, x


def makes_the_mask_of_the_image(images, masks, seed):
    x, _ = make_batch(images, masks, seed)
    return x, x


def returns_the_image_alone(images, masks, seed):
    return make_batch(images, masks, seed)[0]


def forgets_to_return_the_batch(images, masks, seed):
    make_batch(images, masks, seed)


def turns_the_image_again(images, masks, seed):
    (x, y), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, 2 * turns, (2, 3))), y


def turns_the_image_into_the_mask(images, masks, seed):
    (x, _), turns, _ = drawn(images, masks, seed)
    return normalise(torch.rot90(x, turns, (2, 3))), torch.rot90(x, 2 * turns, (2, 3))


def forgets_to_make_the_mask_float(images, masks, seed):
    x, y = make_batch(images, masks, seed)
    return x, y.byte()


def returns_arrays(images, masks, seed):
    x, y = make_batch(images, masks, seed)
    return x.numpy(), y.numpy()


@dataclass(frozen=True, kw_only=True)
class BatchExercise(FunctionExercise):
    """A batch to make: beside the right values, images and masks must be tensors of floats, which the loss needs."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        found = super()._fault(call, right, answer)
        if found or not isinstance(call.value, list | tuple):
            return found
        for name, part in zip(("images", "masks"), call.value, strict=True):
            if not isinstance(part, Tensor):
                return f"The {name} are no tensor any more: the network and the loss work on tensors."
            if not part.is_floating_point():
                return f"The {name} are right, but of dtype {part.dtype}: the loss needs floats, so keep `.float()`."
        return ""


EXERCISE_9_1 = BatchExercise(
    number="9.1",
    title="Repair the batch",
    difficulty="easy",
    minutes=4,
    reference=make_batch,
    cases=parts_and_seeds,
    broken=broken_script.make_batch,
    describe=describe_part,
    tolerance=1e-5,
    only_values=True,
    mistakes=[
        (turns_the_mask_back, "You turn the mask the other way round: both turn by `turns`."),
        (
            turns_both_back,
            "The pairs fit again, but both turn the other way round. The image was right: turn the mask like it.",
        ),
        (
            turns_nothing,
            "The pairs fit again, but nothing is turned any more. Keep the augmentation, and turn the mask as well.",
        ),
        (turns_the_mask_alone, "Now the mask is turned and the image is not."),
        (draws_the_turns_again, "You draw a second number for the mask: image and mask turn by the same `turns`."),
        (
            turns_image_and_channel,
            "Without (2, 3), `rot90` turns dimensions 0 and 1, here the images of the batch and the channels.",
        ),
        (turns_channel_and_row, "Height and width are dimensions 2 and 3; you turn 1 and 2."),
        (turns_the_mask_once, "The mask always makes one quarter turn: it has to make `turns`."),
        (turns_both_once, "Both always make one quarter turn: it has to be `turns`, which the seed draws."),
        (flips_the_mask, "You mirror the mask: the image was turned."),
        (transposes_the_mask, "You swap rows and columns of the mask, which mirrors it: the image was turned."),
        (
            turns_the_whole_masks,
            "You turn the whole mask before the piece is cut out, so the piece comes from elsewhere. "
            "Cut first, then turn.",
        ),
        (turns_the_mask_twice, "The mask is turned twice: it turns once, by `turns`."),
        (turns_the_image_twice, "The mask is right now, but the image is turned twice."),
        (normalises_the_mask, "Only the image is normalised: the mask has to keep its 0 and 1."),
        (forgets_to_normalise_the_batch, "The pairs fit, but the images are not normalised any more."),
        (returns_the_mask_first, "The order is wrong: first the images, then the masks."),
        (makes_the_mask_of_the_image, "You return the image as its own mask: turn `y`, not `x`."),
        (turns_the_image_again, "You turn the image a second time, and the mask not at all: turn `y` by `turns`."),
        (
            turns_the_image_into_the_mask,
            "You turn `x` once more and call it the mask: it is `y` that has to be turned.",
        ),
    ],
    also_wrong=[
        (forgets_to_make_the_mask_float, "keep `.float()`"),
        (returns_arrays, "no tensor any more"),
        (returns_the_image_alone, "should be a tuple, not a tensor"),
        (forgets_to_return_the_batch, "returns None"),
    ],
)


# Exercise 9.2: The first loss


DICE = 2 * 0.5 * 0.8 / (0.5 + 0.8)  # of p = ½ everywhere against masks of 80 % white
RARE = 2 * 0.5 * 0.2 / (0.5 + 0.2)

EXERCISE_9_2 = NumberExercise(
    number="9.2",
    title="The first loss",
    difficulty="easy",
    minutes=4,
    question="½·BCE + (1 − Dice) of p = ½ everywhere, if 80 % of the mask are foreground",
    solution=0.5 * log(2) + 1 - DICE,
    tolerance=2e-3,
    mistakes=[
        (log(2) + 1 - DICE, "The cross-entropy counts half: ½ · 0.693."),
        (0.5 * log(2) + DICE, "You added the Dice itself: the loss takes 1 − Dice, which falls as the overlap grows."),
        (0.5 * log(2), "This is the half of the cross-entropy alone: 1 − Dice is missing."),
        (1 - DICE, "This is 1 − Dice alone: the half of the cross-entropy is missing."),
        (log(2), "This is the whole cross-entropy and no Dice."),
        (0.5 + 1 - DICE, "You took the logarithm to base 2: cross-entropy is in nats."),
        (0.5 * log10(2) + 1 - DICE, "You took the logarithm to base 10: cross-entropy is in nats."),
        (0.5 * (log(2) + 1 - DICE), "You halved 1 − Dice too: only the cross-entropy counts half."),
        (0.5 * 0.8 * log(2) + 1 - DICE, "The background costs as well: −log(1 − ½) is the same as −log ½."),
        (0.5 * log(2) + 1 - 2 * DICE, "You took 0.8 for Σpy: each pixel of the foreground brings p = ½."),
        (0.5 * log(2) + 1 - DICE / (2 - DICE), "You took the IoU: the loss has the Dice."),
        (0.5 * log(2) + 1 - DICE / 2, "The 2 of the Dice is missing: 2 · ½ · 0.8 is its numerator."),
        (0.5 * log(2) + 1 - 0.8 / 1.05, "You squared the probabilities in the denominator: it holds their sum, ½."),
        (-0.5 * log(2) + 1 - DICE, "The sign of the cross-entropy is wrong: it is minus the logarithm, so above 0."),
        (
            0.5 * log(2) + 1 - 2 * 0.8 / 1.8,
            "You counted p = ½ as foreground: soft Dice takes the probability itself, so Σp is ½.",
        ),
        (
            0.5 * (-0.8 * log(0.8) - 0.2 * log(0.2)) + 1 - DICE,
            "This is the cross-entropy of p = 0.8: the network says ½ everywhere, whatever the mask.",
        ),
        (0.5 * log(2) + 1 - RARE, "You took 20 % foreground: it is 80 %."),
        (0.5 * log(2) + 1 - 0.8, "You took the foreground, 0.8, for the Dice: it is 2Σpy / (Σp + Σy)."),
        (-0.5 * log(2) - 1 + DICE, "The sign of the whole loss is turned round: a loss is not below 0."),
    ],
    also_wrong=[
        (1.078, "counts half"),
        (0.962, "takes 1 − Dice"),
        (0.347, "1 − Dice is missing"),
        (0.885, "base 2"),
        (0.535, "base 10"),
        (0.0381, "sign of the cross-entropy"),
        (-0.731, "sign of the whole"),
        (0.547, "0.8, for the Dice"),
        (0.4577, "as foreground"),
        (0.6348, "p = 0.8"),
        (1.0609, "20 %"),
        ((0.347, 0.385), "one number"),
    ],
)


# Exercise 9.3: Repair the loss


class SmallNet(nn.Module):
    """A network of two convolutions that returns a list of logits; its batch norm knows two modes."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.conv = nn.Conv2d(1, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 1, H, W) to a list of one (N, 1, H, W)."""
        return [self.head(torch.relu(self.norm(self.conv(x))))]


def loss_of(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Return ½BCE + Dice of the network's logits."""
    return bce_dice_loss(net(x)[0], y)


def batch_of(random: np.random.Generator, side: int = 6) -> tuple[Tensor, Tensor]:
    """Return a batch whose masks can be learned: foreground is where the image is bright."""
    x = torch.from_numpy(random.normal(0, 1, (2, 1, side, side))).float()
    return x, (x > 0.2).float()


def networks_and_batches(random: np.random.Generator) -> Iterator[tuple[nn.Module, Tensor, Tensor]]:
    """Yield networks and batches; the later images ask for a gradient."""
    for seed in range(3):
        yield SmallNet(seed), *batch_of(random)
    for seed in range(3, 5):
        x, y = batch_of(random)
        yield SmallNet(seed), x.requires_grad_(), y


def describe_step(net: nn.Module, x: Tensor, y: Tensor) -> str:
    """Return a case in words."""
    return f"a small network, a batch of {len(x)} images, and their masks"


def another_loss(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """Return a `loss_of` that does something else with logits and truth."""
    return lambda net, x, y: loss(net(x)[0], y)


def takes_all_heads(net, x, y):
    return bce_dice_loss(net(x), y)


def takes_two_sigmoids(net, x, y):
    return bce_dice_loss(net(x)[0].sigmoid().sigmoid(), y)


def swaps_the_arguments(net, x, y):
    return bce_dice_loss(y, net(x)[0])


def evaluates_the_network(net, x, y):
    return loss_of(net.eval(), x, y)


def detaches_the_logits(net, x, y):
    return bce_dice_loss(net(x)[0].detach(), y)


def forgets_to_return_the_loss(net, x, y):
    loss_of(net, x, y)


EXERCISE_9_3 = LossExercise(
    number="9.3",
    title="Repair the loss",
    difficulty="easy",
    minutes=3,
    reference=loss_of,
    cases=networks_and_batches,
    broken=broken_script.loss_of,
    describe=describe_step,
    tolerance=1e-4,
    mistakes=[
        (takes_all_heads, "`net(x)` is a list of heads: the loss takes the logits of one, so `[0]` has to stay."),
        (takes_two_sigmoids, "There are even more sigmoids now: the loss wants none."),
        (another_loss(bce_loss), "Dice is missing: keep `bce_dice_loss`."),
        (another_loss(soft_dice_loss), "The cross-entropy is missing: keep `bce_dice_loss`."),
        (swaps_the_arguments, "The arguments are swapped: first the logits, then the masks."),
        (
            another_loss(lambda z, y: bce_dice_loss((z > 0).float(), y)),
            "You hand over decisions, 0 or 1: the loss wants the logits themselves.",
        ),
        (
            another_loss(lambda z, y: bce_dice_loss(z.softmax(dim=1), y)),
            "With a single channel, softmax is 1 everywhere: the loss wants the logits themselves.",
        ),
        (
            another_loss(lambda z, y: bce_dice_loss(z.sigmoid() - 0.5, y)),
            "You hand over p − ½: its sign is right, but it still lies between −½ and ½. The loss wants the logits.",
        ),
        (
            another_loss(lambda z, y: bce_dice_loss(z.tanh(), y)),
            "`tanh` squeezes the logits just as the sigmoid does: hand them over as they are.",
        ),
        (
            another_loss(lambda z, y: bce_dice_loss(z.relu(), y)),
            "`relu` cuts off every negative logit, so nothing could be called background.",
        ),
        (
            another_loss(lambda z, y: bce_dice_loss(z, y, bce_weight=1.0)),
            "You count the cross-entropy whole: leave its weight of ½ as it is.",
        ),
        (
            another_loss(lambda z, y: bce_dice_loss(z.sigmoid().log(), y)),
            "You hand over log p: the loss wants the logits themselves, as the network gives them.",
        ),
        (
            another_loss(lambda z, y: bce_dice_loss(1 - z.sigmoid(), y)),
            "You hand over 1 − p, which is still a probability, and that of the wrong class.",
        ),
        (
            another_loss(lambda z, y: bce_dice_loss(z, y.sigmoid())),
            "You put the masks through a sigmoid: they keep their 0 and 1, and the logits stay as they are.",
        ),
        (
            evaluates_the_network,
            "You put the network into evaluation mode: this is a loss for training, so leave the mode alone.",
        ),
        (another_loss(lambda z, y: bce_dice_loss(-z, y)), "The sign of the logits is turned round."),
        (another_loss(lambda z, y: -bce_dice_loss(z, y)), "The sign of the loss is turned round: it would grow."),
    ],
    also_wrong=[
        (detaches_the_logits, "The value is right, but it has no gradient"),
        (forgets_to_return_the_loss, "returns None"),
    ],
)


# Exercise 9.4: The loop


Batches = list[tuple[Tensor, Tensor]]
Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


def train(net: nn.Module, batches: Batches, rate: float, loss_of: Loss) -> list[float]:
    """Put the network into training mode, make one step of Adam with each batch, and return the losses."""
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    losses = []
    for x, y in batches:
        loss = loss_of(net, x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def cross_entropy_of(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Return another loss than the notebook's: the loop has to use the one that it is given."""
    return binary_cross_entropy_with_logits(net(x)[0], y)


def trainings(random: np.random.Generator) -> Iterator[tuple[nn.Module, Batches, float, Loss]]:
    """Yield short runs: on one batch again and again, on new ones, and of a network that is in evaluation mode."""
    yield SmallNet(0), [batch_of(random)] * 4, 0.05, cross_entropy_of
    yield SmallNet(1), [batch_of(random) for _ in range(8)], 0.01, cross_entropy_of
    yield SmallNet(2).eval(), [batch_of(random) for _ in range(5)], 0.02, cross_entropy_of
    yield SmallNet(3), [batch_of(random)] * 25, 0.1, loss_of


def describe_training(net: nn.Module, batches: Batches, rate: float, loss_of: Loss) -> str:
    """Return a case in words."""
    mode = "training" if net.training else "evaluation"
    same = all(batch is batches[0] for batch in batches)
    kind = "times the same batch" if same else "batches"
    return f"a small network in {mode} mode, {len(batches)} {kind}, rate = {rate:g}, and a loss"


@dataclass(frozen=True, kw_only=True)
class TrainingExercise(FunctionExercise):
    """A loop to write: beside the losses, the network that it was given must have learned what the reference's has."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        values = call.value if isinstance(call.value, list) else []
        if any(isinstance(value, Tensor) and value.requires_grad for value in values):
            return "You keep loss tensors, and each keeps all that it was computed from: append `loss.item()`."
        found = super()._fault(call, right, answer)
        if found or call.error is not None:
            return found
        learned = attempt(self.reference, call.given).after[0].state_dict()
        weights = call.after[0].state_dict()
        # not the convolution's bias, which batch norm subtracts again: its gradient is rounding
        compared = [name for name in learned if name.startswith("head") or name in ("conv.weight", "norm.weight")]
        if all(alike(learned[name], weights[name], 1e-2) for name in compared):
            return ""
        return "The losses agree, but the weights do not: did you train a copy, or change another setting of Adam?"


def _loop(
    zero: str = "before", mode: str | None = "train", optimiser: type = torch.optim.Adam
) -> Callable[[nn.Module, Batches, float, Loss], list[float]]:
    """Return a loop in which something is otherwise: when gradients are set to zero, the mode, or the optimiser."""

    def wrong(net: nn.Module, batches: Batches, rate: float, loss_of: Loss) -> list[float]:
        if mode is not None:
            getattr(net, mode)()
        optimizer = optimiser(net.parameters(), lr=rate)
        losses = []
        for x, y in batches:
            loss = loss_of(net, x, y)
            if zero == "before":
                optimizer.zero_grad()
            loss.backward()
            if zero == "between":
                optimizer.zero_grad()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return wrong


def makes_an_optimiser_in_each_step(net, batches, rate, loss_of):
    net.train()
    losses = []
    for x, y in batches:
        optimizer = torch.optim.Adam(net.parameters(), lr=rate)
        loss = loss_of(net, x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def steps_twice(net, batches, rate, loss_of):
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    losses = []
    for x, y in batches:
        loss = loss_of(net, x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        optimizer.step()
        losses.append(loss.item())
    return losses


def forgets_the_rate(net, batches, rate, loss_of):
    return train(net, batches, 0.001, loss_of)


def uses_its_own_loss(net, batches, rate, loss_of):
    def own(net, x, y):
        return bce_dice_loss(net(x)[0], y)

    return train(net, batches, rate, own)


def steps_before_it_goes_back(net, batches, rate, loss_of):
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    losses = []
    for x, y in batches:
        loss = loss_of(net, x, y)
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
    return losses


def takes_the_loss_after_the_step(net, batches, rate, loss_of):
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    losses = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_of(net, x, y).backward()
        optimizer.step()
        losses.append(loss_of(net, x, y).item())
    return losses


def sees_the_first_batch_alone(net, batches, rate, loss_of):
    return train(net, [batches[0]] * len(batches), rate, loss_of)


def returns_in_the_loop(net, batches, rate, loss_of):
    return train(net, batches[:1], rate, loss_of)


def keeps_the_tensors(net, batches, rate, loss_of):
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    losses = []
    for x, y in batches:
        loss = loss_of(net, x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return losses


def trains_a_copy(net, batches, rate, loss_of):
    twin = SmallNet(0).train(net.training)
    twin.load_state_dict(net.state_dict())
    return train(twin, batches, rate, loss_of)


def returns_the_mean(net, batches, rate, loss_of):
    losses = train(net, batches, rate, loss_of)
    return sum(losses) / len(losses)


def forgets_to_return_the_losses(net, batches, rate, loss_of):
    train(net, batches, rate, loss_of)


EXERCISE_9_4 = TrainingExercise(
    number="9.4",
    title="The loop",
    difficulty="medium",
    minutes=8,
    reference=train,
    cases=trainings,
    describe=describe_training,
    tolerance=2e-3,
    seconds=20,
    mistakes=[
        (
            broken_script.train,
            "The first step is right, then the gradients of all steps add up, as in the script. "
            "Set them to zero in every step.",
        ),
        (
            _loop(zero="between"),
            "No step changes anything. Is `step` or `backward` missing, or is the gradient set to zero between them?",
        ),
        (
            steps_before_it_goes_back,
            "You step before you go back, so each step uses the gradient of the batch before, and the first has none.",
        ),
        (
            _loop(mode=None),
            "A network that comes in evaluation mode stays in it: begin with `net.train()`.",
        ),
        (_loop(mode="eval"), "The network trains in evaluation mode: begin with `net.train()`."),
        (_loop(optimiser=torch.optim.SGD), "This is SGD: take Adam."),
        (_loop(optimiser=torch.optim.RMSprop), "This is RMSprop: take Adam."),
        (steps_twice, "You take two steps with each gradient: one `optimizer.step()` per batch."),
        (_loop(optimiser=torch.optim.AdamW), "This is AdamW, which also shrinks the weights: take Adam."),
        (
            makes_an_optimiser_in_each_step,
            "You make a new optimiser in every step, so Adam's running means begin again each time: make it once.",
        ),
        (forgets_the_rate, "Adam runs at its default rate of 0.001: give it `lr=rate`."),
        (uses_its_own_loss, "You compute a loss of your own: use the function `loss_of` that you are given."),
        (takes_the_loss_after_the_step, "You note the loss after the step: it should be the one that the step used."),
        (sees_the_first_batch_alone, "Every step sees the first batch: go through all of them."),
        (returns_in_the_loop, "You return after the first batch: move `return` to the left."),
    ],
    also_wrong=[
        (keeps_the_tensors, "append `loss.item()`"),
        (trains_a_copy, "did you train a copy"),
        (returns_the_mean, "should be a list"),
        (forgets_to_return_the_losses, "returns None"),
    ],
)


EXERCISE_9_5 = ChoiceExercise(
    number="9.5",
    title="Would one batch have shown it?",
    difficulty="easy",
    minutes=2,
    question="One batch of the script, image turned and mask not, and your loop: 60 steps",
    options={
        "a": Option(
            "The loss stays near its first value, because these masks do not belong to these images.",
            "To a network, four pairs are four pairs. With enough weights it can memorise any mask for any image.",
        ),
        "b": Option(
            "The loss falls to about half of its first value and stays there.",
            "That is what the script's loop does. Yours goes almost all the way, whatever the pairs.",
        ),
        "c": Option(
            "The loss falls almost as low as with the right pairs.",
            "The network memorises four wrong pairs about as well as four right ones. The test cannot see it.",
            right=True,
        ),
        "d": Option(
            "The loss becomes larger and larger, because each step contradicts the one before.",
            "All steps see the same four pairs, so they do not contradict one another.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.06, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_9_6 = ChoiceExercise(
    number="9.6",
    title="Four suspects",
    difficulty="medium",
    minutes=2,
    question="The loss is low, and no membrane is found, in validation nor in training images. What is left?",
    options={
        "a": Option(
            "what happens between the image and the mask in `predict`",
            "The loss says that the network tells membrane from interior in the training pieces. Between it and a "
            "score of 0 on these very images stands `predict`: what the network is given, and the threshold.",
            right=True,
        ),
        "b": Option(
            "overfitting: the network has memorised its 28 training images",
            "A network that overfits does well on the images that it was trained on. This one scores 0 there, too.",
        ),
        "c": Option(
            "the learning rate, which is too low for a network of this size",
            "Then the loss would be high as well: it is about 0.22.",
        ),
        "d": Option(
            "the validation images, which differ from the training images",
            "The training images score 0, too. A difference between the two cannot explain that.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        ("predict", "by its letter"),
    ],
)


# Exercise 9.7: Repair the prediction


def predict(net: nn.Module, image: Tensor) -> Tensor:
    """Return the predicted mask of an image, which the network gets as it did in training: normalised."""
    net.eval()
    with torch.no_grad():
        logits: Tensor = net(normalise(image)[None])[0]
    return (logits[0] > 0).to(torch.uint8)


def networks_and_images(random: np.random.Generator) -> Iterator[tuple[nn.Module, Tensor]]:
    """Yield networks in training mode, whose averages fit normalised images, and images of various sizes."""
    for seed, (height, width) in enumerate([(6, 8), (16, 16), (12, 20), (64, 64)]):
        net = SmallNet(seed)
        for _ in range(10):
            net(torch.from_numpy(random.normal(0.4, 2, (2, 1, 16, 16))).float())
        with torch.no_grad():  # logits around 0, so that both classes are predicted, and wide enough to tell cuts apart
            net.head.weight *= 10
            image = torch.from_numpy(random.uniform(0, 1, (1, height, width))).float()
            net.head.bias -= net.eval()(normalise(image)[None])[0].median() + 0.003  # no logit is 0 itself
        yield net.train(), image


def describe_image(net: nn.Module, image: Tensor) -> str:
    """Return a case in words."""
    return f"a small trained network and an image {tuple(image.shape)} with values in [0, 1]"


def another_prediction(
    prepare: Callable[[Tensor], Tensor] = normalise,
    decide: Callable[[Tensor], Tensor] = lambda z: z > 0,
    mode: str = "eval",
) -> Callable[[nn.Module, Tensor], Tensor]:
    """Return a `predict` that prepares the image otherwise, decides otherwise, or works in another mode."""

    def wrong(net: nn.Module, image: Tensor) -> Tensor:
        getattr(net, mode)()
        with torch.no_grad():
            logits: Tensor = net(prepare(image)[None])[0]
        return decide(logits[0]).to(torch.uint8)

    return wrong


def returns_probabilities(net, image):
    net.eval()
    with torch.no_grad():
        return net(normalise(image)[None])[0][0].sigmoid()


def keeps_the_batch(net, image):
    return predict(net, image)[None]


def forgets_to_return_the_mask(net, image):
    predict(net, image)


EXERCISE_9_7 = FunctionExercise(
    number="9.7",
    title="Repair the prediction",
    difficulty="easy",
    minutes=3,
    reference=predict,
    cases=networks_and_images,
    broken=broken_script.predict,
    describe=describe_image,
    only_values=True,
    mistakes=[
        (another_prediction(decide=lambda z: normalise(z) > 0), "You normalise the logits as well: leave them."),
        (
            another_prediction(lambda image: image, lambda z: z > 0.5),
            "You cut the logits at 0.5, but `> 0` was right: a logit of 0 is a probability of ½. "
            "Look at what the network is given instead.",
        ),
        (
            another_prediction(lambda image: image, lambda z: normalise(z) > 0),
            "You normalise the logits: it is the image that has to be normalised.",
        ),
        (another_prediction(lambda image: normalise(normalise(image))), "You normalise twice: once is enough."),
        (another_prediction(mode="train"), "The prediction is made in training mode: keep `net.eval()`."),
        (
            another_prediction(lambda image: image, mode="train"),
            "The images are still not normalised, and training mode does not replace it: keep `net.eval()` and use "
            "`normalise`.",
        ),
        (
            another_prediction(lambda image: image * 255),
            "You bring the image to grey values up to 255: the network knows normalised images, so use `normalise`.",
        ),
        (
            another_prediction(lambda image: image, lambda z: z < 0),
            "You swap the classes, and the image is still not normalised: leave `> 0` alone.",
        ),
        (
            another_prediction(lambda image: (image - image.mean()) / image.std()),
            "You take mean and spread of this one image: the network was trained with those of all training images, "
            "so use `normalise`.",
        ),
        (
            another_prediction(lambda image: image - broken_script.MEAN),
            "You subtract the mean and do not divide by the spread: use `normalise`.",
        ),
        (
            another_prediction(lambda image: image / broken_script.SPREAD),
            "You divide by the spread and do not subtract the mean: use `normalise`.",
        ),
        (
            another_prediction(lambda image: image * broken_script.SPREAD + broken_script.MEAN),
            "You undo the normalising: the image in [0, 1] has to be normalised.",
        ),
        (another_prediction(lambda image: image / 255), "The image is in [0, 1] already: use `normalise`."),
        (
            another_prediction(decide=lambda z: z > 0.5),
            "You cut the logits at 0.5: a logit of 0 is a probability of ½.",
        ),
        (
            another_prediction(decide=lambda z: z.sigmoid() > 0),
            "A probability is always above 0: cut it at ½, or the logit at 0.",
        ),
        (another_prediction(decide=lambda z: z < 0), "The classes are swapped: a logit above 0 is foreground."),
        (
            lambda net, image: 255 * predict(net, image),
            "Foreground is 1 in a mask of this course: 0 and 255 are found in files alone.",
        ),
        (returns_probabilities, "You return probabilities: a mask of 0 and 1 is asked for."),
    ],
    also_wrong=[
        (keeps_the_batch, "The shape is"),
        (forgets_to_return_the_mask, "returns None"),
    ],
)


EXERCISE_9_8 = ChoiceExercise(
    number="9.8",
    title="Choose a rate",
    difficulty="easy",
    minutes=2,
    question="Which rate does the range test suggest?",
    options={
        "a": Option(
            "0.0001, because the loss is still calm there",
            "It is calm because nothing happens: the loss has not begun to fall.",
        ),
        "b": Option(
            "0.01, where the loss is falling fast",
            "Here the loss falls fast, and the rate is a tenth of the one where it stops falling, which is about 0.1.",
            right=True,
        ),
        "c": Option(
            "1, because a higher rate trains faster as long as the loss does not explode",
            "In the range test the loss stops falling near 0.1, a tenth of this rate. At 1 it is low because of the "
            "steps before.",
        ),
        "d": Option(
            "none of them: it cannot be told before all three have been trained",
            "A guess is possible, and it costs a hundred steps. The next cell tries it.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.01, "by its letter"),
    ],
    prediction=True,
)


EXERCISES = (
    EXERCISE_9_1,
    EXERCISE_9_2,
    EXERCISE_9_3,
    EXERCISE_9_4,
    EXERCISE_9_5,
    EXERCISE_9_6,
    EXERCISE_9_7,
    EXERCISE_9_8,
)
