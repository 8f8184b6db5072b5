"""NPZ archives: an array ``X`` of features, and ``y`` and ``feature_names`` if wanted."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from densernn.errors import DataError
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
        target = self.target if self.target in table.column_names else None
        held = table.nbytes // table.num_columns
        return FileInfo(table.schema, lengths, held, target=target)

    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield rows of the table that is loaded."""
        yield from TableRows(self._table()).batches(groups, columns, n_rows)

    def _table(self) -> pa.Table:
        if not zipfile.is_zipfile(self.path):  # NumPy would leave a truncated one open
            raise DataError(f"{self.path}: not a readable NPZ file, or a truncated one")
        with format_errors(self.path, "NPZ"), np.load(self.path, allow_pickle=False) as archive:
            check_column(self.path, "X", archive.files, "array")
            X, y = archive["X"], archive.get(self.target)
            check_matrix(self.path, "X must be", X)
            names = archive.get("feature_names", [f"x{j}" for j in range(X.shape[1])])
        names, arrays = np.ravel(names).astype(str).tolist(), list(X.T)
        if len(names) != len(arrays):
            raise DataError(f"{self.path}: {len(names)} feature_names for {len(arrays)} columns")
        if y is not None:
            if y.shape != (len(X),) or y.dtype.kind not in "biufU":
                raise DataError(
                    f"{self.path}: {self.target} must have shape ({len(X)},) and hold numbers or "
                    f"text, found {y.shape} and dtype {y.dtype}"
                )
            names, arrays = [*names, self.target], [*arrays, y]
        native = [np.ascontiguousarray(a, a.dtype.newbyteorder("=")) for a in arrays]
        return pa.table(list(map(pa.array, native)), names=names)
