"""The ladder of honesty shows every seed, its intervals and the all-white answer, of stored results or a learner's."""

import pytest

from unetpp_course import LadderExplorer, Scored, stored_scores
from unetpp_course.explorers import ladder
from unetpp_course.lab import Results, find_experiment
from unetpp_course.lab.intervals import t_interval
from unetpp_lib.errors import InputError

# protocol, network, seed, white, membrane, all white
POINTS = [
    Scored("copies", "U-Net", 0, 0.92, 0.70, 0.79),
    Scored("copies", "U-Net", 1, 0.90, 0.68, 0.79),
    Scored("copies", "UNet++", 0, 0.93, 0.72, 0.79),
    Scored("copies", "UNet++", 1, 0.92, 0.69, 0.79),
    Scored("blocked", "U-Net", 0, 0.86, 0.60, 0.77),
    Scored("blocked", "U-Net", 1, 0.87, 0.62, 0.75),
    Scored("blocked", "UNet++", 1, 0.85, 0.61, 0.75),
]
PNG = b"\x89PNG"


@pytest.fixture
def explorer():
    return LadderExplorer(POINTS)


def test_it_opens_on_the_top_rung_with_both_networks_and_the_lazy_answer(explorer):
    assert explorer.protocol.value == "copies"
    interval = t_interval([0.92, 0.90])
    said = f"U-Net: {interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}], 2 seeds"
    assert said in explorer.status
    assert "An all-white answer: 0.790." in explorer.status


@pytest.mark.parametrize(
    ("score", "values", "lazy"), [("membrane", [0.6, 0.62], 0.0), ("class mean", [0.73, 0.745], 0.38)]
)
def test_class_mean_and_membrane_are_read_for_the_networks_and_the_lazy_answer(explorer, score, values, lazy):
    explorer.protocol.value, explorer.score.value = "blocked", score
    assert explorer.values("blocked")["U-Net"] == pytest.approx(values)
    assert explorer.lazy("blocked") == pytest.approx(lazy, abs=0.004)


def test_the_gap_is_taken_within_pairs_of_one_seed(explorer):
    explorer.view.value = "gap"
    assert explorer.values("copies")["UNet++ − U-Net"] == pytest.approx([0.01, 0.02])
    assert explorer.values("blocked")["UNet++ − U-Net"] == pytest.approx([-0.02])
    explorer.protocol.value = "blocked"
    assert "-0.020, one seed, so no interval" in explorer.status
    assert "Two all-white answers: no gap." in explorer.status


def test_every_control_changes_picture_status_and_the_words_for_it(explorer):
    seen = {explorer.png}
    for control, value in ((explorer.protocol, "blocked"), (explorer.score, "membrane"), (explorer.view, "gap")):
        control.value = value
        assert explorer.png not in seen
        assert explorer.status in explorer.children[-1].value
        seen.add(explorer.png)
    assert "down to the rung blocked" in explorer.children[-1].value


def test_the_scale_stays_while_you_step_down(explorer):
    before = explorer._limits()
    explorer.protocol.value = "blocked"
    assert explorer._limits() == before


def test_a_claim_stands_beside_the_white_score_alone(explorer):
    assert explorer._claimed() == {"U-Net": 0.953, "UNet++": 0.978}
    explorer.view.value = "gap"
    assert explorer._claimed() == pytest.approx({"claimed": 0.025})
    explorer.score.value = "membrane"
    assert explorer._claimed() == {}


def test_one_network_in_a_protocol_of_ones_own_has_no_gap_and_no_claim():
    explorer = LadderExplorer([Scored("mine", "my network", 0, 0.9, 0.6, 0.8)])
    assert explorer.view.options == ("networks",)
    assert "my network: 0.900, one seed, so no interval" in explorer.status


def test_the_stored_results_come_rung_by_rung_and_ones_own_join_them(monkeypatch):
    def outcome(white, membrane, output="head 4"):
        row = {"iou/foreground/pooled": white, "iou/background/pooled": membrane}
        return {"scores": {"scores": {output: row, "all foreground": {"iou/foreground/pooled": 0.75}}}}

    stored = {"unetpp-copies-seed1": outcome(0.93, 0.7, "mean of heads"), "unet-blocked-seed0": outcome(0.86, 0.6)}
    stored["unet-copies-seed1"] = outcome(0.92, 0.71)
    records = {name: {"outcome": outcome} for name, outcome in stored.items()}
    monkeypatch.setattr(ladder, "read_results", lambda name: Results(find_experiment(name), records))
    assert stored_scores() == [
        Scored("copies", "U-Net", 1, 0.92, 0.71, 0.75),
        Scored("copies", "UNet++", 1, 0.93, 0.7, 0.75),
        Scored("block of slices", "U-Net", 0, 0.86, 0.6, 0.75),
    ]
    explorer = LadderExplorer([*stored_scores(), Scored("mine", "U-Net", 0, 0.9, 0.6, 0.8)])
    assert explorer.rungs == ["copies", "block of slices", "mine"]


def test_a_picture_stands_where_no_widget_runs(explorer):
    assert explorer.png.startswith(PNG)
    assert explorer._repr_mimebundle_().keys() >= {"image/png", "text/plain"}
    assert repr(explorer).startswith("LadderExplorer: Held out by copies, IoU of white.")


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([], "empty"),
        ([Scored("mine", "U-Net", 0, 97.8, 0.6, 0.8)], "97.8 % as 0.978"),
        ([POINTS[0], POINTS[0]], "occurs twice"),
        ([POINTS[0], POINTS[2], POINTS[0]._replace(network="UNet+")], "There are 3 networks"),
    ],
)
def test_what_cannot_be_shown_is_refused(points, words: str):
    with pytest.raises(InputError, match=words):
        LadderExplorer(points)
