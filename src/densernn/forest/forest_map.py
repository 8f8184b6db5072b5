"""ForestMap: the frozen part of a forest, from rows to regions and activations of boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from densernn._threads import run_blocks
from densernn.cluster import Cluster
from densernn.errors import DataError
from densernn.forest.bins import ColumnBins
from densernn.forest.boxes import BoxTree
from densernn.forest.moments import ForestMoments
from densernn.forest.products import add_outputs
from densernn.forest.solution import ForestSolution
from densernn.forest.structure import Structure
from densernn.layers import digest_of

FloatArray = NDArray[np.float64]

FADE = 0.002
"""Mean distance from the training ranges, in ranges, times this silences the outputs."""


def coefficients_of(cluster: Cluster) -> NDArray[np.float32]:
    """Return the coefficients of zeta of a cluster whose parameters are scalars."""
    found: NDArray[np.float32] = cluster.coefficients(np.float32)[:, 0].copy()
    return found


@dataclass(frozen=True, eq=False)
class ForestMap:
    """Column bins, and trees of boxes.

    Parameters
    ----------
    bins : ColumnBins
    trees : tuple of BoxTree
    cluster : Cluster
        Parameters of all clusters, scalars.
    structure : Structure
        By which the trees were made, in weights of all rows.
    origin : ndarray of shape (n_targets,), float64
        Subtracted from values, so that their sums keep their digits; 0 for labels.
    """

    bins: ColumnBins
    trees: tuple[BoxTree, ...]
    cluster: Cluster
    structure: Structure
    origin: FloatArray

    most_rows = 65_536
    """Rows of a chunk at most: regions share them."""

    predict_rows = 16_384
    """Rows of a batch of predictions."""

    dtype = np.dtype(np.float64)
    """Of sums and solutions; distances and activations are rounded to float32."""

    @property
    def n_features(self) -> int:
        """Number of clusters, over all trees."""
        return sum(len(tree.above) for tree in self.trees)

    def row_bytes(self, n_targets: int) -> int:
        """Memory for a row of a chunk, beside the row itself."""
        return 4 * self.bins.n_columns + 16 * (n_targets + len(self.trees))

    def zero_moments(self, n_targets: int) -> ForestMoments:
        """Return the moments of no rows."""
        return ForestMoments.zero(self.trees, n_targets)

    def add_moments(
        self,
        moments: ForestMoments,
        X: NDArray[Any],
        targets: FloatArray,
        weight: FloatArray | None = None,
        first_row: int = 0,
    ) -> ForestMoments:
        """Return moments with more rows, which are added in place."""
        scores, about = self.bins.normal_scores(X), targets - self.origin
        return moments.added(self.trees, self.coefficients, scores, about, weight)

    def outputs(self, X: NDArray[Any], solution: ForestSolution, first_row: int = 0) -> FloatArray:
        """Return outputs for rows, of shape (n_rows, n_targets): probabilities, or values."""
        scores = self.bins.normal_scores(X)
        silence = self.cluster.zeta(FADE * self.bins.excess(X)) / self.cluster.zeta(0.0)
        raw = self.mean_outputs(scores, silence, solution)
        return cast("FloatArray", solution.finish(raw + self.origin))

    def mean_outputs(
        self, scores: NDArray[np.float32], gate: FloatArray, solution: ForestSolution
    ) -> FloatArray:
        """Return the mean over the trees of their outputs, about the origin."""
        total = np.zeros((len(scores), solution.n_targets))
        coefficients = self.coefficients

        def part(start: int, stop: int) -> None:
            for tree, weights, mean in zip(
                self.trees, solution.weights, solution.means, strict=True
            ):
                add_outputs(
                    scores[start:stop],
                    gate[start:stop],
                    tree.routing,
                    tree.clusters,
                    coefficients,
                    weights[None],
                    mean,
                    solution.limits,
                    total[None, start:stop],
                )

        run_blocks(part, len(scores), at_least=256)
        total /= len(self.trees)
        return total

    @property
    def coefficients(self) -> NDArray[np.float32]:
        """Coefficients of zeta."""
        return coefficients_of(self.cluster)

    def fingerprint(self) -> dict[str, str]:
        """Return a digest of each part; equal digests mean equal activations."""
        parts = {"column bins": digest_of(self.bins), "cluster": digest_of(self.cluster)}
        parts["origin of the values"] = digest_of(self.origin)
        parts["number of trees"] = str(len(self.trees))
        return parts | {f"tree {k}": digest_of(tree) for k, tree in enumerate(self.trees)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The state may come from a file, and kernels do not check bounds.
        self.__dict__.update(state)
        self.bins.check()
        if self.cluster.n_clusters is not None:
            raise DataError("a forest has one set of cluster parameters, and this file has more")
        for tree in self.trees:
            tree.check(self.bins.n_columns)
