"""Read a table from a file: CSV, Parquet or NPZ, told by the name's ending.

Models learn from finite numbers. What is none (a missing value, a word, a date, an infinity)
is refused with its place in the file and what to do about it, and never replaced silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError, ParameterError
from densernn.sources.columns import choose, to_matrix
from densernn.sources.csvtext import Layout, read_csv, read_header
from densernn.sources.npz import read_npz
from densernn.sources.parquet import read_parquet
from densernn.sources.places import local_path

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Table:
    """Features, and a target if one was asked for, read from a file.

    Parameters
    ----------
    path : Path
        The file.
    feature_names : tuple of str
        Names of the columns of ``X``.
    X : ndarray of shape (n_rows, n_features)
        The features, finite, float64; float32 where the file's own types lose nothing by it
        (never for CSV).
    y : ndarray of shape (n_rows,) or None
        The target: int64, float64 or bool, or strings where the column holds text. The integer
        and floating types of Parquet and NPZ files are kept.
    target_name : str or None
        The name of the target's column.
    """

    path: Path
    feature_names: tuple[str, ...]
    X: NDArray[Any]
    y: NDArray[Any] | None
    target_name: str | None

    def __repr__(self) -> str:
        target = "no target" if self.target_name is None else f"target {self.target_name!r}"
        rows, columns = self.X.shape
        return f"<Table {self.path.name}: {rows:,} rows, {columns:,} features, {target}>"


def read_table(
    path: str | PathLike[str],
    *,
    target: str | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """Read features and target from a CSV, Parquet or NPZ file.

    Parameters
    ----------
    path : str or path-like
        A file whose name ends in ``.csv``, ``.csv.gz`` (a header line, commas, UTF-8),
        ``.parquet``, ``.pq``, or ``.npz`` (an array ``X`` of shape (n_rows, n_features) and,
        if wanted, ``y`` and ``feature_names``).
    target : str, optional
        The column to predict; for NPZ, the name of the array (``y`` is taken if present).
    columns : sequence of str, optional
        The feature columns, in the order wanted; other columns are ignored. By default all
        columns but the target. At predict time, the model's ``feature_names_in_``. An NPZ
        file without names has ``x0``, ``x1``, ...

    Returns
    -------
    Table
        The features and the target.

    Raises
    ------
    DataError
        If the file is missing, empty, damaged or of another kind; a column is missing or
        there twice; or a value cannot be used. The text names the file, the column and the
        place: in CSV the line, counted from 1 with the header as line 1; elsewhere the row,
        counted from 1.
    ParameterError
        If ``columns`` is empty, names a column twice, or names the target.

    Notes
    -----
    The table is held in memory: about rows x columns x 8 bytes for the result and as much
    while reading it.
    """
    path = local_path(path)
    if columns is not None:
        columns = [str(name) for name in columns]
        if not columns or len(set(columns)) != len(columns):
            raise ParameterError("columns must name at least one feature, and each one once")
        if target in columns:
            raise ParameterError(f"the target {target!r} cannot be a feature too")
    for ending, reader in _READERS.items():
        if path.name.lower().endswith(ending):
            _check_file(path)
            feature_names, X, y = reader(path, target, columns)
            return Table(path, feature_names, X, y, None if y is None else target or "y")
    raise DataError(f"{path}: unknown kind of file; its name must end in {', '.join(_READERS)}")


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(f"{path}: no such file")
    if not path.is_file():
        raise DataError(f"{path}: not a file")
    if not path.stat().st_size:
        raise DataError(f"{path}: the file is empty")


def _read_csv(
    path: Path, target: str | None, columns: Sequence[str] | None
) -> tuple[tuple[str, ...], NDArray[Any], NDArray[Any] | None]:
    names, lines = read_header(path)
    features = choose(path, names, target, columns)
    table = read_csv(path, Layout(names, features, text=target, skip_lines=lines))
    y = None if target is None else _classes_or_numbers(path, target, table.column(target))
    return features, to_matrix(table, features, np.float64), y


def _classes_or_numbers(path: Path, target: str, column: pa.ChunkedArray) -> NDArray[Any]:
    """Turn a target read as text into int64 or float64 if all of it is, else into strings."""
    import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)
    import pyarrow.compute as pc  # noqa: PLC0415

    column = pc.utf8_trim_whitespace(column)
    for kind in (pa.int64(), pa.float64()):
        try:
            y = column.cast(kind).to_numpy()
        except pa.ArrowInvalid:
            continue
        if not np.isfinite(y).all():
            raise DataError(f"{path}: the target {target!r} holds a number beyond float64")
        return np.asarray(y)
    return np.array(column.to_pylist(), dtype=np.str_)


_READERS = {
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".parquet": read_parquet,
    ".pq": read_parquet,
    ".npz": read_npz,
}
