"""The profile of a step counts the arithmetic, and leaves none of the time out."""

import pytest
import torch

from unetpp_course.lab import step_profile
from unetpp_lib.engine import Runtime, TrainConfig
from unetpp_lib.models import UNet, profile

CPU = torch.device("cpu")


@pytest.fixture
def step():
    torch.manual_seed(0)
    network = TrainConfig(widths=(4, 6, 8)).build_model()
    images = torch.randn(1, 1, 32, 32)
    return step_profile.make_step(network, images, (images > 0).to(torch.uint8), Runtime(CPU, bf16=False))


def test_a_training_step_costs_three_forward_passes_less_the_gradient_of_the_image():
    network = UNet(widths=(4, 6, 8))
    forward = 2 * profile(network, 32, repeats=1).macs
    first = 2 * 9 * 4 * 32 * 32  # the first convolution, whose input needs no gradient
    assert step_profile.count_flop(network, 1, 32) == 3 * forward - first


def test_a_step_lowers_the_loss_in_the_end(step):
    losses = [step() for _ in range(25)]
    assert sum(losses[-5:]) < sum(losses[:5])


def test_each_kind_of_work_is_found(step, monkeypatch):
    monkeypatch.setattr(step_profile, "seconds_of", lambda work, _: 0.0 * len(work()))  # the operations' time alone
    step()
    families = step_profile.profile_families(step, CPU)
    for family in (
        "convolution",
        "normalisation",
        "ReLU, pooling",
        "joining, cropping",
        "augmentation",
        "loss",
        "Adam",
    ):
        assert families[family] > 0, family
    assert families["fused loops"] == 0
    assert families[step_profile.REST] < sum(families.values()) / 2


def test_a_gpu_waits_where_no_span_of_work_lies_and_spans_may_overlap():
    assert step_profile.covered([(5, 7), (0, 2), (1, 3), (6, 6.5), (3, 3)]) == 3 + 2
    assert step_profile.covered([]) == 0


@pytest.mark.slow
def test_where_nothing_compiles_that_way_is_left_out(monkeypatch):
    network = UNet(widths=(2, 3))
    images = torch.randn(1, 1, 8, 8)
    runtime = Runtime(CPU, bf16=False)
    monkeypatch.setattr(
        step_profile, "make_way", lambda *_: step_profile.make_step(network, images, images > 0, runtime)
    )
    monkeypatch.setattr(step_profile, "choose_runtime", lambda kind, **_: Runtime(torch.device(kind), False))
    monkeypatch.setattr(step_profile, "best_convolution", lambda *_: 1e9)
    outcome = step_profile.measure("cpu")
    assert list(outcome["seconds"]) == list(outcome["families"]) == ["as PyTorch comes", "channels last", "and bf16"]
    assert "and compiled" not in step_profile.table({"cpu": outcome})


def test_work_within_a_phase_counts_for_the_phase_whatever_it_is_called():
    with torch.profiler.profile() as profiler:
        with torch.profiler.record_function("Optimizer.step#Adam.step"):
            torch.ones(3).add_(1)
        torch.ones(3).add_(1)
    adds = [event for event in profiler.events() if event.name == "aten::add_"]
    assert [step_profile.family_of(event) for event in adds] == ["Adam", "copying, adding"]


def test_a_convolutions_rate_is_positive_in_both_precisions():
    assert all(step_profile.best_convolution(CPU, bf16, 1, (4, 8), 16) > 0 for bf16 in (False, True))


def test_the_table_compares_medians_and_the_convolutions_rate():
    seconds = {way: [4.0, 1.0 / (number + 1), 0.1] for number, way in enumerate(step_profile.WAYS)}
    names = (*step_profile.FAMILIES, *step_profile.PHASES.values(), step_profile.REST)
    families = {way: dict.fromkeys(names, 0.0) | {"convolution": 0.75, "Adam": 0.25} for way in seconds}
    rates = {"float32": 4e9, "bf16": 8e9}
    outcome = {"runtime": "a CPU", "flop": 2e9, "convolution": rates, "seconds": seconds, "families": families}
    lines = [line.split() for line in step_profile.table({"cpu": outcome}).splitlines()]
    assert step_profile.split_step(outcome, "and bf16") == (0.75, 0.25)
    assert ["as", "PyTorch", "comes", "1.000", "1.00", "50%"] in lines
    assert ["and", "bf16", "0.333", "3.00", "75%"] in lines
    assert ["convolution"] + ["75%"] * 4 in lines
