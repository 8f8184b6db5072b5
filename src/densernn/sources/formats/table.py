"""Arrow tables in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from densernn.sources.formats import base
from densernn.sources.formats.base import Batches, FileInfo, Stored, equal_groups


@dataclass(frozen=True)
class TableRows(Stored):
    """Rows of a ``pyarrow.Table``."""

    table: pa.Table
    title = "the table"

    def __reduce__(self) -> tuple[Any, ...]:
        # By itself a part of a table is pickled with all that it is a part of.
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as stream:
            stream.write_table(self.table)
        return _unpickle, (sink.getvalue().to_pybytes(),)

    def info(self) -> FileInfo:
        """Return the schema and stretches of rows."""
        return FileInfo(self.table.schema, equal_groups(self.table.num_rows))

    def narrow(self, group: int) -> tuple[Stored, int]:
        """Return a part of the table: when it is pickled, no other rows are sent along."""
        return TableRows(self.table.slice(group * base.GROUP_ROWS, base.GROUP_ROWS)), 0

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield rows without copying them."""
        start, length = groups.start * base.GROUP_ROWS, len(groups) * base.GROUP_ROWS
        rows = self.table.select(list(columns)).slice(start, length)
        yield from ((batch, ()) for batch in rows.to_batches(max_chunksize=n_rows))


def _unpickle(content: bytes) -> TableRows:
    return TableRows(pa.ipc.open_stream(content).read_all())
