"""What made the report's 2.5 points: the parts add up, and each recipe is the one that the report used."""

from itertools import product

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam

from unetpp_course.lab import recipes
from unetpp_course.lab.leakage import split_protocol
from unetpp_course.lab.recipes import BUILDERS, RECIPES, REPORT, THRESHOLDS
from unetpp_lib.engine import choose_runtime
from unetpp_lib.losses import bce_dice_loss, bce_loss
from unetpp_lib.models import UNet


def cells_of(network: float, recipe: float, threshold: float, together: float = 0.0) -> recipes.Cells:
    """Cells in which each change adds its number; network and recipe together add ``together``."""
    return {
        (n, r, t): 0.8
        + network * (n == "unetpp")
        + recipe * (r == "adam")
        + threshold * (t == "p > .5")
        + together * (n == "unetpp" and r == "adam")
        for n, r, t in product(BUILDERS, RECIPES, THRESHOLDS)
    }


def test_independent_changes_keep_their_own_share() -> None:
    shares = recipes.decompose(cells_of(0.003, 0.033, 0.007))
    assert shares == pytest.approx({"network": 0.003, "recipe": 0.033, "threshold": 0.007})


def test_what_two_changes_add_only_together_is_divided_between_them() -> None:
    cells = cells_of(0.003, 0.033, 0.007, together=0.01)
    shares = recipes.decompose(cells)
    assert shares == pytest.approx({"network": 0.008, "recipe": 0.038, "threshold": 0.007})
    assert sum(shares.values()) == pytest.approx(cells[REPORT[1]] - cells[REPORT[0]])


@pytest.mark.parametrize(("recipe", "optimiser", "loss"), [("sgd", SGD, bce_loss), ("adam", Adam, bce_dice_loss)])
def test_a_recipe_is_an_optimiser_and_a_loss_of_the_last_head(recipe: str, optimiser: type, loss: object) -> None:
    heads = [torch.zeros(1, 1, 4, 4), torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))]
    masks = torch.ones(1, 1, 4, 4, dtype=torch.uint8)
    made, of_heads = RECIPES[recipe](UNet(widths=(2, 4)))
    assert type(made) is optimiser
    assert made.param_groups[0]["lr"] == 1e-3
    assert made.param_groups[0].get("momentum", 0.99) == 0.99
    assert of_heads(heads, masks) == loss(heads[1], masks)  # type: ignore[operator]


def test_a_higher_threshold_calls_fewer_pixels_white() -> None:
    network = UNet(widths=(2, 4))
    images = torch.zeros(3, 1, 8, 8)
    with torch.no_grad():
        head = network.get_submodule("heads.0")
        assert isinstance(head, nn.Conv2d)
        assert head.bias is not None
        head.weight.zero_()
        head.bias.fill_(0.3)  # p = .574: white at p > .5, membrane at logit > .5
    masks = torch.ones(3, 1, 8, 8, dtype=torch.uint8)
    scores = recipes.score(network, images, masks, choose_runtime("cpu", "float32"))
    assert {name: values["white, image"] for name, values in scores.items()} == {"p > .5": 1.0, "logit > .5": 0.0}
    assert network.training  # as it was


def test_copies_of_a_held_out_slice_are_in_no_training_part() -> None:
    slices = [f"s{number:02}" for number in range(30)]
    split = split_protocol(slices, "blocked", 0, recipes.COPIES)
    families = [{name.split("_")[0] for name in part} for part in (split.train, split.test)]
    assert len(split.train) == 360
    assert len(families[1]) == 6
    assert not families[0] & families[1]
