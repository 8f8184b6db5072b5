"""Parquet files, decoded page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from densernn.sources.formats.base import Batches, FileInfo, Stored, format_errors

BUFFER_BYTES = 1 << 16
"""What is read of a column at once; a column's whole part of a row group without it."""
PAGE_BYTES = 3 << 20
"""What is held of a column while it is decoded: a page, packed and not; a dictionary."""


@dataclass(frozen=True)
class ParquetRows(Stored):
    """Rows of a Parquet file."""

    path: Path

    def info(self) -> FileInfo:
        """Return schema and row groups, which the file's footer has."""
        with self._open() as file:
            meta = file.metadata
            groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
            largest = max((group.total_byte_size for group in groups), default=0)
            # A column's pages twice, as they are read and as they are decoded.
            held = min(PAGE_BYTES, 2 * largest // max(1, meta.num_columns))
            return FileInfo(file.schema_arrow, tuple(group.num_rows for group in groups), held)

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield the rows of some row groups."""
        with self._open() as file:
            asked = {"row_groups": list(groups), "columns": list(columns), "use_threads": False}
            yield from ((batch, ()) for batch in file.iter_batches(n_rows, **asked))

    @contextmanager
    def _open(self) -> Iterator[Any]:
        # With a buffer, and nothing read before it is asked for, no row group is held whole.
        options = {"buffer_size": BUFFER_BYTES, "pre_buffer": False}
        options["page_checksum_verification"] = True
        with format_errors(self.path, "Parquet"), pq.ParquetFile(self.path, **options) as file:
            yield file
