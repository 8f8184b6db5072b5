"""Choice of the ridge penalty by generalised cross-validation (docs/decisions/0002)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from densernn.errors import (
    ParameterError,
    SingularSolveWarning,
    UndecidedAlphaWarning,
    user_level,
)
from densernn.solvers.dual import DualSystem
from densernn.solvers.ridge import RidgeSolution, RidgeSystem
from densernn.stats import Moments

System: TypeAlias = RidgeSystem | DualSystem

COARSE, FINE = 30.0, 3.0
"""Ratios of neighbouring penalties, in the first and in the second stage of the search."""

MEANINGFUL = 1e-5
"""Relative decrease of the score below which the search does not move on."""

START = 1.0
"""First penalty of the search, as a share of the mean eigenvalue: from there it goes down while
that is better.  Where rows are fitted exactly, scores fall again towards tiny penalties, and mean
nothing (docs/decisions/0018)."""


def system_of(
    moments: Moments,
    working_dtype: Any,
    negligible: float = 0.0,
    n_leading: int = 0,
    intercept: bool = True,
) -> System:
    """Return the system of ridge regression from moments: of few rows, that of their products.

    Parameters
    ----------
    moments, working_dtype, intercept, negligible, n_leading
        As in :class:`RidgeSystem`.
    """
    # Copies count: whether a row has weight 2 or is there twice must not decide.
    if intercept and moments.few is not None and moments.n_rows <= moments.n_features:
        return DualSystem(moments, working_dtype, negligible)
    return RidgeSystem(moments, working_dtype, intercept, negligible, n_leading)


def choose_alpha(
    system: System, alpha: float | str | Iterable[float]
) -> tuple[RidgeSolution, dict[float, float]]:
    """Solve for a given penalty, or for that of the lowest generalised cross-validation score.

    Parameters
    ----------
    system : RidgeSystem or DualSystem
        Normal equations, or those of few rows.
    alpha : float, "auto", or iterable of float
        A penalty, a grid of penalties, or ``"auto"`` for a search: it descends from
        :data:`START` by factors of 30, then refines by factors of 3, in mostly 6 to 9
        solutions.  It does not try penalties below :attr:`RidgeSystem.floor`.

    Returns
    -------
    solution : RidgeSolution
    scores : dict of float to float
        Score of every penalty that was tried; empty for a single number.

    Raises
    ------
    ParameterError
        ``alpha`` is invalid.

    Warns
    -----
    SingularSolveWarning
        ``"auto"`` chose the smallest penalty that float32 resolves.
    """
    values = alpha_values(alpha)
    if values is None:
        return _search(system)
    if not values.ndim:
        return system.solve(float(values)), {}
    return _best_of_grid(system, values)


def alpha_values(alpha: Any) -> NDArray[np.float64] | None:
    """Return None for "auto", a 0-d array for a number, and a sorted 1-d array for a grid.

    Raises
    ------
    ParameterError
        ``alpha`` is invalid, or a penalty is negative or not finite.
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
    return np.unique(values) if values.ndim else values  # sorted; no penalty is scored twice


def _best_of_grid(system: System, grid: Any) -> tuple[RidgeSolution, dict[float, float]]:
    walk = _Walk(system)
    for value in grid:
        walk.score(float(value))
    best = walk.solution
    # Nothing is scored where no matrix could be factorised: the largest penalty is the safest.
    return (system.solve(float(grid[-1])) if best is None else best), walk.scores


def _search(system: System) -> tuple[RidgeSolution, dict[float, float]]:
    lowest = system.floor
    # At ten times the trace at most 0.1 degrees of freedom are left: larger penalties are alike.
    highest = max(10.0 * system.trace, 10 * lowest)
    walk = _Walk(system)
    centre = min(max(START * system.mean_eigenvalue, lowest), highest)
    for step in (COARSE, FINE):
        centre = _descend(walk, centre, step, lowest, highest)
    if walk.solution is None:
        warnings.warn(
            f"alpha='auto' cannot judge any penalty: the weights of the rows are those of "
            f"{system.moments.n_rows:.3g} rows; it takes the largest, {highest:.3g}, which "
            "predicts means: give alpha as a number, or weights that are more alike",
            UndecidedAlphaWarning,
            stacklevel=user_level(),
        )
        return system.solve(highest), walk.scores
    # A minimum at the floor may lie below it, where float32 has no information.
    if centre <= 1.01 * lowest and system.epsilon > 1e-10:
        warnings.warn(
            f"alpha='auto' chose {centre:.3g}, the smallest penalty that float32 resolves here: "
            "dtype='float64' may be more accurate",
            SingularSolveWarning,
            stacklevel=4,
        )
    return walk.solution, walk.scores


def _descend(walk: _Walk, centre: float, step: float, lowest: float, highest: float) -> float:
    """Return the penalty reached by factors of ``step`` when neither neighbour scores better."""
    score = walk.score(centre)
    for factor in (1.0 / step, step):
        moved = False
        while lowest < centre * factor < highest or centre > lowest > centre * factor:
            candidate = max(centre * factor, lowest)
            found = walk.score(candidate)
            # An infinite score means that no Cholesky factor exists: larger penalties have one.
            if not found < score * (1 - MEANINGFUL) and not (np.isinf(score) and factor > 1):
                break
            centre, score, moved = candidate, found, True
        # The score fell in this direction, so it rises in the other.
        if moved:
            break
    return centre


@dataclass(eq=False)
class _Walk:
    """Scores so far, and the solution of the best: a penalty is factorised only once."""

    system: System
    scores: dict[float, float] = field(default_factory=dict)
    solution: RidgeSolution | None = None

    def score(self, alpha: float) -> float:
        if alpha not in self.scores:
            best = min(self.scores.values(), default=np.inf)
            self.scores[alpha], solution = self.system.score(alpha)
            # Strictly: of equal scores in a grid, whose penalties increase, the smallest is chosen.
            if self.scores[alpha] < best:
                self.solution = solution
        return self.scores[alpha]
