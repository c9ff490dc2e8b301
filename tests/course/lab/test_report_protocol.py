"""The seed report's protocol is followed to the letter, leak included, and says so."""

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


def test_a_trial_trains_on_copies_and_scores_the_held_out_fifth_after_every_epoch(few_copies, tiny_set):
    small = {"widths": (4, 6), "patch": 48, "epochs": 2, "device": "cpu"}
    trial = report_protocol.make_trial("unetpp", "copies", 0, str(tiny_set), **small)
    outcome = trial.measure()
    assert outcome["scores"]["part"] == "validation"
    assert len(outcome["scores"]["images"]) == 7
    assert len(outcome["history"]) == 2
    assert all("head 1" in epoch["validation"] for epoch in outcome["history"])


def made_up(*whites: float, heads: int = 4) -> dict:
    white, membrane = leakage.SCORES.values()
    shallow = {"mean of heads": {white: 0, membrane: 0}} if heads > 1 else {}
    readings = [{"all foreground": {white: 0.78}, **shallow} for _ in whites]
    for reading, value in zip(readings, whites, strict=True):
        reading["head 4"] = {white: value, membrane: value - 0.2}
    history = [{"step": 360, "images_per_second": 72.0, "validation": reading} for reading in readings]
    return {"history": history, "training_seconds": 5.0 * len(whites), "scores": {"scores": readings[0]}}


def test_the_table_says_when_the_reports_score_was_reached_and_what_such_scores_are_worth():
    outcomes = {"unetpp-copies-seed0": made_up(0.9, 0.978, 0.97), "unet-copies-seed1": made_up(0.9, 0.92)}
    text = report_protocol.table(outcomes | {"unet-blocked-seed1": made_up(0.99)})
    assert "unetpp-copies-seed0   0.970   0.770     0.780      15       0.978: 10 s" in text
    assert "0.953: not reached" in text
    assert "unet-blocked-seed1    0.990   0.790     0.780      5\n" in text
    assert "no measure of new tissue" in text


def test_the_table_says_what_leaks_after_the_last_epoch():
    outcomes = {
        leakage.trial_name(network, protocol, seed): made_up(0.5, 0.9 if protocol == "copies" else 0.8, heads=heads)
        for network, heads in (("unet", 1), ("unetpp", 4))
        for protocol in leakage.PROTOCOLS
        for seed in (0, 1)
    }
    assert "white     unet    copies - blocked  +0.100 [+0.100, +0.100]" in report_protocol.table(outcomes)


def test_trials_differ_in_network_protocol_and_seed_alone():
    config = replace(report_protocol.CONFIG, data="x")
    assert config.norm == "group"
    names = [trial.name for trial in report_protocol.EXPERIMENT.trials]
    assert names[:2] == ["unet-copies-seed0", "unetpp-copies-seed0"]  # the report's own come first
    assert len(set(names)) == len(names)
