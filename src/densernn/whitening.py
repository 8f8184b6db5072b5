"""ZCAWhitener: decorrelate columns with the least change, from moments alone."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from densernn.errors import DataError, ParameterError
from densernn.folds import Moments

CHUNK_NUMBERS = 1 << 20
"""Numbers that are in work at once, in float64."""


class ZCAWhitener(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    r"""Whiten columns by the symmetric matrix that changes them least (ZCA), regularised.

    With the covariance :math:`C = V \Lambda V^T` of the training rows and the mean
    :math:`\bar\lambda` of its eigenvalues, which is the mean variance of a column,

    .. math::

        W = V (\Lambda + \epsilon \bar\lambda I)^{-1/2} V^T , \qquad Z = (X - m) W .

    As :math:`\epsilon \to 0` the columns of Z become uncorrelated, of variance 1.  Of images it
    keeps edges and takes away what neighbouring pixels share, and they still look like images.

    Parameters
    ----------
    epsilon : float, default=0.1
        Added to the eigenvalues, as a share of their mean, so that units of measurement do not
        matter; positive.  Directions of much less variance, mostly noise, are hardly amplified.
    dtype : {"float32", "float64"}, default="float32"
        Of the result; moments and eigenvectors are always computed in float64.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
        m, the weighted mean of the training rows.
    whitening_ : ndarray of shape (n_features, n_features), float64
        W, symmetric and positive definite.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    Cost, with n rows of d columns: n d^2 operations for the moments, some 10 d^3 for the
    eigenvectors, 2 n d^2 to transform.  Memory beside the rows: some 24 d^2 bytes to fit and 8 d^2
    after, and some 20 MB for the rows in work; rows are never copied whole.  The covariance
    divides by the total weight.  Columns that are all constant become zeros.

    The result has both signs: a network after it prepares its input by itself.

    References
    ----------
    A. J. Bell and T. J. Sejnowski, "The 'independent components' of natural scenes are edge
    filters", 1997.  The default epsilon is that of A. Coates, H. Lee and A. Y. Ng, "An analysis
    of single-layer networks in unsupervised feature learning", 2011, for pixels of variance 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2)) @ [[2.0, 1.0], [0.0, 0.5]] + [5.0, 0.0]
    >>> Z = ZCAWhitener(epsilon=1e-9, dtype="float64").fit_transform(X)
    >>> np.allclose(np.cov(Z, rowvar=False, bias=True), np.eye(2))
    True
    """

    def __init__(self, epsilon: float = 0.1, dtype: str = "float32") -> None:
        self.epsilon = epsilon
        self.dtype = dtype

    def fit(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn mean and covariance of the rows, in one pass over chunks of them.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Real numbers.
        y : ignored
            Present for scikit-learn's sake.
        sample_weight : array of shape (n_samples,), optional
            A row of weight 0 counts nowhere, one of weight k as k copies.

        Returns
        -------
        self
        """
        self._check_parameters()
        rows = validate_data(self, X, dtype="numeric")
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(
                sample_weight, rows, dtype=np.float64, ensure_non_negative=True
            )
        return self.fit_moments(_fold(rows, weight))

    def fit_moments(self, moments: Moments) -> Self:
        """Learn from moments of the training rows, however those came; targets are ignored.

        Parameters
        ----------
        moments : Moments
            Those of shards of the data, say, merged.

        Returns
        -------
        self

        Raises
        ------
        DataError
            The moments are of no rows.
        ParameterError
            ``epsilon`` or ``dtype`` lies outside its condition.

        Examples
        --------
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> shards = [Moments.of(part, np.empty((50, 0))) for part in np.split(X, 2)]
        >>> ZCAWhitener().fit_moments(shards[0].merge(shards[1])).whitening_.shape
        (3, 3)
        """
        self._check_parameters()
        if not moments.weight:
            raise DataError("sample_weight is 0 in every row, or there are none: nothing to learn")
        d = moments.n_features
        centred = moments.about(moments.means)
        covariance = centred.second[:d, :d] / moments.weight
        values, vectors = linalg.eigh(covariance, lower=False, overwrite_a=True)
        values = np.maximum(values, 0.0)  # below 0 by rounding only
        # Where no column changes any scale will do, for there is nothing to whiten.
        values += self.epsilon * float(values.mean()) or 1.0
        half = vectors * values**-0.25
        self.mean_ = centred.shift[:d].copy()
        self.whitening_ = half @ half.T
        self.n_features_in_ = d
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the whitened rows, of shape (n_samples, n_features)."""
        check_is_fitted(self)
        dtype = self._check_parameters()
        rows = validate_data(self, X, dtype="numeric", reset=False)
        matrix = self.whitening_.astype(dtype)
        out = np.empty(rows.shape, dtype)
        for part, result in _chunks(rows, out):
            np.matmul((part - self.mean_).astype(dtype, copy=False), matrix, out=result)
        return out

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the rows that :meth:`transform` made ``X`` of, of shape (n_samples, n_features).

        They have the dtype of the result and differ by its rounding, which grows as epsilon
        falls.  Each call factorises W anew, in d^3 / 3 operations.
        """
        check_is_fitted(self)
        dtype = self._check_parameters()
        rows = validate_data(self, X, dtype="numeric", reset=False)
        factor = linalg.cho_factor(self.whitening_)
        out = np.empty(rows.shape, dtype)
        for part, result in _chunks(rows, out):
            result[:] = linalg.cho_solve(factor, part.T.astype(np.float64)).T + self.mean_
        return out

    def _check_parameters(self) -> np.dtype[Any]:
        if not (np.isfinite(self.epsilon) and self.epsilon > 0):
            raise ParameterError(f"epsilon must be positive and finite: it is {self.epsilon!r}")
        if self.dtype not in ("float32", "float64"):
            raise ParameterError(f"dtype must be 'float32' or 'float64': it is {self.dtype!r}")
        return np.dtype(self.dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _fold(rows: NDArray[Any], weight: NDArray[np.float64] | None) -> Moments:
    """Fold rows chunk by chunk; products in float64, for small eigenvalues are at stake."""
    moments = Moments.zero(rows.shape[1], 0)
    step = _step(rows)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        columns = np.array(part.T, np.float64, order="C")
        weights = None if weight is None else weight[start : start + step]
        moments.add(columns, np.empty((len(part), 0)), weights)
    return moments


def _chunks(rows: NDArray[Any], out: NDArray[Any]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Pair views of a few rows with where their result goes."""
    step = _step(rows)
    return [(rows[i : i + step], out[i : i + step]) for i in range(0, len(rows), step)]


def _step(rows: NDArray[Any]) -> int:
    return max(1, CHUNK_NUMBERS // int(rows.shape[1]))
