"""An experiment measures each trial once, keeps what it needs to be repeated, and goes on where it was stopped."""

import json
from dataclasses import replace

import pytest

from unetpp_course.__main__ import main
from unetpp_course.lab import NAMES, Experiment, base, find_experiment, read_results, run_experiment
from unetpp_course.lab.base import Trial, trained, training_trial
from unetpp_lib.data import shipped_data
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
    before = (tmp_path / "a.json").read_text()
    with pytest.raises(InputError, match=r"a\.json was measured with other settings: rate is 0\.2 here and 0\.1"):
        run_experiment(counting([], "a", rate=0.2), folder=tmp_path)
    assert (tmp_path / "a.json").read_text() == before


def test_a_result_says_what_it_came_from(tmp_path):
    run_experiment(counting([], "a", rate=0.1), folder=tmp_path)
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["command"] == "python -m unetpp_course experiment counting --only a"
    assert result["settings"] == {"seed": 0, "rate": 0.1}
    assert {"commit", "torch", "processor", "cores"} <= result["provenance"].keys()


def test_results_that_are_not_there_or_damaged_are_named(tmp_path):
    with pytest.raises(
        InputError, match=r"holds no results\. Measure them with: python -m unetpp_course experiment counting"
    ):
        read_results("counting", tmp_path)
    for content in ("{", "[]", '{"outcome": 1}'):
        (tmp_path / "a.json").write_text(content)
        with pytest.raises(InputError, match=r"a\.json is no result"):
            read_results("counting", tmp_path)


def test_a_training_trial_keeps_scores_and_history(tiny_config):
    trial = training_trial("one", tiny_config, lambda run: {"images": len(run.scores["images"])})
    outcome = trial.measure()
    assert [entry["epoch"] for entry in outcome["history"]] == [1, 2]
    assert {"head 1", "all foreground"} == outcome["scores"]["scores"].keys()
    assert outcome["images"] == 2
    assert outcome["training_seconds"] > 0
    assert trial.settings["widths"] == [4, 6]
    assert json.loads(json.dumps(trial.settings)) == trial.settings


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


@pytest.mark.parametrize("name", NAMES)
def test_every_stored_result_is_of_the_trial_that_it_is_named_for(name):
    experiment = find_experiment(name)
    assert experiment.name == name
    trials = {trial.name: trial for trial in experiment.trials}
    assert len(trials) == len(experiment.trials)
    stored = list((shipped_data() / "results" / name).glob("*.json"))
    for path in stored:
        settings = json.loads(path.read_text())["settings"]
        assert settings == json.loads(json.dumps(dict(trials[path.stem].settings)))
    if stored:
        assert experiment.table(read_results(name))


def test_every_folder_of_results_has_its_experiment():
    folders = [path for path in (shipped_data() / "results").glob("*") if path.is_dir()]
    assert {path.name for path in folders} <= set(NAMES)
