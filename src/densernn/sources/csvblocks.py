"""Cut CSV text into blocks of whole rows, and read the rows of one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from densernn.errors import DataError
from densernn.sources.files import reading

BLOCK_BYTES = 4 << 20
"""Text that is read and parsed at once."""
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
    """

    path: Path
    text: bytes
    line: int
    first: bool

    @property
    def quoted(self) -> bool:
        """Whether a line break may stand inside a cell."""
        return b'"' in self.text

    def rows(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Give the rows, each with the line that it starts on, read by Python's ``csv``.

        Bytes that are not UTF-8 become lone surrogates, to be refused where they are met.
        """
        text = io.StringIO(self.text.decode("utf-8", "surrogateescape"), newline="")
        reader = csv.reader(text, delimiter=delimiter)
        line = self.line
        try:
            for row in reader:
                if row:
                    yield line, row
                line = self.line + reader.line_num
        except csv.Error as error:
            raise DataError(f"{self.path}, line {line}: {error}") from error


def text_blocks(path: Path, skip_lines: int) -> Iterator[TextBlock]:
    """Give the text of a CSV file, plain or gzip, in blocks that end where a row does.

    Parameters
    ----------
    path : Path
    skip_lines : int
        Lines at the beginning to leave out.

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
    for text in _whole_rows(path):
        count = count_lines(text)
        left_out = min(skip_lines, count)
        skip_lines -= left_out
        kept = text[_end_of_line(text, left_out) :] if left_out else text
        if kept.strip(b"\r\n"):
            yield TextBlock(path, kept, line + left_out, first)
            first = False
        line += count


def _whole_rows(path: Path) -> Iterator[bytes]:
    with reading(path) as stream:
        rest = stream.read(len(BYTE_ORDER_MARK))
        if rest == BYTE_ORDER_MARK:
            rest = b""
        # Twice the size each time no row ends: the bytes are looked at twice on average.
        while more := stream.read(max(BLOCK_BYTES, len(rest))):
            rest += more
            end = end_of_rows(rest)
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


def end_of_rows(text: bytes) -> int:
    r"""Return where the last whole row ends, 0 if none does.

    A line break inside quotes ends no row: an odd number of quotes stands before it. The text
    must begin where a row does.

    Examples
    --------
    >>> end_of_rows(b'1,2\n3,"a\nb')
    4
    """
    end = text.rfind(b"\n") + 1
    quotes = text.count(b'"', 0, end)
    while end and quotes % 2:
        start = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', start, end)
        end = start
    return end


def count_lines(text: bytes) -> int:
    """Return how many lines a text has, however they end; the last one need not."""
    ends = text.count(b"\n") + (not text.endswith((b"\n", b"\r")))
    # Only a \r by itself is another line end, as old programs write it.
    return ends + (text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0)


def _end_of_line(text: bytes, number: int) -> int:
    """Return where a line ends, counted from 1."""
    found = next(islice(_LINE_END.finditer(text), number - 1, None), None)
    return len(text) if found is None else found.end()
