"""Reader of published tables without a header: float32 features and whole-number labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError


def read_rows(
    path: Path, names: Sequence[str], target: str, labels: range
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read a CSV file, plain or packed, whose columns have these names.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of str
        Names of all columns, in the file's order.
    target : str
        The column of labels.
    labels : range
        The labels there are.

    Returns
    -------
    X : ndarray of shape (n_rows, n_features)
        The other columns, in the file's order.
    y : ndarray of shape (n_rows,)

    Raises
    ------
    DataError
        A row cannot be used; the text names the file and the row.
    """
    # Imported here because importing densernn must stay fast.
    from densernn.sources.load import read_table  # noqa: PLC0415

    options: dict[str, Any] = {"names": names, "target_type": "number", "dtype": np.float32}
    table = read_table(path, target=target, **options)
    return table.X, to_labels(path, table.y, labels)


def to_labels(path: Path, values: Any, labels: range) -> NDArray[np.int64]:
    """Return whole numbers from a range as int64, or raise at the first value that is none.

    Parameters
    ----------
    path : Path
        The file, for the error's text.
    values : array of shape (n,)
        Finite numbers.
    labels : range
        The labels there are.
    """
    values = np.asarray(values)
    wrong = ~np.isin(values, labels)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{path}, row {row + 1}: expected a label from {labels[0]} to {labels[-1]}, "
            f"found {values[row]:g}; is it another file?"
        )
    return np.asarray(values, np.int64)
