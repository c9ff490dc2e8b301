"""The leakage experiment: only the protocol "copies" leaks, and its table says what leaking adds."""

import pytest
import torch

from unetpp_course.lab import leakage

SLICES = [f"train_{number:02}" for number in range(30)]


def source(name: str) -> str:
    return name.split("_copy")[0]


@pytest.mark.parametrize("seed", leakage.SEEDS)
@pytest.mark.parametrize("protocol", leakage.PROTOCOLS)
def test_sources_stand_on_both_sides_where_copies_are_split_and_nowhere_else(protocol: str, seed: int):
    split = leakage.split_protocol(SLICES, protocol, seed)
    shared = {source(name) for name in split.train} & {source(name) for name in split.test}
    assert bool(shared) == (protocol == "copies")


@pytest.mark.parametrize("protocol", leakage.PROTOCOLS)
def test_every_protocol_trains_on_as_many_images(protocol: str):
    split = leakage.split_protocol(SLICES, protocol, 0)
    assert (len(split.train), len(split.validation), len(split.test)) == (120, 0, 30)
    assert len({*split.train, *split.test}) == 150


def test_a_blocked_split_holds_neighbours_out():
    held_out = {source(name) for name in leakage.split_protocol(SLICES, "blocked", 1).test}
    numbers = sorted(SLICES.index(name) for name in held_out)
    runs = sum((number + 1) % 30 not in numbers for number in numbers)
    assert (len(numbers), runs) == (6, 1)


def test_copies_are_halved_and_the_first_is_the_slice_itself():
    image, mask = torch.rand(1, 32, 48), (torch.rand(1, 32, 48) > 0.5).to(torch.uint8)
    drawn = leakage.draw_copies(image, mask, copies=3, seed=0)
    assert all(part[0].equal(given) for part, given in zip(drawn, (image, mask), strict=True))
    images, masks = leakage.halve(*drawn)
    assert images.shape == masks.shape == (4, 1, 16, 24)
    assert torch.allclose(images[0, 0, 3, 5], image[0, 6:8, 10:12].mean())
    assert all(label.unique().tolist() == [0, 1] for label in masks)
    assert not torch.equal(images[1], images[2])


def made_up(score: dict[tuple[str, str], float]) -> dict[str, dict]:
    """Return outcomes with a score for each network and protocol, a thousandth higher from seed to seed."""
    outcomes = {}
    for (network, protocol), value in score.items():
        for seed in leakage.SEEDS:
            row = dict.fromkeys(leakage.SCORES.values(), value + seed / 1000)
            deepest = {key: score - 0.01 for key, score in row.items()}
            rows = {"head 4": row} if network == "unet" else {"head 4": deepest, "mean of heads": row}
            outcomes[f"{network}-{protocol}-seed{seed}"] = {"scores": {"scores": rows}}
    return outcomes


SCORES = {
    ("unet", "copies"): 0.9, ("unet", "slices"): 0.8, ("unet", "blocked"): 0.7,
    ("unetpp", "copies"): 0.95, ("unetpp", "slices"): 0.82, ("unetpp", "blocked"): 0.71,
}  # fmt: skip


def test_the_table_says_what_leaking_adds_to_scores_and_to_the_gap(results_of):
    lines = leakage.table(results_of(leakage.EXPERIMENT, made_up(SCORES))).splitlines()
    assert "white     unet    copies - blocked  +0.200 [+0.200, +0.200]" in lines
    assert "membrane  unetpp  copies - slices   +0.130 [+0.130, +0.130]" in lines
    assert "membrane  UNet++ (mean of heads) - U-Net, copies            +0.050 [+0.050, +0.050]" in lines
    assert "white     UNet++ (mean of heads) - U-Net, copies - blocked  +0.040 [+0.040, +0.040]" in lines
    assert "white     UNet++ (head 4) - U-Net, blocked           +0.000 [+0.000, +0.000]" in lines


def test_differences_are_of_the_seeds_that_are_complete_two_at_least(results_of):
    outcomes = made_up(SCORES)
    one_seed = {name: outcome for name, outcome in outcomes.items() if name.endswith("seed0")}
    text = leakage.table(results_of(leakage.EXPERIMENT, one_seed))
    assert "white     copies   unetpp  0.950" in text
    assert "UNet++ (" not in text
    del outcomes["unet-slices-seed2"]
    assert "95 % t-interval, 2 seeds" in leakage.table(results_of(leakage.EXPERIMENT, outcomes))
