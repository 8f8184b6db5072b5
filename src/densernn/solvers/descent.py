"""Iterate multiplicative updates so that the cost never rises: a search for the exponent.

Only weights, terms and costs are seen here, not even chunks of rows: a :class:`Problem` passes over
those.
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
"""Halvings of the exponent after which an iteration gives up and keeps the weights."""

PATIENCE = 4
"""Steps that must go well, after one was refused, before a larger exponent is tried again: a
refused step costs a pass."""


@dataclass(frozen=True, eq=False)
class Point:
    """Weights that have been measured.

    Parameters
    ----------
    weights : tuple of ndarray, float64
        Those that are updated.
    cost : float
        At these weights, over all rows.
    found : Any
        What the measuring pass found beside: terms of the next update, or a solved decoder.
    """

    weights: tuple[Float64Array, ...]
    cost: float
    found: Any


class Problem(Protocol):
    """A cost to descend; each call is a pass over the rows, or what an earlier one found."""

    def measure(self, weights: tuple[Float64Array, ...]) -> Point:
        """Return the cost at some weights."""

    def terms(self, point: Point) -> Sequence[Terms]:
        """Return the terms of an update from a measured point, one for each of its weights."""


@dataclass(frozen=True, eq=False)
class Descent:
    """The iterations done so far: replaced whole by each new one, so never half done.

    Parameters
    ----------
    point : Point
        The best weights: the last accepted ones.
    costs : tuple of float
        Before the first iteration and after each.
    exponents : tuple of float
        With which each iteration went; 0 where no step lowered the cost and weights were kept.
    next_exponent : float
        With which the next one will begin.
    wait : int
        Steps that must go well before the exponent is doubled again.
    refused : int
        Steps that were measured and not taken, in all.
    """

    point: Point
    costs: tuple[float, ...]
    exponents: tuple[float, ...] = ()
    next_exponent: float = 1.0
    wait: int = 0
    refused: int = 0

    @classmethod
    def start(cls, problem: Problem, weights: tuple[Float64Array, ...]) -> Self:
        """Measure where to begin."""
        point = problem.measure(weights)
        return cls(point, (point.cost,))

    def advance(
        self, problem: Problem, max_exponent: float = np.inf, *, damped: bool = True
    ) -> Self:
        """Do one iteration: one pass more than the exponent had to be halved.

        Parameters
        ----------
        problem : Problem
            What is descended.
        max_exponent : float, default=inf
            The exponent doubles after a step that was accepted at once, up to this; after one
            that was not, only once :data:`PATIENCE` more steps have gone well.
        damped : bool, default=True
            Whether to halve the exponent until the cost does not rise.  False takes full steps, up
            or down.

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
            if point.cost <= self.point.cost or not damped:
                wait = PATIENCE if halvings else max(self.wait - 1, 0)
                ready = not halvings and self.wait <= 1
                following = min(2.0 * exponent, max_exponent) if ready else exponent
                return self._with(point, exponent, following, wait, halvings)
            exponent /= 2.0
        return self._with(self.point, 0.0, 1.0, 0, MOST_HALVINGS + 1)

    def _with(
        self, point: Point, exponent: float, following: float, wait: int, refused: int
    ) -> Self:
        costs, exponents = (*self.costs, point.cost), (*self.exponents, exponent)
        return type(self)(point, costs, exponents, following, wait, self.refused + refused)

    def settled(self, tol: float) -> bool:
        """Tell whether the last iteration changed the cost by at most ``tol`` of it.

        While exponents still grow a small change tells nothing, unless it is none at all.  A
        damped step is judged by what the full one would have gained.
        """
        if not self.exponents:
            return False
        last = self.exponents[-1]
        change = abs(self.costs[-2] - self.costs[-1])
        growing = 0.0 < last < self.next_exponent
        return not change or (not growing and change <= tol * min(1.0, last) * self.costs[-2])
