"""The command on the card of a shipped network trains the very configuration that the network came from."""

import json
import shlex
from pathlib import Path
from runpy import run_path

import pytest
import tyro
from tyro.conf import OmitArgPrefixes

from unetpp_lib.data import SegmentationFolder, shipped_data
from unetpp_lib.engine import PRESETS, TrainConfig, choose_runtime, evaluate, train

WEIGHTS = shipped_data() / "weights"

SHIP = run_path(str(WEIGHTS / "ship.py"))
training_command, ship = SHIP["training_command"], SHIP["ship"]


def parsed(command: str) -> TrainConfig:
    """Read a command as `unetpp train` does: the preset's values, and then the options."""
    arguments = shlex.split(command)[2:]
    preset = PRESETS[arguments[arguments.index("--preset") + 1]]
    return tyro.cli(OmitArgPrefixes[TrainConfig], args=arguments, default=preset)


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(),
        TrainConfig(model="unet", epochs=30, out=Path("somewhere")),
        TrainConfig(deep_supervision=False, augment=False, compiled=True, widths=(4, 8), norm="none", lr=1e-4, seed=3),
        PRESETS["full"],
    ],
)
def test_the_command_is_the_configuration(config: TrainConfig):
    found = parsed(training_command(config))
    assert found.to_json() == config.to_json()
    assert str(found.out) == "RUN"


def test_the_command_says_no_more_than_differs_from_the_preset():
    assert training_command(TrainConfig(model="unet", epochs=30)) == (
        "unetpp train --data membranes --preset laptop --seed 0 --model unet --epochs 30 --out RUN"
    )


@pytest.mark.parametrize("card", sorted(WEIGHTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_card_says_the_command_of_its_configuration(card: Path):
    said = json.loads(card.read_text())
    config = TrainConfig(**said["config"] | {"widths": tuple(said["config"]["widths"])})
    assert said["commands"][0] == training_command(config)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["unet", "unetpp"])
def test_the_card_says_what_each_test_image_scores_by_itself(tiny_set, tmp_path, monkeypatch, model):
    monkeypatch.setenv("UNETPP_DATA", str(tiny_set.parent))
    monkeypatch.setitem(ship.__globals__, "SHIPPED", tmp_path)
    size = {"widths": (4, 6, 8), "patch": 32, "batch_size": 4, "epochs": 1, "device": "cpu"}
    run = train(TrainConfig(data=str(tiny_set), model=model, out=tmp_path / "run", **size))
    ship(run, "network")
    said = json.loads((tmp_path / "network.json").read_text())
    network, card = run.load_model()
    folder, runtime = SegmentationFolder(tiny_set), choose_runtime("cpu", "float32")
    scores = {name: evaluate(network, folder, card, [name], runtime).scores["head 2"] for name in run.split.test}
    assert list(said["by_image"]) == said["images"] == list(scores)
    for name, value in said["by_image"].items():
        assert value == round(scores[name]["iou/foreground/image"], 4)
