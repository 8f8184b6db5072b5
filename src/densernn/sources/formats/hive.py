"""Hive folders: columns whose values stand in the names of folders, as in ``year=2020/``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from densernn.sources.formats.base import Batches, FileInfo, Stored, WrappedRows
from densernn.sources.paths import Folders


@dataclass(frozen=True)
class HiveRows(WrappedRows):
    """Rows of a file in such folders.

    Parameters
    ----------
    stored : Stored
    values : dict of str to pyarrow.Scalar
        By the names of the columns: the value in all rows.
    """

    values: dict[str, Any]

    def info(self) -> FileInfo:
        """Return what is in the file, and these columns."""
        info = self.stored.info()
        fields = [pa.field(name, value.type) for name, value in self.values.items()]
        return replace(info, schema=pa.schema([*info.schema, *fields], info.schema.metadata))

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield the file's rows with these columns."""
        # One of the file's at least, which says how many rows there are.
        own = [name for name in columns if name not in self.values]
        own = own or self.stored.info().schema.names[:1]
        for batch, malformed in self.stored.batches(groups, own, n_rows):
            found = dict(zip(own, batch.columns, strict=True))
            for name, value in self.values.items():
                found[name] = pa.repeat(value, batch.num_rows)
            arrays = [found[name] for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns)), malformed


def with_folders(stored: Sequence[Stored], folders: Sequence[Folders]) -> Sequence[Stored]:
    """Return files with the columns of their folders; those of the files themselves stay."""
    values = {
        name: _typed([some.get(name) for some in folders], is_text=stored[0].is_text)
        for name in set().union(*folders)
    }
    wrapped = []
    for i, one in enumerate(stored):
        own = one.info().schema.names
        here = {name: values[name][i] for name in folders[i] if name not in own}
        wrapped.append(HiveRows(one, here))
    return wrapped


def _typed(values: Sequence[str | None], *, is_text: bool) -> pa.Array:
    """Return values as cells of text, or as numbers if all are whole ones, else text."""
    if is_text:
        return pa.array([(value or "").encode() for value in values], pa.binary())
    text = pa.array(values, pa.string())
    try:
        numbers = text.cast(pa.int64())
    except pa.ArrowInvalid:
        return text
    return numbers if numbers.cast(pa.string()) == text else text  # 01 is not 1
