"""CSV text: how a file is written, and its header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from densernn.errors import DataError
from densernn.sources.files import reading

UTF8 = "utf-8"
COMMENTS = ("#", "%", "//", "sep=")
"""How lines before the header begin in most files that have some."""


@dataclass(frozen=True)
class Dialect:
    """How CSV text is written.

    Parameters
    ----------
    delimiter : str
        What separates cells.
    encoding : str
    skip_rows : int
        Lines before the header to leave out.
    """

    delimiter: str = ","
    encoding: str = UTF8
    skip_rows: int = 0


@contextmanager
def csv_text(path: Path, dialect: Dialect, n_lines: int) -> Iterator[TextIO]:
    """Open a file for the ``csv`` module behind some lines; a byte order mark is dropped."""
    encoding = "utf-8-sig" if dialect.encoding == UTF8 else dialect.encoding
    with (
        reading(path) as stream,
        # Other bytes become lone surrogates: they do no harm in unused columns.
        io.TextIOWrapper(stream, encoding, "surrogateescape", newline="") as text,
    ):
        for _ in islice(text, n_lines):
            pass
        yield text


def is_utf8(text: str) -> bool:
    """Whether a text is free of the surrogates that :func:`csv_text` makes."""
    return text.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in text)


class Header(NamedTuple):
    """The first row of a file, that which follows, and the number of its last line."""

    cells: tuple[str, ...]
    next_cells: tuple[str, ...]
    n_lines: int


def read_header(path: Path, dialect: Dialect) -> Header:
    """Return the first row that is not blank."""
    skipped = dialect.skip_rows
    try:
        with csv_text(path, dialect, skipped) as text:
            reader = csv.reader(text, delimiter=dialect.delimiter)
            rows = filter(None, reader)
            cells = next(rows, [])
            n_lines = n_comments = skipped + reader.line_num
            following = next(rows, [])
            if cells and cells[0].startswith(COMMENTS):
                while following and following[0].startswith(COMMENTS):
                    n_comments = skipped + reader.line_num
                    following = next(rows, [])
                if len(cells) == 1 or len(cells) != len(following):
                    raise DataError(
                        f"{path}: line {n_lines} ({cells[0]!r}) is a comment, not names: say "
                        f"skip_rows={n_comments} (--skip-rows on the command line)"
                    )
    except (csv.Error, UnicodeError) as error:
        raise DataError(f"{path}: the header is not CSV in {dialect.encoding} ({error})") from error
    if not cells:
        raise DataError(f"{path}: the file is empty")
    if not is_utf8("".join(cells)):
        raise DataError(
            f"{path}: the header is not UTF-8 text; save the file as UTF-8, or say its encoding"
            "=, such as 'latin-1'"
        )
    return Header(tuple(cells), tuple(following), n_lines)
