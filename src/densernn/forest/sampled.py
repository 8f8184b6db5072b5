"""Sampled rows as trees see them: bins, normal scores, and targets as labels or centred values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from densernn.forest.bins import ColumnBins

FloatArray = NDArray[np.float64]

BLOCKS, BLOCKS_OF_FOLD = 30, 4
"""Blocks of neighbouring rows that are dealt to folds, in all and to each, at least: long ones,
since rows tell of their neighbours at the ends of blocks."""

JUDGED_BLOCKS = 30
"""Blocks of neighbouring rows by which standard errors are found."""

ORDERED = 500
"""Rows from which on their order may mean something."""

ROUNDING = 1e-9
"""Of weights and their sums, relative."""

COPIED = 1.5
"""Mean weight from which on rows count as copies."""


def is_ordered(weight: FloatArray) -> bool:
    """Return whether the order of rows may mean something."""
    return len(weight) >= ORDERED and bool(weight.mean() < COPIED)


def blocks_of(position: FloatArray, weight: FloatArray) -> NDArray[np.intp]:
    """Return blocks of neighbouring rows; of few rows, or copies, each is a block of its own."""
    return _blocks(position, JUDGED_BLOCKS if is_ordered(weight) else len(position))


def _blocks(position: FloatArray, n_blocks: int) -> NDArray[np.intp]:
    """Return the number of the block of each row, of so many blocks of one size."""
    n = len(position)
    block = np.empty(n, np.intp)
    block[np.argsort(position, kind="stable")] = np.arange(n) * n_blocks // n
    return block


@dataclass(frozen=True, eq=False)
class SampledRows:
    """Rows for the structure of a forest.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_columns), uint8
        Bins.
    scores : ndarray of shape (n_rows, n_columns), float32
        Normal scores.
    targets : ndarray of shape (n_rows, n_targets), float64
        Encoded targets, about the origin of the forest.
    labels : ndarray of shape (n_rows,), intp
        Numbers of classes; empty where targets are several labels, or values.
    weight : ndarray of shape (n_rows,), float64
        Above 0.
    keys : ndarray of shape (n_rows,), uint64
        Hashes of rows and targets.
    position : ndarray of shape (n_rows,), float64
        Total weight of all rows that came before each one.
    """

    codes: NDArray[np.uint8]
    scores: NDArray[np.float32]
    targets: FloatArray
    labels: NDArray[np.intp]
    weight: FloatArray
    keys: NDArray[np.uint64]
    position: FloatArray

    @classmethod
    def of(
        cls,
        bins: ColumnBins,
        X: NDArray[Any],
        targets: FloatArray,
        weight: FloatArray,
        keys: NDArray[np.uint64],
        position: FloatArray,
        *,
        labelled: bool,
    ) -> Self:
        """Return the sampled rows, of one label each or of any targets."""
        labels = targets.argmax(axis=1) if labelled else np.empty(0, np.intp)
        codes, scores = bins.codes(X), bins.normal_scores(X)
        return cls(codes, scores, targets, labels, weight, keys, position)

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, rows: Any) -> Self:
        """Return some rows."""
        return replace(
            self,
            codes=self.codes[rows],
            scores=self.scores[rows],
            targets=self.targets[rows],
            labels=self.labels[rows] if self.labels.size else self.labels,
            weight=self.weight[rows],
            keys=self.keys[rows],
            position=self.position[rows],
        )

    def dealt(self, n_folds: int, seed: int) -> Iterator[FloatArray]:
        """Yield how much of the weight of each row falls to each fold.

        Folds are blocks of neighbouring rows: neighbours are often alike, as where rows are
        ordered in time, and would tell of each other.  Few rows are dealt by chance instead, and
        so are rows with many copies: these in turn, like cards, so that a row of weight 1 falls
        to one fold, of weight ``n_folds`` to all.
        """
        n = len(self)
        if is_ordered(self.weight):
            n_blocks = n_folds * max(BLOCKS_OF_FOLD, -(-BLOCKS // n_folds))
            block = _blocks(self.position, n_blocks)
            for k in range(n_folds):
                yield np.where((block + seed) % n_folds == k, self.weight, 0.0)
            return
        # Hashes times an odd number are in another random order.
        order = np.argsort(self.keys * np.uint64(2 * seed + 1), kind="stable")
        edges = np.concatenate([[0.0], np.cumsum(self.weight[order])])
        turns, place = np.divmod(edges, n_folds)
        for k in range(n_folds):
            # The difference of what lies before each edge and falls to fold k.
            found = np.empty(n)
            found[order] = np.diff(turns + np.clip(place - k, 0.0, 1.0))
            found[found < 1e-9] = 0.0  # rounding of the edges
            yield found

    def weighing(self, weight: FloatArray) -> Self:
        """Return the rows with other weights, without those that weigh nothing."""
        rows = weight > 0
        return replace(self.take(rows), weight=weight[rows])

    @property
    def tree_weight(self) -> NDArray[Any]:
        """Weights for the growth of trees: whole numbers where they are, which is faster."""
        # Sums of int32 weights are int32, too.
        whole = self.weight.sum() < 2**31 and (self.weight == np.floor(self.weight)).all()
        return self.weight.astype(np.int32) if whole else self.weight

    @property
    def tree_values(self) -> FloatArray:
        """Centred values of unit variance for the growth of trees; empty where there are labels."""
        if self.labels.size:
            return np.empty((0, 0))
        mean = self.weight @ self.targets / self.weight.sum()
        centred = self.targets - mean
        spread = np.sqrt(self.weight @ np.square(centred) / self.weight.sum())
        found: FloatArray = centred / np.where(spread > 0, spread, 1.0)
        return found
