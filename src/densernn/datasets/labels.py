"""Turn a column of a published table into class labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError


def to_labels(path: Path, values: NDArray[Any], low: int, high: int) -> NDArray[np.int64]:
    """Return whole numbers from low to high.

    Parameters
    ----------
    path : Path
        The file, for the error's text.
    values : ndarray of shape (n,)
        Finite numbers.
    low, high : int
        The smallest and the largest label.

    Returns
    -------
    ndarray of shape (n,)
        The labels, int64.

    Raises
    ------
    DataError
        At the first value that is none of them.
    """
    y: NDArray[np.int64] = values.astype(np.int64)
    bad = np.flatnonzero((y != values) | (y < low) | (y > high))
    if bad.size:
        raise DataError(
            f"{path}, row {bad[0] + 1}: expected a label from {low} to {high}, "
            f"found {values[bad[0]]:g}; is it another file?"
        )
    return y
