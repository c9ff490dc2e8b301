"""The vendor's score is computed as the vendor does, on folds that hold out every slice once."""

import pytest
import torch

from unetpp_course.lab import base, vendor_dice
from unetpp_lib.data import SegmentationFolder, read_split


@pytest.fixture
def here(monkeypatch, tmp_path):
    monkeypatch.setattr(vendor_dice, "RUNS", tmp_path)
    monkeypatch.setattr(base, "RUNS", tmp_path)
    monkeypatch.setattr(vendor_dice, "SIDE", 40)
    return tmp_path


def test_the_score_is_the_mean_over_both_classes_with_squares_below_the_line():
    p, t = torch.tensor([[[0.9, 0.6], [0.2, 0.5]]]), torch.tensor([[[1, 1], [0, 0]]], dtype=torch.uint8)
    cells = 2 * (0.9 + 0.6) / (0.81 + 0.36 + 0.04 + 0.25 + 2)
    membrane = 2 * (0.8 + 0.5) / (0.01 + 0.16 + 0.64 + 0.25 + 2)
    assert vendor_dice.soft_dice(p, t) == pytest.approx((cells + membrane) / 2, abs=1e-6)
    assert vendor_dice.soft_dice(t.float(), t) == pytest.approx(1)


def test_each_slice_is_held_out_by_one_fold_and_all_are_small(here, tiny_set):
    held_out = []
    for fold in range(5):
        vendor_dice.write_fold(str(tiny_set), here / str(fold), fold)
        split = read_split(here / str(fold) / "split.json")
        assert not set(split.train) & set(split.validation)
        assert len(split.train) + len(split.validation) == 12
        held_out += split.validation
    assert sorted(held_out) == sorted(SegmentationFolder(tiny_set).names)
    assert set(SegmentationFolder(here / "0").sizes) == {(40, 40)}


def test_the_steps_sizes_and_widths_are_the_vendors():
    names = {trial.name for trial in vendor_dice.EXPERIMENT.trials}
    assert names == {f"steps{steps}-fold{fold}" for steps in (400, 1600, 6400) for fold in range(5)}
    for trial in vendor_dice.EXPERIMENT.trials:
        assert {"widths": [64, 128, 256, 512, 1024], "batch_size": 8, "patch": 388}.items() <= trial.settings.items()
        assert abs(3 * trial.settings["epochs"] - int(trial.name.split("-")[0][5:])) <= 1


def test_a_trial_trains_and_scores_what_its_fold_holds_out(here, tiny_set):
    small = {"widths": (4, 6), "patch": 40, "batch_size": 4, "epochs": 2, "evaluate_every": 2, "compiled": False}
    outcome = vendor_dice.make_trial(400, 1, str(tiny_set), device="cpu", **small).measure()
    assert 0 < outcome["dice"] < 1
    assert len(outcome["scores"]["images"]) == 3


def test_the_claim_is_reached_by_the_mean_of_all_folds_alone(results_of):
    def made_up(dice):
        return {"dice": dice, "training_seconds": 30.0}

    outcomes = {f"steps400-fold{fold}": made_up(0.88) for fold in range(5)}
    outcomes |= {f"steps1600-fold{fold}": made_up(0.88 + 0.005 * fold) for fold in range(5)}
    outcomes |= {f"steps6400-fold{fold}": made_up(0.95) for fold in range(3)}
    lines = vendor_dice.table(results_of(vendor_dice.EXPERIMENT, outcomes)).splitlines()
    assert [line.endswith("reached") for line in lines[1:4]] == [False, True, False]
    assert "0.880 to 0.900" in lines[2]
