"""A training step does what its arguments say and depends on nothing else; the schedule is the field's."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from unetpp_lib.data import Augmentation
from unetpp_lib.engine import Card, choose_runtime
from unetpp_lib.engine.loop import learning_rate, make_optimizer, prepare_batch, seeded, training_step
from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.losses import bce_loss, deep_supervision_loss
from unetpp_lib.models import UNet, UNetPlusPlus

RUNTIME = choose_runtime("cpu", "float32")


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 1, 16, 16, generator=generator)
    return images, (images > 0.5).to(torch.uint8)


def network(**options) -> UNetPlusPlus:
    torch.manual_seed(1)
    return UNetPlusPlus(widths=(4, 6, 8), norm="group", **options).train()


def test_a_step_moves_each_parameter_against_the_gradient_of_the_summed_loss():
    images, masks = batch()
    model, reference = network(), network()
    total = sum(F.binary_cross_entropy_with_logits(head, masks.float()) for head in reference(images))
    gradients = torch.autograd.grad(total, list(reference.parameters()))
    expected = [p - 0.1 * gradient for p, gradient in zip(reference.parameters(), gradients, strict=True)]
    optimizer = torch.optim.SGD(model.parameters(), lr=123.0)
    loss = training_step(model, optimizer, images, masks, 0.1, RUNTIME, partial(deep_supervision_loss, loss=bce_loss))
    assert loss.item() == pytest.approx(total.item(), rel=1e-6)
    assert not loss.requires_grad
    for mine, theirs in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_a_second_step_forgets_the_gradient_of_the_first():
    images, masks = batch()
    model, reference = network(), network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        training_step(model, optimizer, images, masks, 0.1, RUNTIME)
        gradients = torch.autograd.grad(deep_supervision_loss(reference(images), masks), list(reference.parameters()))
        with torch.no_grad():
            for p, gradient in zip(reference.parameters(), gradients, strict=True):
                p -= 0.1 * gradient
    for mine, theirs in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("captured", [False, True])
def test_old_gradients_go_before_a_captured_network_runs_and_else_before_the_backward_pass(captured):
    images, masks = batch()
    model, seen = network(), []
    model.register_forward_pre_hook(lambda *_: seen.append(next(model.parameters()).grad is None))
    runtime = Runtime(torch.device("cuda" if captured else "cpu"), bf16=False, compiled=captured)
    optimizer = make_optimizer(model)
    for _ in range(2):
        training_step(model, optimizer, images, masks, 0.1, runtime)
    assert seen == [True, captured]


def test_adam_is_that_of_its_paper():
    """Kingma & Ba 2015, algorithm 1, written out in float64."""
    images, masks = batch()
    torch.manual_seed(0)
    model = UNet(widths=(4, 6), norm="group").double()
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = make_optimizer(model)
    first, second = ([torch.zeros_like(p) for p in before] for _ in range(2))
    for step in (1, 2, 3):
        training_step(model, optimizer, images.double(), masks, 0.01, RUNTIME)
        for k, p in enumerate(model.parameters()):
            first[k] = 0.9 * first[k] + 0.1 * p.grad
            second[k] = 0.999 * second[k] + 0.001 * p.grad**2
            before[k] -= 0.01 * (first[k] / (1 - 0.9**step)) / ((second[k] / (1 - 0.999**step)).sqrt() + 1e-8)
    for mine, theirs in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12)


def test_dropout_follows_from_the_seed_alone_and_pytorchs_generators_stay_as_they_were():
    images, masks = batch()

    def loss_of(seed, state):
        torch.manual_seed(state)
        before = torch.get_rng_state()
        model = network(dropout=0.5)
        torch.set_rng_state(before)
        loss = training_step(model, make_optimizer(model), images, masks, 0.1, RUNTIME, seed=seed)
        assert torch.equal(torch.get_rng_state(), before)
        return loss.item()

    assert loss_of(seed=5, state=0) == loss_of(seed=5, state=99)
    assert loss_of(seed=5, state=0) != loss_of(seed=6, state=0)


def test_a_batch_is_normalised_then_augmented_as_its_seed_draws_it():
    images, masks = batch()
    given = images.clone(), masks.clone()
    card = Card(mean=(0.4,), std=(0.2,))
    plain, same_masks = prepare_batch(images, masks, card, None, seed=3)
    torch.testing.assert_close(plain, (images - 0.4) / 0.2)
    assert torch.equal(same_masks, masks)
    expected = Augmentation()((images - 0.4) / 0.2, masks, torch.Generator().manual_seed(3))
    found = prepare_batch(images, masks, card, Augmentation(), seed=3)
    assert all(torch.allclose(one, other) for one, other in zip(found, expected, strict=True))
    assert not torch.equal(found[0], prepare_batch(images, masks, card, Augmentation(), seed=4)[0])
    assert torch.equal(images, given[0])
    assert torch.equal(masks, given[1])


def test_the_rate_warms_up_and_falls_to_nothing():
    rates = [learning_rate(step, 100, 1.0) for step in range(100)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5] == 1.0
    assert all(a > b for a, b in pairwise(rates[5:]))
    assert rates[-1] < 0.001
    assert learning_rate(0, 1, 1.0) == 1.0


def test_without_warm_up_the_rate_is_pytorchs_cosine():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    for step in range(20):
        assert learning_rate(step, 20, 0.3, warm_up=0) == pytest.approx(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()


def test_the_generators_of_all_gpus_are_put_back_also_after_a_step_on_the_cpu(monkeypatch):
    """`torch.manual_seed` seeds them all; no GPU is needed to see which ones are asked for, and which ones are set."""
    asked, put_back = [], []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: None)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda gpu: asked.append(gpu) or gpu)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, gpu: put_back.append((state, gpu)))
    for device in ("cpu", "cuda:1"):
        with seeded(0, torch.device(device)):
            pass
    assert asked == [0, 1] * 2
    assert put_back == [(0, 0), (1, 1)] * 2
