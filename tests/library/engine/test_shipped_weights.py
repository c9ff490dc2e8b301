"""The networks that the notebooks show are those of their cards, and score what the cards say."""

import hashlib
import json
from pathlib import Path

import pytest

from unetpp_lib.data import SegmentationFolder, find_dataset, read_split, shipped_data
from unetpp_lib.engine import choose_runtime, evaluate, load_model

SHIPPED = shipped_data() / "weights"
CARDS = sorted(SHIPPED.glob("*.json"))


def test_every_network_has_a_card_and_all_are_small():
    files = sorted(SHIPPED.glob("*.safetensors"))
    assert [path.stem for path in files] == [path.stem for path in CARDS]
    assert files
    assert sum(path.stat().st_size for path in files) < 8e6


@pytest.mark.slow
@pytest.mark.parametrize("card_file", CARDS, ids=lambda path: path.stem)
def test_a_shipped_network_scores_what_its_card_says(card_file: Path):
    said = json.loads(card_file.read_text())
    path = SHIPPED / said["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == said["sha256"]
    model, card = load_model(path)
    folder = SegmentationFolder(find_dataset(said["config"]["data"]))
    assert said["images"] == list(read_split(folder.root / "split.json").test)
    scores = evaluate(model, folder, card, said["images"], choose_runtime("cpu", "float32")).scores
    assert scores.keys() == said["scores"].keys()
    for row, values in said["scores"].items():
        assert scores[row] == pytest.approx(values, abs=1e-3), row  # another machine may round a few pixels otherwise
