"""The score table says what each head, their mean and the trivial answer are worth."""

import json
from copy import deepcopy

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import Card, choose_runtime, evaluate
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import iou
from unetpp_lib.models import UNet, UNetPlusPlus, probabilities

CPU = choose_runtime("cpu", "float32")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return UNetPlusPlus(widths=(4, 6, 8)).eval()


def reference_iou(prediction: np.ndarray, truth: np.ndarray, label: int) -> float:
    a, b = prediction == label, truth == label
    return (a & b).sum() / (a | b).sum() if (a | b).any() else 1.0


def test_every_head_and_their_mean_are_scored(tiny_set, model):
    folder = SegmentationFolder(tiny_set)
    card = Card((0.3,), (0.2,), threshold=0.45)
    evaluation = evaluate(model, folder, card, folder.names[:3], CPU)
    assert list(evaluation.scores) == ["head 1", "head 2", "mean of heads", "all foreground"]
    expected = {row: [] for row in evaluation.scores}
    for i in range(3):
        image, mask = folder[i]
        with torch.no_grad():
            heads = model(card.normalise(image)[None])
        answers = [probabilities(heads, "fast", 1), probabilities(heads, "fast", 2), probabilities(heads)]
        for row, answer in zip(expected, [*answers, torch.ones_like(answers[0])], strict=True):
            expected[row].append(reference_iou((answer > 0.45)[0, 0].numpy(), mask[0].numpy(), 1))
    for row, values in expected.items():
        assert evaluation.scores[row]["iou/foreground/image"] == pytest.approx(np.mean(values))
    assert evaluation.answer is evaluation.scores["mean of heads"]


def test_the_counts_of_each_image_are_kept(tiny_set, model):
    folder = SegmentationFolder(tiny_set)
    evaluation = evaluate(model, folder, Card(), folder.names[:3], CPU)
    assert evaluation.counts.keys() == evaluation.scores.keys()
    counts = evaluation.counts["head 1"]
    for name, alone in zip(evaluation.names, counts.split(1), strict=True):
        assert iou(alone) == evaluate(model, folder, Card(), [name], CPU).scores["head 1"]["iou/foreground/image"]
    assert iou(counts) == evaluation.scores["head 1"]["iou/foreground/image"]


def test_a_network_with_one_head_has_one_row(tiny_set):
    folder = SegmentationFolder(tiny_set)
    evaluation = evaluate(UNet(widths=(4, 6, 8)), folder, Card(), folder.names[:1], CPU)
    assert list(evaluation.scores) == ["head 2", "all foreground"]
    assert evaluation.answer is evaluation.scores["head 2"]


class Threshold(UNet):
    """Foreground where the image is bright: a network whose answers can be counted by hand."""

    def forward(self, x):
        return [1000 * (x - 0.5)]


def test_the_share_of_distractor_pixels_called_membrane_is_counted_by_size(tmp_path):
    image = np.full((16, 16), 255, np.uint8)
    image[:, 0] = 0  # membrane
    distractors = np.zeros((16, 16), np.uint8)
    distractors[4, 4:8], distractors[8, 4:14] = 1, 3
    image[4, 4:7] = 0  # 3 of 4 small ones look dark
    image[8, 4] = 0  # and 1 of 10 large ones
    mask = np.full((16, 16), 255, np.uint8)
    mask[:, 0] = 0
    for part, pixels in (("images", image), ("masks", mask), ("distractors", distractors)):
        (tmp_path / part).mkdir()
        Image.fromarray(pixels).save(tmp_path / part / "a.png")
    evaluation = evaluate(Threshold(widths=(1, 1)), SegmentationFolder(tmp_path), Card(), runtime=CPU)
    answer = evaluation.answer
    assert answer["distractors/small"] == pytest.approx(0.75)
    assert answer["distractors/large"] == pytest.approx(0.1)
    assert "distractors/medium" not in answer
    assert answer["iou/background/pooled"] == pytest.approx(16 / 20)
    assert evaluation.scores["all foreground"]["distractors/small"] == 0
    assert "distractors called membrane" in evaluation.table()


def test_the_table_shows_the_scores(tiny_set, model):
    folder = SegmentationFolder(tiny_set)
    evaluation = evaluate(model, folder, Card(), folder.names[:2], CPU)
    lines = evaluation.table().splitlines()
    assert len(lines) == 2 + 4
    assert lines[1].split() == ["fore", "back", "mean"] * 2
    head = evaluation.scores["head 1"]
    keys = [f"iou/{of}/{average}" for average in ("image", "pooled") for of in ("foreground", "background", "classes")]
    assert lines[2].split()[2:] == [f"{head[key]:.3f}" for key in keys]
    json.dumps(evaluation.scores)


