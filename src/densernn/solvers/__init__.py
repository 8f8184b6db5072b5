"""Solvers that see moments alone, never rows: one per file."""

from densernn.solvers.alpha import alpha_values, choose_alpha
from densernn.solvers.fista import LassoSolution, LassoSystem
from densernn.solvers.ridge import RidgeSolution, RidgeSystem

__all__ = [
    "LassoSolution",
    "LassoSystem",
    "RidgeSolution",
    "RidgeSystem",
    "alpha_values",
    "choose_alpha",
]
