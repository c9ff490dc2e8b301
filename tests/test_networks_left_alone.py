"""Whatever is done with a network, the caller's own stays as it was: weights, place, layout, modes and hooks."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from unetpp_course import CutExplorer, DepthExplorer, NodeExplorer, PeepholeGame, ReceptiveFieldExplorer, SkipsExplorer
from unetpp_course.ablation import faded_edge, held_nodes, maps_with_faded_edge
from unetpp_course.explorers.board import predict_image
from unetpp_course.heads_in_time import heads_now
from unetpp_course.probes import fit_node_probes, node_maps
from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import Card, choose_runtime, evaluate, export_model, predict, save_model
from unetpp_lib.engine.evaluation import read_heads, read_image_heads
from unetpp_lib.engine.pictures import draw_predictions
from unetpp_lib.engine.ready import prepare
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, fold_batch_norm, profile, profile_depths, prune, read_graph

CPU, BF16 = choose_runtime("cpu", "float32"), choose_runtime("cpu", "bf16")
CARD = Card((0.4,), (0.3,), details={"seed": 1})


def state_of(model: nn.Module) -> dict[str, object]:
    """Everything of a network that somebody else could have changed."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {
        "values": {name: tensor.detach().contiguous().numpy().tobytes() for name, tensor in tensors.items()},
        "places": {name: (id(t), t.data_ptr(), t.device, t.dtype, t.stride()) for name, t in tensors.items()},
        "learning": {name: (t.requires_grad, t.grad is None) for name, t in tensors.items()},
        "modes": {name: module.training for name, module in model.named_modules()},
        "hooks": {name: [*module._forward_hooks, *module._forward_pre_hooks] for name, module in model.named_modules()},
        "attributes": {name: sorted(vars(module)) for name, module in model.named_modules()},
    }


def learning(model):
    """A network in the middle of its training: training mode, and gradients."""
    model.train()
    model(torch.rand(2, 1, 16, 16))[0].sum().backward()


