"""A sample of rows that is bounded, evenly spread, and merges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows whose number is a multiple of a stride, which doubles when there are too many.

    Which rows those are depends on how the whole was cut into parts, since rows are numbered in
    each part from 0: two folds of the same rows need not hold the same sample, but each spreads
    evenly over all rows.

    Parameters
    ----------
    most : int
        Twice as many rows are never exceeded, and half of ``most`` are there once as many were
        seen.
    stride : int
        A power of two.
    rows : ndarray of shape (n_rows, n_columns)
        As they came.
    numbers : ndarray of shape (n_rows,), int64
        Number of each row in its part, for later thinning.

    Examples
    --------
    >>> X = np.arange(10.0)[:, None]
    >>> Sample.zero(2, 1).add(X, 0).rows.ravel()
    array([0., 4., 8.])
    """

    most: int
    stride: int
    rows: NDArray[Any]
    numbers: NDArray[np.int64]

    @classmethod
    def zero(cls, most: int, n_columns: int) -> Self:
        """Return the sample of no rows."""
        return cls(most, 1, np.empty((0, n_columns)), np.empty(0, np.int64))

    def add(self, X: NDArray[Any], first: int, weight: NDArray[np.float64] | None = None) -> Self:
        """Take rows of a chunk whose first is number ``first``; none that weighs 0."""
        taken = slice(-first % self.stride, None, self.stride)
        numbers = np.arange(first, first + len(X))[taken]
        rows = X[taken]
        if weight is not None:
            counted = weight[taken] != 0
            numbers, rows = numbers[counted], rows[counted]
        return self.merge(type(self)(self.most, self.stride, rows, numbers))

    def merge(self, other: Sample) -> Self:
        """Return a sample of the rows of both."""
        joined = [part._thinned(max(self.stride, other.stride)) for part in (self, other)]
        kept = [part.rows for part in joined if len(part.rows)] or [other.rows]
        both = type(self)(
            self.most,
            joined[0].stride,
            np.concatenate(kept),
            np.concatenate([part.numbers for part in joined]),
        )
        while len(both.rows) >= 2 * self.most > 0:
            both = both._thinned(2 * both.stride)
        return both

    def _thinned(self, stride: int) -> Self:
        """Return what is left of the sample at a larger stride."""
        if stride == self.stride:
            return self
        kept = self.numbers % stride == 0
        return type(self)(self.most, stride, self.rows[kept], self.numbers[kept])
