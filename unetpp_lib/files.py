"""Writing a file whole or not at all."""

import io
import os
from contextlib import suppress
from pathlib import Path

from PIL import Image

from unetpp_lib.errors import InputError


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write ``content`` to ``path`` so that the file is there whole or not at all, whenever the process dies.

    The folder is made where it is missing. Raises InputError where the disk is full or the folder cannot be written;
    what stood at ``path`` before is then untouched.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())  # on disk before it takes the place of the last good file
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise InputError(
            f"{path} cannot be written: {error.strerror}. Free some space or choose another folder; "
            "what stood there before is unchanged."
        ) from error


def write_png(path: Path, picture: Image.Image) -> None:
    """Write a picture as PNG, as `write_atomically` does."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    write_atomically(path, buffer.getvalue())
