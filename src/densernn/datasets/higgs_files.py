"""Writer of rows in the layout of HIGGS, label first, as Parquet or as CSV."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
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
    import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)

    schema = pa.schema([(TARGET, pa.int8()), *((name, pa.float32()) for name in FEATURE_NAMES)])
    waiting = schema.empty_table()
    with atomic_write(target) as part, _opened(part, target.suffix, schema) as writer:

        def write(columns: NDArray[np.float32], labels: NDArray[np.int8]) -> None:
            nonlocal waiting
            rows = pa.table([pa.array(labels), *map(pa.array, columns)], schema=schema)
            waiting = pa.concat_tables([waiting, rows])
            # Each call of Arrow's writer starts another row group, so only full ones go.
            full = waiting.num_rows // row_group * row_group
            if full:
                # As one chunk: of an empty one Arrow's CSV writer makes garbage.
                writer.write_table(waiting.slice(0, full).combine_chunks(), row_group)
                waiting = waiting.slice(full)

        yield write
        if waiting.num_rows:
            writer.write_table(waiting.combine_chunks(), row_group)


@contextmanager
def _opened(part: Path, suffix: str, schema: pa.Schema) -> Iterator[Any]:
    """Open Arrow's writer of a format; equal rows become equal bytes, packed ones too."""
    import pyarrow.csv as arrow_csv  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    if suffix == ".parquet":
        with pq.ParquetWriter(part, schema, use_dictionary=FEW_VALUED) as writer:
            yield writer
        return
    with part.open("xb") as raw:
        packed = suffix == ".gz"
        stream = gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) if packed else nullcontext(raw)
        options = arrow_csv.WriteOptions(include_header=False)
        with stream as out, arrow_csv.CSVWriter(out, schema, write_options=options) as writer:
            yield writer
