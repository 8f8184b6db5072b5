"""RowStandardizer: each row less its own mean, over its own deviation, as for images."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from densernn.errors import ParameterError

CHUNK_NUMBERS = 1 << 20
"""Numbers that are in work at once, in float64."""


class RowStandardizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Standardise each row by itself: the z-score of an image over its own pixels.

    From each row its mean is taken, and the rest is divided by the row's standard deviation
    (with n - 1 in its denominator, as in MATLAB's ``zscore``).  So the published experiments
    treat MNIST.  Nothing is learned: rows are treated alike in training and after.

    Parameters
    ----------
    dtype : {"float32", "float64"}, default="float32"
        Of the result; sums are always kept in float64.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    A constant row, and one of a single column, becomes zeros.  Memory beside input and result:
    some 30 MB, however many rows there are.  The result has both signs: a network after it
    prepares its input by itself.

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
        """Check the rows of ``X``, of shape (n_samples, n_features); there is nothing to learn."""
        self._checked_dtype()
        validate_data(self, X, dtype="numeric")
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the standardised rows, of shape (n_samples, n_features)."""
        dtype = self._checked_dtype()
        rows = validate_data(self, X, dtype="numeric", reset=False)
        out = np.empty(rows.shape, dtype)
        step = max(1, CHUNK_NUMBERS // rows.shape[1])
        for start in range(0, len(rows), step):
            _standardize(rows[start : start + step], out[start : start + step])
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


def _standardize(rows: NDArray[Any], out: NDArray[Any]) -> None:
    """Write the z-scores of a few rows."""
    width = rows.max(axis=1).astype(np.float64) - rows.min(axis=1)
    values = rows.astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    # By the range first, so that no square overflows or vanishes; and by infinity in a constant
    # row, where rounding may have left something.
    values /= np.where(width > 0, width, np.inf)[:, None]
    squares = np.einsum("ij,ij->i", values, values)
    deviation = np.sqrt(squares / max(1, rows.shape[1] - 1))
    factor = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    np.multiply(values, factor[:, None], out=out, casting="same_kind")
