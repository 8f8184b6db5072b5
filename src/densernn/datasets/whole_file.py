"""Give a file its name only once it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a hidden name beside the target, and rename it in one step at the end.

    Neither an interrupted writer nor a second, simultaneous one leaves half a file under the
    target's name: if the block is left by an error, what was written is removed.

    Parameters
    ----------
    target : Path
        What the file becomes; its folder must be there.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OSError
        If the file cannot be renamed.
    """
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
