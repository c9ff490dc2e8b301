"""The copies experiment: groups share no source, the held-out copies are never trained on, and roles are swapped."""

import pytest
import torch

from unetpp_course.lab import copies
from unetpp_lib.data import SegmentationFolder, find_dataset


@pytest.mark.slow
def test_no_image_serves_two_groups_or_two_seeds():
    firsts = [copies.draw_copies(group, seed)[1][:, 0] for seed in copies.SEEDS for group in copies.GROUPS]
    masks = torch.cat(firsts).flatten(1)
    assert len(masks) == 40
    assert len(masks.unique(dim=0)) == 40


def test_copy_0_is_the_middle_of_its_source_and_the_others_are_bent():
    folder = SegmentationFolder(find_dataset("membranes"))
    images, masks, distractors = copies.draw_copies("B", seed=1)
    assert images.shape == masks.shape == distractors.shape == (4, 15, 1, 128, 128)
    middle = folder[13][0][:, 64:192, 64:192]  # seed 1, group B begins with image 12
    assert torch.allclose(images[1, 0], (middle - middle.mean()) / middle.std(), atol=1e-4)
    assert torch.equal(masks[1, 0], folder[13][1][:, 64:192, 64:192])
    assert not any(torch.equal(masks[1, 0], masks[1, copy]) for copy in range(1, 15))


@pytest.mark.slow
def test_training_sees_neither_the_held_out_copies_nor_the_other_group(monkeypatch):
    seen = []
    monkeypatch.setattr(copies, "train_epochs", lambda images, masks, seed: seen.append(images) or ["network"])
    copies.train_on("A", seed=0)
    drawn, _, _ = copies.draw_copies("A", seed=0)
    assert torch.equal(seen[0], drawn[:, :12].flatten(0, 1))
    assert torch.equal(copies.held_out("A", seed=0)[0], drawn[:, 12:].flatten(0, 1))


def test_scores_of_a_perfect_and_of_an_all_white_answer():
    masks = torch.tensor([[[[1, 1, 0, 1]]]], dtype=torch.uint8)
    distractors = torch.tensor([[[[0, 2, 0, 1]]]], dtype=torch.uint8)
    assert copies.read_scores(masks, masks, distractors) == {"white": 1, "membrane": 1, "distractors": 0}
    white = copies.read_scores(torch.ones_like(masks), masks, distractors)
    assert white == {"white": 0.75, "membrane": 0, "distractors": 0}
    ringed = torch.tensor([[[[1, 0, 0, 1]]]], dtype=torch.uint8)
    assert copies.read_scores(ringed, masks, distractors)["distractors"] == 0.5


def test_a_gain_that_only_one_group_has_by_being_easier_cancels_out():
    easy, hard = {"white": 0.9}, {"white": 0.7}
    outcome = {"A": {"known": easy, "unseen": hard}, "B": {"known": hard, "unseen": easy}}
    assert copies.gain(outcome, "white") == pytest.approx(0)


def test_training_is_repeatable_and_leaves_the_global_generator_alone():
    images, masks = torch.rand(4, 1, 16, 16), (torch.rand(4, 1, 16, 16) > 0.5).to(torch.uint8)
    state = torch.random.get_rng_state()
    first, second = (list(copies.train_epochs(images, masks, seed=3, epochs=2))[-1].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_table_gives_each_direction_and_the_interval_of_the_gains(results_of):
    reading = dict.fromkeys(copies.READ, 0.5)
    outcomes = {
        f"seed{seed}": {group: {"known": dict.fromkeys(copies.READ, 0.6), "unseen": reading} for group in "AB"}
        for seed in (0, 1)
    }
    text = copies.table(results_of(copies.EXPERIMENT, outcomes))
    assert text.count("0.600  0.500") == 12
    assert "membrane     +0.100 [+0.100, +0.100]" in text
