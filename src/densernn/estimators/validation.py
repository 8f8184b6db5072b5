"""Validation of input: whatever a user passes as rows becomes one checked source of rows."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_consistent_length,
)

from densernn.engine import Passes
from densernn.engine.checkpoint import Checkpoint
from densernn.engine.engines import resolve_engine
from densernn.errors import DataError, ParameterError
from densernn.estimators.image_rows import check_images, flat_images, n_views_of
from densernn.estimators.labelling import as_targets, check_labels
from densernn.estimators.matrices import as_matrix, chosen_columns
from densernn.sources.arrays import ArraySource
from densernn.sources.encoded import coded, encoded
from densernn.sources.frames import features_of
from densernn.sources.rows import RowSource

DASK = ("dask", "dask_expr")
"""Packages of Dask arrays and data frames."""


def is_collection(X: Any) -> bool:
    """Return whether X is a Dask array or data frame, without importing Dask."""
    return type(X).__module__.partition(".")[0] in DASK


def as_source(
    model: Any,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    reset: bool = False,
    labelled: bool | None = None,
) -> RowSource:
    """Return rows as a source, checked against what a model was trained on.

    Parameters
    ----------
    model : estimator
        Its ``n_features_in_``, ``feature_names_in_`` and ``table_encoder_`` are set, or compared.
    X : array, data frame, RowSource, Arrow data set or table, Dask array or data frame
    y : array, Dask collection, or with Arrow's the name of a column
    sample_weight : array or Dask collection, optional
    reset : bool, default=False
        Whether the rows start a new fit; their categories are not encoded yet.
    labelled : bool, optional
        Whether targets are labels, or values; None where none are needed.

    Raises
    ------
    ParameterError, DataError
        Rows, targets or weights cannot be used; the text says which, and why.
    """
    images = hasattr(model, "image_shape")
    X, axes = flat_images(X, n_views_of(model)) if images else (X, None)
    known = None if reset else getattr(model, "table_encoder_", None)
    categorical = getattr(model, "categorical", None) if reset else None
    names = None if reset else getattr(model, "feature_names_in_", None)
    if names is not None and is_collection(X) and hasattr(X, "columns"):
        X = chosen_columns(X, list(names))
    source = as_stream(X, y, sample_weight, known, categorical)
    if source is None:
        source = _in_memory(model, X, y, sample_weight, reset, labelled)
    else:
        source = coded(source, known)
        if known is None and not reset and any(getattr(source.encoding, "n_categories", ())):
            name = next(iter(source.encoding.categories))
            raise DataError(f"column {name!r} holds categories, and numbers in training")
        check_columns(model, source, reset=reset)
    if reset:
        encoder = source.encoding
        if labelled is None and encoder is not None and any(encoder.n_categories):
            name = next(n for n in encoder.feature_names if n in encoder.categories)
            raise DataError(
                f"column {name!r} holds categories, which {type(model).__name__} does not encode: "
                "classifiers and regressors do; else take OneHotEncoder, or leave it out"
            )
        model.table_encoder_ = None if encoder is None else features_of(encoder)
        model.category_encoder_ = None
    if images:
        check_images(model, source.n_columns, axes, reset=reset)
    if labelled is not None:
        _check_targets(model, source, reset, labelled)
    return encoded(source, getattr(model, "category_encoder_", None))


def _check_targets(model: Any, source: RowSource, reset: bool, labelled: bool) -> None:
    """Raise a DataError for a source without targets, or with others than in training."""
    if source.n_targets is None:
        raise DataError(
            f"{type(model).__name__} needs targets: open the rows with target=, the column's "
            "name or number"
        )
    known = None if reset else model.targets_
    if known is not None and (source.n_targets or 1) != known.n_columns:
        columns = "label columns" if labelled else "outputs"
        raise DataError(
            f"y has {source.n_targets or 1} {columns}, and this model was trained with "
            f"{known.n_columns}"
        )


def as_stream(
    X: Any, y: Any, sample_weight: Any, known: Any = None, categorical: Any = None
) -> RowSource | None:
    """Return a source where rows stream; None where they are in memory."""
    if isinstance(X, RowSource):
        given = (("y", y, "target"), ("sample_weight", sample_weight, "weight"))
        for name, value, own in (*given, ("categorical", categorical, "categorical")):
            if value is not None:
                raise ParameterError(
                    f"{name} does not go with a source of rows, which has its own: open it with "
                    f"{own}="
                )
        return X
    if isinstance(X, (str, PathLike)):
        raise ParameterError(
            f"X={str(X)!r} names a file: open it with open_rows({str(X)!r}, target=...)"
        )
    package = type(X).__module__.partition(".")[0]
    if package in DASK:
        from densernn.sources.dask import from_collections  # noqa: PLC0415 - needs Dask

        return from_collections(X, y, sample_weight, known, categorical)
    if package == "pyarrow" and (isinstance(y, str) or hasattr(X, "get_fragments")):
        from densernn.sources.open import open_rows  # noqa: PLC0415 - imports Arrow

        return open_rows(X, y, categorical=categorical or ())
    return None


def _in_memory(
    model: Any, X: Any, y: Any, sample_weight: Any, reset: bool, labelled: bool | None
) -> ArraySource:
    """Return rows in memory: arrays as they are, and tables with all that is no number encoded."""
    rows, encoder = as_matrix(model, X, reset=reset)
    targets = None
    if labelled is not None:
        if y is None:
            raise DataError(
                f"{type(model).__name__} requires y to be passed, but the target y is None"
            )
        targets = as_targets(y, labelled)
        targets = _check_y(targets, multi_output=True, y_numeric=not labelled, estimator=model)
        check_consistent_length(rows, targets)
        if labelled:
            targets = check_labels(targets)
    weight = None if sample_weight is None else check_weights(sample_weight, rows)
    names = None if encoder is None else encoder.feature_names
    return ArraySource(rows, targets, weight, encoder, names)


def check_weights(sample_weight: Any, rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return weights as float64; refuse negative and all-zero ones."""
    weight = _check_sample_weight(sample_weight, rows, dtype=np.float64)
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise DataError(f"sample_weight must not be negative: it is {weight[row]} in row {row}")
    if not weight.any():
        raise DataError("sample_weight is 0 in every row: there is nothing to learn from")
    return np.asarray(weight, np.float64)


