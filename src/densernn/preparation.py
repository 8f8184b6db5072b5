"""Transformers that make a real-valued table nonnegative: UnitScaler and SplitScaler.

The cells of a network carry rates and probabilities, so its input cannot be negative.  Both
transformers are fitted on statistics of the training rows and are defined for all later values.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_is_fitted,
    validate_data,
)

from densernn import _kernels
from densernn._threads import run_blocks
from densernn.cluster import FloatArray
from densernn.errors import DataError, ParameterError
from densernn.stats import Extrema, Marginals

Float64Array = NDArray[np.float64]

KNOTS = (-1.0, -1 / 3, 1 / 3, 1.0)
"""Default knots of SplitScaler, in standard deviations from the mean; docs/decisions/0004."""

MIN_PIXELS = 64
"""Smallest number of columns of a table that is treated as images."""


class Preparation(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base class: fitting from statistics, and application to chunks of rows.

    A missing value, NaN, sends no spikes: it is 0 in all outputs of its column.  A column that has
    missing values in training has one more output, behind those of all columns, which is 1 where
    one is missing.
    """

    missing_: NDArray[np.intp]

    def fit(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from the rows of ``X``, of shape (n_samples, n_features).

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Real numbers of any sign.
        y : ignored
            Present for scikit-learn's sake.
        sample_weight : array of shape (n_samples,), optional
            Rows of weight 0 are ignored.

        Returns
        -------
        self
        """
        rows = validate_data(self, X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan")
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, rows)
        return self.fit_statistics(Extrema.of(rows, weight), Marginals.of(rows, weight))

    def fit_statistics(self, extrema: Extrema, marginals: Marginals) -> Self:
        """Fit from statistics of the training rows, however they were accumulated."""
        self.n_features_in_ = int(extrema.minimum.size)
        self.missing_ = np.flatnonzero((marginals.missing > 0) & (marginals.present > 0))
        self._fit_columns(extrema, marginals)
        return self

    @abstractmethod
    def _fit_columns(self, extrema: Extrema, marginals: Marginals) -> None:
        """Fit what becomes of values."""

    @property
    @abstractmethod
    def _n_parts(self) -> int:
        """Number of outputs of values."""

    @property
    def n_outputs(self) -> int:
        """Number of output columns."""
        return self._n_parts + len(self.missing_)

    def varying_outputs(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Return a mask of outputs that vary, given the ranges of the training columns."""
        return np.append(self._varying(extrema), np.ones(len(self.missing_), bool))

    @abstractmethod
    def _varying(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Return the mask for outputs of values."""

    def forward(self, X: NDArray[Any], out: FloatArray) -> None:
        """Write the transformed rows ``X`` into ``out``, of shape (n_outputs, n_rows)."""
        rows = as_chunk(X)
        self._write(rows, out[: self._n_parts])
        for place, column in enumerate(self.missing_, start=self._n_parts):
            np.isnan(rows[:, column], out=out[place], casting="unsafe")

    @abstractmethod
    def _write(self, rows: FloatArray, out: FloatArray) -> None:
        """Write the outputs of values, of shape (n_parts, n_rows)."""

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name outputs by column; those of missing values such as ``mass=missing``."""
        check_is_fitted(self)
        if input_features is None:
            default = [f"x{j}" for j in range(self.n_features_in_)]
            input_features = getattr(self, "feature_names_in_", default)
        names = [*self._names(input_features)]
        names += [f"{input_features[j]}=missing" for j in self.missing_]
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @abstractmethod
    def _names(self, columns: Sequence[str]) -> list[str]:
        """Name the outputs of values."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Versions before 0.4 knew of no missing values, and clipped nothing from above.
        defaults = {"missing_": np.empty(0, np.intp), "clip": False}
        super().__setstate__(defaults | state if "mean_" in state or "low_" in state else state)

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return the transformed rows, of shape (n_samples, n_outputs), in the dtype of ``X``.

        Integers are converted to float64.
        """
        check_is_fitted(self)
        rows = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
            reset=False,
        )
        out = np.empty((self.n_outputs, len(rows)), rows.dtype)
        self.forward(rows, out)
        return np.ascontiguousarray(out.T)


class UnitScaler(Preparation):
    """Scale to [0, 1]: for pixels, counts, and other bounded columns.

    Parameters
    ----------
    shared : bool, default=False
        Whether all columns share one minimum and one maximum, as the published experiments do
        for images, or each column has its own.
    clip : bool, default=True
        Whether later values above the training maximum count as it; those below the minimum
        always do, since input cannot be negative.

    Attributes
    ----------
    low_, factor_ : ndarray of shape (n_features,), float64
        The output is ``(X - low_) * factor_``.  A constant column becomes 0.
    missing_ : ndarray of int
        Columns with missing values in training; see Notes.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    A missing value becomes 0.  A column that has any in training has one more output, behind those
    of all columns: 1 where a value is missing.

    Examples
    --------
    >>> scaler = UnitScaler().fit([[0.0, -1.0], [10.0, 1.0]])
    >>> scaler.transform([[5.0, 3.0], [-2.0, 0.0]])
    array([[0.5, 1. ],
           [0. , 0.5]])
    """

    def __init__(self, shared: bool = False, clip: bool = True) -> None:
        self.shared = shared
        self.clip = clip

    def _fit_columns(self, extrema: Extrema, marginals: Marginals) -> None:
        low, width = extrema.minimum.copy(), extrema.width.copy()
        if self.shared and low.size:
            low[:] = low.min()
            width[:] = extrema.maximum.max() - low.min()
        self.low_ = np.where(np.isfinite(low), low, 0.0)
        self.factor_ = _inverse(width, width > 0)

    @property
    def _n_parts(self) -> int:
        return int(self.low_.size)

    def _names(self, columns: Sequence[str]) -> list[str]:
        return list(columns)

    def _write(self, rows: FloatArray, out: FloatArray) -> None:
        dtype = np.result_type(rows.dtype, out.dtype)
        low, factor = _rounded(dtype, self.low_, self.factor_)
        most = dtype.type(1.0 if self.clip else np.inf)
        _check_columns(rows, low, factor)
        run_blocks(
            lambda i, j: _kernels.scale_columns(rows, low, factor, most, i, j, out), rows.shape[1]
        )

    def inverse_transform(self, X: ArrayLike) -> Float64Array:
        """Return the unscaled rows, of shape (n_samples, n_features).

        A constant column is restored to its value, values that were clipped to the training range,
        and those that were missing to NaN, where that is known.
        """
        check_is_fitted(self)
        rows = check_array(X, dtype=np.float64)
        values, missing = rows[:, : self._n_parts], rows[:, self._n_parts :]
        _check_columns(values, self.low_)
        width = _inverse(self.factor_, self.factor_ > 0)
        found = np.asarray(values * width + self.low_, np.float64)
        found[:, self.missing_] = np.where(missing > 0.5, np.nan, found[:, self.missing_])
        return found

    def _varying(self, extrema: Extrema) -> NDArray[np.bool_]:
        return extrema.width > 0


class SplitScaler(Preparation):
    """Standardise each column and split it at knots into parts above and parts below.

    With z the column less its mean, over its standard deviation, knot t gives the two
    columns max(z - t, 0) and max(t - z, 0).  A single knot at 0 is the usual split
    [z+, z-]; with several, a cluster, whose activation decreases with its input, can respond to
    intervals of a column.

    Parameters
    ----------
    knots : sequence of float, default=(-1, -1/3, 1/3, 1)
        Positions of the splits, in standard deviations from the mean.
    clip : bool, default=True
        Whether later values outside of the training range count as its nearest end.

    Attributes
    ----------
    mean_, factor_ : ndarray of shape (n_features,), float64
        z is ``(X - mean_) * factor_``; a constant column has z = 0.
    limits_ : ndarray of shape (2, n_features), float64
        Least and largest z in training.
    missing_ : ndarray of int
        Columns with missing values in training; see Notes.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    Output columns: for each knot, all parts above it, then all parts below it.  A missing value has
    no part on either side.  A column that has any in training has one more output, behind those of
    all columns: 1 where a value is missing.

    Examples
    --------
    >>> SplitScaler(knots=(0.0,)).fit([[1.0], [3.0]]).transform([[4.0], [1.0]])
    array([[2., 0.],
           [0., 1.]])
    """

    def __init__(self, knots: Sequence[float] = KNOTS, clip: bool = True) -> None:
        self.knots = knots
        self.clip = clip

    def _fit_columns(self, extrema: Extrema, marginals: Marginals) -> None:
        knots = np.asarray(self.knots, np.float64)
        if knots.ndim != 1 or not knots.size or not np.isfinite(knots).all():
            raise ParameterError(f"knots must be finite numbers, at least one: {self.knots!r}")
        deviation = np.sqrt(marginals.variance)
        # The variance of a constant column may be nonzero by rounding: its range is exact.
        changes = (extrema.width > 0) & (deviation > 0)
        self.mean_ = marginals.mean
        self.factor_ = _inverse(deviation, changes)
        ends = np.stack([extrema.minimum, extrema.maximum])
        # Of a column without a value there is nothing to be near to.
        self.limits_ = (np.where(np.isfinite(ends), ends, self.mean_) - self.mean_) * self.factor_

    @property
    def _n_parts(self) -> int:
        return 2 * len(self.knots) * int(self.mean_.size)

    def _names(self, columns: Sequence[str]) -> list[str]:
        """Name outputs by column, side and knot, such as ``mass>-1`` and ``mass<-1``."""
        return [f"{n}{side}{knot:.3g}" for knot in self.knots for side in "><" for n in columns]

    def _write(self, rows: FloatArray, out: FloatArray) -> None:
        dtype = np.result_type(rows.dtype, out.dtype)
        none = np.outer([-np.inf, np.inf], np.ones(self.mean_.size))
        limits = self.limits_ if self.clip else none
        mean, factor, knots, limits = _rounded(dtype, self.mean_, self.factor_, self.knots, limits)
        _check_columns(rows, mean, factor, *limits)
        run_blocks(
            lambda i, j: _kernels.split_columns(rows, mean, factor, limits, knots, i, j, out),
            rows.shape[1],
        )

    def _varying(self, extrema: Extrema) -> NDArray[np.bool_]:
        # If the range of a column does not cross a knot, the output on one side is always 0.
        lowest = (extrema.minimum - self.mean_) * self.factor_
        highest = (extrema.maximum - self.mean_) * self.factor_
        knots = np.asarray(self.knots)[:, None]
        sides = np.stack([highest > knots, lowest < knots], axis=1)
        return np.ravel((extrema.width > 0) & sides)


def _inverse(width: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return 1 / width where the mask is set and 0 elsewhere; finite, as 0 * inf would be NaN."""
    with np.errstate(over="ignore"):
        inverse = np.divide(1.0, width, out=np.zeros_like(width), where=where)
    return np.minimum(inverse, np.finfo(np.float64).max)


def _rounded(dtype: Any, *parameters: ArrayLike) -> Iterator[FloatArray]:
    """Yield parameters in a dtype, clipped to its largest finite number."""
    most = np.finfo(dtype).max
    for values in parameters:
        yield np.clip(np.asarray(values, np.float64), -most, most).astype(dtype)


def _check_columns(rows: FloatArray, *parameters: FloatArray) -> None:
    """Raise :class:`DataError` unless rows have as many columns as the parameters."""
    # Kernels do not check bounds, and fitted transformers may come from a file.
    for values in parameters:
        if values.shape != rows.shape[1:]:
            raise DataError(
                f"a map with parameters of shape {values.shape} got {rows.shape[1]} columns"
            )


def as_chunk(X: NDArray[Any]) -> FloatArray:
    """Return rows as float32 or float64, without loss up to integers of 53 bits."""
    if X.dtype in (np.float32, np.float64):
        return X
    small = X.dtype.kind in "biu" and X.dtype.itemsize <= 2  # exact in float32
    return X.astype(np.float32 if small else np.float64)


def shares_unit(extrema: Extrema) -> bool:
    """Return whether columns look like pixels or counts, with a common minimum and range.

    True for at least :data:`MIN_PIXELS` columns if, of those that vary, more than half have a
    minimum within 5 % of the table's range from its minimum, and more than half span at least
    30 % of it (docs/decisions/0004).
    """
    width = extrema.width
    changing = width > 0
    if width.size < MIN_PIXELS or not changing.any():
        return False
    floor = extrema.minimum[changing].min()
    span = extrema.maximum[changing].max() - floor
    lift = np.median(extrema.minimum[changing] - floor)
    return bool(lift <= 0.05 * span and np.median(width[changing]) >= 0.3 * span)
