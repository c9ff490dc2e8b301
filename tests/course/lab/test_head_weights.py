"""Trainings with weights on the heads: what a weight of 0 does, and that they are the engine's."""

import torch

from unetpp_course.lab.head_weights import ARMS, EXPERIMENT, HeadTraining, table, train_heads
from unetpp_lib.engine import PRESETS, TrainConfig

TINY = {"steps": 2, "patch": 32, "batch_size": 2, "widths": (2, 4, 8)}


def test_a_head_without_weight_never_learns():
    before = {}

    def callback(step, model, card):
        if step == 0:
            before.update({name: value.clone() for name, value in model.state_dict().items()})

    model, _ = train_heads(HeadTraining(weights=(0.0, 1.0), **TINY), callback)
    after = model.state_dict()
    assert torch.equal(after["heads.0.weight"], before["heads.0.weight"])
    assert not torch.equal(after["heads.1.weight"], before["heads.1.weight"])


def test_the_callback_sees_every_step_from_before_the_first():
    seen = []
    train_heads(HeadTraining(weights=(1.0, 1.0), **TINY), lambda step, *_: seen.append(step))
    assert seen == [0, 1, 2]


def test_the_settings_are_those_of_the_laptop_preset():
    laptop, ours = PRESETS["laptop"], HeadTraining()
    assert isinstance(laptop, TrainConfig)
    assert (ours.lr, ours.batch_size, ours.widths) == (laptop.lr, laptop.batch_size, laptop.widths)


def test_the_table_shows_differences_from_equal_weights(results_of):
    outcomes = {
        f"{arm}-seed{seed}": {"scores": {"head 1": 0.5 + 0.1 * number}}
        for seed in (0, 1, 2)
        for number, arm in enumerate(ARMS)
    }
    (line,) = [x for x in table(results_of(EXPERIMENT, outcomes)).splitlines() if x.startswith("deepest-most")]
    assert line.split(maxsplit=4)[1:] == ["head", "1", "0.600", "+0.100 [+0.100, +0.100]"]
