"""Rows that are in memory, or mapped into it, as chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a source.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        As they come, of any real dtype.
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
        Labels or values, not yet encoded.
    weight : ndarray of shape (n_rows,) or None
        Weights; None where every row weighs 1.
    start : int
        Number of the first row within the source.
    """

    X: NDArray[Any]
    y: NDArray[Any] | None
    weight: NDArray[np.float64] | None
    start: int


@dataclass(frozen=True)
class ArraySource:
    """Rows of an array, which is never copied whole.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), optional
    weight : ndarray of shape (n_rows,), optional
    """

    X: NDArray[Any]
    y: NDArray[Any] | None = None
    weight: NDArray[np.float64] | None = None

    @property
    def n_rows(self) -> int:
        """Rows there are."""
        return len(self.X)

    def chunks(self, n_rows: int) -> Iterator[Chunk]:
        """Give the rows in order, ``n_rows`` at a time: views, not copies."""
        for start in range(0, self.n_rows, n_rows):
            part = slice(start, start + n_rows)
            yield Chunk(
                self.X[part],
                None if self.y is None else self.y[part],
                None if self.weight is None else self.weight[part],
                start,
            )
