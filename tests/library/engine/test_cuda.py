"""Training on a GPU: `benchmarks/gpu.sh` runs these tests, the most important ones first.

The networks are small, so that starting a kernel takes longer than its work: what is tested is that the results are
right, not that they come fast.
"""

import math
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from PIL import Image
from planted import plant
from torch import Tensor

from unetpp_lib.data import Augmentation
from unetpp_lib.engine import Card, Runtime, TrainConfig, choose_runtime, train
from unetpp_lib.engine.checkpoints import load_checkpoint
from unetpp_lib.engine.loop import make_optimizer, prepare_batch, seeded, training_step
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus

pytestmark = pytest.mark.cuda

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _planted(monkeypatch, device):
    plant(monkeypatch, device)


@pytest.fixture
def config(tiny_set, tmp_path, device) -> TrainConfig:
    """Sixteen steps, four an epoch, in float32."""
    options = {"widths": (4, 6, 8), "patch": 32, "epochs": 4, "evaluate_every": 2, "precision": "float32"}
    return TrainConfig(data=str(tiny_set), out=tmp_path / "run", device=str(device), **options)


@pytest.fixture
def deterministic():
    """PyTorch's deterministic mode: an operation without a deterministic form raises an error."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def weights(run) -> dict[str, Tensor]:
    return load_checkpoint(run.checkpoint)["model"]


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def gradients_of_a_step(runtime: Runtime, dtype: torch.dtype) -> tuple[float, Tensor]:
    """The loss and all gradients of one step, the same network and batch whatever the device."""
    torch.manual_seed(0)
    network = runtime.place(UNetPlusPlus(widths=(8, 16, 32)).to(dtype)).train()
    images, masks = torch.rand(2, 1, 64, 64).to(dtype), (torch.rand(2, 1, 64, 64) < 0.8).to(torch.uint8)
    images, masks = prepare_batch(images.to(runtime.device), masks.to(runtime.device), Card((0.5,), (0.3,)), None, 0)
    loss = training_step(network, make_optimizer(network), images, masks, 1e-3, runtime)
    return loss.item(), torch.cat([p.grad.flatten().double().cpu() for p in network.parameters()])


def test_one_training_step_has_the_loss_and_gradients_of_float64_on_a_cpu(device):
    """Batch norm of a small batch cancels digits: a CPU's float32 is off by 1e-4. TF32 rounds 8000 times as roughly."""
    loss, found = gradients_of_a_step(choose_runtime(str(device), "float32"), torch.float32)
    expected_loss, expected = gradients_of_a_step(Runtime(CPU, bf16=False), torch.float64)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert (found - expected).norm() < 1e-3 * expected.norm()


def test_twenty_steps_of_a_run_lower_the_loss(config):
    run = train(replace(config, epochs=5, lr=0.01, augment=False))
    assert run.history[-1]["step"] == 20
    assert run.history[-1]["loss"] < 0.9 * run.history[0]["loss"]
    assert run.is_finished


def stopped_and_resumed(config: TrainConfig, step: int):
    train(config, callback=lambda trainer: trainer.step == step)
    return train(config, resume=True)


@pytest.mark.usefixtures("deterministic")
def test_a_stopped_run_resumes_to_the_same_weights_bit_for_bit_in_deterministic_mode(config):
    config = replace(config, dropout=0.2)
    whole = train(config)
    resumed = stopped_and_resumed(replace(config, out=config.out.with_name("stopped")), 6)
    assert same(weights(resumed), weights(whole))


def test_a_stopped_run_resumes_to_nearly_the_same_loss_in_the_usual_mode(config):
    """Without deterministic mode cuDNN may add in any order; Adam turns that into 1 % of the loss at most."""
    whole = train(config)
    resumed = stopped_and_resumed(replace(config, out=config.out.with_name("stopped")), 6)
    assert resumed.history[-1]["loss"] == pytest.approx(whole.history[-1]["loss"], rel=0.01)


@pytest.mark.parametrize("first_here", [True, False], ids=["begun_on_the_gpu", "begun_on_the_cpu"])
def test_a_run_goes_on_from_gpu_to_cpu_and_back_with_adams_state(config, first_here):
    """Adam's state moves along; the devices' rounding makes up 1 % of the loss at most. Augmentation is off, because
    the generators of the two devices draw different numbers from the same seed."""
    config = replace(config, augment=False)
    whole = train(config)
    begun, other = (config.device, "cpu") if first_here else ("cpu", config.device)
    moved = replace(config, out=config.out.with_name("moved"), device=begun)
    train(moved, callback=lambda trainer: trainer.step == 6)
    run = train(replace(moved, device=other), resume=True)
    assert run.history[-1]["loss"] == pytest.approx(whole.history[-1]["loss"], rel=0.01)
    steps = {state["step"].item() for state in load_checkpoint(run.checkpoint)["optimizer"]["state"].values()}
    assert steps == {16}


def test_in_bf16_the_logits_are_bf16_and_the_weights_float32(device):
    runtime = choose_runtime(str(device), "bf16")
    network = runtime.place(UNet(widths=(4, 8)))
    with runtime.autocast():
        logits = network(torch.zeros(1, 1, 8, 8, device=device))[0]
    assert (logits.dtype, network.heads[0].weight.dtype) == (torch.bfloat16, torch.float32)


