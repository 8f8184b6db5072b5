"""Column bins: each column as at most 255 bins for trees, and as normal scores for distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from densernn._kernels import as_native, exact
from densernn._threads import run_blocks, run_each
from densernn.errors import DataError
from densernn.forest.checks import are_arrays

FloatArray = NDArray[np.float64]

MOST = 255
"""Bins of a column, beside that of missing values: codes are bytes."""

BEYOND = 1.0
"""Score from a column's last knot to the wall before missing values."""

TAIL = 1e-4
"""Ranks nearer to 0 or 1 count as this near: normal scores stay within 3.72."""


@dataclass(frozen=True, eq=False)
class ColumnBins:
    r"""Knots of every column, with the normal score of each.

    A column's knots are its different values, or quantiles where there are more than 255.  The
    score of a value is :math:`\Phi^{-1}` of its mid-rank, linear between knots; bins are bounded by
    the midpoints of neighbouring knots.  A missing value, NaN, has a bin of its own behind the
    last, and no score: it is no distance away from any box.  Where a column had none in training,
    nothing was learned of them, and one has the median's score, 0 (docs/decisions/0020).

    Parameters
    ----------
    starts : ndarray of shape (n_columns + 1,), intp
        Column j has the knots ``starts[j]`` to ``starts[j + 1]``.
    knots, scores : ndarray of shape (n_knots,), float64
        Values, increasing within a column, and their scores.
    missing : ndarray of shape (n_columns,), bool
        Which columns had missing values.

    Examples
    --------
    >>> bins = ColumnBins.of(np.array([[1.0], [2.0], [2.0], [4.0]]), np.ones(4))
    >>> bins.codes(np.array([[0.0], [2.9], [3.1]])).ravel()
    array([0, 1, 2], dtype=uint8)
    >>> bins.normal_scores(np.array([[2.0], [3.0], [9.0]])).ravel().round(3)
    array([0.   , 0.575, 1.15 ], dtype=float32)
    """

    starts: NDArray[np.intp]
    knots: FloatArray
    scores: FloatArray
    missing: NDArray[np.bool_]

    @classmethod
    def of(cls, X: NDArray[Any], weight: FloatArray) -> Self:
        """Return the bins of sampled rows and their weights, which are above 0."""

        def knots(j: int) -> tuple[FloatArray, FloatArray]:
            return _knots(X[:, j].astype(np.float64), weight)

        columns = run_each(knots, range(X.shape[1]))
        sizes = [len(knots) for knots, _ in columns]
        return cls(
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp),
            np.concatenate([knots for knots, _ in columns]),
            np.concatenate([scores for _, scores in columns]),
            np.isnan(X).any(axis=0),
        )

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.starts) - 1

    @property
    def varying(self) -> NDArray[np.intp]:
        """Numbers of the columns with more than one knot."""
        return np.flatnonzero(np.diff(self.starts) > 1)

    def check(self) -> None:
        """Raise DataError for arrays, as from a damaged file, that kernels must not follow."""
        sound = (
            are_arrays((self.starts,), "i", 1)
            and are_arrays((self.knots, self.scores), "f", 1)
            and are_arrays((self.missing,), "b", 1)
            and len(self.missing) == self.n_columns
            and len(self.starts) > 0
            and self.starts[0] == 0
            and (np.diff(self.starts) > 0).all()
            and self.starts[-1] == len(self.knots) == len(self.scores)
        )
        if not sound:
            raise DataError("the column bins of this forest are not sound: its file is damaged")

    def codes(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the bin of each value, of shape (n_rows, n_columns)."""
        codes = np.empty(X.shape, np.uint8)
        self._apply(_codes, X, codes)
        return codes

    def normal_scores(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Return the normal score of each value, of shape (n_rows, n_columns).

        NaN of what is missing, in a column that had missing values in training, else 0.

        Values beyond the outermost knots have the scores of these.
        """
        scores = np.empty(X.shape, np.float32)
        self._apply(_scores, X, scores)
        scores[np.isnan(scores) & ~self.missing] = 0.0
        return scores

    def excess(self, X: NDArray[Any]) -> FloatArray:
        """Return how far rows lie outside of the knots: the mean over columns, in their ranges."""
        first, last = self.knots[self.starts[:-1]], self.knots[self.starts[1:] - 1]
        found: FloatArray = _excess(as_native(X), first, last)
        return found

    def wall(self, column: NDArray[np.intp], code: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the scores that bound bins ``code`` of columns from above.

        Behind the last bin are missing values, and a wall that silences their boxes for all others.
        """
        at = self.starts[column] + code
        last = at + 1 == self.starts[column + 1]
        above = np.where(last, self.scores[at] + 2.0 * BEYOND, self.scores[at + 1 - last])
        between: FloatArray = 0.5 * (self.scores[at] + above)
        return between.astype(np.float32)

    def _apply(self, kernel: Any, X: NDArray[Any], out: NDArray[Any]) -> None:
        if X.shape[1] != self.n_columns:
            raise DataError(
                f"rows have {X.shape[1]} columns, and these bins {self.n_columns}: a model whose "
                "file is damaged, or rows of another table"
            )
        X = as_native(X)
        run_blocks(
            lambda i, j: kernel(X[i:j], self.starts, self.knots, self.scores, out[i:j]),
            len(X),
            at_least=1024,
        )


def _knots(values: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the knots of a column, and their scores."""
    order = np.argsort(values, kind="stable")
    order = order[: len(order) - np.count_nonzero(np.isnan(values))]  # NaN stands at the end
    if not len(order):
        return np.zeros(1), np.zeros(1)
    ordered, weights = values[order], weight[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    distinct, mass = ordered[first], np.add.reduceat(weights, first)
    rank = np.cumsum(mass) - 0.5 * mass
    rank /= mass.sum()
    if len(distinct) > MOST:
        wanted = (np.arange(MOST) + 0.5) / MOST
        wanted[0], wanted[-1] = 0.0, 1.0  # the range is kept whole
        chosen = np.unique(np.minimum(np.searchsorted(rank, wanted), len(rank) - 1))
        distinct, rank = distinct[chosen], rank[chosen]
    return distinct, ndtri(np.clip(rank, TAIL, 1.0 - TAIL))


@exact
def _bin(value: float, knots: Any, start: int, stop: int) -> int:
    """Return the number of the last knot from ``start`` on that is not above a value."""
    low, high = start, stop - 1
    while low < high:
        middle = (low + high + 1) // 2
        if knots[middle] <= value:
            low = middle
        else:
            high = middle - 1
    return low


@exact
def _codes(x: Any, starts: Any, knots: Any, scores: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            stop = starts[j + 1]
            if x[i, j] != x[i, j]:
                out[i, j] = stop - starts[j]
                continue
            at = _bin(x[i, j], knots, starts[j], stop)
            if at + 1 < stop and x[i, j] - knots[at] > knots[at + 1] - x[i, j]:
                at += 1
            out[i, j] = at - starts[j]


@exact
def _scores(x: Any, starts: Any, knots: Any, scores: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            stop = starts[j + 1]
            if x[i, j] != x[i, j]:
                out[i, j] = np.nan
                continue
            at = _bin(x[i, j], knots, starts[j], stop)
            score = scores[at]
            if at + 1 < stop and x[i, j] > knots[at]:
                share = (x[i, j] - knots[at]) / (knots[at + 1] - knots[at])
                score += share * (scores[at + 1] - score)
            out[i, j] = score


@exact
def _excess(x: Any, first: Any, last: Any) -> Any:
    """Return the mean over columns of the distance from [first, last] in units of its width.

    A missing value is no distance away.
    """
    found = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            outside = max(x[i, j] - last[j], first[j] - x[i, j])
            if outside > 0.0:
                width = last[j] - first[j]
                found[i] += outside / (width if width > 0.0 else max(abs(first[j]), 1.0))
        found[i] /= x.shape[1]
    return found
