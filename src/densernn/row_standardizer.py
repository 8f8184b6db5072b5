"""RowStandardizer: z-scores of each row over its own columns."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils.validation import validate_data

from densernn.errors import ParameterError

CHUNK_NUMBERS = 1 << 20
"""Values processed at once, in float64."""


class RowStandardizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Standardise each row over its own columns, as an image over its pixels.

    The mean of a row is subtracted, and the result divided by the row's standard deviation (with
    n - 1 in its denominator, as in MATLAB's ``zscore``), as the published experiments do with
    MNIST.  The transformer is stateless.

    Parameters
    ----------
    dtype : {"float32", "float64"}, default="float32"
        dtype of the result; sums are computed in float64.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    A constant row becomes zeros.  Memory besides input and result: some 30 MB for any number of
    rows.  The result has both signs; estimators of this package make it nonnegative themselves.

    Examples
    --------
    >>> RowStandardizer().fit_transform([[1.0, 2.0, 3.0], [0.0, 20.0, 40.0], [7.0, 7.0, 7.0]])
    array([[-1.,  0.,  1.],
           [-1.,  0.,  1.],
           [ 0.,  0.,  0.]], dtype=float32)
    """

    def __init__(self, dtype: str = "float32") -> None:
        self.dtype = dtype

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Check the rows of ``X``, of shape (n_samples, n_features); nothing is learned."""
        self._checked_dtype()
        validate_data(self, X, dtype="numeric")
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the standardised rows, of shape (n_samples, n_features)."""
        dtype = self._checked_dtype()
        rows = validate_data(self, X, dtype="numeric", reset=False)
        out = np.empty(rows.shape, dtype)
        for part in gen_batches(len(rows), max(1, CHUNK_NUMBERS // rows.shape[1])):
            standardize(rows[part], out[part])
        return out

    def _checked_dtype(self) -> np.dtype[Any]:
        if self.dtype not in ("float32", "float64"):
            raise ParameterError(f"dtype must be 'float32' or 'float64': it is {self.dtype!r}")
        return np.dtype(self.dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def standardize(rows: NDArray[Any], out: NDArray[Any]) -> None:
    """Write the z-scores of a few rows."""
    width = rows.max(axis=1).astype(np.float64) - rows.min(axis=1)
    values = rows.astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    # Divide by the range first, so that no square over- or underflows; by infinity in a constant
    # row, whose deviations are rounding.
    values /= np.where(width > 0, width, np.inf)[:, None]
    squares = np.einsum("ij,ij->i", values, values)
    deviation = np.sqrt(squares / max(1, rows.shape[1] - 1))
    factor = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    np.multiply(values, factor[:, None], out=out, casting="same_kind")
