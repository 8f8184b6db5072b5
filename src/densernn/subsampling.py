"""ImageSubsampler: regular subsampling of the pixels of flattened images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from densernn.errors import DataError, ParameterError


class ImageSubsampler(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """Keep every ``step``-th pixel of every ``step``-th line of each image in a flat row.

    The published experiments reduce the two 96 x 96 images of a small NORB row to 32 x 32 in this
    way.  Pixels are selected, not averaged, and keep their values, dtype and names.

    Parameters
    ----------
    shape : sequence of int, optional
        Shape of one row in C order: ``(2, 96, 96)`` for two images of 96 lines of 96 pixels.  The
        last two axes are subsampled, or the only one; those before them are images, cameras or
        channels.  None means a single line of pixels.
    step : int, default=3
        1 keeps all pixels.

    Attributes
    ----------
    shape_ : tuple of int
        Shape of one row of the result: ``(2, 32, 32)`` for the example above.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    :meth:`transform`, :meth:`get_support` and :meth:`inverse_transform`, which inserts 0 for
    dropped pixels, are those of scikit-learn's selectors.

    Examples
    --------
    >>> X = np.arange(32, dtype=np.uint8).reshape(1, 32)
    >>> few = ImageSubsampler(shape=(2, 4, 4), step=2)
    >>> few.fit_transform(X)
    array([[ 0,  2,  8, 10, 16, 18, 24, 26]], dtype=uint8)
    >>> few.shape_
    (2, 2, 2)
    """

    def __init__(self, shape: Sequence[int] | None = None, step: int = 3) -> None:
        self.shape = shape
        self.step = step

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Check the rows of ``X``, of shape (n_samples, n_features), against the parameters.

        Raises
        ------
        ParameterError
            ``step`` or ``shape`` is invalid.
        DataError
            The number of columns differs from that of ``shape``.
        """
        if not isinstance(self.step, (int, np.integer)) or self.step < 1:
            raise ParameterError(f"step must be an integer, at least 1: it is {self.step!r}")
        rows = validate_data(self, X, dtype="numeric", accept_sparse="csr", ensure_all_finite=False)
        shape = self._checked_shape(rows.shape[1])
        self.shape_ = (*shape[:-2], *(-(-side // int(self.step)) for side in shape[-2:]))
        return self

    def _checked_shape(self, n_columns: int) -> tuple[int, ...]:
        if self.shape is None:
            return (n_columns,)
        shape = tuple(self.shape)
        sound = all(isinstance(side, (int, np.integer)) and side > 0 for side in shape)
        if not shape or not sound:
            raise ParameterError(f"shape must be positive integers or None: it is {self.shape!r}")
        if math.prod(shape) != n_columns:
            raise DataError(
                f"X has {n_columns} columns, but shape={shape} is {math.prod(shape)} pixels: give "
                "what one row holds, such as (2, 96, 96)"
            )
        return shape

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        shape = self._checked_shape(self.n_features_in_)
        mask = np.zeros(shape, np.bool_)
        every = slice(None, None, self.step)
        if len(shape) == 1:
            mask[every] = True
        else:
            mask[..., every, every] = True
        return mask.ravel()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