def resting(model):
    """A network in evaluation mode, channels last, that is frozen in part, with a module in training and a hook."""
    model.eval().to(memory_format=torch.channels_last)
    first = next(module for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    first.train()
    for parameter in list(model.parameters())[::2]:
        parameter.requires_grad_(False)
    first.register_forward_hook(lambda *_: None)


def read_all_nodes(model, images):
    masks = (images > 0.4).to(torch.uint8)
    return fit_node_probes(model, CARD, (images, masks), (images, masks))


def fade(model, images):
    inputs = read_graph(model).inputs
    node = max(inputs)
    return maps_with_faded_edge(model, CARD.normalise(images), {}, inputs, (inputs[node][0], node), 0.5)


def run_held_twice(model, images):
    """One hold within another, on one node."""
    maps = node_maps(model, CARD.normalise(images))
    with held_nodes(model, maps), held_nodes(model, maps):
        node_maps(model, CARD.normalise(images))
    assert "forward" not in vars(model)


def play(model, images):
    image = torch.linspace(0, 1, 200 * 200).view(1, 200, 200)
    mask, distractors = torch.ones(2, 1, 200, 200, dtype=torch.uint8)
    mask[:, 94:98] = 0
    distractors[:] = 0
    for kind, column in ((1, 94), (2, 98), (3, 102)):
        distractors[:, 99:105, column : column + 4] = kind
    PeepholeGame(model, CARD, [(image, mask, distractors)], count=6)


def explore_nodes(model, images):
    masks = (images > 0.4).to(torch.uint8)
    explorer = NodeExplorer({"mine": read_all_nodes(model, images)}, (images, masks))
    explorer.strength.value = 50


def explore_depths(model, images):
    explorer = DepthExplorer(model, CARD, list(images), [(image > 0.4).to(torch.uint8) for image in images])
    explorer.depth.value = 1


USES = {
    "read_heads": lambda model, images: read_heads(model, CARD.normalise(images), CPU),
    "read_image_heads": lambda model, images: read_image_heads(model, images[0], CARD, BF16),
    "predict": lambda model, images: predict(model, images[0], CARD, runtime=CPU),
    "predict in bf16": lambda model, images: predict(model, images[0], CARD, average_flips=True, runtime=BF16),
    "node_maps": lambda model, images: node_maps(model, CARD.normalise(images)),
    "fit_node_probes": read_all_nodes,
    "read_graph": lambda model, images: read_graph(model),
    "maps_with_faded_edge": fade,
    "held_nodes": run_held_twice,
    "fold_batch_norm": lambda model, images: fold_batch_norm(model),
    "prepare": lambda model, images: prepare(model, None, BF16),
    "profile": lambda model, images: profile(model, 16, repeats=1),
    "heads_now": lambda model, images: heads_now(model, CARD, images[0]),
    "predict_image": lambda model, images: predict_image(model, images[0], CARD, CPU),
    "NodeExplorer": explore_nodes,
    "PeepholeGame": play,
    "ReceptiveFieldExplorer": lambda model, images: ReceptiveFieldExplorer(model, images[0]),
}
CUTS = {
    "prune": lambda model, images: prune(model, 1),
    "predict at a depth": lambda model, images: predict(model, images[0], CARD, depth=1, runtime=CPU),
    "profile_depths": lambda model, images: profile_depths(model, 16, repeats=1),
    "DepthExplorer": explore_depths,
    "CutExplorer": lambda model, images: CutExplorer(model, CARD, list(images), [(i > 0.4).byte() for i in images]),
}
SKIPS = {
    "SkipsExplorer": lambda model, images: SkipsExplorer(model, CARD, images[0], (images[0] > 0.4).byte(), [50, 0]),
}
CASES = [
    pytest.param(network, use, id=f"{name} of {network.__name__}")
    for uses, networks in ((USES, (UNet, UNetPlusPlus)), (CUTS, (UNetPlusPlus,)), (SKIPS, (UNet,)))
    for name, use in uses.items()
    for network in networks
]


def made(network, begin):
    torch.manual_seed(0)
    model = network(widths=(2, 3, 4))
    begin(model)
    return model


@pytest.mark.parametrize("begin", [learning, resting])
@pytest.mark.parametrize(("network", "use"), CASES)
def test_a_network_is_left_as_it_was(network, use, begin):
    model = made(network, begin)
    images = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    before, seen, drawn = state_of(model), images.clone(), torch.get_rng_state()
    use(model, images)
    assert state_of(model) == before
    assert torch.equal(images, seen)
    assert torch.equal(torch.get_rng_state(), drawn)  # else asking would change a training that goes on


@pytest.mark.parametrize("begin", [learning, resting])
@pytest.mark.parametrize("network", [UNet, UNetPlusPlus])
def test_scoring_drawing_and_saving_leave_network_card_and_names_as_they_were(network, begin, tiny_set, tmp_path):
    model, card, names = made(network, begin), replace(CARD, details={"seed": 1}), ["disc_03", "disc_01"]
    folder = SegmentationFolder(tiny_set)
    before, drawn = state_of(model), torch.get_rng_state()
    evaluate(model, folder, card, names, BF16)
    draw_predictions(model, folder, names, card, BF16, tmp_path / "picture.png")
    save_model(model, tmp_path / "model.safetensors", card)
    assert state_of(model) == before
    assert (card, names) == (CARD, ["disc_03", "disc_01"])
    assert torch.equal(torch.get_rng_state(), drawn)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["pt2", "onnx"])
@pytest.mark.parametrize("begin", [learning, resting])
def test_exporting_leaves_the_network_as_it_was(begin, ending, tmp_path):
    pytest.importorskip("onnxscript")
    model = made(UNetPlusPlus, begin)
    before = state_of(model)
    export_model(model, tmp_path / f"network.{ending}", CARD)
    assert state_of(model) == before


FAILURES = {
    "evaluate": lambda model, tiny_set: evaluate(model, SegmentationFolder(tiny_set), Card((0.4, 0.4), (1, 1))),
    "node_maps": lambda model, tiny_set: node_maps(model, torch.zeros(1, 3, 16, 16)),
    "heads_now": lambda model, tiny_set: heads_now(model, Card((0.4, 0.4), (1, 1)), torch.zeros(1, 16, 16)),
    "predict": lambda model, tiny_set: predict(model, torch.zeros(3, 16, 16), CARD),
    "faded_edge": lambda model, tiny_set: faded_edge(model, ((0, 0), (9, 9)), 0.5).__enter__(),
}


@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("begin", [learning, resting])
def test_what_fails_leaves_the_network_as_it_was(begin, fail, tiny_set):
    model = made(UNetPlusPlus, begin)
    before = state_of(model)
    with pytest.raises(InputError):
        fail(model, tiny_set)
    assert state_of(model) == before


def test_a_network_in_training_answers_in_evaluation_mode(tiny_set):
    model = made(UNetPlusPlus, learning)
    image = SegmentationFolder(tiny_set)[0][0]
    expected = heads_now(fold_batch_norm(model), CARD, image)  # a copy in evaluation mode
    torch.testing.assert_close(heads_now(model, CARD, image), expected)
    scores = evaluate(model, SegmentationFolder(tiny_set), CARD, runtime=CPU).scores
    assert scores == evaluate(model.eval(), SegmentationFolder(tiny_set), CARD, runtime=CPU).scores
