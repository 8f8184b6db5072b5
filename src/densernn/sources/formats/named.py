"""Named rows: a file whose columns go by other names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from densernn.sources.formats.base import Batches, FileInfo, WrappedRows


@dataclass(frozen=True)
class NamedRows(WrappedRows):
    """Rows of a file whose columns have no names of their own.

    Parameters
    ----------
    stored : Stored
    names : tuple of str
        New names of its columns, in their order.
    """

    names: tuple[str, ...]

    def info(self) -> FileInfo:
        """Return what is in the file, by the new names."""
        info = self.stored.info()
        types = info.schema.types
        return replace(info, schema=pa.schema(list(zip(self.names, types, strict=True))))

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield the file's rows with the new names."""
        old = dict(zip(self.names, self.stored.info().schema.names, strict=True))
        for batch, malformed in self.stored.batches(groups, [old[c] for c in columns], n_rows):
            yield batch.rename_columns(list(columns)), malformed
