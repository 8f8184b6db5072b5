"""Phases of training: each names the fold it wants and what it makes of it.

A phase sees chunks of rows and folds; it does not know where the rows come from, how many
passes there are, or on how many machines they run.  The engine runs phases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.folds import ClassCounts, Extrema, Marginals, Moments, Sample
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

    def merge(self, first: Fold, second: Fold) -> Fold:
        """Return the fold of the rows of both, and change neither."""


class LearningPhase(Phase[Fold], Protocol[Fold]):
    """One pass over the rows, of which a layer comes, or the phase that goes on towards it."""

    def finish(self, fold: Fold) -> LearningPhase[Any] | Layer:
        """Make what is next of the fold of all rows."""


class Seen(NamedTuple):
    """What the first look finds.

    Parameters
    ----------
    extrema : Extrema
        Ranges of the raw columns.
    marginals : Marginals
        Their means and spreads.
    classes : ClassCounts
        Total weight of each label, where there are labels; also of those that weigh nothing.
    sample : Sample
        Some of the rows, where they are wanted.
    """

    extrema: Extrema
    marginals: Marginals
    classes: ClassCounts
    sample: Sample


@dataclass(frozen=True)
class Look:
    """The first look: ranges, means and spreads of the raw columns, labels, and some rows.

    Parameters
    ----------
    n_columns : int
    labels : bool, default=False
        Whether y holds labels, to be counted.
    n_sampled : int, default=0
        Rows to be sampled, about.
    """

    n_columns: int
    labels: bool = False
    n_sampled: int = 0

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return 3 * self.n_columns

    itemsize = 8

    def zero(self) -> Seen:
        """Return the folds of no rows."""
        return Seen(
            Extrema.zero(self.n_columns),
            Marginals.zero(self.n_columns),
            ClassCounts.zero(),
            Sample.zero(self.n_sampled, self.n_columns),
        )

    def add(self, fold: Seen, chunk: Chunk) -> Seen:
        """Fold the raw columns and labels of a chunk."""
        X, weight = chunk.X, chunk.weight
        return Seen(
            fold.extrema.merge(Extrema.of(X, weight)),
            fold.marginals.merge(Marginals.of(X, weight)),
            fold.classes.merge(count_labels(chunk)) if self.labels else fold.classes,
            fold.sample.add(X, chunk.start, weight) if self.n_sampled else fold.sample,
        )

    def merge(self, first: Seen, second: Seen) -> Seen:
        """Return the folds of the rows of both."""
        return Seen(
            first.extrema.merge(second.extrema),
            first.marginals.merge(second.marginals),
            first.classes.merge(second.classes),
            first.sample.merge(second.sample),
        )


def count_labels(chunk: Chunk) -> ClassCounts:
    """Return the total weight of each label of a chunk.

    Raises
    ------
    DataError
        A label is a number that is not whole.
    """
    y: NDArray[Any] = np.asarray(chunk.y).reshape(len(chunk.X))
    if y.dtype.kind == "f" and not (whole := y == np.floor(y)).all():
        row = int(np.argmin(whole))
        raise DataError(
            f"y is continuous: it is {y[row]} in row {chunk.start + row}, and labels are whole "
            "numbers or text: take a regressor, or round the labels"
        )
    return ClassCounts.zero(y).merge(ClassCounts.of(y, chunk.weight))


@dataclass(frozen=True)
class DriveMaxima:
    """The largest pre-activation of a layer, by which the published scaling divides.

    Computed in the working precision: the scale is part of the model, and rounding that differs
    with a row's place in its chunk would make a row of weight 2 something else than two rows.

    Parameters
    ----------
    below : Below
        What rows pass before the layer.
    layer : Layer
        The layer to be scaled; of several side by side, each has its own maximum.
    dtype : numpy float dtype
        Of the products.
    """

    below: Below
    layer: Layer
    dtype: np.dtype[Any]

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return self.below.width + self.layer.n_clusters

    @property
    def itemsize(self) -> int:
        """Bytes of a number of the working dtype."""
        return self.dtype.itemsize

    def zero(self) -> NDArray[np.float64]:
        """Return the maxima of no rows."""
        return np.zeros(1)

    def add(self, fold: NDArray[np.float64], chunk: Chunk) -> NDArray[np.float64]:
        """Fold the pre-activations of a chunk."""
        rows = counted(chunk)
        if not len(rows):
            return fold
        inputs = self.below.activations(rows, self.dtype, chunk.start)
        return np.maximum(fold, self.layer.drive_maxima(inputs))

    def merge(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the maxima over the rows of both."""
        return np.maximum(first, second)


def counted(chunk: Chunk) -> NDArray[Any]:
    """Return the rows of a chunk that do not weigh 0."""
    return chunk.X if chunk.weight is None else chunk.X[chunk.weight != 0]


class Learned(NamedTuple):
    """What a readout learns of rows.

    Parameters
    ----------
    moments : Moments
        Of hidden activations and encoded targets.
    classes : ClassCounts
        Total weight of each label, where there are labels; weights of classes do not count.
    """

    moments: Moments
    classes: ClassCounts


class Targets(Protocol):
    """How labels or values become targets."""

    @property
    def n_targets(self) -> int:
        """Targets there are."""

    def encode(self, y: NDArray[Any]) -> NDArray[np.float64]:
        """Return targets of shape (n_rows, n_targets)."""

    def count(self, y: NDArray[Any], weight: NDArray[np.float64] | None) -> ClassCounts:
        """Return the total weight of each label, or of none."""


@dataclass(frozen=True)
class ReadoutMoments:
    """Moments of hidden activations and encoded targets: all that the readout needs.

    Parameters
    ----------
    stack : Stack
    targets : Targets
    weigh : callable, optional
        Makes the weight of each row in the moments of y and the weights that rows came with.
    """

    stack: Stack
    targets: Targets
    weigh: (
        Callable[[NDArray[Any], NDArray[np.float64] | None], NDArray[np.float64] | None] | None
    ) = None

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return self.stack.width + self.targets.n_targets

    @property
    def itemsize(self) -> int:
        """Bytes of a number of the stack's dtype."""
        return self.stack.dtype.itemsize

    def zero(self) -> Learned:
        """Return the moments of no rows."""
        return Learned(
            Moments.zero(self.stack.n_features, self.targets.n_targets), ClassCounts.zero()
        )

    def add(self, fold: Learned, chunk: Chunk) -> Learned:
        """Fold the hidden activations and targets of a chunk, in place."""
        if chunk.y is None:
            raise TypeError("a readout needs a source with targets")
        moments = fold.moments
        targets = self.targets.encode(chunk.y)
        columns = np.empty((moments.size, len(chunk.X)), self.stack.dtype)
        self.stack.forward(chunk.X, columns[: moments.n_features], chunk.start)
        weight = chunk.weight if self.weigh is None else self.weigh(chunk.y, chunk.weight)
        moments.add(columns, targets, weight)
        return Learned(moments, fold.classes.merge(self.targets.count(chunk.y, chunk.weight)))

    def merge(self, first: Learned, second: Learned) -> Learned:
        """Return the moments of the rows of both."""
        return Learned(first.moments.merge(second.moments), first.classes.merge(second.classes))
