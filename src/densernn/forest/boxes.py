"""Boxes of trees as clusters: regions, the walls of every box, and activations of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._kernels import exact
from densernn.errors import DataError
from densernn.forest.bins import ColumnBins
from densernn.forest.checks import are_arrays
from densernn.forest.growth import GrownTree

BELOW_ALL = -4.0
"""A score below those of all values."""

LEAST_SPREAD = 1e-3
"""Of normal scores in a region: a column that hardly varies there gets no harder walls."""


@dataclass(frozen=True, eq=False)
class BoxTree:
    r"""One tree: a partition of the input space into regions, and the boxes inside each.

    A cluster is silenced by every input outside of its box.  With normal scores :math:`z_j`, spread
    :math:`\sigma_j` in the region and F walls,

    .. math::

        x = \frac{s}{F} \sum_{\text{walls}} \frac{[z_j - u]_+ \text{ or } [l - z_j]_+}{\sigma_j},
        \qquad h = \zeta(x).

    The walls of a box are those of its parent, one of which was moved or added: so its sum is the
    parent's and the difference of two hinges.

    Parameters
    ----------
    column, right, region : ndarray of shape (n_nodes,), intp
        Of routing: the column that a node asks (-1 in a region), the node on the right (on the
        left is the next one), and the region (-1 elsewhere).
    wall : ndarray of shape (n_nodes,), float32
        Scores up to it go left.
    starts : ndarray of shape (n_regions + 1,), intp
        Region r has the clusters ``starts[r]`` to ``starts[r + 1]``.
    above : ndarray of shape (n_clusters,), intp
        The parent's place in the region; -1 below its root.
    input : ndarray of shape (n_clusters,), intp
        Column of the wall that was moved or added.
    hinge : ndarray of shape (4, n_clusters), float32
        Sign a, new wall b, former wall (infinite where there was none) and 1 / spread: the sum
        grows by ``(max(a z - b, 0) - max(a z - former, 0)) / spread``.
    factor : ndarray of shape (n_clusters,), float32
        s / F.
    share : ndarray of shape (n_regions,), float64
        Share of the weight of the rows that the tree was grown on.
    """

    column: NDArray[np.intp]
    right: NDArray[np.intp]
    region: NDArray[np.intp]
    wall: NDArray[np.float32]
    starts: NDArray[np.intp]
    above: NDArray[np.intp]
    input: NDArray[np.intp]
    hinge: NDArray[np.float32]
    factor: NDArray[np.float32]
    share: NDArray[np.float64]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Clusters of each region."""
        return np.diff(self.starts)

    @property
    def n_products(self) -> int:
        """Entries of the packed triangles of all regions."""
        return int((self.sizes * (self.sizes + 1) // 2).sum())

    @property
    def mean_square_size(self) -> float:
        """Mean over the rows it was grown on of the squared number of clusters of their region."""
        return float(self.share @ np.square(self.sizes))

    @property
    def routing(self) -> tuple[NDArray[Any], ...]:
        """Arrays that lead a row to its region."""
        return self.column, self.right, self.region, self.wall

    @property
    def clusters(self) -> tuple[NDArray[Any], ...]:
        """Arrays of the clusters, in regions."""
        return self.starts, self.above, self.input, self.hinge, self.factor

    def with_ramps(self, columns: NDArray[np.intp], scale: float) -> BoxTree:
        """Return the tree with a cluster for each of some columns in each region.

        Its one wall lies below all scores, so that it is inhibited by the whole range of the
        column: its activation falls evenly with the score, and a sum over columns is almost linear.
        """
        n_regions, n = len(self.sizes), len(columns)
        hinge = np.tile(np.array([[1.0], [BELOW_ALL], [np.inf], [1.0]], np.float32), n)

        def joined(own: NDArray[Any], ramps: NDArray[Any]) -> NDArray[Any]:
            parts = np.split(own, self.starts[1:-1], axis=-1)
            return np.concatenate([p for part in parts for p in (part, ramps)], axis=-1)

        return replace(
            self,
            starts=self.starts + n * np.arange(n_regions + 1),
            above=joined(self.above, np.full(n, -1)),
            input=joined(self.input, columns),
            hinge=np.ascontiguousarray(joined(self.hinge, hinge)),
            factor=joined(self.factor, np.full(n, scale, np.float32)),
        )

    def check(self, n_columns: int) -> None:
        """Raise DataError for arrays, as from a damaged file, that kernels must not follow."""
        if not (self._fits() and self._leads(n_columns)):
            raise DataError("the trees of this forest contradict each other: its file is damaged")

    def _fits(self) -> bool:
        """Return whether lengths agree, and regions follow each other."""
        whole = (self.column, self.right, self.region, self.starts, self.above, self.input)
        n_clusters = len(self.above)
        return bool(
            are_arrays(whole, "i", 1)
            and are_arrays((self.wall, self.factor, self.share), "f", 1)
            and are_arrays((self.hinge,), "f", 2)
            and {len(a) for a in self.routing} == {len(self.column)}
            and len(self.column) > 0
            and {len(self.input), len(self.factor)} == {n_clusters}
            and self.hinge.shape == (4, n_clusters)
            and len(self.starts) > 1
            and self.starts[0] == 0
            and self.starts[-1] == n_clusters
            and (np.diff(self.starts) >= 0).all()
        )

    def _leads(self, n_columns: int) -> bool:
        """Return whether nodes lead down to regions, and boxes up within theirs."""
        nodes, inner = np.arange(len(self.column)), self.column >= 0
        place = np.arange(len(self.above)) - np.repeat(self.starts[:-1], self.sizes)
        return bool(
            (self.column < n_columns).all()
            and (self.right[inner] > nodes[inner] + 1).all()
            and (self.right < len(nodes)).all()
            and ((self.region[~inner] >= 0) & (self.region[~inner] < len(self.sizes))).all()
            and ((self.input >= 0) & (self.input < n_columns)).all()
            and ((self.above >= -1) & (self.above < place)).all()
        )


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
    """Return the standard deviation of each column in each region."""
    total = np.zeros(n_regions)
    mean = np.zeros((n_regions, scores.shape[1]))
    squares = np.zeros((n_regions, scores.shape[1]))
    for i in range(region.size):
        r, w = region[i], weight[i]
        total[r] += w
        for j in range(scores.shape[1]):
            mean[r, j] += w * scores[i, j]
            squares[r, j] += w * scores[i, j] * scores[i, j]
    for r in range(n_regions):
        for j in range(scores.shape[1]):
            m = mean[r, j] / total[r]
            variance = max(squares[r, j] / total[r] - m * m, 0.0)
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


@exact
def route(scores: Any, column: Any, right: Any, region: Any, wall: Any) -> Any:
    """Return the region of each row."""
    found = np.empty(scores.shape[0], np.intp)
    for i in range(scores.shape[0]):
        node = 0
        while column[node] >= 0:
            node = node + 1 if scores[i, column[node]] <= wall[node] else right[node]
        found[i] = region[node]
    return found


@exact
def by_region(region: Any, n_regions: Any) -> Any:
    """Return rows in the order of their regions, and where each region starts among them."""
    starts = np.zeros(n_regions + 1, np.intp)
    for r in region:
        starts[r + 1] += 1
    for r in range(n_regions):
        starts[r + 1] += starts[r]
    rows, ends = np.empty(region.size, np.intp), starts[:-1].copy()
    for i in range(region.size):
        rows[ends[region[i]]] = i
        ends[region[i]] += 1
    return rows, starts


@exact
def activations(
    scores: Any,
    rows: Any,
    above: Any,
    column: Any,
    hinge: Any,
    factor: Any,
    k: Any,
    scratch: Any,
    out: Any,
) -> None:
    """Write the activations of a region's clusters for some rows into ``out``, clusters by rows.

    ``k`` holds the coefficients of zeta; the arrays of clusters are those of the region;
    ``scratch`` has room for a number for every cluster and column of each row.
    """
    n = rows.size
    zero = np.float32(0.0)
    one, two = np.float32(1.0), np.float32(2.0)
    sums = scratch[: above.size * n].reshape(above.size, n)
    columns = scratch[above.size * n :][: scores.shape[1] * n].reshape(scores.shape[1], n)
    ready = np.zeros(scores.shape[1], np.bool_)
    for c in range(above.size):
        j = column[c]
        z = columns[j]
        if not ready[j]:
            ready[j] = True
            for i in range(n):
                z[i] = scores[rows[i], j]
        sign, wall, former, steepness = hinge[0, c], hinge[1, c], hinge[2, c], hinge[3, c]
        own = sums[c]
        if above[c] < 0:
            for i in range(n):
                own[i] = max(sign * z[i] - wall, zero) * steepness
        else:
            parent = sums[above[c]]
            for i in range(n):
                at = sign * z[i]
                own[i] = parent[i] + (max(at - wall, zero) - max(at - former, zero)) * steepness
    for c in range(above.size):
        own, activation = sums[c], out[c]
        for i in range(n):
            x = own[i] * factor[c]
            a = k[0] + k[1] * x
            y = k[2] + k[3] * x
            disc = (a - one) * (a - one) + y * (two * (a + one) + y)
            activation[i] = two / (a + one + y + np.sqrt(disc))
