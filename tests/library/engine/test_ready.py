"""A network made ready to answer is faster, gives the same answers, and leaves the one that it came from alone."""

import pytest
import torch
from torch import nn

from unetpp_lib.engine import Card, Predictor, choose_runtime, predict, prediction
from unetpp_lib.engine.ready import AddingNode, prepare
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, prune
from unetpp_lib.models.blocks import JoinNode

CPU = choose_runtime("cpu", "float32")
BF16 = choose_runtime("cpu", "bf16")


def trained(make=UNetPlusPlus, **options):
    """Return a network whose norms are not what they start as."""
    torch.manual_seed(0)
    model = make(widths=(4, 6, 8, 8), **options)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.GroupNorm | nn.InstanceNorm2d):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
    model(torch.randn(4, 1, 32, 32))
    return model.eval()


@pytest.mark.parametrize("make", [UNet, UNetPlusPlus])
@pytest.mark.parametrize("norm", ["batch", "group", "instance", None])
@pytest.mark.parametrize("upsample", ["transpose", "bilinear"])
def test_a_ready_network_gives_the_same_logits(make, norm, upsample):
    model = trained(make, norm=norm, upsample=upsample)
    ready = prepare(model, None, CPU)
    with torch.inference_mode():
        for size in [(32, 32), (33, 47), (1, 1)]:
            x = torch.randn(2, 1, *size)
            for before, after in zip(model(x), ready(x), strict=True):
                torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


def test_nodes_that_join_few_or_many_maps_all_add_instead():
    ready = prepare(trained(), None, CPU)
    nodes = [layer for layer in ready.modules() if isinstance(layer, AddingNode)]
    assert sorted(len(node.parts) for node in nodes) == [2, 2, 2, 3, 3, 4]
    assert not any(isinstance(layer, JoinNode | nn.BatchNorm2d) for layer in ready.modules())


def test_unetplus_without_dense_skips_is_made_ready_too():
    model = trained(dense=False)
    x = torch.randn(1, 1, 40, 24)
    with torch.inference_mode():
        torch.testing.assert_close(prepare(model, None, CPU)(x)[-1], model(x)[-1], atol=1e-4, rtol=1e-4)


def test_in_bf16_the_weights_are_kept_in_it_and_the_answers_stay_near():
    model = trained()
    ready = prepare(model, None, BF16)
    assert {parameter.dtype for parameter in ready.parameters()} == {torch.bfloat16}
    image, card = torch.rand(1, 40, 56), Card()
    exact = predict(model, image, card, runtime=CPU)
    assert (predict(model, image, card, runtime=BF16) - exact).abs().max() < 0.05


@pytest.mark.parametrize("norm", ["group", "instance"])
def test_norms_that_stay_keep_their_numbers_in_float32(norm):
    ready = prepare(trained(norm=norm), None, BF16)
    assert {parameter.dtype for parameter in ready.parameters()} == {torch.float32}


def test_a_depth_keeps_its_nodes_alone_and_its_heads_answers():
    model = trained()
    ready = prepare(model, 2, CPU)
    assert (ready.depth, len(ready.heads), ready.pad_multiple) == (2, 2, model.pad_multiple)
    x = torch.randn(1, 1, 40, 24)
    with torch.inference_mode():
        same = prepare(prune(model, 2), None, CPU)(x)
        assert all(torch.equal(a, b) for a, b in zip(ready(x), same, strict=True))
        torch.testing.assert_close(ready(x)[1], model(x)[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("depth", [0, 4])
def test_a_depth_without_a_head_is_named(depth):
    with pytest.raises(InputError, match=f"depth is {depth}; there are heads 1 to 3"):
        prepare(trained(), depth, CPU)


def test_the_network_is_left_as_it_was_and_can_learn_on():
    model = trained().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    predict(model, torch.rand(1, 32, 32), Card(), depth=1, runtime=BF16)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_predictor_makes_its_network_ready_once(monkeypatch):
    calls = []

    def counted(*args):
        calls.append(args)
        return prepare(*args)

    monkeypatch.setattr(prediction, "prepare", counted)
    model, images = trained(), torch.rand(3, 1, 40, 30)
    ask = Predictor(model, Card(), "fast", depth=1, runtime=CPU)
    answers = [ask(image) for image in images]
    assert len(calls) == 1
    assert all(
        torch.equal(answer, predict(model, image, Card(), "fast", 1, runtime=CPU))
        for answer, image in zip(answers, images, strict=True)
    )
