"""Statistics that passes over rows accumulate, and that merge in any order.

For every statistic, ``of(A).merge(of(B))`` equals ``of`` the rows of A and B together.  A row of
weight 0 is ignored, and a row of weight k is equivalent to k copies.
"""

from densernn.stats.column_stats import ClassCounts, Extrema, Marginals
from densernn.stats.distinct import DistinctSample
from densernn.stats.moments import Moments
from densernn.stats.sample import Sample

__all__ = ["ClassCounts", "DistinctSample", "Extrema", "Marginals", "Moments", "Sample"]
