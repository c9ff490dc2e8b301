"""The experiment on losses: its images, its fairness, and how its table reads outcomes."""

from collections import deque
from copy import deepcopy
from functools import partial

import pytest
import torch

from unetpp_course.lab import find_experiment, losses
from unetpp_course.lab.loops import train_steps
from unetpp_lib.engine import choose_runtime
from unetpp_lib.engine.loop import learning_rate, make_optimizer, seeded
from unetpp_lib.losses import bce_dice_loss, bce_loss, deep_supervision_loss
from unetpp_lib.models import UNet


@pytest.mark.parametrize("discs", losses.BALANCES)
def test_a_disc_is_about_one_percent_of_an_image(discs):
    _, masks = losses.draw_part("validation", discs, 0)
    assert masks.float().mean().item() == pytest.approx(discs / 100, rel=0.1)
    assert masks.flatten(1).any(dim=1).all()


def test_the_same_seed_draws_the_same_and_parts_share_no_image():
    image, mask = losses.draw_discs(5, 7)
    again, _ = losses.draw_discs(5, 7)
    assert torch.equal(image, again)
    assert (image.shape, mask.shape, mask.dtype) == ((1, 64, 64), (1, 64, 64), torch.uint8)
    drawn = torch.cat([losses.draw_part(part, 1, seed)[0] for part in losses.PARTS for seed in (0, 1)])
    assert len(drawn.flatten(1).unique(dim=0)) == 2 * sum(losses.PARTS.values())


def test_an_image_that_leaves_no_room_is_begun_again(monkeypatch):
    monkeypatch.setattr(losses, "TRIES", 300)  # too few for most beginnings with 20 discs
    _, mask = losses.draw_discs(20, 0)
    assert mask.float().mean().item() == pytest.approx(0.2, rel=0.2)


def test_rings_are_as_bright_as_discs_and_unlabelled():
    pairs = [losses.draw_discs(1, seed) for seed in range(40)]
    bright = torch.stack([torch.nn.functional.avg_pool2d(image, 3, 1, 1) > 1 for image, _ in pairs])
    masks = torch.stack([mask for _, mask in pairs]) == 1
    assert (bright & ~masks).sum() > (bright & masks).sum() > 0


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(losses, "STEPS", 1)
    monkeypatch.setattr(losses, "LONG", 2)
    monkeypatch.setattr(losses, "PARTS", {"train": 4, "validation": 2, "test": 2})
    losses.draw_part.cache_clear()
    yield
    losses.draw_part.cache_clear()


@pytest.mark.usefixtures("few")
def test_losses_start_from_the_same_weights_and_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    networks = [losses.train_network(loss, 1, 0.0, 3, steps=1) for loss in losses.LOSSES]
    assert torch.equal(before, torch.get_rng_state())
    first, *others = [list(network.parameters()) for network in networks]
    assert all(torch.equal(a, b) for other in others for a, b in zip(first, other, strict=True))


@pytest.mark.usefixtures("few")
def test_a_trial_measures_every_rate():
    outcome = losses.measure("both", 5, 0)
    assert list(outcome) == ["foreground", *(f"{rate:g}" for rate in losses.RATES)]
    assert list(losses.measure("both", 5, 0, long=True)) == ["foreground", *(f"{rate:g}" for rate in losses.LONG_RATES)]
    for rate in losses.RATES:
        assert set(outcome[f"{rate:g}"]) == {"validation", "test", "threshold"}
        assert outcome[f"{rate:g}"]["validation"]["iou_tuned"] >= outcome[f"{rate:g}"]["validation"]["iou"]


def test_scores_of_a_sure_and_wrong_answer():
    masks = torch.tensor([[[[1, 1, 0, 0]]]], dtype=torch.uint8)
    p = torch.tensor([[[[0.95, 0.4, 0.99, 0.0]]]])
    found = losses.score(p, masks)
    assert found["iou"] == pytest.approx(1 / 3)
    assert found["error"] == pytest.approx((0.05 + 0.6 + 0.99) / 4)
    assert (found["sure"], found["sure_when_wrong"], found["held"]) == (0.75, 0.5, 0.5)
    assert found["said"] == pytest.approx(0.97)
    assert losses.score(torch.zeros(1, 1, 1, 4), masks)["said"] is None


def outcome(validation, test):
    scores = {"error": 0.1, "sure": 0.9, "sure_when_wrong": None, "said": 0.9, "held": 0.8}
    rates = [f"{rate:g}" for rate in losses.RATES]
    return {
        rate: {"validation": {"iou": v, "iou_tuned": 1 - v}, "test": scores | {"iou": t, "iou_tuned": t}}
        for rate, v, t in zip(rates, validation, test, strict=True)
    }


def test_the_rate_is_chosen_on_validation_images_and_the_table_pairs_seeds(results_of):
    outcomes = {}
    for seed in range(2):
        outcomes[f"bce-discs1-seed{seed}"] = outcome((0.1, 0.5, 0.2), (0.9, 0.4 + 0.1 * seed, 0.8))
        outcomes[f"dice-discs1-seed{seed}"] = outcome((0.6, 0.5, 0.2), (0.5 + 0.1 * seed, 0.4, 0.8))
    results = results_of(losses.EXPERIMENT, outcomes)
    assert losses.best_rate(results, "bce", 1) == f"{losses.RATES[1]:g}"
    assert losses.by_seed(results, "dice", 1).tolist() == pytest.approx([0.5, 0.6])
    assert losses.best_rate(results, "bce", 1, by="iou_tuned") == f"{losses.RATES[0]:g}"
    assert losses.difference(results, "dice", 1) == "+0.100 [+0.100, +0.100]"
    assert "+0.100 [+0.100, +0.100]" in losses.table(results)


def test_the_experiment_is_known_by_name_and_tries_the_library_loss():
    experiment = find_experiment("losses")
    assert len(experiment.trials) == len(losses.LOSSES) * (len(losses.BALANCES) + 1) * len(losses.SEEDS)
    assert losses.LOSSES["both"] is bce_dice_loss


@pytest.mark.slow
def test_the_failed_network_of_notebook_06_is_held_down_by_the_memory_of_adam():
    batches = losses.draw_batches(1, seed=5, steps=losses.STEPS + 60)
    runtime = choose_runtime("cpu", "float32")
    with seeded(5, runtime.device):
        network = runtime.place(UNet(widths=losses.WIDTHS))
    optimizer = make_optimizer(network)
    bce = partial(deep_supervision_loss, loss=bce_loss)
    falling = partial(learning_rate, steps=losses.STEPS, highest=0.03, warm_up=0)
    deque(train_steps(network, batches[: losses.STEPS], falling, runtime, bce, optimizer=optimizer), maxlen=0)

    def p_of_the_bias(trained: UNet, optimizer: torch.optim.Optimizer) -> float:
        deque(
            train_steps(trained, batches[losses.STEPS :], lambda _: 0.03, runtime, bce, optimizer=optimizer), maxlen=0
        )
        return float(trained.heads[0].bias.sigmoid())

    again = deepcopy(network)
    remembering, fresh = p_of_the_bias(network, optimizer), p_of_the_bias(again, make_optimizer(again))
    assert remembering < 0.42
    assert fresh > 0.5
