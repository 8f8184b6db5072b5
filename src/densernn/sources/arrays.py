"""Array source: rows that are in memory, or mapped into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from densernn.sources.rows import DIGEST_ROWS, Arrays, Chunk, RowSource, cut_arrays, digests


@dataclass(eq=False)
class ArraySource(RowSource):
    """Rows of an array, which is never copied whole.

    Parameters
    ----------
    X : ndarray or sparse matrix in CSR format, of shape (n_rows, n_columns)
        Of a sparse one, the rows of a chunk become dense.
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), optional
    weight : ndarray of shape (n_rows,), optional
    encoding : TableEncoder, optional
        What made X of a table.
    feature_names : tuple of str, optional
    """

    X: Any
    y: NDArray[Any] | None = None
    weight: NDArray[np.float64] | None = None
    encoding: Any = None
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        self.n_rows: int = self.X.shape[0]
        self.n_columns = self.X.shape[1]
        self.weighted = self.weight is not None
        self._arrays = self.X, self.y, self.weight
        if self.y is None:
            self.n_targets = None
        else:
            self.n_targets = self.y.shape[1] if self.y.ndim == 2 else 0

    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Yield the rows in order, ``n_rows`` at a time: views, not copies."""
        for start in range(first, self.n_rows, n_rows):
            yield Chunk(*self._dense(slice(start, start + n_rows)), start)

    def _dense(self, rows: slice) -> Arrays:
        X, y, weight = cut_arrays(self._arrays, rows)
        dense: Any = X
        return dense.toarray() if issparse(X) else dense, y, weight

    def parts(self, most: int) -> list[ArraySource]:
        """Cut into at most so many sources of nearly equal length."""
        count = max(1, min(most, self.n_rows))
        edges = [self.n_rows * part // count for part in range(count + 1)]
        return [ArraySource(*cut_arrays(self._arrays, slice(a, b))) for a, b in pairwise(edges)]

    def take(self, rows: NDArray[np.intp]) -> ArraySource:
        """Return some of the rows, by their numbers."""
        y, weight = (None if part is None else part[rows] for part in (self.y, self.weight))
        return replace(self, X=self.X[rows], y=y, weight=weight)

    def identity(self) -> dict[str, str]:
        """Return a digest of all the numbers: one more pass over them, at some GB per second."""
        found = {"number of rows": str(self.n_rows), "columns": str(self.n_columns)}
        starts = range(0, self.n_rows, DIGEST_ROWS)
        return found | digests(self._dense(slice(i, i + DIGEST_ROWS)) for i in starts)
