"""A run's history counts every step and every image, and goes on where it was."""

from unetpp_lib.engine.history import History


def noted(history: History, *losses: float) -> History:
    """Add steps of six images, two seconds each."""
    for loss in losses:
        history.add(loss)
        history.images += 6
        history.seconds += 2
    return history


def test_an_epochs_speed_is_its_images_by_its_seconds():
    history = noted(History(), 3.0, 1.0)
    assert history.progress() == "loss 2.000, 3.0 images/s"
    entry = history.end_epoch(1, 2)
    assert entry == {"epoch": 1, "step": 2, "loss": 2.0, "seconds": 4.0, "images_per_second": 3.0}
    assert history.entries == [entry]
    assert history.progress() == "loss 2.000, 3.0 images/s"  # of the last epoch, until the next has a step
    assert noted(history, 0.5).summary() == {"loss": 0.5, "seconds": 2.0, "images_per_second": 3.0}
    assert History().progress() == ""


def test_a_restored_history_goes_on_where_it_was():
    whole, first, second = History(), noted(History(), 2.0), History()
    second.restore(first.state())
    noted(whole, 2.0, 4.0).end_epoch(1, 2)
    noted(second, 4.0).end_epoch(1, 2)
    assert second.entries == whole.entries
    assert second.state() == whole.state()
