"""A compiled network whose launches are captured in CUDA graphs: it learns and draws as one that is not compiled."""

from dataclasses import replace

import pytest
import torch
from planted import plant

from unetpp_lib.engine import TrainConfig, choose_runtime, train
from unetpp_lib.engine.loop import make_optimizer, training_step
from unetpp_lib.models import UNet

pytestmark = pytest.mark.cuda


@pytest.fixture(autouse=True)
def _planted(monkeypatch, device):
    plant(monkeypatch, device)


@pytest.fixture
def config(tiny_set, tmp_path, device) -> TrainConfig:
    """Eight steps, four an epoch, in float32."""
    options = {"widths": (4, 6), "patch": 32, "epochs": 2, "evaluate_every": 1, "precision": "float32"}
    return TrainConfig(data=str(tiny_set), out=tmp_path / "run", device=str(device), **options)


def test_a_compiled_run_captured_in_cuda_graphs_has_the_losses_of_one_that_is_not(config):
    """Fused loops round otherwise; over two epochs that is 1 % of the loss at most."""
    assert choose_runtime(config.device, compiled=True).compiled  # otherwise nothing is compared here
    counters = torch._dynamo.utils.counters["inductor"]
    counters.clear()
    runs = [train(replace(config, compiled=on, out=config.out.with_name(str(on)))) for on in (False, True)]
    for plain, compiled in zip(*(run.history for run in runs), strict=True):
        assert compiled["loss"] == pytest.approx(plain["loss"], rel=0.01)
    assert counters["cudagraph_skips"] == 0


def test_a_captured_step_draws_its_dropout_by_the_seed_at_every_replay(device):
    """The first calls compile, warm up and capture, the later ones replay; the rate of 0 keeps the weights."""
    runtime = choose_runtime(str(device), "float32", compiled=True)
    model = runtime.place(UNet(widths=(4, 6), norm="group", dropout=0.5)).train()
    network, optimizer = runtime.compile(model), make_optimizer(model)
    images, masks = torch.rand(2, 1, 32, 32, device=device), torch.ones(2, 1, 32, 32, dtype=torch.uint8, device=device)
    losses = [
        training_step(network, optimizer, images, masks, 0.0, runtime, seed=seed).item() for seed in (7, 7, 7, 7, 7, 8)
    ]
    assert losses[:5] == pytest.approx([losses[0]] * 5, rel=1e-5)
    assert losses[5] != pytest.approx(losses[0], rel=1e-3)
