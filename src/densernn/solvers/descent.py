"""Descent by multiplicative updates: a line search over the exponent (docs/decisions/0006).

A :class:`Problem` evaluates costs and update terms; rows are not needed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from densernn.solvers.multiplicative import Terms, update

Float64Array = NDArray[np.float64]

MOST_HALVINGS = 20
"""Maximum number of halvings of the exponent; after that the weights are kept."""

PATIENCE = 4
"""Accepted steps, after a rejected one, before a larger exponent is tried: a rejected step costs
a pass."""


@dataclass(frozen=True, eq=False)
class Point:
    """Weights and their cost.

    Parameters
    ----------
    weights : tuple of ndarray, float64
        The weights that are updated.
    cost : float
        Cost at these weights over all rows.
    found : Any
        Further results of the same pass: terms of the next update, or a solved decoder.
    """

    weights: tuple[Float64Array, ...]
    cost: float
    found: Any


class Problem(Protocol):
    """Cost function to minimise; a call is a pass over the rows, or uses that of an earlier one."""

    def measure(self, weights: tuple[Float64Array, ...]) -> Point:
        """Return the cost at the given weights."""

    def terms(self, point: Point) -> Sequence[Terms]:
        """Return the update terms at a point, one for each array of weights."""


@dataclass(frozen=True, eq=False)
class Descent:
    """State after some iterations; immutable, so that an interrupt leaves the last complete one.

    Parameters
    ----------
    point : Point
        The last accepted weights.
    costs : tuple of float
        Cost before the first iteration and after each.
    exponents : tuple of float
        Exponent of each iteration; 0 if no step lowered the cost and the weights were kept.
    next_exponent : float
        First exponent of the next iteration.
    wait : int
        Steps to accept before the exponent is doubled again.
    refused : int
        Total number of rejected steps.
    """

    point: Point
    costs: tuple[float, ...]
    exponents: tuple[float, ...] = ()
    next_exponent: float = 1.0
    wait: int = 0
    refused: int = 0

    @classmethod
    def start(cls, problem: Problem, weights: tuple[Float64Array, ...]) -> Self:
        """Return the state at the initial weights."""
        point = problem.measure(weights)
        return cls(point, (point.cost,))

    def advance(
        self, problem: Problem, max_exponent: float = np.inf, *, damped: bool = True
    ) -> Self:
        """Return the state after one more iteration.

        Parameters
        ----------
        problem : Problem
            The cost function.
        max_exponent : float, default=inf
            Upper bound of the exponent, which doubles after a step that was accepted at once; after
            a rejected one, only when :data:`PATIENCE` further steps have been accepted.
        damped : bool, default=True
            Whether to halve the exponent until the cost does not rise.  If False, full steps are
            taken whether the cost falls or rises.

        Returns
        -------
        Descent
        """
        terms = problem.terms(self.point)
        exponent = min(self.next_exponent, max_exponent) if damped else 1.0
        for halvings in range(MOST_HALVINGS + 1):
            weights = tuple(
                update(W, term.numerator, term.denominator, exponent)
                for W, term in zip(self.point.weights, terms, strict=True)
            )
            point = problem.measure(weights)
            # Small exponents descend, up to rounding: see multiplicative.py.
            if point.cost <= self.point.cost or not damped:
                # Longer and shorter waits are slower: docs/decisions/0006.
                wait = PATIENCE if halvings else max(self.wait - 1, 0)
                ready = not halvings and self.wait <= 1
                following = min(2.0 * exponent, max_exponent) if ready else exponent
                return self._with(point, exponent, following, wait, halvings)
            exponent /= 2.0
        # Keep the weights, and begin the next iteration with the published step.
        return self._with(self.point, 0.0, 1.0, 0, MOST_HALVINGS + 1)

    def _with(
        self, point: Point, exponent: float, following: float, wait: int, refused: int
    ) -> Self:
        costs, exponents = (*self.costs, point.cost), (*self.exponents, exponent)
        return type(self)(point, costs, exponents, following, wait, self.refused + refused)

    def settled(self, tol: float) -> bool:
        """Return whether the last iteration changed the cost by at most ``tol``, relatively."""
        if not self.exponents:
            return False
        last = self.exponents[-1]
        change = abs(self.costs[-2] - self.costs[-1])
        # While the exponent grows, a small change only says that steps were still short.
        growing = 0.0 < last < self.next_exponent
        # The change of a damped step is compared with its share of a full one.
        return not change or (not growing and change <= tol * min(1.0, last) * self.costs[-2])
