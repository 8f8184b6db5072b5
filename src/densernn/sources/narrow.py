"""Column selection: some columns of any source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.sources.arrays import ArraySource
from densernn.sources.rows import Chunk, RowSource
from densernn.sources.selection import DerivedSource, passed_on


def narrowed(source: RowSource, columns: NDArray[np.intp]) -> RowSource:
    """Return a source of some columns of another: of an array a view, where they stand evenly."""
    if isinstance(source, ArraySource):
        return ArraySource(_columns_of(source.X, columns), source.y, source.weight)
    return NarrowSource(source, columns)


@dataclass(eq=False)
class NarrowSource(DerivedSource):
    """Columns of a source that streams.

    Parameters
    ----------
    source : RowSource
    columns : ndarray of int
        Numbers of the columns, in the order wanted.
    """

    source: RowSource
    columns: NDArray[np.intp]
    n_columns = passed_on("columns.size")
    n_rows = passed_on("source.n_rows")
    feature_names = None  # those of the source are names of the whole

    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        for chunk in self.source.chunks(n_rows, first):
            yield replace(chunk, X=_columns_of(chunk.X, self.columns))

    def parts(self, most: int) -> list[NarrowSource]:
        """Cut into at most so many sources."""
        return [NarrowSource(part, self.columns) for part in self.source.parts(most)]

    def identity(self) -> dict[str, str]:
        """Return the source's identity and the columns."""
        return self.source.identity() | {"columns taken": str(self.columns.tolist())}


def _columns_of(X: NDArray[Any], chosen: NDArray[np.intp]) -> NDArray[Any]:
    """Return columns of all rows: a view where they stand evenly, else a copy."""
    step = int(chosen[1] - chosen[0]) if chosen.size > 1 else 1
    first, last = int(chosen[0]), int(chosen[-1])
    if step > 0 and np.array_equal(chosen, np.arange(first, last + 1, step)):
        return X[:, first : last + 1 : step]
    return X[:, chosen]
