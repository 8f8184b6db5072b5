"""What a pass over rows accumulates: commutative monoids that merge in any order or tree.

For every fold, ``of(A).merge(of(B))`` is ``of`` of the rows of A and B together; a row of weight
0 counts nowhere, and a row of weight k counts as k copies.
"""

from densernn.folds.columns import ClassCounts, Extrema, Marginals
from densernn.folds.moments import Moments
from densernn.folds.sample import Sample

__all__ = ["ClassCounts", "Extrema", "Marginals", "Moments", "Sample"]
