"""Lazy predictions: a model's answers for the blocks of a Dask collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import dask
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.dask import to_rows

Answer: TypeAlias = Callable[[Any, Any], NDArray[Any]]


def map_rows(X: Any, model: Any, answer: Answer, template: NDArray[Any], names: Any = None) -> Any:
    """Return what a model answers for each block of rows, computed on demand.

    Parameters
    ----------
    X : dask array or data frame
    model : estimator
        Sent to workers once.
    answer : callable
        From the model and an array or data frame of rows to an array.
    template : ndarray of shape (1,) or (1, n_outputs)
        An answer for one row: its shape and dtype.
    names : sequence, optional
        Names of the columns of answers, where ``X`` is a data frame; else they are numbered.

    Returns
    -------
    dask array, or series or data frame with the index of ``X``
    """
    if template.ndim > 2:
        raise DataError(
            "answers of several numbers for each of several outputs are not made for Dask's "
            "collections: compute X, or a part of it, first"
        )
    sent, none = dask.delayed(model, traverse=False), template[:0]
    if hasattr(X, "to_dask_array"):
        columns = None if none.ndim == 1 else list(range(none.shape[1]) if names is None else names)
        meta = _framed(none, X._meta.index[:0], columns)
        return X.map_partitions(_of_frame, sent, answer, none, columns, meta=meta)
    if X.ndim != 2:
        raise DataError(f"X must have two axes, rows and columns: it has {X.ndim}")
    whole = X.rechunk({1: -1})
    shape: dict[str, Any] = (
        {"drop_axis": 1} if none.ndim == 1 else {"chunks": (whole.chunks[0], none.shape[1:])}
    )
    meta = none[:, :0] if none.ndim == 2 else none
    return whole.map_blocks(_of_array, sent, answer, none, dtype=none.dtype, meta=meta, **shape)


def _of_array(rows: Any, model: Any, answer: Answer, none: NDArray[Any]) -> NDArray[Any]:
    if not hasattr(rows, "columns"):
        to_rows(rows, "a block of X")
    return answer(model, rows) if len(rows) else none


def _of_frame(
    rows: Any, model: Any, answer: Answer, none: NDArray[Any], columns: Sequence[Any] | None
) -> Any:
    return _framed(_of_array(rows, model, answer, none), rows.index, columns)


def _framed(values: NDArray[Any], index: Any, columns: Sequence[Any] | None) -> Any:
    """Return a series, or a data frame if there are names of columns."""
    import pandas as pd  # noqa: PLC0415 - Dask's data frames bring it

    if columns is None:
        return pd.Series(values, index=index)
    return pd.DataFrame(values, index=index, columns=columns)
