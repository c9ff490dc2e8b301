"""The blocked folds: every slice is tested once, nothing of a test block chooses or trains, differences are paired."""

from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
import torch

from unetpp_course.lab import blocked_folds, folds, read_results
from unetpp_course.lab.blocked_folds import FOLDS, split_fold
from unetpp_course.lab.folds import LAPTOP
from unetpp_course.lab.folds_full import FULL
from unetpp_course.lab.intervals import crossed_interval
from unetpp_lib.data import read_split
from unetpp_lib.metrics import em_scores
from unetpp_lib.models import UNet, UNetPlusPlus, compute_matched_unet, profile, wide_unet

NAMES = [f"{number:02}" for number in range(30)]


def test_every_slice_is_tested_in_one_fold():
    tested = [name for fold in FOLDS for name in split_fold(NAMES, fold).test]
    assert tested == NAMES


@pytest.mark.parametrize("fold", FOLDS)
def test_a_fold_holds_a_block_out_and_chooses_by_the_slices_after_it(fold: int):
    split = split_fold(NAMES, fold)
    first = 6 * fold
    assert split.test == tuple(NAMES[first : first + 6])
    assert split.validation == tuple(NAMES[(first + 6 + k) % 30] for k in range(3))
    assert sorted({*split.train, *split.validation, *split.test}) == NAMES
    assert len(split.train) == 21


@pytest.mark.parametrize("comparison", [LAPTOP, FULL], ids=lambda one: one.name)
def test_the_arms_of_a_network_differ_in_epochs_alone(comparison):
    for network in comparison.networks:
        steps, seconds = (comparison.configuration(network, 2, 1, arm) for arm in ("steps", "seconds"))
        epochs = comparison.epochs_in_equal_time.get(network, comparison.config.epochs)
        assert seconds == replace(steps, epochs=epochs, evaluate_every=epochs)
        assert steps.evaluate_every == steps.epochs  # one look, at the end: no epoch is chosen
    names = [trial.name for trial in comparison.experiment().trials]
    assert len(names) == len(set(names))


def test_the_full_networks_are_the_papers_and_those_of_the_course():
    def shapes(model: torch.nn.Module) -> list[torch.Size]:
        return [tensor.shape for tensor in model.state_dict().values()]

    widths = (32, 64, 128, 256, 512)
    with torch.device("meta"):
        expected = {
            "unet": UNet(widths=widths),
            "unet_wide": wide_unet(),
            "unet_matched": compute_matched_unet(),
            "unetplus": UNetPlusPlus(widths=widths, dense=False),
            "unetpp_plain": UNetPlusPlus(widths=widths, deep_supervision=False),
            "unetpp": UNetPlusPlus(widths=widths),
        }
        for network, model in expected.items():
            assert shapes(FULL.configuration(network, 0, 0).build_model()) == shapes(model)


@pytest.mark.slow
def test_at_full_size_equal_seconds_are_equal_arithmetic():
    with torch.device("meta"):
        models = {network: FULL.configuration(network, 0, 0).build_model() for network in FULL.networks}
    macs = {network: profile(model, 256, device="meta", repeats=1).macs for network, model in models.items()}
    for network, epochs in FULL.epochs_in_equal_time.items():
        assert epochs == round(FULL.config.epochs * macs["unet"] / macs[network])


def test_what_pruning_leaves_has_the_shapes_that_are_timed():
    assert {name: LAPTOP.cost(config)["parameters"] for name, config in LAPTOP.pruned().items()} == {
        "unetpp L1": "6,553", "unetpp L2": "32,522", "unetpp L3": "139,099",
    }  # fmt: skip


