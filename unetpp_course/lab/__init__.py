"""The laboratory: what the course claims, measured; `python -m unetpp_course experiment NAME` shows all."""

from importlib import import_module

from unetpp_course.lab.base import Experiment, Outcome, read_results, run_experiment
from unetpp_lib.errors import InputError

__all__ = ["NAMES", "Experiment", "Outcome", "find_experiment", "read_results", "run_experiment"]

NAMES = (
    "alone",
    "architectures",
    "best_model",
    "converged",
    "copies",
    "epoch_choice",
    "folds",
    "folds_full",
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
    "vendor_dice",
)
"""Each is a module of this package that holds its ``EXPERIMENT``."""


def find_experiment(name: str) -> Experiment:
    """Return the experiment ``name``; raises InputError where there is none."""
    if name not in NAMES:
        raise InputError(f"There is no experiment {name!r}; choose one of {', '.join(NAMES)}.")
    experiment: Experiment = import_module(f"{__name__}.{name}").EXPERIMENT
    return experiment
