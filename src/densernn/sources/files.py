"""Open files that may be packed with gzip, and say what is wrong with damaged ones."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from densernn.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 20


def is_gzip(path: Path) -> bool:
    """Tell a gzip file by its first two bytes.

    The name is no guide: browsers unpack downloads and keep the ``.gz``, and people rename.
    """
    with path.open("rb") as stream:
        return stream.read(2) == GZIP_MAGIC


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or gzip file for reading its unpacked bytes.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    BinaryIO
        A stream of the unpacked bytes.

    Raises
    ------
    DataError
        If the file cannot be opened, or turns out, while it is read inside the ``with``
        block, to be a truncated or damaged gzip file.
    """
    try:
        with gzip.open(path, "rb") if is_gzip(path) else path.open("rb") as opened:
            yield cast("BinaryIO", opened)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path}: truncated or damaged gzip file ({error}); fetch it again"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
