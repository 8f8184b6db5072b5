"""Solvers, one per file; they work on moments and never need the rows."""

from densernn.solvers.alpha import alpha_values, choose_alpha, system_of
from densernn.solvers.decoding import PUBLISHED_FISTA, SOLVERS, FistaSolver, RidgeSolver
from densernn.solvers.fista import LassoSolution, LassoSystem
from densernn.solvers.ridge import RidgeSolution, RidgeSystem

__all__ = [
    "PUBLISHED_FISTA",
    "SOLVERS",
    "FistaSolver",
    "LassoSolution",
    "LassoSystem",
    "RidgeSolution",
    "RidgeSolver",
    "RidgeSystem",
    "alpha_values",
    "choose_alpha",
    "system_of",
]
