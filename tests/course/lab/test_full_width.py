"""The full network on one fold: its table has minutes, scores and the curve."""

from long_outcome import long_outcome

from unetpp_course.lab import full_width
from unetpp_course.lab.full_width import EXPERIMENT, PASSES


def test_the_networks_are_those_of_the_paper() -> None:
    networks = [full_width.configuration(name).build_model() for name in full_width.MODELS]
    millions = [sum(p.numel() for p in network.parameters()) / 1e6 for network in networks]
    assert [round(number, 1) for number in millions] == [9.0, 7.8]  # Zhou et al. 2018, table 3: 9.04 and 7.76


def test_the_table_has_minutes_scores_and_the_curve(results_of) -> None:
    results = results_of(
        EXPERIMENT, {"unetpp-fold0-seed0": long_outcome(0.7, PASSES), "unet-fold0-seed0": long_outcome(0.6, PASSES)}
    )
    first, curve = full_width.table(results).split("\n\n")
    assert first.splitlines()[2].split() == ["unetpp", "840", "2", "0.700", "0.900", "0.800"]
    assert curve.splitlines()[-1].split() == ["20", "0.600", "0.700"]
    assert full_width.curves(results).index.dtype == int  # a figure needs numbers