def test_in_bf16_a_run_has_nearly_the_loss_of_float32(config):
    """bf16 has 8 bits of mantissa: 0.4 % a number, and 3 % of the loss after sixteen steps."""
    exact, rough = (
        train(replace(config, precision=precision, out=config.out.with_name(precision)))
        for precision in ("float32", "bf16")
    )
    assert rough.history[-1]["loss"] == pytest.approx(exact.history[-1]["loss"], rel=0.03)


def test_float32_is_float32_and_tf32_only_where_it_was_asked_for(device):
    """A sum of 576 products: float32 is off by 1e-7 of it, TF32 by 3e-4."""
    torch.manual_seed(0)
    layer, maps = torch.nn.Conv2d(64, 64, 3), torch.randn(1, 64, 32, 32)
    expected = layer.double()(maps.double())
    layer, maps = layer.float().to(device), maps.to(device)

    def error(tf32: bool) -> float:
        with Runtime(device, bf16=False, tf32=tf32).arithmetic():
            return ((layer(maps).cpu() - expected).norm() / expected.norm()).item()

    assert error(tf32=False) < 1e-5
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):  # older ones have no TF32
        assert error(tf32=True) > 5e-5


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize(
    "options", [{}, {"model": "unet", "norm": "group"}, {"num_classes": 2}], ids=["unetpp", "unet", "classes"]
)
def test_in_deterministic_mode_two_runs_are_equal_bit_for_bit(config, options):
    """With two classes the masks hold background, a class and pixels that count nowhere: 0, 1 and 255."""
    if "num_classes" in options:
        config = replace(config, data=str(copytree(config.data, config.out.with_name("classes"))))
        for path in Path(config.data, "masks").iterdir():
            mask = np.asarray(Image.open(path)).copy()
            mask[: len(mask) // 2][mask[: len(mask) // 2] == 255] = 1
            Image.fromarray(mask).save(path)
    config = replace(config, dropout=0.2, epochs=2, **options)
    runs = [train(replace(config, out=config.out.with_name(name))) for name in ("one", "two")]
    assert same(weights(runs[0]), weights(runs[1]))


def test_workers_hand_over_pinned_batches_and_change_nothing(config, device, monkeypatch):
    pinned = []
    step = Trainer.make_step

    def watched(self, images, masks):
        pinned.extend([images.is_pinned(), masks.is_pinned()] if device.type == "cuda" else [True])
        step(self, images, masks)

    monkeypatch.setattr(Trainer, "make_step", watched)
    config = replace(config, epochs=1)
    runs = [train(replace(config, workers=workers, out=config.out.with_name(str(workers)))) for workers in (0, 2)]
    assert all(pinned)
    assert runs[1].history[0]["loss"] == pytest.approx(runs[0].history[0]["loss"], rel=1e-3)


def test_a_loss_that_is_not_finite_stops_the_run_with_its_own_batch(config, monkeypatch):
    step = Trainer.make_step

    def spoiled(self, images, masks):
        step(self, images * math.nan if self.step == 5 else images, masks)

    monkeypatch.setattr(Trainer, "make_step", spoiled)
    with pytest.raises(InputError, match="The loss is nan at step 5"):
        train(config)
    assert (config.out / "non_finite_batch_0.safetensors").exists()


def test_memory_that_runs_out_is_told_in_one_line(config, device, monkeypatch):
    config = replace(config, widths=(64, 128), patch=512, batch_size=8)  # one map of its top row takes half a GB
    if device.type == "cuda":
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved(device) + 2**30) / total)
    else:

        def run_out(*_):
            raise torch.OutOfMemoryError("CUDA out of memory.")

        monkeypatch.setattr("unetpp_lib.engine.trainer.training_step", run_out)
    try:
        with pytest.raises(InputError, match="The memory ran out at step 0, with batches of 8 patches") as told:
            train(config)
    finally:
        if device.type == "cuda":
            torch.cuda.set_per_process_memory_fraction(1.0)
            torch.cuda.empty_cache()
    assert "\n" not in str(told.value)


def test_a_step_on_either_device_leaves_all_global_generators_as_they_were(device):
    def state() -> list[Tensor]:
        return [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]

    def draw(seed: int, where: torch.device) -> Tensor:
        with seeded(seed, where):
            return torch.rand(4, device=where)

    torch.rand(1, device=device)
    before = state()
    for where in (device, CPU):
        assert torch.equal(draw(7, where), draw(7, where))
        assert not torch.equal(draw(7, where), draw(8, where))
    assert all(torch.equal(*pair) for pair in zip(before, state(), strict=True))


def test_a_generator_of_the_current_gpu_draws_the_augmentation_of_the_gpu_by_its_number(device):
    images, masks = torch.rand(2, 1, 32, 32, device=device), torch.ones(2, 1, 32, 32, dtype=torch.uint8, device=device)
    drawn = [Augmentation()(images, masks, torch.Generator(name).manual_seed(3))[0] for name in (device, images.device)]
    assert drawn[0].device == images.device
    assert torch.equal(*drawn)
