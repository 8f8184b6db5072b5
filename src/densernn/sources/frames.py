"""Tables in memory: data frames of any library, and arrays of objects, as Arrow tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.choice import Choice, Options
from densernn.sources.encoding import TableEncoder
from densernn.sources.filesource import open_files


def is_frame(X: Any) -> bool:
    """Whether X is a table with named columns, of pandas, polars, Arrow or another library."""
    return hasattr(X, "__arrow_c_stream__") or (hasattr(X, "dtypes") and hasattr(X, "columns"))


def column_names(X: Any) -> list[Any]:
    """Return the names of the columns of a frame."""
    return list(X.column_names if hasattr(X, "column_names") else X.columns)


def has_plain_numbers(X: Any) -> bool:
    """Whether a frame is one of pandas that NumPy holds as numbers without a loss."""
    kinds = getattr(X, "dtypes", ())
    return hasattr(X, "iloc") and all(
        isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in kinds
    )


def as_table(X: Any) -> pa.Table:
    """Return a frame, or an array with a column for each of its own, as a table of Arrow's.

    Names of columns become text; those of an array are ``x0``, ``x1``, ...

    Raises
    ------
    DataError
        A name is there twice, or a column holds values of no use; the text names it.
    """
    if isinstance(X, np.ndarray):
        names: list[str] = [f"x{j}" for j in range(X.shape[1])]
        columns: list[Any] = [X[:, j] for j in range(X.shape[1])]
    elif hasattr(X, "iloc"):
        names = [str(name) for name in X.columns]
        columns = [X.iloc[:, j] for j in range(X.shape[1])]
    else:
        table = X if isinstance(X, pa.Table) else pa.table(X)
        names, columns = table.column_names, table.columns
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"X: column names are there twice: {', '.join(map(repr, twice[:5]))}")
    arrays = [_as_column(name, column) for name, column in zip(names, columns, strict=True)]
    return pa.table(arrays, names)


def _as_column(name: str, values: Any) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if getattr(values.dtype, "kind", "") == "c":
        raise DataError(f"X, column {name!r}: Complex data not supported: {values.dtype}")
    if hasattr(values, "sparse"):
        values = values.sparse.to_dense()
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError) as error:
        listed = list(values)
        kinds = {type(value) for value in listed if value is not None}
        if kinds <= {str, int, float, bool}:  # text as in a CSV file, where nan says missing
            return pa.array([None if v is None else str(v) for v in listed], pa.string())
        raise DataError(
            f"X, column {name!r}: holds {', '.join(sorted(kind.__name__ for kind in kinds))}, "
            "which is neither numbers, text nor truth values: convert it or leave it out"
        ) from error


def learned_encoder(table: pa.Table, categorical: Sequence[Any] | None) -> TableEncoder:
    """Return what becomes of the columns of a table; see :func:`densernn.open_rows`."""
    named = tuple((column, None) for column in categorical or ())
    return open_files(table, Options(categorical=named)).coded().encoding


def plain_encoder(names: Sequence[str]) -> TableEncoder:
    """Return an encoder for features that are all numbers."""
    choice = Choice(tuple(names), tuple(names), (), False, None, {})
    return TableEncoder(choice, {}, np.float64, one_hot=False)


def encode_table(table: pa.Table, encoder: TableEncoder) -> NDArray[Any]:
    """Return the features of a table, by their names, as a matrix.

    Raises
    ------
    DataError
        A column is missing, or a value is of no use; the text names it.
    """
    features = encoder.choice.features
    options = Options(columns=features)
    source = open_files(table, options, like=True, known=encoder)
    if not table.num_rows:
        return np.empty((0, encoder.n_columns), encoder.dtype)
    return np.concatenate([chunk.X for chunk in source.chunks(1 << 16)])


def features_of(encoder: TableEncoder) -> TableEncoder:
    """Return what a model keeps of an encoder: its features, and names beside them."""
    choice = encoder.choice
    own = Choice(choice.names, choice.features, (), False, None, {})
    return replace(encoder, choice=own, text_target=False, target_dtype=None, unusable_labels=())
