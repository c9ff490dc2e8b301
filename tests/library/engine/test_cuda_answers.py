"""What a network on a GPU answers: the same as on the CPU, whole or in tiles, pruned or exported."""

import pytest
import torch
from planted import plant

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import Card, Runtime, choose_runtime, evaluate, export_model, predict
from unetpp_lib.metrics import classify, confusion_counts
from unetpp_lib.models import UNetPlusPlus, profile, prune

pytestmark = pytest.mark.cuda

CPU = torch.device("cpu")
CARD = Card((0.4,), (0.2,))


@pytest.fixture(autouse=True)
def _planted(monkeypatch, device):
    plant(monkeypatch, device)


@pytest.fixture
def runtime(device) -> Runtime:
    return choose_runtime(str(device), "float32")


@pytest.fixture
def model() -> UNetPlusPlus:
    torch.manual_seed(0)
    return UNetPlusPlus(widths=(4, 6, 8)).eval()


def test_evaluate_gives_the_cpus_scores(model, tiny_set, runtime):
    """Rounding may carry a pixel over the threshold: one of the 27 648 changes a score by less than 1e-3."""
    folder = SegmentationFolder(tiny_set)
    found = evaluate(model, folder, CARD, runtime=runtime).answer
    expected = evaluate(model, folder, CARD, runtime=Runtime(CPU, bf16=False)).answer
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("classes", [1, 3])
def test_the_counts_of_a_prediction_are_the_cpus(device, classes):
    generator = torch.Generator().manual_seed(1)
    probability = torch.rand(2, classes, 30, 31, generator=generator)
    mask = torch.randint(max(2, classes), (2, 1, 30, 31), generator=generator).to(torch.uint8)
    expected = confusion_counts(classify(probability, 0.5), mask, classes)
    found = confusion_counts(classify(probability.to(device), 0.5), mask.to(device), classes)
    assert torch.equal(found.cpu(), expected)


def test_predict_gives_the_cpus_probabilities_whole_and_in_tiles(model, runtime):
    """Float32 throughout: logits of about 1 that are off by 1e-5 move a probability by less than 1e-4."""
    image = torch.rand(1, 300, 280, generator=torch.Generator().manual_seed(1))
    expected = predict(model, image, CARD, runtime=Runtime(CPU, bf16=False))
    whole = predict(model, image, CARD, runtime=runtime)
    tiled = predict(model, image, CARD, tile=128, runtime=runtime)
    assert whole.device == CPU
    assert torch.allclose(whole, expected, atol=1e-4)
    assert torch.allclose(tiled, expected, atol=1e-4)


def test_predict_in_bf16_gives_nearly_the_same_probabilities(model, device):
    """bf16 has 8 bits of mantissa; a few layers of it move a probability by less than 0.05."""
    image = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(1))
    expected = predict(model, image, CARD, runtime=Runtime(CPU, bf16=False))
    assert torch.allclose(predict(model, image, CARD, runtime=Runtime(device, bf16=True)), expected, atol=0.05)


def test_a_pruned_network_answers_on_its_own_device_as_the_full_one_does(model, runtime, device):
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1)).to(device)
    full = runtime.place(model)
    cut = prune(full, 1)
    assert next(cut.parameters()).device == image.device
    with torch.inference_mode(), runtime.arithmetic():
        assert torch.equal(runtime.place(cut)(image)[0], full(image)[0])


def test_a_network_that_was_on_the_gpu_is_exported_with_the_same_answers(model, runtime, tmp_path):
    image = torch.rand(1, 1, 40, 52, generator=torch.Generator().manual_seed(1))
    expected = predict(model, image[0], CARD, runtime=runtime)
    export_model(runtime.place(model), tmp_path / "model.pt2", CARD)
    answer = torch.export.load(tmp_path / "model.pt2").module()(image)[0]
    assert torch.allclose(answer, expected, atol=1e-4)


def test_the_profile_counts_the_same_on_either_device(model, device):
    here, there = profile(model, 64, device, repeats=1), profile(model, 64, "cpu", repeats=1)
    assert (here.parameters, here.macs) == (there.parameters, there.macs)
    assert 0 < here.peak_memory <= 2 * there.peak_memory
