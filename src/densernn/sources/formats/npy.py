"""NPY files: matrices of numbers that are mapped into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.formats import base
from densernn.sources.formats.base import Batches, FileInfo, Stored, equal_groups, format_errors


@dataclass(frozen=True)
class NpyRows(Stored):
    """Rows of a matrix in an NPY file.

    Parameters
    ----------
    path : Path
    names : tuple of str
        Names of its columns.
    """

    path: Path
    names: tuple[str, ...]

    def info(self) -> FileInfo:
        """Return names, the one type of all columns, and stretches of rows."""
        matrix = map_matrix(self.path)
        kind = pa.from_numpy_dtype(matrix.dtype.newbyteorder("="))
        return FileInfo(pa.schema([(name, kind) for name in self.names]), equal_groups(len(matrix)))

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield rows, copied column by column."""
        places = [self.names.index(name) for name in columns]
        for group in groups:
            # Mapped anew each time: what has been read of a mapping counts as memory in use.
            start = group * base.GROUP_ROWS
            matrix = map_matrix(self.path)[start : start + base.GROUP_ROWS]
            native = matrix.dtype.newbyteorder("=")
            for first in range(0, len(matrix), n_rows):
                rows = matrix[first : first + n_rows]
                arrays = [pa.array(np.ascontiguousarray(rows[:, j], native)) for j in places]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns)), ()


def map_matrix(path: Path) -> NDArray[Any]:
    """Map the matrix of an NPY file into memory, for reading."""
    with format_errors(path, "NPY"):
        matrix: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(matrix, np.ndarray):
            raise DataError(f"{path}: holds several arrays; such a file must end in .npz")
    check_matrix(path, "must hold", matrix)
    return matrix


def check_matrix(path: Path, what: str, matrix: NDArray[Any]) -> None:
    """Raise a :class:`DataError` on what is no matrix of numbers."""
    known = matrix.dtype.kind in "biuf" and matrix.dtype.itemsize <= 8  # Arrow has no longdouble
    if matrix.ndim != 2 or not known or not matrix.shape[1]:
        raise DataError(
            f"{path}: {what} a matrix of numbers with at least one column, found shape "
            f"{matrix.shape} and dtype {matrix.dtype}"
        )
