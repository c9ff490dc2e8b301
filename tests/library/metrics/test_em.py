import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.measure import shannon_entropy
from skimage.metrics import adapted_rand_error, variation_of_information

from unetpp_lib.errors import InputError
from unetpp_lib.metrics import em_scores, segments, v_info, v_rand

TWO_CELLS = np.array([1, 1, 1, 1, 2, 2, 2, 2])


def grid(size=120, cell=20, width=1):
    """Interior (size, size) of square cells, with membranes `width` pixels wide between them."""
    line = np.arange(size) % cell >= width
    return (line[:, None] & line[None, :]).astype(float)


def noisy_segmentations(seed, size=200):
    """A truth with membranes (0) and a prediction that shifts, merges and splits its cells."""
    generator = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(generator.standard_normal((2, size, size)), (0, 5, 5))
    truth = segments((smooth[0] > -0.02).astype(float), fill=False)
    return segments((smooth[0] + 0.5 * smooth[1] > -0.01).astype(float)), truth


def pairs_reference(predicted, truth):
    """V_rand from its meaning: ordered pixel pairs (each pixel with itself, too) that share a segment."""
    kept = truth != 0
    same_s = predicted[kept][:, None] == predicted[kept][None, :]
    same_t = truth[kept][:, None] == truth[kept][None, :]
    return (same_s & same_t).sum() / (0.5 * same_s.sum() + 0.5 * same_t.sum())


@pytest.mark.parametrize(
    ("predicted", "rand", "info"),
    [
        # the same cells under other labels
        (np.array([7, 7, 7, 7, 3, 3, 3, 3]), 1.0, 1.0),
        # merged: p = (½, ½), s = 1, t = (½, ½): ½ / (½ + ¼); S says nothing about T
        (np.ones(8, int), 2 / 3, 0.0),
        # split into pixels: Σp² = Σs² = 8/64, Σt² = ½: ⅛ / (1/16 + ¼); I = H(T) = 1 bit, H(S) = 3 bits
        (np.arange(1, 9), 0.4, 0.5),
        # one cell cut in two halves: Σp² = Σs² = ¼ + 2/16, Σt² = ½; I = H(T) = 1 bit, H(S) = 1½ bits
        (np.array([1, 1, 1, 1, 2, 2, 3, 3]), (3 / 8) / (7 / 16), 1 / 1.25),
        # independent of the truth: p_ij = ¼, s = t = (½, ½): ¼ / ½
        (np.array([1, 1, 2, 2, 1, 1, 2, 2]), 0.5, 0.0),
    ],
    ids=["same", "merged", "split", "one-cut", "independent"],
)
def test_scores_of_two_equal_cells_are_those_worked_out_by_hand(predicted, rand, info):
    assert v_rand(predicted, TWO_CELLS) == pytest.approx(rand)
    assert v_info(predicted, TWO_CELLS) == pytest.approx(info, abs=1e-12)


def test_pixels_whose_truth_is_membrane_are_ignored():
    truth, predicted = np.append(TWO_CELLS, [0, 0, 0]), np.append(TWO_CELLS, [1, 2, 9])
    assert v_rand(predicted, truth) == 1
    assert v_info(predicted, truth) == pytest.approx(1)


def test_label_zero_of_the_prediction_is_a_segment_like_others():
    for score in (v_rand, v_info):
        assert score(np.array([0, 0, 0, 0, 2, 2, 3, 3]), TWO_CELLS) == score(
            np.array([1, 1, 1, 1, 2, 2, 3, 3]), TWO_CELLS
        )


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint16])
def test_labels_are_names_alone(dtype):
    truth = np.where(TWO_CELLS == 1, 1, 255).astype(dtype)  # 255 + 1 wraps in uint8
    independent = np.array([255, 255, 254, 254] * 2).astype(dtype)
    assert v_rand(independent, truth) == pytest.approx(0.5)
    assert v_info(independent, truth) == pytest.approx(0, abs=1e-12)


def test_one_segment_in_both_scores_one():
    one = np.ones((4, 4), int)
    assert v_rand(one, one) == 1
    assert v_info(one, one) == 1


