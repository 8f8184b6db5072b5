"""Phases of training: the statistic that each accumulates over the rows, and what it leads to.

A phase sees chunks of rows and statistics; it does not know where the rows come from, how many
passes there are, or on how many machines they run.  The engine runs phases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from densernn.activation_cache import ActivationCache
from densernn.errors import MergeError
from densernn.layers import MOST_ROWS, FeatureMap, Layer, ScalableLayer
from densernn.sources.rows import Chunk
from densernn.stats import ClassCounts

Statistic = TypeVar("Statistic")


class Phase(Protocol[Statistic]):
    """One pass over the rows."""

    @property
    def most_rows(self) -> int:
        """Rows of a chunk at most."""
        return MOST_ROWS

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk, which bounds the chunk."""

    def zero(self) -> Statistic:
        """Return the statistic of no rows."""

    def add(self, state: Statistic, chunk: Chunk) -> Statistic:
        """Return the statistic with the rows of a chunk; the one given may be reused for it."""

    def needs_rows(self, chunk: Chunk) -> bool:
        """Return whether the chunk's columns will be read, or are known from an earlier pass."""
        return True

    def merge(self, first: Statistic, second: Statistic) -> Statistic:
        """Return the statistic of the rows of both, and change neither."""
        statistic: Any = first
        merged: Statistic = statistic.merge(second)
        return merged


class LearningPhase(Phase[Statistic], Protocol[Statistic]):
    """One pass over the rows that leads to a layer, or to the next phase towards it."""

    def finish(self, state: Statistic) -> LearningPhase[Any] | Layer:
        """Return the layer, or the next phase, from the statistic of all rows."""


@dataclass(frozen=True)
class PreactivationMaxima(Phase[NDArray[np.float64]]):
    """The largest pre-activation of a layer, by which the published scaling divides.

    Computed in the working precision: the scale is part of the model, and rounding that differs
    with a row's place in its chunk would make a row of weight 2 something else than two rows.

    Parameters
    ----------
    below : FeatureMap
        From rows to the layer's input.
    layer : ScalableLayer
        The layer to be scaled; of several side by side, each has its own maximum.
    dtype : numpy float dtype
        Of the products.
    """

    below: FeatureMap
    layer: ScalableLayer
    dtype: np.dtype[Any]

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk."""
        return (self.below.values_per_row + self.layer.n_clusters) * self.dtype.itemsize

    def zero(self) -> NDArray[np.float64]:
        """Return the maxima of no rows."""
        return np.zeros(1)  # pre-activations are nonnegative; broadcasts to any number of parts

    def add(self, state: NDArray[np.float64], chunk: Chunk) -> NDArray[np.float64]:
        """Add the pre-activations of a chunk."""
        rows = counted(chunk)
        if not len(rows):
            return state
        # Maxima have no weights: rows of weight 0 are left out instead.
        inputs = self.below.forward(rows, None, chunk.start, self.dtype)
        return np.maximum(state, self.layer.preactivation_maxima(inputs))

    def merge(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the maxima over the rows of both."""
        return np.maximum(first, second)


def counted(chunk: Chunk) -> NDArray[Any]:
    """Return the rows of a chunk that do not weigh 0."""
    return chunk.X if chunk.weight is None else chunk.X[chunk.weight != 0]


