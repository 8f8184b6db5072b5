"""ZCAWhitener: regularised ZCA whitening, from moments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from densernn.errors import DataError, ParameterError
from densernn.stats import Moments

CHUNK_NUMBERS = 1 << 20
"""Values processed at once, in float64."""


class ZCAWhitener(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    r"""Regularised ZCA whitening: the symmetric whitening matrix, which changes rows least.

    With the covariance :math:`C = V \Lambda V^T` of the training rows and the mean
    :math:`\bar\lambda` of its eigenvalues, which is the mean variance of a column,

    .. math::

        W = V (\Lambda + \epsilon \bar\lambda I)^{-1/2} V^T , \qquad Z = (X - m) W .

    As :math:`\epsilon \to 0` the columns of Z become uncorrelated with variance 1.  Applied to
    images it enhances edges and removes the correlation of neighbouring pixels.

    Parameters
    ----------
    epsilon : float, default=0.1
        Regularisation, added to the eigenvalues as a share of their mean; positive.  Directions
        of much smaller variance, mostly noise, are hardly amplified.
    dtype : {"float32", "float64"}, default="float32"
        dtype of the result; moments and eigenvectors are computed in float64.

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
    eigenvectors, 2 n d^2 to transform.  Memory besides the rows: some 24 d^2 bytes to fit and
    8 d^2 afterwards, and some 20 MB for chunks of rows.  The covariance divides by the total
    weight.  If all columns are constant, the result is zero.

    The result has both signs; estimators of this package make it nonnegative themselves.

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
        """Compute mean and covariance of the rows, in one pass over chunks.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Real numbers.
        y : ignored
            Present for scikit-learn's sake.
        sample_weight : array of shape (n_samples,), optional
            A row of weight 0 is ignored; weight k is equivalent to k copies.

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
        return self.fit_moments(_moments(rows, weight))

    def fit_moments(self, moments: Moments) -> Self:
        """Fit from moments of the training rows; their targets are ignored.

        Parameters
        ----------
        moments : Moments
            May be merged from those of several shards.

        Returns
        -------
        self

        Raises
        ------
        DataError
            The total weight is 0.
        ParameterError
            ``epsilon`` or ``dtype`` is invalid.

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
        # If no column varies the mean is 0, and any positive value serves.
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
        for part in _chunks(rows):
            centred = (rows[part] - self.mean_).astype(dtype, copy=False)
            np.matmul(centred, matrix, out=out[part])
        return out

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the rows before whitening, of shape (n_samples, n_features).

        They have the dtype of the result and its rounding error, which grows as epsilon falls.
        Each call factorises W, in d^3 / 3 operations.
        """
        check_is_fitted(self)
        dtype = self._check_parameters()
        rows = validate_data(self, X, dtype="numeric", reset=False)
        factor = linalg.cho_factor(self.whitening_)
        out = np.empty(rows.shape, dtype)
        for part in _chunks(rows):
            out[part] = linalg.cho_solve(factor, rows[part].T.astype(np.float64)).T + self.mean_
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


def _moments(rows: NDArray[Any], weight: NDArray[np.float64] | None) -> Moments:
    """Return the moments of rows, accumulated chunk by chunk."""
    moments = Moments.zero(rows.shape[1], 0)
    for part in _chunks(rows):
        # In float64, since whitening divides by the roots of small eigenvalues.
        columns = np.array(rows[part].T, np.float64, order="C")
        targets = np.empty((columns.shape[1], 0))
        moments.add(columns, targets, None if weight is None else weight[part])
    return moments


def _chunks(rows: NDArray[Any]) -> Iterator[slice]:
    """Yield slices of as many rows as are processed at once."""
    yield from gen_batches(len(rows), max(1, CHUNK_NUMBERS // rows.shape[1]))
