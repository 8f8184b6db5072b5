"""Matrices of rows in memory: arrays, frames and sparse matrices, as a model was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import get_tags
from sklearn.utils.validation import validate_data

from densernn.errors import DataError
from densernn.sources.encoding import TableEncoder
from densernn.sources.frames import (
    as_table,
    column_names,
    encode_table,
    has_plain_numbers,
    is_frame,
    learned_encoder,
    plain_encoder,
)


def as_matrix(model: Any, X: Any, *, reset: bool) -> tuple[NDArray[Any], TableEncoder | None]:
    """Return rows as a matrix of numbers, and what made it; None for an array of numbers.

    Parameters
    ----------
    model : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set, or compared.
    X : array, data frame of any library, or sparse matrix
    reset : bool
        Whether the rows start a new fit.

    Raises
    ------
    DataError, ValueError
        Values or columns cannot be used; the text names them.
    """
    if reset:
        return _first(model, X)
    encoder: TableEncoder | None = getattr(model, "table_encoder_", None)
    names = getattr(model, "feature_names_in_", None)
    if is_frame(X) and names is not None:
        X = chosen_columns(X, list(names))
    known = encoder is not None and (is_frame(X) or _holds_text(X) or _needs_table(encoder))
    if known or (is_frame(X) and not has_plain_numbers(X)):
        return _encoded(model, X, encoder), encoder
    return _numbers(model, X, reset=False), encoder


def _first(model: Any, X: Any) -> tuple[NDArray[Any], TableEncoder | None]:
    """Return the matrix of the first rows, and learn what made it."""
    categorical = getattr(model, "categorical", None)
    plain = has_plain_numbers(X) if is_frame(X) else not _holds_text(X)
    if plain and categorical is None:
        return _numbers(model, X, reset=True), None
    table = as_table(X if is_frame(X) else _two_axes(X))
    if not table.num_rows or not table.num_columns:
        raise DataError(
            f"Found array with {table.num_rows} sample(s) and {table.num_columns} feature(s) "
            f"(shape={table.shape}) while a minimum of 1 is required"
        )
    encoder = learned_encoder(table, categorical)
    model.n_features_in_ = encoder.n_columns
    model.__dict__.pop("feature_names_in_", None)
    if is_frame(X) and all(isinstance(name, str) for name in column_names(X)):
        model.feature_names_in_ = np.asarray(encoder.feature_names, dtype=object)
    return encode_table(table, encoder), encoder


def chosen_columns(X: Any, names: list[str]) -> Any:
    """Return the columns of a frame that a model was trained on, in their order.

    Raises
    ------
    DataError
        Some are not there; the text names them.
    """
    own = column_names(X)
    lacks = [name for name in names if name not in own]
    if lacks:
        shown = ", ".join(map(repr, lacks[:5])) + (", ..." if len(lacks) > 5 else "")
        raise DataError(
            f"X lacks {len(lacks)} of the {len(names)} feature names of training: {shown}; it has "
            f"{', '.join(map(repr, own[:5]))}{', ...' if len(own) > 5 else ''}"
        )
    if own == names:
        return X
    return X[names] if hasattr(X, "iloc") else X.select(names)


def _encoded(model: Any, X: Any, encoder: TableEncoder | None) -> NDArray[Any]:
    """Return the matrix of a table, by names, or by place where it has none.

    Without an encoder its features are numbers.
    """
    table = as_table(X if is_frame(X) else _two_axes(X))
    encoder = plain_encoder(table.column_names) if encoder is None else encoder
    if table.num_columns != encoder.n_columns:
        raise DataError(
            f"X has {table.num_columns} features, but {type(model).__name__} is expecting "
            f"{encoder.n_columns} features as input"
        )
    if not table.num_rows:
        raise DataError("Found array with 0 sample(s) while a minimum of 1 is required")
    return encode_table(table.rename_columns(encoder.feature_names), encoder)


def _numbers(model: Any, X: Any, *, reset: bool) -> NDArray[Any]:
    """Return the matrix of numbers alone, checked by scikit-learn; missing values are NaN."""
    if getattr(X, "dtype", None) is not None and getattr(X.dtype, "kind", "") in "mM":
        raise DataError(
            f"X holds dates or times ({X.dtype}): turn them into numbers, such as days since the "
            "first of them, or leave them out"
        )
    tags = get_tags(model).input_tags
    rows: NDArray[Any] = validate_data(
        model,
        X,
        reset=reset,
        dtype="numeric",
        ensure_all_finite="allow-nan" if tags.allow_nan else True,
        accept_sparse="csr" if tags.sparse else False,
    )
    return rows


def _holds_text(X: Any) -> bool:
    """Whether an array, or list of rows, holds text or objects that are no numbers."""
    if issparse(X) or (hasattr(X, "dtype") and getattr(X.dtype, "kind", "O") not in "OUST"):
        return False
    array = np.asarray(X)
    if array.dtype.kind not in "OUT" or array.ndim != 2:
        return False
    try:
        array.astype(np.float64)
    except (TypeError, ValueError):
        return any(isinstance(value, str) for value in array.ravel())
    return False


def _needs_table(encoder: TableEncoder) -> bool:
    """Whether features are no plain numbers."""
    return bool(encoder.categories or encoder.missing)


def _two_axes(X: Any) -> NDArray[Any]:
    array = np.asarray(X.toarray() if issparse(X) else X)
    if array.ndim != 2:
        raise DataError(f"X must have two axes, rows and columns: it has {array.ndim}")
    # From lists NumPy makes text of all that stands beside text.
    return np.array(X, dtype=object) if array.dtype.kind in "UT" and isinstance(X, list) else array