@dataclass(frozen=True, eq=False)
class LearnedState:
    """All that a classifier or regressor learns from rows, once its layers are frozen.

    Parameters
    ----------
    moments : Moments or ForestMoments
        Of hidden activations and encoded targets.
    counts : ClassCounts
        Total weight of the rows of each class, without class weights.  Where there are classes,
        target j of the moments belongs to class j; elsewhere there are none.
    is_decayed : bool
        Whether :meth:`decayed` has been used on any of the rows.
    """

    moments: Any
    counts: ClassCounts
    is_decayed: bool = False

    def merge(self, other: LearnedState) -> Self:
        """Return the state of the rows of both, over the classes of either."""
        counts = self.counts.merge(other.counts)
        mine, theirs = (state._moments_over(counts.classes) for state in (self, other))
        is_decayed = self.is_decayed or other.is_decayed
        return replace(self, moments=mine.merge(theirs), counts=counts, is_decayed=is_decayed)

    def subtract(self, other: LearnedState) -> Self:
        """Return the state of the rows of this that are not those of ``other``.

        Raises
        ------
        MergeError
            ``other`` has more rows than there are, in all or of one class, or earlier rows have
            been weighed down.
        """
        self.require_undecayed()
        moments = self.moments.subtract(other.moments)
        return replace(self, moments=moments, counts=self.counts.subtract(other.counts))

    def require_undecayed(self) -> None:
        """Raise MergeError where rows cannot be subtracted."""
        if self.is_decayed:
            raise MergeError(
                "decay has weighed earlier rows down, and it is not known which rows are earlier: "
                "forget is for models that were never decayed"
            )

    def decayed(self, factor: float) -> Self:
        """Return the state of the same rows with every weight times ``factor``."""
        moments, counts = self.moments.decayed(factor), self.counts.decayed(factor)
        return replace(self, moments=moments, counts=counts, is_decayed=True)

    def _moments_over(self, classes: NDArray[Any]) -> Any:
        known = self.counts.classes
        if np.array_equal(known, classes):
            return self.moments
        return self.moments.place_targets(classes.size, np.searchsorted(classes, known))


class FrozenMap(Protocol):
    """The frozen part of a model, from rows to what its readout weighs."""

    @property
    def most_rows(self) -> int:
        """Rows of a chunk at most."""

    def row_bytes(self, n_targets: int) -> int:
        """Return the memory for a row of a chunk."""

    def zero_moments(self, n_targets: int) -> Any:
        """Return the moments of no rows."""

    def add_moments(
        self,
        moments: Any,
        X: NDArray[Any],
        targets: NDArray[np.float64],
        weight: NDArray[np.float64] | None = None,
        first_row: int = 0,
    ) -> Any:
        """Return moments with more rows; those given may be reused for it."""


class Targets(Protocol):
    """How labels or values become the targets of a readout."""

    @property
    def n_targets(self) -> int:
        """Columns of the encoded targets."""

    def encode(self, y: NDArray[Any]) -> NDArray[np.float64]:
        """Return targets of shape (n_rows, n_targets)."""

    def weigh(
        self, y: NDArray[Any], weight: NDArray[np.float64] | None
    ) -> NDArray[np.float64] | None:
        """Return the weight of each row in the moments, from the weights that rows came with."""

    def count(
        self, y: NDArray[Any] | None = None, weight: NDArray[np.float64] | None = None
    ) -> ClassCounts:
        """Return the total weight of every class; without rows, zeros."""


@dataclass(frozen=True)
class ReadoutPass(Phase[LearnedState]):
    """The last pass: moments of activations and targets, which are all that a readout needs.

    Parameters
    ----------
    feature_map : FeatureMap or ForestMap
    targets : Targets
    cache : ActivationCache, optional
        Gets the activations of a feature map, for passes behind this one.
    """

    feature_map: FrozenMap
    targets: Targets
    cache: ActivationCache | None = None

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk."""
        return self.feature_map.row_bytes(self.targets.n_targets)

    @property
    def most_rows(self) -> int:
        """Rows of a chunk at most."""
        return self.feature_map.most_rows

    def zero(self) -> LearnedState:
        """Return the state of no rows."""
        moments = self.feature_map.zero_moments(self.targets.n_targets)
        return LearnedState(moments, self.targets.count())

    def add(self, state: LearnedState, chunk: Chunk) -> LearnedState:
        """Add the hidden activations and targets of a chunk; moments in place."""
        if chunk.y is None:
            raise TypeError("a readout needs a source with targets")
        y, targets = chunk.y, self.targets.encode(chunk.y)
        weight = self.targets.weigh(y, chunk.weight)
        given = state.moments, chunk.X, targets, weight, chunk.start
        if self.cache is None or not isinstance(self.feature_map, FeatureMap):
            moments = self.feature_map.add_moments(*given)
        else:
            keep = partial(self.cache.put, self.feature_map, chunk)
            moments = self.feature_map.add_moments(*given, keep)
        if chunk.copy:  # of rows that are counted already
            return LearnedState(moments, state.counts)
        # Counts have the weights of rows, not those of classes: balanced weights follow them.
        return LearnedState(moments, state.counts.merge(self.targets.count(y, chunk.weight)))
