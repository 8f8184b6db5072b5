"""Write columns in the layout of HIGGS, label first, as Parquet or as CSV."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from densernn._files import atomic_write
from densernn.datasets.higgs import FEATURE_NAMES, TARGET

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".parquet", ".csv", ".csv.gz")

GZIP_LEVEL = 1
"""Random digits pack little better at higher levels, which take several times as long."""

FEW_VALUED = [TARGET, *(name for name in FEATURE_NAMES if name.endswith("b-tag"))]
"""Columns that a dictionary shortens; of all others it would be as long as the column."""

Write = Callable[[NDArray[np.float32], NDArray[np.int8]], None]


@contextmanager
def writing(target: Path, row_group: int) -> Iterator[Write]:
    """Open a file for rows; yields what writes them.

    Parameters
    ----------
    target : Path
        Ends with one of ``SUFFIXES``.
    row_group : int
        Rows of each row group of a Parquet file but the last.

    Yields
    ------
    callable
        Takes features of shape (28, n), float32, and labels of shape (n,), int8.

    Raises
    ------
    OSError
        If the disk fails.
    """
    with atomic_write(target) as part:
        if target.suffix == ".parquet":
            with _parquet(part, row_group) as write:
                yield write
        else:
            with _csv(part, packed=target.suffix == ".gz") as write:
                yield write


def _schema() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)

    return pa.schema([(TARGET, pa.int8()), *((name, pa.float32()) for name in FEATURE_NAMES)])


def _table(columns: NDArray[np.float32], labels: NDArray[np.int8]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    return pa.table([pa.array(labels), *map(pa.array, columns)], schema=_schema())


@contextmanager
def _parquet(part: Path, row_group: int) -> Iterator[Write]:
    """Collect rows until a row group is full: each call of Arrow's writer starts another."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    waiting = _schema().empty_table()
    options = {"compression": "snappy", "use_dictionary": FEW_VALUED}
    with pq.ParquetWriter(part, _schema(), **options) as writer:

        def write(columns: NDArray[np.float32], labels: NDArray[np.int8]) -> None:
            nonlocal waiting
            waiting = pa.concat_tables([waiting, _table(columns, labels)])
            full = waiting.num_rows // row_group * row_group
            if full:
                writer.write_table(waiting.slice(0, full), row_group_size=row_group)
                waiting = waiting.slice(full)

        yield write
        if waiting.num_rows:
            writer.write_table(waiting, row_group_size=row_group)


@contextmanager
def _csv(part: Path, *, packed: bool) -> Iterator[Write]:
    import pyarrow.csv as arrow_csv  # noqa: PLC0415

    options = arrow_csv.WriteOptions(include_header=False)
    with (
        _stream(part, packed=packed) as stream,
        arrow_csv.CSVWriter(stream, _schema(), write_options=options) as writer,
    ):
        yield lambda columns, labels: writer.write_table(_table(columns, labels))


@contextmanager
def _stream(part: Path, *, packed: bool) -> Iterator[Any]:
    """Open a file to write; a packed one holds no name or time: equal rows are equal bytes."""
    with part.open("xb") as raw:
        if not packed:
            yield raw
            return
        with gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as stream:
            yield stream
