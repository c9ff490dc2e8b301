"""A run's history counts every image, all the time that training takes, and none that it does not."""

import time

import pytest

from unetpp_lib.engine.history import History, Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for what a test adds."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_stopwatch_counts_what_runs_and_not_what_is_paused(clock):
    watch = Stopwatch()
    clock[0] += 5
    with watch.running():
        clock[0] += 3
        with watch.paused():
            clock[0] += 1000
        clock[0] += 4
        assert watch.seconds == 7
        assert watch.restart() == 7
        clock[0] += 2
    clock[0] += 50
    assert watch.seconds == 2


def test_an_epochs_speed_is_its_images_by_its_seconds(clock):
    history = History()
    with history.clock.running():
        for loss in (3.0, 1.0):
            history.add(loss)
            history.images += 6
            clock[0] += 2
        entry = history.end_epoch(1, 2)
        assert entry == {"epoch": 1, "step": 2, "loss": 2.0, "seconds": 4.0, "images_per_second": 3.0}
        assert history.entries == [entry]
        history.add(0.5)
        assert history.mean_loss == 0.5


def test_a_restored_history_goes_on_where_it_was(clock):
    whole, first, second = History(), History(), History()
    for history in (whole, first):
        with history.clock.running():
            history.add(2.0)
            history.images += 4
            clock[0] += 1
    second.restore(first.state())
    for history in (whole, second):
        with history.clock.running():
            history.add(4.0)
            history.images += 4
            clock[0] += 3
            history.end_epoch(1, 2)
    assert (
        second.entries
        == whole.entries
        == [{"epoch": 1, "step": 2, "loss": 3.0, "seconds": 4.0, "images_per_second": 2.0}]
    )
