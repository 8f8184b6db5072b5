"""Few rows: activations and targets, kept as they are while there are no more than features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Float64Array = NDArray[np.float64]

SAME = 1e-6
"""Distance of two rows, as a share of their size, up to which they are the same row."""


@dataclass(frozen=True, eq=False)
class FewRows:
    """Rows of a table that is smaller than its own moments.

    Parameters
    ----------
    features : ndarray of shape (n_features, n_rows), float32 or float64
        By columns.
    targets : ndarray of shape (n_rows, n_targets), float64
    weight : ndarray of shape (n_rows,), float64
        Above 0.
    """

    features: FloatArray
    targets: Float64Array
    weight: Float64Array

    @classmethod
    def zero(cls, n_features: int, n_targets: int) -> Self:
        """Return no rows."""
        return cls(np.empty((n_features, 0), np.float32), np.empty((0, n_targets)), np.empty(0))

    def __len__(self) -> int:
        return len(self.weight)

    def fits(self, n_features: int, n_targets: int) -> bool:
        """Return whether arrays, as from a file, are of one number of rows and such columns."""
        n = np.size(self.weight)
        shapes = [np.shape(a) for a in (self.features, self.targets, self.weight)]
        return shapes == [(n_features, n), (n, n_targets), (n,)]

    def as_chunk(self) -> tuple[FloatArray, Float64Array, Float64Array | None]:
        """Return what :meth:`Moments.add` takes: columns with room for targets, and the rest."""
        n_features, n_targets = len(self.features), self.targets.shape[1]
        columns = np.empty((n_features + n_targets, len(self)), self.features.dtype)
        columns[:n_features] = self.features
        return columns, self.targets, None if (self.weight == 1.0).all() else self.weight

    def joined(self, other: FewRows) -> Self:
        """Return the rows of both."""
        return replace(
            self,
            features=np.concatenate([self.features, other.features], axis=1),
            targets=np.concatenate([self.targets, other.targets]),
            weight=np.concatenate([self.weight, other.weight]),
        )

    def take(self, rows: Any) -> Self:
        """Return some rows."""
        return replace(
            self,
            features=self.features[:, rows],
            targets=self.targets[rows],
            weight=self.weight[rows],
        )

    def without(self, other: FewRows) -> Self | None:
        """Return the rows less those of another, or None if some of these are not there.

        A row may be taken away in part: of weight 2, weight 1.
        """
        left = self.weight.copy()
        for features, targets, gone in zip(
            other.features.T, other.targets, other.weight, strict=True
        ):
            weight = float(gone)
            size = SAME * (1.0 + np.abs(features).max(initial=0.0))
            same = (self.targets == targets).all(axis=1) & (left > 0)
            same[same] = np.abs(self.features[:, same] - features[:, None]).max(axis=0) <= size
            for row in np.flatnonzero(same):
                part = min(left[row], weight)
                left[row] -= part
                weight -= part
            if weight > 1e-9 * other.weight.max():
                return None
        kept = left > 1e-9 * self.weight
        return replace(self.take(kept), weight=left[kept])

    def widened(self, n_targets: int, positions: NDArray[np.intp]) -> Self:
        """Return the rows with more targets; target i moves to ``positions[i]``, others are 0."""
        targets = np.zeros((len(self), n_targets))
        targets[:, positions] = self.targets
        return replace(self, targets=targets)
