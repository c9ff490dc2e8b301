"""Every test works in a folder of its own, with no progress; the samples are the exercises of notebook 99."""

import gc
import sys

import exercise_samples
import pytest

from unetpp_course import exercises, progress

collect_ignore = ["conftest.py"]  # it holds no doctests, and pytest would import a second module named conftest


@pytest.fixture(scope="module", autouse=True)
def _old_objects_left_alone():
    yield
    gc.freeze()  # again, as after the collection of the tests: a check has let the garbage collector see all objects


@pytest.fixture(autouse=True)
def _new_learner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, f"{exercises.__name__}.notebook_{exercise_samples.NOTEBOOK}", exercise_samples)
    monkeypatch.delenv("UNETPP_PROGRESS", raising=False)
    forget(monkeypatch)


@pytest.fixture
def restart_kernel(monkeypatch):
    return lambda: forget(monkeypatch)


def forget(monkeypatch):
    monkeypatch.setattr(progress, "_of_this_kernel", progress.Progress())
