"""Drawn sets with and without rings: what is drawn, what is paired, and that the rates are the search's."""

from functools import partial

import pytest

from unetpp_course.lab import fair_stage, read_results
from unetpp_course.lab.fair_stage import (
    EXPERIMENT,
    MEMBRANE,
    RATES,
    VERSIONS,
    by_seed,
    lead,
    search,
    stage,
    table,
    write_stage,
)
from unetpp_course.membranes import write_membranes
from unetpp_lib.data import read_split
from unetpp_lib.models import UNetPlusPlus, prune


def outcome(**heads: float) -> dict:
    last = {name.replace("_", " "): {MEMBRANE: value} for name, value in heads.items()}
    return {"last": last, "history": [{"epoch": 60, "validation": {"head 2": {"iou/background/pooled": 0.5}}}]}


def test_l2_alone_is_the_network_that_a_cut_leaves() -> None:
    full = fair_stage.configuration("unetpp", "rings", 0).build_model()
    alone = fair_stage.configuration("l2_alone", "rings", 0).build_model()
    assert isinstance(alone, UNetPlusPlus)
    left = prune(full, 2).state_dict()
    assert {name: value.shape for name, value in alone.state_dict().items()} == {
        name: value.shape for name, value in left.items()
    }


def test_differences_are_paired_by_seed_and_version(results_of) -> None:
    outcomes = {
        "unetpp-rings-seed0": outcome(head_2=0.5, head_4=0.8),
        "unetpp-rings-seed1": outcome(head_2=0.6, head_4=0.8),
        "unetpp-rings-seed2": outcome(head_2=0.9, head_4=0.9),  # without its partner it does not count below
        "unetpp-no_rings-seed0": outcome(head_2=0.7, head_4=0.8),
        "l2_alone-rings-seed0": outcome(head_2=0.55),
        "l2_alone-rings-seed1": outcome(head_2=0.55),
    }
    results = results_of(EXPERIMENT, outcomes)
    assert by_seed(results, "rings", ("unetpp", "head 2")).to_dict() == {0: 0.5, 1: 0.6, 2: 0.9}
    assert lead(results, "rings", "head 2 - L2 alone").to_dict() == pytest.approx({0: -0.05, 1: 0.05})
    assert lead(results, "no rings", "head 2 - L2 alone").empty
    (line,) = [
        line
        for line in table(results).splitlines()
        if line.startswith("head 4 - head 2") and "rings minus no rings" in line
    ]
    assert line.split()[-1] == "0.200"  # (.8 - .5) - (.8 - .7)


def test_the_sets_of_a_seed_have_the_same_masks_and_other_images(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(fair_stage, "RUNS", tmp_path)
    monkeypatch.setattr(fair_stage, "write_membranes", partial(write_membranes, count=3, size=128))
    for version in VERSIONS:
        write_stage(version, 1)
        write_stage(version, 1)  # what is there stays
    rings, none = (stage(version, 1) for version in VERSIONS)
    assert read_split(rings / "split.json") == read_split(none / "split.json")
    for name in ("membrane_0", "membrane_1", "membrane_2"):
        assert (rings / "masks" / f"{name}.png").read_bytes() == (none / "masks" / f"{name}.png").read_bytes()
        assert (rings / "images" / f"{name}.png").read_bytes() != (none / "images" / f"{name}.png").read_bytes()


def test_a_searched_network_trains_at_the_better_rate() -> None:
    found = search(read_results("fair_stage"))
    complete = found.dropna(axis="columns")
    assert "unetpp" in complete
    assert "l2_alone" in complete
    assert complete.idxmax().to_dict() == {network: RATES[network] for network in complete}
