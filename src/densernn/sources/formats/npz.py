"""NPZ archives: an array ``X`` of features, and ``y`` and ``feature_names`` if wanted."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from densernn.errors import DataError
from densernn.sources.arrow import pa
from densernn.sources.choice import check_column
from densernn.sources.formats.base import Batches, FileInfo, Stored, format_errors
from densernn.sources.formats.npy import check_matrix
from densernn.sources.formats.table import TableRows


@dataclass(frozen=True)
class NpzRows(Stored):
    """Rows of the arrays of an NPZ archive, which are loaded whole in each pass.

    Parameters
    ----------
    path : Path
    target : str
        Name of the array of targets, which is a column of that name.
    """

    path: Path
    target: str

    def info(self) -> FileInfo:
        """Return the columns, and stretches of rows."""
        table = self._table()
        lengths = TableRows(table).info().lengths
        return FileInfo(table.schema, lengths, table.nbytes // table.num_columns)

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield rows of the table that is loaded."""
        yield from TableRows(self._table()).batches(groups, columns, n_rows)

    def _table(self) -> pa.Table:
        if not zipfile.is_zipfile(self.path):  # NumPy would leave a truncated one open
            raise DataError(f"{self.path}: not a readable NPZ file, or a truncated one")
        with format_errors(self.path, "NPZ"), np.load(self.path, allow_pickle=False) as archive:
            check_column(self.path, "X", archive.files, "array")
            X, y = archive["X"], archive.get(self.target)
            names = archive.get("feature_names")
        check_matrix(self.path, "X must be", X)
        columns = (
            [f"x{j}" for j in range(X.shape[1])]
            if names is None
            else names.ravel().astype(str).tolist()
        )
        if len(columns) != X.shape[1]:
            raise DataError(
                f"{self.path}: {len(columns)} feature_names for {len(X.T)} columns of X"
            )
        arrays = [pa.array(np.ascontiguousarray(column)) for column in X.T]
        if y is not None and (y.shape != (len(X),) or y.dtype.kind not in "biufU"):
            raise DataError(
                f"{self.path}: {self.target} must have shape ({len(X)},) and hold numbers or text, "
                f"found {y.shape} and dtype {y.dtype}"
            )
        if y is not None:
            columns, arrays = [*columns, self.target], [*arrays, pa.array(y)]
        return pa.table(arrays, names=columns)
