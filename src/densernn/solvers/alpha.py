"""Choose a penalty from moments alone: a grid, or a search along the scale of penalties."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import ParameterError, SingularSolveWarning
from densernn.solvers.ridge import RidgeSolution, RidgeSystem

COARSE, FINE = 30.0, 3.0
"""Factors between neighbouring penalties, while searching and at the end."""

MEANINGFUL = 1e-5
"""Relative gain of score for which a smaller or larger penalty is worth taking."""

START = 1e-4
"""First penalty that is tried, as a share of the mean eigenvalue."""


def choose_alpha(
    system: RidgeSystem, alpha: float | str | Iterable[float]
) -> tuple[RidgeSolution, dict[float, float]]:
    """Solve for a penalty, the best of a grid, or the best that a search finds.

    Parameters
    ----------
    system : RidgeSystem
        Normal equations.
    alpha : float, "auto", or iterable of float
        A number is used as it is.  Of a grid, the penalty of lowest generalised
        cross-validation score is taken.  ``"auto"`` walks from the middle of the scale towards
        lower scores by factors of 30, then refines by factors of 3: mostly 6 to 9
        factorisations.  No penalty below :attr:`RidgeSystem.floor` is tried.

    Returns
    -------
    solution : RidgeSolution
    scores : dict of float to float
        Generalised cross-validation score of every penalty that was scored; empty for a number.

    Raises
    ------
    ParameterError
        ``alpha`` is none of the three.

    Warns
    -----
    SingularSolveWarning
        ``"auto"`` in float32 chose the smallest penalty that float32 resolves.
    """
    values = alpha_values(alpha)
    if values is None:
        return _search(system)
    if not values.ndim:
        return system.solve(float(values)), {}
    return _best_of_grid(system, values)


def alpha_values(alpha: Any) -> NDArray[np.float64] | None:
    """Return None for "auto", an array without axes for a number, a sorted one for a grid.

    Raises
    ------
    ParameterError
        ``alpha`` is none of the three, or has values that are not finite or below 0.
    """
    values = np.empty(0)
    if isinstance(alpha, str):
        if alpha == "auto":
            return None
    else:
        with suppress(TypeError, ValueError):
            values = np.asarray(list(alpha) if isinstance(alpha, Set) else alpha, np.float64)
    if values.ndim > 1 or not values.size or not (np.isfinite(values) & (values >= 0)).all():
        raise ParameterError(
            "alpha must be 'auto', a finite number of at least 0, or a list of such numbers: it is "
            f"{alpha!r}"
        )
    return np.unique(values) if values.ndim else values


def _best_of_grid(system: RidgeSystem, grid: Any) -> tuple[RidgeSolution, dict[float, float]]:
    walk = _Walk(system)
    for value in grid:
        walk.score(float(value))
    best = walk.solution
    return (system.solve(float(grid[-1])) if best is None else best), walk.scores


def _search(system: RidgeSystem) -> tuple[RidgeSolution, dict[float, float]]:
    lowest = system.floor
    highest = max(10.0 * system.trace, 10 * lowest)
    walk = _Walk(system)
    centre = min(max(START * system.mean_eigenvalue, lowest), highest)
    for step in (COARSE, FINE):
        centre = _descend(walk, centre, step, lowest, highest)
    if walk.solution is None:
        return system.solve(highest), walk.scores
    if centre <= 1.01 * lowest and system.epsilon > 1e-10:
        warnings.warn(
            f"alpha='auto' chose {centre:.3g}, the smallest penalty that float32 resolves here: "
            "dtype='float64' may be more accurate",
            SingularSolveWarning,
            stacklevel=4,
        )
    return walk.solution, walk.scores


def _descend(walk: _Walk, centre: float, step: float, lowest: float, highest: float) -> float:
    """Walk by factors of ``step`` until both neighbours score worse, or an end is met."""
    score = walk.score(centre)
    for factor in (1.0 / step, step):
        moved = False
        while lowest < centre * factor < highest or centre > lowest > centre * factor:
            candidate = max(centre * factor, lowest)
            found = walk.score(candidate)
            # Without a factor there is no score on this side: only larger penalties have one.
            if not found < score * (1 - MEANINGFUL) and not (np.isinf(score) and factor > 1):
                break
            centre, score, moved = candidate, found, True
        if moved:
            break
    return centre


@dataclass(eq=False)
class _Walk:
    """Scores tried so far, and the solution of the best of them."""

    system: RidgeSystem
    scores: dict[float, float] = field(default_factory=dict)
    solution: RidgeSolution | None = None

    def score(self, alpha: float) -> float:
        if alpha not in self.scores:
            best = min(self.scores.values(), default=np.inf)
            self.scores[alpha], solution = self.system.score(alpha)
            if self.scores[alpha] < best:
                self.solution = solution
        return self.scores[alpha]
