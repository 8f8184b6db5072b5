"""Streams of the unpacked bytes of plain and compressed files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from densernn.errors import DataError

BLOCK = 1 << 20


def _open_zstandard(path: Path, mode: str) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - files that are not packed so do without

    return pa.input_stream(str(path), "zstd")


class _Members(io.RawIOBase):
    """Unpacked bytes of all members of a bzip2 or xz file, with padding by zeros left out.

    Python's own readers take whatever follows the first member and is damaged for its end.
    """

    def __init__(self, packed: BinaryIO, new_member: Callable[[], Any]) -> None:
        self._packed, self._new_member, self._member = packed, new_member, new_member()

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._packed.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        unpacked = b""
        while not unpacked:
            packed = b""
            if self._member.eof:
                packed = self._member.unused_data.lstrip(b"\0")
                while not packed and (more := self._packed.read(BLOCK)):
                    packed = more.lstrip(b"\0")
                if not packed:
                    return 0
                self._member = self._new_member()
            elif self._member.needs_input and not (packed := self._packed.read(BLOCK)):
                raise EOFError("the file ends in the middle")
            unpacked = self._member.decompress(packed, len(buffer))
        buffer[: len(unpacked)] = unpacked
        return len(unpacked)


def _open_members(new_member: Callable[[], Any], path: Path, mode: str) -> Any:
    return io.BufferedReader(_Members(path.open("rb"), new_member), BLOCK)


_OPENERS: dict[bytes, tuple[str, Callable[[Path, str], Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", partial(_open_members, bz2.BZ2Decompressor)),
    b"\xfd7zXZ\x00": ("xz", partial(_open_members, lzma.LZMADecompressor)),
    b"\x28\xb5\x2f\xfd": ("Zstandard", _open_zstandard),
}
"""Name and opener of each way to compress, by the first bytes of the file.

The name is no guide: browsers unpack downloads and keep the ``.gz``, and people rename.
"""


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or compressed file for reading its unpacked bytes.

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
        block, to be a truncated or damaged compressed file. Checksums are compared.
    """
    kind = ""
    try:
        with path.open("rb") as stream:
            start = stream.read(6)
        magic = next(filter(start.startswith, _OPENERS), b"")
        kind, opener = _OPENERS.get(magic, ("", Path.open))
        with opener(path, "rb") as opened:
            yield cast("BinaryIO", opened)
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        # Of a packed file whose bytes are wrong; an error of the system has a number.
        if kind and not getattr(error, "errno", None):
            raise DataError(
                f"{path}: truncated or damaged {kind} file ({error}); fetch it again"
            ) from error
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason})") from error
