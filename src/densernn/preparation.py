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
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
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

    A missing value, NaN, sends no spikes: it is 0 in all outputs of its column.
    """

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
        rows = self._validated(X)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, rows)
        return self.fit_statistics(Extrema.of(rows, weight), Marginals.of(rows, weight))

    @abstractmethod
    def fit_statistics(self, extrema: Extrema, marginals: Marginals) -> Self:
        """Fit from statistics of the training rows, however they were accumulated."""

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Number of output columns."""

    @abstractmethod
    def varying_outputs(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Return a mask of outputs that vary, given the ranges of the training columns."""

    @abstractmethod
    def forward(self, X: NDArray[Any], out: FloatArray) -> None:
        """Write the transformed rows ``X`` into ``out``, of shape (n_outputs, n_rows)."""

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return the transformed rows, of shape (n_samples, n_outputs), in the dtype of ``X``.

        Integers are converted to float64.
        """
        check_is_fitted(self)
        rows = self._validated(X, reset=False)
        out = np.empty((self.n_outputs, len(rows)), rows.dtype)
        self.forward(rows, out)
        return np.ascontiguousarray(out.T)

    def _validated(self, X: ArrayLike, reset: bool = True) -> FloatArray:
        options = {"dtype": [np.float64, np.float32], "ensure_all_finite": "allow-nan"}
        rows: FloatArray = validate_data(self, X, reset=reset, **options)
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class UnitScaler(OneToOneFeatureMixin, Preparation):  # type: ignore[misc]
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
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    A missing value, NaN, becomes 0.

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

    def fit_statistics(self, extrema: Extrema, marginals: Marginals | None = None) -> Self:
        """Learn from the ranges of the training rows; the means are not needed."""
        low, width = extrema.minimum.copy(), extrema.width.copy()
        if self.shared and low.size:
            low[:] = low.min()
            width[:] = extrema.maximum.max() - low.min()
        self.low_ = np.where(np.isfinite(low), low, 0.0)
        self.factor_ = _inverse(width, width > 0)
        return self

    @property
    def n_outputs(self) -> int:
        """Number of output columns, that of the input."""
        return int(self.low_.size)

    def forward(self, X: NDArray[Any], out: FloatArray) -> None:
        """Write the scaled rows ``X`` into ``out``, of shape (n_features, n_rows)."""
        rows = as_chunk(X)
        dtype = np.result_type(rows.dtype, out.dtype)
        low, factor = _rounded(dtype, self.low_, self.factor_)
        most = dtype.type(1.0 if self.clip else np.inf)
        _check_columns(rows, low, factor)
        run_blocks(
            lambda i, j: _kernels.scale_columns(rows, low, factor, most, i, j, out), rows.shape[1]
        )

    def inverse_transform(self, X: ArrayLike) -> Float64Array:
        """Return the unscaled rows, of shape (n_samples, n_features).

        A constant column is restored to its value, and values that were clipped, or missing, to the
        nearest end of the training range, or its minimum.
        """
        check_is_fitted(self)
        rows = check_array(X, dtype=np.float64)
        _check_columns(rows, self.low_)
        width = _inverse(self.factor_, self.factor_ > 0)
        return np.asarray(rows * width + self.low_, np.float64)

    def varying_outputs(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Return a mask of columns that vary over the training rows."""
        return extrema.width > 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"clip": False} | state)  # of a version that clipped nothing above


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
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    Output columns: for each knot, all parts above it, then all parts below it.  A missing value,
    NaN, has no part on either side.

    Examples
    --------
    >>> SplitScaler(knots=(0.0,)).fit([[1.0], [3.0]]).transform([[2.5], [1.0], [9.0]])
    array([[0.5, 0. ],
           [0. , 1. ],
           [1. , 0. ]])
    """

    def __init__(self, knots: Sequence[float] = KNOTS, clip: bool = True) -> None:
        self.knots = knots
        self.clip = clip

    def fit_statistics(self, extrema: Extrema, marginals: Marginals) -> Self:
        """Fit from the means and variances of the training rows."""
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
        return self

    @property
    def n_outputs(self) -> int:
        """Number of output columns: two for each knot and column."""
        return 2 * len(self.knots) * int(self.mean_.size)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name outputs by column, side and knot, such as ``mass>-1`` and ``mass<-1``."""
        check_is_fitted(self)
        if input_features is None:
            default = [f"x{j}" for j in range(self.mean_.size)]
            input_features = getattr(self, "feature_names_in_", default)
        names = [
            f"{name}{side}{knot:.3g}"
            for knot in self.knots
            for side in "><"
            for name in input_features
        ]
        return np.asarray(names, dtype=object)

    def forward(self, X: NDArray[Any], out: FloatArray) -> None:
        """Write the split rows ``X`` into ``out``, of shape (n_outputs, n_rows)."""
        rows = as_chunk(X)
        dtype = np.result_type(rows.dtype, out.dtype)
        anywhere = np.outer([-np.inf, np.inf], np.ones(self.mean_.size))
        limits = self.limits_ if self.clip else anywhere
        mean, factor, limits, knots = _rounded(dtype, self.mean_, self.factor_, limits, self.knots)
        _check_columns(rows, mean, factor, *limits)
        run_blocks(
            lambda i, j: _kernels.split_columns(rows, mean, factor, limits, knots, i, j, out),
            rows.shape[1],
        )

    def varying_outputs(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Return a mask of outputs that vary over the training rows."""
        # If the range of a column does not cross a knot, the output on one side is always 0.
        lowest = (extrema.minimum - self.mean_) * self.factor_
        highest = (extrema.maximum - self.mean_) * self.factor_
        knots = np.asarray(self.knots)[:, None]
        sides = np.stack([highest > knots, lowest < knots], axis=1)
        return np.ravel((extrema.width > 0) & sides)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"clip": False} | state)  # of a version that clipped nothing


class MissingIndicator(Preparation):
    """1 where a value is missing, else 0: a spiking input that says so.

    Attributes
    ----------
    n_features_in_ : int

    Examples
    --------
    >>> MissingIndicator().fit_transform([[np.nan, 2.0], [1.0, 4.0]])
    array([[1., 0.],
           [0., 0.]])
    """

    def fit_statistics(self, extrema: Extrema, marginals: Marginals) -> Self:
        """Learn the number of columns."""
        self.n_features_in_ = int(extrema.minimum.size)
        return self

    @property
    def n_outputs(self) -> int:
        """Number of output columns, that of the input."""
        return self.n_features_in_

    def varying_outputs(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Return a mask that is set for all: it is made for columns with missing values."""
        return np.ones(self.n_features_in_, bool)

    def forward(self, X: NDArray[Any], out: FloatArray) -> None:
        """Write 1 where ``X`` is missing into ``out``, of shape (n_features, n_rows)."""
        out[:] = np.isnan(X).T


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
