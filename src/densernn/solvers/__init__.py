"""Solvers that see moments alone, never rows: one per file."""

from densernn.solvers.alpha import alpha_values, choose_alpha
from densernn.solvers.decoding import PUBLISHED_FISTA, FistaSolver, RidgeSolver
from densernn.solvers.fista import LassoSolution, LassoSystem
from densernn.solvers.ridge import RidgeSolution, RidgeSystem

__all__ = [
    "PUBLISHED_FISTA",
    "FistaSolver",
    "LassoSolution",
    "LassoSystem",
    "RidgeSolution",
    "RidgeSolver",
    "RidgeSystem",
    "alpha_values",
    "choose_alpha",
]
