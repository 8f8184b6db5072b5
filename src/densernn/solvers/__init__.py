"""Solvers that see moments alone, never rows: one per file."""

from densernn.solvers.alpha import alpha_values, choose_alpha
from densernn.solvers.ridge import RidgeSolution, RidgeSystem

__all__ = ["RidgeSolution", "RidgeSystem", "alpha_values", "choose_alpha"]
