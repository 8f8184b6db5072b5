r"""Ridge solver from moments: equations (23), (24) and (26), with an unpenalised intercept."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import blas, lapack

from densernn.errors import ParameterError, SingularSolveWarning
from densernn.stats import Moments

Float64Array = NDArray[np.float64]
Rows = tuple[Float64Array, Float64Array, Float64Array]

EXACT_TRACE = 1024
"""Largest number of features for which the trace of the inverse is exact, not estimated."""

N_PROBES = 64

EXACT_FIT = 1e-9
"""Share of the targets' squares below which an error counts as 0: where rows are fitted exactly,
ever smaller penalties would otherwise lower the score by rounding alone (docs/decisions/0002)."""


@dataclass(frozen=True, eq=False)
class RidgeSolution:
    """Solution of a ridge problem for one penalty.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_targets), float64
        W of (26).
    intercept : ndarray of shape (n_targets,), float64
        Unpenalised; 0 without an intercept.
    alpha : float
        The penalty, 1/kappa in the paper.
    calibration : ClassProbabilities, LabelProbabilities or Intervals, optional
        Of outputs, by rows that these had no part in.
    bounds : pair of ndarray of shape (n_targets,), optional
        Least and largest output; None where targets say it.
    """

    coef: Float64Array
    intercept: Float64Array
    alpha: float
    calibration: Any = None
    bounds: tuple[Float64Array, Float64Array] | None = None


class RidgeSystem:
    r"""Normal equations of ridge regression, prepared once for many penalties.

    With moments centred at their means (or about 0 without an intercept), S = H'H and
    C = H'T, a penalty alpha asks for

    .. math:: W = (\alpha I + S)^{-1} C, \qquad b = \bar t - \bar h W .

    Each penalty costs one Cholesky factorisation and no pass over the rows.

    Parameters
    ----------
    moments : Moments
        At least one row.
    working_dtype : numpy float dtype, default=float64
        dtype in which the products of the moments were computed, and so the precision of S.
    intercept : bool, default=True
        Whether to fit an unpenalised intercept.
    negligible : float, default=0.0
        Squared error per unit of weight that counts as 0 in :meth:`score`.
    n_leading : int, default=0
        Number of leading features that are nearly uncorrelated principal directions
        (:class:`Rotation`); they do not count in the :attr:`floor`.

    Notes
    -----
    Cost of a penalty: L^3/3 floating-point operations, and as many for an exact trace.
    Memory: one L x L array of float64 for each penalty, besides the moments.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> H = rng.normal(size=(50, 3)); T = H @ [[1.0], [2.0], [3.0]] + 4
    >>> solution = RidgeSystem(Moments.of(H, T)).solve(1e-9)
    >>> solution.coef.T.round(6), solution.intercept.round(6)
    (array([[1., 2., 3.]]), array([4.]))
    """

    def __init__(
        self,
        moments: Moments,
        working_dtype: Any = np.float64,
        intercept: bool = True,
        negligible: float = 0.0,
        n_leading: int = 0,
    ) -> None:
        if not moments.weight:
            raise ParameterError("a ridge system needs moments of at least one row: they are empty")
        self.moments = moments
        self.intercept = intercept
        self.epsilon = float(np.finfo(working_dtype).eps)
        size = moments.n_features
        # Moments about their means, or about 0 without an intercept: S2 - v e' - e v'.  Kept as a
        # rank-2 update, so that the moments themselves are not copied.
        self._gap = (moments.means if intercept else np.zeros(moments.size)) - moments.shift
        self._pair = moments.sums - 0.5 * moments.weight * self._gap
        edge = moments.second[:, size:] - np.outer(self._pair, self._gap[size:])
        edge -= np.outer(self._gap, self._pair[size:])
        self.cross = edge[:size]
        self.target_squares = float(np.maximum(np.trace(edge[size:]), 0.0))
        self._no_error = max(EXACT_FIT * self.target_squares, negligible * moments.weight)
        diagonal = moments.second.diagonal()[:size] - 2 * (self._pair * self._gap)[:size]
        self.trace = float(np.maximum(diagonal, 0.0).sum())
        self._leading = n_leading if n_leading < size else 0
        # Rounding of a leading feature is relative to its own, larger scale: docs/decisions/0008.
        rest = np.maximum(diagonal[self._leading :], 0.0)
        self.mean_eigenvalue = float(rest.sum()) / rest.size
        # Rounding perturbs eigenvalues of S by about epsilon times the norm of a matrix of
        # independent errors of the size of the mean diagonal, which grows with the root of L; of
        # few features, by the error of the long sums of single entries.
        spread = max(0.25 * np.sqrt(size), 4.0)
        self.floor = float(self.epsilon * self.mean_eigenvalue * spread) or 1e-30

    def solve(self, alpha: float) -> RidgeSolution:
        """Solve for one penalty.

        Parameters
        ----------
        alpha : float
            Not negative.

        Returns
        -------
        RidgeSolution

        Raises
        ------
        ParameterError
            ``alpha`` is negative or not finite.

        Warns
        -----
        SingularSolveWarning
            The system is singular in the working precision.  If no Cholesky factor exists,
            eigenvectors whose eigenvalues are within rounding of 0 are left out.
        """
        if not (np.isfinite(alpha) and alpha >= 0):
            raise ParameterError(f"alpha must be finite and at least 0: it is {alpha}")
        matrix = self._penalised(alpha)
        norm, least = self._norm_and_least(matrix)
        factor = _factorise(matrix)
        if factor is None:
            del matrix  # before the eigenvectors need as much memory
            self._warn_singular(alpha)
            return self._finish(self._solve_by_eigenvalues(alpha), alpha)
        if factor.smallest(norm) < least:
            self._warn_singular(alpha)
        return self._finish(factor.solve(self.cross), alpha)

    def factor(self, alpha: float) -> Float64Array:
        """Return the upper triangle R of alpha I + S = R'R, with zeros below.

        Where rounding leaves no such factor, it is that of the least larger penalty, in powers of
        ten from the :attr:`floor` on, that has one.
        """
        while (found := _factorise(self._penalised(alpha))) is None:
            alpha = max(10.0 * alpha, self.floor)
        return np.triu(found.triangle)

    def score(self, alpha: float) -> tuple[float, RidgeSolution | None]:
        r"""Return the generalised cross-validation score of a penalty, and its solution.

        .. math::

            G(\alpha) = \frac{\| T - \hat T_\alpha \|^2}{w}
            \left(\frac{n}{n - \mathrm{dof}_\alpha}\right)^2, \quad
            \mathrm{dof}_\alpha = \mathrm{tr}\, S (S + \alpha I)^{-1} + [\mathrm{intercept}],

        with the total weight w and the number of rows n that it stands for
        (:attr:`Moments.n_rows`).  From moments alone, the squared error is
        :math:`\mathrm{tr}\,T'T - \mathrm{tr}\,W'C - \alpha \|W\|^2` (Golub, Heath and Wahba,
        1979).  The score is infinite where no degree of freedom is left that stands out from
        rounding, and where a penalty below :attr:`floor` leaves alpha I + S singular in the
        working precision: whether it has a factor at all is then a matter of rounding.
        """
        matrix = self._penalised(alpha)
        lost = alpha < self.floor
        norm, least = self._norm_and_least(matrix) if lost else (0.0, 0.0)
        factor = _factorise(matrix)
        # Rounding may leave a singular S eigenvalues of a few times the least one.
        if factor is None or (lost and factor.smallest(norm) < 4.0 * least):
            return np.inf, None
        coef = factor.solve(self.cross)
        error = self.target_squares - float(np.sum(coef * self.cross))
        error -= alpha * float(np.sum(coef * coef))
        error = max(error, self._no_error)  # it is a difference, and may be negative by rounding
        n = self.moments.n_rows
        trace = factor.inverse_trace()
        left = n - (self.moments.n_features - alpha * trace + self.intercept)
        # An error d of an eigenvalue changes its share of the freedom by up to d / (alpha + it);
        # rounding was seen to move eigenvalues of few rows by a tenth of the floor.
        if left <= max(1e-9 * n, 0.5 * self.floor * trace):
            return np.inf, None
        return error / self.moments.weight * (n / left) ** 2, self._finish(coef, alpha)

    def left_out(self, solution: RidgeSolution, blocks: Iterable[Rows]) -> Float64Array:
        r"""Return residuals, for some of the rows of the moments, of solutions without them.

        Parameters
        ----------
        solution : RidgeSolution
            Of these moments, with an intercept.
        blocks : iterable of (H, T, weight)
            Activations by columns, of shape (n_features, n_rows), targets and weights.  Of a
            row with copies, as many as its weight, one is left out.

        Returns
        -------
        ndarray of shape (n_rows, n_targets)
            By leverages :math:`h'(\alpha I + S)^{-1} h + 1/w` from one more Cholesky factor.
        """
        moments, found = self.moments, []
        factor = _factorise(self._penalised(solution.alpha))
        for H, T, weight in blocks:
            residual = T - (H.T @ solution.coef + solution.intercept)
            if factor is not None:  # else singular: nothing is known of rows that were left out
                centred = np.asfortranarray(H - moments.means[: moments.n_features, None])
                half = blas.dtrsm(1.0, factor.triangle, centred, lower=0, trans_a=1, overwrite_b=1)
                leverage = np.einsum("ij,ij->j", half, half) + 1.0 / moments.weight
                one = np.minimum(weight, moments.weight / moments.n_rows)
                # No more than 1 but for rounding, which may be large in a singular system.
                rest = 1.0 - one * np.nan_to_num(leverage, nan=1.0)
                residual /= np.maximum(rest, np.finfo(float).eps)[:, None]
            found.append(residual)
        return np.concatenate(found)

    def _norm_and_least(self, matrix: Float64Array) -> tuple[float, float]:
        """Return the 1-norm of alpha I + S, and the least eigenvalue that is not rounding."""
        norm = _upper_norm(matrix)
        common = _upper_norm(matrix[self._leading :, self._leading :]) if self._leading else norm
        return norm, max(max(0.01 * self.epsilon, np.finfo(float).eps) * common, self.floor)

    def _penalised(self, alpha: float) -> Float64Array:
        """Return the upper triangle of alpha I + S in a new array."""
        size = self.moments.n_features
        matrix = np.empty((size, size), order="F")
        matrix[...] = self.moments.second[:size, :size]
        if self._gap.any():
            matrix = blas.dsyr2(
                -1.0, self._pair[:size], self._gap[:size], a=matrix, lower=0, overwrite_a=1
            )
        matrix.ravel(order="K")[:: size + 1] += alpha  # the diagonal, as a view
        return cast("Float64Array", matrix)

    def _solve_by_eigenvalues(self, alpha: float) -> Float64Array:
        """Return the solution on the eigenvectors whose eigenvalues exceed rounding errors.

        Memory: the matrix and its eigenvectors, two L x L arrays besides the moments.
        """
        values, vectors = linalg.eigh(
            self._penalised(alpha), lower=False, overwrite_a=True, check_finite=False, driver="evr"
        )
        # The rounding of the moments, and that of the eigenvalue solver.
        relative = max(self.epsilon, (50 + values.size) * np.finfo(np.float64).eps)
        kept = values > max(relative * values[-1], 2 * self.floor)
        along = (vectors.T @ self.cross)[kept] / values[kept, None]
        return cast("Float64Array", vectors[:, kept] @ along)

    def _finish(self, coef: Float64Array, alpha: float) -> RidgeSolution:
        size = self.moments.n_features
        if not self.intercept:
            return RidgeSolution(coef, np.zeros(coef.shape[1]), alpha)
        means = self.moments.means
        return RidgeSolution(coef, means[size:] - means[:size] @ coef, alpha)

    def _warn_singular(self, alpha: float) -> None:
        single = self.epsilon > 1e-10
        advice = (
            "use dtype='float64', a larger alpha, or alpha='auto'"
            if single
            else "use a larger alpha, alpha='auto', or weights='sparse'"
        )
        warnings.warn(
            f"the ridge system of {self.moments.n_features} features is numerically singular in "
            f"{'float32' if single else 'float64'} at alpha={alpha:g}: its solution is not "
            f"determined by the data to working precision; {advice}",
            SingularSolveWarning,
            stacklevel=4,
        )


def _factorise(matrix: Float64Array) -> Factor | None:
    """Return the Cholesky factor, which overwrites the matrix, or None if it is not definite."""
    triangle, failed_at = lapack.dpotrf(matrix, lower=0, clean=0, overwrite_a=1)
    return None if failed_at else Factor(triangle)


@dataclass(frozen=True, eq=False)
class Factor:
    """Cholesky factor R of alpha I + S = R'R, upper triangular."""

    triangle: Float64Array

    def smallest(self, norm: float) -> float:
        """Estimate the smallest eigenvalue, or somewhat less, from the matrix's 1-norm in O(L^2).

        The 1-norm of the inverse, which LAPACK estimates, is at least its largest eigenvalue.
        """
        return norm * float(lapack.dpocon(self.triangle, norm, uplo="U")[0])

    def solve(self, right: Float64Array) -> Float64Array:
        """Return (alpha I + S)^-1 ``right``."""
        return cast("Float64Array", lapack.dpotrs(self.triangle, right, lower=0)[0])

    def inverse_trace(self) -> float:
        """Return tr (alpha I + S)^-1, the squared Frobenius norm of R^-1.

        Exact up to :data:`EXACT_TRACE` features, at the cost of a factorisation.  Above, the mean
        of |R'^-1 z|^2 over seeded Rademacher vectors z (Hutchinson, 1990).
        """
        size = len(self.triangle)
        if size <= EXACT_TRACE:
            inverse, _ = lapack.dtrtri(self.triangle, lower=0)
            # Of the transpose: vdot ravels in C order, and would copy a Fortran-ordered array.
            return float(np.vdot(inverse.T, inverse.T))
        probes = np.random.default_rng(0).integers(0, 2, (size, N_PROBES)) * 2.0 - 1.0
        half = blas.dtrsm(1.0, self.triangle, probes, lower=0, trans_a=1)
        return float(np.sum(half * half) / N_PROBES)


def _upper_norm(upper: Float64Array) -> float:
    """Return the 1-norm of the symmetric matrix with the given upper triangle."""
    size = len(upper)
    sums = np.zeros(size)
    # In blocks, as the absolute values of the whole would be another L x L array.
    for start in range(0, size, 256):
        block = np.abs(upper[:, start : start + 256])
        block[np.arange(size)[:, None] > np.arange(start, start + block.shape[1])] = 0.0
        sums[start : start + 256] += block.sum(axis=0)
        sums += block.sum(axis=1)
    return float((sums - np.abs(upper.diagonal())).max())
