"""First passes over the rows: what is known of columns, labels and rows before any layer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.phases import Phase
from densernn.sources.rows import Chunk
from densernn.stats import ClassCounts, DistinctSample, Extrema, Marginals, Sample


class ColumnSummary(NamedTuple):
    """What the first pass finds.

    Parameters
    ----------
    extrema : Extrema
        Ranges of the raw columns.
    marginals : Marginals
        Their means and sums of squared deviations.
    classes : ClassCounts
        Total weight of each label, where there are labels; also of those that weigh nothing.
    sample : Sample
        Some of the rows, where they are wanted.
    judged : DistinctSample
        Some of the rows with their targets, where they are wanted.
    """

    extrema: Extrema
    marginals: Marginals
    classes: ClassCounts
    sample: Sample
    judged: DistinctSample

    def restricted(self, columns: NDArray[np.intp]) -> ColumnSummary:
        """Return the summary of some of the columns."""
        extrema, marginals = self.extrema, self.marginals
        return self._replace(
            extrema=Extrema(extrema.minimum[columns], extrema.maximum[columns]),
            marginals=Marginals(
                marginals.weight,
                marginals.mean[columns],
                marginals.spread[columns],
                marginals.missing[columns],
            ),
        )

    def merge(self, other: ColumnSummary) -> ColumnSummary:
        """Return the summary of the rows of both."""
        return ColumnSummary(
            self.extrema.merge(other.extrema),
            self.marginals.merge(other.marginals),
            self.classes.merge(other.classes),
            self.sample.merge(other.sample),
            self.judged.merge(other.judged),
        )


class TableSummary(NamedTuple):
    """What the first pass finds for a forest.

    Parameters
    ----------
    classes : ClassCounts
        As in :class:`ColumnSummary`.
    sample : DistinctSample
        Different rows with their targets.
    """

    classes: ClassCounts
    sample: DistinctSample

    def merge(self, other: TableSummary) -> TableSummary:
        """Return the summary of the rows of both."""
        return TableSummary(self.classes.merge(other.classes), self.sample.merge(other.sample))


@dataclass(frozen=True)
class TablePass(Phase[TableSummary]):
    """A pass for labels and a sample of different rows: the first of a forest.

    Parameters
    ----------
    n_columns : int
    labels : bool
        Whether y holds labels, to be counted.
    n_sampled : int
        Rows to be sampled at most.
    columns : tuple of int, optional
        Those of the sample; all by default.
    """

    n_columns: int
    labels: bool
    n_sampled: int
    columns: tuple[int, ...] | None = None

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk."""
        return 24 * self.n_columns

    def zero(self) -> TableSummary:
        """Return the summary of no rows."""
        return TableSummary(ClassCounts.zero(), DistinctSample.zero(self.n_sampled))

    def add(self, state: TableSummary, chunk: Chunk) -> TableSummary:
        """Add the rows and labels of a chunk."""
        if chunk.y is None:
            raise TypeError("a sample with targets needs a source that has them")
        classes = state.classes.merge(count_labels(chunk)) if self.labels else state.classes
        X = chunk.X if self.columns is None else chunk.X[:, self.columns]
        return TableSummary(classes, state.sample.add(X, chunk.y, chunk.weight))


@dataclass(frozen=True)
class SummaryPass(Phase[ColumnSummary]):
    """The first pass: a summary of the raw columns and labels, and a sample of the rows.

    Parameters
    ----------
    n_columns : int
    labels : bool, default=False
        Whether y holds labels, to be counted.
    n_sampled : int, default=0
        Rows to be sampled, about.
    n_judged : int, default=0
        Rows to be sampled with their targets, at most.
    """

    n_columns: int
    labels: bool = False
    n_sampled: int = 0
    n_judged: int = 0

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk."""
        # Rows that may be judged are copied once more, and compared.
        return (48 if self.n_judged else 24) * self.n_columns + 64

    def zero(self) -> ColumnSummary:
        """Return the summary of no rows."""
        return ColumnSummary(
            Extrema.zero(self.n_columns),
            Marginals.zero(self.n_columns),
            ClassCounts.zero(),
            Sample.zero(self.n_sampled, self.n_columns),
            DistinctSample.zero(self.n_judged),
        )

    def add(self, state: ColumnSummary, chunk: Chunk) -> ColumnSummary:
        """Add the raw columns and labels of a chunk."""
        X, weight = chunk.X, chunk.weight
        # All that must be known before training, in one pass: docs/decisions/0010.
        return ColumnSummary(
            state.extrema.merge(Extrema.of(X, weight)),
            state.marginals.merge(Marginals.of(X, weight)),
            state.classes.merge(count_labels(chunk)) if self.labels else state.classes,
            state.sample.add(X, chunk.start, weight) if self.n_sampled else state.sample,
            self._judged(state.judged, chunk),
        )

    def _judged(self, sample: DistinctSample, chunk: Chunk) -> DistinctSample:
        if not self.n_judged or chunk.y is None:
            return sample
        return sample.add(chunk.X, chunk.y, chunk.weight)


def count_labels(chunk: Chunk) -> ClassCounts:
    """Return the total weight of each label of a chunk.

    Raises
    ------
    DataError
        A label is a number that is not whole.
    """
    y: NDArray[Any] = np.asarray(chunk.y).reshape(len(chunk.X))
    # Labels read from files are often floating-point integers; fractions are not labels.
    if y.dtype.kind == "f" and not (whole := y == np.floor(y)).all():
        row = int(np.argmin(whole))
        raise DataError(
            f"y is continuous: it is {y[row]} in row {chunk.start + row}, and labels are whole "
            "numbers or text: take a regressor, or round the labels"
        )
    # Classes all of whose rows have weight 0 are classes of the model, too.
    return ClassCounts.zero(y).merge(ClassCounts.of(y, chunk.weight))
