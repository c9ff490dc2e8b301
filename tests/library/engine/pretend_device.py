"""A training step and an answer on a pretended device, which refuses any tensor of the CPU as a GPU does.

PyTorch's fake tensors have a shape, a type and a device, and no values. So this program needs no GPU, and fails where
the library makes a tensor on the wrong device. `test_devices.py` runs it in a process of its own, because PyTorch
cannot forget a device that it was told of.
"""

import pytest
import torch
from planted import plant
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_leaves
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from unetpp_lib.data import Augmentation
from unetpp_lib.engine import Card, Runtime
from unetpp_lib.engine.distributed import World
from unetpp_lib.engine.evaluation import read_heads
from unetpp_lib.engine.loop import make_optimizer, prepare_batch, training_step
from unetpp_lib.models import UNet, UNetPlusPlus, probabilities

_setup_privateuseone_for_python_backend("pretend")
DEVICE = torch.device("pretend", 0)
RUNTIME = Runtime(DEVICE, bf16=False)
CARD = Card((0.4, 0.5, 0.6), (0.2, 0.2, 0.2))
NETWORKS = {"unet": UNet, "unetpp": UNetPlusPlus}


class Pretending(FakeTensorMode):
    """Fake tensors, of which none is ever made on the device itself, nor any of float64 there: Apple's GPU has none."""

    avoid_device_init = True

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = super().__torch_dispatch__(func, types, args, kwargs)
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        assert all(leaf.dtype != torch.float64 for leaf in made if leaf.device == DEVICE), f"{func} made float64"
        return result


class PretendedGenerator:
    """Stands for `torch.Generator`, which only devices that exist have."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def manual_seed(self, seed: int) -> "PretendedGenerator":
        return self


def without_generator(draw):
    """``draw``, but from no generator: `Augmentation` has looked at the pretended one's device by then."""
    return lambda *args, generator=None, **options: draw(*args, **options)


@pytest.fixture(autouse=True)
def _pretended(monkeypatch):
    plant(monkeypatch, DEVICE)
    monkeypatch.setattr(torch, "Generator", PretendedGenerator)
    for name in ("rand", "randn", "randint"):
        monkeypatch.setattr(torch, name, without_generator(getattr(torch, name)))
    monkeypatch.setattr(Runtime, "autocast", Runtime.arithmetic)  # a pretended device has no bf16
    with Pretending():
        yield


def make(network: str, **options):
    with torch.device(DEVICE):
        return NETWORKS[network](3, widths=(4, 6, 8), dropout=0.2, **options)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    masks = torch.zeros(2, 1, 30, 31, dtype=torch.uint8).to(DEVICE)
    return prepare_batch(torch.zeros(2, 3, 30, 31).to(DEVICE), masks, CARD, Augmentation(), 0)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("options", [{}, {"norm": "group", "num_classes": 3}, {"norm": "instance"}])
def test_a_training_step_stays_on_its_device(network, options):
    model = make(network, **options).train()
    images, masks = batch()
    loss = training_step(model, make_optimizer(model), images, masks, 1e-3, RUNTIME)
    assert callable(World().deferred_sum(loss))
    assert {tensor.device for tensor in (images, masks, loss)} == {DEVICE}
    assert {parameter.grad.device for parameter in model.parameters()} == {DEVICE}


@pytest.mark.parametrize("classes", [1, 3])
def test_an_answer_stays_on_its_device(classes):
    model = make("unetpp", num_classes=classes, upsample="bilinear").eval()
    images, _ = batch()
    readings = read_heads(model, images, RUNTIME)
    assert {reading.device for reading in (*readings.values(), probabilities(model(images), "fast"))} == {DEVICE}
