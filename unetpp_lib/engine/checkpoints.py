"""The state of a training run on disk: it is written completely or not at all, and reading it never runs code."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write ``state`` (tensors, numbers, strings, lists and dictionaries) to ``path``, completely or not at all."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return the state that `save_checkpoint` wrote, on the CPU.

    Raises InputError for a file that is missing, truncated, or holds anything but tensors, numbers and strings. No code
    from the file is ever run.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no checkpoint to resume from. Start the run without --resume.") from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is damaged or holds something other than tensors, numbers and strings, so it was not opened. "
            "Use a last.pt that `unetpp train` wrote, or start a new run."
        ) from error
    except (RuntimeError, EOFError, ValueError, OSError) as error:
        raise InputError(f"{path} is truncated or damaged. Copy it again, or start a new run.") from error
