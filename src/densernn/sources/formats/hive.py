"""Hive folders: columns whose values stand in the names of folders, as in ``year=2020/``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from densernn.sources.arrow import pa
from densernn.sources.formats.base import Batches, FileInfo, Stored

NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class HiveRows(Stored):
    """Rows of a file in such folders.

    Parameters
    ----------
    stored : Stored
        The file.
    values : dict of str to pyarrow.Scalar
        By the names of the columns: the value in all rows.
    """

    stored: Stored
    values: dict[str, Any]

    def __post_init__(self) -> None:
        for name in ("path", "is_text", "held_bytes"):
            object.__setattr__(self, name, getattr(self.stored, name))

    def info(self) -> FileInfo:
        """Return what is in the file, and these columns."""
        info = self.stored.info()
        schema = info.schema
        for name, value in self.values.items():
            schema = schema.append(pa.field(name, value.type))
        return replace(info, schema=schema)

    def places(self) -> Any:
        """Yield what names the places of rows in the file."""
        return self.stored.places()

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield the file's rows with these columns."""
        # One of the file's at least, which says how many rows there are.
        own = [name for name in columns if name not in self.values]
        own = own or self.stored.info().schema.names[:1]
        for batch, malformed in self.stored.batches(groups, own, n_rows):
            arrays = [
                pa.repeat(self.values[name], batch.num_rows)
                if name in self.values
                else batch.column(name)
                for name in columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns)), malformed


def with_folders(stored: Sequence[Stored], folders: Sequence[dict[str, str]]) -> Sequence[Stored]:
    """Return files with the columns of their folders; those of the files themselves stay."""
    if not any(folders):
        return stored
    wrapped: list[Stored] = []
    for one, values in zip(stored, folders, strict=True):
        names = set(values) - set(one.info().schema.names)
        cells = {
            name: _scalar(values[name], [other.get(name, NULL) for other in folders], one.is_text)
            for name in values
            if name in names
        }
        wrapped.append(HiveRows(one, cells))
    return wrapped


def _scalar(value: str, values: Sequence[str], is_text: bool) -> pa.Scalar:
    """Return a value: a cell of text, or a number if all values are whole ones, else text."""
    if is_text:
        return pa.scalar(b"" if value == NULL else value.encode(), pa.binary())
    whole = all(other == NULL or other.removeprefix("-").isdecimal() for other in values)
    text = pa.scalar(None if value == NULL else value, pa.string())
    return text.cast(pa.int64()) if whole else text