def test_the_threshold_is_chosen_on_validation_slices_and_the_best_on_test_slices_stands_beside_it():
    generator = torch.Generator().manual_seed(0)
    truth = (torch.rand(1, 1, 40, 40, generator=generator) > 0.3).to(torch.uint8)
    good = truth.float() * 0.4 + 0.2  # right at 0.3 and 0.5
    late = truth.float() * 0.1 + 0.8  # right at no threshold but between 0.8 and 0.9: all interior at 0.7
    split = blocked_folds.Split(("a",), ("b",), ("c", "d"))
    found = {"b": (good, truth), "c": (late, truth), "d": (good, truth)}
    scored = blocked_folds.score_reading(found, split)
    assert scored["threshold"] == 0.3
    by_threshold = {
        t: fmean(em_scores(found[name][0], truth, t).v_rand for name in "cd") for t in blocked_folds.THRESHOLDS
    }
    best = max(by_threshold, key=by_threshold.get)  # type: ignore[arg-type]
    assert scored["best"]["threshold"] == best
    assert scored["best"]["v_rand"] == pytest.approx(by_threshold[best], abs=1e-5)
    assert list(scored["slices"]) == ["c", "d"]
    assert scored["slices"]["d"] == {"white": 1.0, "membrane": 1.0, "v_rand": 1.0, "v_info": 1.0}
    assert scored["slices"]["c"]["membrane"] == 0.0  # all interior at ½


def outcome(value: float, fold: int = 0, *, supervised: bool = False, validation: float = 0.5) -> dict:
    """A training whose slices score ``value``, ``value`` + .01 …, its shallower heads half of it."""

    def reading(scale: float) -> dict:
        names = ("white", "membrane", "v_rand", "v_info")
        slices = {f"{6 * fold + k:02}": dict.fromkeys(names, scale * (value + k / 100)) for k in range(6)}
        return {"slices": slices, "best": {"v_rand": 0.9}}

    readings = {
        f"head {depth}": reading(1.0 if depth == 4 else 0.5) for depth in ((1, 2, 3, 4) if supervised else (4,))
    }
    look = {row: {folds.SEARCH_SCORE: validation} for row in readings}
    pooled = {row: {key: value + k / 100 for k, key in enumerate(folds.POOLED.values())} for row in readings}
    scores, seconds = {"scores": pooled}, 100 * value
    return {"readings": readings, "history": [{"validation": look}], "scores": scores, "training_seconds": seconds}


def stack(network: str, values: dict[int, float], arm: folds.Arm = "steps", **how) -> dict[str, dict]:
    return {
        LAPTOP.trial_name(network, fold, seed, arm): outcome(value + fold / 10, fold, **how)
        for seed, value in values.items()
        for fold in FOLDS
    }


def test_scores_stand_in_the_order_of_the_stack_and_only_whole_seeds_count(results_of):
    outcomes = stack("unetpp", {0: 0.1, 1: 0.2}, supervised=True)
    del outcomes[LAPTOP.trial_name("unetpp", 3, 1)]
    results = results_of(LAPTOP.experiment(), outcomes)
    values = LAPTOP.by_slice(results, "unetpp", "membrane")
    assert (list(values.index), list(values)) == ([0], NAMES)
    assert values.iloc[0, [0, 1, 6, 29]].tolist() == pytest.approx([0.1, 0.11, 0.2, 0.55])
    shallow = LAPTOP.by_slice(results, "unetpp", "membrane", output="head 1")
    assert shallow.loc[0, "00"] == pytest.approx(0.05)


def test_leads_are_paired_by_seed_and_slice(results_of):
    outcomes = stack("unet", {0: 0.1, 1: 0.3}) | stack("unetpp", {0: 0.2, 1: 0.35}, supervised=True)
    lead = LAPTOP.leads(results_of(LAPTOP.experiment(), outcomes), ("unetpp", "unet"), "v_rand")
    assert lead.shape == (2, 30)
    assert np.allclose(lead, [[0.1] * 30, [0.05] * 30])
    del outcomes[LAPTOP.trial_name("unet", 4, 0)]  # only seed 1 is left to pair
    lead = LAPTOP.leads(results_of(LAPTOP.experiment(), outcomes), ("unetpp", "unet"), "v_rand")
    assert list(lead.index) == [1]
    assert np.allclose(lead, [[0.05] * 30])


def test_the_interval_of_a_lead_is_crossed_over_seeds_and_folds():
    by_fold = np.array([[0.0, 0.1, 0.2, 0.3, 0.4], [0.1, 0.3, 0.2, 0.5, 0.4]])
    slices = np.repeat(by_fold, 6, axis=1) + np.tile([-0.01, 0.01], 15)  # what varies within a fold is not asked for
    assert str(blocked_folds.lead_interval(slices)) == str(crossed_interval(by_fold, 6 / 21))


