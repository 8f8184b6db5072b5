"""Making of boxes: regions of a grown tree, and the walls of the clusters inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._kernels import exact
from densernn.forest.bins import ColumnBins
from densernn.forest.boxes import BoxTree
from densernn.forest.growth import GrownTree

LEAST_SPREAD = 1e-3
"""Of normal scores in a region: a column that hardly varies there gets no harder walls."""


def make_boxes(
    tree: GrownTree,
    bins: ColumnBins,
    scores: NDArray[np.float32],
    weight: NDArray[np.float64],
    region_weight: float,
    least_weight: float,
    scale: float,
) -> BoxTree:
    """Return the regions of a tree and their boxes.

    Parameters
    ----------
    tree : GrownTree
    bins : ColumnBins
    scores, weight : ndarray of shape (n_rows, n_columns) and (n_rows,)
        Normal scores and weights of the rows that the tree was grown on.
    region_weight : float
        Walking down, the first node of at most this weight is a region, or a leaf.
    least_weight : float
        Nodes below that weigh less have no cluster.
    scale : float
        s.
    """
    region, cluster = _divide(tree.parent, tree.column, tree.weight, region_weight, least_weight)
    n_regions = int(region.max()) + 1
    spread = _spreads(scores, weight, region[tree.leaf], n_regions)
    inner = np.flatnonzero(tree.column >= 0)
    wall = np.zeros(len(tree.column), np.float32)
    wall[inner] = bins.wall(tree.column[inner], tree.code[inner])
    own = np.flatnonzero(cluster >= 0)
    hinge, factor = _walls(tree.parent, tree.column, wall, region, cluster, own, spread)
    root = cluster == -1  # of regions
    routing = np.flatnonzero((cluster == -1) | (cluster == -2))
    place = np.full(len(tree.column), -1)
    place[routing] = np.arange(len(routing))
    right = np.where(tree.right[routing] >= 0, place[tree.right[routing]], -1)
    parents = tree.parent[own]
    starts = np.searchsorted(region[own], np.arange(n_regions + 1))
    return BoxTree(
        column=np.where(root, -1, tree.column)[routing],
        right=np.where(root[routing], -1, right),
        region=np.where(root, region, -1)[routing],
        wall=wall[routing],
        starts=starts,
        above=cluster[parents],
        input=tree.column[parents],
        hinge=hinge,
        factor=(scale * factor).astype(np.float32),
        share=tree.weight[root] / tree.weight[0],
    )


@exact
def _divide(parent: Any, column: Any, weight: Any, region_weight: Any, least: Any) -> Any:
    """Return the region of each node, and its place among the region's clusters.

    The place is -1 at the root of a region, -2 above, and -3 for a node that has no cluster: one
    that weighs too little, and a leaf on the right.  With hard walls its activation is its
    parent's less its sibling's, and with soft ones nearly so: the clusters are better spent on
    smaller boxes.
    """
    region, cluster = np.full(parent.size, -1), np.full(parent.size, -2)
    n_regions = 0
    n_clusters = 0
    for node in range(parent.size):
        if node and cluster[parent[node]] != -2:
            region[node] = region[parent[node]]
            cluster[node] = -3
            if weight[node] >= least and (column[node] >= 0 or node == parent[node] + 1):
                cluster[node] = n_clusters
                n_clusters += 1
        elif weight[node] <= region_weight or column[node] < 0:
            region[node] = n_regions
            cluster[node] = -1
            n_regions += 1
            n_clusters = 0
    return region, cluster


@exact
def _spreads(scores: Any, weight: Any, region: Any, n_regions: Any) -> Any:
    """Return the standard deviation of each column in each region, missing values apart."""
    total = np.zeros((n_regions, scores.shape[1]))
    mean = np.zeros((n_regions, scores.shape[1]))
    squares = np.zeros((n_regions, scores.shape[1]))
    for i in range(region.size):
        r, w = region[i], weight[i]
        for j in range(scores.shape[1]):
            if scores[i, j] == scores[i, j]:
                total[r, j] += w
                mean[r, j] += w * scores[i, j]
                squares[r, j] += w * scores[i, j] * scores[i, j]
    for r in range(n_regions):
        for j in range(scores.shape[1]):
            whole = max(total[r, j], np.finfo(np.float64).tiny)  # all missing: of no spread
            m = mean[r, j] / whole
            variance = max(squares[r, j] / whole - m * m, 0.0)
            squares[r, j] = max(np.sqrt(variance), LEAST_SPREAD)
    return squares


@exact
def _walls(
    parent: Any, column: Any, wall: Any, region: Any, cluster: Any, own: Any, spread: Any
) -> Any:
    """Return hinges and 1 / F of the clusters."""
    hinge, factor = np.empty((4, own.size), np.float32), np.empty(own.size, np.float32)
    n_walls = np.zeros(parent.size, np.intp)
    for k in range(own.size):
        node = own[k]
        above = parent[node]
        j = column[above]
        sign = np.float32(1.0) if node == above + 1 else np.float32(-1.0)
        former = np.float32(np.inf)
        lower, upper = node, above
        while cluster[upper] != -1:  # up to the region's root
            lower, upper = upper, parent[upper]
            if column[upper] == j and (lower == upper + 1) == (sign > 0):
                former = sign * wall[upper]
                break
        n_walls[node] = (n_walls[above] if cluster[above] >= 0 else 0) + (former == np.inf)
        hinge[0, k] = sign
        hinge[1, k] = sign * wall[above]
        hinge[2, k] = former
        hinge[3, k] = 1.0 / spread[region[node], j]
        factor[k] = 1.0 / n_walls[node]
    return hinge, factor
