"""One network read in several modes: what changes between them, and what is compared with what."""

import pytest
import torch

from unetpp_course.lab import normalisation
from unetpp_course.lab.normalisation import COMPARED, READINGS, membrane_iou, take_averages_anew
from unetpp_lib.models import UNet

WIDTHS = (4, 8)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 1, 16, 16, generator=generator) * torch.tensor([0.2, 1, 3, 9]).view(4, 1, 1, 1)
    return images, (images > 0).to(torch.uint8)


def test_group_norm_scores_alike_in_every_reading(batch):
    torch.manual_seed(0)
    model = UNet(widths=WIDTHS, norm="group")
    scores = {membrane_iou(model.eval(), *batch)}
    scores |= {membrane_iou(model.train(), *batch, together=n) for n in (1, 4)}
    scores |= {membrane_iou(take_averages_anew(model, batch[0], 1), *batch)}
    assert len(scores) == 1


def test_averages_taken_anew_are_plain_means_over_the_batches(batch):
    torch.manual_seed(0)
    model = UNet(widths=WIDTHS)
    with torch.no_grad():
        maps = model.encoder[0].conv1(batch[0])  # (4, C, 16, 16)
    anew = take_averages_anew(model, batch[0], together=1)
    norm = next(m for m in anew.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert torch.allclose(norm.running_mean, maps.mean((0, 2, 3)), atol=1e-6)
    assert torch.allclose(norm.running_var, maps.var((2, 3)).mean(0), rtol=1e-5)
    kept = next(m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert torch.equal(kept.running_mean, torch.zeros(WIDTHS[0]))


SCORES = {("batch", 1): 0.3, ("batch", 4): 0.4, ("group", 1): 0.45, ("group", 4): 0.5}
OUTCOMES = {
    f"{arm[0]}-batch{arm[1]}-lr0.003-seed{seed}": {
        "readings": {reading: score + 0.1 * i + 0.01 * seed for i, reading in enumerate(READINGS)},
        "validation": 0.6,
    }
    for arm, score in SCORES.items()
    for seed in normalisation.SEEDS
}


def test_seeds_are_paired(results_of):
    results = results_of(normalisation.EXPERIMENT, OUTCOMES)
    scores = normalisation.by_seed(results)
    assert scores["batch", 4, "evaluation"].tolist() == pytest.approx([0.4, 0.41, 0.42])
    gains = {name: (scores[one] - scores[other]).tolist() for name, (one, other) in COMPARED.items()}
    assert gains["batch norm, batch 1: training mode less evaluation"] == pytest.approx([0.1] * 3)
    assert gains["batch 1, evaluation: group norm less batch norm"] == pytest.approx([0.15] * 3)
    assert gains["batch norm, evaluation: batch 4 less batch 1"] == pytest.approx([0.1] * 3)
    assert "+0.150 [+0.150, +0.150]" in normalisation.table(results)


def test_some_outcomes_alone_make_a_table_too(results_of):
    name = "batch-batch1-lr0.003-seed0"
    assert "0.300" in normalisation.table(results_of(normalisation.EXPERIMENT, {name: OUTCOMES[name]}))


def test_every_training_sees_the_images_equally_often():
    epochs = {trial.settings["epochs"] for trial in normalisation.EXPERIMENT.trials}
    assert epochs == {normalisation.EPOCHS}
    assert {trial.settings["evaluate_every"] for trial in normalisation.EXPERIMENT.trials} == epochs  # none is chosen
