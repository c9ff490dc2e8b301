"""A training's state on disk: whole or not there, and never able to run code."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write ``state`` (tensors, numbers, strings, and lists and dictionaries of them) to ``path``, all or nothing."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return the state that `save_checkpoint` wrote, on the CPU.

    Raises InputError for a file that is missing, cut short, or holds anything but tensors, numbers and strings; no code
    from the file is ever run.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no checkpoint to resume from. Start the run without --resume.") from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is damaged or holds more than tensors, numbers and strings, so it was not opened. "
            "Use a last.pt that `unetpp train` wrote, or start a new run."
        ) from error
    except (RuntimeError, EOFError, ValueError, OSError) as error:
        raise InputError(f"{path} is cut short or damaged. Copy it again, or start a new run.") from error
