"""Read CSV text fast, and find the line and column of what cannot be read.

Two readers, one meaning. Arrow's is fast, uses all cores, and says little about what went
wrong. When it fails, or reads something that is not finite, Python's ``csv`` reads the file
again from its start: slowly, cell by cell, until it meets the offending one. Should it meet
none (the two disagree about some quoting, say), what it read is the result.
"""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from densernn.errors import DataError
from densernn.sources.files import is_gzip, reading

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "-nan", "null", "<na>", "?"})
"""Ways to write that a value is missing, in lower case.

In a text column "none" is none of them: it is a class in some published data.
"""
INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
UNUSABLE = MISSING | INFINITE
"""Labels that are none."""
BLOCK_BYTES = 4 << 20
PEEK_ROWS = 1000


@dataclass(frozen=True)
class Layout:
    """Which columns a CSV file has and which of them are wanted.

    Parameters
    ----------
    names : tuple of str
        All columns, in the file's order.
    numeric : tuple of str
        The columns to read as numbers.
    text : str or None
        The column to read as text, if any.
    skip_lines : int
        Lines before the first row: those of the header.
    dtype : type
        ``numpy.float32`` or ``numpy.float64``.
    """

    names: tuple[str, ...]
    numeric: tuple[str, ...]
    text: str | None = None
    skip_lines: int = 0
    dtype: type[np.float32 | np.float64] = np.float64


def read_csv(path: Path, layout: Layout) -> pa.Table:
    """Read the wanted columns of a CSV file, plain or gzip.

    Parameters
    ----------
    path : Path
        The file: UTF-8 text, comma separated, quoted with ``"`` where needed.
    layout : Layout
        Its columns.

    Returns
    -------
    pyarrow.Table
        The numeric columns in ``layout.dtype``, all finite, and the text column.

    Raises
    ------
    DataError
        Naming file, line (from 1, the header included) and column of the first cell that is
        missing, no number or not finite, or of the first row with too many or too few fields.
    """
    import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)

    try:
        table = _read_fast(path, layout)
    except pa.ArrowInvalid:
        return _read_slowly(path, layout)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}); is the file complete?") from error
    return table if _is_sound(table, layout) else _read_slowly(path, layout)


@contextmanager
def reading_text(path: Path) -> Iterator[TextIO]:
    """Open a file, plain or gzip, for the ``csv`` module; a byte order mark is dropped.

    Bytes that are not UTF-8 become lone surrogates, to be refused where they are met: they do
    no harm in a column that nobody reads.
    """
    with (
        reading(path) as stream,
        io.TextIOWrapper(
            stream, encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as text,
    ):
        yield text


def read_header(path: Path, delimiter: str = ",") -> tuple[tuple[str, ...], int]:
    """Return the cells of the first row that is not blank, and the number of its last line."""
    with reading_text(path) as lines:
        rows = csv.reader(lines, delimiter=delimiter)
        try:
            names = next(filter(None, rows), None)
        except csv.Error as error:
            raise DataError(f"{path}: the header is not CSV ({error})") from error
    if names is None:
        raise DataError(f"{path}: the file is empty")
    if not is_utf8("".join(names)):
        raise DataError(f"{path}: the header is not UTF-8 text; save the file as UTF-8")
    return tuple(names), rows.line_num


def is_utf8(text: str) -> bool:
    """Whether the text is free of the surrogates that :func:`reading_text` makes."""
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def _read_fast(path: Path, layout: Layout) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.csv as arrow_csv  # noqa: PLC0415

    types = dict.fromkeys(layout.numeric, pa.from_numpy_dtype(layout.dtype))
    if layout.text is not None:
        types[layout.text] = pa.string()
    with pa.OSFile(str(path)) as file:
        return arrow_csv.read_csv(
            pa.CompressedInputStream(file, "gzip") if is_gzip(path) else file,
            read_options=arrow_csv.ReadOptions(
                column_names=list(layout.names),
                skip_rows=layout.skip_lines,
                block_size=BLOCK_BYTES,
            ),
            # Only files that people wrote can have line breaks inside a quoted cell;
            # looking for them costs time.
            parse_options=arrow_csv.ParseOptions(newlines_in_values=layout.skip_lines > 0),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=[],
                strings_can_be_null=False,
            ),
        )


