r"""LASSO solver from moments, by FISTA: equations (21) and (22)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from densernn import _kernels
from densernn._threads import run_blocks
from densernn.errors import ConvergenceWarning, ParameterError
from densernn.stats import Moments
from densernn.stats.triangles import symmetric

Float64Array = NDArray[np.float64]

VARIANTS = ("restarted", "published")

LANCZOS_STEPS = 20
"""Maximum number of Lanczos steps, and of products with S, for its largest eigenvalue."""

FEWEST_STEPS = 8
"""Minimum number of steps: the first residuals may be small far from the largest eigenvalue."""

CLOSE = 0.02
"""Relative width of the bound at which the iteration stops."""


@dataclass(frozen=True, eq=False)
class LassoSolution:
    """Solution of a LASSO problem for one penalty.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_targets), float64
        W of (21) or (22).
    alpha : float
        The penalty.
    objective : ndarray of shape (n_iter + 1,), float64
        Cost before the first iteration (all weights 0) and after each.
    converged : bool
        Whether the tolerance was reached.
    """

    coef: Float64Array
    alpha: float
    objective: Float64Array
    converged: bool

    @property
    def n_iter(self) -> int:
        """Number of iterations."""
        return self.objective.size - 1


class LassoSystem:
    r"""LASSO problem, prepared once for many penalties.

    With S = H'H and C = H'T about 0 (encoders have no intercept), a penalty alpha asks for

    .. math::

        \min_W \| T - H W \|^2 + \alpha \| W \|_1
        = \mathrm{tr}\, T'T + \min_W \; \mathrm{tr}\, W'(S W - 2 C) + \alpha \|W\|_1 ,

    with W >= 0 in (21).

    Parameters
    ----------
    moments : Moments
        At least one row.

    Attributes
    ----------
    largest : float
        Upper bound of the largest eigenvalue of S, half the Lipschitz constant of the gradient.

    Notes
    -----
    Targets share S only: each is an independent problem with its own momentum and restarts, and
    all advance together by one product S W.  Cost of an iteration: that product, L^2 k
    multiply-adds, for any number of rows.  Memory: S and C, and four arrays of C's shape.

    A step of 1 / largest on half the gradient, S W - C, shrinks by alpha / (2 largest).
    Momentum is that of Beck and Teboulle (2009), restarted for a target whenever it points
    uphill (O'Donoghue and Candes, 2015), which makes convergence linear near the solution.

    scikit-learn's ``Lasso`` divides the squared error by 2 n: its penalty is alpha / (2 n).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> H = rng.random((50, 3)); T = H @ [[1.0], [0.0], [-2.0]]
    >>> system = LassoSystem(Moments.of(H, T))
    >>> system.solve(0.1).coef.T.round(2) + 0.0
    array([[ 0.99,  0.  , -1.99]])
    >>> system.solve(0.1, nonnegative=True).coef.T.round(2)
    array([[0., 0., 0.]])
    """

    def __init__(self, moments: Moments) -> None:
        if not moments.weight:
            raise ParameterError("a LASSO system needs moments of at least one row: they are empty")
        size = moments.n_features
        about_zero = moments.about(np.zeros(moments.size)).second
        self.cross = np.ascontiguousarray(about_zero[:size, size:])
        self.target_squares = float(np.maximum(np.trace(about_zero[size:, size:]), 0.0))
        self._gram = symmetric(about_zero[:size, :size])
        self.largest = largest_eigenvalue(self._gram)

    def solve(
        self,
        alpha: float,
        *,
        nonnegative: bool = False,
        tol: float = 1e-8,
        max_iter: int = 10_000,
        variant: str = "restarted",
    ) -> LassoSolution:
        r"""Solve for one penalty.

        Parameters
        ----------
        alpha : float
            Not negative.
        nonnegative : bool, default=False
            Whether W >= 0, as in (21).
        tol : float, default=1e-8
            Stop when no weight of any target moves by more than this times the largest weight
            of its target.  0 runs ``max_iter`` iterations: few of them act as early stopping.
        max_iter : int, default=10000
            Iterations at most.
        variant : {"restarted", "published"}, default="restarted"
            ``"published"``: as in the paper's experiments, a step of 1 / largest on the whole
            gradient, whose Lipschitz constant is 2 largest, damped by momentum of reversed sign.
            It has the same minimum and is slower.

        Returns
        -------
        LassoSolution

        Raises
        ------
        ParameterError
            A parameter lies outside its range.

        Warns
        -----
        ConvergenceWarning
            ``tol`` was not met in ``max_iter`` iterations.
        """
        check_options(alpha, tol, max_iter, variant)
        search = _Search(self, alpha, nonnegative, published=variant == "published")
        converged = False
        while search.n_iter < max_iter and not converged:
            move = search.advance()
            converged = move <= tol and tol > 0
        if tol > 0 and not converged:
            warnings.warn(
                f"FISTA stopped after {max_iter} iterations, the last of which moved weights by "
                f"{move:.1e} of the largest, not tol={tol:g}: raise max_iter, tol or alpha (of an "
                "encoder by encoder=FistaSolver(...)), or set tol=0 if stopping early is meant",
                ConvergenceWarning,
                stacklevel=2,
            )
        return LassoSolution(search.coef, alpha, search.objective(), converged)


def check_options(alpha: float, tol: float, max_iter: int, variant: str) -> None:
    """Refuse options of :meth:`LassoSystem.solve` outside their range."""
    if not (np.isfinite(alpha) and alpha >= 0):
        raise ParameterError(f"alpha must be finite and at least 0: it is {alpha}")
    if not tol >= 0:
        raise ParameterError(f"tol must be at least 0: it is {tol}")
    if not max_iter >= 1:
        raise ParameterError(f"max_iter must be at least 1: it is {max_iter}")
    if variant not in VARIANTS:
        raise ParameterError(f"variant must be one of {VARIANTS}: it is {variant!r}")


class _Search:
    """The state of one search: points W and W before it, and their products with S."""

    def __init__(
        self, system: LassoSystem, alpha: float, nonnegative: bool, published: bool
    ) -> None:
        self._system, self._published = system, published
        self.coef, self._back, self._product, self._product_back = (
            np.zeros_like(system.cross) for _ in range(4)
        )
        n_targets = system.cross.shape[1]
        self._floor = 0.0 if nonnegative else -np.inf
        # Steps are on half the gradient: the published one, 1 / largest on the whole, is twice as
        # long, at the limit of what converges.
        self._step = (2.0 if published else 1.0) / system.largest
        self._threshold = self._step * alpha / 2.0
        self._age = np.ones(n_targets)  # t_k of Beck and Teboulle, for each target
        self._beta, self._turn, self._move, self._size, self._fit = np.zeros((5, n_targets))
        self._costs: list[float] = []

    @property
    def n_iter(self) -> int:
        return len(self._costs)

    def advance(self) -> float:
        """Do one iteration; return the largest move relative to the largest weight of a target."""
        self._run_kernel()
        # The kernel returns the cost at the previous point, whose product S W it had at hand.
        self._costs.append(self._system.target_squares + float(self._fit.sum()))
        self.coef, self._back = self._back, self.coef
        self._product, self._product_back = self._product_back, self._product
        np.matmul(self._system._gram, self.coef, out=self._product)
        if not self._published:
            # The gradient restart: momentum and proximal gradient point apart.
            self._age[self._turn > 0] = 1.0
        older = 0.5 + np.sqrt(0.25 + self._age**2)
        np.divide(self._age - 1.0, older, out=self._beta)
        if self._published:  # the sign of the published momentum is reversed: docs/decisions/0007
            np.negative(self._beta, out=self._beta)
        self._age = older
        scale = np.where(self._size > 0, self._size, 1.0)
        return float(np.max(self._move / scale, initial=0.0))

    def _run_kernel(self) -> None:
        run_blocks(
            lambda i, j: _kernels.proximal_step(
                self.coef,
                self._back,
                self._product,
                self._product_back,
                self._system.cross,
                self._beta,
                self._step,
                self._threshold,
                self._floor,
                i,
                j,
                self._turn,
                self._move,
                self._size,
                self._fit,
            ),
            self.coef.shape[1],
            at_least=max(1, 20_000 // len(self.coef)),
        )

    def objective(self) -> Float64Array:
        """Return the cost before the first iteration and after each."""
        last = np.vdot(self.coef, self._product) - 2.0 * np.vdot(self.coef, self._system.cross)
        last += 2.0 * self._threshold / self._step * float(np.abs(self.coef).sum())
        return np.array([*self._costs, self._system.target_squares + last])


def largest_eigenvalue(matrix: NDArray[Any]) -> float:
    r"""Return an upper bound of the largest eigenvalue of a positive semidefinite matrix.

    Parameters
    ----------
    matrix : ndarray of shape (L, L), float64
        Symmetric, without negative eigenvalues.

    Returns
    -------
    float
        Above 0, mostly within 2 % of the eigenvalue.

    Notes
    -----
    After m Lanczos steps from a random start, the largest Ritz value plus the norm of the
    residual of the whole basis, beta_m, lies above the eigenvalue (Zhou and Li, 2011); so do
    the trace and the infinity norm, always.  The smallest of the three is returned.  Matrices of
    up to 20 rows are decomposed.

    Examples
    --------
    >>> bool(5.0 <= largest_eigenvalue(np.diag([1.0, 2.0, 5.0])) < 5.1)
    True
    """
    size = len(matrix)
    surest = min(float(np.trace(matrix)), float(linalg.norm(matrix, np.inf)))
    if not surest > 0:
        return 1.0  # S is 0: any step serves
    margin = 1.0 + 1e-12 * size  # for rounding of the products
    if size <= LANCZOS_STEPS:
        return float(linalg.eigvalsh(matrix)[-1]) * margin
    basis = np.zeros((LANCZOS_STEPS, size))
    vector = np.random.default_rng(0).normal(size=size)
    diagonal: list[float] = []
    beside: list[float] = []
    bound = surest
    for step in range(len(basis)):
        basis[step] = vector / np.linalg.norm(vector)
        vector = matrix @ basis[step]
        diagonal.append(float(basis[step] @ vector))
        # Twice: once leaves rounding that grows from step to step.
        for _ in range(2):
            vector -= basis[: step + 1].T @ (basis[: step + 1] @ vector)
        residual = float(np.linalg.norm(vector))
        ritz = float(linalg.eigvalsh_tridiagonal(diagonal, beside)[-1])
        bound = min(surest, ritz + residual)
        if not residual > 0:
            # The Krylov space is invariant and need not contain the largest eigenvector.
            return surest * margin
        if step + 1 >= FEWEST_STEPS and residual <= CLOSE * ritz:
            break
        beside.append(residual)
    return bound * margin
