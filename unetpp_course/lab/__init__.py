"""The laboratory: what the course claims, measured; `python -m unetpp_course experiment NAME` shows all."""

from unetpp_course.lab.base import run_experiment
from unetpp_course.lab.results import (
    Experiment,
    Outcome,
    Results,
    Trial,
    load_experiment,
    merge_results,
    read_results,
)
from unetpp_lib.errors import InputError

__all__ = [
    "NAMES", "Experiment", "Outcome", "Results", "Trial", "find_experiment", "merge_results", "read_results",
    "run_experiment",
]  # fmt: skip

NAMES = (
    "alone",
    "architectures",
    "best_model",
    "converged",
    "copies",
    "epoch_choice",
    "fair_stage",
    "first_steps",
    "folds",
    "folds_full",
    "full_width",
    "head_weights",
    "leakage",
    "losses",
    "normalisation",
    "nuclei",
    "recipes",
    "report_protocol",
    "semantic_gap",
    "sick_runs",
    "step_profile",
    "supervision",
    "supervision_seeds",
)
"""Each is a module of this package that holds its ``EXPERIMENT``."""


def find_experiment(name: str) -> Experiment:
    """Return the experiment ``name``; raises InputError where there is none."""
    if name not in NAMES:
        raise InputError(f"There is no experiment {name!r}; choose one of {', '.join(NAMES)}.")
    return load_experiment(name)
