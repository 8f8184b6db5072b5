"""Boxes of trees as clusters: regions, the walls of every box, and activations of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.forest.checks import are_arrays

BELOW_ALL = -4.0
"""A score below those of all values."""


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
