"""CSV files: their header, and blocks of rows cut into cells by pyarrow."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import pyarrow as pa
import pyarrow.csv as arrow_csv

from densernn._packed import reading
from densernn.errors import DataError
from densernn.sources.formats.base import Batches, FileInfo, Malformed, Stored

BLOCK_BYTES = 1 << 20
"""Text that is read and cut at once."""
MAX_ROW_BYTES = 64 << 20
"""Beyond this a row is none, but a quote that nobody closed."""
BLOCKS_AHEAD = 36
"""Blocks that Arrow reads ahead, and those that it works on."""
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


@dataclass(frozen=True)
class CsvRows(Stored):
    """Rows of a CSV file, all of whose columns are cells of text.

    Parameters
    ----------
    path : Path
    names : tuple of str
        All columns, in the file's order.
    skip_lines : int
        Lines before the first row: those of the header.
    dialect : Dialect
        How the text is written.
    trailing : bool
        Whether a delimiter stands at the end of each line, and no column behind it.
    """

    path: Path
    names: tuple[str, ...]
    skip_lines: int
    dialect: Dialect
    trailing: bool = False
    is_text = True
    held_bytes = BLOCKS_AHEAD * BLOCK_BYTES

    def info(self) -> FileInfo:
        """Return the names."""
        schema = pa.schema(zip(self.names, repeat(pa.binary())))
        return FileInfo(schema, None, 0, ("",) if self.trailing else ())

    @contextmanager
    def places(self) -> Iterator[Callable[[int], str]]:
        """Yield what names the lines of rows."""
        with closing(self._lines()) as lines:
            pairs = enumerate(lines)
            yield lambda row: f"{self.title}, line {next(line for i, line in pairs if i == row)}"

    def _lines(self) -> Generator[int, None, None]:
        """Yield the lines at which rows begin; Python's ``csv`` knows of quoted line breaks."""
        csv.field_size_limit(MAX_ROW_BYTES)  # else 131,072 characters
        with csv_text(self.path, self.dialect, self.skip_lines) as text:
            reader = csv.reader(text, delimiter=self.dialect.delimiter)
            line = self.skip_lines + 1
            try:
                for row in reader:
                    if row or len(self.names) == 1:
                        yield line
                    line = self.skip_lines + reader.line_num + 1
            except (csv.Error, UnicodeError) as error:
                raise DataError(f"{self.path}, line {line}: {error}") from error

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield the rows; those with too many or too few fields are malformed."""
        n_given = n_malformed = 0  # rows that were yielded
        for size in (BLOCK_BYTES, MAX_ROW_BYTES):
            bad: list[Malformed] = []
            first = 0
            try:
                with reading(self.path) as stream:
                    for batch in self._parsed(stream, columns, size, bad):
                        # All but those of before, if a block was too small for a row.
                        for at in range(max(0, n_given - first), batch.num_rows, n_rows):
                            part = batch.slice(at, n_rows)
                            stop = n_given + part.num_rows
                            # Arrow runs ahead: later ones belong to later batches.
                            own = [(i - n_given, why) for i, why in bad[n_malformed:] if i < stop]
                            yield part, own
                            n_given, n_malformed = stop, n_malformed + len(own)
                        first += batch.num_rows
                    nothing = {name: pa.array([], pa.binary()) for name in columns}
                    rest = [(0, why) for _, why in bad[n_malformed:]]
                    yield pa.RecordBatch.from_pydict(nothing), rest
                return
            except (pa.ArrowInvalid, UnicodeError) as error:
                if "Empty CSV" in str(error) or ("not skip" in str(error) and size > BLOCK_BYTES):
                    return  # a header without rows
                if "block" not in str(error):
                    raise DataError(f"{self.path}: not a readable CSV file ({error})") from error
        raise DataError(
            f"{self.path}: a row is longer than {MAX_ROW_BYTES >> 20} MB; is a quote never "
            "closed, or is it no CSV file?"
        )

    def _parsed(
        self, stream: BinaryIO, columns: Sequence[str], block: int, bad: list[Malformed]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the batches of Arrow's reader, and append to the malformed rows."""

        def refuse(row: Any) -> str:
            good = row.number - 1 - self.skip_lines - len(bad)
            reason = f"expected {row.expected_columns} fields, found {row.actual_columns}"
            bad.append((good, reason))
            return "skip"

        # By their places: names of columns that nobody asked for may be there twice.
        places = [str(self.names.index(name)) for name in columns]
        read = arrow_csv.ReadOptions(
            block_size=block, skip_rows=self.skip_lines, encoding=self.dialect.encoding
        )
        read.column_names, read.use_threads = list(map(str, range(len(self.names)))), False
        parse = arrow_csv.ParseOptions(
            delimiter=self.dialect.delimiter, newlines_in_values=True, invalid_row_handler=refuse
        )
        # In a file of one column a blank line is a row with an empty cell.
        parse.ignore_empty_lines = len(self.names) > 1
        types = dict.fromkeys(places, pa.binary())
        convert = arrow_csv.ConvertOptions(column_types=types, include_columns=places)
        for batch in arrow_csv.open_csv(stream, read, parse, convert):
            yield pa.RecordBatch.from_arrays(batch.columns, names=list(columns))


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


def read_header(path: Path, dialect: Dialect) -> tuple[tuple[str, ...], list[str], int]:
    """Return the first row that is not blank, maybe the next one, and the first one's last line."""
    skipped = dialect.skip_rows
    try:
        with csv_text(path, dialect, skipped) as text:
            reader = csv.reader(text, delimiter=dialect.delimiter)
            rows = filter(None, reader)
            cells, n_lines = next(rows, []), skipped + reader.line_num
            is_comment = bool(cells) and cells[0].startswith(COMMENTS)
            # Only where it says something: it may be longer than the csv module bears.
            more = is_comment or cells[-1:] == [""]
            following, n_comments = next(rows, []) if more else [], n_lines
            while is_comment and following and following[0].startswith(COMMENTS):
                n_comments, following = skipped + reader.line_num, next(rows, [])
        "".join(cells).encode()  # surrogates are refused
    except (csv.Error, UnicodeError) as error:
        raise DataError(
            f"{path}: the header is not CSV, or not {dialect.encoding} text ({error}); save the "
            "file as UTF-8, or say its encoding=, such as 'latin-1'"
        ) from error
    if not cells:
        raise DataError(f"{path}: the file is empty")
    if is_comment and (len(cells) == 1 or len(cells) != len(following)):
        raise DataError(
            f"{path}: line {n_lines} ({cells[0]!r}) is a comment, not names: say "
            f"skip_rows={n_comments} (--skip-rows on the command line)"
        )
    return tuple(cells), following, n_lines
