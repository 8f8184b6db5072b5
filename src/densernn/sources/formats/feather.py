"""Feather files, that is, those of Arrow's interprocess format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from densernn.sources.formats.base import Batches, FileInfo, Stored, format_errors


@dataclass(frozen=True)
class FeatherRows(Stored):
    """Rows of a Feather file."""

    path: Path

    def info(self) -> FileInfo:
        """Return schema and record batches, each of which is mapped and unpacked as a whole.

        Their lengths stand in the file's metadata, out of reach from Python, so that one
        column is looked at, batch by batch.
        """
        with self._open() as file:
            schema = file.schema
        with self._open(schema.names[:1]) as file:
            lengths = tuple(file.get_batch(i).num_rows for i in range(file.num_record_batches))
        return FileInfo(schema, lengths, 16 * max(lengths, default=0))

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield the rows of some record batches."""
        for group in groups:
            # Mapped anew each time: what has been read of a mapping counts as memory in use.
            with self._open(columns) as file:
                batch = file.get_batch(group).select(list(columns))
                for start in range(0, batch.num_rows, n_rows):
                    yield batch.slice(start, n_rows), ()

    @contextmanager
    def _open(self, columns: Sequence[str] = ()) -> Iterator[Any]:
        with format_errors(self.path, "Feather"), pa.memory_map(str(self.path)) as mapped:
            names = pa.ipc.open_file(mapped).schema.names
            included = [names.index(name) for name in columns]
            options = pa.ipc.IpcReadOptions(included_fields=included, use_threads=False)
            yield pa.ipc.open_file(mapped, options=options)
