r"""Dual ridge solver: few rows, whose products with each other are fewer than those of features."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from densernn._threads import one_blas_thread
from densernn.solvers.ridge import EXACT_FIT, RidgeSolution, RidgeSystem
from densernn.stats import Moments

Float64Array = NDArray[np.float64]

ALONE = 300
"""Rows up to which eigenvectors are found in one thread."""


class DualSystem:
    r"""Ridge regression of no more rows than features, prepared once for all penalties.

    With rows scaled by the roots of their weights and centred at their weighted means, H and T, and
    the eigenvectors U and eigenvalues :math:`\lambda` of H H', a penalty leaves the residuals

    .. math:: R = T - H W = U \operatorname{diag}\left(\frac{\alpha}{\lambda + \alpha}\right) U'T,
        \qquad W = H'(H H' + \alpha I)^{-1} T,

    without a difference of large numbers, so that small penalties are judged as well as large ones.
    The residual of a row that was left out is :math:`R_i / (1 - h_i)`, with the leverage

    .. math:: 1 - h_i = \sum_k U_{ik}^2 \frac{\alpha}{\lambda_k + \alpha}

    over all eigenvectors but the one that centring leaves without a value (Allen, 1974).

    Parameters
    ----------
    moments : Moments
        With :attr:`~Moments.few` rows.
    working_dtype : numpy float dtype, default=float64
        In which activations were computed.
    negligible : float, default=0.0
        Squared error per unit of weight that counts as 0.

    Notes
    -----
    Cost: n^2 L multiply-adds and about 10 n^3, then n^2 for each penalty.  Memory: 8 n (L + 2 n)
    bytes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> H = rng.normal(size=(5, 8)); T = H[:, :1] + 4
    >>> solution = DualSystem(Moments.of(H, T)).solve(1e-9)
    >>> bool(np.abs(H @ solution.coef + solution.intercept - T).max() < 1e-6)
    True
    """

    def __init__(
        self, moments: Moments, working_dtype: Any = np.float64, negligible: float = 0.0
    ) -> None:
        few = moments.few
        if few is None:
            raise TypeError("a dual system needs rows, and these moments hold products")
        self.moments = moments
        self.epsilon = float(np.finfo(working_dtype).eps)
        root = np.sqrt(few.weight)
        size, means = moments.n_features, moments.means
        self._rows = (few.features - means[:size, None]) * root
        products = self._rows.T @ self._rows
        self.trace = float(np.trace(products))
        self.mean_eigenvalue = self.trace / size
        # Centring leaves the roots of the weights without a value: as the largest by far it is
        # found, and left out.
        constant = root / np.linalg.norm(root)
        products += (1.0 + self.trace) * np.outer(constant, constant)
        # On a small matrix threads only wait for one another, at many times the time.
        with one_blas_thread() if len(products) <= ALONE else nullcontext():
            values, vectors = linalg.eigh(products, overwrite_a=True, check_finite=False)
        self._values = np.maximum(values[:-1], 0.0)
        self._vectors = vectors[:, :-1]
        targets = (few.targets - means[size:]) * root[:, None]
        self._along = self._vectors.T @ targets
        exact = EXACT_FIT * float(np.square(targets).sum()) / moments.weight
        self._no_error = max(exact, negligible)
        self._squares = np.square(self._vectors)
        # Rows count as copies where they weigh more than one: one of them is left out.
        copies = few.weight * (moments.n_rows / moments.weight)
        self._left_out = np.minimum(1.0, 1.0 / copies)
        spread = max(0.25 * np.sqrt(size), 4.0)
        self.floor = float(self.epsilon * self.mean_eigenvalue * spread) or 1e-30

    def solve(self, alpha: float) -> RidgeSolution:
        """Return the solution for a penalty; see :meth:`RidgeSystem.solve`."""
        if not alpha >= self.floor:  # singular by rounding, or no penalty
            return RidgeSystem(self.moments).solve(alpha)
        dual = self._vectors @ (self._along / (self._values + alpha)[:, None])
        coef = self._rows @ dual
        size, means = self.moments.n_features, self.moments.means
        return RidgeSolution(coef, means[size:] - means[:size] @ coef, alpha)

    def left_out(self, alpha: float) -> Float64Array:
        """Return the residuals of rows that were left out, of shape (n_rows, n_targets).

        Of a row with copies, as many as its weight, one is left out.
        """
        few = self.moments.few
        assert few is not None
        # Without a penalty, as in the limit.
        alpha = max(alpha, 1e-3 * self.floor)
        share = alpha / (self._values + alpha)
        residual = self._vectors @ (share[:, None] * self._along)
        rest = (1.0 - self._left_out) + self._left_out * (self._squares @ share)
        rest = np.maximum(rest, np.finfo(float).tiny)  # a row that alone decides its output
        found: Float64Array = residual / (rest * np.sqrt(few.weight))[:, None]
        return found

    def score(self, alpha: float) -> tuple[float, RidgeSolution | None]:
        """Return the mean squared residual of rows that were left out, and the solution."""
        few, moments = self.moments.few, self.moments
        assert few is not None
        error = few.weight @ np.square(self.left_out(alpha)).sum(axis=1) / moments.weight
        return max(float(error), self._no_error), self.solve(alpha)
