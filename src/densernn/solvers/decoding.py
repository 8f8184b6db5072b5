"""Decoder solvers, RidgeSolver and FistaSolver: the ``encoder`` parameter of deep estimators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import ParameterError
from densernn.solvers.fista import LassoSystem, check_options
from densernn.solvers.ridge import RidgeSystem
from densernn.stats import Moments

Float64Array = NDArray[np.float64]

RIDGE_SHARE = 0.4
"""Automatic ridge penalty, as a share of the total variance of the code; docs/decisions/0007."""

LASSO_SHARE = 0.03
"""Automatic L1 penalty per unit of weight, for a code of variance 1; docs/decisions/0007."""


@dataclass(frozen=True)
class RidgeSolver:
    """Ridge regression (23) of the input on the code, without an intercept.

    Parameters
    ----------
    alpha : float or "auto", default="auto"
        Penalty, 1/kappa in the paper, relative to the sum of squared errors.  ``"auto"``: 0.4
        times the total variance of the code, summed over the rows, which shrinks all but its
        principal directions.

    Examples
    --------
    >>> H, X = np.array([[1.0], [2.0], [3.0]]), np.array([[2.0], [4.0], [6.0]])
    >>> RidgeSolver(alpha=0.0).solve(Moments.of(H, X)).round(6)
    array([[2.]])
    """

    alpha: float | str = "auto"
    signed = True

    def __post_init__(self) -> None:
        _check_alpha(self.alpha)

    def solve(self, moments: Moments) -> Float64Array:
        """Return W2, of shape (n_features, n_targets), from moments of code and input."""
        alpha = self.alpha
        if isinstance(alpha, str):
            variance = float(moments.variances[: moments.n_features].sum())
            # Times the weight, as S grows with the rows.  A constant code has variance 0: W2 is
            # then 0 for any positive penalty.
            alpha = RIDGE_SHARE * variance * moments.weight or 1.0
        # An encoder layer has no intercept: X -> zeta(X W2').
        return RidgeSystem(moments, intercept=False).solve(alpha).coef


@dataclass(frozen=True)
class FistaSolver:
    """LASSO (21), (22) of the input on the code, by FISTA.

    Parameters
    ----------
    alpha : float or "auto", default="auto"
        Weight of the L1 norm, relative to the sum of squared errors; the published experiments
        use 1e-3.  ``"auto"``: 0.03 times the total weight of the rows.
    nonnegative : bool, default=False
        Whether W2 >= 0, as in (21).
    tol, max_iter, variant
        As in :meth:`LassoSystem.solve`.  The published experiments stop the ``"published"``
        variant after 150 iterations (``tol=0``), long before convergence: they are regularised by
        early stopping, not by the penalty.
    """

    alpha: float | str = "auto"
    nonnegative: bool = False
    tol: float = 1e-3
    max_iter: int = 2000
    variant: str = "restarted"

    def __post_init__(self) -> None:
        # Here, before any pass over the rows, not in ``solve`` after it.
        _check_alpha(self.alpha)
        check_options(0.0, self.tol, self.max_iter, self.variant)

    @property
    def signed(self) -> bool:
        """Whether weights may be negative."""
        return not self.nonnegative

    def solve(self, moments: Moments) -> Float64Array:
        """Return W2, of shape (n_features, n_targets), from moments of code and input."""
        alpha = LASSO_SHARE * moments.weight if isinstance(self.alpha, str) else self.alpha
        solution = LassoSystem(moments).solve(
            alpha,
            nonnegative=self.nonnegative,
            tol=self.tol,
            max_iter=self.max_iter,
            variant=self.variant,
        )
        return solution.coef


def _check_alpha(alpha: float | str) -> None:
    number = isinstance(alpha, (int, float, np.number)) and not isinstance(alpha, bool)
    if not (alpha == "auto" if isinstance(alpha, str) else number and 0 <= alpha < np.inf):
        raise ParameterError(
            f"an encoder's alpha must be 'auto' or a finite number of at least 0: it is {alpha!r}"
        )


PUBLISHED_FISTA = FistaSolver(alpha=1e-3, tol=0.0, max_iter=150, variant="published")
"""Solver of the published experiments (Classifier-2); Classifier-1 adds ``nonnegative=True``."""

SOLVERS: dict[str, Any] = {
    "ridge": RidgeSolver(),
    "fista": FistaSolver(),
    "nonnegative-fista": FistaSolver(nonnegative=True),
}
"""Solvers that estimators and model files accept, by the name that ``encoder`` has for them."""
