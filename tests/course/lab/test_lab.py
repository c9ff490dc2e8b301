"""An experiment measures each trial once, keeps what it needs to be repeated, and goes on where it was stopped."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from unetpp_course.__main__ import main
from unetpp_course.lab import NAMES, Experiment, base, read_results, run_experiment
from unetpp_course.lab.base import trained, training_trial
from unetpp_course.lab.results import Trial, merge_results, read_records, unnest
from unetpp_course.lab.tables import across, as_text
from unetpp_lib.engine import PRESETS, Run
from unetpp_lib.errors import InputError


def counting(calls: list[str], *names: str, **settings) -> Experiment:
    """An experiment whose trials note that they were measured, and measure the length of their name."""

    def trial(name: str) -> Trial:
        return Trial(name, {"seed": 0, **settings}, lambda: {"length": len(calls.append(name) or name)})

    return Experiment("counting", "How long?", tuple(map(trial, names)), lambda outcomes: f"{sorted(outcomes)}")


@pytest.fixture
def tiny_config(tiny_set, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "RUNS", tmp_path / "runs")
    changes = {"data": str(tiny_set), "widths": (4, 6), "patch": 32, "epochs": 2, "evaluate_every": 1, "device": "cpu"}
    return replace(PRESETS["laptop"], **changes)


def test_each_trial_is_measured_once(tmp_path):
    calls: list[str] = []
    experiment = counting(calls, "a", "bb")
    assert run_experiment(experiment, folder=tmp_path) == {"a": {"length": 1}, "bb": {"length": 2}}
    assert run_experiment(experiment, folder=tmp_path) == {"a": {"length": 1}, "bb": {"length": 2}}
    assert calls == ["a", "bb"]


def test_a_stopped_experiment_goes_on_where_it_was(tmp_path):
    calls: list[str] = []
    experiment = counting(calls, "a", "b")

    def stop():
        raise KeyboardInterrupt

    stopped = replace(experiment, trials=(experiment.trials[0], replace(experiment.trials[1], measure=stop)))
    with pytest.raises(KeyboardInterrupt):
        run_experiment(stopped, folder=tmp_path)
    run_experiment(experiment, folder=tmp_path)
    assert calls == ["a", "b"]


def test_only_the_trials_that_match_are_measured_and_all_at_hand_are_returned(tmp_path):
    calls: list[str] = []
    experiment = counting(calls, "a-seed0", "a-seed1", "b-seed1")
    run_experiment(experiment, "*seed0", tmp_path)
    assert list(run_experiment(experiment, "a-seed1", tmp_path)) == ["a-seed0", "a-seed1"]
    assert calls == ["a-seed0", "a-seed1"]


def test_a_pattern_that_no_trial_matches_is_refused_with_the_names(tmp_path):
    with pytest.raises(InputError, match=r"matches 'c\*'; it has a, b"):
        run_experiment(counting([], "a", "b"), "c*", tmp_path)


def test_a_result_of_other_settings_is_not_taken_for_this_trial(tmp_path):
    run_experiment(counting([], "a", rate=0.1), folder=tmp_path)
    before = (tmp_path / "counting" / "a.json").read_text()
    with pytest.raises(InputError, match=r"a of counting was measured with other settings: rate is 0\.2 here and 0\.1"):
        run_experiment(counting([], "a", rate=0.2), folder=tmp_path)
    assert (tmp_path / "counting" / "a.json").read_text() == before


def test_an_option_that_is_younger_than_a_result_had_its_default(tmp_path):
    run_experiment(counting([], "a", rate=0.1), folder=tmp_path)
    path = tmp_path / "counting" / "a.json"
    assert run_experiment(counting([], "a", rate=0.1, group="", mask_suffix=""), folder=tmp_path)["a"]
    with pytest.raises(InputError, match=r"group is mouse here and  there"):
        run_experiment(counting([], "a", rate=0.1, group="mouse"), folder=tmp_path)
    assert path.exists()


def test_a_result_says_what_it_came_from(tmp_path):
    run_experiment(counting([], "a", rate=0.1), folder=tmp_path)
    result = json.loads((tmp_path / "counting" / "a.json").read_text())
    assert result["command"] == "python -m unetpp_course experiment counting --only a"
    assert result["settings"] == {"seed": 0, "rate": 0.1}
    assert {"commit", "torch", "processor", "cores"} <= result["provenance"].keys()


def test_results_that_are_not_there_or_damaged_are_named(tmp_path):
    with pytest.raises(
        InputError,
        match=r"no results of counting\. Measure them with: python -m unetpp_course experiment counting",
    ):
        read_results(counting([], "a"), tmp_path)
    (tmp_path / "counting").mkdir()
    for content in ("{", "[]", '{"outcome": 1}'):
        (tmp_path / "counting" / "a.json").write_text(content)
        with pytest.raises(InputError, match=r"a\.json is no result"):
            read_results(counting([], "a"), tmp_path)


def test_a_training_trial_keeps_scores_and_history(tiny_config):
    trial = training_trial("one", tiny_config, lambda run: {"images": len(run.scores["images"])})
    outcome = trial.measure()
    assert [entry["epoch"] for entry in outcome["history"]] == [1, 2]
    assert {"head 1", "all foreground"} == outcome["scores"]["scores"].keys()
    assert outcome["images"] == 2
    assert outcome["training_seconds"] > 0
    assert trial.settings["widths"] == [4, 6]
    assert json.loads(json.dumps(trial.settings)) == trial.settings


@pytest.mark.slow
def test_trials_of_one_configuration_share_the_training(tiny_config):
    first = trained(tiny_config)
    written = (first.folder / "best.safetensors").stat().st_mtime_ns
    assert trained(tiny_config) == first
    assert (first.folder / "best.safetensors").stat().st_mtime_ns == written
    assert trained(replace(tiny_config, seed=1)) != first


def test_a_training_that_was_stopped_is_resumed(tiny_config, monkeypatch):
    real, stopped = base.train, []

    def stop_once(config, resume, callback):
        if not stopped:
            stopped.append(real(replace(config, epochs=1), resume=False))
            (config.out / "config.json").write_text(config.to_json())
            (config.out / "scores.json").unlink()
            return Run(config.out)
        return real(config, resume=resume)

    monkeypatch.setattr(base, "train", stop_once)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny_config)
    assert [entry["epoch"] for entry in trained(tiny_config).history] == [1, 2]


def test_the_command_line_names_the_experiments_that_there_are(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["experiment", "nosuch"])
    assert stopped.value.code == 2
    assert ", ".join(NAMES) in capsys.readouterr().err


def test_merging_loses_nothing_and_a_trial_more_joins_the_others(tmp_path):
    calls: list[str] = []
    experiment = counting(calls, "a", "bb", "ccc")
    run_experiment(experiment, "[ab]*", tmp_path)
    parts = {path.stem: path.read_bytes() for path in (tmp_path / "counting").iterdir()}
    assert merge_results("counting", tmp_path) == 2
    assert [path.name for path in tmp_path.rglob("*.json*")] == ["counting.jsonl"]
    for name, record in read_records("counting", tmp_path).items():
        assert (json.dumps(record, indent=1) + "\n").encode() == parts[name]
    assert list(run_experiment(experiment, folder=tmp_path)) == ["a", "bb", "ccc"]
    assert calls == ["a", "bb", "ccc"]  # what is merged is not measured again
    assert merge_results("counting", tmp_path) == 3
    lines = (tmp_path / "counting.jsonl").read_text().splitlines()
    assert [json.loads(line)["trial"] for line in lines] == ["a", "bb", "ccc"]


def test_a_trial_that_was_measured_twice_stops_the_merge_and_both_stay(tmp_path):
    experiment = counting([], "a")
    run_experiment(experiment, folder=tmp_path)
    part = tmp_path / "counting" / "a.json"
    twice = part.read_text().replace('"length": 1', '"length": 7')
    merge_results("counting", tmp_path)
    merged = (tmp_path / "counting.jsonl").read_bytes()
    part.write_text(twice)
    with pytest.raises(InputError, match=r"a\.json and .*counting\.jsonl differ in a, which was measured twice"):
        merge_results("counting", tmp_path)
    assert part.read_text() == twice
    assert (tmp_path / "counting.jsonl").read_bytes() == merged


def test_a_damaged_line_is_named_with_its_number(tmp_path):
    run_experiment(counting([], "a", "bb"), folder=tmp_path)
    merge_results("counting", tmp_path)
    path = tmp_path / "counting.jsonl"
    path.write_text(path.read_text().replace('"outcome"', '"outcme"', 2).replace('"outcme"', '"outcome"', 1))
    with pytest.raises(InputError, match=r"counting\.jsonl, line 2, is no result"):
        read_results(counting([], "a"), tmp_path)


def test_results_are_one_tidy_table(tmp_path):
    def trial(seed: int) -> Trial:
        outcome = {"head 1": {"iou": 0.5 + seed}, "head 2": {"iou": 0.6 + seed}}
        columns = {"network": "unet", "seed": seed}
        rows = lambda found: unnest(found, "output", "score")  # noqa: E731
        return Trial(f"unet-seed{seed}", {"seed": seed}, lambda: outcome, columns, rows)

    experiment = Experiment("tidy", "Is it?", (trial(0), trial(1)), lambda results: "")
    frame = run_experiment(experiment, folder=tmp_path).frame
    found = frame[["experiment", "trial", "network", "seed", "output", "score", "value"]].values.tolist()
    assert found == [
        ["tidy", "unet-seed0", "unet", 0, "head 1", "iou", 0.5],
        ["tidy", "unet-seed0", "unet", 0, "head 2", "iou", 0.6],
        ["tidy", "unet-seed1", "unet", 1, "head 1", "iou", 1.5],
        ["tidy", "unet-seed1", "unet", 1, "head 2", "iou", 1.6],
    ]
    assert frame["commit"].notna().all()


def test_what_shares_a_cell_is_refused_and_what_is_missing_is_left_blank():
    frame = pd.DataFrame({"seed": [0, 1, 1], "network": ["a", "a", "b"], "value": [0.1, 0.2, 0.5]})
    table = across(frame, "network")
    assert table.loc[1].to_dict() == {"a": 0.2, "b": 0.5}
    assert (table["b"] - table["a"]).dropna().to_dict() == {1: pytest.approx(0.3)}
    with pytest.raises(ValueError, match="duplicate"):
        across(pd.concat([frame, frame]), "network")
    text = as_text([{"name": "one", "mean": 0.25, "count": 3}, {"name": "two", "count": 4}], "name")
    assert [line.split() for line in text.splitlines()] == [["mean", "count"], ["one", "0.250", "3"], ["two", "4"]]