def test_one_true_segment_cut_up_has_no_information_in_common():
    assert v_info(np.arange(1, 9), np.ones(8, int)) == 0


def test_a_truth_without_segments_leaves_nothing_to_score():
    nothing = np.zeros((4, 4), int)
    assert v_rand(nothing + 1, nothing) == 1
    assert v_info(nothing + 1, nothing) == 1


@pytest.mark.parametrize("seed", range(3))
def test_v_rand_counts_pairs_of_pixels(seed):
    generator = np.random.default_rng(seed)
    predicted, truth = generator.integers(0, 5, (2, 12, 12))
    assert v_rand(predicted, truth) == pytest.approx(pairs_reference(predicted, truth))


@pytest.mark.parametrize("seed", range(3))
def test_v_rand_agrees_with_scikit_image_but_for_self_pairs(seed):
    predicted, truth = noisy_segmentations(seed)
    error, _, _ = adapted_rand_error(truth, predicted, ignore_labels=(0,))
    assert v_rand(predicted, truth) == pytest.approx(1 - error, abs=3e-4)
    assert 0.2 < v_rand(predicted, truth) < 0.99  # a case that tells scores apart


@pytest.mark.parametrize("seed", range(3))
def test_v_info_follows_from_variation_of_information(seed):
    predicted, truth = noisy_segmentations(seed)
    variation = variation_of_information(truth, predicted, ignore_labels=(0,)).sum()
    entropies = shannon_entropy(predicted[truth != 0]) + shannon_entropy(truth[truth != 0])
    assert v_info(predicted, truth) == pytest.approx(1 - variation / entropies)
    assert 0.2 < v_info(predicted, truth) < 0.99


def test_cells_that_touch_at_a_corner_alone_are_two():
    assert segments(np.eye(2), fill=False).max() == 2


def test_membrane_is_what_does_not_exceed_the_threshold():
    probability = np.array([[0.9, 0.5, 0.9, 0.7, 0.9]])
    assert segments(probability, fill=False).tolist() == [[1, 0, 2, 2, 2]]
    assert segments(probability, threshold=0.7, fill=False).tolist() == [[1, 0, 2, 0, 3]]
    assert segments(probability, threshold=0.4, fill=False).tolist() == [[1, 1, 1, 1, 1]]


def test_filling_gives_every_membrane_pixel_to_a_cell_and_moves_no_cell():
    raw, filled = segments(grid(width=3), fill=False), segments(grid(width=3))
    assert (raw == 0).any()
    assert filled.all()
    assert np.array_equal(filled[raw != 0], raw[raw != 0])


def test_filling_meets_where_the_membrane_is_surest():
    probability = np.array([[0.9, 0.4, 0.3, 0.2, 0.1, 0.0, 0.9]])
    assert segments(probability)[0, :5].tolist() == [1, 1, 1, 1, 1]  # though pixel 4 is nearer to the right cell
    assert segments(probability[:, ::-1])[0, 2:].tolist() == [2, 2, 2, 2, 2]


def test_filling_a_flat_membrane_meets_in_its_middle():
    assert segments(np.array([[1.0, 0, 0, 0, 0, 1.0]])).tolist() == [[1, 1, 1, 2, 2, 2]]
    assert segments(np.array([[True, False, False, True]])).tolist() == [[1, 1, 2, 2]]


def test_a_slice_without_interior_is_one_segment():
    assert segments(np.zeros((3, 3))).tolist() == np.ones((3, 3)).tolist()
    assert not segments(np.zeros((3, 3)), fill=False).any()


def test_a_thicker_membrane_is_punished_without_filling_and_hardly_with_it():
    truth = segments(grid(240, cell=40, width=1), fill=False)
    thicker = grid(240, cell=40, width=3)  # one pixel more on each side
    raw, filled = segments(thicker, fill=False), segments(thicker)
    assert v_rand(raw, truth) < 0.8
    assert v_info(raw, truth) < 0.92
    assert v_rand(filled, truth) > 0.98
    assert v_info(filled, truth) > 0.98
    assert em_scores(thicker, grid(240, cell=40)) == (v_rand(filled, truth), v_info(filled, truth))


