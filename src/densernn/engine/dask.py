"""Passes on a Dask cluster: leaves that accumulate rows in order, and a fixed tree of merges.

The data alone decide what is added to what: a source is cut into at most 32 leaves by how it is
stored, each leaf takes its rows in order, and leaves are merged two by two.  So a result does not
depend on how many workers there are, or on which of them dies, as long as each has the same
number of threads for its matrix products.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import dask

from densernn.engine.budget import chunk_rows
from densernn.engine.local import PassResult, Watcher, run_pass
from densernn.phases import Phase
from densernn.sources.arrays import ArraySource
from densernn.sources.dask import CollectionSource, to_arrays
from densernn.sources.encoded import EncodedSource, encoded
from densernn.sources.rows import RowSource

Statistic = TypeVar("Statistic")

LEAVES = 32
"""Leaves at most: each ends as one statistic, of L x L numbers, which travels once."""


def run_on_dask(
    phase: Phase[Statistic],
    source: RowSource,
    *,
    chunk_bytes: int,
    begun: PassResult[Statistic] | None = None,
    watcher: Watcher | None = None,
) -> PassResult[Statistic]:
    """Accumulate all rows of a source, on the active client's cluster or else on Dask's threads.

    Parameters
    ----------
    phase, source, chunk_bytes
        As in :func:`densernn.engine.local.run_pass`.
    begun : None
        A pass on a cluster begins anew.
    watcher : callable, optional
        Called with the result of all rows.

    Notes
    -----
    With L features, a worker thread holds the statistic that it extends and the one before it, 16
    L^2 bytes, and blocks of rows; leaves that wait to be merged add 8 L^2 bytes each.
    """
    sent, merge = dask.delayed(phase, traverse=False), dask.delayed(_merged)
    statistics = [_leaf(sent, part, chunk_bytes) for part in source.parts(LEAVES)]
    while len(statistics) > 1:
        pairs = [statistics[i : i + 2] for i in range(0, len(statistics), 2)]
        statistics = [merge(sent, *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    with warnings.catch_warnings():
        # Layers belong into the graph, which alone survives the death of every worker.
        warnings.filterwarnings("ignore", "Sending large graph")
        (whole,) = dask.compute(statistics[0])
    if watcher is not None:
        watcher(whole)
    return cast("PassResult[Statistic]", whole)


def _leaf(phase: Any, part: RowSource, chunk_bytes: int) -> Any:
    """Return the task of a part: a chain over blocks of a collection, else a single task."""
    encoder = None
    if isinstance(part, EncodedSource) and isinstance(part.source, CollectionSource):
        encoder, part = dask.delayed(part.encoder, traverse=False), part.source
    if not isinstance(part, CollectionSource):
        return dask.delayed(_whole)(phase, dask.delayed(part, traverse=False), chunk_bytes)
    state, extend = None, dask.delayed(_extended)
    for block, first in zip(part.blocks, part.numbers, strict=True):
        how = (part.feature_names, part.encoding)
        state = extend(phase, state, *block, first, how, encoder, chunk_bytes)
    return state


def _whole(phase: Any, part: RowSource, chunk_bytes: int) -> PassResult[Any]:
    return run_pass(phase, part, chunk_bytes=chunk_bytes)


def _extended(
    phase: Any,
    state: PassResult[Any] | None,
    X: Any,
    y: Any,
    weight: Any,
    number: int,
    how: tuple[Sequence[str] | None, Any],
    encoder: Any,
    chunk_bytes: int,
) -> PassResult[Any]:
    """Add the rows of a block to a copy of a result, as Dask may need the one given again."""
    rows = encoded(ArraySource(*to_arrays(X, y, weight, number, *how)), encoder)
    size = chunk_rows(phase.row_bytes, chunk_bytes, phase.most_rows)
    statistic = phase.zero() if state is None else copy.deepcopy(state.statistic)
    before = 0 if state is None else state.n_rows
    for chunk in rows.chunks(size):
        statistic = phase.add(statistic, replace(chunk, start=before + chunk.start))
    return PassResult(statistic, before + int(rows.n_rows or 0))


def _merged(phase: Any, first: PassResult[Any], second: PassResult[Any]) -> PassResult[Any]:
    return PassResult(
        phase.merge(first.statistic, second.statistic),
        first.n_rows + second.n_rows,
        first.skipped.merge(second.skipped),
    )
