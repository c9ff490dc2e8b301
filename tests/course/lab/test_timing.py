"""Steps in turn: every round runs each task once, and what is timed is a training step, or a prediction."""

from dataclasses import replace

import pytest
import torch

from unetpp_course.lab.timing import WARM_UP, first_batch, in_turn, make_prediction, make_step, time_networks
from unetpp_lib.engine import TrainConfig

SMALL = TrainConfig(widths=(2, 4), batch_size=2, precision="float32")


def test_tasks_run_in_turn_and_the_first_rounds_do_not_count():
    calls = []
    seconds = in_turn({"one": lambda: calls.append("one"), "other": lambda: calls.append("other")}, rounds=3)
    assert calls == ["one", "other"] * (WARM_UP + 3)
    assert {name: len(values) for name, values in seconds.items()} == {"one": 3, "other": 3}


def test_on_a_gpu_several_steps_are_timed_as_one_from_when_it_is_free_until_it_is_done(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: calls.append("wait"))
    in_turn({"one": lambda: calls.append("step")}, rounds=1, device=torch.device("cuda"), warm_up=0)
    assert calls == ["wait", *["step"] * 10, "wait"]


def test_the_batch_is_as_large_as_the_configuration_says_and_normalised():
    images, masks = first_batch(SMALL)
    assert images.shape == masks.shape == (2, 1, 256, 256)
    assert abs(images.mean()) < 0.5
    assert 0.5 < images.std() < 1.5
    assert masks.unique().tolist() == [0, 1]


@pytest.mark.slow
def test_a_training_step_moves_the_weights_and_a_prediction_does_not(monkeypatch):
    models = []
    build = TrainConfig.build_model

    def remember(config: TrainConfig) -> torch.nn.Module:
        models.append(build(config))
        return models[-1]

    monkeypatch.setattr(TrainConfig, "build_model", remember)
    for make, moves in ((make_step, True), (make_prediction, False)):
        torch.manual_seed(0)
        assert len(time_networks(make, {"small": replace(SMALL, seed=0)}, rounds=1)["small"]) == 1
        torch.manual_seed(0)
        before = build(SMALL)
        pairs = zip(models[-1].parameters(), before.parameters(), strict=True)
        assert any(not torch.equal(one, other) for one, other in pairs) == moves


@pytest.mark.cuda
@pytest.mark.parametrize("make", [make_step, make_prediction])
def test_steps_and_predictions_are_timed_on_the_gpu_as_well(make, device):
    assert time_networks(make, {"small": replace(SMALL, device=str(device))}, rounds=1)["small"][0] > 0
