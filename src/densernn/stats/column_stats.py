"""Statistics of single columns: ranges, means and variances, and class counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn.errors import MergeError, ParameterError

Float64Array = NDArray[np.float64]


def counted_rows(X: ArrayLike, weight: ArrayLike | None) -> tuple[NDArray[Any], Float64Array]:
    """Return the rows whose weight is not 0, and their weights, 1 by default.

    Raises
    ------
    ParameterError
        A weight is negative or NaN.
    """
    rows = np.asarray(X)
    if weight is None:
        return rows, np.ones(len(rows))
    weights = np.asarray(weight, np.float64)
    if not (weights >= 0).all():
        row = int(np.argmin(weights >= 0))
        raise ParameterError(f"weights must not be negative: weight[{row}] is {weights[row]}")
    counted = weights != 0
    return (rows, weights) if counted.all() else (rows[counted], weights[counted])


@dataclass(frozen=True, eq=False)
class Extrema:
    """Minimum and maximum of each column.

    Parameters
    ----------
    minimum, maximum : ndarray of shape (n_columns,), float64
        inf and -inf for no rows.

    Examples
    --------
    >>> first, second = Extrema.of([[1.0, 5.0]]), Extrema.of([[3.0, 2.0]])
    >>> first.merge(second).maximum
    array([3., 5.])
    """

    minimum: Float64Array
    maximum: Float64Array

    @classmethod
    def zero(cls, n_columns: int) -> Self:
        """Return the statistic of no rows."""
        return cls(np.full(n_columns, np.inf), np.full(n_columns, -np.inf))

    @classmethod
    def of(cls, X: ArrayLike, weight: ArrayLike | None = None) -> Self:
        """Return the statistic of rows ``X``, with optional weights of shape (n_rows,)."""
        rows, _ = counted_rows(X, weight)
        if not len(rows):
            return cls.zero(np.shape(X)[1])
        return cls(rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64))

    def merge(self, other: Extrema) -> Self:
        """Return the statistic of the rows of both."""
        return type(self)(
            np.minimum(self.minimum, other.minimum), np.maximum(self.maximum, other.maximum)
        )

    @property
    def width(self) -> Float64Array:
        """Maximum minus minimum of each column; 0 for no rows."""
        return np.maximum(self.maximum - self.minimum, 0.0)


@dataclass(frozen=True, eq=False)
class Marginals:
    """Total weight, and weighted mean and sum of squared deviations of each column.

    Parameters
    ----------
    weight : float
        Sum of the weights of the rows.
    mean : ndarray of shape (n_columns,), float64
        Weighted means; 0 for no rows.
    spread : ndarray of shape (n_columns,), float64
        Weighted sums of squared deviations from the mean.

    Notes
    -----
    Merged by the pairwise formula of Chan, Golub and LeVeque (1983), which does not cancel.

    Examples
    --------
    >>> both = Marginals.of([[1.0], [3.0]]).merge(Marginals.of([[5.0]], weight=[2.0]))
    >>> both.mean, both.variance
    (array([3.5]), array([2.75]))
    """

    weight: float
    mean: Float64Array
    spread: Float64Array

    @classmethod
    def zero(cls, n_columns: int) -> Self:
        """Return the statistic of no rows."""
        return cls(0.0, np.zeros(n_columns), np.zeros(n_columns))

    @classmethod
    def of(cls, X: ArrayLike, weight: ArrayLike | None = None) -> Self:
        """Return the statistic of rows ``X``, with optional weights of shape (n_rows,)."""
        rows, weights = counted_rows(X, weight)
        total = float(weights.sum())
        if not total:
            return cls.zero(np.shape(X)[1])
        # The first row is subtracted first: a column far from 0 keeps its digits, and a constant
        # one has variance 0 exactly.
        deviations = rows.astype(np.float64, order="C")  # sums do not depend on the layout
        reference = deviations[0].copy()
        deviations -= reference
        shift = weights @ deviations / total
        deviations -= shift
        np.square(deviations, out=deviations)
        return cls(total, reference + shift, weights @ deviations)

    def merge(self, other: Marginals) -> Self:
        """Return the statistic of the rows of both."""
        total = self.weight + other.weight
        if not total:
            return self
        share = other.weight / total
        gap = other.mean - self.mean
        between = gap * gap * (self.weight * share)
        return type(self)(total, self.mean + share * gap, self.spread + other.spread + between)

    @property
    def variance(self) -> Float64Array:
        """Weighted variances, divided by the total weight; 0 for no rows."""
        return self.spread / self.weight if self.weight else self.spread


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """Total weight of each class.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, sorted and different.
    counts : ndarray of shape (n_classes,), float64
        Total weight of the rows of each class.

    Examples
    --------
    >>> counts = ClassCounts.of(["a", "b", "a"]).merge(ClassCounts.of(["c"]))
    >>> counts.classes.tolist(), counts.counts.tolist()
    (['a', 'b', 'c'], [2.0, 1.0, 1.0])
    """

    classes: NDArray[Any]
    counts: Float64Array

    @classmethod
    def zero(cls, classes: ArrayLike = ()) -> Self:
        """Return the statistic of no rows, for known classes if there are any."""
        known = np.unique(np.asarray(classes))
        return cls(known, np.zeros(known.size))

    @classmethod
    def of(cls, y: ArrayLike, weight: ArrayLike | None = None) -> Self:
        """Return the counts of labels; a class all of whose rows have weight 0 is not counted."""
        labels, weights = counted_rows(y, weight)
        classes, index = np.unique(labels, return_inverse=True)
        counts = np.bincount(index, weights, minlength=classes.size).astype(np.float64)
        return cls(classes, counts)

    def merge(self, other: ClassCounts) -> Self:
        """Return the statistic of the rows of both, over the classes of either."""
        if not other.classes.size:
            return self
        if not self.classes.size:
            return type(self)(other.classes, other.counts)
        classes = np.union1d(self.classes, other.classes)
        counts = np.zeros(classes.size)
        counts[np.searchsorted(classes, self.classes)] += self.counts
        counts[np.searchsorted(classes, other.classes)] += other.counts
        return type(self)(classes, counts)

    def subtract(self, other: ClassCounts) -> Self:
        """Return the statistic of the rows of this that are not those of ``other``.

        Raises
        ------
        MergeError
            ``other`` has more of some class than there is.
        """
        left = self.merge(replace(other, counts=-other.counts))
        slack = 1e-9 * max(1.0, float(self.counts.sum()))
        if (left.counts < -slack).any():
            worst = int(np.argmin(left.counts))
            raise MergeError(
                f"cannot take away more rows of class {left.classes.tolist()[worst]!r} than there "
                f"are: {left.counts[worst]:g} would be left"
            )
        return type(self)(left.classes, np.maximum(left.counts, 0.0))

    def decayed(self, factor: float) -> Self:
        """Return the counts of the same rows with every weight times ``factor``."""
        return type(self)(self.classes, self.counts * factor)
