"""Phases of training: each names the fold it wants and what it makes of it.

A phase sees chunks of rows and folds; it does not know where the rows come from, how many
passes there are, or on how many machines they run.  The engine runs phases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from densernn.folds import Extrema, Marginals, Moments
from densernn.layers import ClusterLayer, Stack, prepare
from densernn.sources.arrays import Chunk

Fold = TypeVar("Fold")


class Phase(Protocol[Fold]):
    """One pass over the rows."""

    @property
    def width(self) -> int:
        """Numbers of the working dtype held at once for a row, which bounds the chunk."""

    @property
    def itemsize(self) -> int:
        """Bytes of such a number."""

    def zero(self) -> Fold:
        """Return the fold of no rows."""

    def add(self, fold: Fold, chunk: Chunk) -> Fold:
        """Return the fold with the rows of a chunk; the fold given may be reused for it."""


@dataclass(frozen=True)
class Look:
    """The first look: ranges, means and spreads of the raw columns."""

    n_columns: int

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return 3 * self.n_columns

    itemsize = 8

    def zero(self) -> tuple[Extrema, Marginals]:
        """Return the folds of no rows."""
        return Extrema.zero(self.n_columns), Marginals.zero(self.n_columns)

    def add(self, fold: tuple[Extrema, Marginals], chunk: Chunk) -> tuple[Extrema, Marginals]:
        """Fold the raw columns of a chunk."""
        extrema, marginals = fold
        return (
            extrema.merge(Extrema.of(chunk.X, chunk.weight)),
            marginals.merge(Marginals.of(chunk.X, chunk.weight)),
        )


@dataclass(frozen=True)
class DriveMaximum:
    """The largest pre-activation of a layer, by which the published scaling divides.

    Computed in float32: it sets a scale, and a matrix product is all its cost.
    """

    preparation: Any
    layer: ClusterLayer

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return 2 * self.layer.n_inputs + self.layer.n_clusters

    itemsize = 4

    def zero(self) -> float:
        """Return the maximum of no rows."""
        return 0.0

    def add(self, fold: float, chunk: Chunk) -> float:
        """Fold the pre-activations of a chunk."""
        rows = chunk.X if chunk.weight is None else chunk.X[chunk.weight != 0]
        if not len(rows):
            return fold
        inputs = prepare(self.preparation, rows, np.float32, chunk.start)
        return max(fold, float(self.layer.drive(inputs).max()))


@dataclass(frozen=True)
class ReadoutMoments:
    """Moments of hidden activations and encoded targets: all that the readout needs."""

    stack: Stack
    n_targets: int
    encode: Callable[[NDArray[Any]], NDArray[np.float64]]

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return self.stack.width + self.n_targets

    @property
    def itemsize(self) -> int:
        """Bytes of a number of the stack's dtype."""
        return self.stack.dtype.itemsize

    def zero(self) -> Moments:
        """Return the moments of no rows."""
        return Moments.zero(self.stack.n_features, self.n_targets)

    def add(self, fold: Moments, chunk: Chunk) -> Moments:
        """Fold the hidden activations and targets of a chunk, in place."""
        if chunk.y is None:
            raise TypeError("a readout needs a source with targets")
        columns = np.empty((fold.size, len(chunk.X)), self.stack.dtype)
        self.stack.forward(chunk.X, columns[: fold.n_features], chunk.start)
        fold.add(columns, self.encode(chunk.y), chunk.weight)
        return fold
