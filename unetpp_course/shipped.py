"""The course's trained networks, and files that exist only in a clone."""

from pathlib import Path

from unetpp_lib.data import shipped_data
from unetpp_lib.engine import Card, load_model, shipped_weights
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork

WHOLE_CLONE = "The course needs a complete clone: make a new one, and run pip install -e '.[course]' in it."


def shipped_model(name: str) -> tuple[SegmentationNetwork, Card]:
    """Return a trained network that comes with unetpp, in evaluation mode on the CPU, and its card.

    Raises InputError for an unknown name; the message lists the known ones.
    """
    return load_model(shipped_weights(name))


def course_files(name: str) -> Path:
    """Return the folder ``data/NAME`` of the clone; raises InputError if it is missing."""
    folder = shipped_data() / name
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}. {WHOLE_CLONE}")
    return folder
