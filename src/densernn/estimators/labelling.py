"""Targets as they are given: series of any dtype as arrays, without a missing one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from densernn.errors import DataError
from densernn.sources.frames import as_table


def as_targets(y: Any, labelled: bool) -> Any:
    """Return targets as scikit-learn understands them: nullable dtypes as NumPy's.

    Whole numbers stay whole, and a sparse indicator of labels becomes dense.

    Raises
    ------
    DataError
        One is missing; the text names its row.
    """
    if issparse(y):
        return y.toarray()
    if hasattr(y, "__array__") and not hasattr(y, "dtype") and not hasattr(y, "columns"):
        y = np.asarray(y)
    dtype = getattr(y, "dtype", None)
    if np.ndim(y) != 1 or (isinstance(dtype, np.dtype) and dtype.kind not in "OT"):
        return _of_frame(y, labelled) if hasattr(y, "columns") else y
    try:
        column = pa.array(y, from_pandas=True)
    except (pa.ArrowException, TypeError, OverflowError):
        return y  # of several kinds, which scikit-learn names
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        what = "label" if labelled else "value"
        raise DataError(
            f"y: the {what} in row {row} is missing ({column.null_count} in all): drop such rows"
        )
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if is_number or pa.types.is_boolean(column.type):
        return column.to_numpy(zero_copy_only=False)
    return np.asarray(y, dtype=object)


def _of_frame(y: Any, labelled: bool) -> Any:
    """Return a frame of several targets as a matrix."""
    kinds = list(getattr(y, "dtypes", []))
    if all(isinstance(kind, np.dtype) and kind.kind != "O" for kind in kinds):
        return y
    table = as_table(y)
    return np.column_stack([as_targets(column, labelled) for column in table.columns])


def check_labels(targets: NDArray[Any]) -> NDArray[Any]:
    """Return labels in one axis, or an indicator of several; raise a DataError for values."""
    check_classification_targets(targets)
    kind = type_of_target(targets, input_name="y")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        raise DataError(
            f"y is {kind}: give labels of shape (n_samples,), or a multilabel indicator of 0 and 1"
        )
    if kind == "multilabel-indicator":
        return targets
    return np.asarray(column_or_1d(targets, warn=True))
