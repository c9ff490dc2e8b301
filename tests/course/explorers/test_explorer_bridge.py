"""The one-pixel bridge: one erased pixel merges two cells, IoU hardly moves, V_rand falls."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_course import BridgeExplorer, thin_membranes
from unetpp_course.explorers.bridge import crossings
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou, segments, v_rand

TWO = np.ones((8, 9), np.uint8)  # two equal cells, 8 × 4 each, and a membrane of one pixel between
TWO[:, 4] = 0
FOUR = np.kron(np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1]], np.uint8), np.ones((5, 5), np.uint8))  # thick membranes


def test_two_equal_cells_that_merge_score_two_thirds():
    explorer = BridgeExplorer(TWO)
    assert explorer.whole == explorer.now == (1.0, 1.0)
    explorer.state.value = "erased"
    assert explorer.now.membrane_iou == 7 / 8
    assert explorer.now.v_rand == pytest.approx(2 / 3)
    assert "cells 2 → 1" in explorer.status
    explorer.state.value = "whole"
    assert explorer.now == (1.0, 1.0)


def test_the_scores_are_the_librarys():
    answer = FOUR.copy()
    answer[0:3, 5:10] = 1  # a hole in the upper membrane
    explorer = BridgeExplorer(FOUR, answer)
    explorer.state.value = "erased"
    holed = answer.copy()
    holed[explorer.crossing] = 1
    counts = confusion_counts(torch.from_numpy(holed)[None, None], torch.from_numpy(FOUR)[None, None])
    assert explorer.now.membrane_iou == iou(counts, of="background")
    assert explorer.now.v_rand == v_rand(segments(holed.astype(float)), segments(FOUR.astype(float), fill=False))
    assert explorer.now.v_rand < explorer.whole.v_rand < 1


def test_the_place_runs_along_the_membrane():
    explorer = BridgeExplorer(TWO)
    found = []
    for place in (0, 50, 100):
        explorer.place.value = place
        found.append([part.tolist() for part in explorer.crossing])
    assert found == [[[0], [4]], [[3], [4]], [[7], [4]]]


def test_a_crossing_goes_straight_from_cell_to_cell():
    ways = crossings(segments(FOUR.astype(float), fill=False))
    assert set(ways) == {(1, 2), (1, 3), (2, 4), (3, 4)}
    for pair, of_pair in ways.items():
        assert len(of_pair) == 5
        for rows, columns in of_pair:
            assert len(rows) == 5
            assert not FOUR[rows, columns].any()
            holed = FOUR.copy()
            holed[rows, columns] = 1
            merged = segments(holed.astype(float), fill=False)
            assert merged.max() == 3, pair


def test_ways_along_a_membrane_are_no_ways_through_it():
    mask = np.ones((6, 30), np.uint8)
    mask[2:4] = 0
    mask[4, 0:20] = 0  # a step: along row 4 a line from cell to cell does not exist, along columns it is 2 or 3 long
    lengths = {len(rows) for ways in crossings(segments(mask.astype(float), fill=False)).values() for rows, _ in ways}
    assert lengths == {2, 3}


def test_thin_membranes_keep_the_cells_apart():
    thin = thin_membranes(FOUR)
    cells, thick = segments(thin.astype(float), fill=False), segments(FOUR.astype(float), fill=False)
    assert cells.max() == 4
    assert v_rand(cells, thick) == 1
    assert (thin == 0).sum() < (FOUR == 0).sum() / 3
    assert (thin.sum(axis=0) >= 13).sum() >= 13  # a line of one or two pixels crosses all other columns
    assert thin_membranes(torch.from_numpy(FOUR)[None]).tolist() == thin.tolist()


def test_picture_and_status_follow_every_control():
    explorer = BridgeExplorer(FOUR)
    for control, value in ((explorer.place, 0), (explorer.membrane, 2), (explorer.state, "erased")):
        before = explorer.png, explorer.status
        control.value = value
        assert explorer.png != before[0]
        assert explorer.status != before[1]


def test_numbers_can_be_typed():
    explorer = BridgeExplorer(FOUR)
    explorer.children[0].children[1].value = 3
    explorer.children[1].children[1].value = 100
    assert (explorer.membrane.value, explorer.place.value) == (3, 100)


def test_merged_cells_take_one_colour_and_the_others_keep_theirs():
    explorer = BridgeExplorer(FOUR)
    before = np.asarray(Image.open(io.BytesIO(explorer.png)).convert("RGB"))
    explorer.state.value = "erased"
    after = np.asarray(Image.open(io.BytesIO(explorer.png)).convert("RGB"))
    corners = [(40, 10), (40, 320), (340, 10), (340, 320)]  # of the four cells in the picture
    assert len({tuple(before[corner]) for corner in corners}) == 4
    assert len({tuple(after[corner]) for corner in corners}) == 3
    assert sum(tuple(before[corner]) == tuple(after[corner]) for corner in corners) == 3


def test_the_picture_stands_where_widgets_cannot_run_and_has_words():
    explorer = BridgeExplorer(TWO)
    bundle = explorer._repr_mimebundle_()
    assert np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("RGB")).std() > 10
    assert bundle["text/plain"] == f"BridgeExplorer: {explorer.status}"
    assert 'alt="The cells of the prediction in colours' in explorer.children[-1].value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"truth": np.ones((8, 8))}, "at least two cells"),
        ({"truth": 255 * TWO}, "truth is"),
        ({"truth": TWO, "answer": TWO[:4]}, "one size"),
        ({"truth": TWO[None, None]}, "truth is"),
        ({"truth": TWO, "answer": 0.5 * TWO}, "answer is"),
        ({"truth": TWO, "membrane": 1}, "membranes 0 to 0"),
        ({"truth": TWO, "place": 101}, "0 to 100"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        BridgeExplorer(**arguments)
