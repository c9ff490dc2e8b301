"""Writing a file completely or not at all."""

import io
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from PIL import Image

from unetpp_lib.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; the file that the block writes there replaces ``path`` at its end.

    Each writer has its own temporary path, so two writers never write one file; the one that finishes last wins. A
    missing folder is created, the permissions of a replaced file are kept, and if ``path`` is a link, the file that it
    points to is replaced. If the block fails, its file is removed and ``path`` is unchanged. Raises InputError if the
    disk is full or the folder cannot be written; errors of the block that concern other files are passed on.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    temporary = target.parent / f"{token_hex(8)}.tmp"  # a target's name may already have the most bytes allowed
    own = {str(path) for path in (None, temporary, target, *target.parents)}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        _rename(temporary, target)
    except OSError as error:
        if error.errno is None or str(error.filename) not in own:
            raise  # an error of the block about another file
        raise InputError(
            f"{path} cannot be written: {error.strerror}. Free some space or choose another folder; "
            "an existing file is unchanged."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _rename(source: Path, target: Path) -> None:
    """Rename a file; on Windows, wait a second for another program, such as a virus scanner, that has one open."""
    for _ in range(20 if sys.platform == "win32" else 0):
        with suppress(PermissionError):
            source.replace(target)
            return
        time.sleep(0.05)
    source.replace(target)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write ``content`` to ``path`` completely or not at all, even if the process dies; errors as in `replacing`."""
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())  # it must be on disk before it replaces the last good file


def write_png(path: Path, picture: Image.Image) -> None:
    """Write a picture as a PNG file with `write_atomically`."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())
