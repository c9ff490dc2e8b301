"""The depth explorer shows what the pruned networks say, what they cost, and where they are wrong."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor

from unetpp_course import DepthExplorer
from unetpp_course.explorers import depth as depth_module
from unetpp_course.explorers.depth_sheet import CHOSEN, GAP, LINE, SIDE, Cost, DepthSheet
from unetpp_lib.engine import Card, Run, TrainConfig, load_model, save_model
from unetpp_lib.engine.network_file import unpack
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import Profile, UNet, UNetPlusPlus, probabilities, profile_depths, prune

CARD = Card(mean=(0.4,), std=(0.3,))
PROFILES = {depth: Profile(100 * depth, 10**9 * depth, 0, depth / 100) for depth in (1, 2, 3)}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=(2, 3, 4, 5)).train()
    model(torch.randn(4, 1, 32, 32))
    return model.eval()


@pytest.fixture(scope="module")
def pairs():
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(1, *size, generator=generator) for size in ((24, 40), (33, 21), (24, 40))]
    return images, [(image > 0.4).to(torch.uint8) for image in images]


@pytest.fixture
def explorer(model, pairs):
    return DepthExplorer(model, CARD, *pairs, names=["a", "b", "c"], profiles=PROFILES)


def press_keep(explorer):
    """Do what the button "prune and keep" does."""
    explorer.live._handle_custom_msg({"keep": True}, [])


def pixels(explorer):
    return np.asarray(Image.open(io.BytesIO(explorer.png)).convert("RGB"))


@pytest.fixture(scope="module")
def used(model, pairs):
    """An explorer whose controls may stand anywhere."""
    return DepthExplorer(model, CARD, *pairs, profiles=PROFILES)


@pytest.mark.parametrize("mode", ["fast", "accurate"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_scores_are_those_of_the_pruned_networks(used, model, pairs, depth, mode):
    used.mode.value, used.threshold.value = mode, 45
    pruned, counts = prune(model, depth), []
    for image, mask in zip(*pairs, strict=True):
        with torch.inference_mode():
            answer = probabilities(pruned(CARD.normalise(image)[None]), mode)
        counts.append(confusion_counts(classify(answer, 0.45), mask[None]))
    assert used.scores[depth] == pytest.approx(iou(torch.cat(counts), of="background"), abs=1e-3)


def test_the_status_says_what_is_shown(explorer):
    assert repr(explorer).startswith("DepthExplorer: Depth 3 of 3, fast, threshold 0.50, image a: IoU of membrane ")
    explorer.depth.value, explorer.image.value = 1, 1
    assert "Depth 1 of 3, fast, threshold 0.50, image b: " in explorer.status
    assert "100 parameters (33% of the whole), 1.00 G multiply-accumulates (33%)" in explorer.status


def test_the_clock_is_shown_and_is_not_in_what_the_notebook_keeps(explorer):
    explorer.depth.value = 2
    assert explorer.live.about["costs"][1] == {"parameters": 200, "macs": 2 * 10**9, "seconds": 0.02}
    assert "ms" not in repr(explorer).split()


def test_every_control_changes_picture_and_status(explorer):
    seen = {(explorer.png, explorer.status)}
    for control, value in (
        (explorer.depth, 2),
        (explorer.image, 2),
        (explorer.threshold, 60),
        (explorer.mode, "accurate"),
    ):
        control.value = value
        assert all(explorer.png != png and explorer.status != status for png, status in seen)
        seen.add((explorer.png, explorer.status))


def test_mistakes_are_in_the_colours_of_the_course(model):
    image = torch.rand(1, 64, 64)
    prediction = classify(torch.sigmoid(model(CARD.normalise(image)[None])[-1]))[0]
    top, left = LINE, SIDE + GAP
    area = (slice(top + 1, top + SIDE - 1), slice(left + 1, left + SIDE - 1))  # within the frame
    for mask, colours in ((prediction, {(255, 255, 255), (0, 0, 0)}), (1 - prediction, {(230, 159, 0), (0, 114, 178)})):
        explorer = DepthExplorer(model, CARD, [image], [mask], profiles=PROFILES)
        found = {tuple(colour) for colour in pixels(explorer)[area].reshape(-1, 3).tolist()}
        assert found <= colours


def test_prune_and_keep_gives_a_network_of_its_own_and_its_file(explorer, model, pairs, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    explorer.depth.value, explorer.threshold.value, explorer.image.value = 2, 40, 1
    press_keep(explorer)
    assert "Kept in pruned_depth_2.safetensors" in explorer.status
    assert explorer.live.news == explorer.status.split("\n")[0]
    assert "it says exactly what heads 1 to 2 of the whole network say" in explorer.status
    x = torch.rand(2, 1, 40, 24)
    loaded, card = load_model("pruned_depth_2.safetensors")
    assert card.threshold == 0.4
    for network in (explorer.kept, loaded):
        assert network.depth == 2
        assert all(torch.equal(own, whole) for own, whole in zip(network(x), model(x), strict=False))
    press_keep(explorer)
    assert (tmp_path / "pruned_depth_2_2.safetensors").exists()
    explorer.image.value = 0
    assert "Kept" not in explorer.status


def test_what_is_kept_replaces_no_file(explorer, monkeypatch, tmp_path):
    path = tmp_path / "small.safetensors"
    assert explorer.keep(path).depth == 3
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"small\.safetensors exists already"):
        explorer.keep(path)
    assert path.read_bytes() == before


def test_where_nothing_can_be_written_the_status_says_so(explorer, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    press_keep(explorer)
    assert "cannot be written" in explorer.status
    assert explorer.kept is None


def test_a_kept_network_that_says_something_else_is_reported(explorer, monkeypatch, tmp_path):
    def changed(model, depth):
        pruned = prune(model, depth)
        torch.nn.init.constant_(pruned.heads[0].bias, 0.5)
        return pruned

    monkeypatch.setattr(depth_module, "prune", changed)
    explorer.keep(tmp_path / "other.safetensors")
    assert "it says something else, up to 0." in explorer.status


def test_costs_are_counted_and_measured_where_none_are_given(model, pairs):
    explorer = DepthExplorer(model, CARD, *pairs)
    for depth, profile in profile_depths(model, (24, 40), repeats=1).items():
        assert explorer.costs[depth][:2] == (profile.parameters, profile.macs)
        assert explorer.costs[depth].latency > 0


def test_what_pruning_drops_is_grey_and_the_heads_in_use_are_marked(model):
    sheet = DepthSheet(model, {1: Cost(1, 1, 1.0)}, (24, 40), ("membrane", "interior"))

    def count(picture, colour):
        return (np.abs(np.asarray(picture).astype(int) - colour).max(axis=-1) < 40).sum()

    pictures = [sheet._draw_graph(depth, "fast") for depth in (1, 2, 3)]
    coloured = [(np.ptp(np.asarray(picture).astype(int), axis=-1) > 60).sum() for picture in pictures]
    assert coloured[0] < coloured[1] < coloured[2]
    orange = ImageColor.getrgb(CHOSEN)
    fast, accurate = (count(sheet._draw_graph(3, mode), orange) for mode in ("fast", "accurate"))
    assert 0 < 2.5 * fast < accurate  # one head, three heads


def test_masks_may_be_true_and_false(model, pairs):
    images, masks = pairs
    explorer = DepthExplorer(model, CARD, [images[0].double()], [masks[0].bool()], profiles=PROFILES)
    assert explorer.scores == DepthExplorer(model, CARD, images[:1], masks[:1], profiles=PROFILES).scores


@pytest.mark.slow
def test_one_image_of_a_deep_network_and_of_a_pruned_one(pairs):
    image, mask = pairs[0][0], pairs[1][0]
    for network in (UNetPlusPlus(widths=(2,) * 7), prune(UNetPlusPlus(widths=(2, 3, 4)), 1)):
        explorer = DepthExplorer(network.eval(), CARD, [image], [mask])
        assert f"Depth {network.depth} of {network.depth}" in explorer.status


def test_a_picture_with_words_stands_where_no_widget_runs(explorer):
    assert explorer.png.startswith(b"\x89PNG")
    assert explorer._repr_mimebundle_().keys() >= {"image/png", "text/plain"}


def test_controls_and_the_browser_are_kept_equal(explorer):
    explorer.depth.value, explorer.mode.value = 2, "accurate"
    assert (explorer.live.depth, explorer.live.mode) == (2, "accurate")
    explorer.live.set_state({"image": 1, "threshold": 40})
    assert (explorer.image.value, explorer.threshold.value) == (1, 40)
    assert "accurate, threshold 0.40, image b" in explorer.status


def test_the_browser_gets_what_every_depth_predicts(explorer, model):
    explorer.threshold.value = 30
    for number, pack in enumerate(explorer.live.packs):
        about, payload = unpack(pack)
        size = about["height"], about["width"]
        levels = np.frombuffer(payload, np.uint8).reshape(-1, *size)[2:].reshape(2, 3, *size)
        np.testing.assert_array_equal(levels >= 30, (explorer.answers[number] > 0.3).numpy())
    assert unpack(explorer.live.network)[0]["heads"] == [[0, 1], [0, 2], [0, 3]]


def test_a_network_that_the_browser_cannot_run_is_shown_without_it(pairs):
    explorer = DepthExplorer(UNetPlusPlus(widths=(2, 3), norm="group"), CARD, pairs[0][:1], pairs[1][:1])
    assert explorer.live.network == b""


@pytest.mark.slow
def test_it_opens_on_the_courses_network():
    explorer = DepthExplorer.shipped("validation", dict.fromkeys(range(1, 5), PROFILES[1]))
    assert explorer.names == ["membrane_28", "membrane_29", "membrane_30", "membrane_31"]
    assert explorer.scores[1] < 0.6 < 0.75 < explorer.scores[4]


@pytest.fixture
def run(model, tmp_path):
    folder = tmp_path / "run"
    config = TrainConfig(data="membranes", widths=(2, 3, 4, 5), out=folder)
    folder.mkdir()
    (folder / "config.json").write_text(config.to_json())
    parts = {"train": ["membrane_00"], "validation": [], "test": ["membrane_32", "membrane_33"]}
    (folder / "split.json").write_text(json.dumps(parts))
    save_model(model, Run(folder).weights, CARD)
    return folder


@pytest.mark.slow
def test_it_opens_your_own_run(run):
    explorer = DepthExplorer.of_run(run, "test")
    assert explorer.names == ["membrane_32", "membrane_33"]
    assert "IoU of membrane" in explorer.status


def test_a_part_without_images_and_a_folder_that_is_no_run_are_named(run, tmp_path):
    with pytest.raises(InputError, match=r"no image for 'validation'.*\"test\""):
        DepthExplorer.of_run(run)
    with pytest.raises(InputError, match="not a run folder"):
        DepthExplorer.of_run(tmp_path / "missing")
    (run / "best.safetensors").unlink()
    with pytest.raises(InputError, match="no such file"):
        DepthExplorer.of_run(run, "test")


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (UNetPlusPlus(widths=(2, 3), deep_supervision=False), "only its deepest head"),
        (UNet(widths=(2, 3)), "only its deepest head"),
        (UNetPlusPlus(widths=(2, 3), num_classes=3), "has 3 classes"),
        (UNetPlusPlus(widths=(2, 3), in_channels=3), r"give \(3, H, W\)"),
        (torch.nn.Conv2d(1, 1, 1), "model is Conv2d"),
    ],
)
def test_networks_that_it_cannot_show_are_refused(pairs, network, words):
    with pytest.raises(InputError, match=words):
        DepthExplorer(network, CARD, *pairs)


def test_images_and_masks_that_do_not_fit_are_refused(model, pairs):
    images, masks = pairs
    for wrong, words in (
        ((images, masks[:2]), "3 images and 2 masks"),
        (([], []), "at least one"),
        ((images[:1], masks[1:2]), "of the same size"),
        ((images[:1], [2 * masks[0]]), "0 .background. and 1"),
    ):
        with pytest.raises(InputError, match=words):
            DepthExplorer(model, CARD, *wrong, profiles=PROFILES)
    with pytest.raises(InputError, match="3 images and 1 names"):
        DepthExplorer(model, CARD, images, masks, names=["a"], profiles=PROFILES)
    for words in ({"of": "membrane"}, {"classes": ("cell",)}):
        with pytest.raises(InputError, match="names of class 0 and class 1"):
            DepthExplorer(model, CARD, images, masks, profiles=PROFILES, **words)
    with pytest.raises(InputError, match="card is float"):
        DepthExplorer(model, 0.5, images, masks, profiles=PROFILES)
    with pytest.raises(InputError, match="no image for 'tests'"):
        DepthExplorer.shipped("tests")
    with pytest.raises(InputError, match="profiles are for depths"):
        DepthExplorer(model, CARD, images, masks, profiles={4: PROFILES[1]})