def test_one_missing_membrane_pixel_merges_two_cells():
    # 36 equal cells, two merged: s = (2/36, 1/36 …), so V_rand = 36 / (½·(34 + 4) + ½·36).
    truth = grid()
    bridged = truth.copy()
    bridged[10, 20] = 1
    scores = em_scores(bridged, truth)
    assert scores.v_rand == pytest.approx(36 / 37)
    # H(T) = log 36, H(S) = log 36 - 2/36·log 2 = I(S; T)
    joint = math.log(36) - 2 / 36 * math.log(2)
    assert scores.v_info == pytest.approx(joint / (0.5 * joint + 0.5 * math.log(36)))


def test_em_scores_of_the_truth_are_one():
    assert em_scores(grid(), grid()) == pytest.approx((1, 1))


def test_em_scores_of_a_stack_are_the_mean_over_its_slices():
    truth = np.stack([grid(60), grid(60, cell=30)])[:, None]
    probability = np.stack([grid(60, cell=60), grid(60, cell=15)])[:, None]
    first, second = (em_scores(p[0], t[0]) for p, t in zip(probability, truth, strict=True))
    assert first.v_rand != pytest.approx(second.v_rand)
    assert em_scores(probability, truth) == pytest.approx(np.mean([first, second], axis=0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_em_scores_take_tensors_of_any_precision(dtype):
    truth = torch.from_numpy(grid(60)).view(1, 1, 60, 60)
    probability = (0.6 * truth).to(dtype).requires_grad_()
    assert em_scores(probability, truth.to(torch.uint8)) == pytest.approx((1, 1))


def test_em_scores_use_the_threshold():
    truth = grid(60)
    assert em_scores(0.4 * truth, truth, threshold=0.3) == pytest.approx((1, 1))
    assert em_scores(0.4 * truth, truth).v_info == 0  # no interior at all: one segment


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: segments(np.zeros((1, 3, 3))), r"interior_probability is \(1, 3, 3\)"),
        (lambda: segments(np.zeros((0, 3))), r"interior_probability is \(0, 3\)"),
        (lambda: segments(np.zeros((3, 3)), threshold=1), "threshold is 1"),
        (lambda: segments(np.full((3, 3), 4.0)), r"interior_probability leaves \[0, 1\].*sigmoid"),
        (lambda: segments(np.full((3, 3), np.nan)), r"interior_probability leaves \[0, 1\]"),
        (lambda: v_rand(TWO_CELLS, TWO_CELLS[:4]), r"predicted_segments is \(8,\) and true_segments \(4,\)"),
        (lambda: v_info(TWO_CELLS / 2, TWO_CELLS), "labels are of float64"),
        (lambda: v_info(TWO_CELLS, TWO_CELLS / 2), "labels are of float64"),
        (lambda: v_rand(TWO_CELLS - 2, TWO_CELLS), "integers from 0 up"),
        (lambda: em_scores(grid(20), grid(40)), r"interior_probability .*\(1, 20, 20\) and target \(1, 40, 40\)"),
        (lambda: em_scores(grid(20), 255 * grid(20)), "target must hold 0 and 1"),
        (lambda: em_scores(np.zeros((1, 2, 3, 3)), grid(3)), r"interior_probability is \(1, 2, 3, 3\)"),
        (lambda: em_scores(grid(3), np.zeros((0, 1, 3, 3))), r"target is \(0, 1, 3, 3\)"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.slow
def test_only_the_segments_need_scipy_and_scikit_image_and_say_so():
    program = (
        "import sys; sys.modules.update(scipy=None, skimage=None)\n"
        "import numpy as np; from unetpp_lib import errors, metrics\n"
        "assert metrics.v_rand(np.array([1, 2]), np.array([1, 2])) == 1\n"
        "try: metrics.segments(np.ones((2, 2)))\n"
        "except errors.InputError as error: assert 'pip install \"unetpp[metrics]\"' in str(error)\n"
        "else: raise SystemExit('segments without scipy')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
