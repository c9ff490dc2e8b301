"""The best model: what is tried differs in what its name says, and validation slices choose, never test slices."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch

from unetpp_course.lab import base, best_model
from unetpp_course.lab.best_model import ARMS, EXPERIMENT, FOLDS, SCORES, choices, make_trial, table
from unetpp_course.lab.folds import LAPTOP
from unetpp_lib.engine import PRESETS, Run, load_model, train


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_is_unet_of_the_folds_for_longer(arm):
    start, longer = LAPTOP.configuration("unet", 2, 1), best_model.configuration(arm, 2, 1)
    assert replace(longer, epochs=8, evaluate_every=8, augment=True) == start
    assert longer.epochs == longer.evaluate_every == 4 * start.epochs
    assert longer.augment == (arm == "long")


def shorten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(best_model, "EPOCHS", 12)
    patch.setattr(best_model, "AVERAGED", 2)


@pytest.fixture(scope="module")
def trained(tiny_set, tmp_path_factory) -> Run:
    """A training of twelve epochs, of which the last two are kept."""
    changes = {
        "data": str(tiny_set),
        "model": "unet",
        "widths": (4, 6),
        "patch": 32,
        "epochs": 12,
        "evaluate_every": 12,
        "lr": 1e-2,
    }
    config = replace(PRESETS["laptop"], **changes, device="cpu", precision="float32")
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        patch.setattr(base, "RUNS", tmp_path_factory.mktemp("runs"))
        return base.trained(config, best_model.keep_weights)


@pytest.fixture
def short(trained, monkeypatch) -> Run:
    shorten(monkeypatch)
    return trained


@pytest.mark.slow
def test_the_average_is_of_the_weights_after_the_last_epochs(short):
    kept = sorted(path.stem for path in short.folder.glob("epoch*"))
    assert kept == ["epoch11", "epoch12"]
    before, end = (load_model(short.folder / f"{name}.safetensors")[0].state_dict() for name in kept)
    last = short.load_model()[0].state_dict()
    average = best_model.average_weights(short).state_dict()
    for name, value in average.items():
        assert torch.equal(end[name], last[name])
        if value.is_floating_point():
            assert torch.allclose(value, (before[name] + end[name]) / 2, atol=1e-6)
    assert any(not torch.equal(before[name], end[name]) for name in before)


@pytest.mark.slow
def test_keeping_weights_changes_no_training(short, tmp_path):
    plain = train(replace(short.config, out=tmp_path / "plain"), callback=lambda _: False)
    one, other = (run.load_model()[0].state_dict() for run in (short, plain))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_each_reading_is_another_answer_scored_on_the_test_slices(short, monkeypatch):
    answers = []

    def note(found, split):
        answers.append(torch.cat([probability for probability, _ in found.values()]))
        assert (tuple(found), split) == ((*split.validation, *split.test), short.split)
        return {}

    monkeypatch.setattr(best_model, "score_reading", note)
    readings = best_model.score_readings(short)["readings"]
    assert list(readings) == [
        "last weights", "last weights, flips", "average of weights", "average of weights, flips",
    ]  # fmt: skip
    assert all(0 <= scores["validation"] <= 1 for scores in readings.values())
    assert not any(torch.allclose(one, other, atol=1e-6) for one, other in combinations(answers, 2))


def outcome(test: float, validation: float, fold: int) -> dict:
    slices = {f"{6 * fold + k:02}": dict.fromkeys(("white", "membrane", "v_rand", "v_info"), test) for k in range(6)}
    reading = {"slices": slices, "best": {"v_rand": 0.9}, "validation": validation}
    return {"readings": {"last weights": reading, "last weights, flips": {**reading, "validation": validation + 0.01}}}


def test_validation_slices_choose_and_the_table_says_what_that_adds(results_of, monkeypatch):
    outcomes = {}
    for fold in FOLDS:
        outcomes[f"long-fold{fold}-seed0"] = outcome(0.5, 0.6 if fold < 2 else 0.4, fold)
        outcomes[f"long-not-augmented-fold{fold}-seed0"] = outcome(0.9, 0.5, fold)  # best on test, chosen in three
    results = results_of(EXPERIMENT, outcomes)
    flips = "last weights, flips"
    assert choices(results).tolist() == [f"long, {flips}"] * 2 + [f"long, not augmented, {flips}"] * 3
    start = {LAPTOP.trial_name("unet", fold, 0): outcome(0.4, 0.5, fold) for fold in FOLDS}
    for found in start.values():
        look = {"head 4": {"iou/background/pooled": 0.5}}
        found |= {"history": [{"validation": look}], "training_seconds": 1.0}
        found["readings"] = {"head 4": found["readings"]["last weights"]}
    monkeypatch.setattr(best_model, "read_results", lambda _: results_of(LAPTOP.experiment(), start))
    text = table(results)
    (row,) = [line for line in text.splitlines() if line.startswith("chosen  ")]
    assert row.split()[1:] == ["0.740"] * len(SCORES)  # two folds of .5, three of .9
    (gain,) = [line for line in text.splitlines() if line.startswith("membrane chosen, minus start")]
    assert "+0.340 " in gain


def test_of_equal_ways_the_one_that_is_tried_first_is_chosen(results_of):
    outcomes = {f"long-fold{fold}-seed0": outcome(0.5, 0.5, fold) for fold in FOLDS}
    outcomes |= {f"long-not-augmented-fold{fold}-seed0": outcome(0.9, 0.5, fold) for fold in FOLDS}
    assert set(choices(results_of(EXPERIMENT, outcomes))) == {"long, last weights, flips"}
    del outcomes["long-fold4-seed0"]
    assert table(results_of(EXPERIMENT, outcomes)) == "no seed has all folds yet"


def test_trials_are_named_apart():
    names = [make_trial(arm, fold, 0).name for fold in FOLDS for arm in ARMS]
    assert len(set(names)) == len(names)
    assert "long-not-augmented-fold0-seed0" in names