@pytest.fixture
def beads(tmp_path):
    """Four images of ground and one bead, whose mask is class 1 or class 3; class 2 is in none."""
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for number in range(4):
        mask = np.zeros((16, 16), np.uint8)
        mask[4:8, 4 : 8 + 2 * number] = 1 if number % 2 else 3
        Image.fromarray(40 * mask).save(tmp_path / "images" / f"{number}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{number}.png")
    return SegmentationFolder(tmp_path, num_classes=4, complete=False)


class ClassesByBrightness(UNet):
    """Class 1 where the image is of class 1; what is of class 3 is called ground."""

    def forward(self, x):
        bead = (x > 0.1) & (x < 0.2)
        return [torch.cat([10.0 * ~bead, 10.0 * bead, torch.zeros_like(x), torch.zeros_like(x)], dim=1)]


def test_each_class_has_its_score_in_the_scores_and_in_the_table(beads):
    card = Card(classes=("ground", "dark bead", "ghost", "bright bead"))
    evaluation = evaluate(ClassesByBrightness(num_classes=4, widths=(1, 1)), beads, card, runtime=CPU)
    missed = 4 * (4 + 8)
    ground = 4 * 256 - missed - 4 * (6 + 10)
    assert evaluation.answer["iou_by_class/ground"] == pytest.approx(ground / (ground + missed))
    assert evaluation.answer["iou_by_class/dark bead"] == 1
    assert evaluation.answer["iou_by_class/bright bead"] == evaluation.answer["dice_by_class/bright bead"] == 0
    assert "iou_by_class/ghost" not in evaluation.answer
    mean = (ground / (ground + missed) + 1 + 0) / 3
    assert evaluation.answer["iou/classes/pooled"] == pytest.approx(mean)
    assert evaluation.answer["iou/foreground/pooled"] == pytest.approx(1 / 2)
    lines = [line.split() for line in evaluation.table().splitlines()]
    assert ["dark", "bead", "1.000"] in lines
    assert ["bright", "bead", "0.000"] in lines
    assert ["ghost", "–"] in lines
    assert json.loads(json.dumps(evaluation.scores, allow_nan=False)) == evaluation.scores


def test_classes_without_names_are_numbered(beads):
    evaluation = evaluate(ClassesByBrightness(num_classes=4, widths=(1, 1)), beads, Card(), runtime=CPU)
    assert evaluation.classes == ("class 0", "class 1", "class 2", "class 3")
    assert evaluation.answer["iou_by_class/class 1"] == 1


def test_the_scores_do_not_depend_on_tiles(tiny_set):
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=(2, 3)).eval()  # sees so little that a tile's borders matter only near them
    folder = SegmentationFolder(tiny_set)
    whole = evaluate(model, folder, Card(), runtime=CPU)
    tiled = evaluate(model, folder, Card(), runtime=CPU, tile=32)
    assert tiled.answer["iou/classes/pooled"] == pytest.approx(whole.answer["iou/classes/pooled"], abs=0.01)


def test_images_and_numbers_that_do_not_fit_are_named(tiny_set, model):
    folder = SegmentationFolder(tiny_set)
    with pytest.raises(InputError, match=r"\['nobody'\]; give images of"):
        evaluate(model, folder, Card(), ["nobody"], CPU)
    with pytest.raises(InputError, match="takes 1 channels and 1 classes, the folder was opened with 3 and 1"):
        evaluate(model, SegmentationFolder(tiny_set, channels=3), Card(), runtime=CPU)


@pytest.mark.parametrize("precision", [torch.float64, torch.bfloat16])
def test_a_network_of_another_precision_is_scored_in_float32(tiny_set, model, precision):
    folder = SegmentationFolder(tiny_set)
    converted = deepcopy(model).to(precision)
    scores = evaluate(converted, folder, Card(), runtime=CPU).scores
    assert scores == evaluate(deepcopy(converted).float(), folder, Card(), runtime=CPU).scores
    assert next(converted.parameters()).dtype == precision


@pytest.mark.parametrize("tile", [32.0, "32", None, True])
def test_a_tile_that_is_no_whole_number_is_named(tiny_set, model, tile):
    with pytest.raises(InputError, match=f"tile is {tile!r}; it must be a whole number"):
        evaluate(model, SegmentationFolder(tiny_set), Card(), runtime=CPU, tile=tile)
