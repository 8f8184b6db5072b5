"""What users give as rows, other than arrays and data frames in memory, as a source."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from densernn.engine import Passes
from densernn.engine.choice import choose_engine
from densernn.engine.journal import Journal
from densernn.errors import DataError, ParameterError
from densernn.layers import Stack
from densernn.sources.arrays import ArraySource
from densernn.sources.rows import RowSource

PREDICT_ROWS = 2048
"""Rows at a time that are answered."""


def is_collection(X: Any) -> bool:
    """Tell Dask arrays and data frames from all else, without importing Dask."""
    return type(X).__module__.split(".")[0] in ("dask", "dask_expr")


def as_source(X: Any, y: Any = None, sample_weight: Any = None) -> RowSource | None:
    """Return a source where rows stream; None where ``X`` is for scikit-learn to validate.

    Parameters
    ----------
    X : RowSource, Dask array or data frame, Arrow data set or table, or anything else
    y : Dask collection, or with Arrow's the name of a column, or None
    sample_weight : Dask collection or None

    Raises
    ------
    ParameterError
        Targets or weights are given beside a source, which has its own.
    """
    if isinstance(X, RowSource):
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                own = "target" if name == "y" else "weight"
                raise ParameterError(
                    f"{name} does not go with a source of rows, which has its own: open it with "
                    f"{own}=, the column's name"
                )
        return X
    if isinstance(X, (str, PathLike)):
        raise ParameterError(
            f"X={str(X)!r} names a file: open it with open_rows({str(X)!r}, target=...)"
        )
    if is_collection(X):
        from densernn.sources.collections import from_collections  # noqa: PLC0415 - needs Dask

        return from_collections(X, y, sample_weight)
    if type(X).__module__.split(".")[0] == "pyarrow" and (y is None or isinstance(y, str)):
        from densernn.sources.open import open_rows  # noqa: PLC0415 - imports Arrow

        return as_source(open_rows(X, y), None, sample_weight)
    return None


def transformed(estimator: Any, X: Any) -> Any:
    """Return the activations of a fitted transformer's ``stack_``, some rows at a time.

    Parameters
    ----------
    estimator : fitted transformer
    X : what it learns from

    Returns
    -------
    ndarray of shape (n_samples, n_features), or a Dask collection of that shape
    """
    stack: Stack = estimator.stack_
    source = as_source(X)
    if source is None:
        source = ArraySource(validate_data(estimator, X, dtype="numeric", reset=False))
    else:
        meet(estimator, source, reset=False)
    if is_collection(X):
        from densernn.sources.collections import map_rows  # noqa: PLC0415 - needs Dask

        names = estimator.get_feature_names_out()
        return map_rows(X, estimator, "transform", stack.n_features, stack.dtype, names)
    stop = 0
    activations = np.empty((source.n_rows or 0, stack.n_features), stack.dtype)
    for chunk in source.chunks(PREDICT_ROWS):
        if chunk.skipped.count:
            raise DataError(f"{chunk.skipped.places[0]}; transform skips no row: mend the file")
        stop = chunk.start + len(chunk.X)
        if stop > len(activations):  # the number of rows was not known: there may be as many again
            activations.resize((2 * stop, stack.n_features), refcheck=False)
        out = np.empty((stack.n_features, len(chunk.X)), stack.dtype)
        stack.forward(chunk.X, out, chunk.start)
        activations[chunk.start : stop] = out.T
    if source.n_rows is None:
        activations.resize((stop, stack.n_features), refcheck=False)
    return activations


def passes_over(
    estimator: Any, source: RowSource, chunk_bytes: int, journal: Journal | None = None
) -> Passes:
    """Return passes over a source as an estimator's parameters say."""
    return Passes(
        source,
        chunk_bytes=chunk_bytes,
        engine=choose_engine(estimator.engine, source),
        journal=journal,
        shown=bool(estimator.verbose),
    )


def meet(estimator: Any, source: RowSource, *, reset: bool) -> None:
    """Note the columns of a source in an estimator, or compare them with what it knows.

    Raises
    ------
    DataError
        The columns differ in number, name or order.
    """
    names = source.feature_names
    if reset:
        estimator.n_features_in_ = source.n_columns
        estimator.__dict__.pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = np.asarray(names, dtype=object)
        return
    if source.n_columns != estimator.n_features_in_:
        raise DataError(
            f"the rows have {source.n_columns} columns, and this {type(estimator).__name__} was "
            f"trained on {estimator.n_features_in_}: choose them with columns=, or open the rows "
            "with like() of the training source"
        )
    known = getattr(estimator, "feature_names_in_", None)
    if known is None or names is None or list(known) == list(names):
        return
    j = next(j for j, pair in enumerate(zip(names, known, strict=True)) if pair[0] != pair[1])
    raise DataError(
        f"column {j} of the rows is {names[j]!r}, and was {known[j]!r} in training: give columns "
        "in that order, or open the rows with like() of the training source"
    )
