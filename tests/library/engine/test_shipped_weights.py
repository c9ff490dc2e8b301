"""The networks that the notebooks show are those of their cards, and score what the cards say."""

import hashlib
import json
from pathlib import Path

import pytest

from unetpp_lib.data import SegmentationFolder, find_dataset, shipped_data
from unetpp_lib.engine import TrainConfig, choose_runtime, evaluate, load_model
from unetpp_lib.engine.runs import choose_split
from unetpp_lib.errors import InputError

SHIPPED = shipped_data() / "weights"
CARDS = sorted(SHIPPED.glob("*.json"))


def test_every_network_has_a_card_and_all_are_small():
    files = sorted(SHIPPED.glob("*.safetensors"))
    assert [path.stem for path in files] == [path.stem for path in CARDS]
    assert files
    assert sum(path.stat().st_size for path in files) < 9e6


@pytest.mark.slow
@pytest.mark.parametrize("card_file", CARDS, ids=lambda path: path.stem)
def test_a_shipped_network_scores_what_its_card_says(card_file: Path):
    said = json.loads(card_file.read_text())
    path = SHIPPED / said["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == said["sha256"]
    model, card = load_model(path)
    try:
        root = find_dataset(said["config"]["data"])
    except InputError:
        pytest.skip(f"the images of {said['config']['data']} are not on this machine")
    folder = SegmentationFolder(root, model.in_channels, model.num_classes)
    config = TrainConfig(**said["config"])
    assert said["images"] == list(choose_split(folder, config).test)
    scores = evaluate(model, folder, card, said["images"], choose_runtime("cpu", "float32")).scores
    assert scores.keys() == said["scores"].keys()
    for row, values in said["scores"].items():
        assert scores[row] == pytest.approx(values, abs=1e-3), row  # another machine may round a few pixels otherwise
