r"""Moments: all that a ridge, LASSO or readout solver needs to know about the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import blas

from densernn import _kernels
from densernn._threads import run_blocks
from densernn.errors import DataError, MergeError
from densernn.folds.columns import counted_rows

FloatArray = NDArray[np.floating[Any]]
Float64Array = NDArray[np.float64]


@dataclass(eq=False)
class Moments:
    r"""Weighted first and second moments of rows z = (h, t): features h and targets t.

    With weights :math:`w_i` and the fold's own shift s, it holds

    .. math::

        n = \sum_i w_i, \quad s_1 = \sum_i w_i (z_i - s), \quad
        S_2 = \sum_i w_i (z_i - s)(z_i - s)^T .

    About another shift s + e they are :math:`s_1 - n e` and
    :math:`S_2 - s_1 e^T - e s_1^T + n e e^T`, so that folds about different shifts merge
    exactly: centring for precision does not break the law
    ``of(A).merge(of(B)) == of(vstack(A, B))``.

    Parameters
    ----------
    n_features, n_targets : int
        Columns of H and of T; L and k below.
    weight : float
        n, the total weight.
    shift : ndarray of shape (L + k,), float64
        s, near the mean where the fold was made by :meth:`of` or :meth:`add`.
    sums : ndarray of shape (L + k,), float64
        :math:`s_1`, about the shift.
    second : ndarray of shape (L + k, L + k), float64, Fortran order
        :math:`S_2`, about the shift.  **Only the upper triangle holds numbers**; the part
        below the diagonal is zero.

    Notes
    -----
    Memory: 8 (L + k)^2 bytes, and half as much while float32 rows are added.  Cost of a row:
    (L + k)^2 floating-point operations, as a symmetric rank-m update (SYRK) of the rows' own
    buffer, which is half of a matrix product.

    Examples
    --------
    >>> H, T = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.0], [0.0]])
    >>> whole = Moments.of(H, T)
    >>> parts = Moments.of(H[:1], T[:1]).merge(Moments.of(H[1:], T[1:]))
    >>> whole.HtH, parts.HtT.T
    (array([[10., 17.],
           [17., 29.]]), array([[1., 2.]]))
    """

    n_features: int
    n_targets: int
    weight: float
    shift: Float64Array
    sums: Float64Array
    second: Float64Array

    @classmethod
    def zero(cls, n_features: int, n_targets: int) -> Self:
        """Return the moments of no rows."""
        size = n_features + n_targets
        second = np.zeros((size, size), order="F")
        return cls(n_features, n_targets, 0.0, np.zeros(size), np.zeros(size), second)

    @classmethod
    def of(cls, H: ArrayLike, T: ArrayLike, weight: ArrayLike | None = None) -> Self:
        """Fold rows.

        Parameters
        ----------
        H : array of shape (n_rows, n_features), float32 or float64
            Hidden activations.  Products are computed in its dtype, totals kept in float64.
        T : array of shape (n_rows,) or (n_rows, n_targets)
            Targets.
        weight : array of shape (n_rows,), optional
            Weights, not negative.

        Returns
        -------
        Moments
        """
        features, weights = counted_rows(np.atleast_2d(np.asarray(H)), weight)
        targets, _ = counted_rows(T, weight)
        targets = targets[:, None] if targets.ndim == 1 else targets
        dtype = np.float32 if features.dtype == np.float32 else np.float64
        fold = cls.zero(features.shape[1], targets.shape[1])
        columns = np.empty((fold.size, len(features)), dtype)
        columns[: fold.n_features] = features.T
        fold.add(columns, targets, None if weight is None else weights)
        return fold

    @property
    def size(self) -> int:
        """L + k."""
        return self.n_features + self.n_targets

    def add(
        self, columns: FloatArray, targets: NDArray[Any], weight: Float64Array | None = None
    ) -> None:
        """Add rows in place, using their buffer as scratch: nothing of their size is copied.

        Parameters
        ----------
        columns : ndarray of shape (L + k, n_rows), float32 or float64, C order
            Its first L rows are the features' columns; the last k are free for the targets.
            **Overwritten.**
        targets : ndarray of shape (n_rows, k)
            In float64 where they are far from 0: they are centred before they are rounded.
        weight : ndarray of shape (n_rows,), optional
            Weights, not negative; 1 where not given.
        """
        if not columns.shape[1]:
            return
        total = float(columns.shape[1]) if weight is None else float(weight.sum())
        if not total:
            return
        if not self.weight:
            self._settle_shift(columns, targets, weight, total)
        n_features = self.n_features
        rounded = self.shift.astype(columns.dtype)
        np.copyto(columns[n_features:], (targets - self.shift[n_features:]).T)
        rounded[n_features:] = 0
        root = np.empty(0, columns.dtype) if weight is None else np.sqrt(weight, dtype=np.float64)
        root = root.astype(columns.dtype, copy=False)
        run_blocks(
            lambda i, j: _kernels.centre_rows(columns[i:j], rounded[i:j], root, self.sums[i:j]),
            self.size,
            at_least=16,
        )
        self.weight += total
        self._add_products(columns)

    def _settle_shift(
        self,
        columns: FloatArray,
        targets: NDArray[Any],
        weight: Float64Array | None,
        total: float,
    ) -> None:
        """Shift by the mean of the first rows, rounded to the dtype in which rows come."""
        features = columns[: self.n_features]
        weights = np.full(columns.shape[1], 1.0) if weight is None else weight
        mean = features @ weights.astype(columns.dtype) / total
        self.shift[: self.n_features] = mean.astype(columns.dtype)
        self.shift[self.n_features :] = weights @ targets / total

    def _add_products(self, columns: FloatArray) -> None:
        if columns.dtype == np.float64:
            self.second = blas.dsyrk(
                1.0, columns.T, beta=1.0, c=self.second, trans=1, lower=0, overwrite_c=1
            )
            return
        part = blas.ssyrk(1.0, columns.T, trans=1, lower=0)
        run_blocks(lambda i, j: _kernels.add_upper(self.second.T, part.T, i, j), self.size)

    def about(self, shift: Float64Array) -> Self:
        """Return the same moments about another shift (exact re-basing, O(L^2))."""
        gap = shift - self.shift
        second = self.second.copy(order="F")
        return type(self)(
            self.n_features,
            self.n_targets,
            self.weight,
            np.array(shift, np.float64),
            self.sums - self.weight * gap,
            _rebase(second, self.sums, gap, self.weight),
        )

    def translated(self, offsets: Float64Array) -> Self:
        """Return the moments of the same rows with ``offsets[j]`` added to column j; exact.

        The products about the shift, which moves along, are shared and not copied.
        """
        moved = self.shift + offsets
        return type(self)(
            self.n_features, self.n_targets, self.weight, moved, self.sums, self.second
        )

    def scaled(self, factors: Float64Array) -> Self:
        """Return the moments of the same rows with column j times ``factors[j]``."""
        second = self.second * factors[:, None]
        second *= factors
        return type(self)(
            self.n_features,
            self.n_targets,
            self.weight,
            self.shift * factors,
            self.sums * factors,
            second,
        )

    @property
    def variances(self) -> Float64Array:
        """Weighted variance of each of the L + k columns, without a correction for the mean."""
        about_shift = self.sums / self.weight
        squares = self.second.diagonal() / self.weight
        return cast("Float64Array", np.maximum(squares - about_shift * about_shift, 0.0))

    def merge(self, other: Moments) -> Self:
        """Return the moments of the rows of both, about this fold's shift.

        Raises
        ------
        MergeError
            The folds have different numbers of columns.
        """
        self._match(other)
        if not self.weight:
            return other.about(other.shift)  # type: ignore[return-value]
        joined = other.about(self.shift)
        joined.weight += self.weight
        joined.sums += self.sums
        joined.second += self.second
        return joined  # type: ignore[return-value]

    def subtract(self, other: Moments) -> Self:
        """Return the moments of the rows of this that are not those of ``other``.

        Rows that were never added are not noticed unless more weight is taken than there is.

        Raises
        ------
        MergeError
            The folds have different numbers of columns, or ``other`` weighs more.
        """
        self._match(other)
        left = self.weight - other.weight
        if left < -1e-9 * max(1.0, self.weight):
            raise MergeError(
                f"cannot take away rows of total weight {other.weight:g} from {self.weight:g}"
            )
        if left <= 1e-9 * max(1.0, self.weight):
            return self.zero(self.n_features, self.n_targets)
        removed = other.about(self.shift)
        removed.weight = left
        np.subtract(self.sums, removed.sums, out=removed.sums)
        np.subtract(self.second, removed.second, out=removed.second)
        return removed  # type: ignore[return-value]

    def decayed(self, factor: float) -> Self:
        """Return the moments of the same rows with every weight times ``factor``."""
        return type(self)(
            self.n_features,
            self.n_targets,
            self.weight * factor,
            self.shift,
            self.sums * factor,
            self.second * factor,
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy the numbers as they lie, which is faster than to pack them and back."""
        copied = type(self)(
            self.n_features,
            self.n_targets,
            self.weight,
            self.shift.copy(),
            self.sums.copy(),
            self.second.copy(order="F"),
        )
        memo[id(self)] = copied
        return copied

    def place_targets(self, n_targets: int, positions: ArrayLike) -> Self:
        """Return moments with more targets: target i moves to ``positions[i]``, new ones are 0.

        So classes that one of two models has not seen are united before a merge.
        """
        about_zero = self.about(
            np.concatenate([self.shift[: self.n_features], np.zeros(self.n_targets)])
        )
        wider = self.zero(self.n_features, n_targets)
        where = np.concatenate(
            [np.arange(self.n_features), self.n_features + np.asarray(positions, np.intp)]
        )
        full = symmetric(about_zero.second)
        wider.second[np.ix_(where, where)] = full
        wider.second[np.tril_indices(wider.size, -1)] = 0.0
        wider.shift[where], wider.sums[where] = about_zero.shift, about_zero.sums
        wider.weight = self.weight
        return wider

    @property
    def means(self) -> Float64Array:
        """Weighted mean of each of the L + k columns."""
        return self.shift + self.sums / self.weight

    @property
    def HtH(self) -> Float64Array:
        """H'H, about 0, of shape (L, L)."""
        return self._raw()[: self.n_features, : self.n_features]

    @property
    def HtT(self) -> Float64Array:
        """H'T, about 0, of shape (L, k)."""
        return self._raw()[: self.n_features, self.n_features :]

    @property
    def TtT(self) -> Float64Array:
        """T'T, about 0, of shape (k, k)."""
        return self._raw()[self.n_features :, self.n_features :]

    def _raw(self) -> Float64Array:
        return symmetric(self.about(np.zeros(self.size)).second)

    def _match(self, other: Moments) -> None:
        mine, theirs = (self.n_features, self.n_targets), (other.n_features, other.n_targets)
        if mine != theirs:
            raise MergeError(
                f"moments of {mine[0]} features and {mine[1]} targets do not go with moments of "
                f"{theirs[0]} features and {theirs[1]} targets"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Store the upper triangle alone, which halves what is pickled or saved."""
        state = dict(self.__dict__)
        state["second"] = np.concatenate([self.second[: j + 1, j] for j in range(self.size)])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        size, packed = state["n_features"] + state["n_targets"], state["second"]
        shapes = [np.shape(state["shift"]), np.shape(state["sums"]), np.shape(packed)]
        if shapes != [(size,), (size,), (size * (size + 1) // 2,)]:
            raise DataError(f"moments of {size} columns cannot have arrays of shapes {shapes}")
        second = np.zeros((size, size), order="F")
        for j in range(size):
            second[: j + 1, j] = packed[j * (j + 1) // 2 :][: j + 1]
        self.__dict__.update(state, second=second)


def _rebase(
    second: Float64Array, sums: Float64Array, gap: Float64Array, weight: float
) -> Float64Array:
    """Return S2 - s1 e' - e s1' + n e e' in the upper triangle, in place.

    With v = s1 - (n/2) e this is the symmetric rank-2 update S2 - v e' - e v'.
    """
    if not gap.any():
        return second
    return cast(
        "Float64Array",
        blas.dsyr2(-1.0, sums - 0.5 * weight * gap, gap, a=second, lower=0, overwrite_a=1),
    )


def symmetric(upper: Float64Array) -> Float64Array:
    """Return the full matrix whose upper triangle is given."""
    full = upper + upper.T
    np.fill_diagonal(full, upper.diagonal())
    return full
