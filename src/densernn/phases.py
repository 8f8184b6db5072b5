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
from densernn.layers import Below, Layer, Stack
from densernn.sources.rows import Chunk

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


class LearningPhase(Phase[Fold], Protocol[Fold]):
    """One pass over the rows, of which a layer comes, or the phase that goes on towards it."""

    def finish(self, fold: Fold) -> LearningPhase[Any] | Layer:
        """Make what is next of the fold of all rows."""


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
class DriveMaxima:
    """The largest pre-activation of a layer, by which the published scaling divides.

    Computed in float32: it sets a scale, and a matrix product is all its cost.

    Parameters
    ----------
    below : Below
        What rows pass before the layer, in float32.
    layer : Layer
        The layer to be scaled, in float32; of several side by side, each has its own maximum.
    """

    below: Below
    layer: Layer

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return self.below.width + self.layer.n_clusters

    itemsize = 4

    def zero(self) -> NDArray[np.float64]:
        """Return the maxima of no rows."""
        return np.zeros(1)

    def add(self, fold: NDArray[np.float64], chunk: Chunk) -> NDArray[np.float64]:
        """Fold the pre-activations of a chunk."""
        rows = counted(chunk)
        if not len(rows):
            return fold
        inputs = self.below.activations(rows, np.float32, chunk.start)
        return np.maximum(fold, self.layer.drive_maxima(inputs))


@dataclass(frozen=True)
class RowSample:
    """Some rows, evenly spaced: those whose number is a multiple of a stride.

    Parameters
    ----------
    stride : int
    n_columns : int
    """

    stride: int
    n_columns: int
    itemsize = 8

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return self.n_columns

    def zero(self) -> list[NDArray[Any]]:
        """Return no rows."""
        return []

    def add(self, fold: list[NDArray[Any]], chunk: Chunk) -> list[NDArray[Any]]:
        """Take rows of a chunk, in place; none that weighs 0."""
        first = -chunk.start % self.stride
        part = slice(first, None, self.stride)
        weight = None if chunk.weight is None else chunk.weight[part]
        fold.append(counted(Chunk(chunk.X[part], None, weight, chunk.start)))
        return fold


def counted(chunk: Chunk) -> NDArray[Any]:
    """Return the rows of a chunk that do not weigh 0."""
    return chunk.X if chunk.weight is None else chunk.X[chunk.weight != 0]


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
