"""The report's protocol is repeated with its leak, and with UNet++ as the report trains it; what differs is listed."""

import re
from dataclasses import replace

import pytest
from PIL import Image

from unetpp_course.lab import base, leakage, report_protocol
from unetpp_lib.data import SegmentationFolder, read_split


@pytest.fixture
def few_copies(monkeypatch, tmp_path):
    monkeypatch.setattr(report_protocol, "COPIES", 2)
    monkeypatch.setattr(report_protocol, "RUNS", tmp_path)
    monkeypatch.setattr(base, "RUNS", tmp_path)
    return tmp_path


def test_copies_are_made_before_the_split_so_that_slices_stand_on_both_sides(few_copies, tiny_set):
    report_protocol.write_data(str(tiny_set), few_copies / "set", "copies", seed=0)
    split = read_split(few_copies / "set" / "split.json")
    assert (len(split.train), len(split.validation), len(split.test)) == (29, 7, 0)
    sources = [{name.split("_copy")[0] for name in part} for part in (split.train, split.validation)]
    assert sources[0] & sources[1]


@pytest.mark.parametrize("protocol", ["slices", "blocked"])
def test_no_slice_stands_on_both_sides_of_the_other_two(few_copies, tiny_set, protocol):
    report_protocol.write_data(str(tiny_set), few_copies / "set", protocol, seed=0)
    split = read_split(few_copies / "set" / "split.json")
    sources = [{name.split("_copy")[0] for name in part} for part in (split.train, split.validation)]
    assert not sources[0] & sources[1]
    assert [3 * len(part) for part in sources] == [len(split.train), len(split.validation)]


def test_a_slice_is_written_as_it_is_and_its_copies_are_bent(few_copies, tiny_set):
    report_protocol.write_data(str(tiny_set), few_copies / "set", "copies", seed=0)
    given, written = SegmentationFolder(tiny_set), SegmentationFolder(few_copies / "set")
    for before, after in zip(given[3], written[written.index_of[given.names[3]]], strict=True):
        assert before.equal(after)
    images = [Image.open(few_copies / "set" / "images" / f"{given.names[3]}{copy}.png") for copy in ("", "_copy2")]
    assert images[0].size == images[1].size
    assert images[0].tobytes() != images[1].tobytes()


def test_the_steps_are_the_reports():
    assert len(report_protocol.EXPERIMENT.trials) == 18
    for trial in report_protocol.EXPERIMENT.trials:
        named = {"batch_size": 1, "lr": 1e-3, "epochs": 10, "patch": 512, "augment": False, "copies": 14}
        assert named.items() <= trial.settings.items()
        assert trial.settings["widths"] == [32, 64, 128, 256, 512]
        assert (trial.settings["bce_weight"], trial.settings["dice_weight"]) == (0.5, 1)


def test_its_unetpp_has_one_head_since_the_report_trains_without_deep_supervision():
    for network, protocol, seed in report_protocol.TRAININGS:
        settings = report_protocol.make_trial(network, protocol, seed).settings
        assert (settings["model"], settings["deep_supervision"]) == (
            ("unet", True) if network == "unet" else ("unetpp", False)
        )


@pytest.mark.slow
def test_a_trial_trains_on_copies_and_scores_the_held_out_fifth_after_every_epoch(few_copies, tiny_set):
    small = {"widths": (4, 6), "patch": 48, "epochs": 2, "device": "cpu"}
    trial = report_protocol.make_trial("unetpp_plain", "copies", 0, str(tiny_set), **small)
    outcome = trial.measure()
    assert outcome["scores"]["part"] == "validation"
    assert len(outcome["scores"]["images"]) == 7
    assert len(outcome["history"]) == 2
    assert all("head 1" in epoch["validation"] for epoch in outcome["history"])


def made_up(*whites: float) -> dict:
    white, membrane = leakage.SCORES.values()
    readings = [{"all foreground": {white: 0.78}} for _ in whites]
    for reading, value in zip(readings, whites, strict=True):
        reading["head 4"] = {white: value, membrane: value - 0.2}
    history = [{"step": 360, "images_per_second": 72.0, "validation": reading} for reading in readings]
    return {"history": history, "training_seconds": 5.0 * len(whites), "scores": {"scores": readings[0]}}


def test_the_table_says_when_the_reports_score_was_reached_and_what_such_scores_are_worth(results_of):
    outcomes = {"unetpp_plain-copies-seed0": made_up(0.9, 0.978, 0.97), "unet-copies-seed1": made_up(0.9, 0.92)}
    outcomes |= {"unet-blocked-seed1": made_up(0.99)}
    text = report_protocol.table(results_of(report_protocol.EXPERIMENT, outcomes))
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()[2:5]}
    assert rows["unetpp_plain-copies-seed0"] == ["0.970", "0.770", "0.780", "15", "0.978:", "10", "s"]
    assert rows["unet-copies-seed1"][4:] == ["0.953:", "not", "reached"]
    assert rows["unet-blocked-seed1"] == ["0.990", "0.790", "0.780", "5"]
    assert "does not measure new tissue" in text


def test_the_table_says_what_leaks_after_the_last_epoch(results_of):
    last = {"copies": 0.9, "slices": 0.85, "blocked": 0.8}
    lead = {"copies": 0.03, "slices": 0.02, "blocked": 0.01}
    outcomes = {
        f"{network}-{protocol}-seed{seed}": made_up(
            0.5, last[protocol] + (lead[protocol] if network == "unetpp_plain" else 0)
        )
        for network in report_protocol.NETWORKS
        for protocol in leakage.PROTOCOLS
        for seed in (0, 1)
    }
    text = report_protocol.table(results_of(report_protocol.EXPERIMENT, outcomes))
    rows = dict(re.findall(r"^white     (\S.*?) {2,}([+-].*)$", text, re.MULTILINE))
    assert rows["unet: copies - blocked"] == "+0.100 [+0.100, +0.100]"
    assert rows["unetpp_plain: copies - slices"] == "+0.060 [+0.060, +0.060]"
    assert rows["unetpp_plain - unet, blocked"] == "+0.010 [+0.010, +0.010]"
    assert rows["unetpp_plain - unet, copies - blocked"] == "+0.020 [+0.020, +0.020]"


def test_trials_differ_in_network_protocol_and_seed_alone():
    config = replace(report_protocol.CONFIG, data="x")
    assert config.norm == "group"
    names = [trial.name for trial in report_protocol.EXPERIMENT.trials]
    assert names[:2] == ["unet-copies-seed0", "unetpp_plain-copies-seed0"]  # the report's own come first
    assert len(set(names)) == len(names)