def test_a_rate_is_chosen_by_the_validation_slices_of_one_fold(results_of):
    low, high = LAPTOP.rates
    outcomes = {
        LAPTOP.trial_name("unet", 0, 0, rate=low): outcome(0.9, validation=0.6),
        LAPTOP.trial_name("unet", 0, 0, rate=high): outcome(0.1, validation=0.7),
    }
    found = LAPTOP.search(results_of(LAPTOP.experiment(), outcomes))
    assert found["unet"].to_dict() == {low: 0.6, high: 0.7}


def test_the_rates_are_those_that_the_stored_search_found():
    found = LAPTOP.search(read_results("folds"))
    assert found.loc[list(LAPTOP.rates)].idxmax().to_dict() == LAPTOP.best_rate
    assert found.idxmax().to_dict() == LAPTOP.wider_rate


@pytest.mark.slow
def test_the_lower_rate_is_paired_with_the_chosen_one(results_of):
    low = LAPTOP.lower_rate
    assert low < min(LAPTOP.rates)
    outcomes = stack("unet", {0: 0.1, 1: 0.3}, validation=0.6)
    outcomes |= stack("unet", {0: 0.2, 1: 0.35, 2: 0.9}, "lower rate", validation=0.62)  # seed 2 has no partner
    outcomes[LAPTOP.trial_name("unet", 0, 0, rate=max(LAPTOP.rates))] = outcome(0.1, validation=0.5)
    text = LAPTOP.table(results_of(LAPTOP.experiment(), outcomes))
    (line,) = text.partition("did the search end too early?")[2].splitlines()[2:3]
    # .1 and .05 ahead in every slice; over the seeds t = 12.706
    interval = "+0.075 [-0.243, +0.393]"
    assert line.split(maxsplit=4) == ["unet", "0.620", "0.600", "0.500", interval]


def test_the_table_shows_what_is_at_hand(results_of):
    outcomes = stack("unet", {0: 0.1}) | stack("unetpp", {0: 0.2}, supervised=True)
    outcomes["prediction-seconds"] = {"unetpp": [0.2], "unetpp L1": [0.05], "unetpp L2": [0.1], "unetpp L3": [0.15]}
    text = LAPTOP.table(results_of(LAPTOP.experiment(), outcomes))

    def line(start: str, part: str = text) -> list[str]:
        (found,) = [line.split() for line in part.splitlines() if " ".join(line.split()).startswith(start)]
        return found

    assert line("unetpp head 1")
    assert "unet_wide   " not in text.partition("cost of each network")[0]
    costs = text.partition("cost of each network")[2]
    assert line("unet ", costs)[-3:] == ["G", "30", "30"]  # the median fold; its eight passes are both arms
    assert line("unetpp ", costs)[-2:] == ["0.200", "40"]  # no training at equal seconds is at hand
    assert " ".join(line("membrane unetpp - unet ")).endswith("+0.100 [+0.100, +0.100]")
    # of 30 slices .2 + fold / 10 + slice / 100: mean .425; the pooled ones of five folds: .4, .41, .42
    assert line("unetpp head 4")[3:] == ["1", *["0.425"] * 5, "0.900", "0.400", "0.410", "0.420"]
    # head 2 scores half: .2125 lost, .1625 to .2625 in the folds; t = 2.776, standard error .0354 · √(1 + 5 · 6 / 21)
    assert "0.100 50% +0.212 [+0.060, +0.365] 0.212" in " ".join(line("unetpp L2 "))


def test_a_fold_is_written_once_with_its_split(tmp_path, monkeypatch, tiny_set):
    monkeypatch.setattr(blocked_folds, "RUNS", tmp_path)
    monkeypatch.setattr(blocked_folds, "SOURCE", str(tiny_set))
    monkeypatch.setattr(blocked_folds, "TEST", 1)
    monkeypatch.setattr(blocked_folds, "VALIDATION", 1)
    blocked_folds.write_fold(1)
    folder = blocked_folds.fold_folder(1)
    split = read_split(folder / "split.json")
    names = sorted(path.stem for path in (tiny_set / "images").iterdir())
    assert (split.test, split.validation) == ((names[1],), (names[2],))
    assert len(split.train) == len(names) - 2
    assert (folder / "masks").is_dir()
