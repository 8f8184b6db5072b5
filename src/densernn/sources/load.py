"""Tables in memory: all rows that :func:`densernn.sources.open.open_rows` opens, at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import ParameterError
from densernn.sources.arrays import ArraySource
from densernn.sources.choice import Column
from densernn.sources.encoded import coded
from densernn.sources.filesource import FileSource
from densernn.sources.open import open_rows
from densernn.sources.paths import local_path
from densernn.sources.rows import RowSource


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
        and floating types of binary files are kept.
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
    target: Column | None = None,
    columns: Sequence[str] | None = None,
    dtype: type[np.float32 | np.float64] | None = None,
    **options: Any,
) -> Table:
    """Read features and target from a file.

    Parameters
    ----------
    path : str or path-like
        A file, folder or pattern that :func:`densernn.open_rows` reads.
    target : str or int, optional
        The column to predict.
    columns : sequence of str, optional
        The feature columns, in the order wanted; other columns are ignored. By default all
        columns but the target. At predict time, the model's ``feature_names_in_``.
    dtype : type, optional
        Of ``X``; by default as said in :class:`Table`.
    **options
        More parameters of :func:`densernn.open_rows`.

    Returns
    -------
    Table
        The features and the target.

    Raises
    ------
    DataError
        If the file is missing, empty, damaged or of another kind; a column is missing or
        there twice; or a value cannot be used. The text names the file, the column and the
        place: in CSV the line, counted from 1; elsewhere the row, counted from 1.
    ParameterError
        If ``columns`` is empty, names a column twice, or names the target.

    Notes
    -----
    The table is held in memory: about rows x columns x 8 bytes for the result, and little more
    while it is read, since blocks are let go as they are copied.
    """
    where = local_path(path)
    names = None if columns is None else [str(name) for name in columns]
    source = open_rows(where, target, columns=names, **options)
    if not isinstance(source, FileSource) or source.options.skip:
        raise ParameterError("on_bad_rows='skip' is for open_rows, which reports such rows")
    if dtype is not None:
        source = replace(source, plain=replace(source.plain, dtype=dtype))
    [chunk] = source.chunks(sys.maxsize)
    name = source.choice.targets[0] if source.choice.targets else None
    return Table(where, source.feature_names, np.ascontiguousarray(chunk.X), chunk.y, name)


def held(source: RowSource, n_rows: int | None = None) -> ArraySource:
    """Return the rows of a source, or the first ones, in memory as models take them."""
    rows = coded(source)
    chunk = next(rows.chunks(n_rows or sys.maxsize))
    X = np.ascontiguousarray(chunk.X)
    return ArraySource(X, chunk.y, chunk.weight, rows.encoding, rows.feature_names)
