"""Files that hold Arrow's record batches, or what can be made such, read in small pieces.

Each kind gives its schema, the lengths of the units that can be reached without reading what
stands before them (row groups, record batches), and batches of the rows of some of those.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

BUFFER_BYTES = 1 << 16
"""What is read of a Parquet column at once; a column's whole part of a row group without it."""
PAGE_BYTES = 3 << 20
"""What is held of a Parquet column while it is decoded: a page, packed and not; a dictionary."""
UNIT_ROWS = 1 << 16
"""Rows of a unit of what has no units of its own."""


@dataclass(frozen=True)
class Survey:
    """What is known of a file before its rows are read.

    Parameters
    ----------
    schema : pyarrow.Schema
        Names and types of its columns.
    lengths : tuple of int
        Rows of each unit.
    column_bytes : int
        Memory that is held of a column while batches of it are made, about.
    """

    schema: pa.Schema
    lengths: tuple[int, ...]
    column_bytes: int = 0


class Stored(ABC):
    """Rows in one file, or in memory."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What messages call it."""

    @abstractmethod
    def survey(self) -> Survey:
        """Tell what is in it, without reading rows where possible."""

    def narrow(self, units: range) -> tuple[Stored, int]:
        """Return what has consecutive units, and the number of the first one there."""
        return self, units.start

    @abstractmethod
    def batches(
        self, units: range, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Give some columns of the rows of consecutive units, about ``n_rows`` at a time."""


@dataclass(frozen=True)
class ParquetRows(Stored):
    """Rows of a Parquet file, which are decoded page by page."""

    path: Path

    @property
    def title(self) -> str:
        """The file's name."""
        return str(self.path)

    def survey(self) -> Survey:
        """Tell schema and row groups, which the file's footer has."""
        with self._open() as file:
            meta = file.metadata
            groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
            largest = max((group.total_byte_size for group in groups), default=0)
            return Survey(
                file.schema_arrow,
                tuple(group.num_rows for group in groups),
                min(PAGE_BYTES, largest // max(1, meta.num_columns)),
            )

    def batches(
        self, units: range, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Give the rows of some row groups."""
        with self._open() as file:
            yield from file.iter_batches(
                n_rows, row_groups=list(units), columns=list(columns), use_threads=False
            )

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import pyarrow.parquet as pq  # noqa: PLC0415  (importing densernn must stay fast)

        with (
            arrow_errors(self.path, "Parquet"),
            pq.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file,
        ):
            yield file


@dataclass(frozen=True)
class FeatherRows(Stored):
    """Rows of a Feather file, that is, one of Arrow's interprocess format."""

    path: Path

    @property
    def title(self) -> str:
        """The file's name."""
        return str(self.path)

    def survey(self) -> Survey:
        """Tell schema and record batches, each of which is mapped and unpacked as a whole.

        Their lengths stand in the file's metadata, out of reach from Python, so that one
        column is looked at, batch by batch.
        """
        with self._open() as file:
            schema = file.schema
        with self._open(schema.names[:1]) as file:
            lengths = tuple(file.get_batch(i).num_rows for i in range(file.num_record_batches))
        return Survey(schema, lengths, 16 * max(lengths, default=0))

    def batches(
        self, units: range, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Give the rows of some record batches."""
        for unit in units:
            # Mapped anew each time: what has been read of a mapping counts as memory in use.
            with self._open(columns) as file:
                batch = file.get_batch(unit)
                for start in range(0, batch.num_rows, n_rows):
                    yield batch.slice(start, n_rows)

    @contextmanager
    def _open(self, columns: Sequence[str] = ()) -> Iterator[Any]:
        import pyarrow as pa  # noqa: PLC0415

        with arrow_errors(self.path, "Feather"), pa.memory_map(str(self.path)) as mapped:
            included = []
            if columns:
                schema = pa.ipc.open_file(mapped).schema
                included = [schema.get_field_index(name) for name in columns]
            options = pa.ipc.IpcReadOptions(included_fields=included, use_threads=False)
            yield pa.ipc.open_file(mapped, options=options)


@dataclass(frozen=True)
class TableRows(Stored):
    """Rows of an Arrow table in memory."""

    table: pa.Table

    def __reduce__(self) -> tuple[Callable[[bytes], TableRows], tuple[bytes]]:
        # By itself a part of a table is pickled with all that it is a part of.
        import pyarrow as pa  # noqa: PLC0415

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as stream:
            stream.write_table(self.table)
        return _unpickle_table, (sink.getvalue().to_pybytes(),)

    @property
    def title(self) -> str:
        """What it is."""
        return "the table"

    def survey(self) -> Survey:
        """Tell schema and stretches of rows, which a table needs none of."""
        return Survey(self.table.schema, _stretches(self.table.num_rows))

    def narrow(self, units: range) -> tuple[Stored, int]:
        """Return a part of the table: when it is pickled, no other rows are sent along."""
        part = self.table.slice(units.start * UNIT_ROWS, len(units) * UNIT_ROWS)
        return TableRows(part), 0

    def batches(
        self, units: range, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Give rows without copying them."""
        start, length = units.start * UNIT_ROWS, len(units) * UNIT_ROWS
        rows = self.table.select(list(columns)).slice(start, length)
        yield from rows.to_batches(max_chunksize=n_rows)


@dataclass(frozen=True)
class NpyRows(Stored):
    """Rows of a matrix in an NPY file, which is mapped into memory.

    Parameters
    ----------
    path : Path
    names : tuple of str
        Names of its columns.
    """

    path: Path
    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """The file's name."""
        return str(self.path)

    def survey(self) -> Survey:
        """Tell names, the one type of all columns, and stretches of rows."""
        import pyarrow as pa  # noqa: PLC0415

        matrix = map_matrix(self.path)
        kind = pa.from_numpy_dtype(matrix.dtype.newbyteorder("="))
        schema = pa.schema([(name, kind) for name in self.names])
        return Survey(schema, _stretches(len(matrix)))

    def batches(
        self, units: range, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Give rows, copied column by column."""
        import pyarrow as pa  # noqa: PLC0415

        places = [self.names.index(name) for name in columns]
        for unit in units:
            # Mapped anew each time: what has been read of a mapping counts as memory in use.
            matrix = map_matrix(self.path)[unit * UNIT_ROWS : (unit + 1) * UNIT_ROWS]
            native = matrix.dtype.newbyteorder("=")
            for start in range(0, len(matrix), n_rows):
                rows = matrix[start : start + n_rows]
                arrays = [pa.array(np.ascontiguousarray(rows[:, j], native)) for j in places]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def map_matrix(path: Path) -> NDArray[Any]:
    """Map the matrix of an NPY file into memory, for reading."""
    try:
        matrix: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: not a readable NPY file ({error})") from error
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: must hold a matrix of numbers, found shape {matrix.shape} and "
            f"dtype {matrix.dtype}"
        )
    return matrix


def _unpickle_table(content: bytes) -> TableRows:
    import pyarrow as pa  # noqa: PLC0415

    return TableRows(pa.ipc.open_stream(content).read_all())


def _stretches(n_rows: int) -> tuple[int, ...]:
    return tuple(min(UNIT_ROWS, n_rows - start) for start in range(0, n_rows, UNIT_ROWS))


@contextmanager
def arrow_errors(path: Path, kind: str) -> Iterator[None]:
    """Turn errors of Arrow's into a :class:`DataError` that names the file."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable {kind} file ({error})") from error
