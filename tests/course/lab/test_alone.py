"""L2 pruned from the full network beside L2 trained alone: what is compared, and for how long each is trained."""

from statistics import median

import pytest

from unetpp_course.lab import read_results
from unetpp_course.lab.alone import ARMS, EXPERIMENT, SEEDS, by_seed, table
from unetpp_lib.models import prune


def outcome(*heads: float) -> dict:
    rows = {f"head {number}": {"iou/background/image": value} for number, value in enumerate(heads, start=1)}
    return {"scores": {"scores": rows}}


def test_l2_alone_is_the_network_that_pruning_leaves():
    pruned = prune(ARMS["full"].build_model().eval(), depth=2)
    alone = ARMS["equal-seconds"].build_model()
    shapes = {name: value.shape for name, value in alone.state_dict().items()}
    assert shapes == {name: value.shape for name, value in pruned.state_dict().items()}


def test_head_2_is_read_in_every_arm_and_leads_are_paired_by_seed(results_of):
    outcomes = {f"full-seed{seed}": outcome(0.1, 0.5 + seed / 10, 0.9, 0.9) for seed in (0, 1)}
    outcomes |= {f"equal-seconds-seed{seed}": outcome(0.1, 0.6) for seed in (0, 1)}
    outcomes["full-seed2"] = outcome(0.1, 0.9)  # without its partner it does not count
    results = results_of(EXPERIMENT, outcomes)
    assert by_seed(results)["full"].tolist() == pytest.approx([0.5, 0.6, 0.9])
    (line,) = [line for line in table(results).splitlines() if line.startswith("equal-seconds")]
    assert line.endswith("-0.050 [-0.685, +0.585]")  # -.1 and 0; t = 12.71


def test_each_arm_has_every_seed():
    names = {trial.name for trial in EXPERIMENT.trials}
    assert names == {f"{arm}-seed{seed}" for arm in ARMS for seed in SEEDS} | {"step-seconds"}


def test_the_epochs_of_equal_seconds_are_those_of_the_steps_measured():
    seconds = read_results("alone")["step-seconds"]
    ratio = median(seconds["full"]) / median(seconds["equal-steps"])
    assert ARMS["equal-seconds"].epochs == pytest.approx(ratio * ARMS["full"].epochs, rel=0.05)
