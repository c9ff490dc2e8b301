"""The choice of an epoch: the test part's best epoch, scored there and on the other images."""

import numpy as np
import pytest
import torch

from unetpp_course.lab import epoch_choice

EPOCHS = np.array([[0.5, 0.9, 0.7], [0.8, 0.6, 0.1]])  # 2 epochs, 3 images


def test_the_epoch_is_chosen_on_the_test_part_alone():
    assert epoch_choice.choose_epoch(EPOCHS, [0]) == pytest.approx((0.8, 0.35))
    assert epoch_choice.choose_epoch(EPOCHS, [1, 2]) == pytest.approx((0.8, 0.5))


def test_optimism_is_the_mean_over_all_test_parts():
    by_hand = [0.8 - 0.35, 0.9 - 0.6, 0.7 - 0.7]  # image 0: epoch 1; images 1 and 2: epoch 0
    assert epoch_choice.optimism(EPOCHS.tolist(), size=1) == pytest.approx(sum(by_hand) / 3)


def test_where_there_is_nothing_to_choose_nothing_is_added():
    assert epoch_choice.optimism(EPOCHS[:1].tolist(), size=1) == pytest.approx(0)


def test_quarters_hold_every_pixel_once():
    batch = torch.arange(2 * 4 * 6).reshape(2, 1, 4, 6)
    parts = epoch_choice.quarters(batch)
    assert parts.shape == (8, 1, 2, 3)
    assert sorted(parts.flatten().tolist()) == list(range(48))
    assert torch.equal(parts[0], batch[0, :, :2, :3])


def test_the_table_shows_every_run_and_the_interval(results_of):
    outcomes = {f"seed{seed}": {name: np.tile(EPOCHS, 4).tolist() for name in ("white", "membrane")} for seed in (0, 1)}
    text = epoch_choice.table(results_of(epoch_choice.EXPERIMENT, outcomes))
    line = next(line for line in text.splitlines() if line.startswith("membrane  1 images"))
    first, second = line.split()[3:5]
    assert first == second
    assert line.endswith(f"{first} [{first}, {first}]")
