"""CSV text: how a file is written, its bytes as UTF-8, and its header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from densernn.errors import DataError
from densernn.sources.files import BLOCK, reading

UTF8 = "utf-8"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*')
"""What Excel writes into the first line to say what separates values."""


@dataclass(frozen=True)
class Dialect:
    """How CSV text is written.

    Parameters
    ----------
    delimiter : str
        What separates cells.
    encoding : str
    comment : str or None
        What begins a line that is a comment.
    skip_rows : int
        Lines before the header to leave out.
    """

    delimiter: str = ","
    encoding: str = UTF8
    comment: str | None = None
    skip_rows: int = 0


@contextmanager
def utf8_stream(path: Path, dialect: Dialect) -> Iterator[BinaryIO]:
    """Open a file, plain or compressed, as UTF-8; lines that are comments become blank."""
    with reading(path) as stream:
        if dialect.encoding == UTF8 and dialect.comment is None:
            yield stream
            return
        # In UTF-8, other bytes become lone surrogates: they do no harm in unused columns.
        escape = "surrogateescape" if dialect.encoding == UTF8 else "strict"
        text = io.TextIOWrapper(stream, dialect.encoding, escape, newline="")
        try:
            yield cast("BinaryIO", io.BufferedReader(_Rewritten(text, dialect.comment), BLOCK))
        except UnicodeError as error:
            raise DataError(f"{path}: not text in the encoding {dialect.encoding}") from error


class _Rewritten(io.RawIOBase):
    """Text as UTF-8, with blank lines in the place of comments."""

    def __init__(self, text: TextIO, comment: str | None) -> None:
        self._text, self._comment = text, comment
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            lines = self._text.readlines(BLOCK)
            if self._comment is not None:
                lines = ["\n" if line.startswith(self._comment) else line for line in lines]
            self._rest = memoryview("".join(lines).encode(UTF8, "surrogateescape"))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@contextmanager
def csv_text(path: Path, dialect: Dialect) -> Iterator[TextIO]:
    """Open a file for the ``csv`` module; a byte order mark is dropped."""
    with (
        utf8_stream(path, dialect) as stream,
        io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text,
    ):
        yield text


def is_utf8(text: str) -> bool:
    """Whether a text is free of the surrogates that :func:`csv_text` makes."""
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


@dataclass(frozen=True)
class Header:
    """The first row of a file.

    Parameters
    ----------
    cells : tuple of str
    next_cells : tuple of str
        Of the row that follows, where the last cell is empty.
    n_lines : int
        Number of its last line.
    n_skipped : int
        Lines that are left out before it.
    dialect : Dialect
        With the delimiter that the file itself names, if it does.
    """

    cells: tuple[str, ...]
    next_cells: tuple[str, ...]
    n_lines: int
    n_skipped: int
    dialect: Dialect


def read_header(path: Path, dialect: Dialect) -> Header:
    """Return the first row that is not blank."""
    with csv_text(path, dialect) as text:
        skipped = sum(1 for _ in zip(range(dialect.skip_rows), text, strict=False))
        first = text.readline()
        if found := _SEPARATOR_LINE.fullmatch(first):
            dialect = replace(dialect, delimiter=found[1])
            skipped, first = skipped + 1, ""
        rows = csv.reader(_chain(first, text), delimiter=dialect.delimiter)
        try:
            cells = next(filter(None, rows), None)
            n_lines = rows.line_num
            # Read only where it says something: it may be longer than the csv module bears.
            following = next(filter(None, rows), []) if cells and not cells[-1] else []
        except csv.Error as error:
            raise DataError(f"{path}: the header is not CSV ({error})") from error
    if cells is None:
        raise DataError(f"{path}: the file is empty")
    if not is_utf8("".join(cells)):
        raise DataError(
            f"{path}: the header is not UTF-8 text; save the file as UTF-8, or say its encoding"
            "=, such as 'latin-1'"
        )
    # Without a first line there was one that the reader did not count.
    return Header(tuple(cells), tuple(following), skipped + n_lines, skipped, dialect)


def _chain(first: str, text: TextIO) -> Iterator[str]:
    if first:
        yield first
    yield from text
