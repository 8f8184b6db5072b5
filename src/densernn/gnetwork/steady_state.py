"""Steady-state solver of equation (1), with chains of triggers summed in closed form."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator, gmres
from scipy.special import xlogy

from densernn.errors import ConvergenceWarning, ParameterError, SaturationError
from densernn.gnetwork.rates import Float64Array, Rates

SWEEPS = 5
"""Damped iterations before the first Newton step, and after each rejected one."""

KRYLOV = 40
"""Maximum dimension of the Krylov space; each vector costs five sparse products."""

FORCING = 1e-2
"""Relative tolerance of the linear system of a Newton step."""


@dataclass(frozen=True, eq=False)
class SteadyState:
    """Steady state of a network of M cells.

    Parameters
    ----------
    q : ndarray of shape (M,)
        Probability that each cell is excited; 1 for saturated cells.
    saturated : ndarray of bool, shape (M,)
        Cells with Lambda+ >= r + Lambda-, whose states grow without bound.
    lambda_plus, lambda_minus : ndarray of shape (M,)
        The total rates Lambda+ and Lambda- of (1).
    residual : float
        Largest error of (1).
    n_iter : int
        Number of damped iterations and Newton steps.
    """

    q: Float64Array
    saturated: NDArray[np.bool_]
    lambda_plus: Float64Array
    lambda_minus: Float64Array
    residual: float
    n_iter: int

    @property
    def mean_state(self) -> Float64Array:
        """Mean state of each cell, q / (1 - q); infinite for saturated cells."""
        with np.errstate(divide="ignore"):
            return np.where(self.saturated, np.inf, self.q / (1 - self.q))

    def joint(
        self, states: ArrayLike, cells: Sequence[int] | None = None, *, log: bool = False
    ) -> Any:
        """Return the joint probability of states of cells.

        Parameters
        ----------
        states : array of shape (..., n_cells), whole numbers from 0 on
        cells : sequence of int, optional
            Indices of cells; by default all.
        log : bool, default=False
            Whether to return the logarithm; the probability of many cells underflows.

        Returns
        -------
        float or ndarray of shape (...)

        Raises
        ------
        SaturationError
            A cell of the network is saturated, so that there is no joint steady state.
        ParameterError
            ``states`` or ``cells`` is invalid.

        Notes
        -----
        By the product form, cells are independent, and cell i is in state k with probability
        (1 - q_i) q_i^k.
        """
        q = self._chosen(cells)
        k = np.asarray(states)
        if k.dtype.kind not in "iu" or k.ndim == 0 or k.shape[-1] != q.size or k.min() < 0:
            raise ParameterError(
                f"states must be whole numbers from 0 on, {q.size} along the last axis: they are "
                f"{k.dtype} of shape {k.shape}"
            )
        logarithm = np.sum(np.log1p(-q) + xlogy(k, q), axis=-1)
        return logarithm if log else np.exp(logarithm)

    def joint_excitation(self, cells: Sequence[int] | None = None) -> float:
        """Return the probability that all given cells are excited, the product of their q.

        Parameters and errors are those of :meth:`joint`.
        """
        return float(np.prod(self._chosen(cells)))

    def _chosen(self, cells: Sequence[int] | None) -> Float64Array:
        if self.saturated.any():
            raise SaturationError(
                f"{self.saturated.sum()} cells are saturated, the first is cell "
                f"{np.argmax(self.saturated)}: their states grow without bound, so there are no "
                "joint probabilities. Lower lambda_plus or raise r or lambda_minus"
            )
        chosen = np.arange(self.q.size) if cells is None else np.asarray(cells)
        fits = chosen.ndim == 1 and chosen.dtype.kind in "iu"
        if not fits or len(np.intersect1d(chosen, np.arange(self.q.size))) < chosen.size:
            raise ParameterError(
                f"cells must be different numbers from 0 to {self.q.size - 1}: they are {cells!r}"
            )
        return self.q[chosen]


class _Point(NamedTuple):
    """Unknowns q and T, and the right-hand sides of the equations at them."""

    q: Float64Array
    T: Float64Array
    plus: Float64Array
    minus: Float64Array
    triggers: Float64Array
    target: Float64Array
    residual: float


class _Equations:
    """Equation (1) in the unknowns q and T, the rates at which triggers reach the cells.

    With F_j = q_j T_j, the rate at which triggers reach cell j while it is excited:

        T_j       = sum_i r_i q_i p(i, j) + sum_i F_i pi(i, j)
        Lambda+_m = lambda+_m + sum_j r_j q_j p+(j, m) + sum_j F_j Q(j, m)
        Lambda-_m = lambda-_m + sum_j r_j q_j p-(j, m) + T_m
        q_m       = min(1, Lambda+_m / (r_m + Lambda-_m))

    The first line sums chains of all lengths: T = (I + A + A^2 + ...) b with A = pi' diag(q).
    With T as an unknown of its own no inner solve is needed (docs/decisions/0009).
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._excite, self._inhibit, self._trigger, self._finish, self._chain = (
            matrix.T.tocsr() for matrix in (rates.p_plus, rates.p_minus, rates.p, rates.Q, rates.pi)
        )

    def at(self, q: Float64Array, T: Float64Array) -> _Point:
        """Return the right-hand sides and the largest error at q and T."""
        fired, found = self._rates.r * q, q * T
        plus = self._rates.lambda_plus + self._excite @ fired + self._finish @ found
        minus = self._rates.lambda_minus + self._inhibit @ fired + T
        triggers = self._trigger @ fired + self._chain @ found
        depleting = self._rates.r + minus
        target = plus / depleting
        error = np.maximum(np.abs(q - np.minimum(target, 1)), np.abs(T - triggers) / depleting)
        return _Point(q, T, plus, minus, triggers, target, float(error.max()))

    def sweep(self, here: _Point) -> _Point:
        """Return the point after a damped iteration, half way to the right-hand sides."""
        q = (here.q + np.minimum(here.target, 1)) / 2
        return self.at(q, (here.T + here.triggers) / 2)

    def newton(self, here: _Point) -> _Point:
        """Return the point after a Newton step, solved by GMRES.

        Cells whose right-hand side is at least 1 are fixed at 1.  Both equations of a cell, and
        the change of its T, are divided by r + Lambda-, so that the diagonal is 1.
        """
        size, (q, T), r = here.q.size, here[:2], self._rates.r
        depleting = r + here.minus
        held = here.target >= 1

        def product(change: Float64Array) -> Float64Array:
            v, w = change[:size], depleting * change[size:]
            fired, found = r * v, T * v + q * w
            # The Jacobian is applied, never formed: it would fill up.
            of_T = w - self._trigger @ fired - self._chain @ found
            of_q = q * (self._inhibit @ fired + w) - self._excite @ fired - self._finish @ found
            return np.concatenate([np.where(held, v, v + of_q / depleting), of_T / depleting])

        errors = np.concatenate([np.minimum(here.target, 1) - q, (here.triggers - T) / depleting])
        jacobian = LinearOperator((2 * size, 2 * size), product, dtype=np.float64)
        krylov = min(KRYLOV, 2 * size)
        change, _ = gmres(jacobian, errors, rtol=FORCING, restart=krylov, maxiter=2)
        q = np.clip(q + change[:size], 0.0, 1.0)
        return self.at(q, np.maximum(T + depleting * change[size:], 0.0))


def solve(rates: Rates, tol: float, max_iter: int) -> SteadyState:
    """Return the steady state: see :meth:`RandomNeuralNetwork.steady_state`."""
    if not tol > 0 or max_iter < 1:
        raise ParameterError(f"tol and max_iter must be above 0: they are {tol} and {max_iter}")
    equations = _Equations(rates)
    here = equations.at(np.zeros(rates.n_cells), np.zeros(rates.n_cells))
    n_iter, sweeps = 0, SWEEPS
    while here.residual > tol and n_iter < max_iter:
        n_iter += 1
        if sweeps:
            here, sweeps = equations.sweep(here), sweeps - 1
        else:
            there = equations.newton(here)
            if there.residual < here.residual / 2:
                here = there
            else:
                sweeps = SWEEPS
    if here.residual > tol:
        warnings.warn(
            f"the steady state has a residual of {here.residual:.1e} after {n_iter} iterations, "
            f"above tol={tol:.1e}: raise max_iter, or tol if that is enough",
            ConvergenceWarning,
            stacklevel=3,
        )
    saturated = here.target >= 1 - tol
    q = np.where(saturated, 1.0, here.q)
    return SteadyState(q, saturated, here.plus, here.minus, here.residual, n_iter)
