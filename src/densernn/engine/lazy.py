"""Lazy predictions: a model's method applied to the blocks of a Dask collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask
import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.dask import to_rows


def map_rows(
    X: Any, model: Any, method: str, n_outputs: int | None, dtype: Any, names: Any = None
) -> Any:
    """Return what a method of a model returns for each block of rows, computed on demand.

    Parameters
    ----------
    X : dask array or data frame
    model : estimator
        Sent to workers once.
    method : str
        Name of its method, from an array or data frame of rows to an array.
    n_outputs : int or None
        Columns of the result; None for one axis.
    dtype : dtype
        Of the result.
    names : sequence, optional
        Names of its columns, where ``X`` is a data frame.

    Returns
    -------
    dask array, or series or data frame with the index of ``X``
    """
    sent = dask.delayed(model, traverse=False)
    if hasattr(X, "to_dask_array"):
        columns = None if n_outputs is None else list(names)
        empty = np.empty((0,) if columns is None else (0, len(columns)), dtype)
        meta = _framed(empty, X._meta.index[:0], columns)
        return X.map_partitions(_of_frame, sent, method, columns, dtype, meta=meta)
    if X.ndim != 2:
        raise DataError(f"X must have two axes, rows and columns: it has {X.ndim}")
    whole = X.rechunk({1: -1})
    shape: dict[str, Any] = (
        {"drop_axis": 1} if n_outputs is None else {"chunks": (whole.chunks[0], (n_outputs,))}
    )
    meta = np.empty((0,) if n_outputs is None else (0, 0), dtype)
    return whole.map_blocks(
        _of_array, sent, method, n_outputs, np.dtype(dtype), dtype=dtype, meta=meta, **shape
    )


def _of_array(
    rows: Any, model: Any, method: str, n_outputs: int | None, dtype: Any
) -> NDArray[Any]:
    if not hasattr(rows, "columns"):
        to_rows(rows, "a block of X")
    if not len(rows):
        return np.empty((0,) if n_outputs is None else (0, n_outputs), dtype)
    found: NDArray[Any] = getattr(model, method)(rows)
    return found


def _of_frame(rows: Any, model: Any, method: str, columns: Sequence[Any] | None, dtype: Any) -> Any:
    n_outputs = None if columns is None else len(columns)
    return _framed(_of_array(rows, model, method, n_outputs, dtype), rows.index, columns)


def _framed(values: NDArray[Any], index: Any, columns: Sequence[Any] | None) -> Any:
    """Return a series, or a data frame if there are names of columns."""
    import pandas as pd  # noqa: PLC0415 - Dask's data frames bring it

    if columns is None:
        return pd.Series(values, index=index)
    return pd.DataFrame(values, index=index, columns=columns)
