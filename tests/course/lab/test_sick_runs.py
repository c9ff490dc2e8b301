"""The sick trainings differ from the healthy one in their cause alone, and the symptoms are read off right."""

from dataclasses import asdict, replace

import pytest
import torch

from unetpp_course.lab import sick_runs
from unetpp_course.lab.sick_runs import CASES, Case, first_batch, measure, training_part

TINY = {"steps": 2, "look_every": 1, "patch": 32, "batch_size": 2, "widths": (2, 4, 8), "images": 2}


def changed(case: Case) -> set[str]:
    healthy = asdict(CASES["healthy"])
    return {name for name, value in asdict(case).items() if value != healthy[name]}


def test_only_the_cause_differs():
    causes = {name: changed(case) for name, case in CASES.items()}
    assert causes == {
        "healthy": set(),
        "over-fitting": {"images", "augment"},
        "rate too high": {"lr"},
        "labels with a bug": {"turned_without_mask"},
    }


def test_the_bug_parts_images_from_their_masks_and_leaves_the_pixels():
    plain = replace(Case(**TINY), augment=False)
    sound, sick = (
        next(training_part(case).batches(steps=1)) for case in (plain, replace(plain, turned_without_mask=True))
    )
    assert torch.equal(sound[1], sick[1])
    assert not torch.equal(sound[0], sick[0])
    assert torch.equal(sound[0].flatten(1).sort().values, sick[0].flatten(1).sort().values)


def test_the_first_batch_is_what_the_network_gets():
    images, masks = first_batch("over-fitting")
    assert images.shape == masks.shape == (4, 1, 128, 128)
    assert set(masks.unique().tolist()) == {0, 1}


@pytest.mark.slow
def test_a_training_is_looked_at_from_before_its_first_step():
    outcome = measure(Case(**TINY))
    assert [entry["step"] for entry in outcome["looks"]] == [0, 1, 2]
    assert len(outcome["losses"]) == 2
    assert outcome == measure(Case(**TINY))


def outcome_of(train, validation):
    looks = [
        {"step": 20 * i, "train": {"loss": 0.1, "iou": a}, "validation": {"loss": 0.2, "iou": b}}
        for i, (a, b) in enumerate(zip(train, validation, strict=True))
    ]
    return {"losses": [9.0] * 10 + [0.5] * 20, "looks": looks}


def test_symptoms():
    outcome = outcome_of([0.0, 0.5, 0.9], [0.0, 0.4, 0.2])
    outcome["looks"][1]["train"]["loss"] = 7.0
    found = sick_runs.symptoms(outcome)
    assert found == pytest.approx({"loss": 0.5, "highest": 7.0, "train": 0.9, "validation": 0.2, "gap": 0.7})


def test_the_table_shows_every_run_and_the_interval_of_the_gap(results_of):
    outcomes = {f"over-fitting-seed{seed}": outcome_of([0.1, 0.2, 0.4, 0.9], [0.1, 0.2, 0.3, 0.2]) for seed in (0, 1)}
    text = sick_runs.table(results_of(sick_runs.EXPERIMENT, outcomes))
    assert text.count("over-fitting ") == 3  # two runs, and their mean
    assert "+0.700 [+0.700, +0.700]" in text


def test_each_case_has_its_letter(results_of):
    assert sorted(sick_runs.LETTERS.values()) == sorted(CASES)
    outcomes = {
        f"{name.replace(' ', '-')}-seed{seed}": outcome_of([0.1, 0.1 * number], [0.1, 0.1]) | {"case": name}
        for number, name in enumerate(CASES)
        for seed in (0, 2)
    }
    runs = sick_runs.lettered(results_of(sick_runs.EXPERIMENT, outcomes))
    assert [one["case"] for one in runs["B"]] == ["over-fitting"] * 2


def test_a_batch_is_learned_by_heart(monkeypatch):
    monkeypatch.setattr(sick_runs, "HEART_STEPS", 40)
    monkeypatch.setattr(
        sick_runs, "first_batch", lambda *_: (torch.randn(1, 1, 16, 16), torch.ones(1, 1, 16, 16).byte())
    )
    (found,) = sick_runs.learn_by_heart("healthy", 0)["looks_by_heart"].values()
    assert found["loss"] < 0.1
