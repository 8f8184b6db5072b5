"""A sample of rows that is bounded, evenly spread, and merges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows whose number is a multiple of a stride, which doubles when there are too many.

    Which rows those are depends on how the whole was cut into parts that were merged: two folds
    of the same rows need not hold the same sample, but each spreads evenly over all rows.

    Parameters
    ----------
    most : int
        There are always less than twice as many rows.
    stride : int
        A power of two.
    rows : ndarray of shape (n_rows, n_columns)
        As they came.
    numbers : ndarray of shape (n_rows,), int64
        Multiples of the stride, by which rows are numbered, for later thinning.
    end : int
        A number that is above those of all rows that were seen.

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
    end: int = 0

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
        return self._with(rows, numbers, first + len(X))

    def merge(self, other: Sample) -> Self:
        """Return a sample of the rows of both, those of the other numbered behind these."""
        stride = max(self.stride, other.stride)
        mine, theirs = self._thinned(stride), other._thinned(stride)
        shift = -(-self.end // stride) * stride
        return mine._with(theirs.rows, theirs.numbers + shift, other.end + shift)

    def _with(self, rows: NDArray[Any], numbers: NDArray[np.int64], end: int) -> Self:
        """Return the sample with more rows, whose numbers are multiples of the stride, too."""
        kept = [part for part in (self.rows, rows) if len(part)] or [rows]
        joined = np.concatenate([self.numbers, numbers])
        both = type(self)(self.most, self.stride, np.concatenate(kept), joined, end)
        while len(both.rows) >= 2 * self.most > 0:
            both = both._thinned(2 * both.stride)
        return both

    def _thinned(self, stride: int) -> Self:
        """Return what is left of the sample at a larger stride."""
        if stride == self.stride:
            return self
        kept = self.numbers % stride == 0
        return type(self)(self.most, stride, self.rows[kept], self.numbers[kept], self.end)