def passes_over(
    model: Any, source: RowSource, chunk_bytes: int, checkpoint: Checkpoint | None = None
) -> Passes:
    """Return passes over a source, run as an estimator's parameters say."""
    return Passes(
        source,
        chunk_bytes=chunk_bytes,
        engine=resolve_engine(model.engine, source),
        checkpoint=checkpoint,
        shown=bool(model.verbose),
    )


def check_columns(model: Any, source: RowSource, *, reset: bool) -> None:
    """Store the columns of a source in a model, or compare them with those it was trained on.

    Raises
    ------
    DataError
        The columns differ in number, name or order.
    """
    names = source.feature_names
    if reset:
        model.n_features_in_ = source.n_columns
        model.__dict__.pop("feature_names_in_", None)
        if names is not None:
            model.feature_names_in_ = np.asarray(names, dtype=object)
        return
    if source.n_columns != model.n_features_in_:
        raise DataError(
            f"the rows have {source.n_columns} columns, and this {type(model).__name__} was "
            f"trained on {model.n_features_in_}: choose them with columns=, or open the rows "
            "with open_same() of the training source"
        )
    known = getattr(model, "feature_names_in_", None)
    if known is None or names is None or list(known) == list(names):
        return
    j = next(j for j, pair in enumerate(zip(names, known, strict=True)) if pair[0] != pair[1])
    raise DataError(
        f"column {j} of the rows is {names[j]!r}, and was {known[j]!r} in training: give columns "
        "in that order, or open the rows with open_same() of the training source"
    )
