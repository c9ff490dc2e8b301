"""The trained networks that come with the course."""

from unetpp_lib.data import repository_data
from unetpp_lib.engine import Card, load_model
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork


def shipped_model(name: str) -> tuple[SegmentationNetwork, Card]:
    """Return the trained network ``data/weights/NAME.safetensors``, in evaluation mode on the CPU, and its card.

    Raises InputError for a name that is not there; the message lists those that are.
    """
    folder = repository_data() / "weights"
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in folder.glob("*.safetensors"))) or "no network at all"
        raise InputError(
            f"{folder} holds no network {name!r}, but {names}. "
            "Correct the name, or bring the course's files back: git checkout -- data/weights"
        )
    return load_model(path)
