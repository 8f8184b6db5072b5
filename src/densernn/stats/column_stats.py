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


def as_rows(weight: Float64Array) -> Float64Array:
    """Return weights in units of a row: those that are shares of 1 stand for whole rows."""
    largest = float(weight.max())
    relative = weight / largest  # whose squares neither overflow nor vanish
    return weight * max(1.0, float(relative.sum() / np.square(relative).sum()) / largest)


@dataclass(frozen=True, eq=False)
class Extrema:
    """Minimum and maximum of each column, of the values that are not missing (NaN).

    Parameters
    ----------
    minimum, maximum : ndarray of shape (n_columns,), float64
        inf and -inf for no values.

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
        zero = cls.zero(np.shape(X)[1])
        if not len(rows):
            return zero
        # fmin and fmax leave NaN out, and leave it where there is nothing else.
        lowest, highest = np.fmin.reduce(rows, axis=0), np.fmax.reduce(rows, axis=0)
        return cls(np.fmin(zero.minimum, lowest), np.fmax(zero.maximum, highest))

    def merge(self, other: Extrema) -> Self:
        """Return the statistic of the rows of both."""
        return type(self)(
            np.minimum(self.minimum, other.minimum), np.maximum(self.maximum, other.maximum)
        )

    @property
    def width(self) -> Float64Array:
        """Maximum minus minimum of each column; 0 for no values."""
        return np.maximum(self.maximum - self.minimum, 0.0)


@dataclass(frozen=True, eq=False)
class Marginals:
    """Total weight, and weighted mean and sum of squared deviations of each column.

    Parameters
    ----------
    weight : float
        Sum of the weights of the rows.
    mean : ndarray of shape (n_columns,), float64
        Weighted means of the values that are not missing (NaN); 0 for no values.
    spread : ndarray of shape (n_columns,), float64
        Weighted sums of squared deviations from the mean.
    missing : ndarray of shape (n_columns,), float64
        Sum of the weights of the rows that lack a value.

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
    missing: Float64Array

    @classmethod
    def zero(cls, n_columns: int) -> Self:
        """Return the statistic of no rows."""
        return cls(0.0, *np.zeros((3, n_columns)))

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
        lacks = np.isnan(deviations)
        # The product would be a copy in float64, which most tables do not need.
        missing = weights @ lacks if lacks.any() else np.zeros(lacks.shape[1])
        present = np.where(lacks.all(axis=0), 1.0, total - missing)
        reference = deviations[lacks.argmin(axis=0), np.arange(lacks.shape[1])]
        deviations -= reference
        np.copyto(deviations, 0.0, where=lacks)
        shift = weights @ deviations / present
        deviations -= shift
        np.copyto(deviations, 0.0, where=lacks)
        np.square(deviations, out=deviations)
        return cls(total, np.nan_to_num(reference) + shift, weights @ deviations, missing)

    def merge(self, other: Marginals) -> Self:
        """Return the statistic of the rows of both."""
        total = self.weight + other.weight
        if not total:
            return self
        present = self.present + other.present
        share = other.present / np.where(present > 0, present, 1.0)
        gap = np.where(self.present > 0, other.mean - self.mean, other.mean)
        return type(self)(
            total,
            np.where(self.present > 0, self.mean + share * gap, other.mean),
            self.spread + other.spread + gap * gap * (self.present * share),
            self.missing + other.missing,
        )

    @property
    def present(self) -> Float64Array:
        """Sum of the weights of the rows that have a value."""
        # A difference of sums: what rounding leaves is none.
        left = self.weight - self.missing
        return np.where(left > 1e-12 * self.weight, left, 0.0)

    @property
    def variance(self) -> Float64Array:
        """Weighted variances, divided by the weight of the values; 0 for no values."""
        present = self.present
        return np.divide(self.spread, present, out=np.zeros_like(self.spread), where=present > 0)


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
