r"""Moments: weighted sums and products of features and targets, the input of all solvers."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import blas

from densernn import _kernels
from densernn._threads import run_blocks
from densernn.errors import DataError, MergeError
from densernn.stats.column_stats import counted_rows
from densernn.stats.few_rows import FewRows
from densernn.stats.triangles import packed, rebase, symmetric, unpacked

FloatArray = NDArray[np.floating[Any]]
Float64Array = NDArray[np.float64]


@dataclass(eq=False)
class Moments:
    r"""Weighted first and second moments of rows z = (h, t): features h and targets t.

    With weights :math:`w_i` and a shift s of their own, they are

    .. math::

        n = \sum_i w_i, \quad s_1 = \sum_i w_i (z_i - s), \quad
        S_2 = \sum_i w_i (z_i - s)(z_i - s)^T .

    About another shift s + e they are :math:`s_1 - n e` and
    :math:`S_2 - s_1 e^T - e s_1^T + n e e^T`, so that moments about different shifts merge
    exactly: centring for precision does not break the law
    ``of(A).merge(of(B)) == of(vstack(A, B))``.

    Parameters
    ----------
    n_features, n_targets : int
        Number of columns of H and of T, L and k below.
    weight : float
        n, the total weight.
    squares : float
        :math:`\sum_i w_i^2`.
    shift : ndarray of shape (L + k,), float64
        s; near the mean if the moments come from :meth:`of` or :meth:`add`.
    sums : ndarray of shape (L + k,), float64
        :math:`s_1`, about the shift.
    products : ndarray of shape (L + k, L + k), float64, Fortran order, or None
        :math:`S_2`, about the shift.  **Only the upper triangle is stored**; entries below the
        diagonal are zero.  None where they were not needed yet; see :attr:`second`.
    few : FewRows or None
        The rows themselves, as long as there are no more than features; else None.

    Notes
    -----
    Memory: 8 (L + k)^2 bytes, and half as much again while float32 rows are added.  Cost of a
    row: (L + k)^2 floating-point operations, as a symmetric rank-m update (SYRK), half of a matrix
    product.  One matrix over features and targets serves all solvers (docs/decisions/0005).

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
    squares: float
    shift: Float64Array
    sums: Float64Array
    products: Float64Array | None
    few: FewRows | None

    @classmethod
    def zero(cls, n_features: int, n_targets: int) -> Self:
        """Return the moments of no rows."""
        shift, sums = np.zeros((2, n_features + n_targets))
        few = FewRows.zero(n_features, n_targets)
        return cls(n_features, n_targets, 0.0, 0.0, shift, sums, None, few)

    @classmethod
    def of(cls, H: ArrayLike, T: ArrayLike, weight: ArrayLike | None = None) -> Self:
        """Return the moments of rows.

        Parameters
        ----------
        H : array of shape (n_rows, n_features), float32 or float64
            Hidden activations.  Products are computed in its dtype and summed in float64.
        T : array of shape (n_rows,) or (n_rows, n_targets)
            Targets.
        weight : array of shape (n_rows,), optional
            Weights of the rows, nonnegative.

        Returns
        -------
        Moments
        """
        features, weights = counted_rows(np.atleast_2d(np.asarray(H)), weight)
        targets, _ = counted_rows(T, weight)
        targets = targets[:, None] if targets.ndim == 1 else targets
        dtype = np.float32 if features.dtype == np.float32 else np.float64
        moments = cls.zero(features.shape[1], targets.shape[1])
        columns = np.empty((moments.size, len(features)), dtype)
        columns[: moments.n_features] = features.T
        moments.add(columns, targets, None if weight is None else weights)
        return moments

    @property
    def size(self) -> int:
        """Number of columns, L + k."""
        return self.n_features + self.n_targets

    @property
    def second(self) -> Float64Array:
        """:math:`S_2` about the shift, in the upper triangle; computed when it is first needed."""
        if self.products is None:
            self.products = np.zeros((self.size, self.size), order="F")
            if self.few is not None and len(self.few):
                self._multiply(*self.few.as_chunk(), np.zeros(self.size))
        return self.products

    @property
    def n_rows(self) -> float:
        r"""Number of rows that the weights stand for, for estimates of errors.

        The total weight, as weight k is k copies; but at least Kish's effective number of rows,
        :math:`(\sum_i w_i)^2 / \sum_i w_i^2`, which does not depend on the scale of weights that
        are shares of 1, or were weighed down (Kish, 1965).
        """
        return max(self.weight, self.weight**2 / self.squares) if self.weight else 0.0

    def add(
        self, columns: FloatArray, targets: NDArray[Any], weight: Float64Array | None = None
    ) -> None:
        """Add rows in place.

        Parameters
        ----------
        columns : ndarray of shape (L + k, n_rows), float32 or float64, C order
            Features by columns in its first L rows; the last k receive the targets.  The array is
            used as scratch space and **overwritten**.
        targets : ndarray of shape (n_rows, k)
            Targets.  They are centred before they are rounded to the dtype of ``columns``.
        weight : ndarray of shape (n_rows,), optional
            Weights, nonnegative; 1 by default.
        """
        if not columns.shape[1]:
            return
        total = float(columns.shape[1]) if weight is None else float(weight.sum())
        if not total:
            return
        if not self.weight:
            self._settle_shift(columns, targets, weight, total)
        self.weight += total
        with np.errstate(over="ignore", under="ignore"):
            self.squares += total if weight is None else float(np.square(weight).sum())
        n_rows = columns.shape[1]
        if self.few is not None and len(self.few) + n_rows <= self.n_features:
            self._keep(columns, targets, np.ones(n_rows) if weight is None else weight)
            return
        self._leave_rows()
        self._multiply(columns, targets, weight, self.sums)

    def _keep(self, columns: FloatArray, targets: NDArray[Any], weight: Float64Array) -> None:
        """Add rows to the few."""
        features, counted = columns[: self.n_features], weight > 0
        # In one dtype for all rows, that of the first.
        known = self.few if self.few is not None and len(self.few) else None
        features = features.astype(features.dtype if known is None else known.features.dtype)
        rows = FewRows(features, np.array(targets, np.float64), np.array(weight, np.float64))
        rows = rows if counted.all() else rows.take(counted)
        self.few = rows if known is None else known.joined(rows)
        self.sums += np.concatenate(
            [
                (features - self.shift[: self.n_features, None]) @ weight,
                weight @ (targets - self.shift[self.n_features :]),
            ]
        )
        self.products = None

    def _leave_rows(self) -> None:
        """Go over from rows to their products, for good."""
        if self.few is not None:
            self.products = self.second
            self.few = None

    def _multiply(
        self,
        columns: FloatArray,
        targets: NDArray[Any],
        weight: Float64Array | None,
        sums: Float64Array,
    ) -> None:
        """Add the products of rows, and their sums to ``sums``; ``columns`` are overwritten."""
        n_features = self.n_features
        rounded = self.shift.astype(columns.dtype)
        # Targets far from 0 would lose digits in float32: they are shifted in float64 here, and by
        # 0 in the kernel.
        np.copyto(columns[n_features:], (targets - self.shift[n_features:]).T)
        rounded[n_features:] = 0
        # SYRK has no weights: rows are scaled by the roots of theirs.
        root = np.empty(0, columns.dtype) if weight is None else np.sqrt(weight, dtype=np.float64)
        root = root.astype(columns.dtype, copy=False)
        run_blocks(
            lambda i, j: _kernels.centre_rows(columns[i:j], rounded[i:j], root, sums[i:j]),
            self.size,
            at_least=16,
        )
        self._add_products(columns)

    def _settle_shift(
        self,
        columns: FloatArray,
        targets: NDArray[Any],
        weight: Float64Array | None,
        total: float,
    ) -> None:
        """Set the shift to the mean of the first rows, rounded to the dtype of ``columns``."""
        features = columns[: self.n_features]
        weights = np.full(columns.shape[1], 1.0) if weight is None else weight
        # Rounded, so that subtracting it in the dtype of the rows is the very shift recorded here
        # in float64: any shift is exact, the mean only keeps products small.
        mean = features @ weights.astype(columns.dtype) / total
        self.shift[: self.n_features] = mean.astype(columns.dtype)
        self.shift[self.n_features :] = weights @ targets / total

    def _add_products(self, columns: FloatArray) -> None:
        # C-ordered columns are a Fortran-ordered matrix to BLAS, which copies nothing
        # (docs/decisions/0005), and beta = 1 with overwrite_c adds in place.
        total = self.second
        if columns.dtype == np.float64:
            self.products = blas.dsyrk(
                1.0, columns.T, beta=1.0, c=total, trans=1, lower=0, overwrite_c=1
            )
            return
        # The product of a chunk may be rounded to float32, the total of all chunks may not.
        part = blas.ssyrk(1.0, columns.T, trans=1, lower=0)
        run_blocks(lambda i, j: _kernels.add_upper(total.T, part.T, i, j), self.size)

    def about(self, shift: Float64Array) -> Self:
        """Return the same moments about another shift, exact and in O(L^2)."""
        gap = shift - self.shift
        second = self.second.copy(order="F")
        return replace(
            self,
            shift=np.array(shift, np.float64),
            sums=self.sums - self.weight * gap,
            products=rebase(second, self.sums, gap, self.weight),
            few=None,
        )

    def translated(self, offsets: Float64Array) -> Self:
        """Return the moments of the same rows with ``offsets[j]`` added to column j; exact."""
        # Deviations from the shift stay as they are when both move: sums and products are shared.
        return replace(self, shift=self.shift + offsets, products=self.second, few=None)

    def scaled(self, factors: Float64Array) -> Self:
        """Return the moments of the same rows with column j times ``factors[j]``."""
        second = self.second * factors[:, None]
        second *= factors
        shift, sums = self.shift * factors, self.sums * factors
        return replace(self, shift=shift, sums=sums, products=second, few=None)

    @property
    def variances(self) -> Float64Array:
        """Weighted variance of each of the L + k columns, divided by the total weight."""
        # About the shift, which is near the mean, the difference of squares hardly cancels.
        about_shift = self.sums / self.weight
        squares = self.second.diagonal() / self.weight
        return cast("Float64Array", np.maximum(squares - about_shift * about_shift, 0.0))

    def merge(self, other: Moments) -> Self:
        """Return the moments of the rows of both, about the shift of ``self``.

        Raises
        ------
        MergeError
            The numbers of columns differ.
        """
        self._match(other)
        # Moments of no rows have no shift worth keeping: 0 may be far from the mean.
        if not self.weight:
            return copy.deepcopy(other)  # type: ignore[return-value]
        if self.few is not None and other.few is not None:
            both = self.few.joined(other.few)
            if len(both) <= self.n_features:
                return self._of_few(both)
        joined = other.about(self.shift)
        joined.weight += self.weight
        joined.squares += self.squares
        joined.sums += self.sums
        joined.products = joined.second + self.second
        return joined  # type: ignore[return-value]

    def subtract(self, other: Moments) -> Self:
        """Return the moments without the rows of ``other``.

        Rows that were never added are detected only if their weight exceeds the total.

        Raises
        ------
        MergeError
            The numbers of columns differ, or ``other`` has a larger weight.
        """
        self._match(other)
        left = self.weight - other.weight
        if left < -1e-9 * max(1.0, self.weight):
            raise MergeError(
                f"cannot take away rows of total weight {other.weight:g} from {self.weight:g}"
            )
        # Exactly nothing is left, or only the rounding of the sum of weights.
        if left <= 1e-9 * max(1.0, self.weight):
            return self.zero(self.n_features, self.n_targets)
        if self.few is not None and other.few is not None:
            rest = self.few.without(other.few)
            if rest is not None:
                return self._of_few(rest)
        removed = other.about(self.shift)
        removed.weight = left
        # By rounding, the difference may be less than that of no more rows of one weight.
        removed.squares = max(self.squares - other.squares, left**2 / self.n_rows)
        np.subtract(self.sums, removed.sums, out=removed.sums)
        removed.products = self.second - removed.second
        return removed  # type: ignore[return-value]

    def decayed(self, factor: float) -> Self:
        """Return the moments of the same rows with every weight times ``factor``."""
        few = self.few
        return replace(
            self,
            weight=self.weight * factor,
            squares=self.squares * factor**2,
            sums=self.sums * factor,
            products=None if self.products is None else self.products * factor,
            few=None if few is None else replace(few, weight=few.weight * factor),
        )

    def _of_few(self, rows: FewRows) -> Self:
        """Return the moments of few rows, with columns as here."""
        moments = self.zero(self.n_features, self.n_targets)
        moments.add(*rows.as_chunk())
        return moments

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # The default goes through __getstate__, which packs and unpacks the triangle.
        products = None if self.products is None else self.products.copy(order="F")
        copied = replace(self, shift=self.shift.copy(), sums=self.sums.copy(), products=products)
        memo[id(self)] = copied
        return copied

    def place_targets(self, n_targets: int, positions: ArrayLike) -> Self:
        """Return moments with more targets: target i moves to ``positions[i]``, new ones are 0.

        It is used to merge models that were trained on different sets of classes.
        """
        if self.few is not None:
            wide = self.zero(self.n_features, n_targets)
            return wide._of_few(self.few.widened(n_targets, np.asarray(positions, np.intp)))
        # A new indicator is 0 in all rows: about a shift of 0 its sums and products are 0, too.
        about_zero = self.about(
            np.concatenate([self.shift[: self.n_features], np.zeros(self.n_targets)])
        )
        wider = self.zero(self.n_features, n_targets)
        wider.few = None
        where = np.concatenate(
            [np.arange(self.n_features), self.n_features + np.asarray(positions, np.intp)]
        )
        full = symmetric(about_zero.second)
        wider.second[np.ix_(where, where)] = full
        wider.second[np.tril_indices(wider.size, -1)] = 0.0
        wider.shift[where], wider.sums[where] = about_zero.shift, about_zero.sums
        wider.weight, wider.squares = self.weight, self.squares
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
        """Return the state with the packed upper triangle, which halves its size, or few rows."""
        state = {name: value for name, value in self.__dict__.items() if name != "products"}
        if self.few is None:
            state["second"] = packed(self.second)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Versions before 0.4 counted no squares, as if every row weighed 1, and kept no rows.
        state = {"squares": state["weight"], "few": None} | state
        # The state may come from a file: BLAS would read beyond arrays that are too short.
        few, triangle = state["few"], state.pop("second", None)
        size = state["n_features"] + state["n_targets"]
        shapes = [np.shape(state["shift"]), np.shape(state["sums"])]
        fits = shapes == [(size,), (size,)]
        if few is None:
            shapes.append(np.shape(triangle))
            fits = fits and shapes[2] == (size * (size + 1) // 2,)
        else:
            fits = fits and few.fits(state["n_features"], state["n_targets"])
        if not fits:
            raise DataError(f"moments of {size} columns cannot have arrays of shapes {shapes}")
        products = unpacked(np.asarray(triangle), size) if few is None else None
        self.__dict__.update(state, products=products)
