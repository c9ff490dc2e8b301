"""Writing a file whole or not at all."""

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
    """Give the block a path beside ``path`` to write a file to; at its end, that file takes the place of ``path``.

    Each writer has a path of its own, so that two of them never write one file: the last to finish is the one that
    stays. The folder is made where it is missing, a file that is replaced passes its permissions on, and a link stays:
    its target is replaced. Where the block fails, its file is gone and what stood at ``path`` is untouched. Raises
    InputError where the disk is full or the folder cannot be written; what the block raises of other files passes.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    temporary = target.parent / f"{token_hex(8)}.tmp"  # not longer by its target's name, which may have all 255 bytes
    own = {str(path) for path in (None, temporary, target, *target.parents)}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        _rename(temporary, target)
    except OSError as error:
        if error.errno is None or str(error.filename) not in own:
            raise  # the block's, of another file
        raise InputError(
            f"{path} cannot be written: {error.strerror}. Free some space or choose another folder; "
            "what stood there before is unchanged."
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
    """Write ``content`` to ``path`` so that the file is there whole or not at all, whenever the process dies.

    Errors are those of `replacing`.
    """
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())  # on disk before it takes the place of the last good file


def write_png(path: Path, picture: Image.Image) -> None:
    """Write a picture as PNG, as `write_atomically` does."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    write_atomically(path, buffer.getvalue())
