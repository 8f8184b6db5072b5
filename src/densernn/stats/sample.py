"""Systematic samples of rows, of bounded size, that merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows whose index is a multiple of a stride, which doubles when there are too many.

    Parameters
    ----------
    most : int
        The sample has fewer than twice as many rows.
    stride : int
        A power of two.
    rows : ndarray of shape (n_rows, n_columns)
        The sampled rows.
    numbers : ndarray of shape (n_rows,), int64
        Indices of the rows, multiples of the stride.
    end : int
        Upper bound of the indices of all rows so far.

    Notes
    -----
    Samples of the same rows need not be equal if the rows were divided into other parts, but each
    is spread evenly over all rows.

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
        """Return the sample with rows of a chunk whose first row has index ``first``."""
        chosen = slice(-first % self.stride, None, self.stride)
        numbers = np.arange(first, first + len(X))[chosen]
        rows = X[chosen]
        if weight is not None:
            counted = weight[chosen] != 0
            numbers, rows = numbers[counted], rows[counted]
        return self._with(rows, numbers, first + len(X))

    def merge(self, other: Sample) -> Self:
        """Return a sample of the rows of both; those of ``other`` come after those of ``self``."""
        stride = max(self.stride, other.stride)
        mine, theirs = self._thinned(stride), other._thinned(stride)
        # Rounded up, so that the indices of ``other`` stay multiples of the stride.
        shift = -(-self.end // stride) * stride
        return mine._with(theirs.rows, theirs.numbers + shift, other.end + shift)

    def _with(self, rows: NDArray[Any], numbers: NDArray[np.int64], end: int) -> Self:
        """Return the sample with more rows, whose indices are multiples of the stride."""
        kept = [part for part in (self.rows, rows) if len(part)] or [rows]
        joined = np.concatenate([self.numbers, numbers])
        both = type(self)(self.most, self.stride, np.concatenate(kept), joined, end)
        while len(both.rows) >= 2 * self.most > 0:
            both = both._thinned(2 * both.stride)
        return both

    def _thinned(self, stride: int) -> Self:
        """Return the sample at a larger stride."""
        if stride == self.stride:
            return self
        kept = self.numbers % stride == 0
        return type(self)(self.most, stride, self.rows[kept], self.numbers[kept], self.end)
