"""SignSplitter: positive and negative parts of each column."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from densernn import _kernels
from densernn._threads import run_blocks
from densernn.cluster import FloatArray
from densernn.errors import DataError, ParameterError
from densernn.preparation import Preparation, as_chunk
from densernn.stats import Extrema, Marginals


class SignSplitter(Preparation):
    """Split each column at 0: [max(X, 0), -min(X, 0)], or max(X, 0) alone.

    The published experiments treat HIGGS in this way, whose columns come standardised.  Columns
    are neither shifted nor scaled; :class:`SplitScaler` standardises before it splits.

    Parameters
    ----------
    negative : {"keep", "drop"}, default="keep"
        Whether to append the negative parts, which doubles the columns, or to drop them, as the
        best published result on HIGGS does.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the training table had names.

    Notes
    -----
    Output columns: all positive parts, then all negative parts.  The result is in the dtype of
    ``X``, integers in float64.

    Examples
    --------
    >>> SignSplitter().fit_transform([[2.0, -3.0], [-1.0, 4.0]])
    array([[2., 0., 0., 3.],
           [0., 4., 1., 0.]])
    >>> SignSplitter(negative="drop").fit_transform([[2.0, -3.0], [-1.0, 4.0]])
    array([[2., 0.],
           [0., 4.]])
    """

    def __init__(self, negative: str = "keep") -> None:
        self.negative = negative

    def fit_statistics(self, extrema: Extrema, marginals: Marginals | None = None) -> Self:
        """Set the number of columns."""
        self._sides()
        self.n_features_in_ = int(extrema.minimum.size)
        return self

    @property
    def n_outputs(self) -> int:
        """Number of output columns: one or two for each input column."""
        return len(self._sides()) * int(self.n_features_in_)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name outputs by column and side, such as ``mass+`` and ``mass-``."""
        check_is_fitted(self)
        if input_features is None:
            default = [f"x{j}" for j in range(self.n_features_in_)]
            input_features = getattr(self, "feature_names_in_", default)
        names = [f"{name}{side}" for side in self._sides() for name in input_features]
        return np.asarray(names, dtype=object)

    def forward(self, X: NDArray[Any], out: FloatArray) -> None:
        """Write the split rows ``X`` into ``out``, of shape (n_outputs, n_rows)."""
        rows = as_chunk(X)
        if rows.shape[1] != self.n_features_in_:  # kernels do not check bounds
            raise DataError(f"a map of {self.n_features_in_} columns got {rows.shape[1]} columns")
        dtype = np.result_type(rows.dtype, out.dtype)
        zeros, ones = np.zeros(rows.shape[1], dtype), np.ones(rows.shape[1], dtype)
        most = np.finfo(dtype).max  # nothing is clipped, as published
        limits = np.outer([-most, most], ones).astype(dtype)

        def split(start: int, stop: int) -> None:
            if self.negative == "keep":
                _kernels.split_columns(rows, zeros, ones, limits, zeros[:1], start, stop, out)
            else:
                _kernels.scale_columns(rows, zeros, ones, dtype.type(most), start, stop, out)

        run_blocks(split, rows.shape[1])

    def varying_outputs(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Return a mask of outputs that vary over the training rows."""
        changes = extrema.width > 0
        sides = (extrema.maximum > 0, extrema.minimum < 0)[: len(self._sides())]
        return np.concatenate([changes & side for side in sides])

    def _sides(self) -> str:
        if self.negative not in ("keep", "drop"):
            raise ParameterError(f"negative must be 'keep' or 'drop': it is {self.negative!r}")
        return "+-" if self.negative == "keep" else "+"
