"""Statistics that passes over rows accumulate, and that merge in any order.

For every statistic, ``of(A).merge(of(B))`` equals ``of`` the rows of A and B together.  A row of
weight 0 is ignored, and a row of weight k is equivalent to k copies.
"""

from densernn.folds.columns import ClassCounts, Extrema, Marginals
from densernn.folds.moments import Moments
from densernn.folds.sample import Sample

__all__ = ["ClassCounts", "Extrema", "Marginals", "Moments", "Sample"]
