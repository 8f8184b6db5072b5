"""Moments of the regions of a forest: weighted sums of activations, products and targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn._threads import one_blas_thread, run_each
from densernn.errors import DataError, MergeError
from densernn.forest.boxes import BoxTree
from densernn.forest.checks import are_arrays
from densernn.forest.products import add_rows

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TreeMoments:
    """Sums over rows for each region of one tree.

    Parameters
    ----------
    second : ndarray of shape (n_entries,), float64
        sum w h h' of each region one after the other, each as a packed lower triangle.
    cross : ndarray of shape (n_clusters + n_regions, 1 + n_targets), float64
        sum w (h, 1)(1, t)' of each region one after the other: the last row of a region holds its
        weight and sums of targets.
    """

    second: FloatArray
    cross: FloatArray

    @classmethod
    def zero(cls, tree: BoxTree, n_targets: int) -> Self:
        """Return the moments of no rows."""
        n_rows = len(tree.above) + len(tree.sizes)
        return cls(np.zeros(tree.n_products), np.zeros((n_rows, 1 + n_targets)))

    def totals(self, tree: BoxTree) -> FloatArray:
        """Return the weight of each region, and its sums of targets."""
        return cast("FloatArray", self.cross[tree.starts[1:] + np.arange(len(tree.sizes))])


@dataclass(frozen=True, eq=False)
class ForestMoments:
    """Sums over rows for each region of each tree, which are all that a readout needs.

    Parameters
    ----------
    trees : tuple of TreeMoments
    weight : float
        Total weight of the rows.
    least, most : ndarray of shape (n_targets,), float64
        Ranges of the targets.  They do not shrink when rows are subtracted.

    Notes
    -----
    Memory: 4 m^2 bytes for a region of m clusters.  Cost of a row: m^2 / 2 multiply-adds for each
    tree.
    """

    trees: tuple[TreeMoments, ...]
    weight: float
    least: FloatArray
    most: FloatArray

    @classmethod
    def zero(cls, trees: Sequence[BoxTree], n_targets: int) -> Self:
        """Return the moments of no rows."""
        parts = tuple(TreeMoments.zero(tree, n_targets) for tree in trees)
        return cls(parts, 0.0, np.full(n_targets, np.inf), np.full(n_targets, -np.inf))

    @property
    def n_targets(self) -> int:
        """Columns of the targets."""
        return len(self.least)

    def added(
        self,
        trees: Sequence[BoxTree],
        coefficients: NDArray[np.float32],
        scores: NDArray[np.float32],
        targets: FloatArray,
        weight: FloatArray | None,
    ) -> Self:
        """Return the moments with more rows; sums are added in place.

        Parameters
        ----------
        trees : sequence of BoxTree
        coefficients : ndarray of shape (4,), float32
            Of zeta.
        scores : ndarray of shape (n_rows, n_columns), float32
            Normal scores.
        targets : ndarray of shape (n_rows, n_targets), float64
        weight : ndarray of shape (n_rows,), optional
        """
        if weight is not None and not weight.all():
            rows = weight != 0
            scores, targets, weight = scores[rows], targets[rows], weight[rows]
        if not len(scores):
            return self
        root = np.empty(0) if weight is None else np.sqrt(weight)

        def add(tree: BoxTree, sums: TreeMoments) -> None:
            add_rows(scores, targets, root, tree, coefficients, sums.second, sums.cross)

        with one_blas_thread():
            run_each(add, trees, self.trees)
        return replace(
            self,
            weight=self.weight + (float(len(scores)) if weight is None else float(weight.sum())),
            least=np.minimum(self.least, targets.min(axis=0)),
            most=np.maximum(self.most, targets.max(axis=0)),
        )

    def merge(self, other: ForestMoments) -> Self:
        """Return the moments of the rows of both."""
        joined = self._combined(other, np.add)
        least, most = np.minimum(self.least, other.least), np.maximum(self.most, other.most)
        return replace(joined, weight=self.weight + other.weight, least=least, most=most)

    def subtract(self, other: ForestMoments) -> Self:
        """Return the moments without the rows of ``other``.

        Raises
        ------
        MergeError
            ``other`` has a larger weight, in all or in some region.
        """
        left = self.weight - other.weight
        slack = 1e-9 * max(1.0, self.weight)
        if left < -slack:
            raise MergeError(
                f"cannot take away rows of total weight {other.weight:g} from {self.weight:g}"
            )
        remaining = self._combined(other, np.subtract)
        # Sums of activations and weights of regions are of nonnegative terms.
        if any((part.cross[:, 0] < -slack).any() for part in remaining.trees):
            raise MergeError(
                "cannot take away rows that were not learned: a region would have a weight below 0"
            )
        return replace(remaining, weight=left if left > slack else 0.0)

    def decayed(self, factor: float) -> Self:
        """Return the moments of the same rows with every weight times ``factor``."""
        trees = tuple(TreeMoments(t.second * factor, t.cross * factor) for t in self.trees)
        return replace(self, trees=trees, weight=self.weight * factor)

    def place_targets(self, n_targets: int, positions: ArrayLike) -> Self:
        """Return moments with more targets: target i moves to ``positions[i]``, new ones are 0."""
        where = 1 + np.asarray(positions, np.intp)

        def wider(part: TreeMoments) -> TreeMoments:
            cross = np.zeros((len(part.cross), 1 + n_targets))
            cross[:, 0], cross[:, where] = part.cross[:, 0], part.cross[:, 1:]
            return TreeMoments(part.second, cross)

        least, most = np.zeros(n_targets), np.zeros(n_targets)
        least[where - 1], most[where - 1] = self.least, self.most
        trees = tuple(map(wider, self.trees))
        return replace(self, trees=trees, least=least, most=most)

    def _combined(self, other: ForestMoments, operation: Callable[..., FloatArray]) -> Self:
        trees = tuple(
            TreeMoments(operation(a.second, b.second), operation(a.cross, b.cross))
            for a, b in zip(self.trees, other.trees, strict=True)
        )
        return replace(self, trees=trees)

    def check(self, trees: Sequence[BoxTree]) -> None:
        """Raise DataError for sums, as from a damaged file, that do not belong to the trees."""
        shapes = [(t.n_products, len(t.above) + len(t.sizes), 1 + self.n_targets) for t in trees]
        sound = (
            are_arrays((t.second for t in self.trees), "f", 1)
            and are_arrays((t.cross for t in self.trees), "f", 2)
            and are_arrays((self.least, self.most), "f", 1)
        )
        if not sound or shapes != [(*t.second.shape, *t.cross.shape) for t in self.trees]:
            raise DataError("the sums of this forest do not go with its trees: the file is damaged")
