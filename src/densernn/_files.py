"""Atomic writing of files: a file gets its name once it is complete, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from densernn.errors import DensernnError, NoFolderError, WriteError

PART = ".part"
"""Ending of a file while it is written; its name begins with a dot."""


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Yield a hidden path beside the target, and rename it in one step at the end.

    Neither an interrupted writer nor a second, simultaneous one leaves half a file under the
    target's name, not even if the machine fails.

    Parameters
    ----------
    target : Path
        What the file becomes; one that is there is replaced.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    WriteError
        The file cannot be written; the text names the target.  Nothing is left of it.
    """
    part = target.with_name(f".{target.name}.{uuid4().hex[:8]}{PART}")
    try:
        if target.is_dir():
            raise WriteError(f"{target}: is a folder: name a file in it")
        if not target.parent.is_dir():
            raise NoFolderError(f"{target}: there is no folder {target.parent}: make it first")
        yield part
        _sync(part, os.O_RDWR)  # else a crash after the renaming may leave an empty file
        part.replace(target)
        if os.name == "posix":  # Windows cannot open a folder
            _sync(target.parent, os.O_RDONLY)
    except DensernnError:
        raise
    except OSError as error:
        if str(error.filename) not in ("None", str(part), str(target), str(target.parent)):
            raise  # of another file, such as one that is read meanwhile
        reason = error.strerror or error
        raise WriteError(
            f"{target}: cannot be written ({reason}): make it possible, or name another place"
        ) from error
    finally:
        with suppress(OSError):  # a read-only folder refuses even what is not there
            part.unlink(missing_ok=True)


def _sync(path: Path, flags: int) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