def _is_sound(table: pa.Table, layout: Layout) -> bool:
    """Whether there are rows, no number is NaN or infinite, and no text is missing."""
    import pyarrow.compute as pc  # noqa: PLC0415

    if not table.num_rows:
        return False
    for name in layout.numeric:
        for chunk in table.column(name).chunks:
            if not np.isfinite(chunk.to_numpy(zero_copy_only=False)).all():
                return False
    if layout.text is None:
        return True
    # Distinct values are few where the column holds classes, and at worst all of them.
    distinct = pc.unique(table.column(layout.text)).to_pylist()
    return not any(_is_unusable(value) for value in distinct)


def _is_unusable(value: str) -> bool:
    return value.strip().lower() in UNUSABLE


def _read_slowly(path: Path, layout: Layout) -> pa.Table:
    """Read with Python's ``csv``; raise at the first row that cannot be used."""
    import pyarrow as pa  # noqa: PLC0415

    position = {name: j for j, name in enumerate(layout.names)}
    wanted = [position[name] for name in layout.numeric]
    label = None if layout.text is None else position[layout.text]
    numbers = [array("d") for _ in wanted]
    labels: list[str] = []
    with reading_text(path) as lines:
        rows = _rows(path, lines, layout)
        for line, row in rows:
            for j, column in zip(wanted, numbers, strict=True):
                value = parse_number(row[j], layout.dtype)
                if value is None:
                    text = not column and _is_text(rows, j)
                    where = f"{path}, line {line}, column {layout.names[j]!r}"
                    raise DataError(f"{where}: {describe(row[j], text_column=text)}")
                column.append(value)
            if label is not None:
                if _is_unusable(row[label]):
                    raise DataError(
                        f"{path}, line {line}, column {layout.text!r}: the target is missing or "
                        f"not finite (found {row[label]!r}): drop the row"
                    )
                if not is_utf8(row[label]):
                    raise DataError(
                        f"{path}, line {line}, column {layout.text!r}: not UTF-8 text (found "
                        f"{row[label]!r}): save the file as UTF-8"
                    )
                labels.append(row[label])
    if not numbers[0]:
        raise DataError(f"{path}: no rows" + (" after the header" if layout.skip_lines else ""))
    columns = {
        name: pa.array(np.asarray(column, dtype=layout.dtype))
        for name, column in zip(layout.numeric, numbers, strict=True)
    }
    if layout.text is not None:
        columns[layout.text] = pa.array(labels, pa.string())
    return pa.table(columns)


def _rows(path: Path, lines: TextIO, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Rows after the header, each with the line that it starts on; blank lines are skipped."""
    reader = csv.reader(lines)
    line = 1
    try:
        for row in reader:
            if row and line > layout.skip_lines:
                if len(row) != (expected := len(layout.names)):
                    raise DataError(
                        f"{path}, line {line}: expected {expected} fields, found {len(row)}"
                    )
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}, line {line}: {error}") from error


def parse_number(cell: str, dtype: type[np.float32 | np.float64]) -> float | None:
    """Return the cell's number, or None if it holds none that is finite in ``dtype``."""
    if "_" in cell:  # Python reads 1_000, no other CSV reader does
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= float(np.finfo(dtype).max) else None


def describe(cell: str, *, text_column: bool = False) -> str:
    """Say what is wrong with a cell that :func:`parse_number` refused, and what to do."""
    word = cell.strip().lower()
    if word in MISSING or word == "none":
        return f"missing value (found {cell!r}): impute it, or drop the row or the column"
    if text_column:
        return f"{cell!r} is not a number: the column holds text; one-hot encode it or drop it"
    try:
        float(cell.replace("_", "x"))
    except ValueError:
        return f"{cell!r} is not a number: correct it or drop the row"
    return f"{cell!r} is not finite here: impute it, or drop the row or the column"


def _is_text(rows: Iterator[tuple[int, list[str]]], j: int) -> bool:
    """Whether column j holds no number in the rows that follow, as far as they can be read."""
    try:
        return all(parse_number(row[j], np.float64) is None for _, row in islice(rows, PEEK_ROWS))
    except DataError:  # a later row is broken too; the first one is reported
        return True
