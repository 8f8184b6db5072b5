"""Reader of published tables without a header: float32 features and whole-number labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError

CHUNK_ROWS = 65_536


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
    from densernn.sources.open import open_rows  # noqa: PLC0415

    source = open_rows(path, target, names=names, target_type="number")
    features = [name for name in names if name != target]
    parts = []
    for chunk in source.chunks(CHUNK_ROWS):
        with np.errstate(over="ignore"):
            X = chunk.X.astype(np.float32)
        if not np.isfinite(X).all():
            row, column = np.argwhere(~np.isfinite(X))[0]
            raise DataError(
                f"{path}, row {chunk.start + row + 1}, column {features[column]!r}: "
                f"{chunk.X[row, column]:g} is beyond float32"
            )
        parts.append((X, to_labels(path, chunk.y, labels, chunk.start)))
    Xs, ys = zip(*parts, strict=True)
    return np.concatenate(Xs), np.concatenate(ys)


def to_labels(path: Path, values: Any, labels: range, start: int = 0) -> NDArray[np.int64]:
    """Return whole numbers from a range as int64, or raise at the first value that is none.

    Parameters
    ----------
    path : Path
        The file, for the error's text.
    values : array of shape (n,)
        Finite numbers.
    labels : range
        The labels there are.
    start : int, default=0
        Number of the first row.
    """
    values = np.asarray(values)
    wrong = ~np.isin(values, labels)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{path}, row {start + row + 1}: expected a label from {labels[0]} to {labels[-1]}, "
            f"found {values[row]:g}; is it another file?"
        )
    return np.asarray(values, np.int64)
