"""Made-up results of an experiment, for tables whose numbers are known."""

from collections.abc import Callable, Mapping

import pytest

from unetpp_course.lab import Experiment, Outcome, Results


@pytest.fixture
def results_of() -> Callable[[Experiment, Mapping[str, Outcome]], Results]:
    """Return a function that makes the results of an experiment from outcomes by trial."""
    return lambda experiment, outcomes: Results(
        experiment, {name: {"outcome": outcome} for name, outcome in outcomes.items()}
    )
