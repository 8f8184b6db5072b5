"""Cut CSV text into blocks of whole rows, and read the rows of one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from densernn.errors import DataError
from densernn.sources.files import reading

BLOCK_BYTES = 4 << 20
"""Text that is read and parsed at once."""
PART_BYTES = 64 << 10
"""Text that is read cell by cell at once, around a row that cannot be used."""
MAX_ROW_BYTES = 64 << 20
"""Beyond this a row is none, but a quote that nobody closed."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class TextBlock:
    """Whole rows of a CSV file.

    Parameters
    ----------
    path : Path
    text : bytes
    line : int
        Number of the first line, from 1.
    first : bool
        Whether it has the first rows of the file.
    blank : bool
        Whether a blank line is a row with one empty cell, else none.
    """

    path: Path
    text: bytes
    line: int
    first: bool
    blank: bool = False

    @property
    def quoted(self) -> bool:
        """Whether a line break may stand inside a cell."""
        return b'"' in self.text

    def cut(self, delimiter: str) -> Iterator[TextBlock]:
        """Cut into blocks of ``PART_BYTES``, more where a row is longer than that."""
        start, line = 0, self.line
        while start < len(self.text):
            size, end = PART_BYTES, 0
            while not end and start + size < len(self.text):
                end = end_of_rows(self.text[start : start + size], delimiter)
                size *= 2
            text = self.text[start : start + end] if end else self.text[start:]
            yield TextBlock(self.path, text, line, self.first and not start, self.blank)
            start += len(text)
            line += count_lines(text)

    def rows(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Give the rows, each with the line that it starts on, read by Python's ``csv``.

        Bytes that are not UTF-8 become lone surrogates, to be refused where they are met.
        """
        text = io.StringIO(self.text.decode("utf-8", "surrogateescape"), newline="")
        reader = csv.reader(text, delimiter=delimiter)
        line = self.line
        try:
            for row in reader:
                if row or self.blank:
                    yield line, row or [""]
                line = self.line + reader.line_num
        except csv.Error as error:
            raise DataError(f"{self.path}, line {line}: {error}") from error


def text_blocks(
    path: Path, skip_lines: int, delimiter: str, *, blank: bool = False
) -> Iterator[TextBlock]:
    """Give the text of a CSV file, plain or gzip, in blocks that end where a row does.

    Parameters
    ----------
    path : Path
    skip_lines : int
        Lines at the beginning to leave out.
    delimiter : str
        What separates cells.
    blank : bool, optional
        Whether blank lines are rows.

    Yields
    ------
    TextBlock
        Of about ``BLOCK_BYTES``, more where a row is longer than that.

    Raises
    ------
    DataError
        If the file is damaged, or a row is longer than ``MAX_ROW_BYTES``.
    """
    line, first = 1, True
    for text in _whole_rows(path, delimiter):
        count = count_lines(text)
        left_out = min(skip_lines, count)
        skip_lines -= left_out
        kept = text[_end_of_line(text, left_out) :] if left_out else text
        if kept if blank else kept.strip(b"\r\n"):
            yield TextBlock(path, kept, line + left_out, first, blank)
            first = False
        line += count


def _whole_rows(path: Path, delimiter: str) -> Iterator[bytes]:
    with reading(path) as stream:
        rest = stream.read(len(BYTE_ORDER_MARK))
        if rest == BYTE_ORDER_MARK:
            rest = b""
        # Twice the size each time no row ends: the bytes are looked at twice on average.
        while more := stream.read(max(BLOCK_BYTES, len(rest))):
            rest += more
            end = end_of_rows(rest, delimiter)
            if end:
                yield rest[:end]
                rest = rest[end:]
            elif len(rest) > MAX_ROW_BYTES:
                raise DataError(
                    f"{path}: a row is longer than {MAX_ROW_BYTES >> 20} MB; is a quote never "
                    "closed, or is it no CSV file?"
                )
        if rest:
            yield rest


def end_of_rows(text: bytes, delimiter: str = ",") -> int:
    r"""Return where the last whole row ends, 0 if none does.

    A line break inside quotes ends no row: an odd number of quotes stands before it. That
    does not hold where quotes stand inside a cell that does not begin with one, as in
    ``5" disk``; then the quoted cells are looked for one by one, five times slower.

    Parameters
    ----------
    text : bytes
        Must begin where a row does.
    delimiter : str, optional
        What separates cells.

    Examples
    --------
    >>> end_of_rows(b'1,2\n3,"a\nb')
    4
    """
    end = text.rfind(b"\n") + 1
    quotes = text.count(b'"', 0, end)
    if quotes and not _quotes_are_regular(text, delimiter):
        return _end_between_quoted_cells(text, delimiter)
    while end and quotes % 2:
        start = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', start, end)
        end = start
    return end


def _quotes_are_regular(text: bytes, delimiter: str) -> bool:
    """Whether every quote that opens begins a cell, or follows one that seemed to close it."""
    letters = np.frombuffer(text, np.uint8)
    opening = np.flatnonzero(letters == ord('"'))[::2]
    before = letters[opening[opening > 0] - 1]
    return bool(np.isin(before, [ord(letter) for letter in f'{delimiter}"\r\n']).all())


def _end_between_quoted_cells(text: bytes, delimiter: str) -> int:
    begins = b"(?<![^\r\n" + re.escape(delimiter.encode()) + b'])"'
    cells = re.compile(begins + rb'(?:[^"]++|"")*+(?:"|\Z)')
    end = len(text)
    for start, stop in reversed([cell.span() for cell in cells.finditer(text)]):
        found = text.rfind(b"\n", stop, end)
        if found >= 0:
            return found + 1
        end = start
    return text.rfind(b"\n", 0, end) + 1


def count_lines(text: bytes) -> int:
    """Return how many lines a text has, however they end; the last one need not."""
    ends = text.count(b"\n") + (not text.endswith((b"\n", b"\r")))
    # Only a \r by itself is another line end, as old programs write it.
    return ends + (text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0)


def _end_of_line(text: bytes, number: int) -> int:
    """Return where a line ends, counted from 1."""
    found = next(islice(_LINE_END.finditer(text), number - 1, None), None)
    return len(text) if found is None else found.end()
